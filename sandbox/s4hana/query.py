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


Groups = dict[tuple[Any, ...], list[Row]]
"""Children by the values of the properties that join them to their owner."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a page is read with: SQL condition with its values, order (True: descending) and beginning."""

    entity: Entity
    where: str
    values: list[Any]
    order: list[tuple[str, bool]]
    begin: Token

    def fetch(self, db: sqlite3.Connection, limit: int | None) -> list[Row]:
        """The page's rows, and one more when there is a next page."""
        where, values = self.where, self.values
        if self.begin.last is not None:
            behind, more = _behind(self.entity, self.order, self.begin.last)
            where, values = (f"{where} AND ({behind})" if where else behind), [*values, *more]
        columns = [(expression(self.entity.properties[name]), desc) for name, desc in self.order]
        by = ", ".join(f"{column} DESC" if desc else column for column, desc in columns)
        bounds = [bound for bound in (limit and limit + 1, self.begin.left) if bound is not None]
        clause = f" WHERE {where}" if where else ""
        sql = f'SELECT data FROM "{self.entity.name}"{clause} ORDER BY {by} LIMIT ? OFFSET ?'
        found = db.execute(sql, (*values, min(bounds, default=-1), self.begin.offset)).fetchall()
        return [tables.decode(data) for (data,) in found]

    def after(self, rows: Sequence[Row], *, stable: bool) -> Token:
        """Where the page behind these rows begins; not `stable`: by counting, so that pages shift under changes."""
        left = None if self.begin.left is None else self.begin.left - len(rows)
        if not stable:
            return Token(offset=self.begin.offset + len(rows), left=left)
        return Token(last=[_value(self.entity, name, rows[-1]) for name, _ in self.order], left=left)


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
        plan = Plan(
            entity, *self._where(params, target), compile_order(entity, params.get("$orderby", "")), _begin(params)
        )
        limit = self.settings.page_size or None
        rows = plan.fetch(db, limit)
        following = None
        if limit is not None and len(rows) > limit:
            rows = rows[:limit]
            following = _link(request, plan.after(rows, stable=self.settings.skiptoken == "key"))
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

    def render(
        self, db: sqlite3.Connection, entity: Entity, rows: Sequence[Row], shape: Shape, root: str
    ) -> list[Json]:
        """Rows as JSON with everything expanded that the shape names."""
        render = renderer(entity, root, shape.select, shape.deferred)
        items = [render(row) for row in rows]
        for name, inner in shape.expand.items():
            if shape.deferred is not None and name not in shape.deferred:
                continue
            navigation = entity.navigations[name]
            found = tables.related_to_many(db, self.model[navigation.target], navigation, rows)
            shown = self._render_groups(db, self.model[navigation.target], found, inner, root)
            for item, row in zip(items, rows, strict=True):
                children = shown.get(tuple(row.get(own, "") for own, _ in navigation.joins), [])
                if navigation.many:
                    item[name] = self._inner_page(item, name, children)
                else:
                    item[name] = children[0] if children else None
        return items

    def _render_groups(
        self, db: sqlite3.Connection, entity: Entity, groups: Groups, shape: Shape, root: str
    ) -> dict[tuple[Any, ...], list[Json]]:
        """Children of many records at once, so that the next level needs one query for all of them."""
        flat = [row for rows in groups.values() for row in rows]
        rendered = iter(self.render(db, entity, flat, shape, root))
        return {key: [next(rendered) for _ in rows] for key, rows in groups.items()}

    def _inner_page(self, item: Json, name: str, found: list[Json]) -> Json:
        limit = self.settings.expand_page_size
        if not limit or len(found) <= limit:
            return results(found)
        return results(
            found[:limit], following=f"{item['__metadata']['uri']}/{name}?$skiptoken={Token(offset=limit).text()}"
        )


def _begin(params: dict[str, str]) -> Token:
    """Where a page begins: as the link of the page before says, else by `$skip`."""
    if "$skiptoken" not in params:
        return Token(offset=_number(params, "$skip") or 0, left=_number(params, "$top"))
    try:
        return Token.parse(params["$skiptoken"])
    except (ValueError, TypeError) as error:
        raise failure(400, "Invalid $skiptoken") from error


def _link(request: Request, token: Token) -> str:
    """The address of the next page: the same query, with a token in place of `$top` and `$skip`."""
    pairs = [part for part in request.query.split("&") if part and not _is_paging(part)]
    pairs.append(f"$skiptoken={quote(token.text())}")
    return f"{request.base}{request.path}?{'&'.join(pairs)}"


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
    if len(last) != len(order):
        raise failure(400, "The $skiptoken belongs to another order")
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
    sql = " OR ".join(f"({part})" for part in alternatives)
    name, desc = order[0]
    if last[0] is None or desc:
        return sql, values
    # follows from the rest, and lets the index of the first column find the beginning
    return f"{expression(entity.properties[name])} >= ? AND ({sql})", [last[0], *values]
