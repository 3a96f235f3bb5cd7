"""The state store under load, away, full, damaged; what is purged from it and what never is."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from l2c.errors import TransientError
from l2c.state import journal, keys, retention, runs, sending
from l2c.state.distributions import Settled, settle
from l2c.state.journal import Entry
from l2c.state.store import Store
from tests.conftest import Clock, Postgres, new_database
from tests.integration.checker import check
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET

WRITERS, TURNS = 8, 25


@pytest.mark.fault("X1")
def test_eight_writers_that_read_before_they_write_never_fail(store: Store, database_url: str):
    with store.writing() as conn:
        run = runs.open_run(conn, FLOW, "capture", SOURCE, partitions=["all"], now=0)

    def work(_: int) -> None:
        own = Store.open(database_url)
        for _ in range(TURNS):
            with own.writing() as conn:
                runs.add_counts(conn, run, {"read": 1})
        own.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, range(WRITERS)))
    with store.reading() as conn:
        row = runs.get(conn, run)
    assert row is not None
    assert runs.counts(row) == {"read": WRITERS * TURNS}


@pytest.mark.fault("X2")
def test_sqlite_writes_to_the_disk_before_it_says_so(store: Store):
    if not store.sqlite:
        pytest.skip("PostgreSQL does so by default")
    with store.reading() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL: durable before anything is sent"


@pytest.mark.fault("X3")
def test_nothing_is_sent_while_the_state_store_is_away(start_world: StartWorld, sqlite_url: str, monkeypatch):
    world = start_world(sqlite_url, partners=8)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
    before = world.shop.last_commit()
    with world.hub() as hub:
        plan = hub.plan("distribute", FLOW, TARGET)
        assert plan.run is not None
        note = sending.note

        def away(conn: Any, *rest: Any) -> None:
            note(conn, *rest)
            conn.exec_driver_sql("SELECT * FROM a_table_that_went_away")  # as the driver tells of a lost server

        monkeypatch.setattr(sending, "note", away)
        with pytest.raises(TransientError, match="nothing is sent before it is noted there"):
            hub.run(plan.run)
    assert world.shop.last_commit() == before
    monkeypatch.undo()
    world.run("distribute", FLOW, TARGET)
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("X3")
def test_a_server_that_ends_every_connection_is_told_in_a_sentence_and_the_next_transaction_works(
    postgres: Postgres, clock: Clock
):
    url = new_database(postgres)
    store = Store.open(url, clock=clock)

    def cut_off() -> None:
        with store.writing() as conn:
            runs.open_run(conn, FLOW, "capture", SOURCE, partitions=["all"], now=0)
            conn.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(TransientError) as caught:
        cut_off()
    told = str(caught.value)
    assert "state store: 'postgresql+psycopg://test@127.0.0.1" in told
    assert "cannot be used (" in told
    assert "nothing is sent before it is noted there, the next run goes on" in told
    with store.reading() as conn:
        assert conn.execute(text("SELECT count(*) FROM run")).scalar() == 0, "the transaction is taken back as a whole"
    store.close()


FILL = """
import resource, sys
from l2c.cli.app import main
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main(sys.argv[1:])
"""


@pytest.mark.fault("X5")
def test_a_full_disk_ends_the_run_with_place_and_bytes_and_it_goes_on_when_there_is_room(
    start_world: StartWorld, sqlite_url: str
):
    world = start_world(sqlite_url, partners=60)
    database = sqlite_url.removeprefix("sqlite:///")
    world.run("status")
    limit = 600_000
    command = [sys.executable, "-c", FILL, str(limit), "capture", FLOW, SOURCE]
    done = subprocess.run(command, env=dict(world.env), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"state store: 'sqlite:///{database}' cannot be used (" in done.stderr
    assert "bytes are free at" in done.stderr
    assert "make room" in done.stderr
    assert "Traceback" not in done.stderr
    world.run("capture", FLOW, SOURCE)
    world.run("distribute", FLOW, TARGET)
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("X7")
def test_a_damaged_entry_is_set_aside_by_name_the_run_goes_on_and_a_redrive_repairs_it(
    start_world: StartWorld, sqlite_url: str
):
    world = start_world(sqlite_url, partners=8)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        damaged = flip(hub._store, 3)
        counts = hub.distribute(FLOW, TARGET).counts
        assert (counts["dead_letter"], counts["due"]) == (1, 8)
        letter = hub.dead_letters(FLOW)[0]
        assert {one.record for one in hub.dead_letters(FLOW)} == {damaged}
        assert letter.code == "damaged"
        assert "entry 3 of the journal is not as it was stored" in letter.message
        assert "redrive it: it is read anew from 's4hana'" in letter.message
        hub.redrive(FLOW)
        hub.capture(FLOW, SOURCE)
        hub.distribute(FLOW, TARGET)
        assert hub.dead_letters(FLOW) == []
        assert hub.reconcile(FLOW).ok
    assert check(world.s4, world.shop).differences == []


def flip(store: Store, seq: int) -> int:
    """One bit of a payload that leaves the JSON sound; the record's number."""
    with store.writing() as conn:
        entry = conn.execute(text("SELECT record, payload FROM journal WHERE seq = :seq"), {"seq": seq}).one()
        payload = bytearray(entry.payload)
        at = payload.index(b'"name":"') + len(b'"name":"')
        payload[at] ^= 1
        json.loads(payload)
        conn.execute(
            text("UPDATE journal SET payload = :payload WHERE seq = :seq"), {"payload": bytes(payload), "seq": seq}
        )
    return int(entry.record)


@pytest.mark.fault("X7")
def test_a_record_that_changes_after_its_entry_was_damaged_is_whole_again(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=8)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        number = flip(hub._store, 3)
        [key] = [row.native_key for row in hub.keys(FLOW, key=None, limit=100) if row.record == number and not row.path]
        world.s4.change("A_BusinessPartner", key, SearchTerm2="CHANGED")
        world.s4.change("A_BusinessPartner", key, BusinessPartnerIsBlocked=True)
        hub.capture(FLOW, SOURCE)
        assert "dead_letter" not in hub.distribute(FLOW, TARGET).counts
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("X7")
def test_a_damaged_database_file_is_named_with_the_way_out(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=2)
    world.run("status")
    with Path(sqlite_url.removeprefix("sqlite:///")).open("r+b") as file:
        file.write(b"this is no database any more")
    told = world.run("status", expect=2)
    assert "is damaged (file is not a database); restore the newest copy, then: l2c adopt FLOW SYSTEM" in told
    assert "Traceback" not in told


@pytest.mark.fault("X6")
def test_what_is_old_goes_and_heads_keys_and_what_may_have_been_sent_stay(store: Store, clock: Clock):
    def append(number: int, payload: bytes) -> Entry:
        entry = Entry(f"k{number}", number, "change", payload.ljust(16), payload, born=number == 0)
        with store.writing() as conn:
            journal.lock(conn, FLOW)
            journal.append(conn, FLOW, [entry], origin=SOURCE, run=1, mapping="v", now=store.now())
        return entry

    first = append(0, b"1")
    sent, older, newest = (append(first.record, payload) for payload in (b"2", b"3", b"4"))
    doubtful = append(0, b"5")
    maybe, head = append(doubtful.record, b"6"), append(doubtful.record, b"7")
    with store.writing() as conn:
        old = runs.open_run(conn, FLOW, "capture", SOURCE, partitions=["all"], now=store.now())
        runs.close_run(conn, old, "done", store.now(), "")
        settle(
            conn,
            FLOW,
            TARGET,
            [
                Settled(first.record, "m", newest.seq, "v", "written", written_seq=sent.seq, hash=b"h"),
                Settled(doubtful.record, "m", head.seq, "v", "retrying", written_seq=doubtful.seq, hash=sending.UNSURE),
            ],
            store.now(),
        )
        keys.add_keys(conn, FLOW, SOURCE, [("", "k1", first.record)])
    clock.forward(days=91)
    with store.writing() as conn:
        young = runs.open_run(conn, FLOW, "capture", SOURCE, partitions=["all"], now=store.now())
        removed = retention.purge(conn, store.now() - int(timedelta(days=90).total_seconds() * 1000))
    assert removed["journal"] == 2
    assert removed["runs"] == 1
    with store.reading() as conn:
        left = sorted(conn.execute(text("SELECT seq FROM journal")).scalars())
        assert left == [sent.seq, newest.seq, doubtful.seq, maybe.seq, head.seq], "gone: the first and the third entry"
        assert older.seq not in left
        assert [one.payload for one in journal.heads_after(conn, FLOW, 0, 10)] == [b"4", b"7"]
        assert keys.native_keys(conn, FLOW, SOURCE, [first.record]) == {first.record: "k1"}
        assert runs.get(conn, old) is None
        assert runs.get(conn, young) is not None
