"""SAP's refusals: what an error body says, and which outcome it is."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from l2c.contract import Outcome, Status

_LONGEST = 2000
_FIELD = re.compile(r"[A-Za-z_][\w./]{0,120}", re.ASCII)
_HARMLESS = frozenset({"info", "warning", "success"})
_LOCKED = (
    "currently being processed by",
    "is being processed by",
    "is locked",
    "locked by",
    "wird gerade von",
    "ist gesperrt durch",
    "enqueue",
)


def sap_error(body: bytes) -> tuple[str, str]:
    """Code and text of an SAP error body (OData v2 or v4 JSON), with all its `errordetails`; empty when it is none.

    SAP puts several business errors into one answer and only a summary into `message`: all distinct texts are joined.
    """
    if body.lstrip()[:1] != b"{":
        return "", ""
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "", ""
    error = found.get("error")
    if not isinstance(error, dict):
        return "", ""
    code = str(error.get("code") or "")
    texts = [_text(error.get("message"))]
    for detail in _errors(error):
        text = _text(detail.get("message"))
        texts.append(text if text in texts[0] else _with_code(str(detail.get("code") or ""), text, code))
    return code, "; ".join(dict.fromkeys(text for text in texts if text))[:_LONGEST]


def named_fields(body: bytes) -> tuple[str, ...]:
    """The fields an SAP error body names as the ones it is about (`target` of an error or of its details), each once."""
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ()
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return ()
    targets = (detail.get("target") for detail in [error, *_errors(error)])
    return tuple(dict.fromkeys(target for target in targets if isinstance(target, str) and _FIELD.fullmatch(target)))


def _errors(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The details that are errors: warnings stand beside them."""
    return [
        detail
        for detail in _details(error)
        if isinstance(detail, dict) and str(detail.get("severity", "error")).lower() not in _HARMLESS
    ]


def _details(error: Mapping[str, Any]) -> list[Any]:
    inner = error.get("innererror")
    details = inner.get("errordetails") if isinstance(inner, dict) else error.get("details")
    if isinstance(details, dict):
        details = details.get("errordetail") or details.get("results")
    return details if isinstance(details, list) else []


def _text(message: Any) -> str:
    if isinstance(message, dict):
        message = message.get("value")
    return message.strip() if isinstance(message, str) else ""


def _with_code(code: str, text: str, summary: str) -> str:
    return f"{code}: {text}" if code and code != summary and text else text


def is_lock(text: str) -> bool:
    """Whether SAP's text says that someone else holds the record: a matter of waiting, not of data."""
    lowered = text.lower()
    return any(word in lowered for word in _LOCKED)


def refusal(status: int, body: bytes, *, retry_after: float | None = None) -> Outcome:
    """The outcome of one refused write, by HTTP status and SAP's words; for statuses from 300 on.

    Data errors are rejected, locks failed (to be tried again), 412 and 428 a conflict (a missing If-Match is a write on an
    unread state), 429 and a 503 that names a wait failed, other 5xx unknown: the server may have acted before it broke.
    """
    code, text = sap_error(body)
    known: dict[str, Any] = {"code": code or str(status), "message": text or f"HTTP status {status}"}
    known["fields"] = named_fields(body)
    if status in {412, 428}:
        return Outcome(Status.CONFLICT, **known)
    if status in {423, 425, 429} or (status == 503 and retry_after is not None):
        return Outcome(Status.FAILED, retry_after=retry_after, **known)
    if status >= 500 or status == 408:
        return Outcome(Status.UNKNOWN, retry_after=retry_after, **known)
    if status in {400, 403, 409} and is_lock(text):
        return Outcome(Status.FAILED, retry_after=retry_after, **known)
    return Outcome(Status.REJECTED, **known)
