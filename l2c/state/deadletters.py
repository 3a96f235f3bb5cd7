"""Dead letters: records set aside with their reason, until someone or something redrives them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from l2c.errors import of_record
from l2c.state.decisions import TWO_HITS
from l2c.state.results import DISTRIBUTE, DeadLetter
from l2c.state.sql import insert_into
from l2c.state.store import from_ms
from l2c.state.tables import dead_letter as table

_SAY_THEMSELVES = frozenset({TWO_HITS, "too_large", "not_answered", "damaged"})  # what to do next
OPEN, REDRIVEN = "open", "redriven"


def put(
    conn: Connection, entity: str, system: str, direction: str, rows: Sequence[Mapping[str, Any]], *, run: int, now: int
) -> None:
    """Set records aside: rows of mapping, native_key, record, code, message, origin. One seen before counts one attempt more.

    `origin` is the system the record comes from, where it can be corrected.
    """
    if not rows:
        return
    common = {
        "entity": entity,
        "system": system,
        "direction": direction,
        "run": run,
        "since": now,
        "last": now,
        "state": OPEN,
        "attempts": 1,
    }
    insert = insert_into(conn.dialect, table)
    given = insert.excluded
    changed = {name: given[name] for name in ("record", "code", "message", "last", "run", "state")}
    changed["attempts"] = table.c.attempts + 1
    conn.execute(
        insert.on_conflict_do_update(
            index_elements=["entity", "system", "direction", "mapping", "native_key"], set_=changed
        ),
        [{**common, **_told(entity, system, row)} for row in rows],
    )


def _told(entity: str, system: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with a message that begins with flow and key and ends with what to do next."""
    stored = {name: value for name, value in row.items() if name != "origin"}
    message = str(row["message"])
    if not message.startswith(f"{entity} "):
        message = of_record(entity, row["native_key"]) + message
    return {**stored, "message": message + _next(row["code"], row["origin"], message, f"l2c redrive {entity} {system}")}


def _next(code: str, origin: str, message: str, again: str) -> str:
    if code in _SAY_THEMSELVES:
        return ""
    if code == "reference_missing":
        return f"; when that record is here: {again}"
    if message.endswith("]"):
        return f"; correct it in {origin} or that rule, then: {again}"
    return f"; correct it in {origin} or try it again: {again}"


def any_of(conn: Connection, entity: str, system: str, direction: str) -> bool:
    """Whether there is any dead letter of that place at all."""
    t = table.c
    query = select(t.id).where(t.entity == entity, t.system == system, t.direction == direction).limit(1)
    return conn.execute(query).scalar() is not None


def known(
    conn: Connection, entity: str, system: str, direction: str, mapping: str, keys: Sequence[str]
) -> frozenset[str]:
    """Of these native keys, those set aside already."""
    t = table.c
    place = (t.entity == entity, t.system == system, t.direction == direction, t.mapping == mapping)
    return frozenset(conn.execute(select(t.native_key).where(*place, t.native_key.in_(keys))).scalars())


def resolve(conn: Connection, entity: str, system: str, direction: str, mapping: str, keys: Iterable[str]) -> None:
    """The records passed: their dead letters are done with."""
    wanted = list(keys)
    if wanted:
        t = table.c
        conn.execute(
            delete(table).where(
                t.entity == entity,
                t.system == system,
                t.direction == direction,
                t.mapping == mapping,
                t.native_key.in_(wanted),
            )
        )


def resolve_records(conn: Connection, entity: str, target: str, records: Sequence[int]) -> None:
    """The records passed in that target: their dead letters are done with."""
    t = table.c
    conn.execute(
        delete(table).where(t.entity == entity, t.system == target, t.direction == DISTRIBUTE, t.record.in_(records))
    )


def select_open(
    conn: Connection,
    entity: str | None,
    system: str | None,
    *,
    key: str | None = None,
    limit: int | None = 100,
) -> list[DeadLetter]:
    """Dead letters, newest first; redriven ones are listed until they pass or fail again."""
    t = table.c
    query = select(table)
    for column, value in ((t.entity, entity), (t.system, system), (t.native_key, key)):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(t.last.desc(), t.id.desc())
    rows = conn.execute(query.limit(limit) if limit is not None else query).mappings()
    return [
        DeadLetter(
            id=row["id"],
            entity=row["entity"],
            system=row["system"],
            direction=row["direction"],
            mapping=row["mapping"],
            key=row["native_key"],
            record=row["record"],
            code=row["code"],
            message=row["message"],
            attempts=row["attempts"],
            since=from_ms(row["since"]),
            last=from_ms(row["last"]),
            state=row["state"],
        )
        for row in rows
    ]


def mark_redriven(conn: Connection, ids: Sequence[int]) -> None:
    """Note that these were made due again."""
    if ids:
        conn.execute(update(table).where(table.c.id.in_(ids)).values(state=REDRIVEN))


def count(conn: Connection, entity: str, system: str, direction: str) -> int:
    """How many stand in that place."""
    t = table.c
    query = (
        select(func.count()).select_from(table).where(t.entity == entity, t.system == system, t.direction == direction)
    )
    return int(conn.execute(query).scalar_one())
