"""Messages systems sent to the hub, kept as received until they are understood and their retention is over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from l2c.state.store import from_ms
from l2c.state.tables import message as table

NEW, DONE, FAILED = "new", "done", "failed"  # the states of a message


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it was received."""

    id: int
    system: str
    headers: Mapping[str, str]
    body: bytes
    received: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as it is listed: without its body; `size` is in bytes, `detail` what became of it."""

    id: int
    system: str
    message_id: str | None
    received: datetime
    state: str
    detail: str
    size: int


def put(conn: Connection, system: str, headers: Mapping[str, str], body: bytes, now: int) -> int:
    """Keep a message as received; its number."""
    done = conn.execute(
        table.insert().values(
            system=system,
            headers=json.dumps(dict(headers), ensure_ascii=False),
            body=body,
            received=now,
            state=NEW,
            detail="",
        )
    )
    number = done.inserted_primary_key
    if number is None:  # every supported driver returns it
        raise RuntimeError("the database returned no message number")
    return int(number[0])


def next_new(conn: Connection, system: str, after: int) -> Stored | None:
    """The oldest message not worked off yet whose number is above `after`; one at a time, since a body may be large."""
    t = table.c
    row = conn.execute(
        select(t.id, t.headers, t.body, t.received)
        .where(t.state == NEW, t.system == system, t.id > after)
        .order_by(t.id)
        .limit(1)
    ).first()
    return Stored(row.id, system, json.loads(row.headers), row.body, row.received) if row is not None else None


def earlier(conn: Connection, system: str, message_id: str, than: int) -> int | None:
    """The number of another message of that system that was done under the same number of its sender."""
    t = table.c
    return conn.execute(select(t.id).where(t.system == system, t.message_id == message_id, t.id != than)).scalar()


def finish(conn: Connection, number: int, state: str, detail: str, message_id: str | None = None) -> bool:
    """Note what became of a new message; False when another process was first, and then nothing may follow from it."""
    values: dict[str, str] = {"state": state, "detail": detail}
    if message_id is not None:
        values["message_id"] = message_id
    t = table.c
    return conn.execute(update(table).where(t.id == number, t.state == NEW).values(**values)).rowcount == 1


def explain(conn: Connection, number: int, detail: str) -> None:
    """Say why a message is still new."""
    conn.execute(update(table).where(table.c.id == number, table.c.state == NEW).values(detail=detail))


def again(conn: Connection, system: str | None = None) -> int:
    """Make failed messages new, to be understood once more; how many."""
    query = update(table).where(table.c.state == FAILED)
    if system is not None:
        query = query.where(table.c.system == system)
    return conn.execute(query.values(state=NEW)).rowcount


def counts(conn: Connection) -> dict[str, dict[str, int]]:
    """By system, how many messages are new and how many failed; systems with neither are left out."""
    t = table.c
    query = select(t.system, t.state, func.count()).where(t.state.in_((NEW, FAILED))).group_by(t.system, t.state)
    found: dict[str, dict[str, int]] = {}
    for system, state, number in conn.execute(query):
        found.setdefault(system, {})[state] = number
    return found


def listed(
    conn: Connection, system: str | None = None, state: str | None = None, *, limit: int | None = 100
) -> list[MessageRow]:
    """Messages, newest first."""
    t = table.c
    query = select(t.id, t.system, t.message_id, t.received, t.state, t.detail, func.length(t.body))
    for column, value in ((t.system, system), (t.state, state)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(t.id.desc())
    rows = conn.execute(query.limit(limit) if limit is not None else query)
    return [MessageRow(*row[:3], from_ms(row[3]), *row[4:]) for row in rows]


def purge(conn: Connection, before: int) -> int:
    """Delete messages received before that and done with; new and failed ones stay."""
    return conn.execute(delete(table).where(table.c.state == DONE, table.c.received < before)).rowcount
