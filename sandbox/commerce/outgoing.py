"""HTTP requests of the shop itself: to the receiver of a webhook, with the credential of its destination."""

from __future__ import annotations

import base64
import hmac
import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

import orjson

SIGNATURE = "x-l2c-signature"
"""Header with the HMAC-SHA256 of the body in hex, unless the destination names another."""
SPARE_S = 30.0
"""A token is not used any more this long before it ends."""


class Unreachable(Exception):
    """No answer: refused, broken off, or no token to be had."""


def post(url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> tuple[int, bytes]:
    """Status and body of the answer to a POST; no redirect is followed. Raises TimeoutError or Unreachable."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(type(error).__name__) from error
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Credential:
    """How the shop proves itself: Basic (`user`), a signature (`secret`), a bearer token (`token_url`), or not at all."""

    user: str = ""
    password: str = ""
    secret: str = ""
    header: str = SIGNATURE
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""

    @property
    def kind(self) -> str:
        """Which of the ways it is."""
        return "oauth" if self.token_url else "basic" if self.user else "signature" if self.secret else "none"


class Tokens:
    """Bearer tokens by client credentials, kept until shortly before their end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Credential, tuple[str, float]] = {}

    def headers(self, credential: Credential, body: bytes, timeout_s: float) -> dict[str, str]:
        """The headers that prove the sender of this body. Raises TimeoutError or Unreachable when there is no token."""
        if credential.kind == "oauth":
            return {"authorization": f"Bearer {self._token(credential, timeout_s)}"}
        if credential.kind == "basic":
            return {"authorization": _basic(credential.user, credential.password)}
        if credential.kind == "signature":
            return {credential.header: hmac.new(credential.secret.encode(), body, sha256).hexdigest()}
        return {}

    def _token(self, credential: Credential, timeout_s: float) -> str:
        with self._lock:
            token, ends = self._kept.get(credential, ("", 0.0))
            if time.monotonic() < ends - SPARE_S:
                return token
            headers = {
                "authorization": _basic(credential.client_id, credential.client_secret),
                "content-type": "application/x-www-form-urlencoded",
            }
            form = urlencode({"grant_type": "client_credentials"}).encode()
            status, body = post(credential.token_url, headers, form, timeout_s)
            try:
                told = orjson.loads(body) if status == 200 else {}
                token, ends = told["access_token"], time.monotonic() + float(told.get("expires_in", 0))
            except (ValueError, TypeError, KeyError) as error:
                raise Unreachable(f"no token: status {status}") from error
            self._kept[credential] = (token, ends)
            return str(token)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
