"""Registrations while S/4HANA loses answers and commits late and workers are killed: each is one partner that the shop knows."""

import os
import random
from pathlib import Path

import pytest

from benchmarks.registrations.__main__ import mistakes, play


@pytest.mark.slow
def test_150_registrations_become_150_partners_whatever_breaks(tmp_path: Path):
    seed = int(os.environ.get("L2C_RIG_SEED") or random.SystemRandom().randrange(10**6))
    print(f"L2C_RIG_SEED={seed}")
    played = play(tmp_path, 150, 5, seed)
    print(f"{played.killed}; faults: {played.faults}; {played.rounds} rounds until quiet, {played.seconds} s")
    assert mistakes(played, 150, 5) == []


@pytest.mark.slow
def test_without_a_quiet_period_the_rig_finds_doubles(tmp_path: Path):
    """That the checker can fail: a late commit that is looked up at once is not found, and sent again."""
    played = play(tmp_path, 60, 0, seed=7, processing_s=0, late_s=10)
    assert played.found.doubled
