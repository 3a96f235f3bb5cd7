"""Business partners from S/4HANA to the shop, end to end: both systems as processes, on SQLite and on PostgreSQL."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from l2c.errors import HubError, TransientError
from l2c.hub import Hub
from l2c.state.results import DISTRIBUTE
from tests.conftest import Clock
from tests.integration.checker import addresses_of, check, consumers_of, customers_of
from tests.integration.conftest import StartWorld
from tests.integration.world import ADDRESSES, FLOW, SOURCE, TARGET, World

PARTNERS = 60
PARTNER = "A_BusinessPartner"
BATCH_DONE = "POST $batch 202"


@pytest.fixture
def world(start_world: StartWorld, database_url: str) -> World:
    """Both systems and an empty store."""
    return start_world(database_url, partners=PARTNERS)


def replicate(world: World) -> tuple[dict[str, int], dict[str, int]]:
    """One capture and one distribution; their counts."""
    with world.hub() as hub:
        captured, distributed = hub.capture(FLOW, SOURCE), hub.distribute(FLOW, TARGET)
    assert captured.sums_met
    assert distributed.sums_met
    return dict(captured.counts), dict(distributed.counts)


def watch(world: World) -> None:
    with world.hub() as hub:
        assert hub.capture(FLOW, SOURCE, kind="watch", watch=ADDRESSES).sums_met


def sweep(world: World) -> dict[str, int]:
    with world.hub() as hub:
        return dict(hub.capture(FLOW, SOURCE, kind="sweep").counts)


def a_customer(world: World, *, addresses: int = 1) -> tuple[str, str, list[str]]:
    """Partner number, customer number and address keys of a customer that is not blocked and has addresses valid today."""
    today = datetime.now(UTC).date().isoformat()
    places = addresses_of(world.s4)
    for number, partner in customers_of(world.s4).items():
        own = [
            p
            for p in places[partner["BusinessPartner"]]
            if p["ValidityStartDate"][:10] <= today <= p["ValidityEndDate"][:10]
        ]
        if len(own) == addresses and not partner["BusinessPartnerIsBlocked"]:
            key = partner["BusinessPartner"]
            return key, number, [f"{key}/{place['AddressID']}" for place in own]
    raise AssertionError("the generated data has no such customer")


def unit(world: World, number: str) -> dict:
    found = world.shop.record("B2BUnit", number)
    assert found is not None
    return found


def retrying(hub: Hub) -> int:
    """How many states of the shop are to be tried again."""
    return next(cell.retrying for cell in hub.status(FLOW) if cell.system == TARGET and cell.kind == DISTRIBUTE)


def in_the_shop(world: World) -> int:
    """How many customers of S/4HANA the shop is to have."""
    return len(customers_of(world.s4)) + len(consumers_of(world.s4))


def test_a_first_load_is_complete_and_a_second_run_writes_nothing(world: World):
    captured, distributed = replicate(world)
    assert captured["read"] == PARTNERS
    assert captured["journaled"] == captured["born"] == PARTNERS
    assert distributed["due"] == PARTNERS
    assert distributed["written"] == in_the_shop(world)
    assert distributed["filtered"] == PARTNERS - in_the_shop(world), (
        "suppliers, prospects, groups, mere contacts stay out"
    )
    assert check(world.s4, world.shop).differences == []

    written = world.shop.last_commit()
    replicate(world)
    assert world.shop.last_commit() == written
    again = sweep(world)
    assert again["read"] == again["unchanged"] == PARTNERS, "a record that is read twice is no change"
    with world.hub() as hub:
        assert hub.distribute(FLOW, TARGET).status == "nothing"
    assert world.shop.last_commit() == written


def test_an_address_only_change_arrives_by_the_watch(world: World):
    replicate(world)
    _, number, places = a_customer(world)
    written = world.shop.last_commit()
    world.s4.change(ADDRESSES, places[0], StreetName="Neue Straße", HouseNumber="7 b")
    replicate(world)
    assert world.shop.last_commit() == written, "the partner's change stamp did not move: a delta cannot see it"
    watch(world)
    captured, distributed = replicate(world)
    assert captured["journaled"] == distributed["written"] == 1
    shown = unit(world, number)["addresses"][0]
    assert (shown["streetname"], shown["streetnumber"]) == ("Neue Straße", "7 b")
    assert check(world.s4, world.shop).differences == []


def test_a_partner_blocked_in_s4_is_inactive_in_the_shop_until_it_is_released(world: World):
    replicate(world)
    key, number, _ = a_customer(world)
    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=True)
    _, distributed = replicate(world)
    assert distributed["written"] == 1
    assert unit(world, number)["active"] is False
    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=False)
    replicate(world)
    assert unit(world, number)["active"] is True
    assert check(world.s4, world.shop).differences == []


def test_a_partner_that_is_no_customer_any_more_leaves_the_shop_inactive(world: World):
    replicate(world)
    key, number, _ = a_customer(world)
    for role in ("FLCU00", "FLCU01"):
        world.s4.delete("A_BusinessPartnerRole", f"{key}/{role}")
    world.s4.change(PARTNER, key, SearchTerm1="LEFT")  # a role alone does not move the stamp
    replicate(world)
    assert unit(world, number)["active"] is False
    assert unit(world, number)["addresses"], "what stood in the shop stays there, blocked"
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("T11")
def test_a_bad_record_becomes_a_dead_letter_and_is_written_once_it_is_repaired_and_redriven(world: World):
    key, number, places = a_customer(world)
    country = world.s4.record(ADDRESSES, places[0])["Country"]
    world.s4.change(ADDRESSES, places[0], Country="XX")
    _, distributed = replicate(world)
    assert distributed["dead_letter"] == 1
    assert distributed["written"] == in_the_shop(world) - 1, "the good ones stand in the shop"
    with world.hub() as hub:
        [letter] = hub.dead_letters(FLOW)
    assert letter.system == TARGET
    assert letter.key == key
    assert "country" in letter.message
    assert world.shop.record("B2BUnit", number) is None

    world.s4.change(ADDRESSES, places[0], Country=country)
    with world.hub() as hub:
        assert hub.redrive(FLOW) == 1
    _, distributed = replicate(world)
    assert distributed["written"] == 1
    with world.hub() as hub:
        assert hub.dead_letters(FLOW) == []
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("R10", "F4")
def test_a_partner_deleted_in_s4_is_found_by_the_sweep_and_blocked_in_the_shop(world: World):
    replicate(world)
    key, number, _ = a_customer(world)
    world.s4.delete(PARTNER, key)
    replicate(world)
    assert unit(world, number)["active"] is True, "a delta does not see what is gone"
    counts = sweep(world)
    assert counts["deleted"] == 1
    with world.hub() as hub:
        assert hub.distribute(FLOW, TARGET).counts["written"] == 1
    assert unit(world, number)["active"] is False
    assert check(world.s4, world.shop).differences == []


def test_an_address_taken_away_in_s4_goes_and_one_the_shop_added_stays(world: World):
    replicate(world)
    _, number, places = a_customer(world, addresses=2)
    gone = world.s4.record(ADDRESSES, places[1])
    world.shop.create("Address", {"owner": number, "streetname": "Hofladen", "country": "DE"})
    world.s4.delete(ADDRESSES, places[1])
    watch(world)
    replicate(world)
    streets = [place["streetname"] for place in unit(world, number)["addresses"]]
    assert len(streets) == 2
    assert "Hofladen" in streets
    assert gone["StreetName"] not in streets


def test_an_address_comes_and_goes_with_its_validity(start_world: StartWorld, database_url: str):
    world = start_world(database_url, partners=PARTNERS)
    _, number, places = a_customer(world)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    world.s4.change(ADDRESSES, places[0], ValidityStartDate=f"{tomorrow}T00:00:00Z")
    clock = Clock(datetime.now(UTC))
    with world.hub(clock=clock) as hub:
        hub.capture(FLOW, SOURCE)
        hub.distribute(FLOW, TARGET)
        assert unit(world, number)["addresses"] == []
        assert hub.distribute(FLOW, TARGET).status == "nothing"
        clock.forward(days=1)
        assert hub.distribute(FLOW, TARGET).counts["written"] >= 1
    assert len(unit(world, number)["addresses"]) == 1
    assert check(world.s4, world.shop, today=_iso(clock)).differences == []


def test_a_shop_that_is_away_costs_nothing_but_time(world: World):
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        world.shop.fault("status", path="batch", status=503, times=None)
        with pytest.raises(TransientError, match="the rest is sent by the next run"):
            hub.distribute(FLOW, TARGET)
        assert retrying(hub) == in_the_shop(world)
    assert world.shop.log() == []
    clock = Clock(datetime.now(UTC))
    for _ in range(6):  # longer than the attempts a record has: being away is no fault of the records
        clock.forward(hours=1)
        with world.hub(clock=clock) as hub:
            with pytest.raises(TransientError):
                hub.distribute(FLOW, TARGET)
            assert retrying(hub) == in_the_shop(world)
    world.shop.heal()
    clock.forward(hours=1)
    with world.hub(clock=clock) as hub:
        assert hub.distribute(FLOW, TARGET).counts["written"] == in_the_shop(world)
        assert hub.dead_letters(FLOW) == []
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("T1")
def test_answers_lost_after_the_shop_acted_double_nothing(world: World):
    world.shop.fault("after_commit", method="POST", path="batch", times=1)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        first = hub.distribute(FLOW, TARGET)
        assert first.sums_met
        assert first.counts["retrying"] > 0
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    with world.hub(clock=clock) as hub:
        second = hub.distribute(FLOW, TARGET)
        assert second.counts["written"] == first.counts["retrying"]
    found = check(world.s4, world.shop)
    assert found.differences == []


def test_a_write_whose_answer_was_lost_is_no_certainty_when_the_source_goes_back(world: World):
    replicate(world)
    key, number, _ = a_customer(world)
    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=True)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        world.shop.fault("after_commit", method="POST", path="batch", times=1)
        assert hub.distribute(FLOW, TARGET).counts["retrying"] == 1
    assert unit(world, number)["active"] is False, "it did arrive"
    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=False)
    _, distributed = replicate(world)
    assert distributed["written"] == 1
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("C2")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_killed_before_it_could_settle_leaves_nothing_wrong_when_the_source_goes_back(world: World):
    replicate(world)
    key, number, _ = a_customer(world)
    other, _, _ = a_customer(world, addresses=2)
    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=True)
    added = world.s4.create(ADDRESSES, {"BusinessPartner": other, "StreetName": "Kurze Zeit", "Country": "DE"})
    watch(world)
    kill_while_it_waits_for_the_answer(world)
    assert unit(world, number)["active"] is False, "it did arrive"

    world.s4.change(PARTNER, key, BusinessPartnerIsBlocked=False)
    world.s4.delete(ADDRESSES, added)
    watch(world)
    _, distributed = replicate(world)
    assert distributed["written"] == 2
    assert check(world.s4, world.shop).differences == []
    with world.hub() as hub:
        assert hub.distribute(FLOW, TARGET).status == "nothing"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_first_write_that_was_never_settled_is_blocked_when_its_partner_is_no_customer_any_more(world: World):
    key, number, _ = a_customer(world)
    kill_while_it_waits_for_the_answer(world)
    assert unit(world, number)["active"] is True, "it did arrive"
    for role in ("FLCU00", "FLCU01"):
        world.s4.delete("A_BusinessPartnerRole", f"{key}/{role}")
    world.s4.change(PARTNER, key, SearchTerm1="LEFT")
    replicate(world)
    assert unit(world, number)["active"] is False
    assert check(world.s4, world.shop).differences == []


def kill_while_it_waits_for_the_answer(world: World) -> None:
    """Capture, then kill -9 a distribution whose batch the shop has committed and answers byte by byte."""
    world.run("capture", FLOW, SOURCE)
    before = world.shop.last_commit()
    world.shop.fault("drip", method="POST", path="batch", times=1, bytes=1, seconds=0.2)
    worker = world.start("distribute", FLOW, TARGET)
    while worker.poll() is None and not (world.shop.last_commit() > before and world.shop.requests().get(BATCH_DONE)):
        time.sleep(0.01)
    assert worker.poll() is None
    worker.kill()
    worker.wait(timeout=10)
    world.shop.heal()


@pytest.mark.fault("R14", "W11")
def test_a_page_cut_short_is_read_again_and_nothing_is_missed(start_world: StartWorld, database_url: str):
    overlay = "flow: business_partner\ncapture:\n  s4hana: {page_size: 10}\n"
    world = start_world(database_url, overlay=overlay, partners=PARTNERS)
    world.s4.tell(
        "faults", match={"method": "GET", "path": "A_BusinessPartner\\?", "skip": 3}, kind="cut", bytes=5000, times=None
    )
    with world.hub() as hub, pytest.raises(HubError):
        hub.capture(FLOW, SOURCE)
    with world.hub() as hub:
        assert hub.status(FLOW)[0].last.status == "failed"
    world.s4.heal()
    captured, _ = replicate(world)
    assert 0 < captured["read"] < PARTNERS, "it goes on behind the last page that was settled"
    assert check(world.s4, world.shop).differences == []


def test_a_worker_that_meets_another_at_the_same_work_leaves_it_alone(world: World):
    with world.hub() as one, world.hub() as other:
        plan = one.plan("capture", FLOW, SOURCE)
        seen = []

        def meanwhile(counts: object) -> None:
            if not seen:
                seen.append(other.capture(FLOW, SOURCE).status)

        one.run(plan.run, plan.partitions[0], progress=meanwhile)
        one.settle(plan.run)
    assert seen == ["nothing"]
    replicate(world)
    assert check(world.s4, world.shop).differences == []


def _iso(clock: Clock) -> str:
    day: date = clock().date()
    return day.isoformat()
