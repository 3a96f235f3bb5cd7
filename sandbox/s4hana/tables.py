"""Records in SQLite: one table an entity set, key columns in internal form, the rest as sparse JSON."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from sandbox.core import join_key, split_key
from sandbox.s4hana.filters import bind, expression
from sandbox.s4hana.model import Entity, Model, Navigation, Property
from sandbox.s4hana.values import PARSERS, strip

Row = dict[str, Any]
"""A stored record: property names and stored values; a field that is not set is absent."""

INDEXES: dict[str, list[tuple[str, ...]]] = {
    "A_BusinessPartner": [
        ("LastChangeDate", "LastChangeTime", "BusinessPartner"),
        ("Customer",),
        ("BusinessPartnerIDByExtSystem",),
        ("BusinessPartnerUUID",),
    ],
    "A_BusinessPartnerAddress": [("AddressID",), ("AddressIDByExternalSystem",)],
    "A_BusinessPartnerTaxNumber": [("BPTaxNumber",)],
    "A_BuPaIdentification": [("BPIdentificationNumber",)],
    "A_BusinessPartnerContact": [("BusinessPartnerCompany",), ("BusinessPartnerPerson",)],
    "A_BPContactToAddress": [("AddressID",)],
    "A_Product": [("LastChangeDateTime",), ("ProductGroup",)],
    "A_SlsPrcgConditionRecord": [("LastChangeDateTime",)],
    "A_SlsPrcgCndnRecdValidity": [("Material",), ("Customer",)],
    "A_CustomerMaterial": [("Material",)],
}


def schema(model: Model) -> str:
    """SQL that creates the tables; without the secondary indexes, which come after the first load."""
    return "".join(
        f'CREATE TABLE IF NOT EXISTS "{entity.name}" ({", ".join(f"{c} TEXT NOT NULL" for c in _columns(entity))},'
        f" data TEXT NOT NULL, PRIMARY KEY ({', '.join(_columns(entity))})) WITHOUT ROWID;\n"
        for entity in model.values()
    )


def index_schema(model: Model) -> str:
    """SQL that creates the secondary indexes."""
    return "".join(
        f'CREATE INDEX IF NOT EXISTS "{name}_{columns[0]}" ON "{name}"'
        f" ({', '.join(expression(model[name].properties[c]) for c in columns)});\n"
        for name, lists in INDEXES.items()
        if name in model
        for columns in lists
    )


def _columns(entity: Entity) -> list[str]:
    return [f'"{prop.name}"' for prop in entity.key]


def key_values(entity: Entity, row: Mapping[str, Any]) -> list[Any]:
    """The key columns of a record, in internal form."""
    return [_key_value(prop, row[prop.name]) for prop in entity.key]


def _key_value(prop: Property, value: Any) -> str:
    return ("true" if value else "false") if prop.type == "Boolean" else str(bind(prop, value))


def key_text(entity: Entity, row: Mapping[str, Any]) -> str:
    """The key as log and control address show it: external form, joined by `/`."""
    return join_key([_shown(row[prop.name]) for prop in entity.key])


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_key(entity: Entity, text: str) -> Row:
    """The key's fields from its text form; raises KeyError when the parts do not fit."""
    parts = split_key(text)
    if len(parts) != len(entity.key):
        raise KeyError(f"{entity.name} has the key {'/'.join(p.name for p in entity.key)}, not '{text}'")
    return {prop.name: _key_part(prop, part) for prop, part in zip(entity.key, parts, strict=True)}


def _key_part(prop: Property, part: str) -> Any:
    if prop.type == "String":
        return strip(prop, part)
    return part == "true" if prop.type == "Boolean" else PARSERS[prop.type](part)


def decode(data: str) -> Row:
    """A stored record from its JSON."""
    row: Row = orjson.loads(data)
    return row


def get(db: sqlite3.Connection, entity: Entity, key: Mapping[str, Any]) -> Row | None:
    """One record by its key fields."""
    where = " AND ".join(f"{c} = ?" for c in _columns(entity))
    found = db.execute(f'SELECT data FROM "{entity.name}" WHERE {where}', key_values(entity, key)).fetchone()
    return None if found is None else decode(found[0])


def put_many(db: sqlite3.Connection, entity: Entity, rows: Iterable[Row], *, replace: bool) -> None:
    """Store records; with `replace` an existing one is overwritten, without it IntegrityError is raised."""
    marks = ", ".join("?" * (len(entity.key) + 1))
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    values = ((*key_values(entity, row), orjson.dumps(_sparse(entity, row)).decode()) for row in rows)
    db.executemany(f'{verb} INTO "{entity.name}" VALUES ({marks})', values)


def put_new(db: sqlite3.Connection, entity: Entity, rows: Iterable[Row]) -> None:
    """Store many new records as they are: nothing unset is taken out of them."""
    keys = entity.key
    marks = ", ".join("?" * (len(keys) + 1))
    values = ((*(_key_value(prop, row[prop.name]) for prop in keys), orjson.dumps(row).decode()) for row in rows)
    db.executemany(f'INSERT INTO "{entity.name}" VALUES ({marks})', values)


def _sparse(entity: Entity, row: Row) -> Row:
    known = entity.properties
    return {name: value for name, value in row.items() if known[name].key or value != known[name].unset}


def remove(db: sqlite3.Connection, entity: Entity, key: Mapping[str, Any]) -> None:
    """Delete one record."""
    where = " AND ".join(f"{c} = ?" for c in _columns(entity))
    db.execute(f'DELETE FROM "{entity.name}" WHERE {where}', key_values(entity, key))


def conditions(target: Entity, navigation: Navigation, source: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL condition for what a navigation leads to from one record."""
    parts, values = [], []
    for own, other in navigation.joins:
        prop = target.properties[other]
        parts.append(f"{expression(prop)} = ?")
        values.append(bind(prop, source.get(own, "")))
    if navigation.where:
        parts.append(restriction(target, navigation))
        values.append(navigation.where[2])
    return " AND ".join(parts), values


def restriction(target: Entity, navigation: Navigation) -> str:
    """The navigation's fixed condition, with one value to bind; empty when there is none."""
    if not navigation.where:
        return ""
    name, operator, _ = navigation.where
    return f"{expression(target.properties[name])} {operator} ?"


def related(db: sqlite3.Connection, target: Entity, navigation: Navigation, source: Mapping[str, Any]) -> list[Row]:
    """The records a navigation leads to, in key order."""
    sql, values = conditions(target, navigation, source)
    order = ", ".join(_columns(target))
    found = db.execute(f'SELECT data FROM "{target.name}" WHERE {sql} ORDER BY {order}', values).fetchall()
    return [decode(row[0]) for row in found]


def related_to_many(
    db: sqlite3.Connection, target: Entity, navigation: Navigation, sources: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], list[Row]]:
    """What a navigation leads to from many records at once, grouped by the values of the target's join properties."""
    own, other = navigation.joins[0]
    prop = target.properties[other]
    wanted = sorted({bind(prop, source[own]) for source in sources if source.get(own)})
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    order = ", ".join(_columns(target))
    extra = f" AND {restriction(target, navigation)}" if navigation.where else ""
    tail = [navigation.where[2]] if navigation.where else []
    for start in range(0, len(wanted), 500):
        block = wanted[start : start + 500]
        where = f"{expression(prop)} IN ({', '.join('?' * len(block))}){extra}"
        rows = db.execute(f'SELECT data FROM "{target.name}" WHERE {where} ORDER BY {order}', block + tail)
        for (data,) in rows:
            row = decode(data)
            grouped.setdefault(tuple(row.get(name, "") for _, name in navigation.joins), []).append(row)
    return grouped


def scan(db: sqlite3.Connection, entity: Entity, after: str, limit: int) -> Iterator[tuple[str, Row]]:
    """Records in key order from behind the key `after`."""
    columns = ", ".join(_columns(entity))
    where, values = "", []
    if after:
        where = f"WHERE ({columns}) > ({', '.join('?' * len(entity.key))})"
        values = key_values(entity, parse_key(entity, after))
    rows = db.execute(f'SELECT data FROM "{entity.name}" {where} ORDER BY {columns} LIMIT ?', (*values, limit))
    for (data,) in rows.fetchall():
        row = decode(data)
        yield key_text(entity, row), row


def count(db: sqlite3.Connection, entity: Entity) -> int:
    """How many records an entity set holds."""
    return int(db.execute(f'SELECT count(*) FROM "{entity.name}"').fetchone()[0])
