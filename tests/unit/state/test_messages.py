"""Messages kept as received, on SQLite and PostgreSQL."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from l2c.state import messages, retention
from l2c.state.store import Store


def put(store: Store, body: bytes = b"{}", system: str = "shop") -> int:
    with store.writing() as conn:
        return messages.put(conn, system, {"ce-type": "Änderung"}, body, store.now())


def finish(store: Store, number: int, state: str, message_id: str | None = None) -> bool:
    with store.writing() as conn:
        return messages.finish(conn, number, state, "why", message_id)


def new(store: Store, after: int = 0) -> messages.Stored | None:
    with store.reading() as conn:
        return messages.next_new(conn, "shop", after)


def test_a_message_is_kept_byte_for_byte(store: Store) -> None:
    body = bytes(range(256))
    number = put(store, body)
    assert new(store) == messages.Stored(number, "shop", {"ce-type": "Änderung"}, body, store.now())


def test_messages_come_oldest_first_and_only_those_of_the_system(store: Store) -> None:
    put(store, system="erp")
    first, second = put(store), put(store)
    assert [new(store).id, new(store, first).id, new(store, second)] == [first, second, None]


def test_a_message_is_finished_once(store: Store) -> None:
    number = put(store)
    assert finish(store, number, messages.DONE, "m-1")
    assert not finish(store, number, messages.FAILED)
    with store.reading() as conn:
        (row,) = messages.listed(conn)
    assert (row.state, row.message_id, row.detail, row.size) == ("done", "m-1", "why", 2)
    assert row.received == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_a_senders_number_is_taken_once_for_each_system(store: Store) -> None:
    one, two, other = put(store), put(store), put(store, system="erp")
    assert finish(store, one, messages.DONE, "m-1")
    assert finish(store, other, messages.DONE, "m-1")
    with store.reading() as conn:
        assert messages.earlier(conn, "shop", "m-1", two) == one
        assert messages.earlier(conn, "shop", "m-1", one) is None
    with pytest.raises(IntegrityError):
        finish(store, two, messages.DONE, "m-1")
    assert new(store).id == two


def test_a_message_that_stays_new_says_why(store: Store) -> None:
    number, done = put(store), put(store)
    finish(store, done, messages.DONE)
    with store.writing() as conn:
        for one in (number, done):
            messages.explain(conn, one, "nobody waits for it yet")
    with store.reading() as conn:
        assert [(row.id, row.state, row.detail) for row in messages.listed(conn)] == [
            (done, "done", "why"),
            (number, "new", "nobody waits for it yet"),
        ]
    assert new(store).id == number


def test_new_and_failed_messages_are_counted_by_system(store: Store) -> None:
    finish(store, put(store), messages.DONE)
    finish(store, put(store), messages.FAILED)
    put(store)
    put(store)
    with store.reading() as conn:
        assert messages.counts(conn) == {"shop": {"new": 2, "failed": 1}}


def test_failed_messages_may_be_tried_again(store: Store) -> None:
    shop, erp = put(store), put(store, system="erp")
    for number in (shop, erp):
        finish(store, number, messages.FAILED)
    with store.writing() as conn:
        assert messages.again(conn, "shop") == 1
    assert new(store).id == shop
    with store.reading() as conn:
        assert messages.counts(conn) == {"shop": {"new": 1}, "erp": {"failed": 1}}


def test_only_old_messages_that_are_done_with_are_deleted(store: Store, clock) -> None:
    states = {put(store): messages.DONE, put(store): messages.FAILED, put(store): None}
    for number, state in states.items():
        if state is not None:
            finish(store, number, state)
    clock.forward(days=91)
    finish(store, put(store), messages.DONE)
    with store.writing() as conn:
        assert retention.purge(conn, store.now() - 90 * 86_400_000)["messages"] == 1
        assert sorted(row.state for row in messages.listed(conn)) == ["done", "failed", "new"]
