"""What people do in the shop's back office and storefront, and what is stored: the control address of the shop.

Keys are text, in the order of `KEYS`: `uid` of a unit or a consumer, `customerID/uid` of a contact person (the first part
may be empty), `duplicate/publicKey` of an address, the code of others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.commerce import database, errors
from sandbox.commerce.database import Row
from sandbox.commerce.keys import mark, text_key
from sandbox.commerce.model import FULL, Item, Use
from sandbox.commerce.moments import date_text
from sandbox.commerce.persistence import Writer, checked
from sandbox.commerce.typesystem import ANY, DEFAULT_LANGUAGE, DEFAULTS, MANY, OWNERS, TYPES, Kind
from sandbox.core import Store, Transaction, split_key

FLAGS = {"true": True, "false": False}
FIRST_PUBLIC_KEY = 8_900_000_000_023


def change(tx: Transaction, entity: str, key: str, values: Mapping[str, Any]) -> None:
    """Change attributes as in the back office; references by `isocode`, `uid` or `code`."""
    item, row = _found(tx, entity, key)
    changes = {name: value for name, value in _columns(tx, item, values).items() if value != row[name]}
    if not changes:
        return
    database.update(tx, item.type, row["pk"], changes)
    after = {**row, **changes}
    tx.log(item.type, text_key(item.type, after), "updated", after, mark=mark(after))


def create(tx: Transaction, entity: str, values: Mapping[str, Any], given: Row | None = None) -> Row:
    """Create an item with its `addresses` and `groups`, answer its row; `given` are columns that need no translation.

    An address without a public key gets one, as in the storefront.
    """
    item = _item(entity)
    own = {name: value for name, value in values.items() if name not in ("addresses", "groups")}
    columns = {**DEFAULTS.get(entity, {}), **_columns(tx, item, own), **(given or {})}
    if entity == "Address" and not columns.get("publicKey"):
        columns["publicKey"] = str(tx.next_number("address", FIRST_PUBLIC_KEY))
    for attribute in database.columns(entity):
        if not attribute.optional and columns.get(attribute.name) is None:
            raise ValueError(f"{entity} needs '{attribute.name}'")
    row = {**columns, "pk": database.insert(tx, entity, columns)}
    tx.log(entity, text_key(entity, row), "created", row, mark=mark(row))
    for child in values.get("addresses", ()):
        create(tx, "Address", child, {"owner": row["pk"]})
    if values.get("groups"):
        targets = {_referred(tx, item.uses["groups"], uid) for uid in values["groups"]}
        database.link(tx, entity, item.uses["groups"].attribute, row["pk"], targets)
    return row


def delete(tx: Transaction, entity: str, key: str) -> None:
    """Delete an item with what is part of it."""
    item, row = _found(tx, entity, key)
    Writer(tx, FULL).delete(item, row)


def record(store: Store, entity: str, key: str) -> dict[str, Any] | None:
    """One item in full: references as their keys, the addresses of an owner inside it, times as ISO text."""
    item = _item(entity)
    with store.read() as db:
        row = database.find(db, entity, key_values(item, key))
        return None if row is None else _state(db, entity, row)


def records(store: Store, entity: str, after: str, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and state of items in key order; an empty part of a key comes first."""
    item = _item(entity)
    uses = [use for use in item.keys if use.kind is not Kind.REFERENCE]
    floors = [-1 if use.kind is Kind.BOOLEAN else "" for use in uses]
    terms = ", ".join(
        f"coalesce(t.{use.name}, {floor!r})" if use.attribute.optional else f"t.{use.name}"
        for use, floor in zip(uses, floors, strict=True)
    )
    where, bounds = "", []
    if after:
        found = key_values(item, after)
        where = f"WHERE ({terms}) > ({', '.join('?' * len(uses))})"
        bounds = [
            floor if found[use.name] is None else found[use.name] for use, floor in zip(uses, floors, strict=True)
        ]
    with store.read() as db:
        for row in database.rows(db, entity, f"{where} ORDER BY {terms} LIMIT ?", (*bounds, limit)):
            yield text_key(entity, row), _state(db, entity, row)


def _state(db: sqlite3.Connection, kind: str, row: Row) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for attribute in TYPES[kind]:
        if attribute.kind in MANY:
            found = list(database.children(db, kind, attribute, row["pk"]))
            part_of = attribute.kind is Kind.CHILDREN
            state[attribute.name] = [
                _state(db, attribute.target, target) if part_of else text_key(attribute.target, target)
                for target in found
            ]
            continue
        value = row[attribute.name]
        if value is not None and attribute.kind is Kind.REFERENCE:
            target = database.kind_of(value)
            referred = database.one(db, target, value)
            value = None if referred is None else text_key(target, referred)
        elif value is not None and attribute.kind is Kind.DATE:
            value = date_text(value)
        state[attribute.name] = value
    return state


def _item(entity: str) -> Item:
    if entity not in FULL.items:
        raise KeyError(f"entity {entity}; known: {', '.join(FULL.items)}")
    return FULL.items[entity]


def key_values(item: Item, key: str) -> Row:
    """Key attributes from their text."""
    uses = [use for use in item.keys if use.kind is not Kind.REFERENCE]
    parts = split_key(key)
    if len(parts) != len(uses):
        raise KeyError(f"{item.type} {key}: the key is {'/'.join(use.name for use in uses)}")
    return {
        use.name: FLAGS.get(part) if use.kind is Kind.BOOLEAN else part or None
        for use, part in zip(uses, parts, strict=True)
    }


def _found(tx: Transaction, entity: str, key: str) -> tuple[Item, Row]:
    item = _item(entity)
    row = database.find(tx.db, entity, key_values(item, key))
    if row is None:
        raise KeyError(f"{entity} {key}")
    return item, row


def _columns(tx: Transaction, item: Item, values: Mapping[str, Any]) -> Row:
    """Values of a user as columns: references by their keys, a localized text in the shop's own language."""
    columns: Row = {}
    for name, value in values.items():
        use = item.uses.get(name)
        if use is None or use.attribute.read_only or use.kind in MANY:
            raise ValueError(f"{item.type} has no '{name}' to set")
        if use.kind is Kind.REFERENCE and value is not None:
            columns[name] = _referred(tx, use, value)
        elif use.kind is Kind.LOCALIZED:
            columns[name] = value if isinstance(value, dict) else {DEFAULT_LANGUAGE: value}
        else:
            columns[name] = _simple(item, name, value)
    return columns


def _referred(tx: Transaction, use: Use, key: str) -> int:
    """The primary key of the item a user names; an owner is looked for among units, consumers, contact persons."""
    kinds = OWNERS if use.target == ANY else (use.target,)
    for kind in kinds:
        item = FULL.items[kind]
        fits = len(split_key(key)) == sum(other.kind is not Kind.REFERENCE for other in item.keys)
        found = database.find(tx.db, kind, key_values(item, key)) if fits else None
        if found is not None:
            return int(found["pk"])
    raise KeyError(f"{' or '.join(kinds)} {key}")


def _simple(item: Item, name: str, value: Any) -> Any:
    try:
        return checked(item.uses[name].attribute, item.type, value)
    except errors.Refused as refused:
        raise ValueError(refused.message) from refused
