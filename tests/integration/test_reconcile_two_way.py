"""Reconcile where both systems are captured and written: edits are on their way, what was missed or lost is told."""

import pytest
from sqlalchemy import select

from l2c.state import cursors
from l2c.state.tables import cursor
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

UNIT, ADDRESS = "B2BUnit", "Address"
HOUR_S = 3600
PARTNERS = 30
SHOWN = ("in_flight", "waiting", "dead_letter", "equal_but_owned")


def travel(world: World) -> None:
    with world.hub() as hub:
        for _ in range(2):
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system)
            for system in (TARGET, SOURCE):
                hub.distribute(FLOW, system)


def reconciled(world: World):
    with world.hub() as hub:
        return hub.reconcile(FLOW, show=SHOWN, limit=1000)


def told(found) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return sorted((one.verdict, one.system, one.key, one.fields) for one in found.findings)


@pytest.fixture
def world(start_world: StartWorld, sqlite_url: str) -> World:
    """Two systems that agree, each a source and a target."""
    world = start_world(sqlite_url, partners=PARTNERS, two_way=True)
    travel(world)
    return world


@pytest.fixture
def places(world: World) -> list[tuple[str, str]]:
    """Units with the address key of their first address."""
    return [
        (key, f"false/{data['addresses'][0]['publicKey']}")
        for key, data in world.shop.records(UNIT)
        if data["active"] and data["addresses"]
    ]


def miss(world: World) -> None:
    """A read of the shop whose pages got lost, later than any overlap: the next capture begins behind what changed so far."""
    world.shop.tell("clock", offset_s=HOUR_S)
    with world.hub() as hub, hub._store.reading() as conn:
        rows = conn.execute(select(cursor).where(cursor.c.system == TARGET, cursor.c.kind == "capture")).all()
        connector = hub._wiring.connector(TARGET)
        natives = {mapper.variant: mapper.native for mapper in hub._wiring.readers(FLOW, TARGET)}
        ends = {
            row.partition: [page.cursor for page in read(connector, natives[row.partition], row.value)][-1]
            for row in rows
        }
    with world.hub() as hub, hub._store.writing() as conn:
        for partition, value in ends.items():
            if value is not None:
                cursors.set_cursor(conn, FLOW, TARGET, "capture", value, hub._store.now(), partition=partition)


def read(connector, native: str, since: str):
    for page in connector.read(native, since=since, page_size=200):
        list(page.records)
        yield page


def test_where_both_systems_agree_every_record_is_equal_or_filtered_in_each(world: World):
    found = reconciled(world)
    assert told(found) == []
    assert found.looked_twice == 0
    assert found.systems[SOURCE]["equal"] == PARTNERS
    assert found.records["equal"] + found.records["filtered"] == PARTNERS
    assert found.records["equal"] > PARTNERS / 2


def test_edits_in_the_shop_are_in_flight_until_they_have_travelled_whoever_owns_the_field(world: World, places):
    (phoned, place), (renamed, _), (added, _), (removed, gone), *_ = places
    world.shop.change(ADDRESS, place, phone1="+49 89 111222")
    world.shop.change(UNIT, renamed, name="S/4HANA will say no")
    world.shop.create(ADDRESS, {"owner": added, "streetname": "Nebenweg", "town": "Bonn", "country": "DE"})
    world.shop.delete(ADDRESS, gone)
    found = reconciled(world)
    assert found.ok
    assert told(found) == sorted(("in_flight", TARGET, unit, ()) for unit in (phoned, renamed, added, removed))
    travel(world)
    found = reconciled(world)
    assert told(found) == []
    assert found.systems[SOURCE]["equal"] == PARTNERS


def test_an_edit_its_capture_missed_is_unexplained_by_the_field_the_source_shows(world: World, places):
    unit, place = places[0]
    world.shop.change(ADDRESS, place, phone1="+49 89 111222")
    miss(world)
    found = reconciled(world)
    assert told(found) == [("unexplained", TARGET, unit, ("addresses",))]
    assert "sweep" in found.findings[0].reason
    with world.hub() as hub:
        hub.capture(FLOW, TARGET, kind="sweep")
    travel(world)
    assert told(reconciled(world)) == []


def test_what_is_written_and_never_read_is_compared_as_it_was_written(world: World, places):
    (one, place), (two, other), *_ = places
    world.shop.change(ADDRESS, place, sapCustomerID="123")
    world.shop.change(ADDRESS, other, billingAddress=False)
    miss(world)
    assert told(reconciled(world)) == [
        ("unexplained", TARGET, one, ("addresses.sapCustomerID",)),
        ("unexplained", TARGET, two, ("addresses.billingAddress",)),
    ]


def test_a_unit_deleted_in_the_shop_is_missing_on_the_right_until_a_sweep_of_the_shop_brings_it_back(
    world: World, places
):
    unit, _ = places[0]
    world.shop.delete(UNIT, unit)
    assert told(reconciled(world)) == [("missing_right", TARGET, unit, ())]
    with world.hub() as hub:
        hub.capture(FLOW, TARGET, kind="sweep")
    travel(world)
    assert told(reconciled(world)) == []
    assert world.shop.record(UNIT, unit) is not None


def test_a_unit_born_in_the_shop_is_in_flight_and_missing_on_the_left_once_its_capture_missed_it(world: World):
    world.shop.create(UNIT, {"uid": "BORN-HERE", "name": "Newcomer", "active": True})
    assert told(reconciled(world)) == [("in_flight", TARGET, "BORN-HERE", ())]
    miss(world)
    assert told(reconciled(world)) == [("missing_left", TARGET, "BORN-HERE", ())]


def test_a_match_that_waits_for_a_decision_is_waiting(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=PARTNERS, two_way=True)
    number = next(data["Customer"] for _, data in world.s4.records("A_BusinessPartner") if data["Customer"])
    for unit in ("OLD-1", "OLD-2"):
        world.shop.create(UNIT, {"uid": unit, "name": "Twice there", "active": True, "l2cCustomerNumber": number})
    travel(world)
    found = reconciled(world)
    waiting = [(one.system, one.key) for one in found.findings if one.verdict == "waiting"]
    assert (TARGET, "OLD-1") in waiting
    assert (TARGET, "OLD-2") in waiting
    assert found.ok, found.findings
