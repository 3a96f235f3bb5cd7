"""The journal of canonical changes, the heads of records and the views of systems."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from l2c.state.sql import insert_missing, insert_rows, upsert_rows
from l2c.state.tables import journal, key_mapping, record, stream, view

JSON = "json"
_ENTRY = (
    *("entity", "origin", "run", "at", "mapping", "codec"),
    *("seq", "record", "previous", "kind", "changed_at", "hash", "payload"),
)
_HEAD = ("entity", "record", "head_seq", "hash", "origin", "deleted")
_VIEW = ("entity", "system", "record", "hash", "payload", "etag", "changed_at", "read_at")
_shown = itemgetter(*_VIEW[2:])


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows of a native key: its record, head, and the system's view of it."""

    record: int
    head_seq: int
    head_hash: bytes
    deleted: bool
    view_hash: bytes | None
    view_read_at: int | None
    etag: str | None
    origin: str
    merged_into: int | None
    view_changed_at: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What a system last showed of a record; `payload` None where it equals the head."""

    hash: bytes
    payload: bytes | None
    etag: str | None


@dataclass(slots=True)
class Entry:
    """One journal entry to append; `record` is 0 for a birth until a number is given."""

    native_key: str
    record: int
    kind: str
    hash: bytes
    payload: bytes
    changed_at: int | None = None
    previous: int | None = None
    seq: int = 0
    born: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A record's newest state, as a distribution reads it."""

    record: int
    seq: int
    deleted: bool
    merged_into: int | None
    origin: str
    hash: bytes
    payload: bytes


def lock(conn: Connection, entity: str) -> None:
    """Take the entity's stream row: appends of one entity happen one after the other, numbers become visible in order."""
    found = conn.execute(select(stream.c.seq).where(stream.c.entity == entity).with_for_update()).scalar()
    if found is None:
        insert_missing(conn, stream, [{"entity": entity, "seq": 0, "records": 0}])
        conn.execute(select(stream.c.seq).where(stream.c.entity == entity).with_for_update()).scalar_one()


def last_seq(conn: Connection, entity: str) -> int:
    """The newest sequence number of the entity; 0 when its journal is empty."""
    return int(conn.execute(select(stream.c.seq).where(stream.c.entity == entity)).scalar() or 0)


def known(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> dict[str, Known]:
    """What the hub knows of these native keys (the record's own key, path '')."""
    k, r, v = key_mapping.c, record.c, view.c
    joined = key_mapping.join(record, and_(r.entity == k.entity, r.record == k.record)).outerjoin(
        view, and_(v.entity == k.entity, v.record == k.record, v.system == system)
    )
    query = (
        select(
            k.native_key,
            k.record,
            r.head_seq,
            r.hash,
            r.deleted,
            v.hash,
            v.read_at,
            v.etag,
            r.origin,
            r.merged_into,
            v.changed_at,
        )
        .select_from(joined)
        .where(k.entity == entity, k.system == system, k.path == "", k.native_key.in_(keys))
    )
    rows: Any = conn.execute(query)
    return {row[0]: Known(*row[1:]) for row in rows}


def known_records(conn: Connection, entity: str, system: str, records: Sequence[int]) -> dict[int, Known]:
    """What the hub knows of these records, whether or not the system has a key of theirs."""
    r, v = record.c, view.c
    joined = record.outerjoin(view, and_(v.entity == r.entity, v.record == r.record, v.system == system))
    query = (
        select(r.record, r.head_seq, r.hash, r.deleted, v.hash, v.read_at, v.etag, r.origin, r.merged_into)
        .select_from(joined)
        .where(r.entity == entity, r.record.in_(records))
    )
    return {row[0]: Known(*row) for row in conn.execute(query).all()}


def append(
    conn: Connection, entity: str, entries: Sequence[Entry], *, origin: str, run: int, mapping: str, now: int
) -> int:
    """Append entries under the stream lock, give births their record number, move the heads; returns the last number."""
    if not entries:
        return last_seq(conn, entity)
    births = [entry for entry in entries if entry.born]
    seq, records = conn.execute(
        update(stream)
        .where(stream.c.entity == entity)
        .values(seq=stream.c.seq + len(entries), records=stream.c.records + len(births))
        .returning(stream.c.seq, stream.c.records)
    ).one()
    number = records - len(births)
    for offset, entry in enumerate(entries):
        entry.seq = seq - len(entries) + offset + 1
        if entry.born:
            number += 1
            entry.record = number
    common = (entity, origin, run, now, mapping, JSON)
    rows = [(*common, e.seq, e.record, e.previous, e.kind, e.changed_at, e.hash, e.payload) for e in entries]
    insert_rows(conn, journal, _ENTRY, rows)
    _move_heads(conn, entity, entries, origin)
    return int(seq)


def _move_heads(conn: Connection, entity: str, entries: Sequence[Entry], origin: str) -> None:
    births = [entry for entry in entries if entry.born]
    heads = [(entity, e.record, e.seq, e.hash, origin, e.kind == "delete") for e in births]
    insert_rows(conn, record, _HEAD, heads)
    moves = [entry for entry in entries if not entry.born]
    if moves:
        where = and_(record.c.entity == entity, record.c.record == bindparam("number"))
        values: dict[str, Any] = {
            "head_seq": bindparam("to_seq"),
            "hash": bindparam("to_hash"),
            "deleted": bindparam("gone"),
        }
        conn.execute(
            update(record).where(where).values(values),
            [{"number": e.record, "to_seq": e.seq, "to_hash": e.hash, "gone": e.kind == "delete"} for e in moves],
        )


def set_views(conn: Connection, entity: str, system: str, rows: Sequence[dict[str, Any]]) -> None:
    """Store what the system showed: rows of record, hash, payload (None: equals the head), etag, changed_at, read_at."""
    place = (entity, system)
    upsert_rows(conn, view, _VIEW, [place + _shown(row) for row in rows])


def keep_views(conn: Connection, entity: str, system: str, records: Sequence[int]) -> None:
    """Before these heads move: store what other systems show of them where so far it equalled the head."""
    v, r, j = view.c, record.c, journal.c
    head = (
        select(j.payload)
        .select_from(journal.join(record, and_(r.entity == j.entity, r.head_seq == j.seq)))
        .where(r.entity == v.entity, r.record == v.record)
        .scalar_subquery()
    )
    where = and_(v.entity == entity, v.record.in_(records), v.system != system, v.payload.is_(None))
    conn.execute(update(view).where(where).values(payload=head))


def drop_views(conn: Connection, entity: str, system: str, records: Sequence[int]) -> None:
    """Forget what the system showed of records it no longer has."""
    v = view.c
    conn.execute(view.delete().where(v.entity == entity, v.system == system, v.record.in_(records)))


def merge_records(conn: Connection, entity: str, merged: Mapping[int, int]) -> None:
    """Note which record each of these was merged into."""
    where = and_(record.c.entity == entity, record.c.record == bindparam("loser"))
    conn.execute(
        update(record).where(where).values(merged_into=bindparam("winner")),
        [{"loser": loser, "winner": winner} for loser, winner in merged.items()],
    )


def part_records(conn: Connection, entity: str, records: Sequence[int]) -> None:
    """Note that these records are records of their own again."""
    where = and_(record.c.entity == entity, record.c.record.in_(records))
    conn.execute(update(record).where(where).values(merged_into=None))


def views_of(conn: Connection, entity: str, system: str, records: Sequence[int]) -> dict[int, View]:
    """The system's views of these records."""
    if not records:
        return {}
    v = view.c
    query = select(v.record, v.hash, v.payload, v.etag).where(
        v.entity == entity, v.system == system, v.record.in_(records)
    )
    return {row[0]: View(*row[1:]) for row in conn.execute(query).all()}


def payloads(conn: Connection, entity: str, numbers: Iterable[int]) -> dict[int, bytes]:
    """The payloads of these sequence numbers; those purged are missing."""
    wanted = list(numbers)
    if not wanted:
        return {}
    query = select(journal.c.seq, journal.c.payload).where(journal.c.entity == entity, journal.c.seq.in_(wanted))
    return {row[0]: row[1] for row in conn.execute(query).all()}


def chain(conn: Connection, entity: str, seq: int, until: int | None, limit: int = 50) -> list[bytes]:
    """Payloads of one record from entry `seq` back to, but not with, entry `until`; newest first, those purged end it."""
    found: list[bytes] = []
    at: int | None = seq
    while at is not None and at != until and len(found) < limit:
        query = select(journal.c.previous, journal.c.payload).where(journal.c.entity == entity, journal.c.seq == at)
        row = conn.execute(query).first()
        if row is None:
            break
        at = row[0]
        found.append(row[1])
    return found


def view_payloads(conn: Connection, entity: str, system: str, records: Sequence[int]) -> dict[int, bytes | None]:
    """What the system last showed of these records; None where it equals the head."""
    if not records:
        return {}
    v = view.c
    query = select(v.record, v.payload).where(v.entity == entity, v.system == system, v.record.in_(records))
    return {row[0]: row[1] for row in conn.execute(query).all()}


def heads_after(conn: Connection, entity: str, seq: int, limit: int) -> list[Head]:
    """The heads whose newest entry comes after `seq`, in order: older entries of the same records are superseded."""
    return _heads(conn, entity, record.c.head_seq > seq, limit)


def heads_of(conn: Connection, entity: str, records: Sequence[int]) -> list[Head]:
    """The heads of these records, in order."""
    return _heads(conn, entity, record.c.record.in_(records), None) if records else []


def _heads(conn: Connection, entity: str, condition: Any, limit: int | None) -> list[Head]:
    r, j = record.c, journal.c
    query = (
        select(r.record, r.head_seq, r.deleted, r.merged_into, j.origin, j.hash, j.payload)
        .select_from(record.join(journal, and_(j.entity == r.entity, j.seq == r.head_seq)))
        .where(r.entity == entity, condition)
        .order_by(r.head_seq)
    )
    if limit is not None:
        query = query.limit(limit)
    return [Head(*row) for row in conn.execute(query).all()]


def history(conn: Connection, entity: str, number: int, limit: int = 20) -> list[dict[str, Any]]:
    """The newest entries of one record, without their payloads; those purged end the list."""
    j = journal.c
    seq = conn.execute(select(record.c.head_seq).where(record.c.entity == entity, record.c.record == number)).scalar()
    found: list[dict[str, Any]] = []
    while seq is not None and len(found) < limit:
        query = select(j.seq, j.previous, j.kind, j.origin, j.run, j.at, j.changed_at, j.mapping)
        row = conn.execute(query.where(j.entity == entity, j.seq == seq)).mappings().first()
        if row is None:
            break
        found.append(dict(row))
        seq = row["previous"]
    return found
