"""Who may send to the inbox: Basic login, a token the hub issued for that login, or a signature over the body.

Tokens need no storage and hold in every process: they are signed with a key made from the login itself, so a changed secret
ends them. Everything is compared in constant time.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from l2c.config import Login

K = TypeVar("K")
V = TypeVar("V")

TOKEN_SECONDS = 3600
MOST_WRONG = 10  # wrong logins an address has in a minute
_WINDOW_S = 60.0
_MOST_ADDRESSES = 10_000
_MOST_KNOWN = 1_000


def issue_token(login: Login, now: float, seconds: int = TOKEN_SECONDS) -> str:
    """A bearer token for this login, valid for that long; `now` in seconds since 1970."""
    text = f"{int(now) + seconds}.{secrets.token_urlsafe(12)}"
    return f"{text}.{_mac(login, text)}"


def proves(login: Login, authorization: str, now: float) -> bool:
    """Whether an Authorization header, Basic or Bearer, belongs to this login."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return _valid_token(login, value.strip(), now)
    given = basic_login(authorization)
    return given is not None and matches(login, *given)


def basic_login(authorization: str) -> tuple[str, str] | None:
    """User and secret of a Basic header; None when it is none."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, secret) if colon else None


def matches(login: Login, user: str, secret: str) -> bool:
    """Whether user and secret are those of the login; both are compared, however the first comparison ends."""
    if login.user is None or login.secret is None:
        return False
    same_user = hmac.compare_digest(user.encode(), login.user.encode())
    same_secret = hmac.compare_digest(secret.encode(), login.secret.get_secret_value().encode())
    return same_user and same_secret


def signed(login: Login, signature: str, body: bytes) -> bool:
    """Whether the signature, hex or base64, with or without `sha256=`, is the body's HMAC-SHA256."""
    if login.hmac_secret is None:
        return False
    mac = hmac.new(login.hmac_secret.get_secret_value().encode(), body, sha256)
    given = signature.strip().removeprefix("sha256=").encode()
    as_hex = hmac.compare_digest(given.lower(), mac.hexdigest().encode())
    return hmac.compare_digest(given, base64.b64encode(mac.digest())) or as_hex


def _valid_token(login: Login, token: str, now: float) -> bool:
    text, _, mac = token.rpartition(".")
    expires = text.partition(".")[0]
    if login.secret is None or not (expires.isascii() and expires.isdigit()):
        return False
    return hmac.compare_digest(mac.encode(), _mac(login, text).encode()) and now < int(expires[:12])


def _mac(login: Login, text: str) -> str:
    secret = login.secret.get_secret_value() if login.secret is not None else ""
    key = hmac.new(secret.encode(), f"l2c inbox token for {login.user}".encode(), sha256).digest()
    return hmac.new(key, text.encode(), sha256).hexdigest()


class Guesses:
    """Limits how often an address may be wrong; a sender already known is not locked out by another's guesses."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_WRONG) -> None:
        self._clock = clock
        self._most = most
        self._salt = secrets.token_bytes(16)
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def wait(self, address: str, proof: str) -> int:
        """The seconds this address has to wait before its proof is looked at; 0: none."""
        if self._digest(proof) in self._known:
            return 0
        recent = self._recent(address)
        return max(1, int(recent[0] + _WINDOW_S - self._clock()) + 1) if len(recent) >= self._most else 0

    def right(self, proof: str) -> None:
        """Remember a proof that was right (a salted digest of it)."""
        _keep(self._known, self._digest(proof), None, _MOST_KNOWN)

    def wrong(self, address: str, proof: str) -> None:
        """Count a wrong one; one that was right before (its secret changed) is forgotten."""
        self._known.pop(self._digest(proof), None)
        _keep(self._wrong, address, [*self._recent(address), self._clock()][-self._most :], _MOST_ADDRESSES)

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - _WINDOW_S
        return [moment for moment in self._wrong.get(address, ()) if moment > since]

    def _digest(self, proof: str) -> bytes:
        return hmac.new(self._salt, proof.encode(), sha256).digest()


def _keep(places: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    places[key] = value
    places.move_to_end(key)
    while len(places) > most:
        places.popitem(last=False)
