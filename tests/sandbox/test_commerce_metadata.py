"""The metadata of the simulated shop against SAP's own, and what a foreign client makes of them."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pyodata.v2.model import MetadataBuilder

from .commerce_shop import started

CONTRACTS = Path(__file__).resolve().parents[2].parent / "shared/contracts/commerce"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
OBJECTS = ("InboundB2BUnit", "L2CB2BUnit", "InboundB2BCustomer", "L2CB2BCustomer", "L2CCustomer")
OWN = {
    "B2BUnit": {
        *(("B2BUnit", name) for name in ("vatID", "l2cPartnerNumber", "l2cCustomerNumber", "l2cSegment", "l2cEmail")),
        ("B2BUnit", "modifiedtime"),
        *(("Address", name) for name in ("email", "url", "owner", "modifiedtime")),
        ("association", "FK_Address_owner"),
        ("association set", "Address_B2BUnits"),
    },
    "B2BCustomer": {
        *(("B2BCustomer", name) for name in ("l2cPhone", "l2cMobile", "l2cFunction", "l2cDepartment", "modifiedtime")),
    },
}
"""What the hub's `L2C…` objects have beyond SAP's `Inbound…`."""


@pytest.fixture(scope="module")
def documents():
    with started() as shop:
        yield {name: shop.get(f"/odata2webservices/{name}/$metadata").content for name in OBJECTS}


def real(kind):
    path = CONTRACTS / f"Inbound{kind}.edmx"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


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


@pytest.mark.parametrize(("kind", "least"), [("B2BUnit", 60), ("B2BCustomer", 60)])
def test_an_inbound_object_is_described_exactly_as_by_sap(documents, kind, least):
    ours, theirs = facts(documents[f"Inbound{kind}"]), facts(real(kind))
    assert ours == theirs
    assert len(theirs) >= least


@pytest.mark.parametrize("kind", ["B2BUnit", "B2BCustomer"])
def test_an_own_object_is_the_inbound_one_and_what_is_listed_here(documents, kind):
    ours, theirs = facts(documents[f"L2C{kind}"]), facts(real(kind))
    assert {name: fact for name, fact in ours.items() if name in theirs} == theirs
    assert {name for name in ours if name not in theirs} == OWN[kind]


def test_the_consumer_shares_names_and_types_with_what_sap_describes(documents):
    """No contract shows a Customer; what it has in common with a B2BCustomer, and its addresses, must be the same."""
    ours = facts(documents["L2CCustomer"])
    person, address = facts(real("B2BCustomer")), facts(real("B2BUnit"))
    shared = {name for kind, name in ours if kind == "Customer" and ("B2BCustomer", name) in person}
    assert {"uid", "customerID", "name", "loginDisabled", "sapIsReplicated", "title", "sessionLanguage"} <= shared
    for name in shared - {"integrationKey", "key", "customerID"}:
        theirs = {
            key: value for key, value in person["B2BCustomer", name].items() if key not in ("FromRole", "Relationship")
        }
        assert {key: value for key, value in ours["Customer", name].items() if key in theirs} == theirs, name
    for kind, name in ours:
        if kind == "Address" and (kind, name) in address:
            assert ours[kind, name] == address[kind, name], name


@pytest.mark.parametrize("kind", ["B2BUnit", "B2BCustomer"])
def test_the_comparison_finds_a_planted_difference(documents, kind):
    theirs = facts(real(kind))
    planted = [(b's:IsPartOf="true"', b""), (b"|", b"_"), (b'Type="Edm.Boolean"', b'Type="Edm.String"')]
    for old, new in planted:
        assert old in documents[f"Inbound{kind}"]
        assert facts(documents[f"Inbound{kind}"].replace(old, new)) != theirs


def test_the_alias_names_the_segments_of_a_key_in_byte_order(documents):
    alias = "{http://schemas.sap.com/commerce}Alias"

    def of(name, kind):
        return facts(documents[name])[kind, "integrationKey"][alias]

    assert of("L2CB2BUnit", "Address") == "Address_duplicate|Address_publicKey"
    assert of("L2CB2BUnit", "Region") == "Country_isocode|Region_isocode"
    assert of("L2CB2BCustomer", "B2BCustomer") == "B2BCustomer_customerID|B2BCustomer_uid"
    assert of("L2CB2BCustomer", "Address") == "Address_publicKey"
    assert of("L2CCustomer", "Customer") == "Customer_uid"


@pytest.mark.parametrize("name", OBJECTS)
def test_pyodata_reads_the_metadata(documents, name):
    model = MetadataBuilder(documents[name]).build()
    root = model.entity_type(name.removeprefix("Inbound").removeprefix("L2C"))
    assert [key.name for key in root.key_proprties] == ["integrationKey"]
    assert {nav.name: nav.to_role.entity_type_name for nav in root.nav_proprties}["addresses"] == "Address"
    assert root.proprty("uid").nullable is False
