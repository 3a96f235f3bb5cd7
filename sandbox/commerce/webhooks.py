"""Webhooks: what was saved is told to a destination, soon and without any guarantee, as the shop does it.

Events of a commit wait in a bounded queue for ten threads: order is lost, what does not fit is dropped without a word, 4xx
and timeouts are final, 5xx is tried once more. The body shows the item as it is when it is sent, not as it was saved.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import orjson

from sandbox.commerce import database, keys
from sandbox.commerce.model import FULL, OBJECTS
from sandbox.commerce.outgoing import Credential, Tokens, Unreachable, post
from sandbox.commerce.payloads import payload
from sandbox.commerce.render import Renderer
from sandbox.commerce.users import key_values
from sandbox.core import App, Transaction, split_key

WORKERS = 10
PLAIN = "".join(map(chr, range(32, 127)))
SOURCE = "/sandbox/sap.cx.commerce/shop"
EVENTS = {
    "saved": {"created": "Created", "updated": "Updated"},
    "created": {"created": "Created"},
    "updated": {"updated": "Updated"},
    "deleted": {"deleted": "Deleted"},
}
"""Per kind of webhook: the commits it is told of, and the operation its `ce-type` names."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One configuration: an integration object, where its events go, which of them, and the credential."""

    object: str
    url: str
    event: str
    credential: Credential

    @property
    def root(self) -> str:
        """The type whose items are told of."""
        return next(iter(OBJECTS[self.object].items))


@dataclass(frozen=True, slots=True)
class Event:
    """One notification: the item by its key in the commit log, and headers that stay the same when it is sent again."""

    hook: Hook
    key: str
    operation: str
    id: str
    time: str
    again: bool = False


@dataclass(slots=True)
class Tuning:
    """Settings of the delivery; `lost` and `doubled` are probabilities."""

    webhook_retry_s: float = 10.0
    webhook_timeout_s: float = 5.0
    webhook_queue: int = 10_000
    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_encoded: bool = False


class Webhooks:
    """Configurations, the queue, and the threads that send."""

    def __init__(self, app: App, seed: int) -> None:
        self.app = app
        self.tuning = Tuning()
        self.hooks: list[Hook] = []
        self.tokens = Tokens()
        self._random = random.Random(seed)
        self._queue: queue.Queue[Event] = queue.Queue(self.tuning.webhook_queue)
        self._pending = 0
        self._lock = threading.Lock()
        self._alarm = _Alarm(self._enqueue)
        app.store.committed = self.committed

    def start(self) -> None:
        """Start the threads, once."""
        if not self._alarm.is_alive():
            self._alarm.start()
            for number in range(WORKERS):
                threading.Thread(target=self._work, name=f"webhook-{number}", daemon=True).start()

    def settings(self) -> dict[str, Any]:
        """Everything in force, without secrets."""
        shown = [{"object": h.object, "url": h.url, "event": h.event, "login": h.credential.kind} for h in self.hooks]
        return {"webhooks": shown, **{f.name: getattr(self.tuning, f.name) for f in fields(self.tuning)}}

    def configure(self, name: str, value: Any) -> None:
        """Take one setting; `webhooks` replaces all configurations, `webhook_seed` starts the draws anew."""
        if name == "webhooks":
            self.hooks = [_hook(content) for content in value]
            self.start()
        elif name == "webhook_seed":
            self._random.seed(int(value))
        else:
            setattr(self.tuning, name, type(getattr(self.tuning, name))(value))
            self._queue.maxsize = self.tuning.webhook_queue

    def known(self) -> list[str]:
        """The names of all settings."""
        return ["webhooks", "webhook_seed", *(f.name for f in fields(self.tuning))]

    def state(self) -> dict[str, Any]:
        """How many notifications are under way, and what became of the others."""
        events = self.app.stats.snapshot()["events"]
        return {"pending": self._pending, **{name[8:]: n for name, n in events.items() if name.startswith("webhook ")}}

    def committed(self, tx: Transaction) -> None:
        """Raise the events of a transaction: one an item and configuration, whoever made the change but the first load."""
        if not self.hooks or tx.origin == "load":
            return
        final: dict[tuple[str, str], str] = {}
        for entity, key, action in tx.logged:
            before = final.get((entity, key))
            final[entity, key] = "created" if (before, action) == ("created", "updated") else action
        moment = self.app.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        for hook in self.hooks:
            for (entity, key), action in final.items():
                if entity == hook.root and action in EVENTS[hook.event]:
                    self._raise(Event(hook, key, EVENTS[hook.event][action], str(uuid.uuid4()), moment))

    def _raise(self, event: Event) -> None:
        self.app.stats.note("webhook raised")
        with self._lock:
            lost, doubled = self._random.random(), self._random.random()
        if lost < self.tuning.webhook_lost:
            self.app.stats.count_named("webhook_lost")
            self.app.stats.note("webhook lost")
            return
        self._enqueue(event)
        if doubled < self.tuning.webhook_doubled:
            self.app.stats.count_named("webhook_doubled")
            self.app.stats.note("webhook doubled")
            self._enqueue(event)

    def _enqueue(self, event: Event) -> None:
        if not event.again:  # a second attempt is under way since the first
            self._under_way(1)
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.app.stats.note("webhook overflowed")
            self._under_way(-1)

    def _under_way(self, step: int) -> None:
        with self._lock:
            self._pending += step

    def _work(self) -> None:
        while True:
            event = self._queue.get()
            outcome = self._send(event)
            self.app.stats.note(f"webhook {outcome}")
            if outcome == "retried":
                self._alarm.at(self.tuning.webhook_retry_s, replace(event, again=True))
            else:
                self._under_way(-1)

    def _send(self, event: Event) -> str:
        """What became of one attempt."""
        body = self._body(event)
        if body is None:
            return "gone"
        limit = self.tuning.webhook_timeout_s
        try:
            proof = self.tokens.headers(event.hook.credential, body, limit)
            status, _ = post(event.hook.url, {**self._headers(event), **proof}, body, limit)
        except TimeoutError:
            return "timed out"
        except Unreachable:
            return "unreachable"
        if status < 300:
            return "delivered"
        if status < 500:
            return "refused"
        return "failed" if event.again else "retried"

    def _headers(self, event: Event) -> dict[str, str]:
        return {
            "content-type": "application/json",
            "ce-id": event.id,
            "ce-type": f"sap.cx.commerce.{event.hook.object}.{event.operation}.v1",
            "ce-source": SOURCE,
            "ce-specversion": "1.0",
            "ce-time": event.time,
            "ce-subject": self._subject(event),
        }

    def _subject(self, event: Event) -> str:
        """The integration key; with `webhook_encoded` each segment as in a form, as SAP's code has it.

        Otherwise only what a header cannot carry is encoded.
        """
        encode: Callable[[str], str] = quote_plus if self.tuning.webhook_encoded else keys.segment
        return quote("|".join(encode(part) for part in split_key(event.key)), safe=PLAIN)

    def _body(self, event: Event) -> bytes | None:
        """The item as its integration object renders it; its key alone when it was deleted, None when it is gone since."""
        if event.operation == "Deleted":
            return orjson.dumps({"integrationKey": self._subject(event)})
        obj = OBJECTS[event.hook.object]
        item = obj.items[event.hook.root]
        with self.app.store.read() as db:
            row = database.find(db, item.type, key_values(FULL.items[item.type], event.key))
            return None if row is None else orjson.dumps(payload(Renderer(db, obj, ""), item, row))


class _Alarm(threading.Thread):
    """Calls back with each event when its time has come."""

    def __init__(self, ring: Callable[[Event], None]) -> None:
        super().__init__(name="webhook-retries", daemon=True)
        self._ring = ring
        self._due: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    def at(self, seconds: float, event: Event) -> None:
        """Ring in so many seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), event))
            self._changed.notify()

    def run(self) -> None:
        """Wait for the next event, for ever."""
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(max(self._due[0][0] - time.monotonic(), 0) if self._due else None)
                event = heapq.heappop(self._due)[2]
            self._ring(event)


def _hook(content: Mapping[str, Any]) -> Hook:
    """A configuration from its JSON; raises ValueError for one that cannot be."""
    given = dict(content)
    obj, url, event = given.pop("object", None), given.pop("url", None), given.pop("event", "saved")
    if obj not in OBJECTS:
        raise ValueError(f"webhooks: there is no integration object {obj!r}; known: {', '.join(OBJECTS)}")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("webhooks: 'url' must be a full http or https address")
    if event not in EVENTS:
        raise ValueError(f"webhooks: event must be one of {', '.join(EVENTS)}, not {event!r}")
    known = {f.name for f in fields(Credential)}
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"webhooks: unknown {', '.join(unknown)}; known: object, url, event, {', '.join(sorted(known))}"
        )
    return Hook(obj, url, event, Credential(**given))
