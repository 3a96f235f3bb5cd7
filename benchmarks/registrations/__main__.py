"""`python -m benchmarks.registrations [REGISTRATIONS [KILLS]]`: nobody who registers is created twice, whatever breaks.

Companies and consumers register in the simulated shop while worker processes replicate both ways; S/4HANA loses answers,
commits late, is busy or locked, and workers are killed. Then the faults end, and a checker that reads the two systems alone
counts. Writes `build/reports/registrations.json`; the seed is printed, `L2C_RIG_SEED` sets it.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.home import ENTITY, ROOT
from benchmarks.registrations.rig import LATE_S, PARTNER, Killed, Killer, Workers, arm, in_step, injected, until_quiet
from benchmarks.registrations.systems import PROCESSING_S, World, make_world, sandbox
from benchmarks.registrations.truth import Found, Visitors, check, standing
from benchmarks.reporting import write_report

REGISTRATIONS, KILLS = 2000, 20
BASE = 50
LOST, LATE = 0.03, 0.02  # at least so many answers to creates are lost after the commit, so many commits come late
LAST_S = 120.0  # how long it may take while faults are in force, besides a quarter of a second for each registration
ROUNDS = 20


@dataclass
class Played:
    """What was played, what fired, and what stands."""

    found: Found
    faults: dict[str, int]
    killed: Killed
    rounds: int | None
    dead_letters: list[str]
    reconciled: dict[str, Any]
    seconds: float


def play(
    folder: Path, count: int, kills: int, seed: int, *, processing_s: float = PROCESSING_S, late_s: float = LATE_S
) -> Played:
    """The whole story in that folder.

    `processing_s`: how long the hub holds a lost create for possibly at work; `late_s`: how late late commits really come.
    """
    chance, begun = random.Random(seed), time.monotonic()
    with (
        sandbox("s4hana", folder / "s4", "--partners", str(BASE)) as s4,
        sandbox("commerce", folder / "shop") as shop,
    ):
        world = make_world(folder, s4, shop, processing_s)
        in_step(world)
        before, made = standing(s4, PARTNER), s4.created(PARTNER)
        arm(s4, shop, chance, late_s)
        workers, visitors = Workers(world), Visitors(shop, count, random.Random(chance.random()))
        killer = Killer(workers, s4, chance, kills=kills, until=count)
        try:
            _busy(world, workers, killer, visitors, count)
        finally:
            workers.end()
        registered = visitors.registered
        print(
            f"{len(registered)} registered, {s4.created(PARTNER)} partners created, killed: {dict(killer.killed.workers)}"
        )
        faults = {"s4hana": injected(s4), "commerce": injected(shop)}
        for system in (s4, shop):
            system.disarm()
        while s4.ask("stats")["late_pending"]:
            time.sleep(0.1)
        rounds = until_quiet(world, at_most=ROUNDS)
        found = check(s4, shop, registered, before=before, made=made)
        with world.hub() as hub:
            dead = [letter.message for letter in hub.dead_letters(ENTITY)]
        reconciled = _reconcile(world)
    fired = {f"{system} {name}": n for system, counts in faults.items() for name, n in sorted(counts.items())}
    return Played(found, fired, killer.killed, rounds, dead, reconciled, round(time.monotonic() - begun, 1))


def _busy(world: World, workers: Workers, killer: Killer, visitors: Visitors, count: int) -> None:
    """Everybody registers while workers work and are killed; until all partners are there or time is over."""
    first = world.s4.created(PARTNER)
    for name in ("commerce", "s4hana"):
        workers.start(name)
    visitors.start()
    last_s = LAST_S + count / 4
    deadline = time.monotonic() + last_s
    while visitors.is_alive() or not killer.done or world.s4.created(PARTNER) - first < count:
        if time.monotonic() > deadline:
            break
        workers.living()
        killer.look(world)
        time.sleep(0.002)
    visitors.join(timeout=last_s)


def _reconcile(world: World) -> dict[str, Any]:
    """What `l2c reconcile` says."""
    run = "import sys; from l2c.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", run, "reconcile", ENTITY, "--json"]
    done = subprocess.run(command, env=dict(world.env), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figures(played: Played, count: int, kills: int, seed: int) -> dict[str, Any]:
    """The report's figures."""
    found, records = played.found, played.reconciled["records"]
    return {
        "registrations": count,
        "partners": found.partners,
        "created": found.created,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "without_number": len(found.numberless),
        "wrong": len(found.wrong),
        "kills": sum(played.killed.workers.values()),
        "kills_wanted": kills,
        "kills_while_sending": played.killed.at_work,
        "faults_injected": played.faults,
        "lost_after_commit": played.faults["s4hana create after_commit"],
        "late_commits": played.faults["s4hana create late_commit"],
        "dead_letters": len(played.dead_letters),
        "unexplained": records["unexplained"],
        "classes": records,
        "rounds_until_quiet": played.rounds,
        "seed": seed,
    }


def mistakes(played: Played, count: int, kills: int) -> list[str]:
    """What is not as it must be, in words."""
    found, faults = played.found, played.faults
    wrong = [*found.mistakes, *(f"dead letter: {text}" for text in played.dead_letters)]
    if (found.partners, found.created) != (count, count):
        wrong.append(f"{count} registrations, {found.partners} partners, {found.created} created")
    if played.rounds is None:
        wrong.append(f"not quiet after {ROUNDS} rounds without faults")
    if not played.reconciled["ok"]:
        wrong.append(f"reconcile: {played.reconciled['records']}: {played.reconciled['findings'][:3]}")
    for name, share in (("after_commit", LOST), ("late_commit", LATE)):
        if faults[f"s4hana create {name}"] < share * count:
            wrong.append(f"only {faults[f's4hana create {name}']} times {name}: too few to prove anything")
    if sum(played.killed.workers.values()) != kills or not played.killed.at_work:
        wrong.append(f"killed {played.killed}, wanted {kills}, some while sending")
    return wrong


def main(count: int = REGISTRATIONS, kills: int = KILLS) -> int:
    """Play, write the report; 0 when each registration is one partner that the shop knows."""
    seed = int(os.environ.get("L2C_RIG_SEED") or random.SystemRandom().randrange(10**6))
    print(f"L2C_RIG_SEED={seed}", flush=True)
    started, folder = datetime.now(UTC), Path(tempfile.mkdtemp(prefix="l2c-registrations-"))
    played = play(folder, count, kills, seed)
    wrong = mistakes(played, count, kills)
    found = figures(played, count, kills, seed)
    write_report("registrations", found, started=started, seconds=played.seconds, ok=not wrong)
    print(json.dumps(found, indent=2))
    for line in wrong[:20]:
        print(f"wrong: {line}")
    if wrong:
        print(f"{len(wrong)} things are wrong; state and logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
