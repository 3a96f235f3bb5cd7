"""The one SQL idiom both databases share: insert or update."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keys: Sequence[str] = ()) -> None:
    """Insert rows, or update those whose key is there; all rows name the same columns."""
    if not rows:
        return
    index = list(keys) or [column.name for column in table.primary_key]
    if conn.dialect.name == "postgresql":
        statement: Any = postgresql.insert(table)
    else:
        statement = sqlite.insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in index}
    statement = (
        statement.on_conflict_do_update(index_elements=index, set_=changed)
        if changed
        else statement.on_conflict_do_nothing(index_elements=index)
    )
    conn.execute(statement, list(rows))


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows whose key is not there yet; leave the others alone."""
    if not rows:
        return
    statement: Any = postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)
    conn.execute(statement.on_conflict_do_nothing(), list(rows))
