"""What the Commerce connector understands of the shop's webhooks."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest
from pydantic import SecretStr

from connectors.commerce import CommerceConnector, CommerceSettings
from l2c.contract import Connection, Message, Messages, Received, System
from l2c.errors import ProtocolError
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import started


@pytest.fixture
def connector():
    """A connector of a shop nobody listens for: nothing may be asked of it."""
    made = CommerceConnector(System("shop", Connection("http://127.0.0.1:1")), CommerceSettings())
    yield made
    made.close()


def webhook(subject: str, kind: str = "sap.cx.commerce.L2CB2BUnit.Updated.v1", body: bytes = b"{}", **more) -> Message:
    source = more.pop("source", "/eu/sap.cx.commerce/shop-1")
    known = {"ce-id": "7f1c", "ce-source": source, "ce-specversion": "1.0", "ce-type": kind, "ce-subject": subject}
    return Message({name: value for name, value in {**known, **more}.items() if value is not None}, body)


@pytest.mark.parametrize("operation", ["Created", "Updated", "Saved", "Deleted"])
def test_every_operation_names_the_record(connector, operation):
    assert isinstance(connector, Messages)
    found = connector.receive(webhook("4711", f"sap.cx.commerce.L2CB2BUnit.{operation}.v1"))
    assert found == Received("7f1c", (("B2BUnit", "4711"),))


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("becker-berlin", "becker-berlin"),
        ("a%7Cb", "a|b"),
        ("Becker+Berlin", "Becker Berlin"),  # encoded like a form: a plus is a blank
        ("M%C3%BCller+%26+S%C3%B6hne", "Müller & Söhne"),
        ("Müller & Söhne+1", "Müller & Söhne+1"),  # pipes only: a plus is a plus
        ("50%2525", "50%25"),
    ],
)
def test_the_key_of_a_unit_is_decoded_from_either_encoding(connector, subject, key):
    assert connector.receive(webhook(subject)).keys == (("B2BUnit", key),)


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("5a1b|anna@becker.example", "5a1b|anna@becker.example"),
        ("5a1b|anna%40becker.example", "5a1b|anna@becker.example"),
        ("5a1b|anna+shop@becker.example", "5a1b|anna+shop@becker.example"),
        ("5a1b|anna%2Bshop%40becker.example", "5a1b|anna+shop@becker.example"),
        ("|anna@becker.example", "|anna@becker.example"),
        ("a%7Cb|c%25d@e", "a%7Cb|c%25d@e"),
    ],
)
def test_the_key_of_a_contact_person_is_its_integration_key_in_our_form(connector, subject, key):
    found = connector.receive(webhook(subject, "sap.cx.commerce.L2CB2BCustomer.Created.v1"))
    assert found.keys == (("B2BCustomer", key),)


def test_a_consumer_is_known_by_its_uid(connector):
    found = connector.receive(webhook("anna%40mail.example", "sap.cx.commerce.L2CCustomer.Created.v1"))
    assert found.keys == (("Customer", "anna@mail.example"),)


def test_the_object_may_stand_in_the_source(connector):
    found = connector.receive(webhook("4711", "com.example.saved", source="/eu/shop/L2CB2BUnit"))
    assert found.keys == (("B2BUnit", "4711"),)


def test_objects_are_those_of_the_settings():
    settings = CommerceSettings(b2b_unit_object="MyUnits", customer_object="")
    connector = CommerceConnector(System("shop", Connection("http://127.0.0.1:1")), settings)
    assert connector.receive(webhook("1", "sap.cx.commerce.MyUnits.Saved.v1")).keys == (("B2BUnit", "1"),)
    with pytest.raises(ProtocolError, match=r"'sap.cx.commerce.L2CCustomer.Saved.v1' names no integration object"):
        connector.receive(webhook("1", "sap.cx.commerce.L2CCustomer.Saved.v1"))


@pytest.mark.parametrize("name", ["ce-id", "ce-type", "ce-subject"])
@pytest.mark.parametrize("value", [None, "  "])
def test_a_header_that_is_missing_is_named(connector, name, value):
    message = webhook("anna@becker.example", body=b'{"email": "anna@becker.example"}', **{name: value})
    with pytest.raises(ProtocolError, match=f"without the header '{name}'") as caught:
        connector.receive(message)
    assert "anna" not in str(caught.value)


def test_an_unknown_object_is_named_with_those_that_are_known(connector):
    message = webhook("anna@becker.example", "sap.cx.commerce.OrderIO.Created.v1", body=b'{"name": "Anna"}')
    with pytest.raises(ProtocolError) as caught:
        connector.receive(message)
    assert "'sap.cx.commerce.OrderIO.Created.v1'" in str(caught.value)
    assert "L2CB2BUnit, L2CB2BCustomer, L2CCustomer" in str(caught.value)
    assert "nna" not in str(caught.value)


def test_a_key_of_another_shape_is_refused_without_saying_it(connector):
    with pytest.raises(ProtocolError, match="has 2 segments, and the key of B2BUnit is 'uid' alone") as caught:
        connector.receive(webhook("anna|becker"))
    assert "anna" not in str(caught.value)


class Inbox(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.put(Message(headers, body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_args) -> None:
        """Say nothing."""


@pytest.fixture
def inbox():
    with ThreadingHTTPServer(("127.0.0.1", 0), Inbox) as server:
        server.received = Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("encoded", [False, True])
def test_what_the_shop_tells_can_be_fetched(inbox, encoded):
    url = f"http://127.0.0.1:{inbox.server_port}/hub/inbox/commerce"
    objects = ("L2CB2BUnit", "L2CB2BCustomer", "L2CCustomer")
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as shop:
        shop.tell("settings", webhooks=[{"object": one, "url": url} for one in objects], webhook_encoded=encoded)
        system = System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET)))
        connector = CommerceConnector(system, CommerceSettings())
        shop.tell("register", kind="company", name="Bäcker & Söhne", uid="Bäcker & Söhne|süd")
        shop.tell(
            "register", kind="contact", unit="Bäcker & Söhne|süd", email="ä+b@x.example", first_name="Ä", last_name="B"
        )
        shop.tell("register", kind="consumer", email="c+d@x.example", first_name="C", last_name="D")
        told = [connector.receive(inbox.received.get(timeout=10)) for _ in objects]
        for ((entity, key),) in (one.keys for one in told):
            (record,) = connector.fetch(entity, [key])
            assert not record.deleted, (entity, key)
        connector.close()
    assert sorted(entity for ((entity, _),) in (one.keys for one in told)) == ["B2BCustomer", "B2BUnit", "Customer"]
    assert len({one.message_id for one in told}) == 3
