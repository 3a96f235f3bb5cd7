"""The simulated metadata against the real document, where it lies next to the checkout."""

from pathlib import Path

import pytest
from lxml import etree

CONTRACT = Path(__file__).parents[3] / "shared/contracts/s4hana/API_BUSINESS_PARTNER.edmx"
EDM = {"e": "http://schemas.microsoft.com/ado/2008/09/edm"}
SAP = "{http://www.sap.com/Protocols/SAPData}"
OWN_FIELDS = {"A_BusinessPartnerType/YY1_Segment_bus"}
FACETS = (
    "Type",
    "Nullable",
    "MaxLength",
    "Precision",
    "Scale",
    f"{SAP}creatable",
    f"{SAP}updatable",
    f"{SAP}filterable",
)
SETS = {
    "A_BusinessPartner", "A_BusinessPartnerAddress", "A_AddressEmailAddress", "A_AddressPhoneNumber", "A_AddressFaxNumber",
    "A_AddressHomePageURL", "A_BuPaAddressUsage", "A_BusinessPartnerRole", "A_BusinessPartnerTaxNumber",
    "A_BuPaIdentification", "A_BusinessPartnerContact", "A_BusinessPartnerBank", "A_Customer", "A_CustomerSalesArea",
    "A_CustomerCompany", "A_BPContactToAddress", "A_BPContactToFuncAndDept", "A_CustomerSalesAreaTax",
    "A_CustomerTaxGrouping", "A_BPAddressIndependentEmail", "A_BPAddressIndependentMobile",
}  # fmt: skip


def properties(document: etree._Element) -> dict[str, dict[str, str | None]]:
    found = {}
    for kind in document.iterfind(".//e:EntityType", EDM):
        for item in kind.iterfind("e:Property", EDM):
            found[f"{kind.get('Name')}/{item.get('Name')}"] = {name: item.get(name) for name in FACETS}
    return found


def keys(document: etree._Element) -> dict[str, list[str]]:
    types = document.iterfind(".//e:EntityType", EDM)
    return {t.get("Name"): [k.get("Name") for k in t.iterfind("e:Key/e:PropertyRef", EDM)] for t in types}


def navigations(document: etree._Element) -> dict[str, tuple[str, str]]:
    ends = {}
    for association in document.iterfind(".//e:Association", EDM):
        for end in association.iterfind("e:End", EDM):
            ends[association.get("Name"), end.get("Role")] = (end.get("Type"), end.get("Multiplicity"))
    found = {}
    for kind in document.iterfind(".//e:EntityType", EDM):
        for item in kind.iterfind("e:NavigationProperty", EDM):
            name = item.get("Relationship").rpartition(".")[2]
            found[f"{kind.get('Name')}/{item.get('Name')}"] = ends[name, item.get("ToRole")]
    return found


def sets(document: etree._Element) -> dict[str, tuple[str | None, ...]]:
    return {
        s.get("Name"): tuple(s.get(SAP + name) for name in ("creatable", "updatable", "deletable"))
        for s in document.iterfind(".//e:EntitySet", EDM)
    }


@pytest.fixture
def own(s4):
    return etree.fromstring(s4.get("$metadata").content)


@pytest.fixture(scope="module")
def real():
    if not CONTRACT.exists():
        pytest.skip(f"{CONTRACT.name} of the real system is not next to the checkout")
    return etree.parse(CONTRACT).getroot()


def differences(own: dict, real: dict) -> list[str]:
    return [f"{name}: {value} is {real.get(name)}" for name, value in own.items() if real.get(name) != value]


def test_every_served_property_is_as_in_the_real_metadata(own, real, capsys):
    mine = {name: facets for name, facets in properties(own).items() if name not in OWN_FIELDS}
    assert differences(mine, properties(real)) == []
    with capsys.disabled():
        print(f" [{len(mine)} properties compared]", end="")
    assert len(mine) > 400


def test_keys_navigations_and_set_flags_are_as_in_the_real_metadata(own, real):
    assert differences(keys(own), keys(real)) == []
    assert differences(navigations(own), navigations(real)) == []
    assert differences(sets(own), sets(real)) == []


def test_the_types_are_served_with_all_their_fields(own, real):
    missing = [n for n in properties(real) if n.split("/")[0] in keys(own) and n not in properties(own)]
    assert missing == []


def test_a_planted_wrong_name_and_a_wrong_length_are_found(own, real):
    mine = properties(own)
    mine["A_BusinessPartnerType/SearchTerm9"] = mine["A_BusinessPartnerType/SearchTerm1"]
    mine["A_BusinessPartnerType/SearchTerm2"] |= {"MaxLength": "21"}
    found = differences(mine, properties(real))
    assert [text.split(":")[0] for text in found] == [
        "A_BusinessPartnerType/SearchTerm2",
        "A_BusinessPartnerType/YY1_Segment_bus",
        "A_BusinessPartnerType/SearchTerm9",
    ]


def test_the_sets_and_the_extension_field_are_there(s4, own):
    assert set(sets(own)) == SETS
    assert set(s4.get("").json()["d"]["EntitySets"]) == SETS
    assert properties(own)["A_BusinessPartnerType/YY1_Segment_bus"]["MaxLength"] == "20"
