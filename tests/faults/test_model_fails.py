"""The schedules can fail: with one rule of the engine switched off in the workers, an invariant does not hold any more."""

from collections.abc import Callable

import pytest

from benchmarks.rig_model.owners import SOURCE, TARGET
from benchmarks.rig_model.schedules import Schedules
from benchmarks.rig_model.world import Worlds
from l2c.distribute.present import Present
from l2c.state import distributions

Prepare = Callable[[], None]
Play = Callable[[Schedules], None]


def nothing_goes_back() -> None:
    """An edit by who does not own the field stays where it was made."""
    distributions.give_back = lambda *_: None  # type: ignore[assignment]


def nothing_has_moved() -> None:
    """What changed in the target since it was read is overwritten."""
    Present._moved = lambda *_: False  # type: ignore[method-assign]


def renamed_in_the_shop(schedule: Schedules) -> None:
    schedule.edit(who=0, act="rename_in_shop")
    schedule.run(minutes=15)


def called_on_both_sides(schedule: Schedules) -> None:
    """The younger number is typed when the older one was read and not yet written."""
    schedule.edit(who=0, act="call_in_s4")
    for system in (SOURCE, TARGET):
        schedule.capture(system=system, kind="sweep")
    schedule.time_passes(minutes=12)
    schedule.edit(who=0, act="call_in_shop")
    schedule.distribute(system=TARGET)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defect", "steps"), [(nothing_goes_back, renamed_in_the_shop), (nothing_has_moved, called_on_both_sides)]
)
def test_a_planted_defect_is_found_by_steps_that_pass_without_it(defect: Prepare, steps: Play):
    played(steps, None)
    with pytest.raises(AssertionError, match=r"^I5: "):
        played(steps, defect)


def played(steps: Play, defect: Prepare | None) -> None:
    """Play these steps, let the world come to rest, and judge it."""
    worlds = Worlds(3, defect)
    try:
        schedule = type("Planted", (Schedules,), {"worlds": worlds})()
        steps(schedule)
        schedule.teardown()
        assert schedule.users.count, "somebody typed something"
    finally:
        worlds.drop()
