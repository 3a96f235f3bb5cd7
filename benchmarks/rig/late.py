"""Workers killed while S/4HANA still has to commit what they sent: is anything created twice?"""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.registrations.systems import Control
from benchmarks.rig.killing import FORKED, Killer
from benchmarks.rig.storm import Stormed, rest, settle
from benchmarks.rig.truth import Registered, register
from benchmarks.rig.world import Rig, Sizes, started

LATE_S = 0.6
QUIET_S = 4.0
EACH = 2  # registrations for each kill
MANY = Sizes(page=50, writes=5, block=20)
PATIENCE_S = 20.0


@dataclass
class Late:
    """Kills that came while a commit was still to come, and what stands."""

    kills: int = 0
    stormed: Stormed = field(default_factory=Stormed)


def late_kills(folder: Path, wanted: int, seed: int, *, quiet_s: float = QUIET_S, late_s: float = LATE_S) -> Late:
    """Kill that many workers whose creates commit late; `quiet_s` below `late_s` shows what the quiet period is for."""
    chance, done = random.Random(seed), Late()
    with started(folder, partners=10, sizes=MANY, processing_s=quiet_s, lease_s=5.0, seed=seed % 1000) as rig:
        rest(rig)
        arm(rig.s4, chance, late_s)
        registered: list[Registered] = []
        killer = Killer(rig, chance, process=0, forked=wanted, ways=("in",))
        done.stormed.struck = killer.struck
        begun = time.monotonic()
        while done.kills < wanted and killer.struck.kills[FORKED] < 3 * wanted:
            for _ in range(EACH):
                registered.append(
                    register(rig.shop, len(registered), "company" if chance.random() < 0.7 else "consumer")
                )
            done.kills += _one(rig, killer)
        killer.end()
        done.stormed.seconds["kills"] = round(time.monotonic() - begun, 1)
        settle(rig, done.stormed, registered)
    return done


def arm(s4: Control, chance: random.Random, late_s: float) -> None:
    """Half of the creates commit late: the connection ends at once, or stays open until then."""
    for kind, probability in (("late_commit", 0.4), ("delay", 0.3)):
        match = {"method": "POST", "path": r"A_BusinessPartner([?]|$)", "inner": True}
        content = {"match": match, "kind": kind, "probability": probability, "seconds": late_s}
        s4.tell("faults", times=None, seed=chance.randrange(10**6), **content)


def _one(rig: Rig, killer: Killer) -> int:
    """Wait until a commit is pending, kill; 1 if it was still pending when the worker was gone."""
    deadline = time.monotonic() + PATIENCE_S
    while pending(rig.s4):  # of the worker before
        time.sleep(0.01)
    before = killer.struck.kills[FORKED]
    while time.monotonic() < deadline:
        killer.keep()
        if pending(rig.s4) and killer.kill_all():
            return int(pending(rig.s4) > 0 and killer.struck.kills[FORKED] > before)
        time.sleep(0.005)
    return 0


def pending(s4: Control) -> int:
    """Commits that are still to come."""
    return int(s4.ask("stats")["late_pending"])
