"""Where a system's Authorization comes from: Basic, or OAuth 2.0 client credentials when the connection has a token URL."""

import re
from urllib.parse import quote, urlencode

import msgspec

from l2c.contract import System
from l2c.errors import AuthError, ConfigError, ProtocolError
from l2c.http.answers import Answer, json_bytes
from l2c.http.auth import Auth, BasicAuth, ClientCredentials, NoAuth, Token
from l2c.http.retries import Retries
from l2c.http.session import HttpSession, Limits

_DEFAULT_LIFE_S = 300.0
_ERROR = re.compile(rb'"error"\s*:\s*"(invalid_client|invalid_grant|unauthorized_client)"')


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


def auth_of(system: System, *, limits: Limits | None = None, retries: Retries | None = None) -> Auth:
    """The authentication a system's connection describes.

    With `token_url`: client credentials of `user` and `secret` (extras: `scope`, `token_auth` = `basic` or `body`).
    With a user alone: Basic. Without either: none.
    """
    connection = system.connection
    if connection.user is None:
        return NoAuth()
    if connection.secret is None:
        raise ConfigError(f"system '{system.name}': the connection has a user but no password", system=system.name)
    secret = connection.secret.get_secret_value()
    if connection.token_url is None:
        return BasicAuth(connection.user, secret)
    return client_credentials(system, connection.user, secret, limits=limits, retries=retries)


def _refused(answer: Answer, system: System) -> AuthError | ProtocolError:
    """What a 400 of a token service means, by the error it names (RFC 6749, 5.2)."""
    found = _ERROR.search(answer.body[:4096])
    if found is None:
        return ProtocolError(f"{answer.where}: 400; is the token URL right?", system=system.name, code="400")
    system.gate.refused()
    code = found.group(1).decode()
    login = system.connection.called or f"the connection of '{system.name}'"
    text = f"{answer.where}: credentials refused ({code}); check user and password of {login}"
    return AuthError(text, system=system.name, code=code)


def client_credentials(
    system: System, client: str, secret: str, *, limits: Limits | None = None, retries: Retries | None = None
) -> ClientCredentials:
    """Client credentials fetched at the connection's token URL."""
    connection = system.connection
    if connection.token_url is None:
        raise ConfigError(f"system '{system.name}': the connection has no token URL", system=system.name)
    form = {"grant_type": "client_credentials"}
    if scope := connection.extra.get("scope"):
        form["scope"] = scope
    in_body = connection.extra.get("token_auth", "basic") == "body"
    if in_body:
        form |= {"client_id": client, "client_secret": secret}
    # RFC 6749, 2.3.1: both parts are form-encoded before they become Basic credentials
    auth = NoAuth() if in_body else BasicAuth(quote(client, safe=""), quote(secret, safe=""))
    session = HttpSession(system, base=connection.token_url, auth=auth, limits=limits, retries=retries, signs_in=True)
    body = urlencode(form).encode()

    def fetch() -> Token:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = session.request("POST", "", body=body, headers=headers, repeatable=True, expect=(200, 201, 400))
        if answer.status == 400:
            raise _refused(answer, system)
        try:
            found = msgspec.json.decode(json_bytes(answer), type=_TokenAnswer)
            life = float(found.expires_in) if found.expires_in is not None else _DEFAULT_LIFE_S
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
            raise ProtocolError(f"{answer.where}: the answer holds no usable token", system=system.name) from None
        return Token(found.access_token, max(life, 1.0))

    return ClientCredentials(fetch)
