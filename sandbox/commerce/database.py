"""Items in SQLite: one table a type, one column an attribute, references as primary keys of their targets.

A primary key tells the type, as the shop's own do: an address knows its owner by it, whatever the owner is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sandbox.commerce import regions
from sandbox.commerce.typesystem import LANGUAGES, MANY, STAMP, TYPES, Attribute, Kind
from sandbox.core import Transaction

Row = dict[str, Any]
COLUMN_TYPES = {
    Kind.STRING: "TEXT",
    Kind.LOCALIZED: "TEXT",
    Kind.BOOLEAN: "INTEGER",
    Kind.DATE: "INTEGER",
    Kind.REFERENCE: "INTEGER",
}
PER_TYPE = 10**12
"""Primary keys of the n-th type lie between n and n + 1 times this."""
INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS unit_uid ON B2BUnit (uid);
CREATE INDEX IF NOT EXISTS unit_modified ON B2BUnit (modifiedtime);
CREATE INDEX IF NOT EXISTS unit_number ON B2BUnit (l2cCustomerNumber);
CREATE INDEX IF NOT EXISTS b2b_customer_uid ON B2BCustomer (uid);
CREATE INDEX IF NOT EXISTS b2b_customer_unit ON B2BCustomer (defaultB2BUnit);
CREATE INDEX IF NOT EXISTS b2b_customer_modified ON B2BCustomer (modifiedtime);
CREATE INDEX IF NOT EXISTS customer_uid ON Customer (uid);
CREATE INDEX IF NOT EXISTS customer_modified ON Customer (modifiedtime);
CREATE INDEX IF NOT EXISTS address_key ON Address (publicKey);
CREATE INDEX IF NOT EXISTS address_owner ON Address (owner);
CREATE INDEX IF NOT EXISTS address_modified ON Address (modifiedtime);
CREATE UNIQUE INDEX IF NOT EXISTS region_key ON Region (isocode, country);
CREATE UNIQUE INDEX IF NOT EXISTS country_key ON Country (isocode);
CREATE TABLE IF NOT EXISTS link (kind TEXT, source INTEGER, target INTEGER, PRIMARY KEY (kind, source, target)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, expires_at REAL NOT NULL);
"""


def columns(kind: str) -> list[Attribute]:
    """The attributes of a type that are columns of its own table, the stamp last."""
    return [a for a in TYPES[kind] if a.kind not in MANY and a.name != STAMP]


def schema() -> str:
    """Statements that create every table; times are milliseconds since 1970."""
    made = []
    for kind in TYPES:
        fields = ", ".join(f"{a.name} {COLUMN_TYPES[a.kind]}" for a in columns(kind))
        made.append(
            f"CREATE TABLE IF NOT EXISTS {kind} (pk INTEGER PRIMARY KEY AUTOINCREMENT, {fields}, modifiedtime INTEGER NOT NULL);"
        )
    return "\n".join(made) + INDEXES


def load_first(tx: Transaction) -> None:
    """Countries, languages, titles and groups of a new shop; does nothing in one that has countries."""
    if tx.db.execute("SELECT 1 FROM Country LIMIT 1").fetchone():
        return
    firsts = [(kind, number * PER_TYPE) for number, kind in enumerate(TYPES)]
    tx.db.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", firsts)
    for code in regions.COUNTRIES.split():
        insert(tx, "Country", {"isocode": code})
    for country, codes in regions.REGIONS.items():
        owner = find(tx.db, "Country", {"isocode": country})
        for code in codes.split():
            insert(tx, "Region", {"isocode": f"{country}-{code}", "country": owner and owner["pk"]})
    for kind, attribute, codes in (
        ("Language", "isocode", LANGUAGES),
        ("Title", "code", regions.TITLES),
        ("Gender", "code", regions.GENDERS),
        ("UserGroup", "uid", regions.USER_GROUPS),
        ("UserPriceGroup", "code", regions.PRICE_GROUPS),
        ("UserDiscountGroup", "code", regions.DISCOUNT_GROUPS),
    ):
        for code in codes:
            insert(tx, kind, {attribute: code})


def now_ms(tx: Transaction) -> int:
    """The system's time in milliseconds."""
    return int(tx.clock.now().timestamp() * 1000)


def rows(db: sqlite3.Connection, kind: str, where: str = "", values: Sequence[Any] = ()) -> Iterator[Row]:
    """Items as dictionaries, booleans as such; `where` is everything behind the table's name."""
    cursor = db.execute(f"SELECT t.* FROM {kind} t {where}", values)
    names = [column[0] for column in cursor.description]
    flags, localized = _named(kind, Kind.BOOLEAN), _named(kind, Kind.LOCALIZED)
    for found in cursor:
        row = dict(zip(names, found, strict=True))
        for name in flags:
            if row[name] is not None:
                row[name] = bool(row[name])
        for name in localized:
            row[name] = json.loads(row[name] or "{}")
        yield row


@cache
def _named(kind: str, of: Kind) -> tuple[str, ...]:
    """The attributes of a type that hold one kind of value."""
    return tuple(a.name for a in TYPES[kind] if a.kind is of)


def kind_of(pk: int) -> str:
    """The type of the item with this primary key."""
    return tuple(TYPES)[pk // PER_TYPE]


def one(db: sqlite3.Connection, kind: str, pk: int | None) -> Row | None:
    """The item with this primary key."""
    return None if pk is None else next(rows(db, kind, "WHERE pk = ?", (pk,)), None)


def find(db: sqlite3.Connection, kind: str, values: Row) -> Row | None:
    """The first item whose attributes have these values; None is a value too."""
    where = " AND ".join(f"t.{name} IS ?" for name in values)
    return next(rows(db, kind, f"WHERE {where} ORDER BY pk LIMIT 1", tuple(values.values())), None)


def children(db: sqlite3.Connection, kind: str, attribute: Attribute, pk: int) -> Iterator[Row]:
    """The items in a collection of one item of type `kind`."""
    if attribute.kind is Kind.CHILDREN:
        return rows(db, attribute.target, "WHERE owner = ? ORDER BY pk", (pk,))
    joined = "JOIN link ON link.kind = ? AND link.source = ? AND link.target = t.pk ORDER BY t.pk"
    return rows(db, attribute.target, joined, (_relation(kind, attribute), pk))


def insert(tx: Transaction, kind: str, values: Row) -> int:
    """Store a new item, answer its primary key; its stamp is now, unless the values have one."""
    stored = {STAMP: now_ms(tx), **_stored(kind, values)}
    names = ", ".join(stored)
    cursor = tx.db.execute(
        f"INSERT INTO {kind} ({names}) VALUES ({', '.join('?' * len(stored))})", tuple(stored.values())
    )
    return int(cursor.lastrowid or 0)


def update(tx: Transaction, kind: str, pk: int, values: Row) -> None:
    """Change attributes of an item and move its stamp to now, by a millisecond if it is there already."""
    stored, now = _stored(kind, values), now_ms(tx)
    names = "".join(f"{name} = ?, " for name in stored)
    sql = f"UPDATE {kind} SET {names}modifiedtime = ? + (modifiedtime = ?) WHERE pk = ?"
    tx.db.execute(sql, (*stored.values(), now, now, pk))


def link(tx: Transaction, kind: str, attribute: Attribute, source: int, targets: set[int]) -> bool:
    """Let a relation of an item of type `kind` hold just these targets; whether anything changed."""
    name = _relation(kind, attribute)
    before = {row["pk"] for row in children(tx.db, kind, attribute, source)}
    tx.db.executemany(
        "DELETE FROM link WHERE kind = ? AND source = ? AND target = ?", [(name, source, pk) for pk in before - targets]
    )
    tx.db.executemany("INSERT INTO link VALUES (?, ?, ?)", [(name, source, pk) for pk in targets - before])
    return before != targets


def delete(tx: Transaction, kind: str, pk: int) -> None:
    """Remove one item and its relations; its children are the caller's to remove first."""
    tx.db.execute("DELETE FROM link WHERE kind LIKE ? AND source = ?", (f"{kind}.%", pk))
    tx.db.execute(f"DELETE FROM {kind} WHERE pk = ?", (pk,))


def _relation(kind: str, attribute: Attribute) -> str:
    return f"{kind}.{attribute.name}"


def _stored(kind: str, values: Row) -> Row:
    localized = _named(kind, Kind.LOCALIZED)
    return {
        name: json.dumps(value, ensure_ascii=False, sort_keys=True) if name in localized else value
        for name, value in values.items()
    }
