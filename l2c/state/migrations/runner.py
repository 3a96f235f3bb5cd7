"""Runs alembic on the hub's own database, with its own version table, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

LOCK = 5_230_417  # PostgreSQL advisory lock of the hub's migrations


def migrate(engine: Engine, revision: str) -> None:
    """Upgrade or downgrade to `revision`, whichever way it lies; waits for another process that does the same."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with _alone(engine) as conn:
        config.attributes["connection"] = conn
        current = _current(conn)
        if current == revision:
            return
        if revision == "base" or (current is not None and revision < current):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


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
