"""`python -m benchmarks.rig_model`: schedules against the model, answers cut everywhere; build/reports/rig-model.json.

Exit code 1 when an invariant did not hold, something was settled by half an answer, or fewer schedules were played than asked.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.registrations.systems import sandbox
from benchmarks.reporting import write_report
from benchmarks.rig.world import SOURCE
from benchmarks.rig_model.cuts import Cut, cut_batches, cut_pages, every_outcome
from benchmarks.rig_model.playing import STEPS, Played, play
from benchmarks.rig_model.settled import settle_cut_pages, settle_parts

FORK = multiprocessing.get_context("fork")
APART = 1_000_000  # seeds of one process do not come to those of the next


def main(words: Sequence[str] | None = None) -> int:
    """Play, cut, write the report."""
    asked = _asked(words)
    started, begun = datetime.now(UTC), time.monotonic()
    print(
        f"seed {asked.seed}: {asked.schedules} schedules of {asked.steps} steps in {asked.processes} processes",
        flush=True,
    )
    cut = Cut()
    with tempfile.TemporaryDirectory() as folder, sandbox(SOURCE, Path(folder), "--partners", "6") as s4:
        for work in (cut_pages, cut_batches):
            work(s4, cut, every=asked.every)
        every_outcome(s4, cut)
    settle_cut_pages(cut, every=asked.every * 100)
    settle_parts(cut)
    print(
        f"{cut.cuts} cuts, {cut.part_outcomes} combinations of parts: {len(cut.partial)} partial settlements",
        flush=True,
    )
    told = _play(asked, begun + asked.minutes * 60)
    violations = [text for one in told for text in one.violations]
    for text in [*violations, *cut.partial[:20]]:
        print(text, flush=True)
    schedules = sum(one.schedules for one in told)
    slowest = max(one.seconds for one in told)
    figures = {
        "schedules": schedules,
        "violations": len(violations),
        "cuts": cut.cuts,
        "partial_settlements": len(cut.partial),
        "part_outcomes": cut.part_outcomes,
        "crashes": sum(one.deaths for one in told),
        "steps": asked.steps,
        "seed": asked.seed,
        "schedules_per_minute": round(schedules / max(slowest, 1e-9) * 60, 1),
    }
    ok = not violations and not cut.partial and schedules >= asked.schedules
    write_report("rig-model", figures, started=started, seconds=time.monotonic() - begun, ok=ok)
    print(figures, flush=True)
    return 0 if ok else 1


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rig_model", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--minutes", type=float, default=43.0, help="no schedule begins later than so many minutes after the start"
    )
    parser.add_argument("--every", type=int, default=1, help="cut behind every n-th byte")
    parser.add_argument("--seed", type=int, default=random.randrange(10**5))
    parser.add_argument("--shrink", action="store_true", help="look for the shortest schedule that shows a violation")
    return parser.parse_args(words)


def _play(asked: argparse.Namespace, until: float) -> list[Played]:
    ends = []
    for number in range(asked.processes):
        share = asked.schedules // asked.processes + (number < asked.schedules % asked.processes)
        ours, theirs = FORK.Pipe()
        player = FORK.Process(target=_player, args=(theirs, share, asked.seed + number * APART, asked, until))
        player.start()
        theirs.close()
        ends.append((ours, player))
    told = []
    for ours, player in ends:
        told.append(ours.recv())
        player.join()
    return told


def _player(end: Connection, share: int, start: int, asked: argparse.Namespace, until: float) -> None:
    end.send(play(share, start, steps=asked.steps, shrink=asked.shrink, until=until))


if __name__ == "__main__":
    sys.exit(main())
