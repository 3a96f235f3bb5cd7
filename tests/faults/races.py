"""Races for one flow, played by forked processes; the figures are for tests and for the rig alike."""

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from l2c.errors import LeaseLost
from l2c.state import leases
from l2c.state.store import Store

FORK = multiprocessing.get_context("fork")
FLOW = "business_partner.distribute.s4hana"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class RaceFigures:
    """Rounds played, in how many of them exactly one process won, the fencing numbers given out, in order."""

    processes: int
    rounds: int
    one_winner: int
    fences: tuple[int, ...]

    @property
    def fair(self) -> bool:
        """Whether every round had one winner, each with a higher number than all before."""
        return self.one_winner == self.rounds and list(self.fences) == sorted(set(self.fences))


def race(url: str, *, processes: int = 4, rounds: int = 200) -> RaceFigures:
    """So many forked processes ask for the lease of one flow at the same moment, round after round."""
    Store.open(url).close()
    barrier = FORK.Barrier(processes, timeout=PATIENCE_S)
    ends: list[tuple[Connection, Any]] = []
    for _ in range(processes):
        ours, theirs = FORK.Pipe()
        runner = FORK.Process(target=_racer, args=(url, barrier, rounds, theirs))
        runner.start()
        theirs.close()
        ends.append((ours, runner))
    won = [end.recv() for end, _ in ends]
    for _, runner in ends:
        runner.join(PATIENCE_S)
    by_round = [[fences[number] for fences in won if fences[number]] for number in range(rounds)]
    winners = tuple(fence for fences in by_round for fence in fences)
    return RaceFigures(processes, rounds, sum(len(fences) == 1 for fences in by_round), winners)


def _racer(url: str, barrier: Barrier, rounds: int, end: Connection) -> None:
    """Asks once a round; whoever has won gives the lease back when all have asked."""
    store = Store.open(url)
    fences: list[int] = []
    for _ in range(rounds):
        barrier.wait()
        try:
            lease = leases.acquire(store, FLOW, 60)
        except LeaseLost:
            fences.append(0)
            barrier.wait()
            continue
        fences.append(lease.fence)
        barrier.wait()
        leases.release(store, lease)
    end.send(fences)
    store.close()
    os._exit(0)


@dataclass(frozen=True, slots=True)
class StoppedHolder:
    """How often a holder was stopped for longer than its lease, how often it was refused when it woke up."""

    stopped: int
    refused: int
    writes_of_refused: int


def stop_holders(url: str, *, times: int = 1, lease_s: float = 0.3) -> StoppedHolder:
    """SIGSTOP a holder for longer than its lease; another takes over; SIGCONT: the first must not write any more."""
    store, refused, written = Store.open(url), 0, 0
    for _ in range(times):
        ours, theirs = FORK.Pipe()
        holder = FORK.Process(target=_holder, args=(url, lease_s, theirs))
        holder.start()
        theirs.close()
        ours.recv()
        os.kill(holder.pid or 0, signal.SIGSTOP)
        lease = _taken_over(store, lease_s)
        os.kill(holder.pid or 0, signal.SIGCONT)
        ours.send("go on")
        outcome, place = ours.recv()
        holder.join(PATIENCE_S)
        refused += outcome == "refused"
        with store.reading() as conn:
            written += conn.exec_driver_sql(f"SELECT count(*) FROM stream WHERE entity = '{place}'").scalar_one()
        leases.release(store, lease)
    store.close()
    return StoppedHolder(times, refused, written)


def _taken_over(store: Store, lease_s: float) -> leases.Lease:
    """The lease, once that of the stopped holder has run out."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        time.sleep(lease_s / 3)
        try:
            return leases.acquire(store, FLOW, 60)
        except LeaseLost:
            if time.monotonic() > deadline:
                raise


def _holder(url: str, lease_s: float, end: Connection) -> None:
    store = Store.open(url)
    lease, place = leases.acquire(store, FLOW, lease_s), f"written by {os.getpid()}"
    end.send("holding")
    end.recv()
    try:
        with store.writing() as conn:
            conn.exec_driver_sql(f"INSERT INTO stream (entity, seq, records) VALUES ('{place}', 0, 0)")
            leases.prove(conn, lease, store.now())
        end.send(("written", place))
    except LeaseLost:
        end.send(("refused", place))
    store.close()
    os._exit(0)
