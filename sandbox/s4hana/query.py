"""Reading: query options, pages, expanded navigations."""

import base64
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from sandbox.core import Request
from sandbox.s4hana import tables
from sandbox.s4hana.errors import failure
from sandbox.s4hana.filters import bind, compile_filter, compile_order, expression, property_of
from sandbox.s4hana.model import Entity, Model
from sandbox.s4hana.paths import Target
from sandbox.s4hana.render import Json, renderer, results
from sandbox.s4hana.settings import Settings
from sandbox.s4hana.tables import Row

OPTIONS = frozenset(
    {
        "$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$inlinecount", "$skiptoken", "$format", "$search",
    }
)  # fmt: skip


@dataclass(slots=True)
class Shape:
    """What a record's answer contains: selected properties (None: all), shown and expanded navigations, level by level."""

    select: list[str] | None = None
    deferred: list[str] | None = None
    expand: dict[str, "Shape"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Token:
    """Where a page begins: behind a row (`last`, the order's values) or at an offset; `left` rows of `$top`."""

    last: list[Any] | None = None
    offset: int = 0
    left: int | None = None

    def text(self) -> str:
        """The opaque form in a link."""
        return base64.urlsafe_b64encode(orjson.dumps([self.last, self.offset, self.left])).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Back from the opaque form; raises ValueError."""
        last, offset, left = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return cls(last, int(offset), left)


class Reader:
    """Answers the GET requests of one service."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.settings = settings

    def check(self, request: Request) -> None:
        """Refuse query options the service does not know."""
        for name in request.params:
            if name.startswith("$") and name not in OPTIONS:
                raise failure(400, f"The query option '{name}' is not supported")

    def shape(self, entity: Entity, params: dict[str, str]) -> Shape:
        """`$select` and `$expand`, checked."""
        shape = Shape()
        for path in _paths(params.get("$expand", "")):
            self._expand(entity, shape, path.split("/"))
        for path in _paths(params.get("$select", "")):
            self._select(entity, shape, path.split("/"))
        return shape

    def _expand(self, entity: Entity, shape: Shape, path: list[str]) -> None:
        navigation = entity.navigations.get(path[0])
        if navigation is None:
            raise failure(400, f"Invalid $expand: '{path[0]}' is no navigation property of '{entity.name}'")
        inner = shape.expand.setdefault(path[0], Shape())
        if path[1:]:
            self._expand(self.model[navigation.target], inner, path[1:])

    def _select(self, entity: Entity, shape: Shape, path: list[str]) -> None:
        first = path[0]
        shape.select, shape.deferred = shape.select or [], shape.deferred or []
        if first in entity.navigations:
            if first in shape.expand and path[1:]:
                self._select(self.model[entity.navigations[first].target], shape.expand[first], path[1:])
            elif path[1:]:
                raise failure(400, f"Invalid $select: '{first}' is not expanded")
            shape.deferred.append(first)
        elif first == "*":
            shape.select += list(entity.properties)
        elif path[1:]:
            raise failure(400, f"Invalid $select: '{first}' is no navigation property of '{entity.name}'")
        else:
            shape.select.append(property_of(entity, first).name)

    def collection(self, db: sqlite3.Connection, request: Request, target: Target, root: str) -> Json:
        """One page of a collection."""
        params, entity = request.params, target.entity
        where, values = self._where(params, target)
        order = compile_order(entity, params.get("$orderby", ""))
        token, limit = self._start(params)
        rows = self._rows(db, entity, (where, values), order, token, limit)
        following = None
        if limit is not None and len(rows) > limit:
            rows = rows[:limit]
            following = self._following(request, entity, order, token, rows)
        count = None
        if params.get("$inlinecount") == "allpages":
            count = self.count(db, target, params)
        items = self.render(db, entity, rows, self.shape(entity, params), root)
        return results(items, count=count, following=following)

    def count(self, db: sqlite3.Connection, target: Target, params: dict[str, str]) -> int:
        """How many records meet filter and navigation, whatever the page."""
        where, values = self._where(params, target)
        clause = f" WHERE {where}" if where else ""
        return int(db.execute(f'SELECT count(*) FROM "{target.entity.name}"{clause}', values).fetchone()[0])

    def _where(self, params: dict[str, str], target: Target) -> tuple[str, list[Any]]:
        where, values = target.where
        if params.get("$filter", "").strip():
            sql, more = compile_filter(target.entity, params["$filter"])
            where, values = (f"{where} AND {sql}" if where else sql), [*values, *more]
        return where, values

    def _start(self, params: dict[str, str]) -> tuple[Token, int | None]:
        """Where the page begins and how long it may be; None: to the end."""
        top = _number(params, "$top")
        if "$skiptoken" in params:
            try:
                token = Token.parse(params["$skiptoken"])
            except (ValueError, TypeError) as error:
                raise failure(400, "Invalid $skiptoken") from error
        else:
            token = Token(offset=_number(params, "$skip") or 0, left=top)
        page = self.settings.page_size or None
        return token, page

    def _rows(
        self,
        db: sqlite3.Connection,
        entity: Entity,
        where: tuple[str, list[Any]],
        order: list[tuple[str, bool]],
        token: Token,
        limit: int | None,
    ) -> list[Row]:
        """The page's rows, and one more when there is a next page."""
        sql, values = where
        if token.last is not None:
            behind, more = _behind(entity, order, token.last)
            sql, values = (f"({sql}) AND ({behind})" if sql else behind), [*values, *more]
        by = ", ".join(expression(entity.properties[name]) + (" DESC" if desc else "") for name, desc in order)
        wanted = None if limit is None else limit + 1
        if token.left is not None:
            wanted = token.left if wanted is None else min(wanted, token.left)
        clause = f" WHERE {sql}" if sql else ""
        text = f'SELECT data FROM "{entity.name}"{clause} ORDER BY {by} LIMIT ? OFFSET ?'
        found = db.execute(text, (*values, -1 if wanted is None else wanted, token.offset)).fetchall()
        return [orjson.loads(data) for (data,) in found]

    def _following(
        self, request: Request, entity: Entity, order: list[tuple[str, bool]], token: Token, rows: Sequence[Row]
    ) -> str:
        left = None if token.left is None else token.left - len(rows)
        if self.settings.skiptoken == "offset":
            after = Token(offset=token.offset + len(rows), left=left)
        else:
            after = Token(last=[_value(entity, name, rows[-1]) for name, _ in order], left=left)
        pairs = [part for part in request.query.split("&") if part and not _is_paging(part)]
        pairs.append(f"$skiptoken={quote(after.text())}")
        return f"{request.base}{request.path}?{'&'.join(pairs)}"

    def render(
        self, db: sqlite3.Connection, entity: Entity, rows: Sequence[Row], shape: Shape, root: str
    ) -> list[Json]:
        """Rows as JSON with everything expanded that the shape names."""
        render = renderer(entity, root, shape.select, shape.deferred)
        items = [render(row) for row in rows]
        for name, inner in shape.expand.items():
            if shape.deferred is not None and name not in shape.deferred:
                continue
            self._expanded(db, entity, rows, items, name, inner, root)
        return items

    def _expanded(
        self,
        db: sqlite3.Connection,
        entity: Entity,
        rows: Sequence[Row],
        items: list[Json],
        name: str,
        shape: Shape,
        root: str,
    ) -> None:
        navigation = entity.navigations[name]
        other = self.model[navigation.target]
        grouped = tables.related_to_many(db, other, navigation, rows)
        keys = [tuple(row.get(own, "") for own, _ in navigation.joins) for row in rows]
        flat = [row for key in dict.fromkeys(keys) for row in grouped.get(key, [])]
        rendered = iter(self.render(db, other, flat, shape, root))
        shown = {key: [next(rendered) for _ in grouped.get(key, [])] for key in dict.fromkeys(keys)}
        for item, key in zip(items, keys, strict=True):
            found = shown[key]
            if navigation.many:
                item[name] = self._inner_page(item, name, found)
            else:
                item[name] = found[0] if found else None

    def _inner_page(self, item: Json, name: str, found: list[Json]) -> Json:
        limit = self.settings.expand_page_size
        if not limit or len(found) <= limit:
            return results(found)
        return results(
            found[:limit], following=f"{item['__metadata']['uri']}/{name}?$skiptoken={Token(offset=limit).text()}"
        )


def _paths(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(params: dict[str, str], name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise failure(400, f"Invalid value '{text}' for {name}")
    return int(text)


def _is_paging(part: str) -> bool:
    name = part.split("=", maxsplit=1)[0].replace("%24", "$")
    return name in ("$skiptoken", "$skip", "$top")


def _value(entity: Entity, name: str, row: Row) -> Any:
    prop = entity.properties[name]
    value = row.get(name, prop.unset)
    return None if value is None else bind(prop, value)


def _behind(entity: Entity, order: list[tuple[str, bool]], last: list[Any]) -> tuple[str, list[Any]]:
    """The condition for rows that come after one whose order values are `last`; SQLite sorts null first."""
    alternatives, values = [], []
    for index, (name, desc) in enumerate(order):
        column, value = expression(entity.properties[name]), last[index]
        ties = [f"{expression(entity.properties[other])} IS ?" for other, _ in order[:index]]
        if desc and value is None:
            continue
        if value is None:
            step, more = f"{column} IS NOT NULL", []
        else:
            step, more = (f"({column} < ? OR {column} IS NULL)" if desc else f"{column} > ?"), [value]
        alternatives.append(" AND ".join([*ties, step]))
        values += [*last[:index], *more]
    return " OR ".join(f"({part})" for part in alternatives), values
