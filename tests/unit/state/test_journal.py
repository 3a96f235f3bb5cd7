"""The journal: order, heads, births."""

import threading

from l2c.state import journal
from l2c.state.store import Store


def _append(store: Store, *, number: int = 0, payload: bytes = b"{}", count: int = 1) -> list[journal.Entry]:
    entries = [
        journal.Entry(f"k{number}-{i}", number, "change", payload.ljust(16, b"0")[:16], payload, born=number == 0)
        for i in range(count)
    ]
    with store.writing() as conn:
        journal.lock(conn, "thing")
        journal.append(conn, "thing", entries, origin="a", run=1, mapping="v1", now=store.now())
    return entries


def test_numbers_are_dense_and_births_get_a_record_each(store: Store) -> None:
    first = _append(store, count=3)
    second = _append(store, count=2)
    assert [entry.seq for entry in first + second] == [1, 2, 3, 4, 5]
    assert [entry.record for entry in first + second] == [1, 2, 3, 4, 5]


def test_a_newer_entry_moves_the_head_and_supersedes_the_older(store: Store) -> None:
    _append(store, count=2)
    _append(store, number=1, payload=b'{"a":1}')
    with store.reading() as conn:
        heads = journal.heads_after(conn, "thing", 0, 10)
    assert [(head.record, head.seq, head.payload) for head in heads] == [(2, 2, b"{}"), (1, 3, b'{"a":1}')]


def test_concurrent_appends_become_visible_in_order(store: Store) -> None:
    """A reader that has seen number n never sees a smaller one appear later."""
    stop = threading.Event()
    broken: list[tuple[int, int]] = []

    def watch() -> None:
        last, seen = 0, 0
        while not stop.is_set():
            with store.reading() as conn:
                heads = journal.heads_after(conn, "thing", 0, 10_000)
            last, count = (heads[-1].seq if heads else 0), len(heads)
            if count != last:  # every record is born once: as many heads as numbers
                broken.append((last, count))
            seen = max(seen, last)

    watcher = threading.Thread(target=watch)
    writers = [threading.Thread(target=lambda: [_append(store, count=5) for _ in range(10)]) for _ in range(4)]
    watcher.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    watcher.join()
    with store.reading() as conn:
        assert journal.last_seq(conn, "thing") == 200
    assert broken == []
