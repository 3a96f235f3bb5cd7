"""An answer as bytes, and the checks every reader of it needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape

from l2c.errors import AuthError, ProtocolError

LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (any case), the whole decoded body, where it came from in words fit for a message, seconds it took."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    where: str
    url: str = field(default="", repr=False)
    system: str = ""
    took_s: float = 0.0


_TITLE = re.compile(rb"<title[^>]*>(.{0,200}?)</title>", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_SIGN_IN = re.compile(
    rb"type\s*=\s*[\"']?password|SAMLRequest|SAMLResponse|log ?on|log ?in|sign.?in|anmeld", re.IGNORECASE
)


def json_bytes(answer: Answer) -> bytes:
    """The body, which must look like JSON: a sign-in page is an AuthError, any other page or XML a ProtocolError."""
    body = answer.body
    if body[:1] in {b"{", b"["}:
        return body
    start = body[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in {b"{", b"["}:
        return body.removeprefix(b"\xef\xbb\xbf")
    if not start:
        raise ProtocolError(f"{answer.where}: expected JSON, got an empty answer", system=answer.system)
    if is_html(answer):
        raise html_error(answer)
    kind = "XML" if start[:1] == b"<" else "something else"
    raise ProtocolError(f"{answer.where}: expected JSON, got {kind}", system=answer.system)


def is_html(answer: Answer) -> bool:
    """Whether the body is a page for people, by its first bytes or its content type."""
    return bool(_HTML.match(answer.body[:4096].lstrip())) or "html" in answer.headers.get("content-type", "")


def shows_page(answer: Answer) -> bool:
    """Whether a page for people stands where data or nothing was to be expected; quick for JSON."""
    return bool(answer.body) and answer.body[:1] not in {b"{", b"["} and is_html(answer)


def html_error(answer: Answer) -> AuthError | ProtocolError:
    """What a page for people in place of data means: a sign-in page is an AuthError."""
    found = _TITLE.search(answer.body[:65536])
    title = " ".join(unescape(found.group(1).decode("utf-8", "replace")).split())[:80] if found else "without a title"
    named = f"titled '{title}'" if found else title
    text = f"{answer.where}: expected JSON, got an HTML page {named}"
    if _SIGN_IN.search(answer.body[:65536]):
        return AuthError(f"{text}: sign-in failed? check user, password and address", system=answer.system)
    return ProtocolError(f"{text}: is the address right?", system=answer.system)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds the answer asks to wait (number or date; never negative, at most one hour); None when it does not ask."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text) else _until(text, answer, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _until(text: str, answer: Answer, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - (server_time(answer) or now)).total_seconds()


def server_time(answer: Answer) -> datetime | None:
    """The server's clock by its Date header, in UTC; None without a readable one."""
    text = answer.headers.get("date")
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def source_time(answer: Answer, hub: datetime) -> datetime:
    """The server's clock; where it does not tell, a day before the `hub`'s: a bound too early only shows records again."""
    return server_time(answer) or hub - timedelta(days=1)
