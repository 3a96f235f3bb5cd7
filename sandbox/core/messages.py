"""Requests and responses as the simulated systems see them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson


@dataclass(slots=True)
class Response:
    """One answer; `body` is complete, the server adds Content-Length, Date and Connection.

    `kind` names the path for the statistics when the handler knows it better than the route does.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    kind: str | None = None


@dataclass(frozen=True)
class Request:
    """One request, or one operation inside a `$batch` (`inner`).

    `path` and `query` are raw (percent-encoded), header names are lower case, `id` names the request in the commit log,
    `base` is the address the client used, without a trailing slash.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    id: str = ""
    base: str = ""
    inner: bool = False

    @cached_property
    def params(self) -> dict[str, str]:
        """Query options, decoded; the last one of a repeated name wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies sent with the request."""
        pairs = (part.split("=", 1) for part in self.headers.get("cookie", "").split(";") if "=" in part)
        return {name.strip(): value.strip() for name, value in pairs}

    @cached_property
    def target(self) -> str:
        """Path and query, decoded: what a fault's `path` pattern is searched in."""
        return unquote(self.path) + ("?" + unquote(self.query) if self.query else "")

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        return orjson.loads(self.body)


Handler = Callable[[Request], Response]


def json_response(content: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, orjson.dumps(content), "application/json", headers or [])
