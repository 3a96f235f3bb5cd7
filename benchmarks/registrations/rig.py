"""Worker processes between both systems, faults, and somebody who kills the workers."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.home import ENTITY, ROOT, SOURCE, TARGET
from benchmarks.registrations.systems import PROCESSING_S, Control, World
from l2c.hub import Hub
from l2c.state import sending
from l2c.state.store import Store

PARTNER = "A_BusinessPartner"
LATE_S = 1.5  # how late a late commit comes: within the quiet period, also on a busy machine
CREATE = "A_BusinessPartner([?]|$)"
WAYS = {TARGET: (TARGET, SOURCE), SOURCE: (SOURCE, TARGET)}  # worker: what it reads, what it writes
BUSY = {"Retry-After": "1"}


@dataclass
class Killed:
    """Workers killed: how often each, and how often while writes to S/4HANA were not settled."""

    workers: Counter[str] = field(default_factory=Counter)
    at_work: int = 0


def arm(s4: Control, shop: Control, chance: random.Random, late_s: float = LATE_S) -> None:
    """Faults for creates, in a `$batch` and alone, for whole batches, for reads, and a few for the shop's writes."""

    def fault(system: Control, kind: str, share: float, **content: Any) -> None:
        match = {name: content.pop(name) for name in ("method", "path", "inner") if name in content}
        seed = chance.randrange(10**6)
        system.tell("faults", match=match, kind=kind, probability=share, times=None, seed=seed, **content)

    for inner in (True, False):
        creates: dict[str, Any] = {"method": "POST", "path": CREATE, "inner": inner}
        fault(s4, "after_commit", 0.12, **creates)
        fault(s4, "late_commit", 0.1, seconds=late_s, **creates)
        fault(s4, "before_commit", 0.02, **creates)
        fault(s4, "status", 0.03, status=503, **creates)
        fault(s4, "status", 0.03, status=429, headers=BUSY, **creates)
        fault(s4, "lock", 0.03, **creates)
    batches: dict[str, Any] = {"method": "POST", "path": r"\$batch"}
    fault(s4, "after_commit", 0.03, **batches)
    fault(s4, "late_commit", 0.02, seconds=late_s, **batches)
    fault(s4, "status", 0.03, status=503, headers=BUSY, **batches)
    fault(s4, "status", 0.03, status=429, headers=BUSY, **batches)
    fault(s4, "status", 0.01, status=503, method="GET")
    fault(shop, "after_commit", 0.03, method="POST", path=r"\$batch")
    fault(shop, "status", 0.03, status=503, method="POST", path=r"\$batch")


def injected(system: Control) -> Counter[str]:
    """The faults that fired, by what they met; a create alone and one in a batch are counted together."""
    found: Counter[str] = Counter()
    for one in system.ask("faults")["faults"]:
        met = "create" if one["match"].get("path") == CREATE else "batch" if one["match"].get("path") else "read"
        found[f"{met} {one['kind']}"] += one["fired"]
    return found


class Workers:
    """The worker processes, restarted when they are killed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        with (self._world.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "benchmarks.registrations.worker", *WAYS[name]]
            self._processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=dict(self._world.env), stdout=log, stderr=log
            )

    def kill(self, name: str) -> bool:
        """Kill it without a word; whether it was there to be killed."""
        process = self._processes[name]
        process.send_signal(signal.SIGKILL)
        return process.wait(timeout=30) == -signal.SIGKILL

    def living(self) -> None:
        """Raise when one ended by itself: what it said is in its log."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                said = (self._world.folder / f"{name}.log").read_text(encoding="utf-8")[-3000:]
                raise SystemExit(f"worker '{name}' ended with {process.returncode}:\n{said}")

    def end(self) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Killer:
    """Kills workers at random moments: when so many partners were created and some milliseconds later."""

    def __init__(self, workers: Workers, s4: Control, chance: random.Random, *, kills: int, until: int) -> None:
        self._workers = workers
        self._s4 = s4
        self._chance = chance
        self._begun = s4.created(PARTNER)
        self._moments = sorted(chance.randint(0, int(until * 0.9)) for _ in range(kills))
        self._left: list[sending.Sent] = []
        self.killed = Killed()

    @property
    def done(self) -> bool:
        return not self._moments

    def look(self, world: World) -> None:
        """Kill one if it is time."""
        if self.done or self._s4.created(PARTNER) - self._begun < self._moments[0]:
            return
        time.sleep(self._chance.uniform(0, 0.05))
        name = self._chance.choice([TARGET, TARGET, TARGET, SOURCE])
        if self._workers.kill(name):
            self._moments.pop(0)
            self.killed.workers[name] += 1
            left = _unsettled(world)
            self.killed.at_work += bool(left) and left != self._left
            self._left = left
        self._workers.start(name)


def _unsettled(world: World) -> list[sending.Sent]:
    """What the hub was sending to S/4HANA and has not settled."""
    store = Store.open(world.env["L2C_DATABASE_URL"])
    try:
        with store.reading() as conn:
            return sending.noted(conn, ENTITY, SOURCE)
    finally:
        store.close()


def in_step(world: World) -> None:
    """First loads of both systems."""
    with world.hub() as hub:
        for _ in range(2):
            for system in (SOURCE, TARGET):
                hub.capture(ENTITY, system)
            for system in (TARGET, SOURCE):
                hub.distribute(ENTITY, system)


def one_round(hub: Hub) -> int:
    """Both systems are read, then both are written; how much was written."""
    for system in (SOURCE, TARGET):
        hub.capture(ENTITY, system)
    return sum(hub.distribute(ENTITY, system).counts.get("written", 0) for system in (TARGET, SOURCE))


def until_quiet(world: World, *, at_most: int) -> int | None:
    """Rounds without faults until nothing is written and nothing is open; how many it took, None if that never came."""
    with world.hub() as hub:
        for number in range(1, at_most + 1):
            written = one_round(hub)
            cells = hub.status(ENTITY)
            doubtful = sum(cell.in_doubt + cell.awaiting_confirmation for cell in cells)
            if not written and not doubtful and not any(c.retrying or c.waiting or c.behind or c.inbox for c in cells):
                return number
            time.sleep(PROCESSING_S / 2 if doubtful else 1)
    return None
