"""Every named crash point × every way of writing: a process dies there, another one goes on, and the checker counts."""

import itertools
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.rig.beside import beside
from benchmarks.rig.truth import Found, Registered, check, register
from benchmarks.rig.world import CONTACT, FLOW, FLOWS, SOURCE, TARGET, Rig, Sizes, ended, fork, started
from l2c.errors import HubError
from l2c.faultpoints import POINTS, VARIABLE
from l2c.hub import Hub

QUIET_S = 0.4
ALONE, TOGETHER = Sizes(page=3, writes=1, block=4), Sizes(page=20, writes=20, block=20)
STYLES: Mapping[str, Sizes] = {"key": ALONE, "lookup": ALONE, "batch": TOGETHER, "deep": ALONE}
STOPPED = "stopped"  # the code of the error with which a run ends that was asked to
KILLED, ROUNDS = -9, 12
FIRST = ("values", "linked", "met", "in_force")  # only come to with an empty state store
CREATES = ("intend", "lookup")  # a write that is safe by its key needs neither


@dataclass
class Crashed:
    """What happened: pairs of point and style at which a process died, pairs no process came to, and what stands."""

    died: list[tuple[str, str]] = field(default_factory=list)
    passed_by: list[tuple[str, str]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    unexplained: int = 0

    @classmethod
    def together(cls, parts: Iterable["Crashed"]) -> "Crashed":
        """What happened in all of them."""
        whole = cls()
        for part in parts:
            whole.died += part.died
            whole.passed_by += part.passed_by
            whole.mistakes += part.mistakes
            whole.unexplained += part.unexplained
            whole.found.add(part.found)
        return whole

    @property
    def points(self) -> set[str]:
        """The points a process died at."""
        return {point for point, _ in self.died}


def pairs(share: float, seed: int) -> list[tuple[str, str]]:
    """All pairs in an order that comes to each style's points together, or a seeded share of them."""
    every = [(point, style) for style in STYLES for point in POINTS if comes_to(point, style)]
    if share >= 1:
        return every
    chosen = set(random.Random(seed).sample(every, max(1, round(len(every) * share))))
    return [pair for pair in every if pair in chosen]


def comes_to(point: str, style: str) -> bool:
    """Whether a way of writing has that point."""
    return style != "key" or not point.startswith(CREATES)


class Crashes:
    """One installation in which processes die, one pair after the other."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._log = rig.folder / "workers.log"
        self._numbers = itertools.count(1)
        self._stores = itertools.count(1)
        self._registered: list[Registered] = []
        self._seen = 0
        self.result = Crashed()

    def play(self, wanted: Iterable[tuple[str, str]]) -> Crashed:
        """Die at each of these, go on, count; reconcile at the end of each style."""
        self._go_on(ALONE)
        for style, group in itertools.groupby(wanted, key=lambda pair: pair[1]):
            for point, _ in group:
                self._pair(point, style)
            self._reconcile(STYLES[style])
        return self.result

    def _pair(self, point: str, style: str) -> None:
        sizes = STYLES[style]
        self._write(style)
        if point.startswith(FIRST):
            self._rig = self._rig.with_store(f"state-{next(self._stores)}")
        elif point.startswith(("recover", "lookup")):
            self._run(sizes, "send.after", self._create)
        work = self._everything
        if point.startswith("lookup"):  # a capture would recognise the create by itself: S/4HANA is only written
            work = self._send
            self._run(sizes, None, work)  # notices what was left behind; the quiet period begins
            time.sleep(QUIET_S)
        code = self._run(sizes, point, work)
        if code not in (0, KILLED):
            self.result.mistakes.append(f"{point} {style}: the worker ended with {code}")
        (self.result.died if code == KILLED else self.result.passed_by).append((point, style))
        if code := self._go_on(sizes):
            self.result.mistakes.append(f"{point} {style}: not quiet, the worker ended with {code}")
        self.result.found = check(self._rig.s4, self._rig.shop, self._registered)
        new = self.result.found.mistakes[self._seen :]
        self._seen += len(new)
        self.result.mistakes += [f"{point} {style}: {text}" for text in new]

    def _write(self, style: str) -> None:
        """What people do in both systems; how it is written is the style."""
        s4, shop, number = self._rig.s4, self._rig.shop, next(self._numbers)
        partners = [key for key, row in s4.records("A_BusinessPartner") if row["BusinessPartnerCategory"] == "2"]
        for key in partners[: 4 if style == "batch" else 2]:
            s4.change("A_BusinessPartner", key, OrganizationBPName2=f"Abteilung {number}")
        address, row = next(iter(s4.records("A_BusinessPartnerAddress")))
        s4.change("A_BusinessPartnerAddress", address, StreetName=f"{row['StreetName'][:20]} {number % 90}")
        if style == "key":
            return
        for turn in range(3 if style == "batch" else 1):
            one = register(shop, number * 10 + turn, "company", home=style != "lookup")
            self._registered.append(one)
        if style != "lookup":
            self._registered.append(register(shop, number * 10 + 5, "contact", unit=one.uid))

    def _run(self, sizes: Sizes, point: str | None, work: Callable[[Hub], int]) -> int:
        rig = self._rig.sized(sizes)
        env = {**rig.env, VARIABLE: point} if point else dict(rig.env)

        def child() -> int:
            with Hub.open(env=os.environ) as hub:
                return work(hub)

        return ended(fork(child, self._log, env))

    def _go_on(self, sizes: Sizes) -> int:
        return self._run(sizes, None, self._until_quiet)

    def _reconcile(self, sizes: Sizes) -> None:
        """What the hub itself says of both systems."""
        place = self._rig.folder / "reconciled.json"

        def work(hub: Hub) -> int:
            told = [hub.reconcile(flow) for flow in FLOWS]
            place.write_text(json.dumps([[one.records["unexplained"], one.ok, str(one.findings)] for one in told]))
            return 0

        if code := self._run(sizes, None, work):
            raise SystemExit(f"reconcile ended with {code}, see {self._log}")
        for unexplained, ok, findings in json.loads(place.read_text()):
            self.result.unexplained += unexplained
            if not ok:
                self.result.mistakes.append(f"reconcile: {findings[:500]}")

    def _everything(self, hub: Hub) -> int:
        """One of everything a hub does; what fails is for the next run."""
        unit = next(iter(self._rig.shop.records("B2BUnit")), None)
        if unit is not None:
            headers = {"ce-id": f"m{time.time_ns()}", "ce-type": "L2CB2BUnit", "ce-subject": unit[0]}
            hub.receive(TARGET, headers, b"{}")
        for flow in FLOWS:
            steps: list[Callable[[], object]] = [
                lambda flow=flow: hub.capture(flow, SOURCE),
                lambda flow=flow: hub.capture(flow, TARGET),
                lambda flow=flow: hub.distribute(flow, TARGET),
                lambda flow=flow: hub.distribute(flow, SOURCE),
                lambda flow=flow: hub.redrive(flow),
                lambda flow=flow: [hub.resend(flow, system, yes=True) for system in (TARGET, SOURCE)],
            ]
            if flow == FLOW:
                steps.append(lambda: hub.capture(FLOW, SOURCE, kind="watch", watch="A_BusinessPartnerAddress"))
                steps.append(lambda: hub.capture(FLOW, SOURCE, kind="sweep"))
            for step in steps:
                tried(step)
        return 0

    @staticmethod
    def _create(hub: Hub) -> int:
        """Both systems are read, S/4HANA is written first."""
        for flow in FLOWS:
            hub.capture(flow, SOURCE)
            hub.capture(flow, TARGET)
            hub.distribute(flow, SOURCE)
            hub.distribute(flow, TARGET)
        return 0

    @staticmethod
    def _send(hub: Hub) -> int:
        """S/4HANA alone is written."""
        for flow in FLOWS:
            hub.distribute(flow, SOURCE)
        return 0

    @staticmethod
    def _until_quiet(hub: Hub) -> int:
        return 0 if until_quiet(hub, at_most=ROUNDS) is not None else 72


def tried(step: Callable[[], object]) -> None:
    """Do it; what goes wrong is said and left to the next run, as a scheduler would. Who was asked to end ends."""
    try:
        step()
    except HubError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        if error.code == STOPPED:
            os._exit(0)


def until_quiet(hub: Hub, *, at_most: int) -> int | None:
    """Rounds until nothing is written and nothing is open; how many it took, None if that never came."""
    for number in range(1, at_most + 1):
        written = 0
        tried(lambda: hub.capture(FLOW, SOURCE, kind="watch", watch="A_BusinessPartnerAddress"))
        for flow in FLOWS:
            for system in (SOURCE, TARGET):
                hub.capture(flow, system)
            for system in (TARGET, SOURCE):
                written += hub.distribute(flow, system).counts.get("written", 0)
        cells = hub.status()
        doubtful = sum(cell.in_doubt + cell.awaiting_confirmation for cell in cells)
        if not written and not doubtful and not any(c.retrying or c.waiting or c.behind or c.inbox for c in cells):
            return number
        time.sleep(0.5 if doubtful or not written else 0)
    return None


def crash_everywhere(folder: Path, *, share: float = 1.0, seed: int = 0) -> Crashed:
    """All pairs, or a seeded share of them; each way of writing in an installation and a process of its own."""
    groups = {style: list(group) for style, group in itertools.groupby(pairs(share, seed), key=lambda pair: pair[1])}
    works = [partial(_crash, folder / style, group) for style, group in groups.items()]
    return Crashed.together(beside(works))


def _crash(folder: Path, wanted: Sequence[tuple[str, str]]) -> Crashed:
    folder.mkdir()
    with started(folder, partners=12, sizes=ALONE, processing_s=QUIET_S) as rig:
        return Crashes(rig).play(wanted)


__all__ = ["CONTACT", "Crashed", "Crashes", "comes_to", "crash_everywhere", "pairs", "tried", "until_quiet"]
