"""`python -m benchmarks.rig`: crash points, late commits and the storm; nothing is lost, nothing doubled. Or exit code 1.

Writes `build/reports/rig.json`. `RIG=ci` takes minutes, `RIG=long` five times as much as usual. The seed is printed,
`RIG_SEED` sets it.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.reporting import write_report
from benchmarks.rig.crashing import Crashed, crash_everywhere
from benchmarks.rig.killing import FORKED, PROCESS
from benchmarks.rig.late import Late, late_kills
from benchmarks.rig.storm import KINDS, LEAST, Plan, Stormed, storm
from l2c.faultpoints import POINTS


@dataclass(frozen=True)
class Size:
    """How much a rig does; `crash_share`: of the pairs of crash point and way of writing."""

    plan: Plan
    late: int
    crash_share: float


SIZES: Mapping[str, Size] = {
    "ci": Size(Plan(60, 40, 30, process=2, forked=14, loaded=True), late=6, crash_share=0.04),
    "": Size(Plan(100_000, 42_000, 5_600, process=210, forked=1_060), late=310, crash_share=1.0),
    "long": Size(Plan(340_000, 210_000, 28_000, process=1_050, forked=6_000), late=1_550, crash_share=1.0),
}


@dataclass
class Played:
    """The three parts of a rig."""

    crashed: Crashed = field(default_factory=Crashed)
    late: Late = field(default_factory=Late)
    stormed: Stormed = field(default_factory=Stormed)

    @property
    def mistakes(self) -> list[str]:
        """Everything that is not as it must be."""
        parts = (self.crashed, self.late.stormed, self.stormed)
        return [text for part in parts for text in part.mistakes]


def play(folder: Path, size: Size, seed: int) -> Played:
    """All three parts, each in an installation of its own."""
    played = Played()
    for name in ("crashes", "late", "storm"):
        (folder / name).mkdir()
    played.crashed = crash_everywhere(folder / "crashes", share=size.crash_share, seed=seed)
    tell(f"{len(played.crashed.died)} died at {len(played.crashed.points)} points", played)
    played.late = late_kills(folder / "late", size.late, seed)
    tell(f"{played.late.kills} killed with a commit still to come", played)
    played.stormed = storm(folder / "storm", size.plan, seed)
    tell(f"{dict(played.stormed.struck.kills)} killed in the storm", played)
    return played


def tell(text: str, played: Played) -> None:
    """How far it is."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}; {len(played.mistakes)} mistakes so far", flush=True)


def figures(played: Played, seed: int) -> dict[str, Any]:
    """The report's figures."""
    crashed, late, stormed = played.crashed, played.late, played.stormed
    kills = Counter(stormed.struck.kills) + Counter(late.stormed.struck.kills)
    found = (crashed.found, late.stormed.found, stormed.found)
    return {
        "kills_process": kills[PROCESS],
        "kills_forked": kills[FORKED] + len(crashed.died),
        "terminated": stormed.struck.terminated,
        "stopped": stormed.struck.stopped,
        "records": sum(one.records for one in found),
        "documents": sum(one.documents for one in found),
        "lost": sum(len(one.lost) for one in found),
        "doubled": sum(len(one.doubled) for one in found),
        "wrong": sum(len(one.wrong) for one in found),
        "key_taken": sum(len(one.taken) for one in found),
        "held_for_a_decision": sum(len(one.held) for one in found),
        "late_commit_kills": late.kills,
        "late_commit_doubled": len(late.stormed.found.doubled),
        "crash_points": len(crashed.points),
        "crash_pairs": len(crashed.died),
        "crash_pairs_passed_by": len(crashed.passed_by),
        "unexplained": crashed.unexplained + late.stormed.unexplained + stormed.unexplained,
        "writes": stormed.writes,
        "faults_injected": stormed.shares,
        "seed": seed,
    }


def wrong(played: Played, size: Size) -> list[str]:
    """What is not as it must be, and what would prove nothing."""
    stormed = played.stormed
    found = list(played.mistakes)
    kills, wanted = stormed.struck.kills, size.plan.process + size.plan.forked
    if kills[PROCESS] < size.plan.process or kills[PROCESS] + kills[FORKED] < wanted:
        found.append(f"killed {dict(stormed.struck.kills)}, wanted {size.plan.process} and {size.plan.forked}")
    if played.late.kills < size.late:
        found.append(f"{played.late.kills} kills with a commit still to come, wanted {size.late}")
    if size.crash_share >= 1:
        found += [f"nobody died at {point}" for point in POINTS if point not in played.crashed.points]
    if size.plan.writes_prove_something:
        few = [kind for kind in KINDS if stormed.shares.get(kind, 0) < LEAST]
        found += [f"{kind} met less than {LEAST:.0%} of the writes: {stormed.shares}" for kind in few]
    return found


def main() -> int:
    """Play, write the report; 0 when nothing is lost, doubled or unexplained."""
    name = os.environ.get("RIG", "")
    if name not in SIZES:
        raise SystemExit(f"RIG is ci, long or not set, not '{name}'")
    seed = int(os.environ.get("RIG_SEED") or random.SystemRandom().randrange(10**6))
    print(f"RIG_SEED={seed}", flush=True)
    started, begun = datetime.now(UTC), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="l2c-rig-"))
    played = play(folder, SIZES[name], seed)
    mistakes, told = wrong(played, SIZES[name]), figures(played, seed)
    write_report("rig", told, started=started, seconds=time.monotonic() - begun, ok=not mistakes)
    print(json.dumps(told, indent=2))
    print(f"seconds: {played.late.stormed.seconds}, {played.stormed.seconds}; passed by: {played.crashed.passed_by}")
    for line in mistakes[:40]:
        print(f"wrong: {line}")
    if mistakes:
        print(f"{len(mistakes)} things are wrong; states and logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
