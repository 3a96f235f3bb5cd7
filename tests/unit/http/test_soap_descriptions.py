"""A service description and its imports come from one folder of the project or from the system's own origin."""

import pytest

from l2c.errors import ConfigError, ProtocolError
from l2c.http import SoapClient

XSD = """<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:stock">
  <xsd:element name="Ask"><xsd:complexType><xsd:sequence>
    <xsd:element name="Product"><xsd:simpleType><xsd:restriction base="xsd:token"><xsd:maxLength value="5"/></xsd:restriction>
    </xsd:simpleType></xsd:element>
    <xsd:element name="Day" type="xsd:date" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="Told"><xsd:complexType><xsd:sequence>
    <xsd:element name="Quantity" type="xsd:decimal"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>"""

WSDL = """<?xml version="1.0"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:s="urn:stock" targetNamespace="urn:stock">
  <wsdl:types><xsd:schema><xsd:import namespace="urn:stock" schemaLocation="{location}"/></xsd:schema></wsdl:types>
  <wsdl:message name="Ask"><wsdl:part name="body" element="s:Ask"/></wsdl:message>
  <wsdl:message name="Told"><wsdl:part name="body" element="s:Told"/></wsdl:message>
  <wsdl:portType name="Stock">
    <wsdl:operation name="Ask"><wsdl:input message="s:Ask"/><wsdl:output message="s:Told"/></wsdl:operation>
    <wsdl:operation name="Tell"><wsdl:input message="s:Ask"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="Stock" type="s:Stock">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Ask"><soap:operation soapAction="urn:stock/Ask"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
    <wsdl:operation name="Tell"><soap:operation soapAction="urn:stock/Tell"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="Stock"><wsdl:port name="Stock" binding="s:Stock">
    <soap:address location="https://elsewhere.example/stock"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""


def described(folder, location="stock.xsd"):
    """A folder with a description that imports its types from `location`."""
    folder.mkdir(exist_ok=True)
    (folder / "stock.xsd").write_text(XSD, encoding="utf-8")
    (folder / "stock.wsdl").write_text(WSDL.format(location=location), encoding="utf-8")
    return folder / "stock.wsdl"


@pytest.fixture
def session(session_for, peer):
    return session_for(peer)


def test_a_file_imports_its_neighbour(session, tmp_path):
    made = SoapClient(session, described(tmp_path / "own")).envelope("Ask", {"Product": "A1"})
    assert made.mistakes == ()
    assert b"<Product>A1</Product>" in made.body
    assert made.headers["SOAPAction"] == '"urn:stock/Ask"'


@pytest.mark.parametrize(
    "location",
    [
        "../secret.xsd",
        "{outside}",
        "file://{outside}",
        "link.xsd",
        "file://elsewhere.example/x.xsd",
    ],
)
def test_a_file_imports_nothing_from_outside_its_folder(session, tmp_path, location):
    outside = tmp_path / "secret.xsd"
    outside.write_text(XSD, encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "link.xsd").symlink_to(outside)
    description = described(tmp_path / "own", location.format(outside=outside))
    with pytest.raises(ConfigError, match="outside its folder 'own'"):
        SoapClient(session, description).envelope("Ask", {"Product": "A1"})


def test_a_file_imports_nothing_over_the_network(session, peer, tmp_path):
    with pytest.raises(ConfigError, match="ExternalReferenceForbidden"):
        SoapClient(session, described(tmp_path, f"{peer.url}/stock.xsd")).envelope("Ask", {"Product": "A1"})
    assert peer.seen == []


def test_a_description_of_the_system_imports_from_the_same_origin(session, peer, reply):
    documents = {"/stock.wsdl": WSDL.format(location="types/stock.xsd"), "/types/stock.xsd": XSD}
    peer.handler = lambda seen: reply(body=documents[seen.target].encode())
    made = SoapClient(session, "/stock.wsdl").envelope("Ask", {"Product": "too long"})
    assert made.mistakes == (("Ask/Product", "too long"),)


def test_a_description_of_the_system_imports_from_no_other_host(session, peer, other_peer, reply):
    peer.handler = lambda _: reply(body=WSDL.format(location=f"{other_peer.url}/stock.xsd").encode())
    with pytest.raises(ProtocolError, match="an import of the service description"):
        SoapClient(session, "/stock.wsdl").envelope("Ask", {"Product": "A1"})
    assert other_peer.seen == []


def test_a_description_of_the_system_imports_no_file(session, peer, reply, tmp_path):
    secret = described(tmp_path).with_name("stock.xsd")
    peer.handler = lambda _: reply(body=WSDL.format(location=f"file://{secret}").encode())
    with pytest.raises(ConfigError, match="outside its system"):
        SoapClient(session, "/stock.wsdl").envelope("Ask", {"Product": "A1"})


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_description_holds_no_document_type(session, tmp_path, doctype):
    description = described(tmp_path)
    text = description.read_text(encoding="utf-8").replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{doctype}')
    description.write_text(text, encoding="utf-8")
    with pytest.raises((ConfigError, ProtocolError), match=r"DTD|document type"):
        SoapClient(session, description).envelope("Ask", {"Product": "A1"})


def test_a_missing_file_is_named(session, tmp_path):
    with pytest.raises(ConfigError, match=r"'gone.xsd' cannot be read"):
        SoapClient(session, described(tmp_path, "gone.xsd")).envelope("Ask", {"Product": "A1"})


def test_an_unknown_operation_names_the_known_ones(session, tmp_path):
    with pytest.raises(ConfigError, match=r"no operation 'Aks' \(Ask, Tell\)"):
        SoapClient(session, described(tmp_path)).envelope("Aks", {})


def test_an_unknown_element_is_a_mistake_of_the_project(session, tmp_path):
    with pytest.raises(ConfigError, match="Colour"):
        SoapClient(session, described(tmp_path)).envelope("Ask", {"Product": "A1", "Colour": "red"})


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ({"Product": "A12345"}, ("Ask/Product", "too long")),
        ({"Product": "A1", "Day": "tomorrow"}, ("Ask/Day", "not of the right type")),
        ({}, ("Ask/Product", "missing")),
        ({"Product": "a\x00b"}, ("", "a text holds a character that XML cannot carry")),
    ],
)
def test_a_value_that_does_not_fit_is_named_without_itself(session, tmp_path, content, mistake):
    made = SoapClient(session, described(tmp_path)).envelope("Ask", content)
    assert made.mistakes == (mistake,)
