"""Releases and mappings that change while there is data: schemas up and down, resends, runs under way, locked versions."""

import itertools
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, inspect, text

from l2c.errors import ConfigError, TransientError
from l2c.hub import Hub
from l2c.state import leases
from l2c.state.store import KNOWN_SCHEMAS, SCHEMA, VERSION_TABLE, Store, _engine
from tests.conftest import Clock
from tests.integration.checker import check
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

ROOT = Path(__file__).parents[2]
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def oldest(database_url: str, clock: Clock) -> Iterator[Store]:
    """A store as the first release made it, without data."""
    made = Store(_engine(database_url), clock)
    made.migrate(KNOWN_SCHEMAS[0])
    yield made
    made.close()


def tables(store: Store) -> dict[str, Table]:
    found = MetaData()
    found.reflect(store.engine)
    return {name: table for name, table in found.tables.items() if name != VERSION_TABLE}


def fill(store: Store) -> None:
    """Rows for every table that has none, whatever its columns are."""
    values: dict[type, Any] = {str: "text", bytes: b"\x00bytes", bool: True}
    with store.writing() as conn:
        for name, table in tables(store).items():
            if conn.execute(table.select().limit(1)).first() is not None:
                continue
            for number in (1, 2, 3):
                row = {
                    column.name: f"text {number}" if kind is str else values.get(kind, number)
                    for column in table.columns
                    for kind in [column.type.python_type]
                }
                conn.execute(table.insert().values({**row, "expires": 0} if name == "lease" else row))


def rows(store: Store) -> Rows:
    with store.reading() as conn:
        return {
            name: sorted((dict(row) for row in conn.execute(table.select()).mappings()), key=repr)
            for name, table in tables(store).items()
        }


def only(of: Rows, shape: Rows) -> Rows:
    """The rows as far as an older schema knows them."""
    return {
        name: sorted(({column: row[column] for column in kept[0]} for row in of[name]), key=repr)
        for name, kept in shape.items()
    }


@pytest.mark.fault("U1")
def test_data_of_every_release_survives_the_way_up_and_down_again(oldest: Store):
    at: dict[str, Rows] = {}
    for schema in KNOWN_SCHEMAS:
        oldest.migrate(schema)
        fill(oldest)
        at[schema] = rows(oldest)
        assert all(len(found) == 3 for found in at[schema].values())
    for before, after in itertools.pairwise(KNOWN_SCHEMAS):
        assert only(at[after], at[before]) == at[before]
    for schema in reversed(KNOWN_SCHEMAS[:-1]):
        oldest.migrate(schema)
        assert oldest.schema() == schema
        assert rows(oldest) == at[schema]
    oldest.migrate(SCHEMA)
    assert only(rows(oldest), at[KNOWN_SCHEMAS[0]]) == at[KNOWN_SCHEMAS[0]]


@pytest.mark.fault("U1")
def test_an_upgrade_waits_for_the_run_that_is_under_way(oldest: Store, database_url: str, clock: Clock):
    held = leases.acquire(oldest, f"{FLOW}.distribute.{TARGET}", 60)
    with pytest.raises(TransientError) as caught:
        Store.open(database_url, clock=clock)
    assert f"it cannot be taken from schema '{KNOWN_SCHEMAS[0]}' to '{SCHEMA}' while" in str(caught.value)
    assert f"'{FLOW}.distribute.{TARGET}' is running on host" in str(caught.value)
    assert "pause the DAGs, wait until that run has ended, then start again" in str(caught.value)
    assert oldest.schema() == KNOWN_SCHEMAS[0]
    leases.release(oldest, held)
    Store.open(database_url, clock=clock).close()
    assert oldest.schema() == SCHEMA
    held = leases.acquire(oldest, f"{FLOW}.distribute.{TARGET}", 60)
    with pytest.raises(TransientError, match="pause the DAGs"):
        oldest.migrate(KNOWN_SCHEMAS[0])
    clock.forward(seconds=61)  # its worker is gone: what it was sending is cleared up by the next run
    oldest.migrate(KNOWN_SCHEMAS[0])


@pytest.mark.fault("U1")
def test_a_worker_of_an_older_release_refuses_a_newer_schema_and_touches_nothing(store: Store, database_url: str):
    with store.writing() as conn:
        conn.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigError) as caught:
        Store.open(database_url)
    assert f"has schema '9999' of a newer release, this one knows up to '{SCHEMA}'" in str(caught.value)
    assert "update the installed lead-to-cash-hub on this host, or restore the copy made before the upgrade" in str(
        caught.value
    )
    assert store.schema() == "9999"
    with store.reading() as conn:
        assert inspect(conn).has_table("journal")


def edit(world: World, name: str, old: str, new: str) -> None:
    path = world.home / "mappings" / name
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")


CHANGE = ("name_3: OrganizationBPName3", "name_3: upper(OrganizationBPName3)")
SAME = ("vatID: vat_number", 'vatID: "first_of(vat_number, vat_number)"')  # another text that makes the same
READ = "s4hana/business_partner.read.yaml"
PAGES_OF_TWO = "flow: business_partner\ncapture:\n  s4hana: {page_size: 2}\n"


@pytest.fixture
def world(start_world: StartWorld, sqlite_url: str) -> World:
    return start_world(sqlite_url, partners=6, overlay=PAGES_OF_TWO)


def used(hub: Hub) -> set[str]:
    """The mapping versions the journal's entries were read by."""
    with hub._store.reading() as conn:
        return set(conn.execute(text("SELECT DISTINCT mapping FROM journal")).scalars())


@pytest.mark.fault("U3")
def test_a_mapping_that_is_edited_while_a_run_reads_counts_from_the_next_run_on(world: World):
    edited = False

    def meanwhile(_: Any) -> None:
        nonlocal edited
        if not edited:
            edited = True
            edit(world, READ, *CHANGE)

    with world.hub() as hub:
        hub.capture(FLOW, SOURCE, progress=meanwhile)
        [first] = used(hub)
    assert edited
    for key, _ in world.s4.records("A_BusinessPartner"):
        world.s4.change("A_BusinessPartner", key, BusinessPartnerIsBlocked=True)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE, kind="sweep")
        assert first in used(hub)
        assert len(used(hub)) == 2


@pytest.mark.fault("U3")
def test_a_run_planned_before_the_edit_and_worked_by_another_process_keeps_its_mapping(world: World):
    with world.hub() as hub:
        plan = hub.plan("capture", FLOW, SOURCE)
    edit(world, READ, *CHANGE)
    assert plan.run is not None
    with world.hub() as hub:
        hub.run(plan.run)
        hub.settle(plan.run)
        with hub._store.reading() as conn:
            planned = conn.execute(text("SELECT mapping FROM run WHERE id = :run"), {"run": plan.run}).scalar_one()
        assert used(hub) == {planned}
        newest = {mapper.version for mapper in hub._wiring.readers(FLOW, SOURCE)}
    assert planned not in newest


@pytest.mark.fault("U2")
def test_a_changed_write_mapping_sends_nothing_before_somebody_has_seen_how_much(world: World):
    world.load()
    commits = world.shop.last_commit()
    edit(world, "commerce/business_partner.unit.write.yaml", *SAME)
    with world.hub() as hub:
        plans = hub.resend(FLOW, TARGET)
        assert [(plan.mapping, plan.pending, plan.done) for plan in plans if plan.in_force != plan.current] == [
            ("commerce.business_partner.unit.write", 6, False)
        ]
        assert hub.distribute(FLOW, TARGET).status == "nothing", "the mapping in force is the one of before"
        assert world.shop.last_commit() == commits
        hub.resend(FLOW, TARGET, yes=True)
        counts = hub.distribute(FLOW, TARGET).counts
    assert counts.get("written", 0) == 0, (
        "hashed is what the mapping makes: a new version that makes the same rewrites nothing"
    )
    assert world.shop.last_commit() == commits
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("U4")
def test_what_is_installed_is_what_the_lock_file_says():
    """Their behaviour is pinned where it matters by the tests of the HTTP kit, the parsers and the state store."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9_.\[\]-]+)==(\S+)", lock, flags=re.MULTILINE))
    for name in ("requests", "urllib3", "sqlalchemy", "alembic", "orjson", "lxml", "pyyaml", "tenacity", "pydantic"):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        assert installed == locked.get(name), f"{name}: run make setup"
