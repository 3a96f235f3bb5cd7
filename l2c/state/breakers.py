"""The circuit breaker and the rate of each system, shared by every process: one row a system."""

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select, update

from l2c.state.sql import insert_missing
from l2c.state.tables import gate as table

CLOSED, OPEN, LOCKED = "closed", "open", "locked"


@dataclass(frozen=True, slots=True)
class Breaker:
    """How a system stands; times are milliseconds, None where they do not apply."""

    system: str
    state: str = CLOSED
    failed_reads: int = 0
    failed_writes: int = 0
    refused: int = 0
    since: int | None = None
    until: int | None = None
    wait: int = 0
    not_before: int | None = None
    reason: str = ""


_COLUMNS = tuple(Breaker.__dataclass_fields__)


def look(conn: Connection, system: str) -> Breaker:
    """How the system stands; one nothing is known of is well."""
    row = conn.execute(select(*(table.c[name] for name in _COLUMNS)).where(table.c.system == system)).first()
    return Breaker(*row) if row is not None else Breaker(system)


def standing(conn: Connection) -> dict[str, Breaker]:
    """Every system something is known of."""
    rows = conn.execute(select(*(table.c[name] for name in _COLUMNS)).order_by(table.c.system))
    return {row[0]: Breaker(*row) for row in rows}


def count_failure(conn: Connection, system: str, *, write: bool) -> Breaker:
    """One more request in a row without a usable answer; how the system stands now."""
    column = table.c.failed_writes if write else table.c.failed_reads
    _change(conn, system, {column.name: column + 1})
    return look(conn, system)


def count_refusal(conn: Connection, system: str) -> Breaker:
    """One more login refused in a row."""
    _change(conn, system, {"refused": table.c.refused + 1})
    return look(conn, system)


def answered(conn: Connection, system: str, *, write: bool) -> Breaker:
    """The system answered: what was counted for this kind of request begins anew, and its login is good."""
    column = table.c.failed_writes if write else table.c.failed_reads
    _change(conn, system, {column.name: 0, "refused": 0})
    return look(conn, system)


def open_until(conn: Connection, system: str, until: int, wait: int, reason: str, now: int) -> None:
    """Open it, or keep it open until then; a locked one stays locked."""
    row = _row(conn, system)
    since = row["since"] if row["state"] == OPEN else now
    values = {"state": OPEN, "since": since, "until": until, "wait": wait, "reason": reason}
    conn.execute(update(table).where(table.c.system == system, table.c.state != LOCKED).values(**values))


def lock(conn: Connection, system: str, reason: str, now: int) -> None:
    """Let nothing through until somebody says so."""
    _change(conn, system, {"state": LOCKED, "since": now, "until": None, "reason": reason})


def close(conn: Connection, system: str) -> bool:
    """Let everything through again, as if nothing had been; whether it was open or locked."""
    was = look(conn, system).state
    cleared = {"failed_reads": 0, "failed_writes": 0, "refused": 0, "wait": 0, "reason": ""}
    _change(conn, system, {"state": CLOSED, "since": None, "until": None, "not_before": None, **cleared})
    return was != CLOSED


def claim_try(conn: Connection, system: str, seen: Breaker, until: int) -> bool:
    """Be the one process that tries whether the system is back; the others wait until then."""
    t = table.c
    mine = (t.system == system, t.state == OPEN, t.until == seen.until)
    return conn.execute(update(table).where(*mine).values(until=until)).rowcount == 1


def wait_until(conn: Connection, system: str, moment: int) -> None:
    """Nothing goes out before then; an earlier moment does not shorten a wait."""
    row = _row(conn, system)
    if row["not_before"] is None or row["not_before"] < moment:
        _change(conn, system, {"not_before": moment})


def take_turns(conn: Connection, system: str, now_us: int, interval_us: int, count: int) -> int:
    """Take the next `count` turns of the system's rate for this process; when the first of them is, in microseconds."""
    first = max(int(_row(conn, system)["free_at"]), now_us)
    _change(conn, system, {"free_at": first + count * interval_us})
    return first


def _row(conn: Connection, system: str) -> RowMapping:
    """The system's row, made where there is none, locked until the transaction ends."""
    query = select(table).where(table.c.system == system).with_for_update()
    row = conn.execute(query).mappings().first()
    if row is None:
        numbers = dict.fromkeys(("failed_reads", "failed_writes", "refused", "wait", "free_at"), 0)
        insert_missing(conn, table, [{"system": system, "state": CLOSED, **numbers}])
        row = conn.execute(query).mappings().one()
    return row


def _change(conn: Connection, system: str, values: dict[str, object]) -> None:
    _row(conn, system)
    conn.execute(update(table).where(table.c.system == system).values(**values))
