"""Runs alembic on the hub's own database, with its own version table, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from l2c.errors import TransientError
from l2c.state import leases

LOCK = 5_230_417  # PostgreSQL advisory lock of the hub's migrations


def migrate(engine: Engine, revision: str, now: int) -> None:
    """Upgrade or downgrade to `revision`, whichever way it lies; waits for another process that does the same.

    Raises TransientError while a run is under way: its worker may be of a release that knows only the schema it began with.
    `now`: milliseconds since 1970.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with _alone(engine) as conn:
        config.attributes["connection"] = conn
        current = _current(conn)
        if current == revision:
            return
        if current is not None:
            _refuse_running(conn, f"from schema '{current}' to '{revision}'", now)
        if revision == "base" or (current is not None and revision < current):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def _refuse_running(conn: Connection, way: str, now: int) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("LOCK TABLE lease IN EXCLUSIVE MODE"))  # nobody begins until this is done
    busy = leases.running(conn, now)
    if busy is not None:
        raise TransientError(
            f"state store: it cannot be taken {way} while {busy}; pause the DAGs, wait until that run has ended, then start again"
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(l2c_write=True) as conn, conn.begin():
        if engine.dialect.name == "postgresql":
            conn.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        yield conn


def _current(conn: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(conn, opts={"version_table": "l2c_schema"})
    return context.get_current_revision()
