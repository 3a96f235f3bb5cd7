"""That the rig can fail: the same faults and kills against a plain loop, and against the hub without its intents."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import plain_loop
from benchmarks.rig.killing import Killer, Serve
from benchmarks.rig.storm import rest
from benchmarks.rig.truth import Found, Registered, check, register
from benchmarks.rig.working import Light, end, serve
from benchmarks.rig.world import Rig, Sizes, started
from l2c.distribute.doubt import Doubts

COMPANIES, KILLS = 30, 12
FEW = Sizes(page=20, writes=5, block=20)
LOST = 0.3  # share of creates whose answer is lost after the commit


def with_plain_loop(folder: Path, seed: int) -> Found:
    """Companies register while a plain loop sends them to S/4HANA; what the checker finds."""

    def run(_way: str, light: Path) -> NoReturn:
        signal.signal(signal.SIGTERM, end)
        shown = Light(light)
        while True:
            with shown.on():
                plain_loop.loop(dict(os.environ), folder / "stamp", 1)
            time.sleep(0.05)

    return _play(folder, seed, run, hub=False)


def without_intents(folder: Path, seed: int) -> Found:
    """The hub, but no create is noted before it is sent; what the checker finds."""

    def run(way: str, light: Path) -> NoReturn:
        def nothing(_self: Any, _write: Any) -> bool:
            return False

        Doubts.doubles = nothing  # type: ignore[method-assign]  # the hook: in this process alone
        serve(way, light)

    return _play(folder, seed, run, hub=True)


def _play(folder: Path, seed: int, run: Serve, *, hub: bool) -> Found:
    chance = random.Random(seed)
    with started(folder, partners=5, sizes=FEW, processing_s=1.0, lease_s=5.0) as rig:
        if hub:
            rest(rig)
        for inner in (True, False):
            match = {"method": "POST", "path": r"A_BusinessPartner([?]|$)", "inner": inner}
            seed = chance.randrange(10**6)
            rig.s4.tell("faults", match=match, kind="after_commit", probability=LOST, times=None, seed=seed)
        registered = [register(rig.shop, number, "company") for number in range(COMPANIES)]
        killer = Killer(rig, chance, process=0, forked=KILLS, serve=run, ways=("in",))
        _until(rig, killer, registered)
        return check(rig.s4, rig.shop, registered)


def _until(rig: Rig, killer: Killer, registered: list[Registered]) -> None:
    """Kill; then let it work on without faults for a while."""
    deadline = time.monotonic() + 90
    while killer.progress < 1 and time.monotonic() < deadline:
        killer.look()
        time.sleep(0.002)
    rig.s4.disarm()
    deadline = time.monotonic() + 20
    while rig.s4.created("A_BusinessPartner") < len(registered) and time.monotonic() < deadline:
        killer.keep()
        time.sleep(0.05)
    killer.end()
