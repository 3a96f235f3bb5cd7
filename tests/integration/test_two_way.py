"""Business partners between S/4HANA and the shop, both ways: registrations, edits on both sides, owners."""

from datetime import UTC, datetime
from typing import Any

import pytest

from l2c.hub import Hub
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

PARTNERS = 20
COMPANY = {
    "name": "Orgelbau Seifert KG",
    "vatID": "DE811234567",
    "l2cEmail": "werkstatt@orgelbau-seifert.example",
    "address": {
        "streetname": "Pfeifenweg",
        "streetnumber": "4",
        "postalcode": "89073",
        "town": "Ulm",
        "country": "DE",
        "phone1": "0731 4455",
    },
}


@pytest.fixture
def world(start_world: StartWorld, database_url: str) -> World:
    """Both systems in step."""
    world = start_world(database_url, partners=PARTNERS, two_way=True)
    settle(world)
    return world


def rounds(hub: Hub) -> dict[str, int]:
    """One round: both systems are read, then both are written; what was written where."""
    for system in (SOURCE, TARGET):
        assert hub.capture(FLOW, system).status in ("done", "nothing")
    done = {system: hub.distribute(FLOW, system).counts for system in (TARGET, SOURCE)}
    return {system: counts.get("written", 0) for system, counts in done.items()}


def settle(world: World, *, at_most: int = 6) -> int:
    """Rounds until nothing is written any more; how many it took."""
    clock = Clock(datetime.now(UTC))
    for number in range(at_most):
        with world.hub(clock=clock) as hub:
            if not any(rounds(hub).values()) and number:
                assert [letter.message for letter in hub.dead_letters(FLOW)] == []
                return number
        clock.forward(minutes=2)
    raise AssertionError(f"not quiet after {at_most} rounds")


def unit_of(world: World, number: str) -> dict[str, Any]:
    return next(unit for _, unit in world.shop.records("B2BUnit") if unit["l2cPartnerNumber"] == number)


def partners(world: World) -> dict[str, dict[str, Any]]:
    return dict(world.s4.records("A_BusinessPartner"))


@pytest.mark.fault("F5")
def test_after_the_first_loads_nothing_is_written_to_s4hana(world: World):
    assert world.s4.log() == []
    assert world.shop.log() != []


@pytest.mark.fault("T17")
def test_a_company_registered_in_the_shop_becomes_one_partner_and_gets_its_number_back(world: World):
    before = set(partners(world))
    answer = world.shop.tell("register", kind="company", **COMPANY)
    assert settle(world) <= 3
    [number] = set(partners(world)) - before
    partner = partners(world)[number]
    assert partner["OrganizationBPName1"] == COMPANY["name"]
    unit = world.shop.record("B2BUnit", answer["uid"])
    assert unit is not None
    assert unit["l2cPartnerNumber"] == number
    assert unit["l2cCustomerNumber"] == partner["Customer"]
    assert len(unit["addresses"]) == 1, "its address is still its own"


def own_mails(world: World, number: str) -> list[str]:
    rows = world.s4.records("A_BPAddressIndependentEmail")
    return [row["EmailAddress"] for _, row in rows if row["BusinessPartner"] == number]


def test_the_own_mail_address_of_a_company_may_be_changed_on_either_side(world: World):
    unit = next(unit for _, unit in world.shop.records("B2BUnit") if unit["l2cEmail"])
    number, uid = unit["l2cPartnerNumber"], unit["uid"]
    world.shop.change("B2BUnit", uid, l2cEmail="neu@shop.example")
    settle(world)
    assert own_mails(world, number) == ["neu@shop.example"]
    assert [(entry["entity"], entry["action"]) for entry in world.s4.log()] == [
        ("A_BPAddressIndependentEmail", "updated")
    ], "the e-mail of its address stays"
    [key] = [key for key, row in world.s4.records("A_BPAddressIndependentEmail") if row["BusinessPartner"] == number]
    world.s4.change("A_BPAddressIndependentEmail", key, EmailAddress="post@s4.example")
    with world.hub(clock=Clock(datetime.now(UTC))) as hub:
        hub.capture(FLOW, SOURCE, kind="watch", watch="A_BPAddressIndependentEmail")
    settle(world)
    assert unit_of(world, number)["l2cEmail"] == "post@s4.example"
    world.shop.change("B2BUnit", uid, l2cEmail=None)
    settle(world)
    assert own_mails(world, number) == []
    assert not unit_of(world, number)["l2cEmail"]
    world.shop.change("B2BUnit", uid, l2cEmail="wieder@shop.example")
    settle(world)
    assert own_mails(world, number) == ["wieder@shop.example"]
