"""What systems send to the hub: stored first, understood afterwards, by whichever process comes to it.

A message is committed as received before its sender is told so. Working it off needs no particular process: the one that
took it does so at once, and every capture of that system looks again, so that a process that died in between loses nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from l2c.contract import Message, Messages, Received
from l2c.distribute import Retries, settle_confirmed
from l2c.errors import HubError, ProtocolError
from l2c.policies import retries_of
from l2c.state import cursors, messages
from l2c.state.store import Store
from l2c.wiring import Wiring

log = structlog.get_logger(__name__)

UNCLAIMED_MS = 900_000  # how long a confirmation nobody waits for is kept: it may have overtaken its write
WEBHOOK = "webhook"  # the reason under which keys stand in the inbox of a capture
_SECRET_WORDS = ("authorization", "cookie", "token", "secret", "signature", "password", "api-key", "apikey", "hmac")


def receive(
    store: Store, wiring: Wiring, system: str, headers: Mapping[str, str], body: bytes, *, signature: str | None = None
) -> int:
    """Commit a message as received and return its number; headers that carry credentials (and `signature`) are left out.

    Raises ConfigError for a system that is not configured.
    """
    wiring.system(system)
    kept = without_credentials(headers, signature)
    with store.writing("message") as conn:
        return messages.put(conn, system, kept, body, store.now())


def without_credentials(headers: Mapping[str, str], signature: str | None = None) -> dict[str, str]:
    """The headers in lower case but for those that prove who sent them."""
    lowered = {name.lower(): value for name, value in headers.items()}
    own = signature.lower() if signature else None
    return {
        name: value
        for name, value in lowered.items()
        if name != own and not any(word in name for word in _SECRET_WORDS)
    }


def work_off(store: Store, wiring: Wiring, system: str) -> frozenset[str]:
    """Work off every new message of a system, oldest first; the entities for which its capture now has keys to fetch.

    Safe to call from several processes at once: each message takes effect once. One that cannot be understood is set to
    failed with the reason and holds back no other. A confirmation nobody waits for stays new for a while.
    """
    asked: set[str] = set()
    work: _Work | None = None
    number = 0
    while True:
        with store.reading() as conn:
            stored = messages.next_new(conn, system, number)
        if stored is None:
            return frozenset(asked)
        number = stored.id
        work = work or _Work(store, wiring, system)
        asked |= work.one(stored)


class _Work:
    """Understands and settles the messages of one system."""

    def __init__(self, store: Store, wiring: Wiring, system: str) -> None:
        self._store = store
        self._system = system
        self._project = wiring.project
        self._connector = wiring.connector(system)
        self._readers = _readers(wiring, system)

    def one(self, stored: messages.Stored) -> set[str]:
        """Work off one message; the entities it asks to be captured."""
        try:
            received = self._understood(stored)
        except HubError as error:
            with self._store.writing() as conn:
                messages.finish(conn, stored.id, messages.FAILED, error.message)
            return set()
        try:
            with self._store.writing("worked_off") as conn:
                return self._settle(conn, stored, received)
        except IntegrityError:
            # another process has just settled the same message under the sender's number
            with self._store.writing() as conn:
                messages.finish(conn, stored.id, messages.DONE, "a repetition of one received before")
            return set()

    def _understood(self, stored: messages.Stored) -> Received:
        if not isinstance(self._connector, Messages):
            raise ProtocolError(f"the connector of '{self._system}' understands no messages", system=self._system)
        try:
            return self._connector.receive(Message(stored.headers, stored.body))
        except HubError:
            raise
        except Exception as error:
            # whatever is wrong with one message, the others go on; its text may hold what the message says
            log.error("message failed", system=self._system, message=stored.id, error=type(error).__name__)
            raise ProtocolError(
                f"the connector of '{self._system}' failed over this message ({type(error).__name__})"
            ) from error

    def _settle(self, conn: Connection, stored: messages.Stored, received: Received) -> set[str]:
        known = received.message_id
        before = messages.earlier(conn, self._system, known, stored.id) if known is not None else None
        if before is not None:
            messages.finish(conn, stored.id, messages.DONE, f"a repetition of message {before}")
            return set()
        now = self._store.now()
        done = settle_confirmed(conn, self._system, received.confirmed, now, self._retries)
        concerned = set(done.entities)
        if done.unclaimed and now - stored.received < UNCLAIMED_MS:
            messages.explain(conn, stored.id, f"confirms {len(done.unclaimed)} writes nobody waits for yet")
            return concerned
        wanted, unread = self._wanted(received)
        if unread:
            # may be sent or tried again: so it does not take the sender's number
            told = f"no flow that loads reads {', '.join(unread)} from '{self._system}'"
            first = messages.finish(conn, stored.id, messages.FAILED, told)
        else:
            first = messages.finish(conn, stored.id, messages.DONE, _told(received, wanted), known)
        if not first:
            return concerned
        for entity, keys in wanted.items():
            cursors.put_inbox(conn, entity, self._system, keys, WEBHOOK, now)
        return concerned | set(wanted)

    def _retries(self, entity: str) -> Retries:
        return retries_of(self._project.flow(entity))

    def _wanted(self, received: Received) -> tuple[dict[str, list[str]], list[str]]:
        """The keys to fetch by canonical entity, and the native entities no flow reads."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for native, key in received.keys:
            for entity in self._readers.get(native, ()):
                wanted[entity].append(key)
        return wanted, sorted({native for native, _ in received.keys} - set(self._readers))


def _readers(wiring: Wiring, system: str) -> dict[str, list[str]]:
    """By native entity, the canonical entities whose flow reads it from that system."""
    found: dict[str, list[str]] = defaultdict(list)
    for entity in wiring.project.flow_names:
        try:
            if system in wiring.project.flow(entity).active_capture():
                for native in {mapper.native for mapper in wiring.readers(entity, system)}:
                    found[native].append(entity)
        except HubError as error:
            log.warning("flow not loaded", flow=entity, message=error.message)  # it holds back no other
    return found


def _told(received: Received, wanted: Mapping[str, Sequence[str]]) -> str:
    parts = [f"{entity}: {len(keys)} to fetch" for entity, keys in sorted(wanted.items())]
    if received.confirmed:
        parts.append(f"{len(received.confirmed)} confirmed")
    return ", ".join(parts) or "says nothing the hub acts on"
