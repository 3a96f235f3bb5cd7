"""SOAP faults: what they say, and which error of the hub they are."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from l2c.errors import AuthError, HubError, ProtocolError, TransientError
from l2c.http.answers import Answer, html_error, is_html
from l2c.http.faults import AnswerLost
from l2c.http.refusals import is_lock
from l2c.http.xml import parse_xml

if TYPE_CHECKING:
    from lxml import etree

ENVELOPES = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
_LONGEST = 2000
_BLAMES_MESSAGE = frozenset({"Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})
_BLAMES_LOGIN = frozenset(
    {"FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken", "SecurityTokenUnavailable"}
)
_LOGIN_WORDS = re.compile(r"authenticat|authori[sz]ation|not authori[sz]ed|log ?on (?:failed|error)", re.IGNORECASE)


class MessageRefused(ProtocolError):
    """The system refused this message and did nothing: sending it again unchanged is of no use."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: its code without prefix, its text, the texts of its details, and whether the details name a declared fault."""

    code: str
    text: str
    details: tuple[str, ...] = ()
    declared: bool = False

    @property
    def words(self) -> str:
        """Everything the fault says, in one line, each text once."""
        texts = dict.fromkeys(text for text in (self.text, *self.details) if text)
        return "; ".join(texts)[:_LONGEST]


def looks_like_soap(answer: Answer) -> bool:
    """Whether the answer's first bytes are those of a SOAP envelope."""
    return b"Envelope" in answer.body[:1024] and not is_html(answer)


def body_of(answer: Answer) -> "etree._Element | None":
    """The SOAP body of an answer; None when the answer is empty. ProtocolError when it is anything but SOAP."""
    from lxml import etree

    if not answer.body.strip():
        return None
    if is_html(answer):
        raise html_error(answer)
    root = parse_xml(answer.body, where=answer.where, system=answer.system)
    name = etree.QName(root)
    found = root.find(f"{{{name.namespace}}}Body")
    if name.localname != "Envelope" or name.namespace not in ENVELOPES or found is None:
        raise ProtocolError(f"{answer.where}: the answer is no SOAP envelope", system=answer.system, code="no_soap")
    return found


def fault_in(body: "etree._Element") -> Fault | None:
    """The fault a SOAP body holds, of SOAP 1.1 or 1.2."""
    fault = body.find("{*}Fault")
    if fault is None:
        return None
    code = fault.find("faultcode")
    text = fault.find("faultstring")
    detail = fault.find("detail")
    if code is None:
        code = fault.find("{*}Code/{*}Value")
        text = fault.find("{*}Reason/{*}Text")
        detail = fault.find("{*}Detail")
    below = [] if detail is None else list(detail)
    details = [_plain(node) for top in below for node in top.iter() if len(node) == 0]
    declared = any(str(node.tag).endswith("Fault") for node in below)
    return Fault(_plain(code).rpartition(":")[2], _plain(text), tuple(filter(None, details)), declared)


def _plain(node: "etree._Element | None") -> str:
    return "" if node is None else " ".join("".join(map(str, node.itertext())).split())


def error_of(fault: Fault, answer: Answer, *, repeatable: bool) -> HubError:
    """The hub's error for a fault.

    Credentials: AuthError. A lock: TransientError. A fault that blames the message, or one the service declares:
    MessageRefused. Anything else the server blames on itself: AnswerLost, for it may have acted before it broke
    (TransientError where repeating does no harm).
    """
    words, where = fault.words, f"{answer.where}: fault {fault.code}"
    if fault.code in _BLAMES_LOGIN or _LOGIN_WORDS.search(words):
        return AuthError(f"{where}: {words}", system=answer.system, code=fault.code)
    if is_lock(words):
        return TransientError(f"{where}: {words}", system=answer.system, code=fault.code)
    if fault.code in _BLAMES_MESSAGE or fault.declared:
        return MessageRefused(f"{where}: {words}", system=answer.system, code=fault.code)
    if repeatable:
        return TransientError(f"{where}: {words}", system=answer.system, code=fault.code)
    return AnswerLost(f"{where}: {words}; the request may have acted", system=answer.system, code=fault.code)
