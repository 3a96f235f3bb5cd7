"""Leases with fencing numbers: one holder a name, and every write of a run proves that it still is the holder."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, RowMapping, select, update

from l2c.errors import ConfigError, LeaseLost
from l2c.state.sql import insert_missing
from l2c.state.store import Store, from_ms
from l2c.state.tables import lease as table

DEFAULT_S = 360.0
LEAP = 1_000_000  # more holders than a lease has between two copies of a store


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held by this process; `fence` is checked and its end moved on by every write made under it."""

    name: str
    fence: int
    length_ms: int


def length_of(text: str | None) -> float:
    """How long a lease lasts without a proof, in seconds, as a setting says it; ConfigError when it is not a number above 0."""
    if not text:
        return DEFAULT_S
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise ConfigError(f"L2C_LEASE_S: '{text}' is not a number of seconds above 0")
    return value


def acquire(store: Store, name: str, length_s: float) -> Lease:
    """Take the lease, or raise LeaseLost naming the holder.

    A lease that ran out is taken over; so is one whose holder, on this host, is gone (pid and start time).
    """
    now, length_ms = store.now(), int(length_s * 1000)
    host, pid, started = socket.gethostname(), os.getpid(), process_started(os.getpid())
    values = {
        "host": host,
        "pid": pid,
        "process_started": started,
        "acquired": now,
        "expires": now + length_ms,
    }
    with store.writing("lease") as conn:
        wanted = select(table).where(table.c.name == name).with_for_update()
        row = conn.execute(wanted).mappings().first()
        if row is None:  # of several that find none, one inserts it; all then wait for its lock in turn
            insert_missing(conn, table, [{"name": name, "fence": 0, **values, "expires": 0}])
            row = conn.execute(wanted).mappings().one()
        if _alive(row, now):
            raise LeaseLost(
                f"'{name}' is already running since {from_ms(row['acquired']):%Y-%m-%d %H:%M:%S} UTC "
                f"on host '{row['host']}' (pid {row['pid']}); it ends by itself, nothing to do"
            )
        fence = row["fence"] + 1
        conn.execute(update(table).where(table.c.name == name).values(fence=fence, **values))
    return Lease(name, fence, length_ms)


def prove(conn: Connection, lease: Lease, now: int) -> None:
    """Within a write transaction: still the holder? Moves the end of the lease on; raises LeaseLost otherwise."""
    done = conn.execute(
        update(table)
        .where(table.c.name == lease.name, table.c.fence == lease.fence)
        .values(expires=now + lease.length_ms)
    )
    if done.rowcount != 1:
        raise LeaseLost(f"'{lease.name}' was taken over by another process; this one stops without writing")


def release(store: Store, lease: Lease) -> None:
    """Give the lease back; the fencing number stays, so that a late write is still refused."""
    with store.writing("release") as conn:
        conn.execute(
            update(table)
            .where(table.c.name == lease.name, table.c.fence == lease.fence)
            .values(expires=0, fence=lease.fence + 1)
        )


def overtake(conn: Connection, prefix: str) -> None:
    """Raise the fencing numbers of all leases whose name begins so far beyond any given out before a store was restored."""
    mine = table.c.name.startswith(prefix, autoescape=True)
    conn.execute(update(table).where(mine).values(fence=table.c.fence + LEAP, expires=0))


def held(conn: Connection, name: str, now: int) -> bool:
    """Whether a living process holds the lease."""
    row = conn.execute(select(table).where(table.c.name == name)).mappings().first()
    return row is not None and _alive(row, now)


def running(conn: Connection, now: int) -> str | None:
    """Who holds some lease, in words; None when no living process does."""
    for row in conn.execute(select(table).order_by(table.c.name)).mappings():
        if _alive(row, now):
            return f"'{row['name']}' is running on host '{row['host']}' (pid {row['pid']})"
    return None


def process_started(pid: int) -> str:
    """When the process began, as the kernel counts it; '' where that cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _alive(row: RowMapping, now: int) -> bool:
    """Whether the lease has not run out and its holder is not known to be gone."""
    here = row["host"] == socket.gethostname()
    return row["expires"] > now and not (here and _gone(row["pid"], row["process_started"]))


def _gone(pid: int, started: str) -> bool:
    if not started:  # no /proc on this system: trust the end of the lease
        return False
    return process_started(pid) != started
