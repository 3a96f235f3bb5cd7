"""Writes: deep inserts, numbers, ETags, what is refused and in which words."""

import pytest

AREA = {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00"}
DEEP = {
    "BusinessPartnerCategory": "2",
    "OrganizationBPName1": "Söhne & Töchter",
    "SearchTerm1": "soehne",
    "BusinessPartnerIDByExtSystem": "SHOP-4711",
    "to_BusinessPartnerAddress": [
        {
            "Country": "DE",
            "PostalCode": "10115",
            "CityName": "Berlin",
            "to_EmailAddress": [{"EmailAddress": "info@soehne.example"}],
            "to_PhoneNumber": [{"PhoneNumber": "030 5550100", "DestinationLocationCountry": "DE"}],
            "to_MobilePhoneNumber": [{"PhoneNumber": "0170 5550100"}],
            "to_FaxNumber": [{"FaxNumber": "030 5550101", "FaxCountry": "DE"}],
            "to_URLAddress": [{"WebsiteURL": "https://soehne.example"}],
        }
    ],
    "to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}],
    "to_BuPaIdentification": [{"BPIdentificationType": "BUP001", "BPIdentificationNumber": "12-345"}],
    "to_Customer": {
        "to_CustomerSalesArea": [{**AREA, "Currency": "EUR"}],
        "to_CustomerCompany": [{"CompanyCode": "1010", "ReconciliationAccount": "12100000"}],
    },
}


def errors(answer) -> list[str]:
    return [detail["message"] for detail in answer.json()["error"]["innererror"]["errordetails"]]


def sales_area(number: str) -> str:
    return f"A_CustomerSalesArea(Customer='{number}',SalesOrganization='1010',DistributionChannel='10',Division='00')"


def test_a_deep_insert_answers_with_what_was_made_of_it(s4):
    answer = s4.post("A_BusinessPartner", DEEP)
    assert answer.status_code == 201
    made = answer.json()["d"]
    assert answer.headers["Location"].endswith(f"A_BusinessPartner('{made['BusinessPartner']}')")
    assert answer.headers["etag"] == made["__metadata"]["etag"]
    assert (made["BusinessPartnerFullName"], made["SearchTerm1"]) == ("Söhne & Töchter", "SOEHNE")
    address = made["to_BusinessPartnerAddress"]["results"][0]
    assert address["FullName"] == "Söhne & Töchter"
    assert address["to_EmailAddress"]["results"][0]["SearchEmailAddress"] == "INFO@SOEHNE.EXAMPLE"
    assert address["to_PhoneNumber"]["results"][0]["InternationalPhoneNumber"] == "+49305550100"
    assert address["to_MobilePhoneNumber"]["results"][0]["PhoneNumberType"] == "3"
    assert address["to_URLAddress"]["results"][0]["URLFieldLength"] == 22
    assert made["to_Customer"]["Customer"] == made["Customer"] == made["BusinessPartner"]
    assert made["to_Customer"]["to_CustomerSalesArea"]["results"][0]["Currency"] == "EUR"
    assert "__deferred" in made["to_BusinessPartnerBank"]


def test_a_deep_insert_is_read_back_as_it_was_answered(s4):
    made = s4.post("A_BusinessPartner", DEEP).json()["d"]
    expand = (
        "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber,"
        "to_BusinessPartnerAddress/to_MobilePhoneNumber,to_BusinessPartnerAddress/to_FaxNumber,"
        "to_BusinessPartnerAddress/to_URLAddress,to_BusinessPartnerTax,to_BuPaIdentification,to_BusinessPartnerRole,"
        "to_Customer/to_CustomerSalesArea,to_Customer/to_CustomerCompany"
    )
    assert s4.record(f"A_BusinessPartner('{made['BusinessPartner']}')?$expand={expand}") == made


def test_post_is_never_idempotent(s4):
    first, second = (s4.post("A_BusinessPartner", DEEP).json()["d"]["BusinessPartner"] for _ in range(2))
    assert int(second) == int(first) + 1
    assert {first, second} <= {
        row["BusinessPartner"]
        for row in s4.rows("A_BusinessPartner", filter="BusinessPartnerIDByExtSystem eq 'SHOP-4711'")
    }


def test_lists_are_plain_in_requests(s4):
    wrapped = {**DEEP, "to_BusinessPartnerTax": {"results": DEEP["to_BusinessPartnerTax"]}}
    answer = s4.post("A_BusinessPartner", wrapped)
    assert (answer.status_code, errors(answer)) == (400, ["Property 'to_BusinessPartnerTax' must be a list"])


def test_several_mistakes_come_in_one_answer(s4):
    body = {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "x" * 41,
        "Colour": "red",
        "Customer": "1",
        "BirthDate": "yesterday",
        "IsMale": "yes",
        "to_BusinessPartnerAddress": [{"CityName": "y" * 41}],
    }
    answer = s4.post("A_BusinessPartner", body)
    assert answer.status_code == 400
    assert errors(answer) == [
        f"Value '{'x' * 40}' of property 'OrganizationBPName1' is longer than 40 characters",
        "Property 'Colour' is invalid for entity type 'A_BusinessPartnerType'",
        "Property 'Customer' cannot be set on creation",
        "Property 'BirthDate' has invalid value 'yesterday' for Edm.DateTime",
        "Property 'IsMale' has invalid value 'yes' for Edm.Boolean",
        f"Value '{'y' * 40}' of property 'CityName' is longer than 40 characters",
    ]
    assert answer.json()["error"]["message"]["value"] == errors(answer)[0]


def test_business_mistakes_come_together_too_and_nothing_is_kept(s4, s4_process):
    number = int(s4.get("A_BusinessPartner/$count").text)
    body = {
        "BusinessPartnerCategory": "1",
        "to_BusinessPartnerAddress": [
            {"Country": "ZX"},
            {"Country": "DE", "PostalCode": "1"},
            {"Country": "DE", "to_EmailAddress": [{"EmailAddress": "nobody"}]},
        ],
        "to_BusinessPartnerTax": [{"BPTaxType": "?", "BPTaxNumber": "1"}],
        "to_Customer": {"to_CustomerSalesArea": [{**AREA, "SalesOrganization": "9999"}]},
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "NOBODY"}],
    }
    answer = s4.post("A_BusinessPartner", body)
    assert answer.status_code == 400
    assert errors(answer) == [
        "Enter a value for 'LastName'",
        "Country/region 'ZX' is not defined",
        "Postal code '1' does not have the form used in 'DE'",
        "E-mail address 'nobody' is not valid",
        "Tax number category '?' is not defined",
        "Sales area 9999 10 00 is not defined",
        "Role 'NOBODY' does not exist",
    ]
    assert int(s4.get("A_BusinessPartner/$count").text) == number


def test_lengths_are_counted_in_utf16_units(s4):
    assert s4.post("A_BusinessPartner", {**DEEP, "OrganizationBPName1": "𝕏" * 20}).status_code == 201
    assert s4.post("A_BusinessPartner", {**DEEP, "OrganizationBPName1": "𝕏" * 21}).status_code == 400


def test_decimals_travel_as_text(s4):
    number = s4.post("A_BusinessPartner", DEEP).json()["d"]["BusinessPartner"]
    path = sales_area(number)
    assert s4.call("PATCH", path, json={"UnderdelivTolrtdLmtRatioInPct": 1.5}).status_code == 400
    assert s4.call("PATCH", path, json={"UnderdelivTolrtdLmtRatioInPct": "1.55"}).status_code == 400
    assert s4.call("PATCH", path, json={"UnderdelivTolrtdLmtRatioInPct": "12.5"}).status_code == 204
    assert s4.record(path)["UnderdelivTolrtdLmtRatioInPct"] == "12.5"


def test_dates_are_taken_as_ticks_and_as_text(s4):
    number = s4.new_partner(OrganizationFoundationDate="/Date(1492041600000)/")["BusinessPartner"]
    path = f"A_BusinessPartner('{number}')"
    assert s4.record(path)["OrganizationFoundationDate"] == "/Date(1492041600000)/"
    body = {"OrganizationFoundationDate": "1999-12-31T00:00:00", "OrganizationLiquidationDate": None}
    assert s4.call("PATCH", path, json=body, headers={"If-Match": "*"}).status_code == 204
    assert s4.record(path)["OrganizationFoundationDate"] == "/Date(946598400000)/"
    high = s4.new_partner(OrganizationLiquidationDate="/Date(253402214400000)/")
    assert high["OrganizationLiquidationDate"] == "/Date(253402214400000)/"


def test_a_grouping_decides_where_the_number_comes_from(s4):
    external = s4.new_partner(BusinessPartnerGrouping="BPAB", BusinessPartner="SHOP-1")
    assert external["BusinessPartner"] == "SHOP-1"
    again = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Twice", "BusinessPartnerGrouping": "BPAB"}
    assert errors(s4.post("A_BusinessPartner", {**again, "BusinessPartner": "SHOP-1"})) == [
        "A_BusinessPartner 'SHOP-1' already exists"
    ]
    assert errors(s4.post("A_BusinessPartner", again)) == ["Grouping 'BPAB' needs a number from outside"]
    internal = {**again, "BusinessPartnerGrouping": "BP02", "BusinessPartner": "4711"}
    assert errors(s4.post("A_BusinessPartner", internal)) == [
        "Grouping 'BP02' assigns numbers itself, '4711' cannot be given"
    ]
    assert errors(s4.post("A_BusinessPartner", {**again, "BusinessPartnerGrouping": "XXXX"})) == [
        "Grouping 'XXXX' does not exist"
    ]


def test_a_customer_is_not_creatable_but_appears_with_its_role(s4):
    assert s4.post("A_Customer", {"Customer": "1"}).status_code == 405
    number = s4.new_partner()["BusinessPartner"]
    assert s4.get(f"A_BusinessPartner('{number}')/to_Customer").status_code == 404
    role = {"BusinessPartner": number, "BusinessPartnerRole": "FLCU00"}
    assert s4.post("A_BusinessPartnerRole", role).status_code == 201
    assert s4.record(f"A_BusinessPartner('{number}')/to_Customer")["CustomerName"] == "Muster GmbH"
    assert s4.record(f"A_BusinessPartner('{number}')")["Customer"] == number
    assert s4.post("A_CustomerSalesArea", {"Customer": number, **AREA}).status_code == 201
    assert s4.record(sales_area(number))["Customer"] == number


def test_a_sales_area_needs_its_customer(s4):
    answer = s4.post("A_CustomerSalesArea", {"Customer": "nobody", **AREA})
    assert errors(answer) == ["Customer 'nobody' does not exist"]


def test_a_change_without_etag_is_428_and_with_a_stale_one_412(s4):
    made = s4.new_partner()
    path, tag = f"A_BusinessPartner('{made['BusinessPartner']}')", made["__metadata"]["etag"]
    assert s4.call("PATCH", path, json={"SearchTerm1": "A"}).status_code == 428
    assert s4.call("PATCH", path, json={"SearchTerm1": "A"}, headers={"If-Match": tag}).status_code == 204
    answer = s4.call("PATCH", path, json={"SearchTerm1": "B"}, headers={"If-Match": tag})
    assert (answer.status_code, "changed by another user" in answer.text) == (412, True)
    assert s4.record(path)["SearchTerm1"] == "A"
    assert s4.call("PATCH", path, json={"SearchTerm1": "C"}, headers={"If-Match": "*"}).status_code == 204


def test_merge_put_and_tunnelled_methods_change_as_they_should(s4):
    made = s4.new_partner(SearchTerm1="A", SearchTerm2="B")
    path, match = f"A_BusinessPartner('{made['BusinessPartner']}')", {"If-Match": "*"}
    assert s4.call("MERGE", path, json={"SearchTerm1": "M"}, headers=match).status_code == 204
    tunnelled = {**match, "X-HTTP-Method": "MERGE"}
    assert s4.call("POST", path, json={"SearchTerm2": "T"}, headers=tunnelled).status_code == 204
    assert [s4.record(path)[name] for name in ("SearchTerm1", "SearchTerm2")] == ["M", "T"]
    whole = {"BusinessPartnerCategory": "2", "BusinessPartnerGrouping": "BP02", "OrganizationBPName1": "Put"}
    assert s4.call("PUT", path, json=whole, headers=match).status_code == 204
    record = s4.record(path)
    assert (record["OrganizationBPName1"], record["SearchTerm1"]) == ("Put", "")
    assert record["BusinessPartnerUUID"] == made["BusinessPartnerUUID"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Colour": 1}, "Property 'Colour' is invalid"),
        ({"BusinessPartner": "2"}, "Key 'BusinessPartner' cannot be changed"),
        ({"LastChangeDate": "2024-01-01T00:00:00"}, "Property 'LastChangeDate' cannot be changed"),
        ({"SearchTerm1": "x" * 21}, "is longer than 20 characters"),
        ({"to_BusinessPartnerAddress": []}, "Property 'to_BusinessPartnerAddress' is invalid"),
        ({"OrganizationBPName1": ""}, "Enter a value for 'OrganizationBPName1'"),
    ],
)
def test_a_change_is_checked_like_a_create(s4, body, words):
    answer = s4.call("PATCH", "A_BusinessPartner('1000000')", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 400
    assert words in errors(answer)[0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null"])
def test_a_body_that_is_no_json_object_is_a_400(s4, body):
    assert s4.call("POST", "A_BusinessPartner", data=body).status_code == 400


def test_children_are_created_changed_and_deleted_by_their_own_key_or_below_their_owner(s4):
    number = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"}])["BusinessPartner"]
    first = s4.post(f"A_BusinessPartner('{number}')/to_BusinessPartnerAddress", {"Country": "AT"}).json()["d"]
    second = s4.post("A_BusinessPartnerAddress", {"BusinessPartner": number, "Country": "CH"}).json()["d"]
    assert first["AddressID"] != second["AddressID"]
    uri = first["__metadata"]["uri"]
    emails = [s4.post(f"{uri}/to_EmailAddress", {"EmailAddress": f"{n}@x.example"}).json()["d"] for n in "ab"]
    assert [(e["OrdinalNumber"], e["IsDefaultEmailAddress"]) for e in emails] == [("1", True), ("2", False)]
    assert s4.call("PATCH", emails[0]["__metadata"]["uri"], json={"EmailAddress": "c@x.example"}).status_code == 204
    assert s4.call("DELETE", emails[0]["__metadata"]["uri"]).status_code == 204
    third = s4.post(f"{uri}/to_EmailAddress", {"EmailAddress": "d@x.example"}).json()["d"]
    assert third["OrdinalNumber"] == "3"
    assert s4.call("DELETE", uri).status_code == 204
    assert s4.rows("A_AddressEmailAddress", filter=f"AddressID eq '{first['AddressID']}'") == []
    assert s4.get(uri).status_code == 404


def test_the_first_address_gets_the_standard_use(s4):
    number = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"}, {"Country": "AT"}])["BusinessPartner"]
    uses = s4.rows("A_BuPaAddressUsage", filter=f"BusinessPartner eq '{number}'")
    assert [(use["AddressUsage"], use["StandardUsage"]) for use in uses] == [("XXDEFAULT", True)]


def test_a_contact_is_a_relationship_with_a_date_in_its_key(s4):
    company = s4.new_partner()["BusinessPartner"]
    person = s4.new_partner(BusinessPartnerCategory="1", LastName="Doe")["BusinessPartner"]
    body = {"BusinessPartnerCompany": company, "BusinessPartnerPerson": person}
    made = s4.post("A_BusinessPartnerContact", body).json()["d"]
    assert "datetime'9999-12-31T00%3A00%3A00'" in made["__metadata"]["uri"]
    assert s4.record(made["__metadata"]["uri"])["BusinessPartnerPerson"] == person
    assert len(s4.rows(f"A_BusinessPartner('{company}')/to_BusinessPartnerContact")) == 1
    assert s4.call("DELETE", made["__metadata"]["uri"]).status_code == 204


def test_what_cannot_be_deleted_is_405(s4):
    for path in (
        "A_BusinessPartner('1000000')",
        "A_BusinessPartnerRole(BusinessPartner='1000000',BusinessPartnerRole='FLCU00')",
    ):
        assert s4.call("DELETE", path, headers={"If-Match": "*"}).status_code == 405
    assert s4.call("PATCH", "A_BusinessPartner", json={}).status_code == 405


def test_a_warning_comes_in_the_sap_message_header_of_a_success(s4):
    number = s4.new_partner()["BusinessPartner"]
    answer = s4.post("A_BusinessPartnerAddress", {"BusinessPartner": number, "Country": "US", "CityName": "Berlin"})
    assert answer.status_code == 201
    assert '"severity":"warning"' in answer.headers["sap-message"]
    assert (
        "sap-message" not in s4.post("A_BusinessPartnerAddress", {"BusinessPartner": number, "Country": "DE"}).headers
    )


def test_an_extension_field_is_written_and_read(s4):
    number = s4.new_partner(YY1_Segment_bus="GOLD")["BusinessPartner"]
    assert s4.rows("A_BusinessPartner", filter="YY1_Segment_bus eq 'GOLD'")[0]["BusinessPartner"] == number


# change stamps


def stamp(s4, number: str) -> tuple[str, str, str]:
    record = s4.record(f"A_BusinessPartner('{number}')")
    return record["LastChangeDate"], record["LastChangeTime"], record["__metadata"]["etag"]


def test_a_change_of_the_partner_moves_its_stamp_and_etag(s4, s4_process):
    before = stamp(s4, "1000005")
    s4.call("PATCH", "A_BusinessPartner('1000005')", json={"SearchTerm2": "MOVED"}, headers={"If-Match": "*"})
    after = stamp(s4, "1000005")
    assert after[0] > before[0]
    assert after[2] != before[2]
    assert s4.record("A_BusinessPartner('1000005')")["LastChangedByUser"] == "HUB_USER"
    s4_process.tell("/change", entity="A_BusinessPartner", key="1000005", set={"SearchTerm2": "AGAIN"})
    assert stamp(s4, "1000005")[2] != after[2]
    assert s4.record("A_BusinessPartner('1000005')")["LastChangedByUser"] == "MILLER"


def test_a_change_that_changes_nothing_leaves_the_stamp_alone(s4, s4_process):
    s4_process.tell("/change", entity="A_BusinessPartner", key="1000005", set={"SearchTerm2": "SAME"})
    before = stamp(s4, "1000005")
    s4.call("PATCH", "A_BusinessPartner('1000005')", json={"SearchTerm2": "same"}, headers={"If-Match": "*"})
    assert stamp(s4, "1000005") == before


def test_a_change_of_a_child_does_not_move_its_partners_stamp(s4, s4_process):
    made = s4.post("A_BusinessPartner", DEEP).json()["d"]
    number, address = made["BusinessPartner"], made["to_BusinessPartnerAddress"]["results"][0]
    s4_process.tell("/clock", offset_s=3600)
    before = stamp(s4, number)
    assert s4.call("PATCH", address["__metadata"]["uri"], json={"StreetName": "Neu"}).status_code == 204
    email = address["to_EmailAddress"]["results"][0]["__metadata"]["uri"]
    assert s4.call("PATCH", email, json={"EmailAddress": "neu@x.example"}).status_code == 204
    assert s4.call("PATCH", sales_area(number), json={"Currency": "CHF"}).status_code == 204
    assert s4.call("PATCH", f"A_Customer('{number}')", json={"OrderIsBlockedForCustomer": "01"}).status_code == 204
    s4.post("A_BusinessPartnerAddress", {"BusinessPartner": number, "Country": "DE"})
    s4.post("A_BusinessPartnerRole", {"BusinessPartner": number, "BusinessPartnerRole": "BUP002"})
    key = f"{number}/{address['AddressID']}"
    s4_process.tell("/change", entity="A_BusinessPartnerAddress", key=key, set={"HouseNumber": "9"})
    assert stamp(s4, number) == before


def test_a_user_may_set_a_stamp_for_tests_of_boundaries(s4, s4_process):
    values = {"SearchTerm2": "FUTURE", "LastChangeDate": "2999-01-01", "LastChangeTime": "12:00:00"}
    s4_process.tell("/change", entity="A_BusinessPartner", key="1000006", set=values)
    assert stamp(s4, "1000006")[:2] == ("/Date(32472144000000)/", "PT12H00M00S")
