"""The generated business partners: their mix, their keys, their numbers, their fit into SAP's metadata."""

import itertools
import re
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from sandbox.generator import partners
from sandbox.names import COUNTRIES

EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
METADATA = Path(__file__).resolve().parents[2].parent / "shared/contracts/s4hana/API_BUSINESS_PARTNER.edmx"
TYPES = {
    "": "A_BusinessPartnerType",
    "to_BusinessPartnerRole": "A_BusinessPartnerRoleType",
    "to_BusinessPartnerTax": "A_BusinessPartnerTaxNumberType",
    "to_BusinessPartnerBank": "A_BusinessPartnerBankType",
    "to_BusinessPartnerAddress": "A_BusinessPartnerAddressType",
    "to_AddressIndependentEmail": "A_BPAddressIndependentEmailType",
    "to_EmailAddress": "A_AddressEmailAddressType",
    "to_PhoneNumber": "A_AddressPhoneNumberType",
    "to_FaxNumber": "A_AddressFaxNumberType",
    "to_URLAddress": "A_AddressHomePageURLType",
    "to_AddressUsage": "A_BuPaAddressUsageType",
    "to_Customer": "A_CustomerType",
    "to_CustomerSalesArea": "A_CustomerSalesAreaType",
    "to_Supplier": "A_SupplierType",
    "to_SupplierPurchasingOrg": "A_SupplierPurchasingOrgType",
}
FORMS = {
    "Edm.DateTime": r"\d{4}-\d{2}-\d{2}",
    "Edm.DateTimeOffset": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z",
    "Edm.Time": r"[0-2]\d:[0-5]\d:[0-5]\d",
    "Edm.Guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


@pytest.fixture(scope="module")
def thousand():
    return list(partners(7, 1000))


def walk(entity, name=""):
    """Every (navigation name, flat fields) of a nested partner."""
    yield name, {field: value for field, value in entity.items() if not field.startswith("to_")}
    for child, value in entity.items():
        if child.startswith("to_"):
            for element in value if isinstance(value, list) else [value]:
                yield from walk(element, child)


def misfits(entities, metadata):
    """Fields that SAP's metadata does not know, or that its type, length or form forbids."""
    types = {
        kind.get("Name"): {field.get("Name"): field for field in kind.findall(f"{EDM}Property")}
        for kind in ET.parse(metadata).iter(f"{EDM}EntityType")
    }
    compared, wrong = set(), []
    for name, fields in itertools.chain.from_iterable(walk(entity) for entity in entities):
        for field, value in fields.items():
            known = types[TYPES[name]].get(field)
            if known is None:
                if not field.startswith("YY1_"):
                    wrong.append(f"{TYPES[name]}.{field} is unknown")
                continue
            compared.add((name, field))
            edm, length = known.get("Type"), known.get("MaxLength")
            if edm == "Edm.Boolean":
                fits = isinstance(value, bool)
            elif edm in FORMS:
                fits = re.fullmatch(FORMS[edm], value) is not None
            else:
                fits = isinstance(value, str) and (length is None or len(value) <= int(length))
            if not fits:
                wrong.append(f"{TYPES[name]}.{field} ({edm}, {length}): {value!r}")
    return compared, wrong


def test_the_same_seed_gives_the_same_partners_whatever_the_count():
    assert list(partners(7, 50)) == list(itertools.islice(partners(7, 500), 50))
    assert list(partners(7, 50)) != list(partners(8, 50))


def test_partners_are_streamed_and_not_held():
    assert next(partners(1, 1_000_000))["BusinessPartner"] == "1000000"


def test_the_mix_is_mostly_customer_organizations(thousand):
    kinds = Counter()
    for partner in thousand:
        roles = {role["BusinessPartnerRole"] for role in partner["to_BusinessPartnerRole"]}
        kinds[partner["BusinessPartnerCategory"], "FLCU00" in roles, "FLVN00" in roles] += 1
    assert 750 <= kinds["2", True, False] <= 850
    assert 45 <= kinds["2", False, True] <= 95
    assert 55 <= sum(n for (category, _, _), n in kinds.items() if category == "1") <= 105
    assert 8 <= sum(n for (category, _, _), n in kinds.items() if category == "3") <= 35
    assert 15 <= sum(partner["BusinessPartnerIsBlocked"] for partner in thousand) <= 50


def test_all_five_countries_and_their_scripts_appear(thousand):
    found = Counter(partner["to_BusinessPartnerAddress"][0]["Country"] for partner in thousand)
    assert set(found) == {"DE", "AT", "CH", "US", "JP"}
    text = "".join(partner["BusinessPartnerName"] for partner in thousand)
    assert set("äöüßéō") <= set(text)
    assert re.search("[一-鿿]", text)


def test_customer_numbers_differ_from_partner_numbers_now_and_then(thousand):
    customers = [partner for partner in thousand if partner["Customer"]]
    differing = [partner for partner in customers if partner["Customer"] != partner["BusinessPartner"]]
    assert 0.05 <= len(differing) / len(customers) <= 0.15
    numbers = [partner["BusinessPartner"] for partner in thousand]
    assert not {partner["Customer"] for partner in differing} & set(numbers)
    assert all(len(number) <= 10 and number[0] != "0" for number in numbers)
    assert len({partner["Customer"] for partner in customers}) == len(customers)


def test_children_carry_the_keys_of_their_parents(thousand):
    seen = set()
    for partner in thousand:
        for role in partner["to_BusinessPartnerRole"]:
            assert role["BusinessPartner"] == partner["BusinessPartner"]
        for address in partner["to_BusinessPartnerAddress"]:
            assert address["BusinessPartner"] == partner["BusinessPartner"]
            assert address["AddressID"] not in seen
            seen.add(address["AddressID"])
            for child in ("to_EmailAddress", "to_PhoneNumber", "to_AddressUsage"):
                assert all(element["AddressID"] == address["AddressID"] for element in address[child])
        if partner["Customer"]:
            assert partner["to_Customer"]["Customer"] == partner["Customer"]
            assert all(a["Customer"] == partner["Customer"] for a in partner["to_Customer"]["to_CustomerSalesArea"])


def test_the_first_address_is_valid_and_some_others_have_expired(thousand):
    others = [a for partner in thousand for a in partner["to_BusinessPartnerAddress"][1:]]
    for partner in thousand:
        addresses = partner["to_BusinessPartnerAddress"]
        assert 1 <= len(addresses) <= 3
        assert addresses[0]["ValidityEndDate"].startswith("9999")
        assert addresses[0]["ValidityStartDate"] < "2025-07-01"
    assert any(address["ValidityEndDate"] < "2025-01-01" for address in others)
    assert any(address["ValidityStartDate"] > "2030-01-01" for address in others)


def test_postal_code_city_and_region_belong_together(thousand):
    known = {(c.code, city.region, code) for c in COUNTRIES for city in c.cities for code in city.codes}
    for partner in thousand:
        for address in partner["to_BusinessPartnerAddress"]:
            assert (address["Country"], address["Region"], address["PostalCode"]) in known


def mod_11_10(digits):
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (product + int(digits[-1])) % 10 == 1


def austrian(digits):
    total = 4
    for position, digit in enumerate(map(int, digits[:-1])):
        total += digit if position % 2 == 0 else sum(divmod(2 * digit, 10))
    return int(digits[-1]) == (10 - total % 10) % 10


def swiss(digits):
    return sum(w * int(d) for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 1), digits, strict=True)) % 11 == 0


def japanese(digits):
    total = sum(int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits[1:]), 1))
    return int(digits[0]) == 9 - total % 9


CHECKS = {
    "DE0": (r"DE(\d{9})", mod_11_10),
    "AT0": (r"ATU(\d{8})", austrian),
    "CH0": (r"CHE(\d{9})MWST", swiss),
    "JP1": (r"(\d{13})", japanese),
    "US02": (r"(\d\d-\d{7})", lambda digits: True),
}


def test_check_digits_of_tax_numbers_are_those_of_known_companies():
    """The checks themselves are tried on published numbers, one of each country, before they judge ours."""
    assert mod_11_10("136695976")
    assert austrian("13585627")
    assert swiss("116281710")
    assert japanese("7000012050002")
    assert not mod_11_10("136695975")


def test_tax_numbers_pass_the_checks_of_their_country(thousand):
    taxes = [tax for partner in thousand for tax in partner["to_BusinessPartnerTax"]]
    assert {tax["BPTaxType"] for tax in taxes} == set(CHECKS)
    for tax in taxes:
        form, check = CHECKS[tax["BPTaxType"]]
        match = re.fullmatch(form, tax["BPTaxNumber"])
        assert match, tax
        assert check(match[1]), tax


def test_ibans_pass_the_check_of_their_standard(thousand):
    ibans = [bank["IBAN"] for partner in thousand for bank in partner["to_BusinessPartnerBank"] if bank["IBAN"]]
    assert len(ibans) > 300
    lengths = {"DE": 22, "AT": 20, "CH": 21}
    for iban in ibans:
        assert int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1
        assert len(iban) == lengths[iban[:2]]


def test_mail_addresses_are_plain_ascii_under_a_reserved_domain(thousand):
    mails = [
        mail["EmailAddress"]
        for partner in thousand
        for address in partner["to_BusinessPartnerAddress"]
        for mail in address["to_EmailAddress"]
    ]
    assert len(mails) > 1000
    assert [mail for mail in mails if not re.fullmatch(r"[a-z-]+@[a-z0-9-]+\.example", mail)] == []


def test_every_field_fits_the_real_metadata(thousand):
    if not METADATA.exists():
        pytest.skip(f"{METADATA} is not there")
    compared, wrong = misfits(thousand, METADATA)
    assert wrong == []
    assert len(compared) >= 90


def test_the_comparison_with_the_metadata_finds_a_planted_length_and_a_planted_name(thousand):
    if not METADATA.exists():
        pytest.skip(f"{METADATA} is not there")
    planted = {"BusinessPartner": "1", "SearchTerm1": "x" * 21, "OrganisationBPName1": "x", "CreationDate": "1.1.2020"}
    _, wrong = misfits([planted], METADATA)
    assert len(wrong) == 3


def test_ten_thousand_partners_take_no_longer_than_a_second():
    start = time.process_time()
    assert sum(1 for _ in partners(3, 10_000)) == 10_000
    assert time.process_time() - start < 1
