"""Workers killed while S/4HANA still has to commit what they sent: is anything created twice?"""

import random
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.registrations.systems import Control
from benchmarks.rig.beside import beside
from benchmarks.rig.killing import FORKED, Killer
from benchmarks.rig.storm import Stormed, rest, settle
from benchmarks.rig.truth import Registered, register
from benchmarks.rig.world import Rig, Sizes, started

LATE_S = 0.6
QUIET_S, LEASE_S = 4.0, 3.0
AT_ONCE, LEAST_EACH = 4, 30  # installations, and kills for which one is worth its first load
EACH = 3  # registrations for each kill
MANY = Sizes(page=50, writes=5, block=20)
PATIENCE_S = 6.0


@dataclass
class Late:
    """Kills that came while a commit was still to come, and what stands."""

    kills: int = 0
    stormed: Stormed = field(default_factory=Stormed)


def late_kills(folder: Path, wanted: int, seed: int) -> Late:
    """Kill that many workers whose creates commit late: in a few installations side by side, since leases must run out."""
    parts = min(AT_ONCE, -(-wanted // LEAST_EACH))
    shares = [wanted // parts + (number < wanted % parts) for number in range(parts)]
    works = [partial(_late, folder / f"{number}", share, seed + number) for number, share in enumerate(shares)]
    whole = Late()
    for part in beside(works):
        whole.kills += part.kills
        whole.stormed.add(part.stormed)
    return whole


def _late(folder: Path, wanted: int, seed: int) -> Late:
    folder.mkdir()
    chance, done = random.Random(seed), Late()
    with started(folder, partners=10, sizes=MANY, processing_s=QUIET_S, lease_s=LEASE_S, seed=seed % 1000) as rig:
        rest(rig)
        arm(rig.s4, chance, LATE_S)
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
    """Most creates commit late: the connection ends at once, or stays open until then."""
    for kind, probability in (("late_commit", 0.5), ("delay", 0.4)):
        match = {"method": "POST", "path": r"A_BusinessPartner([?]|$)", "inner": True}
        content = {"match": match, "kind": kind, "probability": probability, "seconds": late_s}
        s4.tell("faults", times=None, seed=chance.randrange(10**6), **content)


def _one(rig: Rig, killer: Killer) -> int:
    """Wait until a commit is pending, kill; 1 if it was still pending when the worker was gone."""
    deadline = time.monotonic() + PATIENCE_S
    while pending(rig.s4):  # of the worker before
        time.sleep(0.03)
    before = killer.struck.kills[FORKED]
    while time.monotonic() < deadline:
        killer.keep()
        if pending(rig.s4) and killer.kill_all():
            return int(pending(rig.s4) > 0 and killer.struck.kills[FORKED] > before)
        time.sleep(0.03)
    return 0


def pending(s4: Control) -> int:
    """Commits that are still to come."""
    return int(s4.ask("stats")["late_pending"])
