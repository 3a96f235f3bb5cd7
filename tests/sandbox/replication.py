"""Requests as another system sends them to the simulated on-premise S/4HANA, written by hand, and a receiver of its own."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from lxml import etree

PATH = "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic"
LOGIN = ("HUB_USER", "sandbox-s4-secret")
ROOT = "http://sap.com/xi/SAPGlobal20/Global"
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}

POSTAL = "<PostalAddress><CountryCode>DE</CountryCode><CityName>{town}</CityName></PostalAddress>"


def firm(name: str = "Muster GmbH", **attributes: str) -> str:
    """The inner part of a new company's node, in the order of the message."""
    return (
        "<CategoryCode>2</CategoryCode>"
        + "".join(f"<{key}>{value}</{key}>" for key, value in attributes.items())
        + f"<Common><Organisation><Name><FirstLineName>{name}</FirstLineName></Name></Organisation></Common>"
    )


def partner(content: str, key: str = "", **attributes: str) -> str:
    """One partner with its own header."""
    listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        "<BusinessPartnerSUITEReplicateRequestMessage>"
        f"<MessageHeader><ID>{key or uuid.uuid4().hex}</ID></MessageHeader>"
        f"<BusinessPartner{listed}>{content}</BusinessPartner></BusinessPartnerSUITEReplicateRequestMessage>"
    )


def address(town: str, *more: str, inner: str = "", **keys: str) -> str:
    """An address node; `more` is what follows the postal address, `inner` what stands before it."""
    head = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items())
    content = inner + POSTAL.format(town=town) + "".join(more)
    return f"<AddressInformation>{head}<Address>{content}</Address></AddressInformation>"


def telephone(number: str, *, mobile: bool = False) -> str:
    flag = f"<MobilePhoneNumberIndicator>{str(mobile).lower()}</MobilePhoneNumberIndicator>"
    number = f"<Number><SubscriberID>{number}</SubscriberID><CountryCode>DE</CountryCode></Number>"
    return f"<Telephone>{number}{flag}</Telephone>"


def fresh() -> str:
    return str(uuid.uuid4())


def named(content: str, key: str, **attributes: str) -> str:
    """A partner with a shared id."""
    return partner(f"<UUID>{key}</UUID>{content}", **attributes)


def envelope(*partners: str, key: str = "", version: str = "1.1", header: str | None = None) -> bytes:
    """A whole request."""
    head = f"<ID>{key or uuid.uuid4().hex}</ID>" if header is None else header
    return (
        f'<s:Envelope xmlns:s="{ENVELOPES[version]}"><s:Body><n:BusinessPartnerSUITEBulkReplicateRequest xmlns:n="{ROOT}">'
        f"<MessageHeader>{head}<SenderBusinessSystemID>HUB</SenderBusinessSystemID></MessageHeader>{''.join(partners)}"
        "</n:BusinessPartnerSUITEBulkReplicateRequest></s:Body></s:Envelope>"
    ).encode()


@dataclass
class Confirmed:
    """One partner of a confirmation: what it answers, its keys, its log."""

    request: str
    reference: str
    keys: dict[str, str]
    result: str
    severity: str
    items: list[dict[str, str]]

    @property
    def number(self) -> str:
        return self.keys.get("ReceiverInternalID", "").lstrip("0")

    @property
    def notes(self) -> list[str]:
        return [item["Note"] for item in self.items]


def confirmed(body: bytes) -> list[Confirmed]:
    """The partners of a confirmation."""
    root = etree.fromstring(body)
    return [
        Confirmed(
            root.findtext(".//MessageHeader/ReferenceID"),
            message.findtext("MessageHeader/ReferenceID"),
            {child.tag: child.text for child in message.find("BusinessPartner") if child.text},
            message.findtext("Log/BusinessDocumentProcessingResultCode"),
            message.findtext("Log/MaximumLogItemSeverityCode"),
            [{child.tag: child.text for child in item} for item in message.iterfind("Log/Item")],
        )
        for message in root.iterfind(".//BusinessPartnerSUITEReplicateConfirmationMessage")
    ]


@dataclass
class Sender:
    """Another system in front of a simulated one."""

    process: Any
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.auth = LOGIN

    def post(self, body: bytes, version: str = "1.1", **headers: str) -> requests.Response:
        sent = {"Content-Type": TYPES[version], **headers}
        return self.session.post(self.process.url + PATH, body, headers=sent, timeout=20)

    def send(self, *partners: str, key: str = "") -> str:
        """Send partners in one request, answer its id."""
        key = key or uuid.uuid4().hex
        answer = self.post(envelope(*partners, key=key))
        assert (answer.status_code, answer.content) == (202, b""), answer.text
        return key

    def wait(self) -> None:
        """Until every request is processed."""
        until(lambda: self.process.ask("/confirmations", limit=1)["requests_waiting"] == 0)

    def kept(self, key: str) -> list[dict[str, Any]]:
        """The confirmations of a request as the control address shows them."""
        return [e for e in self.process.ask("/confirmations", limit=100_000)["confirmations"] if e["request"] == key]

    def told(self, *partners: str) -> list[Confirmed]:
        """Send partners and wait for what becomes of them."""
        key = self.send(*partners)
        self.wait()
        return [one for entry in self.kept(key) for one in confirmed(entry["body"].encode())]

    def one(self, content: str, **attributes: str) -> Confirmed:
        """Send one partner and wait for what becomes of it."""
        return self.told(partner(content, **attributes))[0]

    def record(self, entity: str, key: str) -> dict[str, Any]:
        return self.process.ask("/record", entity=entity, key=key)

    def rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        """A collection of the OData service, in JSON."""
        url = f"{self.process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/{path}"
        query = {f"${name}": value for name, value in params.items()} | {"sap-client": "100", "$format": "json"}
        answer = self.session.get(url, params=query, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]["results"]


@dataclass
class Received:
    """What a receiver got, in order: headers and body."""

    url: str
    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def bodies(self) -> list[bytes]:
        return [body for _, body in self.messages]


@contextmanager
def receiver() -> Iterator[Received]:
    """A system of its own that answers with the next of `statuses`, 202 when there is none."""
    received = Received("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = received.statuses.pop(0) if received.statuses else 202
            if status < 300:
                received.messages.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_address[1]}/inbox"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
