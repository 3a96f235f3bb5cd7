"""Every replication message is valid by the real service descriptions, of which ours is a part."""

from pathlib import Path

import pytest
from lxml import etree

from l2c.contract import Change, Connection, Record, System
from l2c.http import HttpSession, SoapClient
from tests.contract.replicated import (
    ADDRESS,
    AREA,
    COMMUNICATION,
    body_of,
    connectors,
    edit,
    organization,
    partner_there,
    person,
)
from tests.contract.rigs.sandbox import started

HERE = Path(__file__).parents[2]
REAL = HERE.parent / "shared" / "contracts" / "mdg"
OWN = HERE / "connectors" / "s4hana" / "replication" / "wsdl"
SERVICES = ("BUSINESSPARTNERSUITEBULKREPLICATEREQUEST_IN", "BUSINESSPARTNERSUITEBULKREPLICATEREQUEST_IN_ONPREM")
XSD = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture(scope="module")
def erp(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("erp"))
    with started("s4hana", "--partners", "0", "--profile", "onpremise", "--data", folder, service="^/sap/") as found:
        yield found


@pytest.fixture
def connector_for(erp):
    with connectors(erp.url) as build:
        yield build


@pytest.fixture
def connector(connector_for):
    return connector_for()


@pytest.fixture
def key(connector_for):
    return partner_there(connector_for)


def messages(connector, key):
    """Every kind of message the connector makes."""
    first = {"to_BusinessPartnerAddress": [ADDRESS]}
    yield Change(Record("", organization()), mark="valid-1")
    yield Change(Record("", person()), mark="valid-2")
    yield Change(Record("", {"BusinessPartnerCategory": "3", "GroupBusinessPartnerName1": "Wohngemeinschaft"}))
    yield edit(key, {"OrganizationBPName1": "Neu", "OrganizationBPName2": None, "SearchTerm1": ""})
    yield edit(key, {"BusinessPartnerIsBlocked": True})
    yield edit(key, {"to_BusinessPartnerAddress": [{**ADDRESS, "CityName": "Bonn", "Region": None}]}, first)
    yield edit(key, {"to_BusinessPartnerAddress": []}, first)
    yield edit(key, {"to_BusinessPartnerAddress": [ADDRESS, {"Country": "AT", "CityName": "Wien"}]}, first)
    numbers_gone = {name: [] for name in COMMUNICATION}
    yield edit(key, {"to_BusinessPartnerAddress": [{**ADDRESS, **numbers_gone}]}, first)
    yield edit(key, {"to_BusinessPartnerTax": []}, {"to_BusinessPartnerTax": organization()["to_BusinessPartnerTax"]})
    yield edit(key, {"to_BusinessPartnerTax": [{"BPTaxType": "GB0", "BPTaxLongNumber": "GB" + "1" * 40}]})
    yield edit(key, {"to_Customer": {"OrderIsBlockedForCustomer": "01"}})
    areas = {"to_CustomerSalesArea": [AREA]}
    yield edit(key, {"to_Customer": {"to_CustomerSalesArea": []}}, {"to_Customer": areas})
    yield edit(
        key,
        {"to_Customer": {"to_CustomerSalesArea": [{**AREA, "IncotermsClassification": None}]}},
        {"to_Customer": areas},
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_message_is_valid_by_the_real_description(connector, connector_for, key, service):
    description = REAL / f"{service}.wsdl"
    if not description.is_file():
        pytest.skip(f"'{description.name}' is not here: it lies outside the project, in ../shared")
    import zeep

    real = zeep.Client(str(description), settings=zeep.Settings(strict=True, forbid_dtd=True))
    element = real.get_element("{http://sap.com/xi/SAPGlobal20/Global}BusinessPartnerSUITEBulkReplicateRequest")
    session = HttpSession(System("erp", Connection("https://erp.example")))
    schema = SoapClient(session, description)
    complete = connector_for(
        replication_complete=("to_BusinessPartnerAddress", "to_BusinessPartnerRole", "to_BusinessPartnerTax"),
        recipient_system="S4H_100",
    )
    seen = 0
    for maker in (connector, complete):
        for change in messages(maker, key):
            body = body_of(maker, change)
            assert schema.mistakes(body) == ()
            (payload,) = etree.fromstring(body).find("{*}Body")
            element.parse(payload, real.wsdl.types)  # strict: anything unexpected raises
            seen += 1
    assert seen == 28


@pytest.mark.parametrize("service", SERVICES)
def test_the_own_description_is_a_part_of_the_real_one(service):
    description = REAL / f"{service}.wsdl"
    if not description.is_file():
        pytest.skip(f"'{description.name}' is not here: it lies outside the project, in ../shared")
    own, real = _types(OWN / "partner.xsd"), _types(description)
    compared = set()
    _compare(own["Bulk"], real["BPSUITEBulkRplctReqMsg"], own, real, compared)
    assert len(compared) > 190


def _types(path):
    schemas = etree.parse(str(path)).iter(f"{XSD}schema")
    return {node.get("name"): node for schema in schemas for node in schema if node.tag != f"{XSD}element"}


def _compare(mine, theirs, own, real, compared):
    """Every element and attribute of ours is theirs, in their order, at most as often, with a type that allows less."""
    elements = {node.get("name"): node for node in theirs.iter(f"{XSD}element")}
    order = list(elements)
    ours = [node.get("name") for node in mine.iter(f"{XSD}element")]
    assert ours == sorted(ours, key=order.index)
    needed = {name for name, node in elements.items() if node.get("minOccurs", "1") != "0"}
    assert needed <= set(ours)
    attributes = {node.get("name"): node.get("use") for node in theirs.iter(f"{XSD}attribute")}
    said = {node.get("name") for node in mine.iter(f"{XSD}attribute")}
    assert {name for name, use in attributes.items() if use == "required"} <= said <= attributes.keys()
    for node in mine.iter(f"{XSD}element"):
        name = node.get("name")
        assert _most(node) <= _most(elements[name])
        prefix, _, kind = node.get("type").partition(":")
        other = elements[name].get("type").rpartition(":")[2]
        if (mine.get("name"), name) in compared:
            continue
        compared.add((mine.get("name"), name))
        if prefix == "tns" and own[kind].tag == f"{XSD}complexType":
            _compare(own[kind], real[other], own, real, compared)


def _most(node):
    most = node.get("maxOccurs", "1")
    return 10**9 if most == "unbounded" else int(most)
