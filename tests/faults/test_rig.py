"""A share of the fault rig, and that it can fail: against a plain loop, and against the hub without its intents."""

import os
import random
from pathlib import Path

import pytest

from benchmarks.rig.__main__ import SIZES, figures, play, wrong
from benchmarks.rig.crashing import STYLES, comes_to, crash_everywhere, pairs
from benchmarks.rig.proof import with_plain_loop, without_intents
from l2c.faultpoints import POINTS, VARIABLE, reach

SEED = int(os.environ.get("RIG_SEED") or random.SystemRandom().randrange(10**6))


def test_there_are_crash_points_enough_and_every_way_of_writing_has_most_of_them():
    assert len(set(POINTS)) == len(POINTS) >= 30
    every = pairs(1, 0)
    assert len(every) == len(POINTS) * len(STYLES) - sum(not comes_to(point, "key") for point in POINTS)
    assert len(every) > 0.9 * len(POINTS) * len(STYLES)
    assert pairs(0.1, 3) == pairs(0.1, 3) != pairs(0.1, 4)


def test_every_point_is_named_in_the_engine_and_no_other():
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[2].joinpath("l2c").rglob("*.py"))
    for point in POINTS:
        name, _, side = point.rpartition(".")
        said = f'reach("{point}")' if not side.endswith("_commit") else f'"{name}"'
        assert said in text, f"{point} is nowhere"


def test_nothing_happens_where_no_point_is_armed(monkeypatch: pytest.MonkeyPatch):
    reach("settle.after_commit")
    monkeypatch.setenv(VARIABLE, "page.read")
    reach("settle.after_commit")
    monkeypatch.setenv(VARIABLE, "settle.after_commit:3")
    reach("settle.after_commit")
    assert os.environ[VARIABLE] == "settle.after_commit:2", "it is counted where it was said"


@pytest.mark.slow
@pytest.mark.fault("C2", "T1", "T2", "T17", "W11")
def test_a_share_of_the_rig_loses_nothing_and_doubles_nothing(tmp_path: Path):
    print(f"RIG_SEED={SEED}")
    played = play(tmp_path, SIZES["ci"], SEED)
    print(figures(played, SEED))
    assert wrong(played, SIZES["ci"]) == []
    assert played.stormed.found.documents >= SIZES["ci"].plan.registrations
    assert len(played.crashed.died) >= 5


@pytest.mark.slow
def test_a_worker_that_dies_at_a_point_is_seen_to_die_there(tmp_path: Path):
    crashed = crash_everywhere(tmp_path, share=2 / len(pairs(1, 0)), seed=SEED)
    assert len(crashed.died) + len(crashed.passed_by) == 2
    assert crashed.mistakes == []


@pytest.mark.slow
def test_the_rig_finds_what_a_plain_loop_loses_and_doubles(tmp_path: Path):
    found = with_plain_loop(tmp_path, seed=11)
    assert found.lost or found.doubled


@pytest.mark.slow
def test_the_rig_finds_what_the_hub_doubles_without_its_intents(tmp_path: Path):
    found = without_intents(tmp_path, seed=11)
    assert found.doubled
