"""What a request can end with besides an answer, in words that carry no secret and no payload."""

import http.client
import re
import ssl
from urllib.parse import urlsplit

import requests
import urllib3

from l2c.errors import HubError, ProtocolError, TransientError
from l2c.http.tls import refused_words


class AnswerLost(TransientError):
    """A request that may have acted had no (whole) answer: look it up before sending it again."""


_KEY = re.compile(r"\([^/]*\)")


def place(system: str, method: str, url: str) -> str:
    """Where something happened, for messages: no host, no query, no key values (`A_BusinessPartner(…)`)."""
    return f"{system}: {method} {_KEY.sub('(…)', urlsplit(url).path)}"


def fault_of(error: BaseException, where: str, *, system: str, may_have_acted: bool) -> HubError:
    """The hub's error for an exception of requests, urllib3 or the socket; the original text is dropped, it may hold URLs.

    `may_have_acted`: the request is not repeatable; then only an error before the first byte is a plain TransientError.
    """
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ProtocolError(f"{where}: the certificate {refused_words(cause)}; nothing was sent", system=system)
    if _not_sent(causes):
        return TransientError(f"{where}: {_words(causes)}; nothing was sent", system=system, code="not_reached")
    if may_have_acted:
        text = f"{where}: {_words(causes)} after the request was sent; it may have acted"
        return AnswerLost(text, system=system, code="answer_lost")
    return TransientError(f"{where}: {_words(causes)}", system=system, code="no_answer")


def _causes(error: BaseException | None) -> list[BaseException]:
    """The exception and everything wrapped in it (requests wraps in arguments, urllib3 in `reason`)."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or any(cause is known for known in found):
            continue
        found.append(cause)
        waiting.extend([cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args])
    return found


def _not_sent(causes: list[BaseException]) -> bool:
    before = (
        requests.exceptions.ConnectTimeout,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        ssl.SSLError,
    )
    return any(isinstance(cause, before) for cause in causes)


def _words(causes: list[BaseException]) -> str:
    """What happened, in our own words."""
    table: tuple[tuple[type[BaseException], str], ...] = (
        (urllib3.exceptions.NameResolutionError, "the host name is not known"),
        (ConnectionRefusedError, "connection refused"),
        (urllib3.exceptions.ConnectTimeoutError, "no connection in time"),
        (urllib3.exceptions.NewConnectionError, "no connection"),
        (ssl.SSLError, "no TLS connection"),
        (TimeoutError, "no whole answer in time"),
        (urllib3.exceptions.TimeoutError, "no whole answer in time"),
        (urllib3.exceptions.IncompleteRead, "the answer was cut short"),
        (urllib3.exceptions.InvalidChunkLength, "the answer was cut short"),
        (http.client.IncompleteRead, "the answer was cut short"),
        (urllib3.exceptions.DecodeError, "the answer's compression is damaged"),
        (http.client.RemoteDisconnected, "the connection was closed without an answer"),
        (ConnectionResetError, "connection reset"),
        (BrokenPipeError, "connection closed"),
    )
    return next(
        (text for kind, text in table if any(isinstance(cause, kind) for cause in causes)), "the connection broke"
    )
