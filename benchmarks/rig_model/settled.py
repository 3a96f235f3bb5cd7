"""The hub itself between cut pages and parts answered, refused or missing: what it settles, by the records of both systems."""

import itertools
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rig.truth import Registered, check, register
from benchmarks.rig.world import FLOW, SOURCE, TARGET, Rig, started
from benchmarks.rig_model.cuts import KINDS, PARTNER, Cut
from benchmarks.rig_model.front import front
from l2c.errors import HubError
from l2c.hub import Hub

QUIET_S = 600.0
REFUSED = {"kind": "status", "status": 400}
LOST = {"kind": "after_commit"}


class Clock:
    """The machine's clock, moved."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        """Now."""
        return datetime.now(UTC) + self.offset


@contextmanager
def opened(rig: Rig, clock: Clock) -> Iterator[Hub]:
    """The hub of that rig; waits take no time."""
    with Hub.open(env=rig.env, clock=clock, sleep=lambda _: None) as hub:
        yield hub


def settle_cut_pages(result: Cut, *, every: int) -> None:
    """Captures of a page cut behind every n-th byte: none settles a record; the whole page settles all of them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), partners=6) as rig,
        front(rig.s4.url, f"/{PARTNER}?") as before,
    ):
        connection = json.loads(rig.env["L2C_CONNECTION_S4HANA"]) | {"url": before.url}
        fronted = replace(rig, env={**rig.env, "L2C_CONNECTION_S4HANA": json.dumps(connection)})
        with opened(fronted, Clock()) as hub:
            whole = hub.capture(FLOW, SOURCE).counts["journaled"]
        before.armed = before.last
        if before.armed is None:
            raise RuntimeError("no page was recorded")
        clock = Clock()
        with opened(fronted.with_store("cut"), clock) as hub:
            for place in range(0, len(before.armed.body), every):
                before.cut = place
                result.cuts += 1
                clock.offset += timedelta(minutes=5)
                told = _journaled(hub)
                if told:
                    result.partial.append(f"a page cut after {place} bytes settled {told} records")
            before.armed = before.cut = None
            if _journaled(hub) != whole:
                result.partial.append(f"after the cuts not all of {whole} records were settled")


def _journaled(hub: Hub) -> int:
    try:
        return hub.capture(FLOW, SOURCE).counts.get("journaled", 0)
    except HubError:
        return 0


def settle_parts(result: Cut, *, most: int = 6, mixed: int = 3) -> None:
    """Companies created in one batch: up to `mixed` of them in all 3^n ways, up to `most` in the 2^n of answered and refused."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), partners=2, processing_s=QUIET_S) as rig:
        clock, stand = Clock(), Parts(rig, result)
        with opened(rig, clock) as hub:
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system)
            for system in (TARGET, SOURCE):
                hub.distribute(FLOW, system)
            for count in range(1, most + 1):
                for kinds in itertools.product(KINDS if count <= mixed else KINDS[:2], repeat=count):
                    stand.play(hub, clock, kinds)
        stand.end()


class Parts:
    """Who registered so far, and with what outcome."""

    def __init__(self, rig: Rig, result: Cut) -> None:
        self._rig = rig
        self._result = result
        self._standing: list[Registered] = []
        self._number = 0

    def play(self, hub: Hub, clock: Clock, kinds: Sequence[str]) -> None:
        """One batch whose parts end so."""
        self._result.part_outcomes += 1
        new = []
        for kind in kinds:
            self._number += 1
            one = register(self._rig.shop, self._number, "company")
            new.append(one)
            if kind != "ok":
                self._fault(one, REFUSED if kind == "refused" else LOST)
        self._forward(clock, minutes=6)
        hub.capture(FLOW, TARGET)
        counts = hub.distribute(FLOW, SOURCE).counts
        self._rig.s4.disarm()
        dead = {letter.key for letter in hub.dead_letters(FLOW, SOURCE)}
        self._judge(kinds, new, counts, dead)
        self._standing += [one for one in new if one.key not in dead]
        self._forward(clock, seconds=QUIET_S + 1)
        hub.distribute(FLOW, SOURCE)
        hub.capture(FLOW, SOURCE)
        hub.distribute(FLOW, TARGET)

    def _forward(self, clock: Clock, **parts: float) -> None:
        clock.offset += timedelta(**parts)
        for system in (self._rig.s4, self._rig.shop):
            system.tell("clock", offset_s=clock.offset.total_seconds())

    def _judge(
        self, kinds: Sequence[str], new: Sequence[Registered], counts: Mapping[str, int], dead: Collection[str]
    ) -> None:
        """A refusal that does not name its part, beside one that is missing, may be anybody's: both are in doubt."""
        refused, missing = kinds.count("refused"), kinds.count("missing")
        found = tuple(counts.get(name, 0) for name in ("written", "dead_letter", "in_doubt"))
        allowed = {(len(kinds) - refused - missing, sure, missing + refused - sure) for sure in range(refused + 1)}
        wanted = (len(kinds) - refused - missing, refused, missing)
        if found != wanted and not (missing and found in allowed):
            self._result.partial.append(f"parts {kinds}: written, dead, in doubt are {found}, expected {wanted}")
        wrong = [one.key for one, kind in zip(new, kinds, strict=True) if one.key in dead and kind != "refused"]
        if wrong or sum(one.key in dead for one in new) != found[1]:
            self._result.partial.append(f"parts {kinds}: {wrong} are dead letters, {found[1]} were told")

    def _fault(self, one: Registered, fault: dict[str, Any]) -> None:
        for match in ({"inner": True}, {"path": f"/{PARTNER}([?]|$)"}):
            self._rig.s4.tell("faults", match={"method": "POST", "body": one.name, **match}, **fault)

    def end(self) -> None:
        """Everybody whose create was not refused is one partner, everybody else none."""
        found = check(self._rig.s4, self._rig.shop, self._standing)
        self._result.partial += [*found.lost, *found.doubled]
