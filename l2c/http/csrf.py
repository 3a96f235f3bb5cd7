"""SAP's CSRF token and the session cookies it belongs to, kept as one thing."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from l2c.http.answers import Answer


@dataclass(frozen=True, slots=True)
class CsrfPair:
    """A token and exactly the cookies it was given with; either alone is worth nothing."""

    token: str = field(repr=False)
    cookies: str = field(repr=False)


def pair_of(answer: Answer) -> CsrfPair | None:
    """The pair an answer to `X-CSRF-Token: Fetch` gives; None when it gives no token."""
    token = answer.headers.get("x-csrf-token", "")
    if not token or token.lower() in {"required", "fetch"}:
        return None
    return CsrfPair(token, _cookies(answer))


def _cookies(answer: Answer) -> str:
    listed = getattr(answer.headers, "getlist", None)
    lines = listed("set-cookie") if listed else [answer.headers.get("set-cookie", "")]
    pairs: dict[str, str] = {}
    for line in lines:
        first, _, attributes = line.partition(";")
        name, equals, value = first.strip().partition("=")
        if not equals:
            continue
        if "max-age=0" in attributes.lower().replace(" ", ""):
            pairs.pop(name, None)
        else:
            pairs[name] = value
    return "; ".join(f"{name}={value}" for name, value in pairs.items())


class Csrf:
    """The pair a session writes with, shared by its threads and fetched by one of them at a time.

    Cookies of other answers are ignored on purpose: a parallel read that opens a second session at the server must not
    separate the token from its cookies.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pair: CsrfPair | None = None

    @property
    def known(self) -> CsrfPair | None:
        """The pair in hand, without fetching."""
        return self._pair

    def pair(self, fetch: Callable[[], CsrfPair]) -> CsrfPair:
        """The pair in hand, fetched when there is none."""
        return self._pair or self.renew(None, fetch)

    def renew(self, refused: CsrfPair | None, fetch: Callable[[], CsrfPair]) -> CsrfPair:
        """Another pair than `refused`: the one another thread fetched meanwhile, or a new one."""
        with self._lock:
            if self._pair is None or self._pair is refused:
                self._pair = None
                self._pair = fetch()
            return self._pair
