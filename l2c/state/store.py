"""Opening the state store, and the two kinds of transaction everything else is done in."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError

from l2c.contract import utc_now
from l2c.errors import ConfigError, TransientError
from l2c.faultpoints import reach

SCHEMA = "0003"  # the newest migration this release knows
KNOWN_SCHEMAS = ("0001", "0002", "0003")
VERSION_TABLE = "l2c_schema"
FULL = ("full", "disk I/O error")  # how SQLite says that a file cannot grow


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC, as all times are stored."""
    return int(moment.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    """The moment a stored time stands for."""
    return datetime.fromtimestamp(value / 1000, UTC)


class Store:
    """The hub's own database: SQLite on one machine, PostgreSQL beyond."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self.engine = engine
        self.clock = clock
        self.sqlite = engine.dialect.name == "sqlite"
        self._analyze_at = 1_000

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] = utc_now) -> "Store":
        """Connect, create or migrate the schema where needed, refuse one from a newer release."""
        store = cls(_engine(url), clock)
        try:
            with store._told_damage():
                found = store.schema()
        except OperationalError as error:
            store.close()
            raise TransientError(
                f"state store: cannot connect to '{_safe(url)}' ({_reason(error)}); check L2C_DATABASE_URL"
            ) from None
        if found != SCHEMA:
            if found is not None and found not in KNOWN_SCHEMAS:
                store.close()
                raise ConfigError(
                    f"state store: '{_safe(url)}' has schema '{found}' of a newer release, this one knows up to '{SCHEMA}'; "
                    "update the installed lead-to-cash-hub on this host, or restore the copy made before the upgrade"
                )
            try:
                store.migrate(SCHEMA)
            except TransientError:
                store.close()
                raise
        return store

    def schema(self) -> str | None:
        """The migration the database stands at, None when it is empty."""
        with self.engine.connect() as conn:
            if not inspect(conn).has_table(VERSION_TABLE):
                return None
            return conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()

    def migrate(self, revision: str) -> None:
        """Bring the schema to `revision`, up or down; one process at a time."""
        from l2c.state.migrations.runner import migrate

        migrate(self.engine, revision, self.now())

    def now(self) -> int:
        """The current time in milliseconds."""
        return to_ms(self.clock())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reads: one consistent picture, never blocks a writer for long."""
        with self._told(), self.engine.connect() as conn:
            yield conn

    @contextmanager
    def writing(self, name: str = "") -> Iterator[Connection]:
        """One write transaction; on SQLite it takes the write lock at once, so that it cannot fail half way.

        `name`: what a process may be made to die before or after (see `l2c.faultpoints`).
        """
        with self._told(), self.engine.connect().execution_options(l2c_write=True) as conn:
            with conn.begin():
                yield conn
                if name:
                    reach(f"{name}.before_commit")
            if name:
                reach(f"{name}.after_commit")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the database as sentences that say what to do."""
        try:
            with self._told_damage():
                yield
        except (OperationalError, InterfaceError) as error:
            raise TransientError(_away(self.engine, error)) from None

    @contextmanager
    def _told_damage(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            if not _damaged(error):
                raise
            raise ConfigError(
                f"state store: '{_safe(self.engine.url)}' is damaged ({_reason(error)}); "
                "restore the newest copy, then: l2c adopt FLOW SYSTEM for every flow and target"
            ) from None

    def grown(self, journal_seq: int) -> None:
        """Refresh PostgreSQL's statistics while new tables grow: without them its planner reads whole tables per page."""
        if self.sqlite or journal_seq < self._analyze_at:
            return
        while self._analyze_at <= journal_seq:
            self._analyze_at *= 4
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("ANALYZE journal, record, view, key_mapping, distribution"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def default_url(home: Path) -> str:
    """SQLite in the operator's folder."""
    return f"sqlite:///{home / '.l2c' / 'state.db'}"


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "L2C_DATABASE_URL is not a database URL; allowed: sqlite:///path, postgresql+psycopg://user:password@host/name"
        ) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed.render_as_string(hide_password=False), parsed.database)
    if parsed.drivername != "postgresql+psycopg":
        raise ConfigError(
            f"L2C_DATABASE_URL: '{parsed.drivername}' is not supported; allowed: sqlite, postgresql+psycopg"
        )
    return create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=20)


def _sqlite_engine(url: str, database: str | None) -> Engine:
    if not database or database == ":memory:":
        raise ConfigError("L2C_DATABASE_URL: SQLite needs a file, since several processes share the state")
    folder = Path(database).parent
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"state store: folder '{folder}' is not writable; set L2C_DATABASE_URL or L2C_HOME")
    engine = create_engine(url, connect_args={"timeout": 60, "check_same_thread": False})

    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = (
            None  # the driver's own BEGIN is deferred: a later upgrade to a write fails at once
        )
        pragmas = connection.cursor()
        for pragma in (
            "page_size=16384",  # journal entries take a few kilobytes each: a small page would hold one
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            pragmas.execute(f"PRAGMA {pragma}")
        pragmas.close()

    def on_begin(conn: Connection) -> None:
        write = conn.get_execution_options().get("l2c_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _safe(url: str | URL) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _away(engine: Engine, error: DBAPIError) -> str:
    """Why the store cannot be used; of a full disk also where it is and how much is free there."""
    name, reason = _safe(engine.url), _reason(error)
    if engine.url.database and engine.dialect.name == "sqlite" and any(word in reason for word in FULL):
        free = shutil.disk_usage(Path(engine.url.database).parent).free
        reason += f"; {free:,} bytes are free at '{Path(engine.url.database).parent}': make room, or raise the limit of file sizes"
    return f"state store: '{name}' cannot be used ({reason}); nothing is sent before it is noted there, the next run goes on"


def _damaged(error: DatabaseError) -> bool:
    return any(word in _reason(error) for word in ("malformed", "not a database"))


def _reason(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
