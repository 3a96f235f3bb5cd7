"""The replication messages against SAP's own descriptions, where they lie next to the checkout."""

import uuid
from pathlib import Path

import pytest
import zeep
import zeep.exceptions
from lxml import etree
from requests import Session

from sandbox.s4hana.soap.tree import Part, messages

from .replication import LOGIN, PATH, Sender, envelope, firm, partner, receiver

CONTRACTS = Path(__file__).parents[3] / "shared/contracts/mdg"
GLOBAL = "http://sap.com/xi/SAPGlobal20/Global"
REQUEST, CONFIRMATION = "BusinessPartnerSUITEBulkReplicateRequest", "BusinessPartnerSUITEBulkReplicateConfirmation"
FILES = {
    "cloud": ("BUSINESSPARTNERSUITEBULKREPLICATEREQUEST_IN.wsdl", REQUEST),
    "onpremise": ("BUSINESSPARTNERSUITEBULKREPLICATEREQUEST_IN_ONPREM.wsdl", REQUEST),
    "confirmation": ("BUSINESSPARTNERSUITEBULKREPLICATECONFIRMATION_IN.wsdl", CONFIRMATION),
}
XSD = "{http://www.w3.org/2001/XMLSchema}"


class Contract:
    """One of SAP's descriptions: as strict zeep reads it, and as a schema with all its facets."""

    def __init__(self, name: str, folder: Path) -> None:
        file, self.root = FILES[name]
        self.client = zeep.Client(str(CONTRACTS / file), settings=zeep.Settings(strict=True, forbid_dtd=True))
        self.element = self.client.get_element(f"{{{GLOBAL}}}{self.root}")
        self.schema = _schema(CONTRACTS / file, folder)

    def mistakes(self, body: bytes) -> list[str]:
        """What is wrong with the message in an envelope."""
        message = etree.fromstring(body)[0][0]
        found = [] if self.schema.validate(message) else [str(error) for error in self.schema.error_log]
        try:
            self.element.parse(message, self.client.wsdl.types)
        except (zeep.exceptions.Error, ValueError, ArithmeticError) as error:
            found.append(f"zeep: {error}")
        return found


def _schema(path: Path, folder: Path) -> etree.XMLSchema:
    """The description's embedded schemas, which import each other, as files of one folder."""
    schemas = list(etree.parse(path).iter(XSD + "schema"))
    names = {schema.get("targetNamespace"): f"{number}.xsd" for number, schema in enumerate(schemas)}
    for schema in schemas:
        for found in schema.iter(XSD + "import"):
            found.set("schemaLocation", names[found.get("namespace")])
        (folder / names[schema.get("targetNamespace")]).write_bytes(etree.tostring(schema))
    return etree.XMLSchema(etree.parse(folder / names[GLOBAL]))


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    """`contract("onpremise")`; each is read once."""
    read = {}

    def make(name: str) -> Contract:
        if not CONTRACTS.exists():
            pytest.skip(f"{CONTRACTS.name}: the real descriptions are not next to the checkout")
        if name not in read:
            read[name] = Contract(name, tmp_path_factory.mktemp(name))
        return read[name]

    return make


@pytest.fixture(scope="module")
def sap(start):
    process = start("s4hana", "--profile", "onpremise", "--partners", "300")
    process.tell("/settings", soap_delay_s=0)
    return Sender(process)


@pytest.fixture(scope="module")
def description(sap) -> zeep.Client:
    """The sandbox's own description."""
    session = Session()
    session.auth = LOGIN
    address = sap.process.url + PATH + "?wsdl"
    return zeep.Client(address, transport=zeep.Transport(session=session), settings=zeep.Settings(strict=True))


@pytest.mark.parametrize("name", ["cloud", "onpremise"])
def test_every_partner_the_sandbox_sends_is_valid(contract, sap, name):
    real = contract(name)
    full = sap.one(FULL)
    keys = [str(number) for number in range(1000000, 1000300)]
    with receiver() as hub:
        for start in range(0, 300, 50):
            sap.process.tell("/replicate", keys=keys[start : start + 50], url=hub.url)
        sap.process.tell("/replicate", keys=[full.number], url=hub.url)
        bodies = hub.bodies()
    assert len(bodies) == 7
    for body in bodies:
        assert real.mistakes(body) == []
    assert b"<TaxGrouping>" in bodies[-1]
    assert b"<GenderCode>" in b"".join(bodies)


def test_every_confirmation_the_sandbox_sends_is_valid(contract, sap):
    real, key = contract("confirmation"), str(uuid.uuid4())
    known = f"<UUID>{key}</UUID>" + FULL
    header = f"<ID>{uuid.uuid4().hex}</ID><UUID>{uuid.uuid4()}</UUID>"
    requests = [
        envelope(partner(known, changeOrdinalNumberValue="3"), header=header),
        envelope(partner(known, changeOrdinalNumberValue="2")),
        envelope(partner(known, actionCode="01"), partner(firm("")), partner(firm("x" * 40, InternalID="77"))),
        envelope(partner("<CategoryCode>9</CategoryCode>"), partner(f"<UUID>{uuid.uuid4()}</UUID>", actionCode="06")),
    ]
    first = sap.process.ask("/confirmations", limit=100_000)["next"]
    for body in requests:
        assert sap.post(body).status_code == 202
        sap.wait()
    entries = sap.process.ask("/confirmations", after=first)["confirmations"]
    assert len(entries) == len(requests)
    for entry in entries:
        assert real.mistakes(entry["body"].encode()) == []
    assert "CON.LRC" in entries[1]["body"]
    assert "<ReferenceUUID>" in entries[0]["body"]


def test_a_message_with_a_wrong_name_order_or_length_is_found(contract, sap):
    real = contract("onpremise")
    with receiver() as hub:
        good = sap.process.tell("/replicate", keys=["1000000"], url=hub.url)["body"]
    assert real.mistakes(good.encode()) == []
    for old, new in (
        ("<CategoryCode>", "<Colour>red</Colour><CategoryCode>"),
        ("<KeyWordsText>", f"<KeyWordsText>{'x' * 20}"),
        ('changeOrdinalNumberValue="', 'changeOrdinalNumberValue="x'),
    ):
        assert old in good
        assert real.mistakes(good.replace(old, new, 1).encode()) != []


def test_the_sandboxs_description_is_part_of_the_real_one(contract):
    compared = 0
    for name in ("cloud", "onpremise", "confirmation"):
        real = contract(name)
        root = messages().roots[real.root]
        found, number = differences(root, real.element.type, real.root)
        assert found == []
        compared += number
    assert compared > 400


def differences(part: Part, kind: object, path: str) -> tuple[list[str], int]:
    """Where an own element is not in the real type, stands elsewhere, or may occur more often; and how many there are."""
    elements, attributes = dict(kind.elements if part.form == "" else ()), dict(kind.attributes)
    own = [below.name for below in part.parts if not below.name.startswith("@")]
    order = [name for name in elements if name in own]
    found = [] if order == own else [f"{path}: {own} is {order}"]
    number = 0
    for below in part.parts:
        number += 1
        if below.name.startswith("@"):
            found += [] if below.name[1:] in attributes else [f"{path}/{below.name} is missing"]
        elif below.name in elements:
            element, where = elements[below.name], f"{path}/{below.name}"
            found += occurrence(below, element, where)
            if hasattr(element.type, "attributes"):
                inner, more = differences(below, element.type, where)
                found, number = found + inner, number + more
    must = {f"@{name}" for name, attribute in attributes.items() if attribute.required}
    found += [f"{path}/{name} must be there" for name in must - {below.name for below in part.parts}]
    return found, number


def occurrence(part: Part, element: object, path: str) -> list[str]:
    found = []
    if part.many != (element.max_occurs != 1):
        found.append(f"{path} may occur {element.max_occurs} times")
    if part.required != (element.min_occurs > 0):
        found.append(f"{path} must occur {element.min_occurs} times")
    return found


def test_a_request_made_from_the_sandboxs_description_is_valid_in_the_real_one(contract, sap, description):
    operation = "BusinessPartnerSUITEBulkReplicateRequest_In"
    content = {
        "MessageHeader": {"ID": uuid.uuid4().hex},
        "BusinessPartnerSUITEReplicateRequestMessage": [
            {
                "MessageHeader": {"ID": uuid.uuid4().hex},
                "BusinessPartner": {
                    "actionCode": "04",
                    "changeOrdinalNumberValue": 1,
                    "UUID": str(uuid.uuid4()),
                    "CategoryCode": "2",
                    "Common": [{"Organisation": {"Name": {"FirstLineName": "Vertrag AG"}}}],
                    "Role": [{"RoleCode": "FLCU00"}],
                },
            }
        ],
    }
    made = description.create_message(description.service, operation, **content)
    for name in ("cloud", "onpremise"):
        assert contract(name).mistakes(etree.tostring(made)) == []
    assert description.service[operation](**content) is None
    sap.wait()
    assert len(sap.rows("A_BusinessPartner", filter="OrganizationBPName1 eq 'Vertrag AG'")) == 1


FULL = (
    "<CategoryCode>1</CategoryCode><Customer>"
    "<AccountingInformation><CompanyID>1010</CompanyID>"
    "<GeneralLedgerAccountReference><ID>12100000</ID></GeneralLedgerAccountReference></AccountingInformation>"
    "<SalesArrangement><SalesOrganisationID>1010</SalesOrganisationID>"
    "<DistributionChannelCode>10</DistributionChannelCode><DivisionCode>00</DivisionCode>"
    "<PricingProcedureDeterminationCodeLong>01</PricingProcedureDeterminationCodeLong>"
    "<TransportServiceLevelCode>01</TransportServiceLevelCode><CurrencyCode>EUR</CurrencyCode>"
    "<DeliveryTerms><Incoterms><ClassificationCode>EXW</ClassificationCode>"
    "<TransferLocationName>Bonn</TransferLocationName></Incoterms></DeliveryTerms></SalesArrangement>"
    "<TaxClassification><TaxCountryCode>DE</TaxCountryCode><TaxTypeCode>TTX1</TaxTypeCode>"
    "<TaxGroupCode>1</TaxGroupCode></TaxClassification>"
    "<TaxGrouping><TaxCodeCategoryIndicator>1</TaxCodeCategoryIndicator></TaxGrouping></Customer>"
    "<AddressInformation><ExternalAddressID>a1</ExternalAddressID>"
    "<AddressUsage><AddressUsageCode>XXDEFAULT</AddressUsageCode><DefaultIndicator>true</DefaultIndicator></AddressUsage>"
    "<Address><CommunicationPreference><CorrespondenceLanguageCode>DE</CorrespondenceLanguageCode></CommunicationPreference>"
    "<Email><URI>a@x.example</URI></Email>"
    "<Facsimile><Number><SubscriberID>0228 2</SubscriberID><ExtensionID>3</ExtensionID><CountryCode>DE</CountryCode>"
    "</Number></Facsimile>"
    "<PostalAddress><CountryCode>DE</CountryCode><RegionCode>05</RegionCode><CityName>Bonn &amp; Köln</CityName>"
    "<StreetPostalCode>53113</StreetPostalCode><StreetName>Weg</StreetName><HouseID>1</HouseID></PostalAddress>"
    "<Telephone><Number><SubscriberID>0228 1</SubscriberID><CountryCode>DE</CountryCode></Number></Telephone>"
    "<Web><URI>https://x.example/?a=1&amp;b=2</URI></Web></Address></AddressInformation>"
    "<Common><BlockedIndicator>true</BlockedIndicator><KeyWordsText>KEY</KeyWordsText>"
    "<VerbalCommunicationLanguageCode>DE</VerbalCommunicationLanguageCode>"
    "<Person><Name><GivenName>Ada</GivenName><FamilyName>Doe</FamilyName></Name><GenderCode>2</GenderCode>"
    "<BirthDate>1990-01-31</BirthDate></Person></Common>"
    "<Role><RoleCode>FLCU00</RoleCode><ValidityPeriod><StartDate>2024-01-01</StartDate><EndDate>9999-12-31</EndDate>"
    "</ValidityPeriod></Role>"
    "<Identification><PartyIdentifierTypeCode>ZSHOP</PartyIdentifierTypeCode><BusinessPartnerID>unit|7</BusinessPartnerID>"
    "<EntryDate>2024-02-29</EntryDate></Identification>"
    "<TaxNumber><CountryCode>DE</CountryCode><TaxIdentificationNumberTypeCode>0</TaxIdentificationNumberTypeCode>"
    '<PartyTaxID schemeID="DE0">12345678901234567890</PartyTaxID>'
    '<LONG_PartyTaxID schemeID="DE0">1234567890123456789012345</LONG_PartyTaxID></TaxNumber>'
)
