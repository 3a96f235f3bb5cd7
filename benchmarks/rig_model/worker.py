"""A process that works for the hub step by step as it is told, dies where it is told, and is followed by another."""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from benchmarks.rig.world import FLOW
from l2c.errors import HubError
from l2c.faultpoints import VARIABLE
from l2c.hub import Hub

FORK = multiprocessing.get_context("fork")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Step:
    """One thing to do, at a moment of the hub's clock; `crash` names the point at which to die."""

    name: str
    system: str = ""
    kind: str = ""
    offset_s: float = 0.0
    crash: str = ""


@dataclass(frozen=True)
class Told:
    """What came of it: `ended` is done, failed (by words of the hub) or died."""

    ended: str
    counts: Mapping[str, int] = field(default_factory=dict)
    sums_met: bool = True
    words: str = ""
    value: Any = None


class Worker:
    """The process in service; this one holds no connection, so that each of them may be a fork of it."""

    def __init__(self, env: Mapping[str, str], log: Path, prepare: Callable[[], None] | None = None) -> None:
        self._env = env
        self._log = log
        self._prepare = prepare
        self._process: BaseProcess | None = None
        self._end: Connection | None = None
        self.deaths = 0

    def do(self, step: Step) -> Told:
        """Have it done; a process that died on the way is told as such."""
        end = self._end or self._start()
        end.send(step)
        if not end.poll(PATIENCE_S):
            self.close()
            raise TimeoutError(f"{step} was not through after {PATIENCE_S:.0f} seconds")
        try:
            told: Told = end.recv()
        except EOFError:
            self.close()
            self.deaths += 1
            return Told("died")
        if step.crash:
            self.close()  # it did not come to that point; the variable must not wait for a later step
        return told

    def close(self) -> None:
        """End the process in service, as kill -9 does."""
        if self._end is not None:
            self._end.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        self._end = self._process = None

    def _start(self) -> Connection:
        ours, theirs = FORK.Pipe()
        self._end = ours
        self._process = FORK.Process(target=_serve, args=(theirs, self._env, self._log, self._prepare), daemon=True)
        self._process.start()
        theirs.close()
        return ours


class _Time:
    """The hub's clock: the machine's, moved; waiting moves it on and takes no time."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.02))


def _serve(end: Connection, env: Mapping[str, str], log: Path, prepare: Callable[[], None] | None) -> None:
    """Steps until it is killed."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(env)
    if prepare is not None:
        prepare()
    clock = _Time()
    with Hub.open(env=os.environ, clock=clock.now, sleep=clock.sleep) as hub:
        while True:
            try:
                step: Step = end.recv()
            except EOFError:
                return
            clock.offset_s = step.offset_s
            if step.crash:
                os.environ[VARIABLE] = step.crash
            end.send(_done(hub, step))


def _done(hub: Hub, step: Step) -> Told:
    try:
        if step.name == "redrive":
            return Told("done", value=hub.redrive())
        if step.name == "reconcile":
            told = hub.reconcile(FLOW)
            return Told("done", value=(told.ok, dict(told.records), str(told.findings)[:500]))
        if step.name == "letters":
            return Told("done", value=[(one.code, one.message) for one in hub.dead_letters()])
        if step.name == "open":
            return Told("done", value=[str(cell) for cell in hub.status() if cell.waiting or cell.in_doubt])
        if step.name == "capture":
            summary = hub.capture(FLOW, step.system, kind=step.kind or "capture")
        else:
            summary = hub.distribute(FLOW, step.system)
    except HubError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return Told("failed", words=str(error))
    ended = "done" if summary.status in {"done", "nothing"} else "failed"
    return Told(ended, dict(summary.counts), summary.sums_met, summary.message)
