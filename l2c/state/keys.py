"""Key mappings: which native keys in which systems belong to one canonical record."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from l2c.state.results import KeyRow
from l2c.state.sql import insert_missing_rows, upsert
from l2c.state.tables import key_mapping
from l2c.state.tables import record as record_table

_KEY = ("entity", "system", "path", "native_key", "record", "element")


def add_keys(conn: Connection, entity: str, system: str, rows: Iterable[tuple[str, str, int]]) -> None:
    """Link (path, native key, record); a key that is linked already stays where it is."""
    insert_missing_rows(
        conn, key_mapping, _KEY, [(entity, system, path, key, record, "") for path, key, record in rows]
    )


def add_elements(conn: Connection, entity: str, system: str, rows: Iterable[tuple[str, str, int, str]]) -> None:
    """Link list elements: (path, native key, record, our key of the element)."""
    upsert(
        conn,
        key_mapping,
        [
            {"entity": entity, "system": system, "path": path, "native_key": key, "record": record, "element": element}
            for path, key, record, element in rows
        ],
    )


def native_keys(conn: Connection, entity: str, system: str, records: Sequence[int]) -> dict[int, str]:
    """The native key of each record in that system, where it has one."""
    if not records:
        return {}
    k = key_mapping.c
    query = select(k.record, k.native_key).where(
        k.entity == entity, k.system == system, k.path == "", k.record.in_(records)
    )
    return {row[0]: row[1] for row in conn.execute(query).all()}


def elements_under(
    conn: Connection, entity: str, system: str, path: str, records: Sequence[int]
) -> dict[int, dict[str, str]]:
    """Of these records the native keys of their elements under a path, by our key of the element."""
    k = key_mapping.c
    query = select(k.record, k.element, k.native_key).where(
        k.entity == entity, k.system == system, k.path == path, k.record.in_(records)
    )
    found: dict[int, dict[str, str]] = {}
    for record, element, key in conn.execute(query):
        found.setdefault(record, {})[element] = key
    return found


def element_owners(
    conn: Connection, entity: str, system: str, path: str, native_keys: Sequence[str]
) -> dict[str, tuple[int, str]]:
    """The record and element each of these native keys under a path belongs to."""
    k = key_mapping.c
    query = select(k.native_key, k.record, k.element).where(
        k.entity == entity, k.system == system, k.path == path, k.native_key.in_(native_keys)
    )
    return {row[0]: (row[1], row[2]) for row in conn.execute(query)}


def keys_under(conn: Connection, entity: str, system: str, paths: Sequence[str]) -> dict[str, list[str]]:
    """The native keys of living records under each of these paths."""
    k, r = key_mapping.c, record_table.c
    found: dict[str, list[str]] = {}
    if paths:
        query = (
            select(k.path, k.native_key)
            .select_from(key_mapping.join(record_table, and_(r.entity == k.entity, r.record == k.record)))
            .where(k.entity == entity, k.system == system, k.path.in_(paths), r.deleted.is_(False))
        )
        for path, key in conn.execute(query):
            found.setdefault(path, []).append(key)
    return found


def count_records(conn: Connection, entity: str, system: str) -> int:
    """How many records have a key in that system."""
    k = key_mapping.c
    query = select(func.count()).where(k.entity == entity, k.system == system, k.path == "")
    return int(conn.execute(query).scalar_one())


def records_of(conn: Connection, entity: str, system: str, native_keys: Sequence[str]) -> dict[str, int]:
    """The record each of these native keys belongs to, where there is one."""
    k = key_mapping.c
    query = select(k.native_key, k.record).where(
        k.entity == entity, k.system == system, k.path == "", k.native_key.in_(native_keys)
    )
    return {row[0]: row[1] for row in conn.execute(query).all()}


def key_of(conn: Connection, entity: str, system: str, path: str, record: int) -> str | None:
    """The key of a record in a system, by path."""
    k = key_mapping.c
    query = select(k.native_key).where(k.entity == entity, k.system == system, k.path == path, k.record == record)
    return conn.execute(query.order_by(k.native_key)).scalar()


def drop_keys(conn: Connection, entity: str, system: str, rows: Iterable[tuple[str, int]]) -> None:
    """Take back (native key, record) of creates that did not happen."""
    k = key_mapping.c
    for key, record in rows:
        where = and_(k.entity == entity, k.system == system, k.path == "", k.native_key == key, k.record == record)
        conn.execute(key_mapping.delete().where(where))


def find_record(conn: Connection, entity: str, system: str, path: str, native_key: str) -> int | None:
    """The record a native key belongs to."""
    k = key_mapping.c
    query = select(k.record).where(k.entity == entity, k.system == system, k.path == path, k.native_key == native_key)
    return conn.execute(query).scalar()


def list_keys(
    conn: Connection,
    entity: str,
    *,
    system: str | None = None,
    key: str | None = None,
    record: int | None = None,
    limit: int | None = 100,
) -> list[KeyRow]:
    """Key rows, by any of system, native key and record."""
    k = key_mapping.c
    query = select(k.entity, k.record, k.system, k.path, k.native_key, k.element).where(k.entity == entity)
    for column, value in ((k.system, system), (k.native_key, key), (k.record, record)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(k.record, k.system, k.path, k.native_key)
    rows: Sequence[Any] = conn.execute(query.limit(limit) if limit is not None else query).all()
    return [KeyRow(*row) for row in rows]
