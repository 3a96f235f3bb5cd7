"""Schedules of edits, faults, crashes and clock jumps hold every invariant; with a rule of the engine switched off they do not."""

import random

import pytest

from benchmarks.rig_model.playing import play

SHARE = 100  # of the 200 schedules that belong to the tests; the other half is in test_model_again.py
STEPS = 5


@pytest.mark.slow
@pytest.mark.fault("T1", "T2", "T16", "F5", "F6", "C2", "C4")
def test_schedules_hold_every_invariant():
    start = random.randrange(10**6)
    played = play(SHARE, start, steps=STEPS)
    print(f"seed {start}: {played.schedules} schedules, {played.deaths} workers died, {played.seconds:.0f} s")
    assert played.violations == []
    assert played.schedules >= SHARE
    assert played.deaths
