"""SOAP messages go through the kit's session, and every answer is one of the hub's errors or a result."""

from decimal import Decimal

import pytest

from l2c.errors import AuthError, ProtocolError, TransientError
from l2c.http import AnswerLost, Limits, MessageRefused, SoapClient
from tests.unit.http.test_soap_descriptions import described

ENVELOPE = '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
TOLD = '<Told xmlns="urn:stock"><Quantity xmlns="">1.50</Quantity></Told>'


def soap(reply, content="", status=200, **options):
    return reply(status, ENVELOPE.format(content).encode(), {"Content-Type": "text/xml"}, **options)


def fault(reply, code, text, detail="", status=500):
    content = (
        f"<e:Fault><faultcode>e:{code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail></e:Fault>"
    )
    return soap(reply, content, status)


@pytest.fixture
def client(session_for, peer, tmp_path):
    session = session_for(peer, limits=Limits(deadline_s=1, silence_s=1, connect_s=1, max_bytes=20_000))
    return SoapClient(session, described(tmp_path / "own"))


def ask(client, **options):
    return client.call("Ask", "/soap/stock", {"Product": "A1"}, **options)


def tell(client):
    return client.call("Tell", "/soap/stock", {"Product": "A1"})


def test_a_two_way_call_gives_plain_values(client, peer, reply):
    peer.script(soap(reply, TOLD))
    assert ask(client) == {"value": Decimal("1.50")}
    (seen,) = peer.seen
    assert (seen.method, seen.target) == ("POST", "/soap/stock")
    assert seen.headers["soapaction"] == '"urn:stock/Ask"'
    assert seen.headers["content-type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_one_way_call_is_taken_with_an_empty_answer(client, peer, reply, status):
    peer.script(reply(status))
    assert tell(client) is None


def test_a_one_way_call_is_taken_with_an_empty_envelope(client, peer, reply):
    peer.script(soap(reply))
    assert tell(client) is None


def test_the_address_in_the_description_is_not_asked(client, peer, reply):
    peer.script(reply(202))
    tell(client)
    assert len(peer.seen) == 1


@pytest.mark.parametrize("code", ["Client", "MustUnderstand", "VersionMismatch"])
def test_a_fault_that_blames_the_message_refuses_it(client, peer, reply, code):
    peer.script(fault(reply, code, "the message has no header"))
    with pytest.raises(MessageRefused, match="the message has no header") as caught:
        tell(client)
    assert caught.value.code == code


def test_a_declared_fault_refuses_the_message_and_shows_its_details(client, peer, reply):
    told = "<standard><faultText>Grouping XX is not there</faultText></standard>"
    detail = f"<n:StandardMessageFault xmlns:n='urn:n'>{told}</n:StandardMessageFault>"
    peer.script(fault(reply, "Server", "processing failed", detail))
    with pytest.raises(MessageRefused, match="processing failed; Grouping XX is not there"):
        tell(client)


def test_a_fault_of_soap_1_2_is_understood(client, peer, reply):
    text = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>'
        "</e:Code><e:Reason><e:Text xml:lang='en'>no such action</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"
    )
    peer.script(reply(500, text.encode()))
    with pytest.raises(MessageRefused, match="no such action"):
        tell(client)


def test_a_fault_of_the_server_may_have_acted(client, peer, reply):
    peer.script(fault(reply, "Server", "Web service processing error"))
    with pytest.raises(AnswerLost, match="may have acted"):
        tell(client)
    assert len(peer.seen) == 1


def test_a_fault_of_the_server_to_a_repeatable_call_is_transient(client, peer, reply):
    peer.script(fault(reply, "Server", "Web service processing error"))
    with pytest.raises(TransientError) as caught:
        ask(client, repeatable=True)
    assert not isinstance(caught.value, AnswerLost)


@pytest.mark.fault("T8")
def test_a_fault_about_a_lock_is_a_matter_of_waiting(client, peer, reply):
    peer.script(fault(reply, "Server", "Business partner 17 is currently being processed by MILLER"))
    with pytest.raises(TransientError) as caught:
        tell(client)
    assert not isinstance(caught.value, AnswerLost)


@pytest.mark.parametrize(
    ("code", "text"),
    [("FailedAuthentication", "no"), ("Server", "Authorization missing"), ("Server", "Logon failed")],
)
def test_a_fault_about_credentials_is_an_auth_error(client, peer, reply, code, text):
    peer.script(fault(reply, code, text))
    with pytest.raises(AuthError):
        tell(client)


@pytest.mark.fault("R13")
def test_a_fault_with_status_200_is_a_fault_all_the_same(client, peer, reply):
    peer.script(fault(reply, "Client", "no", status=200))
    with pytest.raises(MessageRefused):
        tell(client)


def test_credentials_refused_by_status(client, peer, reply):
    peer.script(reply(401))
    with pytest.raises(AuthError):
        tell(client)


def test_a_sign_in_page_is_an_auth_error(client, peer, reply):
    peer.script(reply(200, b"<html><title>Logon</title><input type='password'></html>", {"Content-Type": "text/html"}))
    with pytest.raises(AuthError, match="sign-in failed"):
        tell(client)


@pytest.mark.parametrize(
    "body", [b"thank you", b"<ok/>", b"<e:Envelope", b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope>&b;</Envelope>']
)
def test_an_answer_that_is_no_soap_may_have_acted(client, peer, reply, body):
    peer.script(reply(200, body))
    with pytest.raises(AnswerLost):
        tell(client)


def test_an_answer_cut_off_may_have_acted(client, peer, reply):
    peer.script(reply(raw=b"", close=True))
    with pytest.raises(AnswerLost):
        tell(client)


def test_an_answer_that_never_comes_may_have_acted(client, peer, reply):
    peer.script(reply(200, b"x" * 40, drip=1, pause=0.1))
    with pytest.raises(AnswerLost):
        tell(client)


def test_a_busy_system_is_transient_and_asks_again_by_itself(client, peer, reply, waits):
    peer.script(reply(503, headers={"Retry-After": "2"}), reply(202))
    assert tell(client) is None
    assert waits == [2.0]


def test_a_broken_gateway_may_have_acted(client, peer, reply):
    peer.script(reply(502, b"<html>Bad gateway</html>"))
    with pytest.raises(AnswerLost):
        tell(client)


@pytest.mark.parametrize("status", [404, 405])
def test_a_wrong_address_is_no_refusal_of_the_message(client, peer, reply, status):
    peer.script(reply(status, b"<html><title>Not found</title></html>"))
    with pytest.raises(ProtocolError) as caught:
        tell(client)
    assert not isinstance(caught.value, MessageRefused)


def test_a_redirect_is_not_followed(client, peer, other_peer, reply):
    peer.script(reply(307, headers={"Location": f"{other_peer.url}/soap"}))
    with pytest.raises(ProtocolError, match="not followed"):
        tell(client)
    assert other_peer.seen == []


def test_an_answer_over_the_size_cap_is_not_read(client, peer, reply):
    peer.script(soap(reply, f"<Told>{'x' * 30_000}</Told>"))
    with pytest.raises(AnswerLost, match="larger than"):
        tell(client)


def test_an_answer_that_does_not_fit_the_description_is_said_to(client, peer, reply):
    peer.script(soap(reply, '<Told xmlns="urn:stock"><Colour xmlns="">red</Colour></Told>'))
    with pytest.raises(ProtocolError, match="does not fit"):
        ask(client)


def test_no_message_shows_a_secret_or_the_payload(client, peer, reply):
    for answer in (reply(500), reply(401), reply(404), reply(200, b"what"), fault(reply, "Client", "no")):
        peer.script(answer)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any of the hub's errors
            tell(client)
        assert "A1" not in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


def test_nothing_is_sent_of_a_message_that_does_not_fit(client, peer):
    with pytest.raises(MessageRefused, match="Ask/Product: too long"):
        client.call("Tell", "/soap/stock", {"Product": "A123456"})
    assert peer.seen == []
