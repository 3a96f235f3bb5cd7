"""What becomes of replication messages on their way: accepted, refused, lost, in the outcomes' words."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lxml import etree
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Change, Connection, Record, Status, System
from l2c.errors import AuthError, ProtocolError, TransientError

PARTNER = "A_BusinessPartner"
PATH = "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic"
MESSAGE = "BusinessPartnerSUITEReplicateRequestMessage"
FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:{}</faultcode>'
    "<faultstring>{}</faultstring></e:Fault></e:Body></e:Envelope>"
)
REFUSED = (500, FAULT.format("Client", "the message is not well-formed"), {})


class Service:
    """A replication service that answers what `answers` gives for the names in a message; None cuts the line."""

    def __init__(self):
        self.seen = []
        self.answers = lambda names: (202, "", {})
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.seen.append((self.path, dict(self.headers), body))
                answer = service.answers([found.text for found in etree.fromstring(body).iter("FirstLineName")])
                if answer is None:
                    self.connection.close()
                    return
                status, text, headers = answer
                self.send_response(status)
                for name, value in {
                    "Content-Type": "text/xml",
                    "Content-Length": str(len(text.encode())),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def do_GET(self):
                self.send_error(404)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture
def connector_for(service):
    made = []

    def build(**settings):
        connection = Connection(service.url, "HUB_USER", SecretStr("the-secret"))
        system = System("erp", connection, profile="onpremise")
        made.append(S4HanaConnector(system, Settings(client="100", partner_grouping="BP02", deadline_s=2, **settings)))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def connector(connector_for):
    return connector_for()


def create(name):
    data = {"BusinessPartnerCategory": "2", "OrganizationBPName1": name}
    return Change(Record("", data), mark=f"mark {name}")


def prepared(connector, *names):
    return connector.prepare(PARTNER, [create(name) for name in names])


def ids(body):
    return [found.findtext("MessageHeader/ID") for found in etree.fromstring(body).iter(MESSAGE)]


def test_a_message_taken_is_accepted_with_its_number_as_token(connector, service):
    one = prepared(connector, "A")
    (outcome,) = connector.send(one)
    ((path, headers, body),) = service.seen
    assert (outcome.status, outcome.native_key) == (Status.ACCEPTED, None)
    assert [outcome.token] == ids(body)
    assert body == one[0].requests[0].body
    assert path == f"{PATH}?sap-client=100"
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert headers["SOAPAction"].endswith('BusinessPartnerSUITEBulkReplicateRequest_InRequest"')
    assert "X-CSRF-Token" not in headers


def test_sending_the_same_again_says_the_same(connector, service):
    several = prepared(connector, "A", "B")
    first, again = connector.send(several), connector.send(several)
    assert [outcome.token for outcome in first] == [outcome.token for outcome in again]
    assert service.seen[0][2] == service.seen[1][2]


def test_messages_travel_together_each_unchanged(connector_for, service):
    connector = connector_for(replication_batch=3)
    several = prepared(connector, *"ABCDEFG")
    outcomes = connector.send(several)
    assert [len(ids(body)) for _, _, body in service.seen] == [3, 3, 1]
    assert [outcome.token for outcome in outcomes] == [token for _, _, body in service.seen for token in ids(body)]
    alone = [etree.fromstring(item.requests[0].body).find(f".//{MESSAGE}") for item in several]
    together = [found for _, _, body in service.seen for found in etree.fromstring(body).iter(MESSAGE)]
    canonical = [[etree.tostring(item, method="c14n", exclusive=True) for item in items] for items in (alone, together)]
    assert canonical[0] == canonical[1]
    bulk = [etree.fromstring(body).findtext(".//MessageHeader/ID") for _, _, body in service.seen]
    assert len(set(bulk)) == 3


def test_a_lost_answer_is_unknown_with_the_same_token(connector, service):
    service.answers = lambda names: None
    one = prepared(connector, "A")
    (outcome,) = connector.send(one)
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, "answer_lost")
    service.answers = lambda names: (202, "", {})
    assert connector.send(one)[0].token == outcome.token
    assert len(service.seen) == 2  # and never by itself


def test_a_fault_of_the_server_is_unknown_in_its_words(connector, service):
    service.answers = lambda names: (500, FAULT.format("Server", "Web service processing error"), {})
    (outcome,) = connector.send(prepared(connector, "A"))
    assert outcome.status is Status.UNKNOWN
    assert "Web service processing error" in outcome.message
    assert outcome.token


def test_a_message_refused_is_rejected_alone(connector, service):
    service.answers = lambda names: REFUSED if "bad" in names else (202, "", {})
    outcomes = connector.send(prepared(connector, "A", "B", "bad", "C", "D"))
    statuses = [outcome.status for outcome in outcomes]
    assert statuses == [Status.ACCEPTED, Status.ACCEPTED, Status.REJECTED, Status.ACCEPTED, Status.ACCEPTED]
    assert outcomes[2].message.endswith("the message is not well-formed")
    assert outcomes[2].token is None


def test_a_locked_partner_is_tried_again(connector, service):
    service.answers = lambda names: (500, FAULT.format("Server", "Partner is locked by user MILLER"), {})
    with pytest.raises(TransientError):
        connector.send(prepared(connector, "A"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, "", {}), AuthError),
        ((403, "", {}), AuthError),
        ((503, "", {"Retry-After": "30"}), TransientError),
        ((429, "", {"Retry-After": "30"}), TransientError),
        ((404, "", {}), ProtocolError),
    ],
)
def test_nothing_sent_raises_and_later_trouble_is_an_outcome(connector_for, service, answer, error):
    connector = connector_for(replication_batch=1)
    service.answers = lambda names: answer
    with pytest.raises(error) as caught:
        connector.send(prepared(connector, "A", "B"))
    assert "the-secret" not in str(caught.value)
    service.answers = lambda names: answer if "B" in names else (202, "", {})
    outcomes = connector.send(prepared(connector, "A", "B", "C"))
    assert [outcome.status for outcome in outcomes] == [Status.ACCEPTED, Status.FAILED, Status.FAILED]
    assert {outcome.token for outcome in outcomes[1:]} == {None}


def test_a_service_not_reached_raises(connector, service):
    one = prepared(connector, "A")
    service.close()
    with pytest.raises(TransientError, match="nothing was sent"):
        connector.send(one)


def test_outcomes_of_prepare_stand_and_are_not_sent(connector, service):
    bad = Change(Record("", {"OrganizationBPName1": "no category"}), mark="bad")
    outcomes = connector.send(connector.prepare(PARTNER, [create("A"), bad, create("C")]))
    assert [outcome.status for outcome in outcomes] == [Status.ACCEPTED, Status.REJECTED, Status.ACCEPTED]
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("profile", "write_by", "soap"), [("onpremise", None, 1), ("cloud", "soap", 1), ("onpremise", "odata", 0)]
)
def test_a_setting_chooses_how_partners_are_written(service, profile, write_by, soap):
    connection = Connection(service.url, "HUB_USER", SecretStr("the-secret"))
    connector = S4HanaConnector(System("erp", connection, profile=profile), Settings(write_by=write_by, deadline_s=1))
    try:
        if soap:
            (item,) = connector.prepare(PARTNER, [create("A")])
            assert item.requests[0].path == PATH
        else:
            with pytest.raises(ProtocolError):  # asks for the metadata of the OData service, which is not here
                connector.prepare(PARTNER, [create("A")])
    finally:
        connector.close()
