"""The schedules can fail: with one rule of the engine switched off in the workers, an invariant does not hold any more."""

from collections.abc import Callable

import pytest

from benchmarks.rig_model.playing import play
from l2c.distribute.present import Present
from l2c.state import distributions

AT_MOST = 150


def nothing_goes_back() -> None:
    """An edit by who does not own the field stays where it was made."""
    distributions.give_back = lambda *_: None  # type: ignore[assignment]


def nothing_has_moved() -> None:
    """What changed in the target since it was read is overwritten."""
    Present._moved = lambda *_: False  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.parametrize(("defect", "steps", "seed"), [(nothing_goes_back, 5, 3), (nothing_has_moved, 8, 3)])
def test_a_planted_defect_is_found(defect: Callable[[], None], steps: int, seed: int):
    played = play(AT_MOST, seed, steps=steps, prepare=defect, enough=1)
    print(f"found after {played.schedules} schedules, {played.seconds:.0f} s: {played.violations}")
    assert played.violations
