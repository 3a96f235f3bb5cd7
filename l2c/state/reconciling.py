"""What a reconciliation reads of the state: keys, views, and why a key may be out of step."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from l2c.state.results import CAPTURE
from l2c.state.tables import candidate, dead_letter, inbox, key_mapping, record, view


@dataclass(frozen=True, slots=True)
class View:
    """What a system last showed of a record, as a hash, and when the read that showed it began."""

    hash: bytes
    read_at: int


def linked(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> dict[str, int]:
    """The record each of these native keys belongs to."""
    k = key_mapping.c
    query = select(k.native_key, k.record).where(
        k.entity == entity, k.system == system, k.path == "", k.native_key.in_(keys)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def views(conn: Connection, entity: str, system: str, records: Sequence[int]) -> dict[int, View]:
    """The system's views of these records."""
    v = view.c
    query = select(v.record, v.hash, v.read_at).where(v.entity == entity, v.system == system, v.record.in_(records))
    return {row[0]: View(row[1], row[2]) for row in conn.execute(query)}


def records_after(conn: Connection, entity: str, number: int, limit: int) -> list[int]:
    """The next records by number."""
    r = record.c
    query = select(r.record).where(r.entity == entity, r.record > number).order_by(r.record).limit(limit)
    return list(conn.execute(query).scalars())


def without_key(conn: Connection, entity: str, system: str) -> dict[bytes, int]:
    """Records which the system has shown and which have no key there any more, by the hash of what it showed."""
    v, k = view.c, key_mapping.c
    joined = view.outerjoin(
        key_mapping,
        and_(k.entity == v.entity, k.record == v.record, k.system == v.system, k.path == ""),
    )
    query = (
        select(v.hash, v.record)
        .select_from(joined)
        .where(v.entity == entity, v.system == system, k.native_key.is_(None))
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def asked_for(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> set[str]:
    """Which of these native keys wait in the inbox to be fetched."""
    c = inbox.c
    query = select(c.native_key).where(c.entity == entity, c.system == system, c.native_key.in_(keys))
    return set(conn.execute(query).scalars())


def set_aside(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> dict[str, str]:
    """The code of the dead letter under which a capture set each of these native keys aside."""
    d = dead_letter.c
    query = select(d.native_key, d.code).where(
        d.entity == entity, d.system == system, d.direction == CAPTURE, d.native_key.in_(keys)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def held(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> dict[str, str]:
    """The state of those native keys that may be records the hub knows already, and wait for that to be decided."""
    c = candidate.c
    query = select(c.native_key, c.state).where(c.entity == entity, c.system == system, c.native_key.in_(keys))
    return {row[0]: row[1] for row in conn.execute(query)}


def origins(conn: Connection, entity: str, records: Sequence[int]) -> dict[int, str]:
    """The system of birth of these records."""
    r = record.c
    query = select(r.record, r.origin).where(r.entity == entity, r.record.in_(records))
    return {row[0]: row[1] for row in conn.execute(query)}
