"""The metadata of the services of what is sold, against the real documents where they lie next to the checkout."""

from pathlib import Path

import pytest
from lxml import etree

from sandbox.s4hana import edmx
from sandbox.s4hana.model import FURTHER, load_service

CONTRACTS = Path(__file__).parents[3] / "shared/contracts/s4hana"
EDM = {"e": "http://schemas.microsoft.com/ado/2008/09/edm"}
SAP = "{http://www.sap.com/Protocols/SAPData}"
FACETS = (
    "Type", "Nullable", "MaxLength", "Precision", "Scale", "ConcurrencyMode", f"{SAP}creatable", f"{SAP}updatable",
    f"{SAP}filterable",
)  # fmt: skip
WANTED = {
    "API_PRODUCT_SRV": {
        "A_Product", "A_ProductDescription", "A_ProductBasicText", "A_ProductSales", "A_ProductSalesDelivery",
        "A_ProductSalesTax", "A_ProductPlant", "A_ProductUnitsOfMeasure", "A_ProductUnitsOfMeasureEAN",
    },
    "API_SLSPRICINGCONDITIONRECORD_SRV": {
        "A_SlsPrcgConditionRecord", "A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale",
    },
    "API_MATERIAL_STOCK_SRV": {"A_MatlStkInAcctMod", "A_MaterialStock"},
    "API_CUSTOMER_MATERIAL_SRV": {"A_CustomerMaterial"},
}  # fmt: skip


def own(service: str) -> etree._Element:
    return etree.fromstring(edmx.render(load_service(service), service))


def real(service: str) -> etree._Element:
    path = CONTRACTS / f"{service}.edmx"
    if not path.exists():
        pytest.skip(f"{path.name} of the real system is not next to the checkout")
    return etree.parse(path).getroot()


def properties(document: etree._Element) -> dict[str, dict[str, str | None]]:
    return {
        f"{kind.get('Name')}/{item.get('Name')}": {name: item.get(name) for name in FACETS}
        for kind in document.iterfind(".//e:EntityType", EDM)
        for item in kind.iterfind("e:Property", EDM)
    }


def keys(document: etree._Element) -> dict[str, list[str]]:
    types = document.iterfind(".//e:EntityType", EDM)
    return {t.get("Name"): [k.get("Name") for k in t.iterfind("e:Key/e:PropertyRef", EDM)] for t in types}


def navigations(document: etree._Element) -> dict[str, tuple[str, str]]:
    ends = {
        (association.get("Name"), end.get("Role")): (end.get("Type"), end.get("Multiplicity"))
        for association in document.iterfind(".//e:Association", EDM)
        for end in association.iterfind("e:End", EDM)
    }
    return {
        f"{kind.get('Name')}/{item.get('Name')}": ends[item.get("Relationship").rpartition(".")[2], item.get("ToRole")]
        for kind in document.iterfind(".//e:EntityType", EDM)
        for item in kind.iterfind("e:NavigationProperty", EDM)
    }


def sets(document: etree._Element) -> dict[str, tuple[str | None, ...]]:
    return {
        s.get("Name"): tuple(s.get(SAP + name) for name in ("creatable", "updatable", "deletable"))
        for s in document.iterfind(".//e:EntitySet", EDM)
    }


def differences(mine: dict, theirs: dict) -> list[str]:
    return [f"{name}: {value} is {theirs.get(name)}" for name, value in mine.items() if theirs.get(name) != value]


@pytest.mark.parametrize("service", FURTHER)
def test_everything_served_is_as_in_the_real_metadata(service):
    mine, theirs = own(service), real(service)
    for part in (properties, navigations, sets, keys):
        # a navigation to 0..1 may be declared to 1
        assert [d for d in differences(part(mine), part(theirs)) if "'0..1') is" not in d] == []


@pytest.mark.parametrize("service", FURTHER)
def test_the_sets_are_there_and_nothing_else(service):
    assert set(sets(own(service))) == WANTED[service]


def test_the_count_of_compared_properties_is_large_enough_to_mean_something():
    assert sum(len(properties(own(service))) for service in FURTHER) > 300


def test_a_planted_wrong_length_is_found():
    mine, theirs = properties(own("API_PRODUCT_SRV")), properties(real("API_PRODUCT_SRV"))
    mine["A_ProductType/ProductGroup"] |= {"MaxLength": "10"}
    assert [d.partition(":")[0] for d in differences(mine, theirs)] == ["A_ProductType/ProductGroup"]
