"""Errors in SAP's shape: one or several messages in one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from sandbox.core import Request, Response, json_response
from sandbox.s4hana.model import FURTHER, SERVICE, service_of

INVALID = "005056A509B11EE1B9A8FEC11C21D78E"
"""A code of the form the gateway uses for requests it cannot make sense of."""
COMPONENTS = dict(zip(FURTHER, ("LO-MD-MM", "SD-MD-CM", "MM-IM-GF", "SD-MD-MM-CMI"), strict=True))
"""The application component each service of what is sold belongs to."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an error; `target` names the property it is about."""

    code: str
    text: str
    target: str = ""
    severity: str = "error"


class ODataError(Exception):
    """What ends a request: HTTP status and SAP's messages, the first of them in front."""

    def __init__(self, status: int, messages: Sequence[Message], headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(messages[0].text)
        self.status = status
        self.messages = tuple(messages)
        self.headers = tuple(headers)


def failure(status: int, text: str, code: str = INVALID, target: str = "") -> ODataError:
    """An error with one message."""
    return ODataError(status, [Message(code, text, target)])


def wants_json(request: Request) -> bool:
    """Whether the client asked for JSON; the gateway's own choice is Atom XML."""
    form = request.params.get("$format")
    if form is not None:
        return form.startswith("json")
    return "json" in request.headers.get("accept", "")


def error_response(request: Request, error: ODataError) -> Response:
    """The answer to a failed request, in the form the client asked for."""
    headers = [("dataserviceversion", "1.0"), *error.headers]
    first = error.messages[0]
    if wants_json(request):
        return json_response(error_content(error.messages, request.id, service_of(request.path)), error.status, headers)
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f'<code>{escape(first.code)}</code><message xml:lang="en">{escape(first.text)}</message></error>'
    )
    return Response(error.status, body.encode(), "application/xml;charset=utf-8", headers)


def error_content(messages: Sequence[Message], request_id: str, service: str = SERVICE) -> dict[str, object]:
    """The body of an error."""
    details = [
        {
            "code": message.code,
            "message": message.text,
            "propertyref": f"/#TRANSIENT#/{message.target}" if message.target else "",
            "severity": message.severity,
            "transition": False,
            "target": message.target,
        }
        for message in messages
    ]
    inner = {
        "application": {
            "component_id": COMPONENTS.get(service, "AP-MD-BP"),
            "service_namespace": "/SAP/",
            "service_id": service if service in COMPONENTS else SERVICE,
            "service_version": "0001",
        },
        "transactionid": request_id,
        "timestamp": f"{datetime.now(UTC):%Y%m%d%H%M%S}.0000000",
        "errordetails": details,
    }
    first = messages[0]
    return {
        "error": {"code": first.code, "message": {"lang": "en", "value": first.text}, "innererror": inner},
    }
