"""Opening, migrating and refusing state stores."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from l2c.errors import ConfigError, TransientError
from l2c.state.store import SCHEMA, Store
from l2c.state.tables import metadata


def test_a_new_store_has_every_table(store: Store) -> None:
    assert store.schema() == SCHEMA
    with store.reading() as conn:
        assert set(metadata.tables) <= set(inspect(conn).get_table_names())


def test_the_migrations_lead_to_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.reading() as conn:
        found = inspect(conn)
        for name, table in metadata.tables.items():
            assert [column["name"] for column in found.get_columns(name)] == [
                column.name for column in table.columns
            ], name
            named = {index["name"] for index in found.get_indexes(name)}
            assert {index.name for index in table.indexes} <= named, name


def test_the_schema_goes_down_and_up_again(store: Store) -> None:
    store.migrate("base")
    assert store.schema() is None
    store.migrate(SCHEMA)
    assert store.schema() == SCHEMA


def test_an_older_release_refuses_a_newer_schema(store: Store, database_url: str) -> None:
    with store.writing() as conn:
        conn.execute(text("UPDATE l2c_schema SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="schema '9999' of a newer release"):
        Store.open(database_url)


def test_a_store_that_cannot_be_reached_is_told_without_its_password() -> None:
    with pytest.raises(TransientError) as caught:
        Store.open("postgresql://hub:hush-hush@127.0.0.1:1/none")
    assert "hush-hush" not in str(caught.value)
    assert "check L2C_DATABASE_URL" in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://"])
def test_a_wrong_url_says_what_is_allowed(url: str) -> None:
    with pytest.raises(ConfigError, match="L2C_DATABASE_URL"):
        Store.open(url)


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.writing() as conn:
            conn.execute(metadata.tables["stream"].insert().values(entity="x", seq=1, records=1))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    with store.reading() as conn:
        assert conn.execute(metadata.tables["stream"].select()).all() == []


def test_opening_creates_the_folder(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'a' / 'b' / 'state.db'}").close()
    assert (tmp_path / "a" / "b" / "state.db").exists()
