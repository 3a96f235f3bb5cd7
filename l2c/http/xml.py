"""XML from outside: parsed without document types, entities, network or files, and only up to a size."""

from typing import TYPE_CHECKING, Any

from l2c.errors import ProtocolError

if TYPE_CHECKING:
    from lxml import etree

MAX_XML_BYTES = 16 * 1024 * 1024


def parse_xml(body: bytes, *, where: str, system: str = "", max_bytes: int = MAX_XML_BYTES) -> "etree._Element":
    """The root of a document without comments and processing instructions.

    ProtocolError when it is too large, not well-formed, nested deeper than 256, or holds a document type; the message
    shows nothing of the document.
    """
    from lxml import etree

    if len(body) > max_bytes:
        raise ProtocolError(f"{where}: larger than {max_bytes} bytes: not read", system=system, code="too_large")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise ProtocolError(f"{where}: not XML, line {line} column {column}", system=system, code="not_xml") from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise ProtocolError(f"{where}: a document type is not accepted", system=system, code="document_type")
    return root
