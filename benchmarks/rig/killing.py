"""Workers that are killed, told to end, or stopped for longer than their lease, at random moments, and started anew."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from benchmarks.home import ROOT
from benchmarks.rig.working import AWAY, WORKING, Light, serve
from benchmarks.rig.world import Rig, ended, fork

Serve = Callable[[str, Path], int]
STEPS = 4  # a worker is struck in one of the first so many things it does, or so many seconds after it began to work
LATEST_S = 0.4
TIRED_S = (0.2, 1.6)
IDLE_S = 0.3  # how long a worker that has nothing to do is waited for
START_S = 120.0
ENDS_S = 60.0  # how long a worker may take to end when it is asked to
TERM, STOP = 0.03, 0.02  # shares of strikes that ask to end, or stop
PROCESS, FORKED = "process", "forked"


@dataclass
class Struck:
    """How often workers were killed at work, by their kind; how many were asked to end, and how many were stopped."""

    kills: Counter[str] = field(default_factory=Counter)
    terminated: int = 0
    stopped: int = 0
    ended_badly: list[str] = field(default_factory=list)

    def add(self, other: "Struck") -> None:
        """What was struck besides."""
        self.kills += other.kills
        self.terminated += other.terminated
        self.stopped += other.stopped
        self.ended_badly += other.ended_badly


@dataclass
class Worker:
    """One worker; `step`, `tired`: in which of its steps, or how long after it was `seen`, it is struck; `due`: when."""

    pid: int
    kind: str
    way: str
    light: Light
    begun: float
    step: int
    tired: float
    seen: float | None = None
    due: float | None = None


def interpreter(way: str, place: Path) -> NoReturn:
    """Become a new interpreter, as a scheduler starts its workers."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks.rig.working", way, str(place)])


class Killer:
    """Keeps one worker a way running, and strikes it."""

    def __init__(
        self,
        rig: Rig,
        chance: random.Random,
        *,
        process: int,
        forked: int,
        serve: Serve = serve,
        ways: Sequence[str] = ("out", "in"),
    ) -> None:
        self._rig = rig
        self._chance = chance
        self._wanted = {PROCESS: process, FORKED: forked}
        self._serve = serve
        self._workers: dict[str, Worker | None] = dict.fromkeys(ways)
        self._stopped: list[tuple[float, int]] = []
        self._count = 0
        self.struck = Struck()

    @property
    def progress(self) -> float:
        """What part of the kills is done."""
        wanted = sum(self._wanted.values())
        return 1.0 if not wanted else sum(self.struck.kills.values()) / wanted

    def look(self) -> None:
        """Start who is missing, strike whose time has come."""
        now = time.monotonic()
        for way, worker in self._workers.items():
            if worker is None:
                self._workers[way] = self._start(way)
            elif worker.due is None:
                self._set_due(worker, now)
            elif now >= worker.due and (worker.light.state == WORKING or now > worker.due + IDLE_S):
                self._strike(worker)
                self._workers[way] = None
        self._wake(now)

    def keep(self) -> None:
        """Start who is missing, strike nobody."""
        for way, worker in self._workers.items():
            if worker is None:
                self._workers[way] = self._start(way)
        self._wake(time.monotonic())

    def end(self) -> None:
        """Ask all to end, and wait until they have."""
        for _, pid in self._stopped:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._stopped = []
        for way, worker in self._workers.items():
            if worker is not None:
                os.kill(worker.pid, signal.SIGTERM)
                self._ended(worker, {0, -signal.SIGTERM})  # it may not be there yet
                self._workers[way] = None

    def _start(self, way: str) -> Worker:
        """A worker of the kind of which more kills are missing."""
        left = {kind: self._wanted[kind] - self.struck.kills[kind] for kind in (PROCESS, FORKED)}
        share = max(left[PROCESS], 0) / max(1, sum(max(number, 0) for number in left.values()))
        kind = PROCESS if self._chance.random() < share else FORKED
        self._count += 1
        place, log = self._rig.folder / f"light-{self._count}", self._rig.folder / "workers.log"
        light = Light(place)
        if kind == PROCESS:
            pid = fork(lambda: interpreter(way, place), log, self._rig.env)
        else:
            pid = fork(lambda: self._serve(way, place), log, self._rig.env)
        return Worker(
            pid, kind, way, light, time.monotonic(), self._chance.randint(1, STEPS), self._chance.uniform(*TIRED_S)
        )

    def _set_due(self, worker: Worker, now: float) -> None:
        if worker.light.state != AWAY:
            worker.seen = worker.seen or now
            if worker.light.steps >= worker.step:
                worker.due = now + self._chance.uniform(0, LATEST_S)
            elif now > worker.seen + worker.tired:
                worker.due = now
        elif now - worker.begun > START_S or os.waitpid(worker.pid, os.WNOHANG)[0]:
            raise SystemExit(f"a worker did not begin to work, see {self._rig.folder / 'workers.log'}")

    def _strike(self, worker: Worker) -> None:
        what = self._chance.random()
        if what < STOP:
            os.kill(worker.pid, signal.SIGSTOP)
            self._stopped.append((time.monotonic() + self._rig.lease_s + 1, worker.pid))
            self.struck.stopped += 1
        elif what < STOP + TERM:
            os.kill(worker.pid, signal.SIGTERM)
            self._ended(worker, {0})
            self.struck.terminated += 1
        else:
            self.kill(worker)

    def kill_all(self) -> int:
        """Kill every worker that is there; how many."""
        there = {way: worker for way, worker in self._workers.items() if worker is not None}
        for way, worker in there.items():
            self.kill(worker)
            self._workers[way] = None
        return len(there)

    def kill(self, worker: Worker) -> None:
        """Kill it without a word."""
        at_work = worker.light.state == WORKING
        os.kill(worker.pid, signal.SIGKILL)
        if self._ended(worker, {-signal.SIGKILL}) and at_work:
            self.struck.kills[worker.kind] += 1

    def _ended(self, worker: Worker, well: set[int]) -> bool:
        try:
            code = ended(worker.pid, ENDS_S)
        except TimeoutError:
            code = 124
        if code not in well:
            self.struck.ended_badly.append(f"worker '{worker.way}' ({worker.kind}) ended with {code}")
        return code in well

    def _wake(self, now: float) -> None:
        """Those that were stopped for longer than their lease go on: their next write is refused; then they end."""
        for moment, pid in [one for one in self._stopped if one[0] <= now]:
            self._stopped.remove((moment, pid))
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.3)
            os.kill(pid, signal.SIGTERM)
            try:
                code = ended(pid, ENDS_S)
            except TimeoutError:
                code = 124
            if code != 0:
                self.struck.ended_badly.append(f"a stopped worker ended with {code}")
