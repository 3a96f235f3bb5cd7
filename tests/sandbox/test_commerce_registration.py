"""Registrations of companies, contact persons and consumers in the simulated shop."""

import time
import uuid

import pytest

from .commerce_shop import started

COMPANY = {"kind": "company", "name": "Bäckerei Huber GmbH", "vatID": "DE123456789", "l2cEmail": "info@huber.example"}
HOME = {"streetname": "Hauptstraße", "streetnumber": "1", "postalcode": "80331", "town": "München", "country": "DE"}
PERSON = {"first_name": "Eva", "last_name": "Huber", "title": "dr", "sessionLanguage": "de"}


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        yield running


def register(shop, **form):
    return shop.control("POST", "/register", form)


def test_a_company_gets_a_uid_and_a_public_key_and_has_no_number_of_another_system(shop):
    last = shop.last()
    made = register(shop, **COMPANY, address=HOME)
    assert (made["entity"], made["uid"]) == ("B2BUnit", "baeckerei-huber-gmbh-100001")
    unit = shop.record("B2BUnit", made["key"])
    assert (unit["name"], unit["vatID"], unit["active"]) == ("Bäckerei Huber GmbH", "DE123456789", True)
    assert (unit["l2cCustomerNumber"], unit["l2cPartnerNumber"]) == (None, None)
    (home,) = unit["addresses"]
    assert home["publicKey"].isdigit()
    assert made["addresses"] == [f"false/{home['publicKey']}"]
    assert (home["sapCustomerID"], home["company"], home["town"]) == (None, "Bäckerei Huber GmbH", "München")
    assert (home["billingAddress"], home["shippingAddress"], home["owner"]) == (True, True, made["uid"])
    assert {entry["origin"] for entry in shop.log(last, origin="all")} == {"user"}
    assert {entry["entity"] for entry in shop.log(last, origin="user")} == {"B2BUnit", "Address"}


def test_two_companies_of_one_name_are_two_units(shop):
    first, second = register(shop, **COMPANY), register(shop, **COMPANY)
    assert first["uid"] != second["uid"]


def test_a_company_may_bring_its_uid_once(shop):
    assert register(shop, **COMPANY, uid="HUBER")["key"] == "HUBER"
    answer = shop.session.post(f"{shop.control_url}/register", json={**COMPANY, "uid": "HUBER"}, timeout=10)
    assert (answer.status_code, "already registered" in answer.text) == (400, True)


def test_a_company_registers_together_with_its_contact(shop):
    made = register(shop, **COMPANY, contact={**PERSON, "email": "Eva@huber.example", "l2cPhone": "89 1"})
    contact = shop.record("B2BCustomer", made["contact"]["key"])
    assert (contact["uid"], contact["email"], contact["name"]) == (
        "eva@huber.example",
        "Eva@huber.example",
        "Eva Huber",
    )
    assert (contact["defaultB2BUnit"], contact["groups"]) == (made["uid"], ["b2bcustomergroup"])
    assert (contact["title"], contact["sessionLanguage"], contact["l2cPhone"]) == ("dr", "de", "89 1")
    assert (contact["sapBusinessPartnerID"], contact["sapIsReplicated"], contact["loginDisabled"]) == (
        None,
        False,
        False,
    )
    assert str(uuid.UUID(contact["customerID"])) == contact["customerID"]


def test_a_contact_registers_for_a_unit_that_is_there(shop):
    made = register(shop, **COMPANY)
    contact = register(shop, kind="contact", unit=made["uid"], email="max@huber.example", **PERSON)
    assert contact["key"].endswith("/max@huber.example")
    form = {"kind": "contact", "unit": "nobody", "email": "no@huber.example", **PERSON}
    assert shop.session.post(f"{shop.control_url}/register", json=form, timeout=10).status_code == 404


def test_a_consumer_has_one_name_and_the_two_of_the_hub(shop):
    made = register(shop, kind="consumer", email="Jan@home.example", **PERSON, address=HOME)
    consumer = shop.record("Customer", made["key"])
    assert (consumer["uid"], consumer["l2cEmail"], consumer["name"]) == (
        "jan@home.example",
        "Jan@home.example",
        "Eva Huber",
    )
    assert (consumer["l2cFirstName"], consumer["l2cLastName"]) == ("Eva", "Huber")
    assert (consumer["l2cCustomerNumber"], consumer["l2cPartnerNumber"]) == (None, None)
    (home,) = consumer["addresses"]
    assert (home["firstname"], home["lastname"], home["owner"]) == ("Eva", "Huber", "jan@home.example")
    assert shop.log(entity="Customer", origin="user")[-1]["key"] == "jan@home.example"
    answer = shop.session.post(
        f"{shop.control_url}/register", json={"kind": "consumer", "email": "jan@HOME.example", "name": "J"}, timeout=10
    )
    assert (answer.status_code, "already registered" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "supplier"},
        {},
        {"kind": "company"},
        {"kind": "company", "name": "X", "l2cCustomerNumber": "1"},
        {"kind": "company", "name": "X", "address": {**HOME, "sapCustomerID": "1"}},
        {"kind": "company", "name": "X", "city": "Ulm"},
        {"kind": "company", "name": "X", "contact": {"email": "a@b.example"}},
        {"kind": "consumer", "name": "X"},
        {"kind": "consumer", "name": "X", "email": "x@y.example", "customerID": "1"},
        ["company"],
    ],
)
def test_a_form_that_cannot_be_is_refused_and_stores_nothing(shop, form):
    last = shop.last()
    answer = shop.session.post(f"{shop.control_url}/register", json=form, timeout=10)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert shop.last() == last


def test_two_thousand_registrations_take_seconds(shop):
    begin = time.monotonic()
    keys = {register(shop, **COMPANY, address=HOME)["key"] for _ in range(2000)}
    assert len(keys) == 2000
    assert time.monotonic() - begin < 20
