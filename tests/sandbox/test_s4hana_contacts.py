"""Contact persons, customers in full, and keys of other systems."""

import pytest

from sandbox.core import Clock, Store
from sandbox.s4hana import tables
from sandbox.s4hana.loader import Loader
from sandbox.s4hana.model import load

AREA = {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00"}


def errors(answer) -> list[str]:
    return [detail["message"] for detail in answer.json()["error"]["innererror"]["errordetails"]]


@pytest.fixture
def pair(s4) -> tuple[str, str]:
    """The numbers of a company with an address and of a person."""
    company = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE", "CityName": "Berlin"}])["BusinessPartner"]
    return company, s4.new_partner(BusinessPartnerCategory="1", LastName="Doe")["BusinessPartner"]


def make(s4, pair, **fields):
    return s4.post(
        "A_BusinessPartnerContact",
        {"BusinessPartnerCompany": pair[0], "BusinessPartnerPerson": pair[1], **fields},
    )


def address_of(s4, number: str) -> str:
    return s4.rows("A_BusinessPartnerAddress", filter=f"BusinessPartner eq '{number}'")[0]["AddressID"]


def stamp(s4, number: str) -> tuple[str, ...]:
    record = s4.record(f"A_BusinessPartner('{number}')")
    return record["LastChangeDate"], record["LastChangeTime"], record["ETag"]


def roles(s4, number: str) -> list[str]:
    return [role["BusinessPartnerRole"] for role in s4.rows(f"A_BusinessPartner('{number}')/to_BusinessPartnerRole")]


def test_a_contact_gives_its_person_the_role_and_moves_no_stamp(s4, s4_process, pair):
    before = [stamp(s4, number) for number in pair]
    after = s4_process.log_end()
    s4_process.tell("/clock", offset_s=600)
    made = make(s4, pair).json()["d"]
    assert made["RelationshipCategory"] == "BUR001"
    assert roles(s4, pair[1]) == ["BUP001"]
    assert [stamp(s4, number) for number in pair] == before
    assert [entry["entity"] for entry in s4_process.log(after)] == [
        "A_BusinessPartnerContact",
        "A_BPContactToFuncAndDept",
        "A_BusinessPartnerRole",
    ]


def test_a_person_that_has_the_role_keeps_it_once(s4, pair):
    s4.post("A_BusinessPartnerRole", {"BusinessPartner": pair[1], "BusinessPartnerRole": "BUP001"})
    assert make(s4, pair).status_code == 201
    assert roles(s4, pair[1]) == ["BUP001"]


def test_a_contact_comes_with_function_and_workplace_in_one_request(s4, pair):
    body = {
        "to_ContactRelationship": {"ContactPersonFunction": "0001", "EmailAddress": "doe@firm.example"},
        "to_ContactAddress": [
            {
                "AddressID": address_of(s4, pair[0]),
                "ContactRelationshipDepartment": "Purchasing",
                "to_EmailAddress": [{"EmailAddress": "doe@firm.example"}],
                "to_PhoneNumber": [{"PhoneNumber": "030 5550111", "DestinationLocationCountry": "DE"}],
            }
        ],
    }
    made = make(s4, pair, **body).json()["d"]
    expand = "to_ContactRelationship,to_ContactAddress/to_EmailAddress,to_ContactAddress/to_PhoneNumber"
    assert s4.record(f"{made['__metadata']['uri']}?$expand={expand}") == made
    workplace = made["to_ContactAddress"]["results"][0]
    assert (workplace["CityName"], workplace["AddressNumber"]) == ("Berlin", workplace["AddressID"])
    email = workplace["to_EmailAddress"]["results"][0]
    assert (email["OrdinalNumber"], email["IsDefaultEmailAddress"]) == ("1", True)
    assert email["Person"] == workplace["Person"] == s4.record(f"A_BusinessPartner('{pair[1]}')")["PersonNumber"]


def test_the_mail_of_a_workplace_is_not_the_companys(s4, pair):
    number = address_of(s4, pair[0])
    s4.post("A_AddressEmailAddress", {"AddressID": number, "EmailAddress": "info@firm.example"})
    deep = {"AddressID": number, "to_EmailAddress": [{"EmailAddress": "doe@firm.example"}]}
    assert make(s4, pair, to_ContactAddress=[deep]).status_code == 201
    path = f"A_BusinessPartner('{pair[0]}')?$expand=to_BusinessPartnerAddress/to_EmailAddress"
    addresses = s4.record(path)["to_BusinessPartnerAddress"]["results"]
    assert [e["EmailAddress"] for e in addresses[0]["to_EmailAddress"]["results"]] == ["info@firm.example"]
    assert len(s4.rows("A_AddressEmailAddress", filter=f"AddressID eq '{number}'")) == 2


def test_a_workplace_follows_the_companys_address_and_goes_with_it(s4, pair):
    key = {"BusinessPartner": pair[0], "AddressID": address_of(s4, pair[0])}
    made = make(s4, pair, to_ContactAddress=[{"AddressID": key["AddressID"]}]).json()["d"]
    path = "A_BusinessPartnerAddress(BusinessPartner='{BusinessPartner}',AddressID='{AddressID}')".format(**key)
    assert s4.call("PATCH", path, json={"CityName": "Bonn"}).status_code == 204
    shown = s4.rows(f"{made['__metadata']['uri']}/to_ContactAddress")
    assert [row["CityName"] for row in shown] == ["Bonn"]
    assert s4.call("DELETE", path).status_code == 204
    assert s4.rows(f"{made['__metadata']['uri']}/to_ContactAddress") == []


def test_every_contact_has_a_function_to_change_but_none_can_be_created_alone(s4, pair):
    made = make(s4, pair).json()["d"]
    function = s4.record(f"{made['__metadata']['uri']}/to_ContactRelationship")
    uri = function["__metadata"]["uri"]
    assert s4.call("PATCH", uri, json={"ContactPersonDepartment": "0002"}).status_code == 204
    assert s4.record(uri)["ContactPersonDepartment"] == "0002"
    assert s4.call("DELETE", uri).status_code == 405
    key = {name: function[name] for name in ("RelationshipNumber", "BusinessPartnerCompany", "BusinessPartnerPerson")}
    assert s4.post("A_BPContactToFuncAndDept", key).status_code == 405


def test_a_contact_of_unknown_or_unfit_partners_is_refused(s4, pair):
    assert errors(make(s4, ("4711", pair[1]))) == ["Business partner '4711' does not exist"]
    assert errors(make(s4, (pair[0], "4712"))) == ["Business partner '4712' does not exist"]
    assert errors(make(s4, (pair[0], pair[0]))) == [
        f"Business partner '{pair[0]}' is not a person",
        "A business partner cannot be its own contact person",
    ]
    category = make(s4, pair, RelationshipCategory="BUR010")
    assert errors(category) == ["Relationship category 'BUR010' is not defined here"]
    elsewhere = make(s4, pair, to_ContactAddress=[{"AddressID": "1"}])
    assert errors(elsewhere) == [f"Address '1' of business partner '{pair[0]}' does not exist"]
    assert s4.rows(f"A_BusinessPartner('{pair[0]}')/to_BusinessPartnerContact") == []


def test_a_second_contact_of_the_same_two_is_refused_unless_it_is_in_another_period(s4, pair):
    first = make(s4, pair, ValidityStartDate="2024-01-01", ValidityEndDate="2024-12-31")
    assert first.status_code == 201
    again = errors(make(s4, pair, ValidityStartDate="2024-06-01"))
    assert again == [
        f"Relationship BUR001 of business partners '{pair[0]}' and '{pair[1]}' already exists in this period"
    ]
    later = make(s4, pair, ValidityStartDate="2025-01-01").json()["d"]
    assert int(later["RelationshipNumber"]) == int(first.json()["d"]["RelationshipNumber"]) + 1


def test_contacts_are_found_by_company_and_by_person(s4, pair):
    number = make(s4, pair).json()["d"]["RelationshipNumber"]
    for name, value in zip(("BusinessPartnerCompany", "BusinessPartnerPerson"), pair, strict=True):
        rows = s4.rows("A_BusinessPartnerContact", filter=f"{name} eq '{value}'")
        assert [row["RelationshipNumber"] for row in rows] == [number]


def test_a_deleted_contact_takes_function_workplace_and_its_mail_along(s4, pair):
    deep = {"AddressID": address_of(s4, pair[0]), "to_EmailAddress": [{"EmailAddress": "doe@firm.example"}]}
    made = make(s4, pair, to_ContactAddress=[deep]).json()["d"]
    assert s4.call("DELETE", made["__metadata"]["uri"]).status_code == 204
    for name in ("A_BPContactToAddress", "A_BPContactToFuncAndDept"):
        assert s4.rows(name, filter=f"BusinessPartnerCompany eq '{pair[0]}'") == []
    assert s4.rows("A_AddressEmailAddress", filter=f"AddressID eq '{deep['AddressID']}'") == []
    assert roles(s4, pair[1]) == ["BUP001"]


def test_a_user_creates_changes_and_deletes_contacts(s4, s4_process, pair):
    values = {"BusinessPartnerCompany": pair[0], "BusinessPartnerPerson": pair[1]}
    key = s4_process.tell("/create", entity="A_BusinessPartnerContact", set=values)["key"]
    s4_process.tell("/change", entity="A_BPContactToFuncAndDept", key=key, set={"EmailAddress": "new@firm.example"})
    assert s4_process.ask("/record", entity="A_BPContactToFuncAndDept", key=key)["EmailAddress"] == "new@firm.example"
    s4_process.tell("/delete", entity="A_BusinessPartner", key=pair[1])
    assert s4.rows("A_BusinessPartnerContact", filter=f"BusinessPartnerCompany eq '{pair[0]}'") == []


def test_first_data_may_hold_contacts_before_their_persons(tmp_path):
    model, store = load(), Store(tmp_path, Clock())
    store.script(tables.schema(model))
    company = {
        "BusinessPartner": "1000000",
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "Muster GmbH",
        "to_BusinessPartnerAddress": [{"AddressID": "20001", "CityName": "Bonn", "Country": "DE"}],
        "to_BusinessPartnerContact": [
            {"BusinessPartnerPerson": "1000001", "to_ContactAddress": [{"AddressID": "20001"}]},
            {"BusinessPartnerPerson": "1000002", "to_ContactRelationship": {"EmailAddress": "doe@firm.example"}},
        ],
    }
    persons = [
        {"BusinessPartner": n, "BusinessPartnerCategory": "1", "LastName": "Doe", "PersonNumber": f"50{n}"}
        for n in ("1000001", "1000002")
    ]
    assert Loader(model, store).load([company, *persons]) == 3
    with store.read() as db:
        contacts = [row for _, row in tables.scan(db, model["A_BusinessPartnerContact"], "", 10)]
        functions = [row for _, row in tables.scan(db, model["A_BPContactToFuncAndDept"], "", 10)]
        (workplace,) = (row for _, row in tables.scan(db, model["A_BPContactToAddress"], "", 10))
    assert [row["RelationshipNumber"] for row in contacts] == ["1", "2"]
    assert {row["ValidityEndDate"] for row in contacts} == {"9999-12-31T00:00:00"}
    assert [row.get("EmailAddress") for row in functions] == [None, "doe@firm.example"]
    assert (workplace["CityName"], workplace["Person"]) == ("Bonn", "501000001")
    store.close()


# customers in full


def test_a_customer_is_born_with_areas_companies_and_taxes_in_one_request(s4):
    made = s4.new_partner(
        BusinessPartnerIDByExtSystem="SHOP-1",
        to_BusinessPartnerRole=[{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
        to_Customer={
            "to_CustomerSalesArea": [
                {
                    **AREA,
                    "Currency": "EUR",
                    "to_SalesAreaTax": [
                        {"DepartureCountry": "DE", "CustomerTaxCategory": "TTX1", "CustomerTaxClassification": "1"}
                    ],
                }
            ],
            "to_CustomerCompany": [{"CompanyCode": "1010", "ReconciliationAccount": "12100000"}],
            "to_CustomerTaxGrouping": [{"CustomerTaxGroupingCode": "1", "CustTaxGroupExemptionRate": "50.00"}],
        },
    )
    number = made["BusinessPartner"]
    path = (
        f"A_Customer('{number}')?$expand=to_CustomerSalesArea/to_SalesAreaTax,to_CustomerCompany,to_CustomerTaxGrouping"
    )
    customer = s4.record(path)
    assert customer == made["to_Customer"] | {"DeletionIndicator": False}
    tax = customer["to_CustomerSalesArea"]["results"][0]["to_SalesAreaTax"]["results"][0]
    assert (tax["Customer"], tax["SalesOrganization"], tax["CustomerTaxClassification"]) == (number, "1010", "1")
    assert customer["to_CustomerCompany"]["results"][0]["ReconciliationAccount"] == "12100000"
    assert s4.call("PATCH", tax["__metadata"]["uri"], json={"CustomerTaxClassification": "0"}).status_code == 204
    assert [r["BusinessPartner"] for r in s4.rows("A_BusinessPartner", filter=f"Customer eq '{number}'")] == [number]


def test_a_customers_company_needs_a_reconciliation_account(s4):
    body = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Muster GmbH"}
    company = {"to_Customer": {"to_CustomerCompany": [{"CompanyCode": "1010"}, {"CompanyCode": "9999"}]}}
    assert errors(s4.post("A_BusinessPartner", body | company)) == [
        "Enter a value for 'ReconciliationAccount'",
        "Company code '9999' is not defined",
        "Enter a value for 'ReconciliationAccount'",
    ]
    company["to_Customer"]["to_CustomerCompany"] = [{"CompanyCode": "1010", "ReconciliationAccount": "12100000"}]
    number = s4.post("A_BusinessPartner", body | company).json()["d"]["BusinessPartner"]
    path = f"A_CustomerCompany(Customer='{number}',CompanyCode='1010')"
    cleared = s4.call("PATCH", path, json={"ReconciliationAccount": ""})
    assert errors(cleared) == ["Enter a value for 'ReconciliationAccount'"]


def test_a_tax_of_a_sales_area_needs_the_area(s4):
    number = s4.new_partner(to_Customer={})["BusinessPartner"]
    tax = {"Customer": number, **AREA, "DepartureCountry": "DE", "CustomerTaxCategory": "TTX1"}
    answer = s4.post("A_CustomerSalesAreaTax", tax)
    assert errors(answer) == [f"Sales area 1010 10 00 of customer '{number}' does not exist"]
    assert s4.post("A_CustomerTaxGrouping", {"Customer": number, "CustomerTaxGroupingCode": "1"}).status_code == 405


def test_an_address_keeps_the_key_of_the_system_it_was_born_in_once_a_partner(s4):
    address = {"Country": "DE", "AddressIDByExternalSystem": "shop-1"}
    numbers = [s4.new_partner(to_BusinessPartnerAddress=[address])["BusinessPartner"] for _ in range(2)]
    found = s4.rows("A_BusinessPartnerAddress", filter="AddressIDByExternalSystem eq 'shop-1'")
    assert [row["BusinessPartner"] for row in found] == numbers
    second = s4.post(f"A_BusinessPartner('{numbers[0]}')/to_BusinessPartnerAddress", address)
    taken = [f"External address number 'shop-1' is used by address '{found[0]['AddressID']}' already"]
    assert errors(second) == taken
    other = s4.post(f"A_BusinessPartner('{numbers[0]}')/to_BusinessPartnerAddress", {"Country": "AT"}).json()["d"]
    change = s4.call("PATCH", other["__metadata"]["uri"], json={"AddressIDByExternalSystem": "shop-1"})
    assert errors(change) == taken
    assert s4.call("PATCH", found[0]["__metadata"]["uri"], json={"CityName": "Bonn"}).status_code == 204


def test_an_identification_is_created_changed_and_found_by_its_number(s4):
    number = s4.new_partner()["BusinessPartner"]
    body = {"BusinessPartner": number, "BPIdentificationType": "ZSHOP", "BPIdentificationNumber": "unit|7"}
    uri = s4.post("A_BuPaIdentification", body).json()["d"]["__metadata"]["uri"]
    assert s4.call("PATCH", uri, json={"BPIdnNmbrIssuingInstitute": "Shop"}).status_code == 204
    rows = s4.rows("A_BuPaIdentification", filter="BPIdentificationNumber eq 'unit|7'")
    assert [row["BPIdnNmbrIssuingInstitute"] for row in rows] == ["Shop"]
    assert s4.call("DELETE", uri).status_code == 204
