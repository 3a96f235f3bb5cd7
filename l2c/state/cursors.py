"""Where a capture resumes in its system and a distribution in the journal; and the keys waiting to be fetched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, delete, func, select

from l2c.state.sql import insert_into, upsert
from l2c.state.tables import cursor, inbox


def get_cursor(conn: Connection, entity: str, system: str, kind: str, partition: str = "") -> str | None:
    """The stored cursor; None when there is none yet."""
    c = cursor.c
    return conn.execute(
        select(c.value).where(c.entity == entity, c.system == system, c.kind == kind, c.partition == partition)
    ).scalar()


def places(conn: Connection, system: str, kind: str, partition: str) -> list[tuple[str, str]]:
    """Entity and value of the cursors of one kind and partition."""
    c = cursor.c
    query = select(c.entity, c.value).where(c.system == system, c.kind == kind, c.partition == partition)
    return [(row[0], row[1]) for row in conn.execute(query)]


def drop_old(conn: Connection, kind: str, before: int) -> None:
    """Forget the cursors of one kind that were last moved before that."""
    conn.execute(delete(cursor).where(cursor.c.kind == kind, cursor.c.moved < before))


def set_cursor(
    conn: Connection, entity: str, system: str, kind: str, value: str, now: int, *, partition: str = ""
) -> None:
    """Move the cursor."""
    row = {"entity": entity, "system": system, "kind": kind, "partition": partition, "value": value, "moved": now}
    upsert(conn, cursor, [row])


def drop_cursor(conn: Connection, entity: str, system: str, kind: str, partition: str) -> None:
    """Forget the cursor of one partition."""
    c = cursor.c
    conn.execute(delete(cursor).where(c.entity == entity, c.system == system, c.kind == kind, c.partition == partition))


def drop_cursors(conn: Connection, entity: str, system: str, kind: str) -> None:
    """Forget the cursors of one kind, with all partitions."""
    c = cursor.c
    conn.execute(delete(cursor).where(c.entity == entity, c.system == system, c.kind == kind))


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A key to fetch."""

    id: int
    native_key: str
    reason: str
    received: int


def put_inbox(conn: Connection, entity: str, system: str, keys: Iterable[str], reason: str, now: int) -> int:
    """Ask for these keys to be fetched; a key already asked for stays one entry, as of now."""
    rows = [
        {"entity": entity, "system": system, "native_key": key, "reason": reason, "received": now}
        for key in dict.fromkeys(keys)
    ]
    if not rows:
        return 0
    insert = insert_into(conn.dialect, inbox)
    given, stored = insert.excluded.received, inbox.c.received
    later = case((given > stored, given), else_=stored + 1)  # a new value: an entry being fetched must not end with it
    changed = {"reason": insert.excluded.reason, "received": later}
    conn.execute(insert.on_conflict_do_update(index_elements=["entity", "system", "native_key"], set_=changed), rows)
    return len(rows)


def take_inbox(conn: Connection, entity: str, system: str, limit: int, after: int = 0) -> list[InboxEntry]:
    """The oldest entries behind `after`; they stay until `done_inbox` in the transaction that settles what was fetched."""
    c = inbox.c
    rows = conn.execute(
        select(c.id, c.native_key, c.reason, c.received)
        .where(c.entity == entity, c.system == system, c.id > after)
        .order_by(c.id)
        .limit(limit)
    )
    return [InboxEntry(*row) for row in rows]


def done_inbox(conn: Connection, entries: Sequence[InboxEntry]) -> None:
    """Remove entries that were fetched, unless they were asked for again meanwhile."""
    if not entries:
        return
    gone = delete(inbox).where(inbox.c.id == bindparam("entry"), inbox.c.received == bindparam("as_of"))
    conn.execute(gone, [{"entry": entry.id, "as_of": entry.received} for entry in entries])


def inbox_size(conn: Connection, entity: str, system: str) -> int:
    """How many keys wait to be fetched."""
    query = select(func.count()).select_from(inbox).where(inbox.c.entity == entity, inbox.c.system == system)
    return int(conn.execute(query).scalar_one())
