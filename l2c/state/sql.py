"""The SQL idioms both databases share: many rows at once, insert or update.

Statements are built by SQLAlchemy once per process and given to the driver with plain rows: building the parameters of every
row anew costs more than the database does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Connection, Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

Conflict = Literal["fail", "update", "ignore"]


def insert_into(dialect: Dialect, table: Table) -> Any:
    """An insert that can say what happens on conflict, in the dialect of the database."""
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or update those whose key is there; all rows name the same columns."""
    _rows(conn, table, *_as_tuples(rows), "update")


def insert_rows(conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows given as tuples in the order of `columns`."""
    _rows(conn, table, columns, rows, "fail")


def upsert_rows(conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows given as tuples in the order of `columns`, or update those whose key is there."""
    _rows(conn, table, columns, rows, "update")


def insert_missing_rows(
    conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows given as tuples in the order of `columns` whose key is not there yet; leave the others alone."""
    _rows(conn, table, columns, rows, "ignore")


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows whose key is not there yet; leave the others alone."""
    _rows(conn, table, *_as_tuples(rows), "ignore")


def _as_tuples(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    columns = tuple(rows[0]) if rows else ()
    return columns, [tuple(map(row.__getitem__, columns)) for row in rows]


def _rows(
    conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], conflict: Conflict
) -> None:
    if not rows:
        return
    statement, names = _statement(conn.dialect, table, columns, conflict)
    if names is None:
        conn.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in rows])
        return
    if names != columns:
        take = itemgetter(*(columns.index(name) for name in names))
        rows = [take(row) for row in rows]
    conn.exec_driver_sql(statement, list(rows))


@lru_cache(maxsize=256)
def _statement(
    dialect: Dialect, table: Table, columns: tuple[str, ...], conflict: Conflict
) -> tuple[str, tuple[str, ...] | None]:
    """The driver's text, and the order of its parameters; None where the driver takes them by name."""
    made = insert_into(dialect, table).values({name: bindparam(name) for name in columns})
    index = [column.name for column in table.primary_key]
    changed = {name: made.excluded[name] for name in columns if name not in index}
    if conflict == "update" and changed:
        made = made.on_conflict_do_update(index_elements=index, set_=changed)
    elif conflict != "fail":
        made = made.on_conflict_do_nothing()
    compiled = made.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup) if compiled.positiontup is not None else None
