"""The other half of the schedules that belong to the tests: a file of its own, so that two processes share them."""

import random

import pytest

from benchmarks.rig_model.playing import play
from tests.faults.test_model import SHARE, STEPS


@pytest.mark.slow
@pytest.mark.fault("T1", "T2", "T16", "F5", "F6", "C2", "C4")
def test_other_schedules_hold_every_invariant():
    start = random.randrange(10**6)
    played = play(SHARE, start, steps=STEPS)
    print(f"seed {start}: {played.schedules} schedules, {played.deaths} workers died, {played.seconds:.0f} s")
    assert played.violations == []
    assert played.schedules >= SHARE
    assert played.deaths
