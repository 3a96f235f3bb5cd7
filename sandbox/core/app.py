"""Between server and simulated system: routing, faults, statistics and the control address."""

import base64
import itertools
import re
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from sandbox.core.clock import Clock
from sandbox.core.faults import Fault, Faults, alters, replaces
from sandbox.core.messages import Handler, Request, Response
from sandbox.core.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Route:
    """Requests whose raw path matches `pattern` (a regular expression, matched whole) go to `handler`.

    `kind` is the name under which they are counted, unless the response names a better one.
    """

    pattern: str
    handler: Handler
    kind: str
    methods: tuple[str, ...] = ()


class System(Protocol):
    """What a simulated system gives to the core.

    `change`, `create`, `delete`, `record` and `records` serve the control address: they act as a user of the system
    would, not through its API. Keys are text: the key's parts in the order of the metadata, joined by `/`. They raise
    KeyError for an unknown entity or key and ValueError for content the system cannot hold.
    """

    name: str

    def routes(self) -> list[Route]:
        """The system's own paths."""
        ...

    def error(self, status: int, message: str) -> Response:
        """An error answer in the system's own shape."""
        ...

    def lock(self, request: Request, fault: Fault) -> Response:
        """The answer to a write on a record somebody else holds."""
        ...

    def configure(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Take settings from the control address (empty: none), answer all settings in force."""
        ...

    def change(self, tx: Transaction, entity: str, key: str, values: Mapping[str, Any]) -> None:
        """Change fields of one record."""
        ...

    def create(self, tx: Transaction, entity: str, values: Mapping[str, Any]) -> str:
        """Create one record, answer its key."""
        ...

    def delete(self, tx: Transaction, entity: str, key: str) -> None:
        """Delete one record."""
        ...

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """The stored state of one record in full, or None."""
        ...

    def records(self, entity: str, after: str, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and stored state of records in key order, from behind the key `after`."""
        ...


@runtime_checkable
class Controls(Protocol):
    """What a system may give besides: addresses of its own under `/_control`."""

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Method, path below `/_control` as a regular expression, and handler; errors are answered as for the others."""
        ...


class Stats:
    """What went over the wire since the process started, or since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.late_pending = 0

    def late(self, step: int) -> None:
        """One more (+1) or one less (-1) request whose commit is still to come."""
        with self._lock:
            self.late_pending += step

    def count(self, request: Request, kind: str, status: int | str) -> None:
        """Count one request; a part of a `$batch` is counted with `inner` in front."""
        with self._lock:
            self.requests[f"{'inner ' if request.inner else ''}{request.method} {kind} {status}"] += 1

    def count_fault(self, fault: Fault) -> None:
        """Count one fault that fired."""
        with self._lock:
            self.faults[fault.kind] += 1

    def count_named(self, name: str) -> None:
        """Count one fault that a setting of the system made happen."""
        with self._lock:
            self.faults[name] += 1

    def note(self, name: str, number: int = 1) -> None:
        """Count something that happens behind the requests."""
        with self._lock:
            self.events[name] += number

    def snapshot(self) -> dict[str, Any]:
        """The counters as plain dictionaries."""
        with self._lock:
            counters = {"requests": self.requests, "faults": self.faults, "events": self.events}
            return {**{name: dict(counter) for name, counter in counters.items()}, "late_pending": self.late_pending}

    def reset(self) -> None:
        """Start counting anew."""
        with self._lock:
            self.requests.clear()
            self.faults.clear()
            self.events.clear()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the server hands an answer over: `response` None means that the connection is closed without one."""

    response: Response | None
    cut_after: int | None = None
    keep_length: bool = False
    drip_bytes: int | None = None
    drip_seconds: float = 0.0


class App:
    """One simulated system behind its routes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.faults = Faults()
        self.stats = Stats()
        self.system: System
        self._routes: list[tuple[re.Pattern[str], Route]] = []
        self._ids = itertools.count(1)
        self.closing: list[Callable[[], None]] = []
        """What a system wants done before the process ends, such as ending its threads."""

    def install(self, system: System, extra: Sequence[Route] = ()) -> None:
        """Put the system, and routes of the control address, behind this app."""
        self.system = system
        self._routes = [(re.compile(r.pattern), r) for r in [*extra, *system.routes()]]

    def close(self) -> None:
        """End what the system runs in the background, then the store."""
        for step in self.closing:
            step()
        self.store.close()

    def next_id(self) -> str:
        """A request id for a request that brings none."""
        return f"r{next(self._ids)}"

    def serve(self, request: Request) -> Delivery:
        """Answer a request from the wire, with whatever fault is in force for it."""
        if request.path.startswith("/_control"):
            return Delivery(self._call(request))
        fault = self.faults.pick(request)
        if fault is None:
            return Delivery(self._call(request))
        self.stats.count_fault(fault)
        response = self._faulty(request, fault, self._call)
        if response is not None and fault.kind == "cut":
            return Delivery(response, cut_after=fault.bytes, keep_length=fault.length)
        if response is not None and fault.kind == "drip":
            return Delivery(response, drip_bytes=fault.bytes, drip_seconds=fault.seconds)
        return Delivery(response)

    def serve_inner(self, request: Request, handler: Handler | None = None) -> Response | None:
        """Answer one operation inside a `$batch`, with its fault; None: its part is missing from the answer.

        Without `handler` the operation takes the same way through the routes as a request of its own.
        """
        run = handler or self._call
        fault = self.faults.pick(request)
        if fault is None:
            return run(request)
        self.stats.count_fault(fault)
        return self._faulty(request, fault, run)

    def serve_changeset(self, requests: list[Request], handler: Handler) -> Response | None:
        """Answer several operations that succeed or fail together: the first fault that meets one of them meets all.

        `handler` is called with the operation the fault met, or the first one; None means as in `serve_inner`.
        """
        for request in requests:
            fault = self.faults.pick(request)
            if fault is not None:
                self.stats.count_fault(fault)
                return self._faulty(request, fault, handler)
        return handler(requests[0])

    def _faulty(self, request: Request, fault: Fault, run: Handler) -> Response | None:
        if fault.kind == "before_commit":
            self.stats.count(request, "dropped", "before_commit")
            return None
        if fault.kind == "late_commit":
            self._run_later(request, fault, run)
            return None
        if fault.kind == "delay":
            self._wait(request, fault.seconds)
        response = self._replacement(request, fault)
        if response is not None:
            self.stats.count(request, fault.kind, response.status)
            return response
        response = alters(fault, request, run(request))
        if fault.kind == "late_answer":
            time.sleep(fault.seconds)
        return None if fault.kind == "after_commit" else response

    def _wait(self, request: Request, seconds: float) -> None:
        """Before the handler: a write that waits here commits late, whether its client still waits or not."""
        write = request.method != "GET"
        if write:
            self.stats.late(1)
        time.sleep(seconds)
        if write:
            self.stats.late(-1)

    def _run_later(self, request: Request, fault: Fault, run: Handler) -> None:
        def late() -> None:
            run(request)
            self.stats.late(-1)

        self.stats.late(1)
        timer = threading.Timer(fault.seconds, late)
        timer.daemon = True
        timer.start()

    def _replacement(self, request: Request, fault: Fault) -> Response | None:
        if fault.kind == "status":
            response = self.system.error(fault.status, fault.text or f"Simulated status {fault.status}")
            if fault.body is not None:
                response.body = fault.body.encode()
            response.headers = [*response.headers, *fault.headers.items()]
            return response
        if fault.kind == "lock":
            return self.system.lock(request, fault)
        return replaces(fault)

    def _call(self, request: Request) -> Response:
        kind = "unknown"
        try:
            route = self._route(request)
            kind = route.kind if route else "unknown"
            response = route.handler(request) if route else self.system.error(404, f"No service at {request.path}")
        except Exception:  # noqa: BLE001  # a defect of the sandbox must reach the client as a 500, with its trace
            response = Response(500, traceback.format_exc().encode(), "text/plain; charset=utf-8")
        if not request.path.startswith("/_control"):
            self.stats.count(request, response.kind or kind, response.status)
        return response

    def _route(self, request: Request) -> Route | None:
        for pattern, route in self._routes:
            if pattern.fullmatch(request.path) and (not route.methods or request.method in route.methods):
                return route
        return None


def basic_login(request: Request) -> tuple[str, str] | None:
    """User and password of HTTP Basic authentication, or None."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return user, password
