"""What on-premise S/4HANA sends to the hub: confirmations settle tokens, replicated partners are keys to fetch."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Connection, Message, Messages, Outcome, Status, System
from l2c.errors import ProtocolError
from l2c.http import HttpSession, SoapClient

GLOBAL = "http://sap.com/xi/SAPGlobal20/Global"
REAL = (
    Path(__file__).parents[3] / "shared" / "contracts" / "mdg" / "BUSINESSPARTNERSUITEBULKREPLICATECONFIRMATION_IN.wsdl"
)
CREATED, CHANGED = "0" * 31 + "2", "0" * 31 + "3"


@pytest.fixture
def connector():
    system = System("erp", Connection("https://erp.example", "HUB", SecretStr("x")), profile="onpremise")
    made = S4HanaConnector(system, Settings())
    yield made
    made.close()


def envelope(name, content, soap="http://schemas.xmlsoap.org/soap/envelope/"):
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{soap}"><s:Header/><s:Body>'
        f'<n:{name} xmlns:n="{GLOBAL}"><MessageHeader><ID>BULK-1</ID></MessageHeader>{content}</n:{name}></s:Body></s:Envelope>'
    ).encode()


def item(note, severity="3", kind="120(R1)", category=""):
    known = f"<CategoryCode>{category}</CategoryCode>" if category else ""
    return f"<Item><TypeID>{kind}</TypeID>{known}<SeverityCode>{severity}</SeverityCode><Note>{note}</Note></Item>"


def confirmed(token, *items, result="3", severity="1", number="0001000017", reference="ReferenceID"):
    receiver = f"<ReceiverInternalID>{number}</ReceiverInternalID>" if number else ""
    return (
        f"<BusinessPartnerSUITEReplicateConfirmationMessage><MessageHeader><ID>C-{token[-1:]}</ID>"
        f"<{reference}>{token}</{reference}></MessageHeader><BusinessPartner>{receiver}</BusinessPartner>"
        f"<Log><BusinessDocumentProcessingResultCode>{result}</BusinessDocumentProcessingResultCode>"
        f"<MaximumLogItemSeverityCode>{severity}</MaximumLogItemSeverityCode>{''.join(items)}</Log>"
        "</BusinessPartnerSUITEReplicateConfirmationMessage>"
    )


def receive(connector, body):
    return connector.receive(Message({"content-type": "text/xml"}, body))


def confirmation(connector, *messages):
    return receive(connector, envelope("BusinessPartnerSUITEBulkReplicateConfirmation", "".join(messages)))


def replicated(connector, *partners):
    messages = "".join(
        "<BusinessPartnerSUITEReplicateRequestMessage><MessageHeader><ID>R</ID></MessageHeader>"
        f"<BusinessPartner>{partner}</BusinessPartner></BusinessPartnerSUITEReplicateRequestMessage>"
        for partner in partners
    )
    return receive(connector, envelope("BusinessPartnerSUITEBulkReplicateRequest", messages))


def test_the_connector_understands_messages(connector):
    assert isinstance(connector, Messages)


def test_a_confirmation_settles_each_message_with_the_receivers_number(connector):
    found = confirmation(connector, confirmed(CREATED), confirmed(CHANGED, number="0001000018"))
    assert found.message_id == "BULK-1"
    assert found.keys == ()
    assert found.confirmed == {
        CREATED: Outcome(Status.CREATED, "1000017"),
        CHANGED: Outcome(Status.UPDATED, "1000018"),
    }


def test_a_warning_is_no_refusal(connector):
    found = confirmation(connector, confirmed(CHANGED, item("Check the region", severity="2"), severity="2"))
    assert found.confirmed[CHANGED].status is Status.UPDATED


def test_an_error_in_the_log_is_a_refusal_in_saps_words(connector):
    items = [
        item("Country ZZ is not defined"),
        item("Nothing saved", severity="1"),
        item("Enter a city", kind="R1 220"),
    ]
    found = confirmation(connector, confirmed(CREATED, *items, result="5", severity="3", number=""))
    assert found.confirmed[CREATED] == Outcome(
        Status.REJECTED, None, code="120(R1)", message="Country ZZ is not defined; Enter a city"
    )


@pytest.mark.parametrize(("result", "severity"), [("5", "1"), ("05", ""), ("", "3"), ("4", "2"), ("", "4")])
def test_a_failure_is_told_by_the_result_or_by_the_severity(connector, result, severity):
    found = confirmation(connector, confirmed(CHANGED, result=result, severity=severity))
    assert found.confirmed[CHANGED].status is Status.REJECTED
    assert found.confirmed[CHANGED].message == "no reason given"


def test_a_locked_partner_is_tried_again(connector):
    text = "Business partner 1000017 is currently being processed by MILLER"
    found = confirmation(connector, confirmed(CHANGED, item(text), result="5", severity="3"))
    assert (found.confirmed[CHANGED].status, found.confirmed[CHANGED].message) == (Status.FAILED, text)


def test_an_overtaken_message_asks_to_look_at_the_partner(connector):
    late = item("Change 5 was overtaken by change 7", severity="2", category="CON.LRC")
    found = confirmation(connector, confirmed(CHANGED, late, result="5", severity="2"))
    outcome = found.confirmed[CHANGED]
    assert (outcome.status, outcome.native_key) == (Status.CONFLICT, "1000017")
    assert outcome.message == "Change 5 was overtaken by change 7"


def test_a_message_named_by_its_uuid_alone_is_the_same(connector):
    guid = "EB348F0B-CEF5-5DB1-93A2-E90CFD6FB5EA"
    found = confirmation(connector, confirmed(guid.lower(), reference="ReferenceUUID"))
    assert found.confirmed == {guid.replace("-", ""): Outcome(Status.CREATED, "1000017")}


def test_a_message_of_another_sender_is_settled_under_its_number(connector):
    assert confirmation(connector, confirmed("SOMEBODY-ELSE-7")).confirmed["SOMEBODY-ELSE-7"].status is Status.UPDATED


def test_a_confirmation_without_reference_is_refused(connector):
    with pytest.raises(ProtocolError, match="names no message"):
        confirmation(connector, confirmed("", reference="ReferenceID"))


def test_replicated_partners_are_keys_to_fetch_each_once(connector):
    numbers = [f"<InternalID>{number}</InternalID>" for number in ("0001000017", "0000000042", "AB-7", "0001000017")]
    found = replicated(connector, *numbers)
    partner = "A_BusinessPartner"
    assert (found.message_id, found.confirmed) == ("BULK-1", {})
    assert found.keys == [(partner, "1000017"), (partner, "42"), (partner, "AB-7")]


def test_a_replicated_partner_without_number_is_refused(connector):
    with pytest.raises(ProtocolError, match="without InternalID"):
        replicated(connector, "<UUID>eb348f0b-cef5-5db1-93a2-e90cfd6fb5ea</UUID>")


def test_soap_1_2_and_a_message_without_envelope_are_understood(connector):
    body = envelope("BusinessPartnerSUITEBulkReplicateConfirmation", confirmed(CHANGED))
    newer = body.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope")
    bare = body[body.index(b"<n:") : body.index(b"</s:Body>")]
    assert receive(connector, newer) == receive(connector, bare) == receive(connector, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b'{"json": true}',
        b"<open>",
        envelope("SomethingElse", ""),
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
        b"<BusinessPartnerSUITEBulkReplicateConfirmation/>",
    ],
)
def test_anything_else_is_refused(connector, body):
    with pytest.raises(ProtocolError):
        receive(connector, body)


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "bomb"}">' for n in range(9))


@pytest.mark.parametrize(
    ("doctype", "inside"),
    [
        ("<!DOCTYPE a>", ""),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>', "&x;"),
        (f"<!DOCTYPE a [{BOMB}]>", "&e8;"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">', ""),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>', ""),
    ],
)
def test_document_types_and_entities_are_refused(connector, doctype, inside):
    body = envelope("BusinessPartnerSUITEBulkReplicateConfirmation", confirmed(CHANGED, item(f"note {inside}")))
    with pytest.raises(ProtocolError) as caught:
        receive(connector, body.replace(b"<s:Envelope", doctype.encode() + b"<s:Envelope", 1))
    assert "root:" not in str(caught.value)


def test_what_is_too_large_or_too_deep_is_refused(connector):
    with pytest.raises(ProtocolError, match="larger than"):
        receive(connector, b"<a>" + b" " * (10 * 1024 * 1024) + b"</a>")
    with pytest.raises(ProtocolError):
        receive(connector, b"<a>" * 5000 + b"</a>" * 5000)


def test_the_confirmations_of_these_tests_are_valid_by_the_real_description():
    if not REAL.is_file():
        pytest.skip(f"'{REAL.name}' is not here: it lies outside the project, in ../shared")
    items = [item("Country ZZ is not defined"), item("late", severity="2", category="CON.LRC")]
    body = envelope(
        "BusinessPartnerSUITEBulkReplicateConfirmation", confirmed(CREATED, *items, result="5", severity="3")
    )
    client = SoapClient(HttpSession(System("erp", Connection("https://erp.example"))), REAL)
    assert client.mistakes(body) == ()
