"""Contacts that come before their company wait for it by name, untouched, and are woken when it arrives."""

import time
from uuid import uuid4

import pytest

from tests.integration.conftest import StartWorld
from tests.integration.people import COMPANY, CONTACT, RELATIONSHIP, Both
from tests.integration.world import FLOW, SOURCE, TARGET

MANY = 1000


@pytest.fixture
def both(start_world: StartWorld, database_url: str) -> Both:
    """Both systems in step."""
    both = Both(start_world(database_url, partners=5, two_way=True))
    both.settle()
    return both


@pytest.mark.fault("F1")
def test_a_contact_of_the_shop_waits_for_its_company_and_is_woken(both: Both):
    answer = both.register("company", **COMPANY, contact={"email": "eva@seifert.example", "last_name": "Seifert"})
    key = answer["contact"]["key"].replace("/", "|")
    with both.hub() as hub:
        hub.capture(CONTACT, TARGET)
        assert hub.distribute(CONTACT, SOURCE).counts == {"due": 1, "waiting": 1}, [
            one.message for one in hub.dead_letters()
        ]
        [state] = [one for one in hub.show(CONTACT, key).targets if one.target == SOURCE]
        assert state.status == "waiting"
        assert f"commerce:{answer['uid']}" in state.message
        assert hub.distribute(CONTACT, SOURCE).status == "nothing", "who waits is not looked at"
    both.clock.forward(minutes=2)
    with both.hub() as hub:  # the shop's unit is known now, S/4HANA's partner not yet
        hub.capture(FLOW, TARGET)
        assert hub.distribute(CONTACT, SOURCE).counts == {"due": 1, "waiting": 1}
        assert hub.distribute(CONTACT, SOURCE).status == "nothing"
    both.clock.forward(minutes=2)
    with both.hub() as hub:
        hub.distribute(FLOW, SOURCE)
        assert hub.distribute(CONTACT, SOURCE).counts == {"due": 1, "written": 1}
    both.settle()
    assert len(both.relationships()) == 1
    assert both.customers()["eva@seifert.example"]["sapBusinessPartnerID"]


@pytest.mark.fault("F1")
def test_a_contact_of_s4hana_waits_for_its_unit_and_is_woken(both: Both):
    company, person = both.company(), both.person("Max", "Huber")
    both.relationship(company, person, "max@nord.example")
    with both.hub() as hub:
        hub.capture(CONTACT, SOURCE)
        assert hub.distribute(CONTACT, TARGET).counts == {"due": 1, "waiting": 1}
        assert hub.distribute(CONTACT, TARGET).status == "nothing"
    both.clock.forward(minutes=2)
    with both.hub() as hub:
        hub.capture(FLOW, SOURCE)
        hub.distribute(FLOW, TARGET)
        assert hub.distribute(CONTACT, TARGET).counts == {"due": 1, "written": 1}
    both.settle()
    assert both.customers()["max@nord.example"]["defaultB2BUnit"] == both.unit(company)["uid"]


@pytest.mark.fault("F1")
@pytest.mark.slow
def test_a_thousand_contacts_are_woken_by_one_company(start_world: StartWorld, sqlite_url: str):
    both = Both(start_world(sqlite_url, partners=1, two_way=True))
    both.settle()
    unit = both.register("company", **COMPANY)["uid"]
    for number in range(MANY):
        both.register("contact", unit=unit, email=f"{uuid4()}@seifert.example", last_name=f"Nummer {number}")
    with both.hub() as hub:
        assert hub.capture(CONTACT, TARGET).counts == {"read": MANY, "journaled": MANY, "born": MANY}
        assert hub.distribute(CONTACT, SOURCE).counts == {"due": MANY, "waiting": MANY}
        both.world.s4.ask("stats")
        asked = sum(both.world.s4.requests().values())
        for _ in range(10):
            both.clock.forward(minutes=10)
            assert hub.distribute(CONTACT, SOURCE).status == "nothing"
        assert sum(both.world.s4.requests().values()) == asked, "nobody asks on behalf of those who wait"
        hub.capture(FLOW, TARGET)
        begun = time.monotonic()
        hub.distribute(FLOW, SOURCE)
        woken = time.monotonic() - begun
        both.clock.forward(minutes=1)
        begun = time.monotonic()
        done = hub.distribute(CONTACT, SOURCE)
        seconds = time.monotonic() - begun
    print(f"{MANY} contacts woken by one arrival in {woken:.2f} s, written in {seconds:.1f} s: {dict(done.counts)}")
    assert done.counts == {"due": MANY, "written": MANY}
    assert len(both.relationships()) == MANY
    assert len({row["BusinessPartnerPerson"] for row in both.relationships()}) == MANY
    created = [entry for entry in both.world.s4.log() if entry["entity"] == RELATIONSHIP]
    assert len(created) == MANY
