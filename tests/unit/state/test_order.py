"""Appends of several processes at once: no reader ever goes past an entry that becomes visible later."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from l2c.state import journal
from l2c.state.journal import Entry
from l2c.state.store import Store
from tests.conftest import Postgres, new_database

ENTITY, WRITERS, PAGES, ENTRIES = "business_partner", 4, 25, 4


def write(url: str, number: int) -> None:
    """Pages of new records; some transactions take longer than others, some are taken back."""
    store, chance = Store.open(url), random.Random(number)
    for page in range(PAGES):
        names = [f"{number}-{page}-{index}" for index in range(ENTRIES)]
        entries = [Entry(name, 0, "change", name.encode(), b"{}", born=True) for name in names]
        with store.writing() as conn:
            journal.lock(conn, ENTITY)
            journal.append(conn, ENTITY, entries, origin="s4hana", run=number, mapping="v", now=0)
            time.sleep(chance.choice((0, 0, 0.002, 0.01)))  # committed later than entries that were begun after it
            if chance.random() < 0.2:
                conn.rollback()
    store.close()


def read(url: str, done: threading.Event) -> list[int]:
    """What a distribution sees that goes on from its place in the journal again and again."""
    store, seen, place = Store.open(url), list[int](), 0
    while True:
        last = done.is_set()
        with store.reading() as conn:
            heads = journal.heads_after(conn, ENTITY, place, 7)
        seen += [head.seq for head in heads]
        place = seen[-1] if seen else 0
        if last and not heads:
            store.close()
            return seen


def test_readers_see_every_entry_in_order_while_several_connections_append(postgres: Postgres):
    url = new_database(postgres)
    Store.open(url).close()
    done = threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(read, url, done) for _ in range(2)]
        writers = [pool.submit(write, url, number) for number in range(WRITERS)]
        for writer in writers:
            writer.result(timeout=60)
        done.set()
        seen = [reader.result(timeout=60) for reader in readers]
    store = Store.open(url)
    with store.reading() as conn:
        last = journal.last_seq(conn, ENTITY)
        stored = [head.seq for head in journal.heads_after(conn, ENTITY, 0, 10_000)]
    store.close()
    assert WRITERS * PAGES * ENTRIES // 2 < last < WRITERS * PAGES * ENTRIES, "some pages were taken back"
    assert stored == list(range(1, last + 1)), "numbers are dense: a page taken back gives its numbers back"
    assert seen == [stored, stored]
