"""Reconcile: planted differences are found in the right class, what is in motion is not reported, nothing personal is told."""

import json
import time
from pathlib import Path

import pytest

from benchmarks.home import FLOW as ONE_WAY
from benchmarks.plants import System, after, before, garden, judged, moving
from l2c.state import cursors
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

PARTNER, UNIT = "A_BusinessPartner", "B2BUnit"
SHOWN = ("dead_letter", "equal_but_owned", "in_flight", "waiting")


def one_way(start_world: StartWorld, database_url: str, **options) -> World:
    """Both systems, the shop a target only."""
    world = start_world(database_url, **options)
    (world.home / "config" / "flows" / f"{FLOW}.yaml").write_text(ONE_WAY)
    return world


@pytest.fixture
def world(start_world: StartWorld, sqlite_url: str) -> World:
    """Two systems that agree."""
    world = one_way(start_world, sqlite_url, partners=60)
    world.load()
    return world


def reconciled(world: World, **options):
    with world.hub() as hub:
        return hub.reconcile(FLOW, show=SHOWN, **options)


def units(world: World) -> list[str]:
    return [key for key, data in world.shop.records(UNIT) if data["active"] and data["addresses"]]


def in_shop(world: World) -> int:
    return sum(1 for entity in (UNIT, "Customer") for _ in world.shop.records(entity))


def partner_of(world: World, unit: str) -> str:
    return next(key for key, data in world.s4.records(PARTNER) if data["Customer"] == unit)


def answered(world: World, *, expect: int):
    """What the command answers, with every record that is not simply equal, filtered or on its way."""
    shown = ("--show", "dead_letter", "--show", "equal_but_owned")
    text = world.run("reconcile", FLOW, "--json", "--limit", "1000", *shown, expect=expect)
    return json.loads(text[text.index("{") :])  # a slow machine tells its progress before


@pytest.mark.slow
def test_of_a_thousand_partners_every_planted_difference_is_found_in_its_class_and_nothing_else(
    start_world: StartWorld, sqlite_url: str, tmp_path: Path
):
    world = one_way(start_world, sqlite_url, partners=1000)
    world.load()
    clean = answered(world, expect=0)
    assert [one for one in clean["findings"] if one["verdict"] != "dead_letter"] == []
    assert clean["records"]["equal"] > 500
    assert sum(clean["records"].values()) == 1000
    place = garden(System(world.s4.url), System(world.shop.url), tmp_path / "state.db", seed=7)
    before(place, 5)
    world.load()
    after(place, 5)
    moving(place, 20)
    answer = answered(world, expect=1)
    found, lost, false = judged(answer, place.planted, clean)
    print(f"planted {len(place.planted)}, found {found}, {answer['seconds']} s, {answer['peak_rss_mb']} MB")
    assert lost == []
    assert false == []
    assert len(found) == 8
    assert sum(found.values()) == 40
    assert answer["records"]["in_flight"] == 20
    assert sum(answer["records"].values()) == 1000 + 5, "every record once, and those made in the shop"


def test_two_systems_that_agree_end_with_0_whatever_the_database(start_world: StartWorld, database_url: str):
    world = one_way(start_world, database_url, partners=60)
    world.load()
    text = world.run("reconcile", FLOW)
    assert "equal" in text
    found = reconciled(world)
    assert found.ok
    assert found.read == 60 + in_shop(world)
    assert sum(found.records.values()) == 60
    assert found.systems[TARGET]["equal"] == in_shop(world)
    assert found.systems[SOURCE]["equal"] == 60
    assert found.looked_twice == 0


def test_what_differs_is_told_by_key_and_field_and_never_by_value(world: World):
    unit = units(world)[0]
    secret = "Somebody Private"
    before_it = world.shop.record(UNIT, unit)["name"]
    world.shop.change(UNIT, unit, name=secret)
    text = world.run("reconcile", FLOW, expect=1)
    assert unit in text
    assert "unexplained" in text
    assert "name" in text
    assert secret not in text
    assert before_it not in text


def test_a_change_that_is_captured_but_not_distributed_is_in_flight(world: World):
    unit = units(world)[0]
    world.s4.change(PARTNER, partner_of(world, unit), OrganizationBPName1="New name")
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
    found = reconciled(world)
    assert found.ok
    assert [(one.verdict, one.system, one.key) for one in found.findings] == [("in_flight", TARGET, unit)]


def test_a_change_of_an_address_nobody_has_watched_for_is_unexplained_until_a_sweep(world: World):
    partner = partner_of(world, units(world)[0])
    place = next(
        key for key, data in world.s4.records("A_BusinessPartnerAddress") if data["BusinessPartner"] == partner
    )
    world.s4.change("A_BusinessPartnerAddress", place, CityName="Elsewhere")
    found = reconciled(world)
    assert [(one.verdict, one.system, one.key, one.fields) for one in found.findings] == [
        ("unexplained", SOURCE, partner, ("addresses",))
    ]
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE, kind="sweep")
        hub.distribute(FLOW, TARGET)
    assert reconciled(world).ok


def test_a_partner_asked_for_by_a_message_is_in_flight(world: World):
    partner = partner_of(world, units(world)[0])
    old = {"LastChangeDate": "2020-02-02T00:00:00", "LastChangeTime": "02:02:02"}
    world.s4.change(PARTNER, partner, OrganizationBPName1="New name", **old)
    assert [one.verdict for one in reconciled(world).findings] == ["unexplained"]
    with world.hub() as hub, hub._store.writing() as conn:
        cursors.put_inbox(conn, FLOW, SOURCE, [partner], "webhook", hub._store.now())
    assert [one.verdict for one in reconciled(world).findings] == ["in_flight"]


def test_a_partner_that_left_the_target_is_filtered_while_blocked_there_and_unexplained_when_somebody_unblocks_it(
    world: World,
):
    unit = units(world)[0]
    partner = partner_of(world, unit)
    filtered = reconciled(world).systems[TARGET]["filtered"]
    for key, data in list(world.s4.records("A_BusinessPartnerRole")):
        if data["BusinessPartner"] == partner:
            world.s4.delete("A_BusinessPartnerRole", key)
    world.s4.change(PARTNER, partner, SearchTerm1="LEFT")
    world.load()
    assert world.shop.record(UNIT, unit)["active"] is False
    found = reconciled(world)
    assert found.ok
    assert found.systems[TARGET]["filtered"] == filtered + 1
    world.shop.change(UNIT, unit, active=True)
    found = reconciled(world)
    assert [(one.verdict, one.key, one.fields) for one in found.findings] == [("unexplained", unit, ("active",))]


def test_a_partner_archived_away_at_its_source_is_missing_on_the_left_until_a_sweep(world: World):
    unit = units(world)[0]
    partner = partner_of(world, unit)
    world.s4.delete(PARTNER, partner)
    found = reconciled(world)
    assert [(one.verdict, one.system, one.key) for one in found.findings] == [("missing_left", SOURCE, partner)]
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE, kind="sweep")
        hub.distribute(FLOW, TARGET)
    assert reconciled(world).ok


def test_records_that_move_while_they_are_read_are_looked_at_twice_and_not_reported(world: World):
    """A partner of the second page, which is read ahead, changes and travels before that page is compared."""
    flow = world.home / "config" / "flows" / f"{FLOW}.yaml"
    flow.write_text(ONE_WAY.replace("page_size: 200", "page_size: 10"))
    second_page = [key for key, _ in world.s4.records(PARTNER)][10:20]
    customers = {data["Customer"] for key, data in world.s4.records(PARTNER) if key in second_page}
    partner = partner_of(world, next(unit for unit in units(world) if unit in customers))
    begun = pages_read(world)
    world.s4.fault("delay", method="GET", path=PARTNER, seconds=0.2)  # only what has to be waited for is read ahead
    moved = []

    def meanwhile(counts):
        if moved:
            return
        moved.append(counts["read"])
        while pages_read(world) < begun + 2:
            time.sleep(0.01)
        world.s4.change(PARTNER, partner, OrganizationBPName1="Changed meanwhile")
        world.load()

    found = reconciled(world, progress=meanwhile)
    assert moved == [10]
    assert found.looked_twice == 1
    assert found.ok, found.findings
    assert found.findings == ()


def pages_read(world: World) -> int:
    return sum(count for name, count in world.s4.requests().items() if name.startswith(f"GET {PARTNER} "))


def test_a_change_between_the_two_looks_is_not_reported(world: World):
    """What is wrong on first sight and repaired before the second look is nothing to tell."""
    unit = units(world)[0]
    right = world.shop.record(UNIT, unit)["name"]
    world.shop.change(UNIT, unit, name="Wrong on first sight")
    everything = 60 + in_shop(world)

    def meanwhile(counts):
        if counts["read"] == everything:
            world.shop.change(UNIT, unit, name=right)

    found = reconciled(world, progress=meanwhile)
    assert found.looked_twice == 1
    assert found.ok, found.findings


def test_one_system_alone_is_compared_with_the_journal(world: World):
    unit = units(world)[0]
    world.shop.change(UNIT, unit, name="Changed in the shop")
    assert reconciled(world, system=SOURCE).ok
    found = reconciled(world, system=TARGET)
    assert list(found.systems) == [TARGET]
    assert not found.ok
    message = world.run("reconcile", FLOW, "--system", "sales_cloud", expect=2)
    assert "sales_cloud" in message


def test_more_findings_than_asked_for_are_counted_but_not_listed(world: World):
    for unit in units(world)[:5]:
        world.shop.delete(UNIT, unit)
    found = reconciled(world, limit=2)
    assert len(found.findings) == 2
    assert found.unlisted == 3
    assert found.records["missing_right"] == 5


def test_an_unknown_class_is_a_wrong_call_that_names_those_there_are(world: World):
    message = world.run("reconcile", FLOW, "--show", "equalish", expect=2)
    assert "'equalish'" in message
    assert "equal_but_owned" in message


def test_nothing_is_written_anywhere(world: World):
    world.shop.delete(UNIT, units(world)[0])
    marks = world.s4.last_commit(), world.shop.last_commit()
    with world.hub() as hub:
        counts = [hub.status(FLOW)]
        hub.reconcile(FLOW)
        counts.append(hub.status(FLOW))
    assert marks == (world.s4.last_commit(), world.shop.last_commit())
    assert counts[0] == counts[1]
