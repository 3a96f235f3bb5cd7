"""Sign-in, client and CSRF tokens."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from sandbox.core import Request, Response, basic_login
from sandbox.s4hana.settings import Settings

COOKIE = "SAP_SESSIONID_S4H_100"
CLIENT = "100"
MAX_SESSIONS = 10_000
REFUSED = (
    b"<html><head><title>Logon Error Message</title></head><body><h1>Anmeldung fehlgeschlagen</h1>"
    b"<p>What has happened? URL call was terminated because the corresponding service is not available.</p></body></html>"
)


@dataclass(slots=True)
class _Session:
    token: str
    born: float
    uses: int = 0


class Security:
    """Who may do what: Basic authentication, and a CSRF token bound to the session cookie for every change."""

    def __init__(self, user: str, password: str, settings: Settings) -> None:
        self._login = (user, password)
        self._settings = settings
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = threading.Lock()

    def refuse(self, request: Request) -> Response | None:
        """The answer to a request that may not pass, or None."""
        refused = self.refuse_login(request, client_required=self._settings.client_required)
        if refused is not None:
            return refused
        if request.method not in ("GET", "HEAD", "OPTIONS") and not self._valid(request):
            headers = [("x-csrf-token", "Required")]
            return Response(403, b"CSRF token validation failed", "text/plain;charset=utf-8", headers)
        return None

    def refuse_login(self, request: Request, *, client_required: bool = False) -> Response | None:
        """The answer to a request of an unknown user or, if it must name one, for another client; or None."""
        if basic_login(request) != self._login:
            realm = 'Basic realm="SAP NetWeaver Application Server [S4H/100]"'
            return Response(401, REFUSED, "text/html; charset=utf-8", [("WWW-Authenticate", realm)])
        client = request.params.get("sap-client") or request.headers.get("sap-client")
        if client_required and client != CLIENT:
            text = "sap-client is missing" if client is None else f"Client {client} is not available in this system"
            return Response(401, text.encode(), "text/html; charset=utf-8", [("sap-client", CLIENT)])
        return None

    def headers(self, request: Request) -> list[tuple[str, str]]:
        """Token and cookies for a GET that asks for them with `X-CSRF-Token: Fetch`."""
        if request.headers.get("x-csrf-token", "").lower() != "fetch":
            return []
        with self._lock:
            key = request.cookies.get(COOKIE, "")
            session = self._sessions.get(key)
            if session is not None and self._alive(session):
                return [("x-csrf-token", session.token)]
            cookies = []
            if session is None:
                key = secrets.token_urlsafe(24)
                cookies = [
                    ("Set-Cookie", f"{COOKIE}={key}; path=/; HttpOnly"),
                    ("Set-Cookie", f"sap-usercontext=sap-client={CLIENT}; path=/"),
                ]
            session = _Session(secrets.token_urlsafe(18), time.monotonic())
            self._sessions[key] = session
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
            return [("x-csrf-token", session.token), *cookies]

    def _valid(self, request: Request) -> bool:
        with self._lock:
            session = self._sessions.get(request.cookies.get(COOKIE, ""))
            sent = request.headers.get("x-csrf-token", "")
            if (
                session is None
                or not self._alive(session)
                or not secrets.compare_digest(session.token.encode(), sent.encode())
            ):
                return False
            session.uses += 1
            return True

    def _alive(self, session: _Session) -> bool:
        uses = self._settings.csrf_max_uses
        return time.monotonic() - session.born < self._settings.csrf_life_s and not (uses and session.uses >= uses)
