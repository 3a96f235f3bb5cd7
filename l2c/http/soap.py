"""SOAP 1.1 for connectors: zeep makes and reads the messages, the kit's session carries them.

`SoapClient(session, Path("…/service.wsdl"))`, then `envelope` makes a message and says what is wrong with it, `post` sends
it to an address of the system. zeep gets no transport of its own: no cache, no files or hosts but those `Descriptions`
allows, no document types.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l2c.errors import ConfigError, HubError, ProtocolError
from l2c.http.answers import Answer
from l2c.http.faults import AnswerLost
from l2c.http.session import HttpSession
from l2c.http.soap_faults import MessageRefused, body_of, error_of, fault_in, looks_like_soap
from l2c.http.wsdl import Descriptions

if TYPE_CHECKING:
    from lxml import etree

_ACCEPTED = frozenset({200, 202, 204})
_PREFIX = re.compile(r"[\w.-]+:")
_ENVELOPE = "/Envelope/Body/"
_WRONG = {
    "SCHEMAV_CVC_MAXLENGTH_VALID": "too long",
    "SCHEMAV_CVC_MINLENGTH_VALID": "too short",
    "SCHEMAV_CVC_LENGTH_VALID": "not of the right length",
    "SCHEMAV_CVC_PATTERN_VALID": "not of the right form",
    "SCHEMAV_CVC_ENUMERATION_VALID": "not one of the values allowed",
    "SCHEMAV_CVC_TOTALDIGITS_VALID": "too many digits",
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": "too many decimals",
    "SCHEMAV_ELEMENT_CONTENT": "missing, or not expected here",
    "SCHEMAV_CVC_COMPLEX_TYPE_4": "an attribute that does not exist or is missing",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it will be sent, its headers, and what is wrong with it as (path of elements, words without values)."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    mistakes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer in the shape zeep reads."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class _Service:
    """The description as zeep knows it, and its types as a schema."""

    client: Any
    binding: Any
    schema: Any


class SoapClient:
    """One SOAP service of a system, described by a file of the project (`Path`) or by an address of the system (text).

    The description is read at the first use and kept; safe to use from several threads.
    """

    def __init__(self, session: HttpSession, description: Path | str) -> None:
        self._session = session
        self._description = description
        self._lock = threading.Lock()
        self._known: _Service | None = None

    def envelope(self, operation: str, content: Mapping[str, Any]) -> Envelope:
        """The message of an operation; `content` holds elements and attributes by name, lists as lists.

        An element the description does not have is a ConfigError; a value that does not fit is among the mistakes.
        """
        import zeep.exceptions
        from lxml import etree

        service = self._service()
        found = self._operation(service, operation)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{found.soapaction}"'}
        try:
            root = found.create(**content).content
        except TypeError as error:
            raise self._wrong(f"{operation}: {error}") from None
        except zeep.exceptions.ValidationError as error:
            path = "/".join(str(part) for part in error.path or ())
            return Envelope(b"", headers, ((path, "missing"),))
        except ValueError:
            return Envelope(b"", headers, (("", "a text holds a character that XML cannot carry"),))
        etree.cleanup_namespaces(root)
        body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
        return Envelope(body, headers, self.mistakes(body))

    def mistakes(self, body: bytes) -> tuple[tuple[str, str], ...]:
        """What does not fit the description in a message made here: (path of elements, words without the value)."""
        from lxml import etree

        schema = self._service().schema
        root = etree.fromstring(body)
        found: list[tuple[str, str]] = []
        for payload in root.findall("{*}Body/*"):
            if not schema.validate(payload):
                found.extend(_mistake(error) for error in schema.error_log)
        return tuple(dict.fromkeys(found))

    def post(
        self, operation: str, path: str, body: bytes, headers: Mapping[str, str], *, repeatable: bool = False
    ) -> dict[str, Any] | None:
        """Send a message; what the answer says, or None for a one-way operation, which says only that it was taken.

        Raises as the session does, and for faults as `error_of` says; an answer that cannot be understood is AnswerLost
        unless the message may be repeated: the system may have acted.
        """
        service = self._service()
        found = self._operation(service, operation)
        accept = {"Accept": "text/xml, application/soap+xml", **headers}
        answer = self._session.request(
            "POST", path, body=body, headers=accept, repeatable=repeatable, own=_is_own_answer
        )
        content = self._content(answer, repeatable=repeatable)
        fault = None if content is None else fault_in(content)
        if fault is not None:
            raise error_of(fault, answer, repeatable=repeatable)
        if answer.status not in _ACCEPTED:
            kind = MessageRefused if answer.status in {400, 413, 422} else ProtocolError
            text = f"{answer.where}: {answer.status} without a SOAP fault"
            raise kind(text, system=answer.system, code=str(answer.status))
        if found.output is None:
            return None
        if content is None:
            raise _lost(answer, "the answer is empty", repeatable=repeatable)
        return self._read(service, found, answer)

    def call(self, operation: str, path: str, content: Mapping[str, Any], *, repeatable: bool = False) -> Any:
        """Make and send a message in one step; MessageRefused when it does not fit the description."""
        made = self.envelope(operation, content)
        if made.mistakes:
            text = "; ".join(f"{where}: {what}" for where, what in made.mistakes)
            raise MessageRefused(f"{self._session.system.name}: {operation}: {text}", system=self._session.system.name)
        return self.post(operation, path, made.body, made.headers, repeatable=repeatable)

    def _content(self, answer: Answer, *, repeatable: bool) -> "etree._Element | None":
        """The SOAP body; a status that says by itself what happened needs none."""
        try:
            return body_of(answer)
        except ProtocolError as error:
            if answer.status not in _ACCEPTED:
                return None
            raise _lost(answer, error.message.removeprefix(f"{answer.where}: "), repeatable=repeatable) from None

    def _read(self, service: _Service, operation: Any, answer: Answer) -> dict[str, Any]:
        import zeep.exceptions
        from zeep.helpers import serialize_object

        reply = _Reply(answer.status, answer.body, answer.headers)
        try:
            found = service.binding.process_reply(service.client, operation, reply)
        except (zeep.exceptions.Error, ValueError, TypeError) as error:
            text = f"{answer.where}: the answer does not fit the description ({type(error).__name__})"
            raise ProtocolError(text, system=answer.system, code="no_fit") from None
        plain: Any = serialize_object(found, dict)
        return plain if isinstance(plain, dict) else {"value": plain}

    def _operation(self, service: _Service, name: str) -> Any:
        try:
            return service.binding.get(name)
        except ValueError:
            known = ", ".join(sorted(service.binding.all()))
            raise self._wrong(f"the description has no operation '{name}' ({known})") from None

    def _service(self) -> _Service:
        with self._lock:
            if self._known is None:
                self._known = self._open()
            return self._known

    def _open(self) -> _Service:
        import zeep
        import zeep.exceptions
        from zeep.wsdl.bindings import Soap11Binding

        documents = Descriptions(self._session, self._description)
        # a description of the project imports files only; one of the system is held to its origin by `Descriptions`
        # (`force_https` would turn a file into an address)
        settings = zeep.Settings(
            strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=documents.local, force_https=False
        )
        try:
            client = zeep.Client(documents.location, transport=documents, settings=settings)
        except HubError:
            raise
        except (zeep.exceptions.Error, zeep.exceptions.DTDForbidden, ValueError, OSError) as error:
            raise self._wrong(f"the service description cannot be used: {type(error).__name__}: {error}") from None
        ports = [port for service in client.wsdl.services.values() for port in service.ports.values()]
        bindings = [port.binding for port in ports if type(port.binding) is Soap11Binding]
        if not bindings:
            raise self._wrong("the service description offers no SOAP 1.1 port")
        return _Service(client, bindings[0], documents.schema())

    def _wrong(self, what: str) -> ConfigError:
        name = self._session.system.name
        return ConfigError(f"system '{name}': {what}", system=name)


def _is_own_answer(answer: Answer) -> bool:
    """A fault comes with 500; any other trouble is the session's to tell."""
    return answer.status == 500 and looks_like_soap(answer)


def _lost(answer: Answer, what: str, *, repeatable: bool) -> HubError:
    if repeatable:
        return ProtocolError(f"{answer.where}: {what}", system=answer.system, code="no_soap")
    return AnswerLost(f"{answer.where}: {what}; the request may have acted", system=answer.system, code="no_soap")


def _mistake(error: Any) -> tuple[str, str]:
    """One finding of the schema without the value it is about: that may be personal."""
    path = _PREFIX.sub("", str(error.path or "")).removeprefix(_ENVELOPE).strip("/")
    return path, _WRONG.get(error.type_name, "not of the right type")
