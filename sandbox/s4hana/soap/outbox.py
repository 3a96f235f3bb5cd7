"""Confirmations on their way: kept, sent late, twice, in another order or never, as the settings want it."""

import heapq
import http.client
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.core import App, Transaction
from sandbox.s4hana.soap import client
from sandbox.s4hana.soap.settings import ReplicationSettings
from sandbox.s4hana.soap.wsdl import CONFIRMATION

SCHEMA = """
CREATE TABLE IF NOT EXISTS soap_confirmation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL, id TEXT NOT NULL, created_at TEXT NOT NULL,
    state TEXT NOT NULL, sends INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS soap_confirmation_request ON soap_confirmation (request);
"""
COLUMNS = ("seq", "request", "id", "created_at", "state", "sends", "body")
ATTEMPTS, FIRST_WAIT_S = 5, 0.5
HELD_S = 1.0
"""How long a confirmation that is to come out of order waits for the next one to pass it."""


@dataclass(order=True, slots=True)
class _Due:
    at: float
    seq: int
    attempt: int = 1


class Outbox:
    """All confirmations; a thread of its own sends them when they are due.

    States: `kept` (there was no address to send it to), `waiting`, `sent`, `lost`, `failed` (never accepted).
    """

    def __init__(self, app: App, settings: ReplicationSettings) -> None:
        self.app = app
        self.settings = settings
        self.random = random.Random(0)
        self._due: list[_Due] = []
        self._held: list[int] = []
        self._wake = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="soap-outbox", daemon=True)

    def start(self) -> None:
        """Create the tables, take up what a process before this one left, and begin."""
        self.app.store.script(SCHEMA)
        with self.app.store.read() as db:
            left = db.execute("SELECT seq FROM soap_confirmation WHERE state = 'waiting' ORDER BY seq").fetchall()
        for (seq,) in left:
            heapq.heappush(self._due, _Due(time.monotonic(), seq))
        self._thread.start()

    def close(self) -> None:
        """End; what waits goes out when the state is taken up again."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()
        self._thread.join()

    def put(self, tx: Transaction, request: str, confirmation_id: str, body: bytes) -> int:
        """Keep a confirmation; `release` sends it once the transaction is through."""
        row = (request, confirmation_id, self.app.clock.now().isoformat(), "kept", body)
        cursor = tx.db.execute(
            "INSERT INTO soap_confirmation (request, id, created_at, state, body) VALUES (?, ?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0)

    def release(self, seqs: Sequence[int], *, faults: bool = True) -> None:
        """Let confirmations go, with whatever befalls them on the way; without an address they stay."""
        if not self.settings.confirm_url:
            return
        for seq in seqs:
            lost = faults and self._happens("confirm_lost")
            self._mark(seq, "lost" if lost else "waiting")
            if not lost:
                self._schedule(seq, faults=faults)

    def again(self, request: str, *, faults: bool = True) -> int:
        """Send the confirmations of a request once more; answers how many there are."""
        with self.app.store.read() as db:
            sql = "SELECT seq FROM soap_confirmation WHERE request = ? AND state <> 'waiting' ORDER BY seq"
            found = [int(seq) for (seq,) in db.execute(sql, (request,)).fetchall()]
        self.release(found, faults=faults)
        return len(found)

    def entries(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Confirmations behind a sequence number."""
        with self.app.store.read() as db:
            rows = db.execute(
                f"SELECT {', '.join(COLUMNS)} FROM soap_confirmation WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            ).fetchall()
        found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        return [{**entry, "body": bytes(entry["body"]).decode()} for entry in found]

    def _happens(self, name: str) -> bool:
        if getattr(self.settings, name) <= self.random.random():
            return False
        self.app.stats.count_named(name)
        return True

    def _schedule(self, seq: int, *, faults: bool) -> None:
        twice = faults and self._happens("confirm_doubled")
        held = faults and self._happens("confirm_out_of_order")
        at = time.monotonic() + (self.settings.confirm_late_s if faults else 0.0)
        with self._wake:
            for _ in range(2 if twice else 1):
                heapq.heappush(self._due, _Due(at + (HELD_S if held else 0.0), seq))
            if held:
                self._held.append(seq)
            self._wake.notify_all()
        if faults and self.settings.confirm_late_s:
            self.app.stats.count_named("confirm_late")

    def _work(self) -> None:
        while True:
            with self._wake:
                if self._ended:
                    return
                pause = self._due[0].at - time.monotonic() if self._due else None
                if pause is None or pause > 0:
                    self._wake.wait(pause)
                    continue
                due = heapq.heappop(self._due)
            self._send(due)

    def _send(self, due: _Due) -> None:
        if not self.settings.confirm_url:
            # after a restart: the address is not set again yet
            self._postpone(due, FIRST_WAIT_S, due.attempt)
            return
        with self.app.store.read() as db:
            body = bytes(db.execute("SELECT body FROM soap_confirmation WHERE seq = ?", (due.seq,)).fetchone()[0])
        login = (self.settings.confirm_user, self.settings.confirm_password)
        try:
            status = client.post(self.settings.confirm_url, CONFIRMATION, body, login)
        except (OSError, http.client.HTTPException):
            status = 0
        if 200 <= status < 300:
            self._mark(due.seq, "sent", sends=1)
            self.app.stats.note("confirmations_sent")
            self._let_pass(due.seq)
            return
        self.app.stats.note("confirmations_refused")
        if due.attempt >= ATTEMPTS:
            self._mark(due.seq, "failed")
            return
        self._postpone(due, FIRST_WAIT_S * 2 ** (due.attempt - 1), due.attempt + 1)

    def _postpone(self, due: _Due, seconds: float, attempt: int) -> None:
        with self._wake:
            heapq.heappush(self._due, _Due(time.monotonic() + seconds, due.seq, attempt))

    def _let_pass(self, seq: int) -> None:
        """What was held back may go now that a later one has passed it."""
        with self._wake:
            if seq in self._held:
                self._held.remove(seq)
                return
            for due in self._due:
                if due.seq in self._held:
                    due.at = time.monotonic()
            self._held.clear()
            heapq.heapify(self._due)

    def _mark(self, seq: int, state: str, *, sends: int = 0) -> None:
        with self.app.store.write() as tx:
            tx.db.execute(
                "UPDATE soap_confirmation SET state = ?, sends = sends + ? WHERE seq = ?", (state, sends, seq)
            )
