"""What schedules of the model once showed, told in short."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.rig_model.owners import Users
from benchmarks.rig_model.resting import begin
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World


def run(world: World, clock: Clock) -> None:
    with world.hub(clock=clock) as hub:
        for system in (SOURCE, TARGET):
            hub.capture(FLOW, system, kind="sweep")
        for system in (TARGET, SOURCE):
            hub.distribute(FLOW, system)


def to(world: World, clock: Clock, moment: datetime) -> None:
    """It is that moment on every clock."""
    clock.moment = moment
    for system in (world.s4, world.shop):
        system.tell("clock", offset_s=(moment - datetime.now(UTC)).total_seconds())


@pytest.mark.fault("W5", "F6")
def test_a_stamp_that_stood_there_at_the_last_reading_does_not_date_a_later_edit(
    start_world: StartWorld, sqlite_url: str
):
    """The hub's own write moves the unit's stamp, a corrected address does not: the edit is as old as its reading."""
    world = start_world(sqlite_url, partners=8, two_way=True)
    clock, begun = Clock(datetime.now(UTC)), datetime.now(UTC)
    for _ in range(2):
        run(world, clock)
    to(world, clock, begun + timedelta(hours=1))
    one = next(one for one in begin(world) if one.places)
    users = Users(world, seed=1)
    users.look()
    users.call_in_s4(one, 1)
    assert users.count == 1
    clock.forward(minutes=9)  # the hub's clock alone is ahead: the edit is taken for younger than its delivery
    run(world, clock)
    to(world, clock, begun + timedelta(hours=2))
    run(world, clock)
    users.look()
    users.call_in_shop(one, 2)
    to(world, clock, begun + timedelta(hours=3))
    run(world, clock)
    users.look()
    [place] = [row for key, row in users.there_in_s4(one) if one.places[key].get("round") == 2]
    phones = [row["PhoneNumber"] for row in users.phones(place["AddressID"]) if row["PhoneNumberType"] == "1"]
    assert phones == [f"030 {users.count:07d}"]
