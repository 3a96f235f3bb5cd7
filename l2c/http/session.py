"""The HTTP session every connector is built from: requests underneath, with a deadline, a size cap and a border.

It sends no cookies but those of the CSRF pair, follows redirects of a read inside its own origin only, takes nothing from
the environment, and repeats only what cannot act twice. Safe to use from several threads.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from l2c.contract import System
from l2c.errors import AuthError, ProtocolError, TransientError
from l2c.http.answers import Answer, html_error, is_html, json_bytes, retry_after, shows_page
from l2c.http.auth import Auth, NoAuth
from l2c.http.csrf import Csrf, CsrfPair, pair_of
from l2c.http.deadline import DEADLINE, DeadlineAdapter
from l2c.http.faults import AnswerLost, fault_of, place
from l2c.http.origin import border_of, with_query
from l2c.http.retries import Retries
from l2c.http.statuses import raise_for, unexpected
from l2c.http.tls import trusted

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may take: seconds in all, seconds to connect, seconds of silence, bytes of the decoded body."""

    deadline_s: float = 120.0
    connect_s: float = 10.0
    silence_s: float = 60.0
    max_bytes: int = 64 * 1024 * 1024
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    repeatable: bool
    where: str
    own: Callable[[Answer], bool] | None = None


class HttpSession:
    """One system's HTTP side.

    `base` (default: the connection's URL) is what relative paths hang on; `query` is added to every address that lacks it
    (`sap-client`); `csrf` makes every write carry a token with its cookies, fetched at `csrf_path`; `signs_in`: it fetches
    tokens, whose being given does not yet say that the system takes them.
    """

    def __init__(
        self,
        system: System,
        *,
        base: str | None = None,
        auth: Auth | None = None,
        csrf: bool = False,
        csrf_path: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
        signs_in: bool = False,
    ) -> None:
        self.system = system
        self.base = (base or system.connection.url).rstrip("/")
        plain = system.connection.extra.get("allow_plain", "").lower() in {"true", "1", "yes"}
        self.border = border_of(system.name, self.base, allow_hosts=system.allow_hosts, plain=plain)
        self.limits = limits or Limits()
        self.retries = retries or Retries(sleep=system.gate.pause, longest_asked_s=system.gate.longest_wait_s)
        self._auth = auth or NoAuth()
        self._csrf = Csrf() if csrf else None
        self._csrf_path = csrf_path
        self._signs_in = signs_in
        self._query = dict(query or {})
        self._headers = {"User-Agent": "lead-to-cash-hub", "Accept-Encoding": "gzip, deflate", **(headers or {})}
        self._adapter = DeadlineAdapter()
        self._verify = trusted(system)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, expect: Collection[int] = (200,)) -> Answer:
        """Read one address; see `request`."""
        return self.request("GET", path, headers=headers, expect=expect)

    def get_json(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Read one address that must answer 200 with JSON; a page of HTML is an AuthError or ProtocolError."""
        answer = self.get(path, headers={"Accept": "application/json", **(headers or {})})
        json_bytes(answer)
        return answer

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        expect: Collection[int] = (),
        own: Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """Send one request and return its whole answer.

        `path` is relative to `base`, absolute on the host (`/…`), or a full address inside the border. `repeatable`
        (default: reads) says that sending it twice does no harm: only such requests, and those surely not acted on, are
        tried again. Statuses: 401 and 403 are an AuthError; 408, 425, 429 and 5xx a TransientError with `retry_after`, or
        AnswerLost where the request may have acted; with `expect`, any status outside it is a ProtocolError with SAP's own
        code and text; without, every other status is returned. `own` picks answers that are returned whatever their status
        (a SOAP fault comes with 500).
        """
        url = self.address(path)
        again = method in _READS if repeatable is None else repeatable
        where = place(self.system.name, method, url)
        call = _Call(method, url, body, {**self._headers, **(headers or {})}, again, where, own)
        answer = self.retries.run(lambda: self._attempt(call))
        if expect and answer.status not in expect:
            raise unexpected(answer)
        return answer

    def address(self, path: str) -> str:
        """The full address of a path, with the session's own query parameters; ProtocolError outside the border."""
        if path.startswith("/") and not path.startswith("//"):
            url = f"{self.border.home}{path}"
        elif "://" in path.partition("?")[0] or path.startswith("//"):
            url = urljoin(f"{self.base}/", path)
            self.border.check(url)
        else:
            url = f"{self.base}/{path}" if path else self.base
        if self._query:
            url = with_query(url, self._query)
        return url

    def close(self) -> None:
        """Give back the connections."""
        self._adapter.close()

    def _attempt(self, call: _Call) -> Answer:
        """One call with its one repetition for a refused token, of either kind; raises what the status means."""
        sent = self._auth.header()
        pair = self._pair(call)
        answer = self._exchange(call, sent, pair)
        if answer.status == 401 and self._auth.refused(sent):
            sent = self._auth.header()
            answer = self._exchange(call, sent, pair)
        if answer.status == 403 and pair and answer.headers.get("x-csrf-token", "").lower() == "required":
            pair = self._renew(pair)
            answer = self._exchange(call, sent, pair)
        if answer.status == 401:
            self.system.gate.refused()
        if call.own is None or not call.own(answer):
            self._raise_for(answer, call)
        return answer

    def _raise_for(self, answer: Answer, call: _Call) -> None:
        connection = self.system.connection.called
        raise_for(answer, repeatable=call.repeatable, now=self.system.clock(), connection=connection)

    def _pair(self, call: _Call) -> CsrfPair | None:
        if self._csrf is None:
            return None
        if call.method in _READS:
            return self._csrf.known
        return self._csrf.pair(self._fetch_pair)

    def _renew(self, refused: CsrfPair) -> CsrfPair | None:
        return self._csrf.renew(refused, self._fetch_pair) if self._csrf else None

    def _fetch_pair(self) -> CsrfPair:
        """Ask for a token; it comes with the cookies of the session it belongs to."""
        url = self.address(self._csrf_path)
        headers = {**self._headers, "Accept": "application/json", "X-CSRF-Token": "Fetch"}
        call = _Call("GET", url, None, headers, True, place(self.system.name, "GET", url))
        sent = self._auth.header()
        answer = self._exchange(call, sent, None)
        if answer.status == 401 and self._auth.refused(sent):
            answer = self._exchange(call, self._auth.header(), None)
        if answer.status == 401:
            self.system.gate.refused()
        self._raise_for(answer, call)
        pair = pair_of(answer)
        if pair is None:
            if is_html(answer):
                raise html_error(answer)
            raise ProtocolError(f"{call.where}: the answer gives no CSRF token", system=self.system.name)
        return pair

    def _exchange(self, call: _Call, authorization: str | None, pair: CsrfPair | None) -> Answer:
        """Send once, when the system's gate lets it; follow redirects of a read inside the origin."""
        self.system.gate.enter()
        headers = dict(call.headers)
        if authorization is not None:
            headers["Authorization"] = authorization
        if pair is not None:
            headers["Cookie"] = pair.cookies
            if call.method not in _READS:
                headers["X-CSRF-Token"] = pair.token
        token = DEADLINE.set((time.monotonic() + self.limits.deadline_s, self.limits.silence_s))
        try:
            answer = self._send(call, headers)
            for _ in range(self.limits.redirects):
                if answer.status not in _REDIRECTS or call.method != "GET":
                    break
                answer = self._send(replace(call, url=self._redirect(answer)), headers)
        finally:
            DEADLINE.reset(token)
        if answer.status in _REDIRECTS:
            self._redirect(answer)
            raise ProtocolError(f"{call.where}: redirected, not followed; is the address right?", system=answer.system)
        self._tell(answer, call)
        return answer

    def _tell(self, answer: Answer, call: _Call) -> None:
        """Tell the gate what came back; a page for people is no answer of the service behind it."""
        if answer.status < 400 and shows_page(answer):
            if isinstance(html_error(answer), AuthError):  # for signing in
                self.system.gate.refused()
            return
        if answer.status < 400 and self._signs_in:
            return
        status = 200 if call.own is not None and call.own(answer) else answer.status
        wait = retry_after(answer, self.system.clock()) if status in {429, 503} else None
        self.system.gate.answered(status, write=call.method not in _READS, wait_s=wait)

    def _redirect(self, answer: Answer) -> str:
        target = urljoin(answer.url, answer.headers.get("location", ""))
        self.border.check(target, same_origin=True, what="a redirect (sign-in failed?)")
        return target

    def _send(self, call: _Call, headers: dict[str, str]) -> Answer:
        prepared = requests.PreparedRequest()
        prepared.method = call.method
        prepared.url = call.url
        prepared.body = call.body
        if call.body is not None or call.method in {"POST", "PATCH", "PUT", "MERGE"}:
            headers["Content-Length"] = str(len(call.body or b""))
        prepared.headers = CaseInsensitiveDict(headers)
        started = time.monotonic()
        timeout = (self.limits.connect_s, min(self.limits.silence_s, self.limits.deadline_s))
        try:
            response = self._adapter.send(prepared, stream=True, timeout=timeout, verify=self._verify, proxies={})
            body = self._body(response.raw, call)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            may = not call.repeatable
            fault = fault_of(error, call.where, system=self.system.name, may_have_acted=may)
            if isinstance(fault, TransientError):
                self.system.gate.failed(str(fault), write=call.method not in _READS)
            raise fault from None
        took = time.monotonic() - started
        return Answer(response.status_code, response.raw.headers, body, call.where, call.url, self.system.name, took)

    def _body(self, raw: "BaseHTTPResponse", call: _Call) -> bytes:
        """The whole decoded body, at most `max_bytes`; a shorter one than announced is an error of urllib3."""
        limit = self.limits.max_bytes
        length = raw.headers.get("content-length", "")
        encoded = raw.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
        try:
            if length.isdigit() and int(length) <= limit and not encoded:
                return raw.read()
            parts: list[bytes] = []
            size = 0
            while chunk := raw.read(_CHUNK, decode_content=True):
                size += len(chunk)
                if size > limit:
                    text = f"{call.where}: the answer is larger than {limit} bytes: not read"
                    kind = ProtocolError if call.repeatable else AnswerLost
                    raise kind(text, system=self.system.name, code="too_large")
                parts.append(chunk)
            if not parts and not length and raw.status in {200, 201} and call.method != "HEAD" and not raw.chunked:
                raise urllib3.exceptions.IncompleteRead(
                    0, 1
                )  # its head may have been cut before it said how long it is
            return b"".join(parts)
        except BaseException:
            raw.close()
            raise
        finally:
            raw.release_conn()
