"""OAuth 2 client credentials at the authorization server of the shop."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs

import orjson

from sandbox.core import App, Request, Response, basic_login

NO_STORE = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


@dataclass(slots=True)
class Client:
    """The one registered client, and how long its tokens live.

    With `reuse_tokens` a second request gets the same token with what is left of its life, as token services do that keep
    one token a client.
    """

    identity: str
    secret: str
    lifetime_s: float = 43_200.0
    reuse_tokens: bool = False


def issue(app: App, client: Client, request: Request) -> Response:
    """`POST /authorizationserver/oauth/token`: client authentication by Basic or in the form."""
    form = {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    identity, secret = basic_login(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    known = hmac.compare_digest(identity.encode(), client.identity.encode())
    if not hmac.compare_digest(secret.encode(), client.secret.encode()) or not known:
        return _refused(401, "invalid_client", "Bad client credentials")
    if form.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type", f"Unsupported grant type: {form.get('grant_type', '')}")
    token, expires_at = _token(app, client)
    content = {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": max(int(expires_at - app.clock.now().timestamp()), 0),
        "scope": "basic extended",
    }
    return Response(200, orjson.dumps(content), "application/json;charset=UTF-8", list(NO_STORE))


def refusal(app: App, request: Request) -> Response | None:
    """Why a request may not pass, or None: no bearer token, an unknown one, an expired one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return _refused(401, "unauthorized", "Full authentication is required to access this resource")
    with app.store.read() as db:
        row = db.execute("SELECT expires_at FROM token WHERE token = ?", (token,)).fetchone()
    if row is None:
        return _refused(401, "invalid_token", f"Invalid access token: {token}")
    if row[0] <= app.clock.now().timestamp():
        return _refused(401, "invalid_token", f"Access token expired: {token}")
    return None


def revoke(app: App) -> None:
    """Make every token unknown."""
    with app.store.write() as tx:
        tx.db.execute("DELETE FROM token")


def _token(app: App, client: Client) -> tuple[str, float]:
    now = app.clock.now().timestamp()
    with app.store.write() as tx:
        tx.db.execute("DELETE FROM token WHERE expires_at <= ?", (now - 3600,))
        if client.reuse_tokens:
            row = tx.db.execute("SELECT token, expires_at FROM token WHERE expires_at > ? LIMIT 1", (now,)).fetchone()
            if row is not None:
                return str(row[0]), float(row[1])
        made = secrets.token_urlsafe(24)
        tx.db.execute("INSERT INTO token VALUES (?, ?)", (made, now + client.lifetime_s))
    return made, now + client.lifetime_s


def _refused(status: int, code: str, text: str) -> Response:
    headers = list(NO_STORE)
    if status == 401:
        headers.append(("WWW-Authenticate", f'Bearer realm="hybris", error="{code}"'))
    content = {"error": code, "error_description": text}
    return Response(status, orjson.dumps(content), "application/json;charset=UTF-8", headers)
