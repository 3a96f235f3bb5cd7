"""The OData requests of one integration object: reading, writing, counting."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.commerce import address, database, filters, keys, metadata
from sandbox.commerce.address import Address
from sandbox.commerce.database import Row
from sandbox.commerce.errors import HEADERS, Refused, misformed, not_found
from sandbox.commerce.model import IntegrationObject, Item
from sandbox.commerce.persistence import Writer
from sandbox.commerce.render import Expand, Renderer, atom
from sandbox.commerce.typesystem import DEFAULT_LANGUAGE, LANGUAGES, MANY, SIMPLE, Kind
from sandbox.core import App, Request, Response, Transaction


@dataclass(slots=True)
class Limits:
    """Sizes an administrator sets: rows a page by default and at most, parts of a `$batch`."""

    page_default: int = 10
    page_max: int = 1000
    batch: int = 200


class Service:
    """Answers OData requests, each with its own transaction unless one is handed in."""

    def __init__(self, app: App, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    def answer(self, request: Request, tx: Transaction | None = None) -> Response:
        """The answer to one request; refusals become error answers when the transaction is the request's own."""
        if tx is not None:
            return self._write(request, tx)
        try:
            if request.method == "GET":
                return self._read(request)
            with self.app.store.write(request.id) as own:
                return self._write(request, own)
        except Refused as refused:
            return refused.response()

    def _read(self, request: Request) -> Response:
        where = address.read(request.path)
        if where.resource == "$metadata":
            return Response(
                200, metadata.document(where.obj), "application/xml;charset=utf-8", list(HEADERS), "$metadata"
            )
        if where.item is None:
            names = [item.entity_set for item in where.obj.items.values()]
            return _respond(request, {"EntitySets": names}, kind="service")
        with self.app.store.read() as db:
            renderer = _renderer(db, where.obj, request)
            if where.key is None:
                return self._collection(request, where, db, renderer)
            row = find_by_key(db, where.item, where.obj, where.key)
            if row is None:
                raise not_found(where.item.type, where.key)
            content = self._part(where, row, renderer, _expand(request, where.item, where.obj))
        return _respond(request, content, kind=where.item.entity_set)

    def _part(self, where: Address, row: Row, renderer: Renderer, expand: Expand) -> Any:
        """One entity, or what its URL goes on to."""
        item = where.item
        if item is None or not where.rest:
            return renderer.entity(item, row, expand) if item else None
        if where.rest == "localizedAttributes" and item.localized:
            return renderer.localized(item, row)
        use = item.uses.get(where.rest)
        if use is None:
            raise Refused("not_found", f"Could not find property with name: '{where.rest}'.", status=404)
        if use.kind in SIMPLE:
            return {use.name: renderer.value(use, row)}
        target = where.obj.items[use.target]
        entities = [renderer.entity(target, found, {}) for found in renderer.related(item, use, row)]
        if use.kind in MANY:
            return {"results": entities}
        if not entities:
            raise Refused("not_found", f"[{item.type}] has no [{use.name}].", status=404)
        return entities[0]

    def _collection(self, request: Request, where: Address, db: sqlite3.Connection, renderer: Renderer) -> Response:
        item, params = where.item, request.params
        if item is None:
            raise misformed("No entity set.")
        wanted = filters.condition(params.get("$filter"), item, where.obj)
        condition = f"WHERE {wanted.sql}" if wanted.sql else ""
        count = f"SELECT count(*) FROM {item.type} t {condition}"
        if where.rest == "$count":
            return Response(
                200,
                str(db.execute(count, wanted.values).fetchone()[0]).encode(),
                "text/plain;charset=utf-8",
                list(HEADERS),
                item.entity_set,
            )
        if where.rest:
            raise misformed(f"'{where.rest}' needs a key before it.")
        size = min(_number(params, "$top", self.limits.page_default), self.limits.page_max)
        start = _number(params, "$skiptoken", _number(params, "$skip", 0))
        expand = _expand(request, item, where.obj)
        page = f"{condition} ORDER BY {filters.order(params.get('$orderby'), item)} LIMIT ? OFFSET ?"
        found = list(database.rows(db, item.type, page, (*wanted.values, size + 1, start)))
        content: dict[str, Any] = {}
        if _inline_count(params):
            content["__count"] = str(db.execute(count, wanted.values).fetchone()[0])
        content["results"] = [renderer.entity(item, row, expand) for row in found[:size]]
        if len(found) > size > 0:
            content["__next"] = _next(request, start + size)
        return _respond(request, content, kind=item.entity_set)

    def _write(self, request: Request, tx: Transaction) -> Response:
        where = address.read(request.path)
        item = where.item
        if item is None or where.rest or request.method not in ("POST", "PATCH", "DELETE"):
            raise Refused("method_not_allowed", f"{request.method} is not allowed here.", status=405)
        if (request.method == "POST") != (where.key is None):
            raise Refused(
                "method_not_allowed",
                "The request dispatcher does not allow the HTTP method used for the request.",
                status=405,
            )
        _check_hooks(request)
        writer = Writer(tx, where.obj, _content_language(request), replace=request.method == "PATCH")
        if request.method == "DELETE":
            return self._delete(where, item, writer)
        payload = _payload(request)
        if where.key is None:
            pk = writer.post(item, payload)
        else:
            row = find_by_key(tx.db, item, where.obj, where.key)
            if row is None:
                raise not_found(item.type, where.key)
            pk = writer.patch(item, row, payload, where.key)
        return self._written(request, where.obj, item, pk, tx)

    def _written(self, request: Request, obj: IntegrationObject, item: Item, pk: int, tx: Transaction) -> Response:
        row = database.one(tx.db, item.type, pk)
        if row is None:
            raise not_found(item.type, str(pk))
        entity = _renderer(tx.db, obj, request).entity(item, row, {})
        if request.method == "PATCH":
            return _respond(request, entity, kind=item.entity_set)
        response = _respond(request, entity, kind=item.entity_set, status=201)
        response.headers.append(("Location", entity["__metadata"]["uri"]))
        return response

    def _delete(self, where: Address, item: Item, writer: Writer) -> Response:
        row = find_by_key(writer.tx.db, item, where.obj, where.key or "")
        if row is None:
            raise Refused(
                "invalid_key",
                f"The integration key [{where.key}] is invalid. Please consult the IntegrationKey definition of [{item.type}]"
                " for configuration details.",
                status=404,
            )
        writer.delete(item, row)
        return Response(200, b"", "application/json;charset=utf-8", list(HEADERS), item.entity_set)


def find_by_key(db: sqlite3.Connection, item: Item, obj: IntegrationObject, key: str) -> Row | None:
    """The item with an integration key; raises Refused for a key of another form."""
    return _find(db, item, obj, keys.parse(key, item, obj))


def _find(db: sqlite3.Connection, item: Item, obj: IntegrationObject, payload: dict[str, Any]) -> Row | None:
    wanted: Row = {}
    for name, value in payload.items():
        if item.uses[name].kind is not Kind.REFERENCE:
            wanted[name] = value
            continue
        target = _find(db, obj.items[item.uses[name].target], obj, value)
        if target is None:
            return None
        wanted[name] = target["pk"]
    return database.find(db, item.type, wanted)


def _renderer(db: sqlite3.Connection, obj: IntegrationObject, request: Request) -> Renderer:
    asked = request.headers.get("accept-language", "").split(",")[0].split(";")[0].split("-")[0].strip()
    if asked not in ("", "*") and asked not in LANGUAGES and request.method != "GET":
        raise Refused("invalid_language", f"The language provided [{asked}] is not available.")
    language = asked if asked in LANGUAGES else _content_language(request) or DEFAULT_LANGUAGE
    return Renderer(db, obj, f"{request.base}{address.PREFIX}{obj.code}", language)


def _content_language(request: Request) -> str | None:
    language = request.headers.get("content-language")
    if language is not None and language not in LANGUAGES:
        raise Refused("invalid_language", f"The language provided [{language}] is not available.")
    return language


def _expand(request: Request, item: Item, obj: IntegrationObject) -> Expand:
    tree: Expand = {}
    for path in request.params.get("$expand", "").split(","):
        level, here = tree, item
        for step in path.strip().split("/") if path.strip() else ():
            use = here.uses.get(step)
            if step == "localizedAttributes" and here.localized:
                level[step] = {}
                break
            if use is None or use.kind in SIMPLE:
                raise misformed(f"'{step}' is no navigation property of [{here.type}].")
            level = level.setdefault(step, {})
            here = obj.items[use.target]
    return tree


def _number(params: dict[str, str], name: str, default: int) -> int:
    text = params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise misformed(f"{name} must be a whole number of 0 or more, not '{text}'.")
    return int(text)


def _inline_count(params: dict[str, str]) -> bool:
    wanted = params.get("$inlinecount", "none")
    if wanted not in ("allpages", "none"):
        raise misformed(f"$inlinecount must be allpages or none, not '{wanted}'.")
    return wanted == "allpages"


def _next(request: Request, start: int) -> str:
    """The request's own URL, still encoded, with a skip token in the place of `$skip`."""
    kept = [part for part in request.query.split("&") if part and not part.lower().startswith(("$skip", "%24skip"))]
    return f"{request.base}{request.path}?{'&'.join([*kept, f'$skiptoken={start}'])}"


def _check_hooks(request: Request) -> None:
    for header, kind in (("pre-persist-hook", "Pre"), ("post-persist-hook", "Post")):
        if name := request.headers.get(header):
            raise Refused(
                "hook_not_found", f"{kind}PersistHook [{name}] does not exist. Payload will not be persisted."
            )


def _payload(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused("unsupported_media_type", f"Media type [{kind}] is not supported.", status=415)
    try:
        payload = request.json()
    except ValueError as error:
        raise misformed("The body is no JSON.") from error
    if not isinstance(payload, dict):
        raise misformed("One entity is expected.")
    return payload


def _respond(request: Request, content: Any, *, kind: str, status: int = 200) -> Response:
    """JSON for those who ask for it, Atom for all others, as the service does."""
    wanted = request.headers.get("accept", "").lower()
    if request.params.get("$format") == "json" or "application/json" in wanted:
        return Response(status, orjson.dumps({"d": content}), "application/json;charset=utf-8", list(HEADERS), kind)
    return Response(status, atom(content), "application/atom+xml;charset=utf-8", list(HEADERS), kind)
