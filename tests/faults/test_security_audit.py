"""The audit log is a chain: whatever is done to an entry afterwards shows when the chain is walked."""

import json
import threading

import pytest
from sqlalchemy import delete, select, update

from l2c.state import audit
from l2c.state.store import Store
from l2c.state.tables import audit as table
from tests.integration.world import World


def entries(store: Store, count: int = 5) -> None:
    for number in range(count):
        with store.writing() as conn:
            audit.note(conn, store.now(), "redrive", "business_partner", "shop", f"letter {number}", who="ops")


def found(store: Store, **options) -> audit.AuditReport:
    with store.reading() as conn:
        return audit.verify(conn, **options)


def damage(store: Store, *statements) -> None:
    with store.writing() as conn:
        for statement in statements:
            conn.execute(statement)


def test_an_untouched_log_is_whole(store: Store):
    assert found(store) == audit.AuditReport(0, "", (), ())
    entries(store)
    report = found(store, limit=2)
    assert (report.ok, report.entries, len(report.head)) == (True, 5, 64)
    assert [(entry.who, entry.detail) for entry in report.newest] == [("ops", "letter 4"), ("ops", "letter 3")]


@pytest.mark.parametrize(
    "values",
    [{"detail": "letter 9"}, {"who": "someone"}, {"at": 1}, {"what": "x"}, {"entity": ""}, {"system": "x"}],
    ids=str,
)
def test_a_changed_entry_shows(store: Store, values):
    entries(store)
    damage(store, update(table).where(table.c.id == 3).values(**values))
    assert found(store).findings == ("entry 3: was changed after it was written",)


def test_an_entry_changed_together_with_its_hash_breaks_the_chain(store: Store):
    entries(store)
    with store.reading() as conn:
        row = dict(conn.execute(select(table).where(table.c.id == 3)).mappings().one())
    forged = audit._hash({**{name: row[name] for name in audit._HASHED}, "detail": "x"}, bytes(row["previous"]))
    damage(store, update(table).where(table.c.id == 3).values(detail="x", hash=forged))
    assert found(store).findings == ("before entry 4: entries are missing, or stand in another order",)


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ([3], ("before entry 4: entries are missing, or stand in another order", "1 of 5 entries are missing")),
        ([1], ("before entry 2: entries are missing, or stand in another order", "1 of 5 entries are missing")),
        ([5], ("1 of 5 entries are missing", "the newest entry is not the one the seal names")),
        ([4, 5], ("2 of 5 entries are missing", "the newest entry is not the one the seal names")),
        ([1, 2, 3, 4, 5], ("5 of 5 entries are missing", "the newest entry is not the one the seal names")),
        ([0], ("the seal is missing: entries at the end may be missing too",)),
    ],
)
def test_entries_taken_away_show(store: Store, gone, told):
    entries(store)
    damage(store, delete(table).where(table.c.id.in_(gone)))
    assert found(store).findings == told


def test_entries_that_changed_places_show(store: Store):
    entries(store)
    damage(store, *(update(table).where(table.c.id == old).values(id=new) for old, new in ((2, 9), (3, 2), (9, 3))))
    assert "before entry 2: entries are missing, or stand in another order" in found(store).findings


def test_a_log_rewritten_from_end_to_end_shows_by_a_hash_noted_before(store: Store):
    entries(store)
    noted = found(store).head
    assert found(store, head=noted[:12]).ok
    damage(store, delete(table))
    entries(store, 4)
    assert found(store).ok, "nothing inside the store can tell"
    assert "is not in the chain any more" in found(store, head=noted).findings[0]


def test_the_log_of_an_older_release_is_sealed_by_its_next_entry(store: Store):
    entries(store, 3)
    damage(store, delete(table).where(table.c.id == audit.SEAL))
    entries(store, 1)
    assert (found(store).ok, found(store).entries) == (True, 4)


def test_processes_that_append_at_once_make_one_chain(store: Store):
    threads = [threading.Thread(target=entries, args=(store, 5)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found(store).findings, found(store).entries) == ((), 30)


def test_the_command_tells_of_a_forged_entry(start_world, sqlite_url):
    world: World = start_world(sqlite_url, partners=3)
    store = Store.open(sqlite_url)
    entries(store, 3)
    shown = json.loads(world.run("audit", "verify", "--json"))
    assert shown == {"ok": True, "entries": 3, "head": shown["head"], "findings": []}
    assert "letter 2" in world.run("audit", "list", "--limit", "1")
    assert "3 entries, whole" in world.run("audit", "verify", "--head", shown["head"])
    damage(store, update(table).where(table.c.id == 2).values(detail="nothing"), delete(table).where(table.c.id == 3))
    store.close()
    said = world.run("audit", "verify", "--head", shown["head"], expect=1)
    assert "entry 2: was changed after it was written" in said
    assert "1 of 3 entries are missing" in said
    assert "is not in the chain any more" in said
    assert "NOT whole" in said
    assert "hexadecimal" in world.run("audit", "verify", "--head", "xyz", expect=2)
