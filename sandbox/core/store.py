"""State of one simulated system: a SQLite file with transactions, number ranges and the commit log."""

import hashlib
import json
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.core.clock import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS commit_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, entity TEXT NOT NULL, key TEXT NOT NULL,
    action TEXT NOT NULL, origin TEXT NOT NULL, request_id TEXT NOT NULL, payload_hash TEXT NOT NULL, mark TEXT);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS number_range (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""
ACTIONS = ("created", "updated", "deleted")
LOG_COLUMNS = ("seq", "at", "entity", "key", "action", "origin", "request_id", "payload_hash", "mark")


class Transaction:
    """One write transaction: use `db` for SQL and call `log` once for every record that changes.

    Everything, the log rows included, becomes visible at once when the `with` block ends, or not at all.
    `origin` is `api` for requests, `user` for changes made at the control address, `load` for the first data.
    """

    def __init__(self, db: sqlite3.Connection, clock: Clock, request_id: str, origin: str) -> None:
        self.db = db
        self.clock = clock
        self.request_id = request_id
        self.origin = origin
        self.logged: list[tuple[str, str, str]] = []
        """Entity, key and action of the rows logged so far."""

    def log(self, entity: str, key: str, action: str, payload: Any = None, *, mark: str | None = None) -> None:
        """Append one row to the commit log; `action` is created, updated or deleted, `payload` is hashed, not kept."""
        if action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {action!r}")
        self.logged.append((entity, key, action))
        row = (self.clock.now().isoformat(), entity, key, action, self.origin, self.request_id)
        self.db.execute(
            "INSERT INTO commit_log (at, entity, key, action, origin, request_id, payload_hash, mark)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, payload_hash(payload), mark),
        )

    def next_number(self, name: str, first: int = 1) -> int:
        """The next number of a range; the range starts at `first`."""
        row = self.db.execute(
            "INSERT INTO number_range (name, last) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last",
            (name, first),
        ).fetchone()
        return int(row[0])


class Store:
    """A folder with `state.sqlite3`; many readers, one writer at a time, durable against a killed process."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "state.sqlite3"
        self.clock = clock
        self.committed: Callable[[Transaction], None] | None = None
        """Told of every transaction when it is committed, in their order; must not wait."""
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode = WAL")
        self.script(SCHEMA)
        clock.offset_s = float(self.meta("clock_offset_s") or 0)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -16000")
        return db

    def script(self, sql: str) -> None:
        """Run statements that create a system's own tables; must be repeatable (IF NOT EXISTS)."""
        with self._lock:
            self._writer.executescript(sql)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection with one consistent snapshot of the committed state for the length of the block."""
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            db = self._connect()
        try:
            db.execute("BEGIN")
            yield db
        finally:
            db.execute("ROLLBACK")
            self._idle.put(db)

    @contextmanager
    def write(self, request_id: str = "", origin: str = "api") -> Iterator[Transaction]:
        """One transaction: commits at the end of the block, rolls back when the block raises."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            made = Transaction(self._writer, self.clock, request_id, origin)
            try:
                yield made
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
            if self.committed is not None:
                self.committed(made)

    def meta(self, name: str) -> str | None:
        """A stored setting, or None."""
        with self.read() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Store a setting, so that it outlives the process."""
        with self.write() as tx:
            tx.db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def log_entries(self, after: int, limit: int, origin: str, entity: str | None = None) -> list[dict[str, Any]]:
        """Rows of the commit log with a sequence number above `after`; `origin` may be `all`."""
        sql = f"SELECT {', '.join(LOG_COLUMNS)} FROM commit_log WHERE seq > ?"
        values: list[Any] = [after]
        for column, wanted in (("origin", None if origin == "all" else origin), ("entity", entity)):
            if wanted is not None:
                sql += f" AND {column} = ?"
                values.append(wanted)
        with self.read() as db:
            rows = db.execute(sql + " ORDER BY seq LIMIT ?", (*values, limit)).fetchall()
        return [dict(zip(LOG_COLUMNS, row, strict=True)) for row in rows]

    def write_counts(self) -> dict[str, dict[str, int]]:
        """Committed API changes by entity and action."""
        with self.read() as db:
            rows = db.execute(
                "SELECT entity, action, count(*) FROM commit_log WHERE origin = 'api' GROUP BY 1, 2 ORDER BY 1, 2"
            ).fetchall()
        counts: dict[str, dict[str, int]] = {}
        for entity, action, number in rows:
            counts.setdefault(entity, {})[action] = number
        return counts

    def close(self) -> None:
        """Wait for the writer, then close every idle connection."""
        with self._lock:
            self._writer.close()
        while not self._idle.empty():
            self._idle.get_nowait().close()


def payload_hash(payload: Any) -> str:
    """SHA-256 of a payload: of bytes as they are, of anything else as JSON with sorted keys."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload, sort_keys=True, default=str).encode()
    return hashlib.sha256(content).hexdigest()
