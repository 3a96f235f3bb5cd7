"""Runs: what was planned, how far it is, how its records ended."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from l2c.state.results import RunSummary
from l2c.state.store import from_ms
from l2c.state.tables import run as table

ABANDONED = "abandoned: its process ended before it was settled; the next run went on from its last page"


def open_run(
    conn: Connection,
    entity: str,
    kind: str,
    system: str,
    *,
    partitions: Sequence[str],
    now: int,
    watch: str | None = None,
    mapping: str = "",
) -> int:
    """Begin a run and return its number; an earlier one of the same name that never ended is closed as abandoned."""
    left = (table.c.entity == entity, table.c.kind == kind, table.c.system == system, table.c.status == "running")
    conn.execute(update(table).where(*left, table.c.message == "").values(message=ABANDONED))
    conn.execute(update(table).where(*left).values(status="failed", ended=now))
    done = conn.execute(
        table.insert().values(
            entity=entity,
            kind=kind,
            system=system,
            watch=watch,
            status="running",
            partitions=json.dumps(list(partitions)),
            open_partitions=json.dumps(list(partitions)),
            counts="{}",
            mapping=mapping,
            started=now,
        )
    )
    number = done.inserted_primary_key
    if number is None:  # every supported driver returns it
        raise RuntimeError("the database returned no run number")
    return int(number[0])


def get(conn: Connection, run: int) -> RowMapping | None:
    """The stored run."""
    return conn.execute(select(table).where(table.c.id == run)).mappings().first()


def counts(row: RowMapping) -> dict[str, int]:
    """Its counts so far."""
    return {str(name): int(value) for name, value in json.loads(row["counts"]).items()}


def add_counts(conn: Connection, run: int, more: Mapping[str, int]) -> dict[str, int]:
    """Add to the run's counts, in the same transaction as the records they count."""
    stored = conn.execute(select(table.c.counts).where(table.c.id == run).with_for_update()).scalar_one()
    total: dict[str, int] = json.loads(stored)
    for name, value in more.items():
        if value:
            total[name] = total.get(name, 0) + value
    conn.execute(update(table).where(table.c.id == run).values(counts=json.dumps(total)))
    return total


def finish_partition(conn: Connection, run: int, partition: str) -> None:
    """Mark one partition as worked through."""
    stored = conn.execute(select(table.c.open_partitions).where(table.c.id == run).with_for_update()).scalar_one()
    left = [name for name in json.loads(stored) if name != partition]
    conn.execute(update(table).where(table.c.id == run).values(open_partitions=json.dumps(left)))


def note(conn: Connection, run: int, message: str) -> None:
    """Write down why the run stopped; it may go on in another attempt."""
    conn.execute(update(table).where(table.c.id == run).values(message=message))


def close_run(conn: Connection, run: int, status: str, now: int, message: str = "") -> None:
    """End the run."""
    conn.execute(update(table).where(table.c.id == run).values(status=status, ended=now, message=message))


def last(conn: Connection, entity: str, kind: str, system: str) -> RowMapping | None:
    """The newest run of that name."""
    query = select(table).where(table.c.entity == entity, table.c.kind == kind, table.c.system == system)
    return conn.execute(query.order_by(table.c.id.desc()).limit(1)).mappings().first()


def summary(row: RowMapping | Mapping[str, Any], *, sums_met: bool) -> RunSummary:
    """The run as others see it."""
    return RunSummary(
        run=row["id"],
        entity=row["entity"],
        kind=row["kind"],
        system=row["system"],
        status=row["status"],
        counts=json.loads(row["counts"]),
        sums_met=sums_met,
        started=from_ms(row["started"]),
        ended=from_ms(row["ended"]) if row["ended"] is not None else None,
        message=row["message"],
        watch=row["watch"],
    )
