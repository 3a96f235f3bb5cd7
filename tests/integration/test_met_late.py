"""Contacts captured before their company is known are recognised once it is; none is created twice."""

from collections.abc import Sequence

import pytest

from tests.integration.conftest import StartWorld
from tests.integration.people import COMPANY, CONTACT, RELATIONSHIP, Both
from tests.integration.world import FLOW, SOURCE, TARGET

EVA = {"email": "eva@seifert.example", "first_name": "Eva", "last_name": "Seifert"}
VAT = [{"BPTaxType": "DE0", "BPTaxNumber": COMPANY["vatID"]}]
CONTACTS = [(CONTACT, SOURCE), (CONTACT, TARGET)]
PARTNER, UNIT = (FLOW, SOURCE), (FLOW, TARGET)
Steps = Sequence[tuple[str, str]]


@pytest.fixture
def both(start_world: StartWorld, sqlite_url: str) -> Both:
    """Both systems in step; the first loads are over."""
    return in_step(start_world, sqlite_url)


def in_step(start_world: StartWorld, url: str) -> Both:
    both = Both(start_world(url, partners=5, two_way=True))
    both.settle()
    return both


def capture(both: Both, steps: Steps) -> None:
    for step in steps:
        with both.hub() as hub:
            assert hub.capture(*step).status in ("done", "nothing"), step
        both.clock.forward(minutes=2)


def distribute(both: Both, *entities: str) -> None:
    for entity in entities:
        for system in (SOURCE, TARGET):
            with both.hub() as hub:
                hub.distribute(entity, system)
        both.clock.forward(minutes=2)


def play(both: Both, steps: Steps) -> tuple[str, str]:
    """A company and its contact in both systems, read in this order; the person's number and the key in the shop."""
    person = both.person("Eva", "Seifert")
    both.relationship(both.company(to_BusinessPartnerTax=VAT), person, EVA["email"])
    answer = both.register("company", **COMPANY, contact=EVA)
    capture(both, steps[:-1])
    distribute(both, CONTACT)
    capture(both, steps[-1:])
    distribute(both, FLOW, CONTACT)
    return person, answer["contact"]["key"]


def one_contact(both: Both, person: str, key: str) -> None:
    """Both systems have the one person they had, and know her by one number."""
    assert [row["BusinessPartnerPerson"] for row in both.relationships()] == [person]
    assert list(both.customers()) == [EVA["email"]]
    assert both.customer(key)["sapBusinessPartnerID"] == person
    made = [entry["entity"] for entry in both.world.s4.log() if entry["action"] == "created"]
    assert RELATIONSHIP not in made
    assert "A_BusinessPartner" not in made


@pytest.mark.fault("F1")
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([*CONTACTS, PARTNER, UNIT], id="contacts, partner, unit"),
        pytest.param([*CONTACTS, UNIT, PARTNER], id="contacts, unit, partner"),
        pytest.param([PARTNER, *CONTACTS, UNIT], id="only the unit comes late"),
    ],
)
def test_a_contact_captured_before_its_company_is_still_one_contact(both: Both, steps: Steps):
    found = play(both, steps)
    both.settle()
    one_contact(both, *found)


def test_a_contact_of_s4hana_captured_before_its_company_is_still_one_contact(
    start_world: StartWorld, database_url: str
):
    both = in_step(start_world, database_url)
    found = play(both, [UNIT, *CONTACTS, PARTNER])
    both.settle()
    one_contact(both, *found)
    with both.hub() as hub:
        assert hub.reconcile(CONTACT).findings == ()


def test_several_contacts_that_fit_are_left_to_somebody(both: Both):
    company, persons = both.company(to_BusinessPartnerTax=VAT), [both.person("Eva", name) for name in "AB"]
    for person in persons:
        both.relationship(company, person, EVA["email"])
    key = both.register("company", **COMPANY, contact=EVA)["contact"]["key"].replace("/", "|")
    capture(both, [PARTNER, *CONTACTS])
    distribute(both, CONTACT)
    capture(both, [UNIT])
    distribute(both, FLOW, CONTACT)
    both.round()
    with both.hub() as hub:
        [match] = hub.matches(CONTACT)
    assert (match.system, match.key, len(match.records)) == (TARGET, key, 2)
    assert len(both.relationships()) == 2
    assert list(both.customers()) == [EVA["email"]]
    with both.hub() as hub:
        hub.reject_match(CONTACT, TARGET, key)
    for _ in range(3):
        both.round()
    assert len(both.relationships()) == 3, "who was rejected is a contact of its own, once"
    with both.hub() as hub:
        assert hub.matches(CONTACT) == []
