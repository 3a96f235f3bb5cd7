"""How a request proves who we are: one Authorization value, and what to do when it is refused."""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from l2c.errors import ConfigError


class Auth(Protocol):
    """Where the Authorization header comes from; safe to use from several threads."""

    def header(self) -> str | None:
        """The value to send; None sends none."""
        ...

    def refused(self, sent: str | None) -> bool:
        """The system answered 401 to `sent`: whether there is another value now, worth exactly one repetition."""
        ...


@dataclass(frozen=True, slots=True)
class NoAuth:
    """Sends no Authorization."""

    def header(self) -> str | None:
        """None."""
        return None

    def refused(self, sent: str | None) -> bool:  # noqa: ARG002  (the protocol's name)
        """Never another value."""
        return False


class BasicAuth:
    """User and password in every request (UTF-8, RFC 7617)."""

    def __init__(self, user: str, password: str) -> None:
        if ":" in user:
            raise ConfigError("the user of a connection may not hold a colon")
        self._header = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def header(self) -> str | None:
        """The value to send."""
        return self._header

    def refused(self, sent: str | None) -> bool:  # noqa: ARG002  (the protocol's name)
        """A password does not change by itself."""
        return False


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and its life in seconds, counted from when it was asked for."""

    value: str
    life_s: float

    def __repr__(self) -> str:
        """Without the token."""
        return f"Token(life_s={self.life_s})"


class ClientCredentials:
    """OAuth 2.0 client credentials: renewed at 80 % of a token's life, by one thread at a time."""

    def __init__(self, fetch: Callable[[], Token], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._header: str | None = None
        self._renew_at = 0.0

    def header(self) -> str | None:
        """The value to send; fetches a token when there is none or it is due."""
        header = self._header
        if header is not None and self._clock() < self._renew_at:
            return header
        with self._lock:
            if self._header is None or self._clock() >= self._renew_at:
                self._renew()
            return self._header

    def refused(self, sent: str | None) -> bool:
        """Fetch a new token, unless another thread did meanwhile."""
        with self._lock:
            if self._header == sent:
                self._renew()
            return True

    def _renew(self) -> None:
        asked = self._clock()
        token = self._fetch()
        self._header = f"Bearer {token.value}"
        self._renew_at = asked + token.life_s * 0.8
