"""Customers born elsewhere reach the simulated S/4HANA through mapping and connector, and come back as they went."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.config import Project
from l2c.contract import Change, Connection, Record, Status, System
from l2c.mapping import Env, check_mapping, load_mapper

ROOT = Path(__file__).parents[2]
PARTNER = "A_BusinessPartner"
TWO_WAY = ("category", "name", "email", "language", "vat_number", "form_of_address", "first_name", "last_name")
OF_ADDRESS = (
    "number", "care_of", "street", "house_number", "house_number_supplement", "street_2", "street_3", "street_4", "street_5",
    "district", "postal_code", "city", "county", "region", "country", "po_box", "po_box_postal_code", "po_box_city", "language",
    "phone", "mobile", "fax", "email", "website",
)  # fmt: skip


@pytest.fixture(scope="module")
def project():
    return Project(ROOT)


@pytest.fixture
def sandbox(start_sandbox):
    return start_sandbox("s4hana", partners=0)


@pytest.fixture
def connector(sandbox, project):
    options = {**project.system("s4hana").settings, "client": None, "deadline_s": 5}
    made = S4HanaConnector(
        System("s4hana", Connection(sandbox.url, "HUB_USER", SecretStr("sandbox-s4-secret"))), Settings(**options)
    )
    yield made
    made.close()


class Way:
    """There and back: canonical records written by the mapping, and read by the other."""

    def __init__(self, project, connector):
        self.connector = connector
        self.writer = load_mapper(project, "mappings/s4hana/business_partner.write.yaml").with_schema(
            connector.describe(PARTNER)
        )
        self.reader = load_mapper(project, "mappings/s4hana/business_partner.read.yaml")
        self.env = Env(settings=project.system("s4hana").settings, today=date(2026, 11, 24))

    def native(self, canonical):
        return self.writer.map(canonical, self.env).data

    def create(self, canonical, mark="two-way"):
        (outcome,) = self.send(Change(Record("", self.native(canonical)), mark=mark))
        assert outcome.status is Status.CREATED, outcome
        return outcome.native_key

    def send(self, *changes):
        return self.connector.send(self.connector.prepare(PARTNER, changes))

    def shown(self, key):
        (record,) = self.connector.fetch(PARTNER, [key], fields=self.reader.fields)
        return record, self.reader.map(record.data, Env()).data

    def requests(self, key, head):
        """What is sent when the hub's picture of a partner becomes `head`, as the engine asks for it: only what differs."""
        record, view = self.shown(key)
        before, wanted = self.native(view), self.native(head)
        differing = {name: value for name, value in wanted.items() if before.get(name) != value}
        change = Change(Record(key, differing), before={name: before.get(name) for name in differing}, etag=record.etag)
        (prepared,) = self.connector.prepare(PARTNER, [change])
        return prepared

    def edit(self, key, head):
        (outcome,) = self.connector.send([self.requests(key, head)])
        assert outcome.status in (Status.UPDATED, Status.UNCHANGED), outcome
        return self.shown(key)[1]


@pytest.fixture
def way(project, connector):
    return Way(project, connector)


def address(number="8900000000023", **more):
    empty = dict.fromkeys(OF_ADDRESS)
    filled = {
        "street": "Große Bleiche",
        "house_number": "54",
        "postal_code": "55116",
        "city": "Mainz",
        "region": "DE-RP",
        "country": "DE",
    }
    return {**empty, "number": number, **filled, **more}


def company(**more):
    empty = dict.fromkeys(TWO_WAY)
    return {
        **empty,
        "number": None,
        "category": "organization",
        "roles": ["customer"],
        "name": "Maschinenbau Österreicher & Söhne Gesellschaft mit beschränkter Haftung",
        "name_1": None,
        "name_2": None,
        "name_3": None,
        "name_4": None,
        "language": "de",
        "vat_number": "DE930046562",
        "addresses": [
            address(
                phone="6131 5554378", email="einkauf@oesterreicher.example", website="https://www.oesterreicher.example"
            )
        ],
        **more,
    }


def two_way(record):
    """The fields of a record that both sides show and take."""
    plain = {name: record.get(name) for name in TWO_WAY}
    return {**plain, "addresses": [{name: one.get(name) for name in OF_ADDRESS} for one in record["addresses"]]}


def test_the_write_mapping_suits_the_system(way):
    assert [
        str(one) for one in check_mapping(way.writer, way.connector.describe(PARTNER)) if one.severity == "error"
    ] == []


def test_a_company_comes_back_as_it_went(way):
    head = company(email="einkauf@oesterreicher.example")
    key = way.create(head)
    _, view = way.shown(key)
    assert two_way(view) == two_way(head)
    assert view["number"] == key
    assert view["customer_number"]
    assert view["roles"] == ["customer"]
    assert view["active"] is True
    assert view["sales_areas"][0]["area"] == "1010/10/00"


def test_a_company_gets_its_company_code_and_tax_classification(way, sandbox):
    way.create(company())
    (code,) = [row["data"] for row in sandbox.control("GET", "/records?entity=A_CustomerCompany&limit=10")]
    assert (code["CompanyCode"], code["ReconciliationAccount"]) == ("1010", "12100000")
    (tax,) = [row["data"] for row in sandbox.control("GET", "/records?entity=A_CustomerSalesAreaTax&limit=10")]
    assert (tax["DepartureCountry"], tax["CustomerTaxCategory"], tax["CustomerTaxClassification"]) == (
        "DE",
        "TTX1",
        "1",
    )


def test_a_consumer_comes_back_as_it_went(way):
    head = company(
        category="person",
        name="Anna Großmann",
        first_name="Anna",
        last_name="Großmann",
        form_of_address="0001",
        vat_number=None,
        email="anna@grossmann.example",
        addresses=[address(email="anna@grossmann.example", mobile="660 5550001")],
    )
    assert two_way(way.shown(way.create(head))[1]) == two_way(head)


def test_a_consumers_own_address_stands_where_no_address_has_one(way):
    head = company(category="person", name="Anna Großmann", last_name="Großmann", email="anna@grossmann.example")
    head["addresses"] = [address()]
    _, view = way.shown(way.create(head))
    assert view["email"] == "anna@grossmann.example"


def test_what_did_not_change_is_not_written(way):
    key = way.create(company())
    prepared = way.requests(key, way.shown(key)[1])
    assert prepared.requests == ()
    assert prepared.outcome.status is Status.UNCHANGED


def test_one_changed_field_of_an_address_is_one_request(way):
    key = way.create(company())
    head = way.shown(key)[1]
    head["addresses"][0]["street"] = "Kleine Bleiche"
    prepared = way.requests(key, head)
    assert [(one.method, one.body) for one in prepared.requests] == [("PATCH", b'{"StreetName":"Kleine Bleiche"}')]
    assert two_way(way.edit(key, head)) == two_way(head)


def test_an_added_address_is_added_and_the_others_are_left_alone(way):
    key = way.create(company())
    head = way.shown(key)[1]
    head["addresses"].append(address("8900000000099", city="Ulm", fax="731 5550001-9"))
    prepared = way.requests(key, head)
    assert [one.method for one in prepared.requests] == ["POST"]
    assert two_way(way.edit(key, head)) == two_way(head)


def test_a_removed_address_is_removed(way):
    key = way.create(company(addresses=[address("8900000000023"), address("8900000000024", city="Ulm")]))
    head = way.shown(key)[1]
    del head["addresses"][0]
    assert two_way(way.edit(key, head)) == two_way(head)


def test_a_replaced_number_keeps_its_place_whatever_its_extension(way):
    key = way.create(company(addresses=[address(phone="6131 5554378", fax="6131 1")]))
    head = way.shown(key)[1]
    head["addresses"][0].update(phone="6131 5559999-7", fax="6131 2")
    prepared = way.requests(key, head)
    assert [one.method for one in prepared.requests] == ["PATCH", "PATCH"]
    assert two_way(way.edit(key, head)) == two_way(head)


def born_in_s4(sandbox):
    """A partner as a user of the system creates it: codes and parts of numbers are its own."""
    phones = [
        {"PhoneNumber": "89 5550001", "PhoneNumberExtension": "12", "IsDefaultPhoneNumber": True},
        {"PhoneNumber": "89 5550002", "PhoneNumberExtension": "", "IsDefaultPhoneNumber": False},
    ]
    place = {"Country": "DE", "Region": "BY", "PostalCode": "80331", "CityName": "München", "to_PhoneNumber": phones}
    partner = {
        "BusinessPartnerCategory": "2",
        "BusinessPartnerGrouping": "BP02",
        "OrganizationBPName1": "Nord",
        "OrganizationBPName2": "GmbH",
        "Language": "DE",
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU01"}],
        "to_BusinessPartnerAddress": [place],
    }
    return sandbox.control("POST", "/create", {"entity": PARTNER, "set": partner})["key"]


@pytest.mark.fault("T14")
def test_an_edit_of_a_partner_born_in_the_system_touches_nothing_it_tells_differently(way, sandbox):
    key = born_in_s4(sandbox)
    head = way.shown(key)[1]
    assert (head["addresses"][0]["region"], head["addresses"][0]["phone"]) == ("DE-BY", "89 5550001-12")
    head["addresses"][0]["street"] = "Sendlinger Straße"
    head["addresses"].append(address("8900000000099"))
    prepared = way.requests(key, head)
    assert [one.method for one in prepared.requests] == ["PATCH", "POST"]
    assert prepared.requests[0].body == '{"StreetName":"Sendlinger Straße"}'.encode()
    view = way.edit(key, head)
    assert two_way(view) == two_way(head)
    assert [phone["number"] for phone in view["addresses"][0]["phones"]] == ["89 5550001", "89 5550002"]


def test_a_replaced_number_of_two_parts_loses_its_old_extension(way, sandbox):
    key = born_in_s4(sandbox)
    head = way.shown(key)[1]
    head["addresses"][0]["phone"] = "89 7770001"
    view = way.edit(key, head)
    assert view["addresses"][0]["phone"] == "89 7770001"
    assert len(view["addresses"][0]["phones"]) == 2


def test_an_address_that_went_meanwhile_is_a_conflict(way, sandbox):
    key = way.create(company(addresses=[address("8900000000023"), address("8900000000024", city="Ulm")]))
    record, view = way.shown(key)
    before = way.native(view)
    first = record.data["to_BusinessPartnerAddress"][0]["AddressID"]
    sandbox.control("POST", "/delete", {"entity": "A_BusinessPartnerAddress", "key": f"{key}/{first}"})
    view["addresses"][0]["street"] = "Kleine Bleiche"
    wanted = {"to_BusinessPartnerAddress": way.native(view)["to_BusinessPartnerAddress"]}
    (outcome,) = way.send(Change(Record(key, wanted), before=before, etag=record.etag))
    assert outcome.status is Status.CONFLICT
    assert "does not exist any more" in outcome.message


def test_the_read_mapping_suits_the_system_and_reads_the_same_with_its_description(way, sandbox):
    schema = way.connector.describe(PARTNER)
    assert [str(one) for one in check_mapping(way.reader, schema) if one.severity == "error"] == []
    keys = [way.create(company(), mark="described"), born_in_s4(sandbox)]
    described = way.reader.with_schema(schema)
    for record in way.connector.fetch(PARTNER, keys, fields=way.reader.fields):
        assert described.map(record.data, Env()) == way.reader.map(record.data, Env())


def test_a_merged_partner_names_the_one_it_became(way, sandbox):
    loser, winner = way.create(company(), mark="loser"), way.create(company(), mark="winner")
    sandbox.control(
        "POST",
        "/change",
        {"entity": PARTNER, "key": loser, "set": {"IsMarkedForArchiving": True, "BusinessPartnerIsBlocked": True}},
    )
    entry = {"BusinessPartner": loser, "BPIdentificationType": "ZMERGE", "BPIdentificationNumber": winner}
    sandbox.control("POST", "/create", {"entity": "A_BuPaIdentification", "set": entry})
    (record,) = way.connector.fetch(PARTNER, [loser], fields=way.reader.fields)
    assert way.reader.map(record.data, way.env).other_keys["merged_into"] == winner
