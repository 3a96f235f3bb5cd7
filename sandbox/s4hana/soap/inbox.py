"""Requests taken, kept and processed later: each once, whatever happens to the process."""

import random
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from sandbox.core import App, Transaction
from sandbox.s4hana.context import Context
from sandbox.s4hana.errors import ODataError
from sandbox.s4hana.soap import apply, confirmation
from sandbox.s4hana.soap.confirmation import Outcome
from sandbox.s4hana.soap.envelope import payload
from sandbox.s4hana.soap.settings import ReplicationSettings
from sandbox.s4hana.soap.tree import Tree, read

SCHEMA = (
    apply.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS soap_request (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, received_at TEXT NOT NULL, due REAL NOT NULL,
    state TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS soap_request_due ON soap_request (state, due);
"""
)
IDLE_S = 5.0
NewContext = Callable[[Transaction], Context]
Confirm = Callable[[Transaction, str, Tree, list[Outcome]], int | None]


class Inbox:
    """The requests of all senders; a thread of its own processes them when they are due.

    `confirm` keeps the confirmation of a request inside the transaction that processes it and answers its number, None
    for none; `release` lets it go behind the transaction.
    """

    def __init__(
        self,
        app: App,
        settings: ReplicationSettings,
        new_context: NewContext,
        confirm: Confirm,
        *,
        release: Callable[[list[int]], None],
    ) -> None:
        self.app = app
        self.settings = settings
        self.new_context = new_context
        self.confirm = confirm
        self.release = release
        self.random = random.Random(0)
        self._wake = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="soap-inbox", daemon=True)

    def start(self) -> None:
        """Create the tables and begin."""
        self.app.store.script(SCHEMA)
        self._thread.start()

    def close(self) -> None:
        """End after the request that is being processed."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()
        self._thread.join()

    def take(self, message_id: str, body: bytes) -> str:
        """Keep a request; answers `new`, or the state of the one that has this id already (`waiting`, `done`)."""
        due = time.time() + self.settings.soap_delay_s
        if self.settings.soap_jitter_s:
            due += self.random.random() * self.settings.soap_jitter_s
        with self.app.store.write() as tx:
            found = tx.db.execute("SELECT state FROM soap_request WHERE id = ?", (message_id,)).fetchone()
            if found is not None:
                return str(found[0])
            tx.db.execute(
                "INSERT INTO soap_request (id, received_at, due, state, body) VALUES (?, ?, ?, 'waiting', ?)",
                (message_id, self.app.clock.now().isoformat(), due, body),
            )
        with self._wake:
            self._wake.notify_all()
        return "new"

    def waiting(self) -> int:
        """How many requests are not processed yet."""
        with self.app.store.read() as db:
            return int(db.execute("SELECT count(*) FROM soap_request WHERE state = 'waiting'").fetchone()[0])

    def _work(self) -> None:
        while True:
            with self._wake:
                if self._ended:
                    return
                first = self._first()
                pause = IDLE_S if first is None else first[0] - time.time()
                if pause > 0:
                    self._wake.wait(min(pause, IDLE_S))
                    continue
            if first is not None:
                self._process_safely(first[1], first[2])

    def _first(self) -> tuple[float, str, bytes] | None:
        with self.app.store.read() as db:
            found = db.execute(
                "SELECT due, id, body FROM soap_request WHERE state = 'waiting' ORDER BY due, seq LIMIT 1"
            ).fetchone()
        return None if found is None else (float(found[0]), str(found[1]), bytes(found[2]))

    def _process_safely(self, message_id: str, body: bytes) -> None:
        try:
            self._process(message_id, body)
        except Exception:  # noqa: BLE001  # a defect of the sandbox must show, and not stop what comes behind it
            traceback.print_exc()
            self.app.stats.note("requests_broken")
            with self.app.store.write() as tx:
                tx.db.execute("UPDATE soap_request SET state = 'broken' WHERE id = ?", (message_id,))

    def _process(self, message_id: str, body: bytes) -> None:
        """A request in one transaction; of its partners each one succeeds or fails by itself."""
        request = read(payload(body)).tree
        with self.app.store.write(message_id) as tx:
            outcomes = [
                self._one(tx, request, message) for message in request["BusinessPartnerSUITEReplicateRequestMessage"]
            ]
            tx.db.execute("UPDATE soap_request SET state = 'done' WHERE id = ?", (message_id,))
            kept = self.confirm(tx, message_id, request, outcomes)
        self.app.stats.note("requests_processed")
        for outcome in outcomes:
            self.app.stats.note(f"partners_{_kind(outcome)}")
        if kept is not None:
            self.release([kept])

    def _one(self, tx: Transaction, request: Tree, message: Tree) -> Outcome:
        head, node = message["MessageHeader"], message["BusinessPartner"]
        sender = head.get("SenderBusinessSystemID") or request["MessageHeader"].get("SenderBusinessSystemID", "")
        context = self.new_context(tx)
        tx.db.execute("SAVEPOINT partner")
        try:
            done = apply.Apply(context, sender, clear=self.settings.soap_absent == "clear").run(node)
        except ODataError as error:
            tx.db.execute("ROLLBACK TO partner")
            return Outcome(head, node, None, (), error.messages)
        finally:
            tx.db.execute("RELEASE partner")
        addresses: list[dict[str, Any]] = []
        if done.row is not None:
            key = {"BusinessPartner": done.row["BusinessPartner"]}
            addresses = context.find(context.model["A_BusinessPartnerAddress"], key)
        found = [done.words, *context.warnings]
        return Outcome(head, node, done.row, addresses, found, done.category)


def _kind(outcome: Outcome) -> str:
    if outcome.category == confirmation.LATE:
        return "overtaken"
    return "rejected" if any(message.severity == "error" for message in outcome.messages) else "processed"
