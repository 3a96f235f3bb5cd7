"""The description of the inbound service: the served part of the message, rendered from the table."""

from collections.abc import Iterator

from sandbox.s4hana.soap.tree import GLOBAL, PATTERNS, Part, messages

NAMESPACE = "http://sap.com/xi/SAP_BS_FND/MDG/Global2"
OPERATION = "BusinessPartnerSUITEBulkReplicateRequest_In"
REQUEST = "BusinessPartnerSUITEBulkReplicateRequest"
CONFIRMATION = "BusinessPartnerSUITEBulkReplicateConfirmation"
BASES = {
    "text": "xsd:string", "token": "xsd:token", "uuid": "xsd:token", "date": "xsd:date", "moment": "xsd:dateTime",
    "flag": "xsd:boolean", "action": "xsd:token", "ordinal": "xsd:decimal",
}  # fmt: skip
MUST = ' use="required"'
OCCURS = {
    "1": "",
    "?": ' minOccurs="0"',
    "*": ' minOccurs="0" maxOccurs="unbounded"',
    "+": ' maxOccurs="unbounded"',
}


def action(message: str, direction: str = "In") -> str:
    """The SOAPAction of a message's operation."""
    return f"{NAMESPACE}/{message}_{direction}/{message}_{direction}Request"


def render(address: str) -> bytes:
    """The WSDL with both bindings; `address` is where the service is."""
    table = messages()
    types = "".join(
        f'<xsd:complexType name="{name}">{_content(block)}</xsd:complexType>' for name, block in table.blocks.items()
    )
    types += "".join(_contents(table.roots[REQUEST]))
    root = f'<xsd:element name="{REQUEST}"><xsd:complexType>{_content(table.roots[REQUEST])}</xsd:complexType></xsd:element>'
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<wsdl:definitions targetNamespace="{NAMESPACE}" xmlns:tns="{NAMESPACE}" xmlns:n0="{GLOBAL}"'
        ' xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/">'
        f'<wsdl:types><xsd:schema targetNamespace="{GLOBAL}">{types}{root}</xsd:schema></wsdl:types>'
        f'<wsdl:message name="{REQUEST}"><wsdl:part name="{REQUEST}" element="n0:{REQUEST}"/></wsdl:message>'
        f'<wsdl:portType name="{OPERATION}"><wsdl:operation name="{OPERATION}">'
        f'<wsdl:input message="tns:{REQUEST}"/></wsdl:operation></wsdl:portType>'
        f"{_binding('binding', 'soap')}{_binding('binding_soap12', 'soap12')}"
        f'<wsdl:service name="service">{_port("binding", "soap", address)}{_port("binding_soap12", "soap12", address)}'
        "</wsdl:service></wsdl:definitions>"
    ).encode()


def _binding(name: str, version: str) -> str:
    return (
        f'<wsdl:binding name="{name}" type="tns:{OPERATION}">'
        f'<{version}:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>'
        f'<wsdl:operation name="{OPERATION}"><{version}:operation soapAction="{action(REQUEST)}" style="document"/>'
        f'<wsdl:input><{version}:body use="literal"/></wsdl:input></wsdl:operation></wsdl:binding>'
    )


def _port(name: str, version: str, address: str) -> str:
    return f'<wsdl:port name="{name}" binding="tns:{name}"><{version}:address location="{address}"/></wsdl:port>'


def _content(part: Part) -> str:
    elements = "".join(_element(below) for below in part.parts if not below.name.startswith("@"))
    return f"<xsd:sequence>{elements}</xsd:sequence>{_attributes(part)}"


def _attributes(part: Part) -> str:
    return "".join(
        f'<xsd:attribute name="{below.name[1:]}"{MUST if below.required else ""}>{_simple(below)}</xsd:attribute>'
        for below in part.parts
        if below.name.startswith("@")
    )


def _element(part: Part) -> str:
    head = f'<xsd:element name="{part.name}"{OCCURS[part.occurs]}'
    if part.block:
        return f'{head} type="n0:{part.block}"/>'
    if part.form and part.parts:
        # a text with attributes extends a type that has a name
        base = f"n0:{part.name}.Content"
        inner = (
            f'<xsd:simpleContent><xsd:extension base="{base}">{_attributes(part)}</xsd:extension></xsd:simpleContent>'
        )
        return f"{head}><xsd:complexType>{inner}</xsd:complexType></xsd:element>"
    inner = _simple(part) if part.form else f"<xsd:complexType>{_content(part)}</xsd:complexType>"
    return f"{head}>{inner}</xsd:element>"


def _contents(part: Part) -> Iterator[str]:
    """The named types of texts with attributes."""
    for below in part.parts:
        if below.form and below.parts:
            yield _simple(below).replace("<xsd:simpleType>", f'<xsd:simpleType name="{below.name}.Content">')
        else:
            yield from _contents(below)


def _simple(part: Part) -> str:
    facets = "".join(_facets(part))
    return f'<xsd:simpleType><xsd:restriction base="{BASES[part.form]}">{facets}</xsd:restriction></xsd:simpleType>'


def _facets(part: Part) -> Iterator[str]:
    if part.length:
        yield f'<xsd:maxLength value="{part.length}"/>'
    if part.form == "token":
        yield '<xsd:minLength value="1"/>'
    if part.form == "ordinal":
        yield '<xsd:totalDigits value="20"/><xsd:fractionDigits value="0"/>'
    elif part.form in PATTERNS and part.form != "flag":
        yield f'<xsd:pattern value="{PATTERNS[part.form]}"/>'
