"""Query plans over 50,000 records of which the database has no statistics: every look-up of a page or block uses an index."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from l2c.state import cursors, deadletters, distributions, intents, journal, keys, linking, meetings, references, runs
from l2c.state.journal import Entry
from l2c.state.store import Store
from tests.conftest import Postgres, new_database

ENTITY, RECORDS = "business_partner", 50_000
NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RECORDS}) "
FILL = (
    (
        "INSERT INTO journal (entity, seq, record, kind, origin, run, at, mapping, hash, codec, payload) {n}"
        "SELECT '{e}', i, i, 'change', 's4hana', 1, 0, 'v', {bytes}, 'json', {bytes} FROM n"
    ),
    (
        "INSERT INTO record (entity, record, head_seq, hash, origin, deleted) {n}"
        "SELECT '{e}', i, i, {bytes}, 's4hana', {no} FROM n"
    ),
    "INSERT INTO view (entity, record, system, hash, read_at) {n}SELECT '{e}', i, 's4hana', {bytes}, 0 FROM n",
    "INSERT INTO key_mapping (entity, system, path, native_key, record) {n}SELECT '{e}', 's4hana', '', {name}, i FROM n",
    (
        "INSERT INTO distribution (entity, record, target, mapping, seq, version, status, settled) {n}"
        "SELECT '{e}', i, 'commerce', 'm', i, 'v', 'written', 0 FROM n"
    ),
    "INSERT INTO match_value (entity, rule, value, record) {n}SELECT '{e}', 'vat', {bytes}, i FROM n",
)
LARGE = ("journal", "record", "view", "key_mapping", "distribution", "match_value")


@pytest.fixture
def filled(store: Store) -> Store:
    """Tables filled at one go; PostgreSQL must not look at them by itself meanwhile."""
    dialect = {"bytes": "CAST(i AS BLOB)", "no": "0", "name": "CAST(i AS TEXT)"}
    if not store.sqlite:
        dialect = {"bytes": "CAST(CAST(i AS TEXT) AS bytea)", "no": "false", "name": "CAST(i AS TEXT)"}
    with store.writing() as conn:
        for name in LARGE if not store.sqlite else ():
            conn.execute(text(f"ALTER TABLE {name} SET (autovacuum_enabled = false)"))
        for statement in FILL:
            conn.execute(text(statement.format(n=NUMBERS, e=ENTITY, **dialect)))
    return store


@contextmanager
def explained(store: Store, conn: Connection) -> Iterator[list[tuple[str, str]]]:
    """The plan of every statement executed within: (statement, plan)."""
    executed: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        executed.append((statement, parameters[0] if many else parameters))

    plans: list[tuple[str, str]] = []
    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    how = "EXPLAIN QUERY PLAN " if store.sqlite else "EXPLAIN "
    for statement, parameters in executed:
        rows: Sequence[Any] = conn.exec_driver_sql(how + statement, parameters).all()
        plans.append((statement, "\n".join(str(row[-1]) for row in rows)))


def reads_whole(plan: str, *, sqlite: bool) -> list[str]:
    """The large tables a plan reads from one end to the other."""
    # SQLite: "SCAN view" reads it all, "SEARCH view USING …" does not; of PostgreSQL every form of Seq Scan does
    words = ("SCAN {}",) if sqlite else ("Seq Scan on {}", "Seq Scan on public.{}")
    lines = [line.strip() for line in plan.splitlines()]
    return [name for name in LARGE if any(_is(line, word.format(name)) for line in lines for word in words)]


def _is(line: str, words: str) -> bool:
    return f"{line} ".find(f"{words} ") >= 0


def test_every_lookup_of_a_page_or_block_uses_an_index_without_statistics(filled: Store):
    page = list(range(20_000, 20_200))
    names = [str(number) for number in page]
    with filled.writing() as conn, explained(filled, conn) as plans:
        assert len(journal.known(conn, ENTITY, "s4hana", names)) == len(page)
        assert len(journal.known_records(conn, ENTITY, "s4hana", page)) == len(page)
        assert len(journal.views_of(conn, ENTITY, "s4hana", page)) == len(page)
        assert len(journal.payloads(conn, ENTITY, page)) == len(page)
        assert [head.seq for head in journal.heads_of(conn, ENTITY, page)] == page
        assert [head.seq for head in journal.heads_after(conn, ENTITY, 49_000, 200)] == list(range(49_001, 49_201))
        assert len(journal.history(conn, ENTITY, 7)) == 1
        journal.keep_views(conn, ENTITY, "commerce", page)
        assert len(keys.native_keys(conn, ENTITY, "s4hana", page)) == len(page)
        assert len(keys.records_of(conn, ENTITY, "s4hana", names)) == len(page)
        assert keys.key_of(conn, ENTITY, "s4hana", "", 7) == "7"
        assert keys.find_record(conn, ENTITY, "s4hana", "", "7") == 7
        assert len(linking.keys_of(conn, ENTITY, page)) == len(page)
        assert len(linking.heads_without_key(conn, ENTITY, "commerce", 40_000, 10)) == 10
        assert len(distributions.stored(conn, ENTITY, "commerce", page)) == len(page)
        assert distributions.due_records(conn, ENTITY, "commerce", 10, 100, ["m"]) == []
        assert distributions.awaiting(conn, "commerce", ["a token"]) == {}
        distributions.link(conn, ENTITY, "commerce", [("", "c7", 7)], 0)
        assert references.record_of(conn, ENTITY, "", "s4hana:7") in (7, None)
        assert meetings.with_values(conn, ENTITY, "vat", [b"none"]) == {}
        assert len(meetings.heads_from(conn, ENTITY, 40_000, 100)) == 100
        assert intents.intents_of(conn, ENTITY, "commerce", page) == []
        assert cursors.take_inbox(conn, ENTITY, "s4hana", 100) == []
        assert not deadletters.any_of(conn, ENTITY, "s4hana", "capture")
        runs.open_run(conn, ENTITY, "capture", "s4hana", partitions=["all"], now=0)
        conn.execute(text("SELECT count(*) FROM journal WHERE run = 5"))  # that the test can fail
    assert len(plans) > 20
    whole = [(statement, plan) for statement, plan in plans if reads_whole(plan, sqlite=filled.sqlite)]
    assert [statement for statement, _ in whole] == ["SELECT count(*) FROM journal WHERE run = 5"], whole


def test_statistics_are_taken_while_new_tables_grow(postgres: Postgres):
    tables = ("journal", "record", "view", "key_mapping", "distribution")
    store = Store.open(new_database(postgres))
    entries = [Entry(str(number), 0, "change", b"h", b"{}", born=True) for number in range(10)]

    def known() -> set[str]:
        with store.reading() as conn:
            return set(
                conn.execute(text("SELECT relname FROM pg_class WHERE reltuples > 0 AND relkind = 'r'")).scalars()
            )

    with store.writing() as conn:
        journal.lock(conn, ENTITY)
        journal.append(conn, ENTITY, entries, origin="s4hana", run=1, mapping="v", now=0)
    store.grown(999)
    assert not known().intersection(tables)
    store.grown(1_000)
    assert known().issuperset(tables[:2])
    store.close()
