"""XML that attacks: no document type is accepted, in metadata, answers, descriptions or messages, in whatever encoding."""

import tracemalloc

import pytest

from connectors.s4hana.replication import inbox
from l2c.errors import ConfigError, HubError, ProtocolError
from l2c.http import AnswerLost, SoapClient, parse_metadata, parse_xml
from tests.unit.http.conftest import Reply, peer, session_for, waits
from tests.unit.http.test_metadata import DOCUMENT
from tests.unit.http.test_soap_descriptions import described

__all__ = ["peer", "session_for", "waits"]

LAUGHS = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
QUADRATIC = f'<!ENTITY q "{"q" * 50_000}">'
NESTED = "<a>" * 100_000

# what stands between the declaration and the root, what stands in the root's text, how it is encoded
PAYLOADS = {
    "an empty document type": ("<!DOCTYPE a>", "", "utf-8"),
    "a file as entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;", "utf-8"),
    "an address as entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "{url}/x">]>', "&x;", "utf-8"),
    "an address as document type": ('<!DOCTYPE a SYSTEM "{url}/a.dtd">', "", "utf-8"),
    "a public document type": ('<!DOCTYPE a PUBLIC "-//A//B" "{url}/a.dtd">', "", "utf-8"),
    "a parameter entity": ('<!DOCTYPE a [<!ENTITY % p SYSTEM "{url}/p.dtd"> %p;]>', "", "utf-8"),
    "billion laughs": (f"<!DOCTYPE a [{LAUGHS}]>", "&l11;", "utf-8"),
    "quadratic growth": (f"<!DOCTYPE a [{QUADRATIC}]>", "&q;" * 20_000, "utf-8"),
    "an entity of itself": ('<!DOCTYPE a [<!ENTITY x "&x;">]>', "&x;", "utf-8"),
    "attributes by default": ('<!DOCTYPE a [<!ATTLIST a x CDATA "secret">]>', "", "utf-8"),
    "UTF-16": ('<!DOCTYPE a [<!ENTITY x "y">]>', "&x;", "utf-16"),
    "lower case": ("<!doctype a>", "", "utf-8"),
    "nested without end": ("", NESTED, "utf-8"),
    "an entity nobody declared": ("", "&nothing;", "utf-8"),
}
HARMLESS = {"harmless": ("<!-- a remark -->", "", "utf-8"), "harmless in UTF-16": ("", "", "utf-16")}


def hostile(document: str, name: str, url: str) -> bytes:
    """The document with the payload before its root and in its root's text."""
    before, inside, encoding = {**PAYLOADS, **HARMLESS}[name]
    rest = document.partition("?>")[2]
    cut = rest.index(">") + 1
    whole = f'<?xml version="1.0" encoding="{encoding}"?>{before.replace("{url}", url)}{rest[:cut]}{inside}{rest[cut:]}'
    return whole.encode(encoding)


def refused_small(call, *kinds: type[HubError]) -> str:
    """The words of the refusal, which must not have cost much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(kinds) as caught:
            call()
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert len(message) < 300
    assert "lol" not in message
    return message


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_document_is_refused(peer, name):
    refused_small(lambda: parse_xml(hostile("<?xml?><a>b</a>", name, peer.url), where="here"), ProtocolError)
    assert peer.seen == []


@pytest.mark.fault("S4")
@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_metadata_is_refused(peer, name):
    refused_small(lambda: parse_metadata(hostile(DOCUMENT, name, peer.url), where="here"), ProtocolError)
    assert peer.seen == []


ANSWER = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    '<Told xmlns="urn:stock"><Quantity xmlns="">1.50</Quantity></Told></e:Body></e:Envelope>'
)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_soap_answer_is_refused_and_may_have_acted(session_for, peer, tmp_path, name):
    client = SoapClient(session_for(peer), described(tmp_path / "own"))
    body = hostile(ANSWER, name, "http://127.0.0.1:9")
    peer.script(Reply(200, body, {"Content-Type": "text/xml"}))
    refused_small(lambda: client.call("Ask", "/soap", {"Product": "A1"}), AnswerLost)
    assert len(peer.seen) == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_the_same_documents_without_the_attack_are_read(session_for, peer, tmp_path, name):
    assert parse_xml(hostile("<?xml?><a>b</a>", name, ""), where="here").text == "b"
    assert parse_metadata(hostile(DOCUMENT, name, "")).sets
    description = described(tmp_path / "own")
    description.write_bytes(hostile(description.read_text(), name, ""))
    client = SoapClient(session_for(peer), description)
    peer.script(Reply(200, hostile(ANSWER, name, ""), {"Content-Type": "text/xml"}))
    assert client.call("Ask", "/soap", {"Product": "A1"})


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_description_is_refused(session_for, peer, tmp_path, name):
    description = described(tmp_path / "own")
    for place in (description, description.with_name("stock.xsd")):
        sound = place.read_bytes()
        place.write_bytes(
            hostile(
                place.read_text().replace("<xsd:schema", "<?xml?><xsd:schema", place.suffix == ".xsd"), name, peer.url
            )
        )
        with pytest.raises((ConfigError, ProtocolError)):
            SoapClient(session_for(peer), description).envelope("Ask", {"Product": "A1"})
        place.write_bytes(sound)
    assert peer.seen == []


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_message_to_the_inbox_is_refused(peer, name):
    body = hostile('<?xml version="1.0"?><m:A xmlns:m="urn:x"><MessageHeader/></m:A>', name, peer.url)
    refused_small(lambda: parse_xml(body, where="inbox", system="s4", max_bytes=inbox.MAX_BYTES), ProtocolError)
    assert peer.seen == []
