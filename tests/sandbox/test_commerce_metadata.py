"""The metadata of the simulated shop against SAP's own, and what a foreign client makes of them."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pyodata.v2.model import MetadataBuilder

from .commerce_shop import started

REAL = Path(__file__).resolve().parents[2].parent / "shared/contracts/commerce/InboundB2BUnit.edmx"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
OWN = {
    ("B2BUnit", "vatID"),
    ("B2BUnit", "l2cCustomerNumber"),
    ("B2BUnit", "l2cSegment"),
    ("B2BUnit", "l2cEmail"),
    ("B2BUnit", "modifiedtime"),
    ("Address", "email"),
    ("Address", "url"),
    ("Address", "owner"),
    ("Address", "modifiedtime"),
}
"""What `L2CB2BUnit` has beyond SAP's `InboundB2BUnit`."""


@pytest.fixture(scope="module")
def documents():
    with started() as shop:
        yield {
            name: shop.get(f"/odata2webservices/{name}/$metadata").content for name in ("InboundB2BUnit", "L2CB2BUnit")
        }


@pytest.fixture
def real():
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there")
    return REAL.read_bytes()


def facts(document):
    """Every element of a metadata document with its attributes, by a name that tells where it stands."""
    found = {}
    root = ET.fromstring(document)
    for kind in root.iter(f"{EDM}EntityType"):
        name = kind.get("Name")
        found[name, "key"] = [ref.get("Name") for ref in kind.iter(f"{EDM}PropertyRef")]
        for element in kind.findall(f"{EDM}Property") + kind.findall(f"{EDM}NavigationProperty"):
            found[name, element.get("Name")] = dict(element.attrib)
    for element in root.iter(f"{EDM}Association"):
        found["association", element.get("Name")] = [dict(end.attrib) for end in element]
    for element in root.iter(f"{EDM}AssociationSet"):
        found["association set", element.get("Name")] = [
            element.get("Association"),
            [dict(end.attrib) for end in element],
        ]
    for element in root.iter(f"{EDM}EntitySet"):
        found["set", element.get("Name")] = element.get("EntityType")
    return found


def test_inboundb2bunit_is_described_exactly_as_by_sap(documents, real):
    ours, theirs = facts(documents["InboundB2BUnit"]), facts(real)
    assert ours == theirs
    assert len(theirs) >= 60


def test_l2cb2bunit_is_inboundb2bunit_and_what_is_listed_here(documents, real):
    ours, theirs = facts(documents["L2CB2BUnit"]), facts(real)
    assert {name: fact for name, fact in ours.items() if name in theirs} == theirs
    more = {name for name in ours if name not in theirs}
    assert more == OWN | {("association", "FK_Address_owner"), ("association set", "Address_B2BUnits")}


def test_the_comparison_finds_a_planted_difference(documents, real):
    theirs = facts(real)
    for old, new in ((b"Address_duplicate|Address", b"Address_Duplicate|Address"), (b's:IsPartOf="true"', b"")):
        assert old in documents["InboundB2BUnit"]
        assert facts(documents["InboundB2BUnit"].replace(old, new)) != theirs


def test_the_alias_names_the_segments_of_a_key_in_byte_order(documents):
    found = facts(documents["L2CB2BUnit"])
    alias = "{http://schemas.sap.com/commerce}Alias"
    assert found["Address", "integrationKey"][alias] == "Address_duplicate|Address_publicKey"
    assert found["Region", "integrationKey"][alias] == "Country_isocode|Region_isocode"


@pytest.mark.parametrize("name", ["InboundB2BUnit", "L2CB2BUnit"])
def test_pyodata_reads_the_metadata(documents, name):
    model = MetadataBuilder(documents[name]).build()
    unit = model.entity_type("B2BUnit")
    assert [key.name for key in unit.key_proprties] == ["integrationKey"]
    assert {nav.name: nav.to_role.entity_type_name for nav in unit.nav_proprties}["addresses"] == "Address"
    assert unit.proprty("uid").nullable is False
