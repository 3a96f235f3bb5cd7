"""Plays many schedules one after the other and counts those in which an invariant did not hold."""

import time
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.rig_model.schedules import Schedules
from benchmarks.rig_model.world import Worlds

AT_ONCE = 25  # schedules drawn with one seed
MOST_VIOLATIONS = 20
STEPS = 8


@dataclass
class Played:
    """Schedules played, workers that died in them, and each violation with the seed and the steps that show it."""

    schedules: int = 0
    deaths: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


def play(
    wanted: int,
    start: int,
    *,
    steps: int = STEPS,
    shrink: bool = False,
    until: float = float("inf"),
) -> Played:
    """That many schedules of so many steps, from that seed on; `until`: the monotonic moment at which none begins any more.

    A violation ends the schedules of its seed.
    """
    played, worlds, begun = Played(), Worlds(start), time.monotonic()
    drawn = start
    try:
        while worlds.schedules < wanted and time.monotonic() < until and len(played.violations) < MOST_VIOLATIONS:
            text = _play(worlds, drawn, min(AT_ONCE, wanted - worlds.schedules), steps=steps, shrink=shrink)
            if text:
                played.violations.append(f"seed {drawn}: {text}")
            drawn += 1
    finally:
        worlds.drop()
    played.schedules, played.deaths = worlds.schedules, worlds.deaths
    played.seconds = time.monotonic() - begun
    return played


def _play(worlds: Worlds, drawn: int, wanted: int, *, steps: int, shrink: bool) -> str:
    machine = seed(drawn)(type("Schedule", (Schedules,), {"worlds": worlds}))
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    how = settings(
        max_examples=wanted,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    except Exception as error:  # noqa: BLE001  # whatever ends a schedule is a violation, told with its steps
        return "\n".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())))
    return ""
