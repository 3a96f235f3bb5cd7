"""What people change of the key mapping, and what of the state follows."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, and_, case, exists, or_, select, update

from l2c.state import journal, keys
from l2c.state.distributions import UNDECIDED
from l2c.state.journal import Entry, Head
from l2c.state.tables import distribution, key_mapping
from l2c.state.tables import record as record_table

CHUNK = 5000  # values of one `IN`: every driver has a limit


def numbers_of(conn: Connection, entity: str, name: str) -> set[int]:
    """The records a name may mean: `#12`, `system:native key`, or a native key in whatever system."""
    number = name.removeprefix("#")
    if name.startswith("#") and number.isdigit():
        return {int(number)} if journal.heads_of(conn, entity, [int(number)]) else set()
    k = key_mapping.c
    query = select(k.record).where(k.entity == entity, k.path == "")
    found = set(conn.execute(query.where(k.native_key == name)).scalars())
    system, colon, key = name.partition(":")
    if colon and not found:
        found = set(conn.execute(query.where(k.system == system, k.native_key == key)).scalars())
    return found


def keys_of(conn: Connection, entity: str, records: Sequence[int]) -> dict[int, dict[str, str]]:
    """Of each record: its native key by system."""
    found: dict[int, dict[str, str]] = {}
    k = key_mapping.c
    for part in chunks(records):
        query = select(k.record, k.system, k.native_key).where(k.entity == entity, k.path == "", k.record.in_(part))
        for record, system, key in conn.execute(query.order_by(k.record, k.system, k.native_key)):
            found.setdefault(record, {}).setdefault(system, key)
    return found


def heads_without_key(conn: Connection, entity: str, system: str, after: int, limit: int) -> list[Head]:
    """Living records behind `after` that have no native key in that system, in the order of their numbers."""
    r, k = record_table.c, key_mapping.c
    linked = exists(
        select(k.record).where(k.entity == r.entity, k.record == r.record, k.system == system, k.path == "")
    )
    query = select(r.record).where(r.entity == entity, r.record > after, ~r.deleted, r.merged_into.is_(None), ~linked)
    numbers = list(conn.execute(query.order_by(r.record).limit(limit)).scalars())
    return sorted(journal.heads_of(conn, entity, numbers), key=attrgetter("record"))


def wake_undecided(conn: Connection, entity: str, target: str, records: Sequence[int], now: int) -> None:
    """Look again at records that wait for the decision on a match."""
    d = distribution.c
    for part in chunks(records):
        where = and_(d.entity == entity, d.target == target, d.record.in_(part), d.waiting_for == UNDECIDED)
        conn.execute(update(distribution).where(where).values(due_at=now))


def forget_written(conn: Connection, entity: str, target: str, record: int, now: int) -> None:
    """The target has nothing of this record any more, which makes it due."""
    d = distribution.c
    where = and_(d.entity == entity, d.target == target, d.record == record)
    conn.execute(update(distribution).where(where).values(hash=None, written_seq=None, due_at=now))


def move_key(conn: Connection, entity: str, system: str, key: str, old: int, new: int) -> bool:
    """Give a native key, and what hangs on it, to another record; True where `old` has no other key in that system.

    While it has one, only the key itself moves: of its other keys and elements nobody knows whose they are.
    """
    k = key_mapping.c
    here = and_(k.entity == entity, k.system == system, k.record == old)
    others = select(k.native_key).where(here, k.path == "", k.native_key != key).limit(1)
    alone = conn.execute(others).first() is None
    where = here if alone else and_(here, k.path == "", k.native_key == key)
    conn.execute(update(key_mapping).where(where).values(record=new))
    return alone


def has_keys(conn: Connection, entity: str, record: int) -> bool:
    """Whether any system has a key of this record."""
    return bool(keys_of(conn, entity, [record]))


def merge_into(conn: Connection, entity: str, loser: Head, winner: int, *, system: str, now: int) -> None:
    """A record of which no system has a key is a part of another one from now on."""
    entry = Entry(f"#{loser.record}", loser.record, "merge", loser.hash, loser.payload, None, loser.seq)
    journal.append(conn, entity, [entry], origin=system, run=0, mapping="", now=now)
    journal.merge_records(conn, entity, {loser.record: winner})


def gone(conn: Connection, entity: str, records: Sequence[int]) -> set[int]:
    """Those of these records that are deleted or merged."""
    r, found = record_table.c, set[int]()
    for part in chunks(records):
        query = select(r.record).where(
            r.entity == entity, r.record.in_(part), or_(r.deleted, r.merged_into.is_not(None))
        )
        found.update(conn.execute(query).scalars())
    return found


def records_of(conn: Connection, entity: str, system: str, native_keys: Sequence[str]) -> dict[str, int]:
    """The record each of these native keys belongs to, where there is one; any number of keys."""
    found: dict[str, int] = {}
    for part in chunks(native_keys):
        found.update(keys.records_of(conn, entity, system, part))
    return found


def rows(conn: Connection, entity: str, systems: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The native keys of every record, a row each, in the order of `systems`; a second key of a system makes a second row."""
    k = key_mapping.c
    query = select(k.record, k.system, k.native_key).where(k.entity == entity, k.path == "", k.system.in_(systems))
    ordered = conn.execution_options(yield_per=1000).execute(query.order_by(k.record, k.system, k.native_key))
    for _, group in groupby(ordered, itemgetter(0)):
        found: Mapping[str, list[str]] = {system: [] for system in systems}
        for _, system, key in group:
            found[system].append(key)
        yield from zip_longest(*found.values(), fillvalue="")


def swap_keys(conn: Connection, entity: str, system: str, one: int, other: int) -> None:
    """Two records exchange all they have of a system: native keys, other keys and elements."""
    k = key_mapping.c
    where = and_(k.entity == entity, k.system == system, k.record.in_([one, other]))
    conn.execute(update(key_mapping).where(where).values(record=case((k.record == one, other), else_=one)))


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts small enough for one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
