"""Partners as changes, and the messages a connector makes of them."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lxml import etree
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Change, Connection, Message, Record, Status, System

PARTNER = "A_BusinessPartner"
PATH = "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic"
numbers = itertools.count(1)

COMMUNICATION = {
    "to_EmailAddress": [
        {"EmailAddress": "info@example.com", "IsDefaultEmailAddress": True},
        {"EmailAddress": "b@example.com"},
    ],
    "to_PhoneNumber": [{"PhoneNumber": "0221 1", "PhoneNumberExtension": "12", "DestinationLocationCountry": "DE"}],
    "to_MobilePhoneNumber": [{"PhoneNumber": "0170 1", "PhoneNumberType": "3", "IsDefaultPhoneNumber": True}],
    "to_FaxNumber": [{"FaxNumber": "0221 2", "FaxCountry": "DE", "IsDefaultFaxNumber": True}],
    "to_URLAddress": [{"WebsiteURL": "https://example.com/shop?a=1", "IsDefaultURLAddress": True}],
}
ADDRESS = {
    "AddressIDByExternalSystem": "A-1",
    "ValidityStartDate": "2026-01-01T00:00:00Z",
    "ValidityEndDate": "9999-12-31T23:59:59Z",
    "Country": "DE",
    "Region": "NW",
    "CityName": "Köln",
    "District": "Altstadt",
    "PostalCode": "50667",
    "StreetName": "Domplatz",
    "HouseNumber": "1",
    "HouseNumberSupplementText": "a",
    "StreetPrefixName": "Hof",
    "CareOfName": "c/o Pförtner",
    "POBox": "4711",
    "POBoxPostalCode": "50668",
    "County": "Köln",
    "Language": "DE",
    "AddressTimeZone": "CET",
    **COMMUNICATION,
}
AREA = {
    "SalesOrganization": "1010",
    "DistributionChannel": "10",
    "Division": "00",
    "Currency": "EUR",
    "CustomerPaymentTerms": "0001",
    "IncotermsClassification": "EXW",
    "IncotermsTransferLocation": "Köln",
    "to_SalesAreaTax": [{"DepartureCountry": "DE", "CustomerTaxCategory": "TTX1", "CustomerTaxClassification": "1"}],
}


def organization(**more):
    return {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "Müller & Söhne <GmbH>",
        "OrganizationBPName2": "Werkzeuge",
        "FormOfAddress": "0003",
        "SearchTerm1": "MUELLER",
        "CorrespondenceLanguage": "DE",
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
        "to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}],
        "to_BusinessPartnerAddress": [ADDRESS],
        "to_Customer": {
            "to_CustomerSalesArea": [AREA],
            "to_CustomerCompany": [{"CompanyCode": "1010", "ReconciliationAccount": "12100000"}],
        },
        **more,
    }


def person(**more):
    return {
        "BusinessPartnerCategory": "1",
        "FirstName": "Änne",
        "LastName": "O'Hara",
        "AcademicTitle": "0001",
        "BirthDate": "1980-02-29",
        "IsFemale": True,
        "CorrespondenceLanguage": "EN",
        "OrganizationBPName1": None,
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}],
        "to_BuPaIdentification": [{"BPIdentificationType": "ZMERGE", "BPIdentificationNumber": "1000001"}],
        **more,
    }


@contextmanager
def connectors(url: str) -> Iterator[Callable[..., S4HanaConnector]]:
    """Builds connectors to the system at this address, profile `onpremise` unless told otherwise."""
    made: list[S4HanaConnector] = []

    def build(*, profile="onpremise", clock=None, secret="sandbox-s4-secret", **settings):
        options: dict[str, Any] = {} if clock is None else {"clock": clock}
        system = System("erp", Connection(url, "HUB_USER", SecretStr(secret)), profile=profile, **options)
        made.append(S4HanaConnector(system, Settings(client="100", **{"partner_grouping": "BP02", **settings})))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def partner_there(connector_for):
    """The number of a partner that is there, written by OData."""
    writer = connector_for(write_by="odata")
    change = Change(Record("", organization()), mark=f"made-{next(numbers)}")
    (outcome,) = writer.send(writer.prepare(PARTNER, [change]))
    assert outcome.status is Status.CREATED, outcome
    return outcome.native_key


def body_of(connector, change):
    """The one message of a change, as bytes."""
    (prepared,) = connector.prepare(PARTNER, [change])
    assert prepared.outcome is None, prepared.outcome
    (request,) = prepared.requests
    assert (request.method, request.path) == ("POST", "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic")
    return request.body


def partner_of(body):
    return etree.fromstring(body).find(".//BusinessPartner")


def edit(key, data, before=None):
    return Change(Record(key, data), before=before)


def outcome_of(connector, change):
    (prepared,) = connector.prepare(PARTNER, [change])
    assert prepared.requests == ()
    return prepared.outcome


class Hub:
    """Where confirmations go: keeps every message and answers 202."""

    def __init__(self):
        self.messages = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hub.messages.append(Message({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hub/inbox/erp"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
