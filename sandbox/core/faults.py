"""Scripted faults: which requests they meet and what they do to the answer."""

import gzip
import random
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.core.messages import Request, Response

KINDS = (
    "status",
    "before_commit",
    "after_commit",
    "late_commit",
    "delay",
    "late_answer",
    "cut",
    "drip",
    "html_login",
    "foreign_next",
    "repeat_page",
    "headers",
    "lock",
    "gzip_bomb",
)
KEYS = frozenset(
    {
        "match",
        "kind",
        "times",
        "probability",
        "seed",
        "status",
        "seconds",
        "bytes",
        "headers",
        "body",
        "length",
        "url",
        "text",
    }
)
MATCH_KEYS = frozenset({"method", "path", "body", "inner", "skip"})
LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Anmeldung</title></head><body><form method='post' action='/login'>"
    b"<input name='user'><input name='password' type='password'><button>Log On</button></form></body></html>"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted fault; see the README for the meaning of each field."""

    id: int
    kind: str
    match: dict[str, Any]
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    status: int = 503
    seconds: float = 1.0
    bytes: int = 100
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    length: bool = False
    url: str = "http://foreign.invalid/next"
    text: str | None = None

    def meets(self, request: Request) -> bool:
        """Whether the fault is meant for this request."""
        want = self.match
        if bool(want.get("inner", False)) != request.inner:
            return False
        if want.get("method") and want["method"].upper() != request.method:
            return False
        if want.get("path") and not re.search(want["path"], request.target):
            return False
        return not (want.get("body") and not re.search(want["body"], request.body.decode("utf-8", "replace")))


@dataclass(slots=True)
class _Armed:
    fault: Fault
    random: random.Random
    left: int | None
    skip: int
    fired: int = 0


class Faults:
    """The faults in force, asked once for every request; safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: dict[int, _Armed] = {}
        self._last = 0

    def add(self, content: dict[str, Any]) -> int:
        """Arm a fault; raises ValueError for an unknown kind or key."""
        match = content.get("match") or {}
        unknown = sorted((set(content) - KEYS) | (set(match) - MATCH_KEYS))
        if unknown:
            raise ValueError(f"unknown key '{unknown[0]}'; known: {', '.join(sorted(KEYS | MATCH_KEYS))}")
        if content.get("kind") not in KINDS:
            raise ValueError(f"unknown kind {content.get('kind')!r}; known: {', '.join(KINDS)}")
        for pattern in (match.get("path"), match.get("body")):
            _compile(pattern)
        with self._lock:
            self._last += 1
            fault = Fault(id=self._last, **{**content, "match": match})
            left, chance = fault.times, random.Random(fault.seed)
            self._armed[fault.id] = _Armed(fault, chance, left, int(match.get("skip", 0)))
        return fault.id

    def pick(self, request: Request) -> Fault | None:
        """The first fault in force that meets the request, counted as fired; None in the normal case."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed.values():
                if armed.left == 0 or not armed.fault.meets(request):
                    continue
                if armed.skip > 0:
                    armed.skip -= 1
                    continue
                if armed.fault.probability < 1 and armed.random.random() >= armed.fault.probability:
                    continue
                armed.fired += 1
                if armed.left is not None:
                    armed.left -= 1
                return armed.fault
        return None

    def list(self) -> list[dict[str, Any]]:
        """Every fault with what is left of it and how often it fired."""
        with self._lock:
            return [
                {
                    "id": a.fault.id,
                    "kind": a.fault.kind,
                    "status": a.fault.status if a.fault.kind == "status" else None,
                    "match": a.fault.match,
                    "left": a.left,
                    "fired": a.fired,
                }
                for a in self._armed.values()
            ]

    def clear(self, fault_id: int | None = None) -> int:
        """Take one fault away, or all; answers how many."""
        with self._lock:
            gone = [fault_id] if fault_id is not None else list(self._armed)
            return sum(self._armed.pop(key, None) is not None for key in gone)


def _compile(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from error


def replaces(fault: Fault) -> Response | None:
    """The answer of a fault that keeps the request from its handler, or None."""
    headers = list(fault.headers.items())
    if fault.kind == "html_login":
        return Response(200, LOGIN_PAGE, "text/html; charset=utf-8", headers)
    if fault.kind == "gzip_bomb":
        body = gzip.compress(b'{"d":"' + b" " * fault.bytes + b'"}', 9)
        return Response(200, body, "application/json", [("Content-Encoding", "gzip"), *headers])
    return None


def alters(fault: Fault, request: Request, response: Response) -> Response:
    """The handler's answer as a fault leaves it."""
    if fault.kind == "headers":
        names = {name.lower() for name in fault.headers}
        kept = [pair for pair in response.headers if pair[0].lower() not in names]
        response.headers = [*kept, *fault.headers.items()]
    elif fault.kind in ("foreign_next", "repeat_page") and response.status == 200:
        same_page = f"{request.base}{request.path}" + (f"?{request.query}" if request.query else "")
        _set_next(response, fault.url if fault.kind == "foreign_next" else same_page)
    return response


def _set_next(response: Response, url: str) -> None:
    content = orjson.loads(response.body)
    if isinstance(content, dict) and isinstance(content.get("d"), dict):
        content["d"]["__next"] = url
    response.body = orjson.dumps(content)
