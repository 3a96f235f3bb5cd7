"""SOAP envelopes of both versions: taken apart, put together, and faults."""

import xml.etree.ElementTree as ET
from xml.parsers import expat
from xml.sax.saxutils import escape

from sandbox.core import Response

NAMESPACES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
TYPES = {"1.1": "text/xml", "1.2": "application/soap+xml"}


class Refused(Exception):
    """What ends a request with a fault: the sender's own mistake, in the version it speaks."""

    def __init__(self, text: str, version: str = "1.1") -> None:
        super().__init__(text)
        self.text = text
        self.version = version

    def response(self) -> Response:
        """The answer: status 500 in version 1.1, 400 in version 1.2, as their HTTP bindings say."""
        namespace = NAMESPACES[self.version]
        if self.version == "1.2":
            inner = (
                "<soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code>"
                f'<soap:Reason><soap:Text xml:lang="en">{escape(self.text)}</soap:Text></soap:Reason>'
            )
        else:
            inner = f"<faultcode>soap:Client</faultcode><faultstring>{escape(self.text)}</faultstring>"
        body = wrap(f"<soap:Fault>{inner}</soap:Fault>", namespace)
        return Response(400 if self.version == "1.2" else 500, body, f"{TYPES[self.version]}; charset=utf-8")


def wrap(content: str, namespace: str = NAMESPACES["1.1"]) -> bytes:
    """An envelope around a body's content."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{namespace}">'
        f"<soap:Body>{content}</soap:Body></soap:Envelope>"
    ).encode()


def payload(body: bytes, content_type: str = "") -> ET.Element:
    """The element inside the body of an envelope; Refused for everything that is no such message.

    `content_type` must be that of the envelope's version; it is not checked when it is empty.
    """
    spoken = "1.2" if content_type.lower().startswith(TYPES["1.2"]) else "1.1"
    root = _parsed(body, spoken)
    namespace, _, name = root.tag.rpartition("}")
    version = next((number for number, uri in NAMESPACES.items() if namespace == "{" + uri), None)
    if version is None or name != "Envelope":
        raise Refused("the message is no SOAP envelope", spoken)
    if content_type and not content_type.lower().startswith(TYPES[version]):
        raise Refused(f"SOAP {version} travels as {TYPES[version]}, not as '{content_type.partition(';')[0]}'", version)
    found = root.find(f"{{{NAMESPACES[version]}}}Body")
    if found is None or len(found) != 1:
        raise Refused("the body of the envelope must hold one element", version)
    return found[0]


def _parsed(body: bytes, version: str) -> ET.Element:
    """The document's root. Two passes: the first one stops at a document type, before any entity is expanded."""
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _no_doctype
    try:
        guard.Parse(body, True)
        return ET.fromstring(body)  # noqa: S314  # no document type gets here, so there are no entities
    except (expat.ExpatError, ET.ParseError) as error:
        raise Refused(f"the message is not well-formed: {error}", version) from error
    except ValueError as error:
        raise Refused(str(error), version) from error


def _no_doctype(*_: object) -> None:
    raise ValueError("a document type is not allowed")
