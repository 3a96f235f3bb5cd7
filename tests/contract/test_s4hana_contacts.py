"""Contact persons in the simulated S/4HANA: read with their persons, created in two steps, changed, ended."""

import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.config import Project
from l2c.contract import Change, Connection, Record, Status, System
from l2c.errors import ConfigError
from l2c.mapping import Env, check_mapping, load_mapper

ROOT = Path(__file__).parents[2]
CONTACT, PARTNER = "A_BusinessPartnerContact", "A_BusinessPartner"
TWO_WAY = (
    "company",
    "first_name",
    "last_name",
    "form_of_address",
    "language",
    "email",
    "phone",
    "mobile",
    "function",
    "department",
)


@pytest.fixture
def sandbox(start_sandbox):
    return start_sandbox("s4hana", partners=0)


@pytest.fixture
def connector(sandbox):
    connection = Connection(sandbox.url, "HUB_USER", SecretStr("sandbox-s4-secret"))
    made = S4HanaConnector(System("s4hana", connection), Settings(partner_grouping="BP02", deadline_s=5))
    yield made
    made.close()


@pytest.fixture
def company(sandbox):
    return partner(sandbox, "2", OrganizationBPName1="Nord GmbH")


@pytest.fixture
def mappers(connector):
    project, schema = Project(ROOT), connector.describe(CONTACT)
    return tuple(
        load_mapper(project, f"mappings/s4hana/contact.{way}.yaml").with_schema(schema) for way in ("read", "write")
    )


def partner(sandbox, category, **fields):
    values = {"BusinessPartnerCategory": category, "BusinessPartnerGrouping": "BP02", **fields}
    return sandbox.control("POST", "/create", {"entity": PARTNER, "set": values})["key"]


def contact(sandbox, company, person, **fields):
    """A relationship as a user of the system makes it."""
    values = {
        "BusinessPartnerCompany": company,
        "BusinessPartnerPerson": person,
        "to_ContactRelationship": {"ContactPersonFunction": "0001"},
        **fields,
    }
    key = sandbox.control("POST", "/create", {"entity": CONTACT, "set": values})["key"]
    return "/".join(key.split("/")[:3])


def stored(sandbox, entity):
    return [row["data"] for row in sandbox.control("GET", f"/records?entity={entity}&limit=1000")]


def head(company, **more):
    return {
        "number": None,
        "company": company,
        "form_of_address": "0001",
        "academic_title": None,
        "first_name": "Anna",
        "last_name": "Großmann",
        "language": "de",
        "email": "anna@nord.example",
        "phone": "451 5554378-12",
        "mobile": "170 5550002",
        "function": "0003",
        "department": "0002",
        **more,
    }


ENV = Env(today=date(2026, 11, 24), resolve=lambda _, key: key)


def new(mappers, company, mark="contact-1", **more):
    return Change(Record("", mappers[1].map(head(company, **more), ENV).data), mark=mark)


def write(connector, *changes):
    return connector.send(connector.prepare(CONTACT, changes))


def shown(connector, mappers, key):
    (record,) = connector.fetch(CONTACT, [key], fields=mappers[0].fields)
    return record, None if record.deleted else mappers[0].map(record.data, ENV).data


def two_way(record):
    return {name: record[name] for name in TWO_WAY}


def read(connector, fields=("Person.LastName",), since=None, size=10):
    pages = [
        (list(page.records), page.cursor)
        for page in connector.read(CONTACT, since=since, page_size=size, fields=fields)
    ]
    return [record for records, _ in pages for record in records], pages[-1][1]


def test_the_mappings_suit_the_system(connector, mappers):
    schema = connector.describe(CONTACT)
    assert [str(one) for mapper in mappers for one in check_mapping(mapper, schema) if one.severity == "error"] == []


def test_it_is_described_with_its_person_and_found_by_its_mark(connector):
    schema = connector.describe(CONTACT)
    assert (schema.key, schema.delta, schema.safe_by, schema.parent) == ("Contact", "stamp", "lookup", "Contact")
    assert schema.fields["Person.LastName"].length == 40
    assert schema.fields["to_ContactRelationship.EmailAddress"].length == 241
    assert "Person.to_BusinessPartnerBank" not in schema.fields


def test_a_contact_is_created_as_a_person_and_a_relationship_and_comes_back_as_it_went(
    connector, mappers, sandbox, company
):
    (outcome,) = write(connector, new(mappers, company))
    assert outcome.status is Status.CREATED
    record, view = shown(connector, mappers, outcome.native_key)
    assert record.key == outcome.native_key
    assert two_way(view) == two_way(head(company))
    assert (view["valid_to"], view["active"]) == ("9999-12-31", True)
    (person,) = [one for one in stored(sandbox, PARTNER) if one["BusinessPartner"] == view["number"]]
    assert (person["BusinessPartnerCategory"], person["BusinessPartnerIDByExtSystem"]) == ("1", "CONTACT-1")
    roles = [one["BusinessPartnerRole"] for one in stored(sandbox, "A_BusinessPartnerRole")]
    assert roles == ["BUP001"]


def test_many_go_in_one_batch_for_each_step_and_a_bad_one_leaves_the_good_ones_alone(
    connector, mappers, sandbox, company
):
    changes = [new(mappers, company if n != 2 else "4711", f"mark-{n}", last_name=f"Nummer {n}") for n in range(5)]
    outcomes = write(connector, *changes)
    assert [one.status for one in outcomes] == [Status.CREATED] * 2 + [Status.REJECTED] + [Status.CREATED] * 2
    assert "4711" in outcomes[2].message
    for number, outcome in enumerate(outcomes):
        if outcome.status is Status.CREATED:
            assert shown(connector, mappers, outcome.native_key)[1]["last_name"] == f"Nummer {number}"


def test_the_same_create_twice_makes_one(connector, mappers, sandbox, company):
    change = new(mappers, company)
    (first,) = write(connector, change)
    (second,) = write(connector, change)
    assert (second.status, second.native_key) == (Status.UNCHANGED, first.native_key)
    assert len(stored(sandbox, CONTACT)) == 1
    assert len(stored(sandbox, PARTNER)) == 2


def test_a_create_that_changed_meanwhile_changes_what_is_there(connector, mappers, sandbox, company):
    (first,) = write(connector, new(mappers, company))
    (second,) = write(connector, new(mappers, company, last_name="Kleinmann", email="anna@sued.example"))
    assert (second.status, second.native_key) == (Status.UPDATED, first.native_key)
    view = shown(connector, mappers, first.native_key)[1]
    assert (view["last_name"], view["email"]) == ("Kleinmann", "anna@sued.example")


def test_a_person_whose_relationship_was_refused_is_used_again(connector, mappers, sandbox, company):
    (refused,) = write(connector, new(mappers, "4711"))
    assert refused.status is Status.REJECTED
    assert connector.find(CONTACT, ["contact-1"]) == {"contact-1": ()}
    (outcome,) = write(connector, new(mappers, company, last_name="Kleinmann"))
    assert outcome.status is Status.CREATED
    assert shown(connector, mappers, outcome.native_key)[1]["last_name"] == "Kleinmann"
    assert len([one for one in stored(sandbox, PARTNER) if one["BusinessPartnerCategory"] == "1"]) == 1


@pytest.mark.fault("T13")
@pytest.mark.parametrize("step", [1, 2])
def test_a_lost_answer_is_unknown_and_found_or_finished_later(connector, mappers, sandbox, company, step):
    connector.describe(CONTACT)
    fault = {"match": {"method": "POST", "path": PARTNER if step == 1 else CONTACT}, "kind": "after_commit", "times": 1}
    sandbox.control("POST", "/faults", {**fault, "match": {"method": "POST", "path": f"/{fault['match']['path']}$"}})
    change = new(mappers, company)
    (outcome,) = write(connector, change)
    assert outcome.status is Status.UNKNOWN
    found = connector.find(CONTACT, ["contact-1"])["contact-1"]
    assert len(found) == step - 1
    (again,) = write(connector, change)
    assert again.status is (Status.CREATED if step == 1 else Status.UNCHANGED)
    assert len(stored(sandbox, CONTACT)) == 1
    assert len(stored(sandbox, PARTNER)) == 2


def edit(connector, mappers, key, **changes):
    record, view = shown(connector, mappers, key)
    before, wanted = (mappers[1].map(data, ENV).data for data in (view, {**view, **changes}))
    differing = {name: value for name, value in wanted.items() if before.get(name) != value}
    change = Change(Record(key, differing), before={name: before.get(name) for name in differing}, etag=record.etag)
    (prepared,) = connector.prepare(CONTACT, [change])
    return prepared, connector.send([prepared])[0]


def test_changes_of_person_and_relationship_are_one_request_each(connector, mappers, company):
    (made,) = write(connector, new(mappers, company))
    prepared, outcome = edit(
        connector, mappers, made.native_key, last_name="Kleinmann", phone="451 1", department="0009"
    )
    assert outcome.status is Status.UPDATED
    bodies = [json.loads(one.body) for one in prepared.requests]
    assert bodies == [{"LastName": "Kleinmann"}, {"ContactPersonDepartment": "0009", "PhoneNumber": "451 1"}]
    view = shown(connector, mappers, made.native_key)[1]
    assert (view["last_name"], view["phone"], view["department"]) == ("Kleinmann", "451 1", "0009")


def test_a_number_in_two_fields_is_left_alone_or_replaced_as_a_whole(connector, mappers, sandbox, company):
    person = partner(sandbox, "1", LastName="Großmann")
    line = {"PhoneNumber": "451 5554378", "PhoneNumberExtension": "12", "ContactPersonFunction": "0001"}
    key = contact(sandbox, company, person, to_ContactRelationship=line)
    prepared, _ = edit(connector, mappers, key, function="0002")
    assert [json.loads(one.body) for one in prepared.requests] == [{"ContactPersonFunction": "0002"}]
    edit(connector, mappers, key, phone="451 1")
    assert shown(connector, mappers, key)[1]["phone"] == "451 1"


def test_everything_a_relationship_says_can_be_cleared_and_said_again(connector, mappers, company):
    nothing = dict.fromkeys(("email", "phone", "function", "department"))
    (made,) = write(connector, new(mappers, company))
    edit(connector, mappers, made.native_key, **nothing)
    assert two_way(shown(connector, mappers, made.native_key)[1]) == two_way(head(company, **nothing))
    edit(connector, mappers, made.native_key, phone="451 2")
    assert shown(connector, mappers, made.native_key)[1]["phone"] == "451 2"
    (bare,) = write(connector, new(mappers, company, "contact-2", **nothing))
    edit(connector, mappers, bare.native_key, email="spaet@nord.example")
    assert shown(connector, mappers, bare.native_key)[1]["email"] == "spaet@nord.example"


def test_nothing_is_sent_for_what_is_there_already(connector, mappers, company):
    (made,) = write(connector, new(mappers, company))
    prepared, outcome = edit(connector, mappers, made.native_key)
    assert (prepared.requests, outcome.status) == ((), Status.UNCHANGED)


def test_a_person_changed_since_it_was_read_is_a_conflict(connector, mappers, sandbox, company):
    (made,) = write(connector, new(mappers, company))
    record, view = shown(connector, mappers, made.native_key)
    sandbox.control("POST", "/change", {"entity": PARTNER, "key": view["number"], "set": {"LastName": "Anders"}})
    change = Change(
        Record(record.key, {"Person": {"LastName": "Neu"}}), before={"Person": record.data["Person"]}, etag=record.etag
    )
    (outcome,) = write(connector, change)
    assert outcome.status is Status.CONFLICT


def test_a_mobile_number_of_a_workplace_is_changed_where_it_stands(connector, mappers, sandbox, company):
    place = {"BusinessPartner": company, "Country": "DE", "CityName": "Ulm"}
    address = sandbox.control("POST", "/create", {"entity": "A_BusinessPartnerAddress", "set": place})["key"].split(
        "/"
    )[1]
    lines = [{"PhoneNumber": "170 5550002", "PhoneNumberType": "3"}]
    person = partner(sandbox, "1", LastName="Huber")
    key = contact(sandbox, company, person, to_ContactAddress=[{"AddressID": address, "to_MobilePhoneNumber": lines}])
    for number in ("171 5550003-1", None):
        record, view = shown(connector, mappers, key)
        before, after = (mappers[1].map({**view, "mobile": one}, ENV).data for one in (view["mobile"], number))
        (outcome,) = write(connector, Change(Record(key, {"Person": after["Person"]}), before=before, etag=record.etag))
        assert outcome.status is Status.UPDATED, outcome
        assert shown(connector, mappers, key)[1]["mobile"] == number
        assert stored(sandbox, "A_BPAddressIndependentMobile") == []
    assert stored(sandbox, "A_AddressPhoneNumber") == []


def test_a_contact_that_goes_to_another_company_is_rejected(connector, mappers, sandbox, company):
    (made,) = write(connector, new(mappers, company))
    other = partner(sandbox, "2", OrganizationBPName1="Süd GmbH")
    (outcome,) = write(connector, Change(Record(made.native_key, {"BusinessPartnerCompany": other})))
    assert outcome.status is Status.REJECTED
    assert "another company" in outcome.message


def test_a_deleted_contact_ends_its_relationship_and_keeps_the_person(connector, mappers, sandbox, company):
    (made,) = write(connector, new(mappers, company))
    (outcome,) = write(connector, Change(Record(made.native_key, {}, deleted=True)))
    assert outcome.status is Status.DELETED
    assert stored(sandbox, CONTACT) == []
    assert len(stored(sandbox, PARTNER)) == 2
    assert shown(connector, mappers, made.native_key)[0].deleted
    (again,) = write(connector, Change(Record(made.native_key, {}, deleted=True)))
    assert again.status is Status.DELETED


def test_all_are_read_page_by_page_with_their_persons(connector, sandbox, company):
    for number in range(7):
        contact(sandbox, company, partner(sandbox, "1", LastName=f"Person {number}"))
    records, cursor = read(connector, size=3)
    assert sorted(one.data["Person"]["LastName"] for one in records) == [f"Person {number}" for number in range(7)]
    assert len({one.key for one in records}) == 7
    assert all(one.changed_at is not None and one.etag for one in records)
    assert {one.key for one in read(connector, since=None, size=100)[0]} == {one.key for one in records}
    assert read(connector, since=cursor)[0] is not None


def test_a_load_resumes_behind_any_page(connector, sandbox, company):
    for number in range(5):
        contact(sandbox, company, partner(sandbox, "1", LastName=f"Person {number}"))
    first = next(iter(connector.read(CONTACT, since=None, page_size=2, fields=("Person.LastName",))))
    seen = [one.key for one in first.records]
    rest, _ = read(connector, since=first.cursor, size=2)
    assert len(seen) == 2
    assert len({*seen, *(one.key for one in rest)}) == 5


def test_a_delta_brings_the_contacts_of_persons_that_changed(connector, sandbox, company):
    persons = [partner(sandbox, "1", LastName=f"Person {number}") for number in range(3)]
    keys = [contact(sandbox, company, person) for person in persons]
    _, cursor = read(connector)
    sandbox.control("POST", "/change", {"entity": PARTNER, "key": persons[1], "set": {"LastName": "Neu"}})
    found, following = read(connector, since=cursor)
    assert keys[1] in [one.key for one in found]
    assert following != cursor


def test_of_several_periods_the_last_one_counts(connector, sandbox, company):
    person = partner(sandbox, "1", LastName="Großmann")
    dates = {"ValidityStartDate": "2020-01-01T00:00:00", "ValidityEndDate": "2021-12-31T00:00:00"}
    contact(sandbox, company, person, RelationshipNumber="77", **dates)
    key = contact(sandbox, company, person, RelationshipNumber="77", ValidityStartDate="2022-01-01T00:00:00")
    records, _ = read(connector, fields=("Person.LastName", "ValidityStartDate"))
    assert [(one.key, one.data["ValidityStartDate"]) for one in records] == [(key, "2022-01-01")]


def test_child_sets_name_the_contact_they_belong_to(connector, sandbox, company):
    key = contact(sandbox, company, partner(sandbox, "1", LastName="Großmann"))
    pages = connector.read(
        "A_BPContactToFuncAndDept", since=None, page_size=10, fields=("Contact", "ContactPersonFunction")
    )
    (record,) = [one for page in pages for one in page.records]
    assert (record.data["Contact"], record.data["ContactPersonFunction"]) == (key, "0001")
    assert connector.describe("A_BPContactToFuncAndDept").parent == "Contact"


def test_a_cursor_of_something_else_is_named(connector):
    with pytest.raises(ConfigError, match="is no cursor of A_BusinessPartnerContact"):
        connector.read(CONTACT, since='{"x": 1}', page_size=10)
