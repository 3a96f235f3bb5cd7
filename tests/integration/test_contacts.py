"""Contact persons between S/4HANA and the shop, both ways: registrations, edits, owners, relationships that end."""

from typing import Any

import pytest

from tests.integration.conftest import StartWorld
from tests.integration.people import COMPANY, CONTACT, FUNCTION, PARTNER, RELATIONSHIP, Both
from tests.integration.world import SOURCE, TARGET

EVA = {"email": "eva@seifert.example", "first_name": "Eva", "last_name": "von Seifert", "l2cPhone": "0731 4455"}


@pytest.fixture
def both(start_world: StartWorld, database_url: str) -> Both:
    """Both systems in step."""
    both = Both(start_world(database_url, partners=5, two_way=True))
    both.settle()
    return both


@pytest.fixture
def lone(start_world: StartWorld, sqlite_url: str) -> Both:
    """Both systems in step, on SQLite alone."""
    both = Both(start_world(sqlite_url, partners=5, two_way=True))
    both.settle()
    return both


def person_of(both: Both, relationship: dict[str, Any]) -> dict[str, Any]:
    return both.partner(relationship["BusinessPartnerPerson"])


def test_a_company_and_its_contact_registered_in_the_shop_reach_s4hana_once(both: Both):
    answer = both.register("company", **COMPANY, contact=EVA)
    before = both.customer(answer["contact"]["key"])
    assert both.settle() <= 4
    [relationship] = both.relationships()
    person = person_of(both, relationship)
    unit = both.world.shop.record("B2BUnit", answer["uid"])
    assert unit is not None
    assert relationship["BusinessPartnerCompany"] == unit["l2cPartnerNumber"]
    assert (person["FirstName"], person["LastName"]) == ("Eva von", "Seifert"), (
        "the shop splits a name at its last blank"
    )
    after = both.customer(answer["contact"]["key"])
    assert after["sapBusinessPartnerID"] == person["BusinessPartner"]
    assert after["customerID"] == before["customerID"]
    assert after["name"] == before["name"]
    assert after["defaultB2BUnit"] == answer["uid"]
    writes = [entry["entity"] for entry in both.world.s4.log() if entry["action"] == "created"]
    assert writes.count(RELATIONSHIP) == 1


def test_a_contact_registered_later_finds_its_company(both: Both):
    answer = both.register("company", **COMPANY)
    both.settle()
    contact = both.register("contact", unit=answer["uid"], **EVA)
    both.settle()
    [relationship] = both.relationships()
    person = person_of(both, relationship)
    assert relationship["BusinessPartnerCompany"] == unit_number(both, answer["uid"])
    assert person["BusinessPartnerCategory"] == "1"
    assert both.customer(contact["key"])["sapBusinessPartnerID"] == person["BusinessPartner"]
    [function] = [row for _, row in both.world.s4.records(FUNCTION)]
    assert (function["EmailAddress"], function["PhoneNumber"]) == (EVA["email"], EVA["l2cPhone"])


def unit_number(both: Both, uid: str) -> str:
    unit = both.world.shop.record("B2BUnit", uid)
    assert unit is not None
    return str(unit["l2cPartnerNumber"])


def met(both: Both) -> tuple[str, str, str]:
    """A contact of S/4HANA that stands in the shop: the relationship, the person, the key in the shop."""
    company, person = both.company(), both.person("Max", "Huber")
    relationship = both.relationship(company, person, "max@nord.example")
    both.see_children(CONTACT)
    both.settle()
    [key] = [key for key, row in both.world.shop.records("B2BCustomer") if row["email"] == "max@nord.example"]
    return relationship, person, key


def test_a_contact_of_s4hana_appears_under_its_unit(both: Both):
    _, person, key = met(both)
    customer = both.customer(key)
    company = both.relationships()[0]["BusinessPartnerCompany"]
    assert customer["customerID"] == customer["sapBusinessPartnerID"] == person
    assert customer["name"] == "Max Huber"
    assert customer["defaultB2BUnit"] == both.unit(company)["uid"]
    assert customer["l2cPhone"] == "040 5550"
    assert not customer["loginDisabled"]
    assert both.world.s4.log() == [], "what came from S/4HANA did not go back"


@pytest.mark.fault("F5")
def test_edits_of_both_sides_arrive_and_nothing_echoes(lone: Both):
    relationship, person, key = met(lone)
    lone.world.shop.change("B2BCustomer", key, l2cPhone="040 7777-12")
    lone.world.s4.change(PARTNER, person, LastName="Huber-Meier")
    lone.settle()
    [function] = [row for _, row in lone.world.s4.records(FUNCTION)]
    assert (function["PhoneNumber"], function["PhoneNumberExtension"]) == ("040 7777-12", "")
    assert lone.customer(key)["name"] == "Max Huber-Meier"
    commits = [entry["entity"] for entry in lone.world.s4.log()]
    assert len(commits) == 1, commits
    lone.world.s4.change(FUNCTION, relationship, ContactPersonFunction="0003", PhoneNumber="040 8888")
    lone.see_children(CONTACT)
    lone.settle()
    assert lone.customer(key)["l2cPhone"] == "040 8888"
    assert lone.customer(key)["l2cFunction"] == "0003"
    assert len(lone.world.s4.log()) == 1


def test_a_mail_address_changed_in_the_shop_reaches_s4hana_and_the_login_stays(lone: Both):
    _, _, key = met(lone)
    before = lone.world.shop.last_commit()
    lone.world.shop.change("B2BCustomer", key, email="max.huber@nord.example")
    lone.settle()
    [function] = [row for _, row in lone.world.s4.records(FUNCTION)]
    assert function["EmailAddress"] == "max.huber@nord.example"
    assert lone.customer(key)["uid"] == "max@nord.example"
    assert lone.world.shop.log(after=before) == []


OWN_MOBILE = "A_BPAddressIndependentMobile"


def test_a_mobile_number_may_be_changed_on_either_side(lone: Both):
    _, person, key = met(lone)
    lone.world.shop.change("B2BCustomer", key, l2cMobile="0170 5550001")
    lone.settle()
    [(_, row)] = lone.world.s4.records(OWN_MOBILE)
    assert (row["BusinessPartner"], row["MobilePhoneNumber"]) == (person, "0170 5550001")
    assert [entry["entity"] for entry in lone.world.s4.log()] == [OWN_MOBILE]
    lone.world.shop.change("B2BCustomer", key, l2cMobile=None)
    lone.settle()
    assert list(lone.world.s4.records(OWN_MOBILE)) == []
    assert not lone.customer(key)["l2cMobile"]
    lone.world.shop.change("B2BCustomer", key, l2cMobile="0170 5550003")
    lone.settle()
    [(place, _)] = lone.world.s4.records(OWN_MOBILE)
    lone.world.s4.change(OWN_MOBILE, place, MobilePhoneNumber="0170 5550002")
    lone.round(CONTACT, kind="sweep")
    lone.settle()
    assert lone.customer(key)["l2cMobile"] == "0170 5550002"


@pytest.mark.fault("F6")
def test_a_name_changed_in_the_shop_goes_back_since_s4hana_owns_it(lone: Both):
    _, person, key = met(lone)
    lone.world.shop.change("B2BCustomer", key, name="Nicht Erlaubt", loginDisabled=True)
    lone.settle()
    assert lone.customer(key)["name"] == "Max Huber"
    assert not lone.customer(key)["loginDisabled"]
    assert lone.partner(person)["LastName"] == "Huber"
    assert lone.world.s4.log() == []


def test_a_mobile_number_typed_in_the_shop_stays_where_s4hana_has_none(lone: Both):
    company = lone.company()
    lone.settle()
    contact = lone.register("contact", unit=lone.unit(company)["uid"], l2cMobile="0171 1", **EVA)
    lone.settle()
    assert lone.customer(contact["key"])["l2cMobile"] == "0171 1"
    lone.world.shop.change("B2BCustomer", contact["key"], l2cMobile="0171 2")
    lone.settle()
    assert lone.customer(contact["key"])["l2cMobile"] == "0171 2"


def test_a_relationship_ended_in_s4hana_locks_the_customer_right_after_one_run(both: Both):
    relationship, _, key = met(both)
    both.world.s4.delete(RELATIONSHIP, relationship)
    both.see_children(CONTACT)
    both.round()
    assert both.customer(key)["loginDisabled"]
    both.settle()
    assert both.customer(key)["loginDisabled"]
    both.world.shop.change("B2BCustomer", key, loginDisabled=False)
    both.round()
    assert both.customer(key)["loginDisabled"], "only S/4HANA brings the contact back"


def test_a_relationship_whose_period_is_over_locks_the_customer_and_a_new_one_opens_it(lone: Both):
    relationship, person, key = met(lone)
    row = lone.relationships()[0]
    lone.world.s4.delete(RELATIONSHIP, relationship)
    past = {"ValidityStartDate": "2020-01-01T00:00:00", "ValidityEndDate": "2020-12-31T00:00:00"}
    kept = {name: row[name] for name in ("RelationshipNumber", "BusinessPartnerCompany", "BusinessPartnerPerson")}
    function = {"EmailAddress": "max@nord.example"}
    lone.world.s4.create(RELATIONSHIP, {**kept, **past, "to_ContactRelationship": function})
    lone.see_children(CONTACT)
    lone.round()
    assert lone.customer(key)["loginDisabled"]
    lone.settle()
    today = {"ValidityStartDate": "2021-01-01T00:00:00", "ValidityEndDate": "9999-12-31T00:00:00"}
    lone.world.s4.create(RELATIONSHIP, {**kept, **today, "to_ContactRelationship": function})
    lone.see_children(CONTACT)
    lone.round()
    assert not lone.customer(key)["loginDisabled"]
    assert lone.customer(key)["customerID"] == person


def test_contacts_both_systems_have_before_the_first_load_are_met_not_doubled(start_world: StartWorld, sqlite_url: str):
    both = Both(start_world(sqlite_url, partners=5, two_way=True))
    both.world.s4.tell("clock", offset_s=-86400)  # long before: no delta shows it again
    company = both.company(to_BusinessPartnerTax=[{"BPTaxType": "DE0", "BPTaxNumber": "DE811234567"}])
    person = both.person("Eva", "Seifert")
    both.relationship(company, person, EVA["email"])
    both.world.s4.tell("clock", offset_s=0)
    answer = both.register("company", **COMPANY, contact=EVA)
    with both.hub() as hub:  # the contacts come first
        for entity in (CONTACT, "business_partner"):
            for system in (TARGET, SOURCE):
                hub.capture(entity, system)
                hub.distribute(entity, system)
    both.settle()
    assert len(both.relationships()) == 1
    assert list(both.customers()) == [EVA["email"]]
    assert both.customer(answer["contact"]["key"])["sapBusinessPartnerID"] == person


def test_a_person_who_speaks_for_two_companies_is_never_one_contact(lone: Both):
    first, second, person = lone.company("Nord GmbH"), lone.company("Sued GmbH"), lone.person("Max", "Huber")
    lone.relationship(first, person, "max@nord.example")
    lone.relationship(second, person, "max@sued.example")
    lone.settle()
    units = {row["email"]: row["defaultB2BUnit"] for row in lone.customers().values()}
    assert units == {"max@nord.example": lone.unit(first)["uid"], "max@sued.example": lone.unit(second)["uid"]}
    lone.world.s4.change(PARTNER, person, LastName="Huber-Meier")
    lone.settle()
    assert {row["name"] for row in lone.customers().values()} == {"Max Huber-Meier"}


def test_one_mail_address_at_two_companies_is_told_and_changes_nothing(lone: Both):
    first, second, person = lone.company("Nord GmbH"), lone.company("Sued GmbH"), lone.person("Max", "Huber")
    lone.relationship(first, person, "max@nord.example")
    lone.settle()
    lone.relationship(second, person, "max@nord.example")
    for _ in range(3):
        lone.see_children(CONTACT)
        lone.round()
    with lone.hub() as hub:
        [letter] = hub.dead_letters(CONTACT, TARGET)
    assert letter.code == "key_taken"
    assert [row["defaultB2BUnit"] for row in lone.customers().values()] == [lone.unit(first)["uid"]]


def test_a_contact_deleted_in_the_shop_comes_back(lone: Both):
    _, person, key = met(lone)
    lone.world.shop.delete("B2BCustomer", key)
    lone.round(kind="sweep")
    customer = lone.customer(key)
    assert (customer["name"], customer["sapBusinessPartnerID"]) == ("Max Huber", person)
    lone.settle()
    assert lone.world.s4.log() == []


def test_reconcile_finds_every_contact_equal(lone: Both):
    met(lone)
    company = lone.company("Sued GmbH")
    lone.settle()
    lone.register("contact", unit=lone.unit(company)["uid"], **EVA)
    lone.settle()
    with lone.hub() as hub:
        result = hub.reconcile(CONTACT)
    assert result.findings == ()
    assert result.records["equal"] == 2
