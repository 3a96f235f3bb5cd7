"""Messages S/4HANA sends to the hub: confirmations of what was written, and partners it replicates by itself."""

from typing import TYPE_CHECKING

from connectors.s4hana.entities import PARTNER
from connectors.s4hana.replication.messages import says_created, token_of
from l2c.contract import Message, Outcome, Received, Status
from l2c.errors import ProtocolError
from l2c.http import is_lock, parse_xml

if TYPE_CHECKING:
    from lxml import etree

CONFIRMATION = "BusinessPartnerSUITEBulkReplicateConfirmation"
REQUEST = "BusinessPartnerSUITEBulkReplicateRequest"
NAMESPACE = "http://sap.com/xi/SAPGlobal20/Global"
MAX_BYTES = 10 * 1024 * 1024
_FAILED = frozenset({"4", "5"})  # partially successful, failed
_ERRORS = frozenset("34EAX")  # severities: 1 information, 2 warning, 3 error, 4 abort; or SAP's message types
_OVERTAKEN = "CON.LRC"  # late request: a newer change of the same partner was processed before
_LONGEST = 2000


def received(message: Message, *, system: str) -> Received:
    """What a message says; ProtocolError for one that is no replication message."""
    where = f"{system}: inbox"
    root = _payload(parse_xml(message.body, where=where, system=system, max_bytes=MAX_BYTES))
    if root is not None and root.tag == f"{{{NAMESPACE}}}{CONFIRMATION}":
        return Received(_message_id(root), confirmed=_confirmed(root, where, system))
    if root is not None and root.tag == f"{{{NAMESPACE}}}{REQUEST}":
        return Received(_message_id(root), keys=_keys(root, where, system))
    name = "nothing" if root is None else root.tag.rpartition("}")[2]
    text = f"{where}: expected {CONFIRMATION} or {REQUEST}, got {name}"
    raise ProtocolError(text, system=system, code="unknown_message")


def _payload(root: "etree._Element") -> "etree._Element | None":
    """The content of an envelope of either version; a message sent without one is its own content."""
    if root.tag.rpartition("}")[2] != "Envelope":
        return root
    body = root.find("{*}Body")
    return body[0] if body is not None and len(body) else None


def _message_id(root: "etree._Element") -> str | None:
    return _text(root, "MessageHeader/ID") or _text(root, "MessageHeader/UUID") or None


def _keys(root: "etree._Element", where: str, system: str) -> list[tuple[str, str]]:
    """The sender's own numbers of the partners it replicates, each once, as its services show them."""
    found: dict[tuple[str, str], None] = {}
    for partner in root.iterfind("BusinessPartnerSUITEReplicateRequestMessage/BusinessPartner"):
        number = external(_text(partner, "InternalID"))
        if not number:
            raise ProtocolError(f"{where}: a partner comes without InternalID", system=system, code="no_number")
        found[PARTNER, number] = None
    return list(found)


def _confirmed(root: "etree._Element", where: str, system: str) -> dict[str, Outcome]:
    """The outcome of each message that is confirmed, by its number."""
    found: dict[str, Outcome] = {}
    for message in root.iterfind("BusinessPartnerSUITEReplicateConfirmationMessage"):
        token = _text(message, "MessageHeader/ReferenceID") or token_of(_text(message, "MessageHeader/ReferenceUUID"))
        if not token:
            text = f"{where}: a confirmation names no message (ReferenceID)"
            raise ProtocolError(text, system=system, code="no_reference")
        found[token] = _outcome(message, token)
    return found


def _outcome(message: "etree._Element", token: str) -> Outcome:
    """What the log says became of the partner, with SAP's words where it is not simply done."""
    number = external(_text(message, "BusinessPartner/ReceiverInternalID")) or None
    items = message.findall("Log/Item")
    overtaken = [item for item in items if _text(item, "CategoryCode") == _OVERTAKEN]
    errors = [item for item in items if _text(item, "SeverityCode") in _ERRORS]
    worst = _text(message, "Log/MaximumLogItemSeverityCode")
    failed = _text(message, "Log/BusinessDocumentProcessingResultCode").lstrip("0") in _FAILED
    if overtaken:
        # what this message said may be missing: look at the partner before anything is written again
        return _said(Status.CONFLICT, overtaken, number)
    if failed or errors or worst in _ERRORS:
        said = _said(Status.REJECTED, errors or items, number)
        return _said(Status.FAILED, errors or items, number) if is_lock(said.message) else said
    created = _is_number(token) and says_created(token)
    return Outcome(Status.CREATED if created else Status.UPDATED, number)


def _said(status: Status, items: "list[etree._Element]", number: str | None) -> Outcome:
    texts = dict.fromkeys(_text(item, "Note") for item in items)
    codes = [_text(item, "TypeID") for item in items]
    message = "; ".join(text for text in texts if text)[:_LONGEST]
    return Outcome(status, number, code=next(filter(None, codes), "refused"), message=message or "no reason given")


def _is_number(token: str) -> bool:
    return bool(token) and all(letter in "0123456789ABCDEF" for letter in token)


def external(number: str) -> str:
    """A number as the services show it: without the leading zeros messages carry."""
    return (number.lstrip("0") or "0") if number.isascii() and number.isdigit() else number


def _text(element: "etree._Element", path: str) -> str:
    return " ".join((element.findtext(path) or "").split())
