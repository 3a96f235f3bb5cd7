"""Working off messages, on SQLite and PostgreSQL: each takes effect once, whoever comes to it."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from l2c import inbox
from l2c.config import Project
from l2c.contract import Connection
from l2c.errors import ConfigError
from l2c.state import cursors, deadletters, distributions, intents, journal, keys, messages, sending, versions
from l2c.state.distributions import Settled
from l2c.state.journal import Entry
from l2c.state.store import Store
from l2c.wiring import Wiring
from tests.dags.sender import install

ROOT = Path(__file__).parents[2]
PLACE = ("business_partner", "s4hana")
MAPPING = "s4hana/business_partner.write"


@pytest.fixture
def wiring(store: Store, clock, monkeypatch, tmp_path) -> Iterator[Wiring]:
    """The project's own flows, with an S/4HANA that sends messages; nothing of it is reachable."""
    install(tmp_path / "sender", monkeypatch)
    home = tmp_path / "home"
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, home / part)
    made = Wiring(
        Project(home), store, lambda name: Connection(url="http://127.0.0.1:9", user=name, secret=SecretStr("x")), clock
    )
    yield made
    made.close()


def message(wiring: Wiring, number: str | None, *keys: str, native: str = "A_BusinessPartner", **more: Any) -> int:
    body = {"id": number, "keys": [[native, key] for key in keys], **more}
    return inbox.receive(
        wiring.store, wiring, "s4hana", {"Content-Type": "application/json"}, json.dumps(body).encode()
    )


def accepted(store: Store, token: str, *, record: int = 0, attempts: int = 0) -> int:
    """A record of the shop whose create S/4HANA has accepted under that token; its number."""
    now = store.now()
    with store.writing() as conn:
        if not record:
            journal.lock(conn, "business_partner")
            entry = Entry("u-1", 0, "change", b"1" * 16, b'{"name":"A"}', born=True)
            journal.append(conn, "business_partner", [entry], origin="commerce", run=1, mapping="v", now=now)
            keys.add_keys(conn, "business_partner", "commerce", [("", "u-1", entry.record)])
            record = entry.record
        [head] = journal.heads_of(conn, "business_partner", [record])
        state = Settled(
            record,
            MAPPING,
            head.seq,
            "v",
            "awaiting_confirmation",
            written_seq=head.seq,
            hash=b"h" * 16,
            attempts=attempts,
            due_at=now + 600_000,
            token=token,
        )
        distributions.settle(conn, *PLACE, [state], now)
        mark = f"L2C-{record}"
        intents.intend(
            conn, *PLACE, [intents.Intent(record, MAPPING, head.seq, mark, 1, intents.OPEN, now + 600_000)], now
        )
    return record


def stored(store: Store, record: int) -> Settled:
    with store.reading() as conn:
        return distributions.stored(conn, *PLACE, [record])[record, MAPPING]


def asked(store: Store) -> list[tuple[str, str]]:
    with store.reading() as conn:
        return [(entry.native_key, entry.reason) for entry in cursors.take_inbox(conn, *PLACE, 100)]


def states(store: Store) -> list[tuple[str, str]]:
    with store.reading() as conn:
        return [(row.state, row.detail) for row in reversed(messages.listed(conn))]


def test_the_keys_of_a_message_wait_for_the_captures_that_read_them(wiring: Wiring, store: Store) -> None:
    message(wiring, "m-1", "1000001", "1000002")
    assert inbox.work_off(store, wiring, "s4hana") == {"business_partner"}
    assert sorted(asked(store)) == [("1000001", "webhook"), ("1000002", "webhook")]
    assert inbox.work_off(store, wiring, "s4hana") == frozenset()


def test_a_message_that_cannot_be_understood_holds_back_no_other(wiring: Wiring, store: Store) -> None:
    inbox.receive(store, wiring, "s4hana", {}, b"not JSON")
    message(wiring, "m-2", "1000001")
    assert inbox.work_off(store, wiring, "s4hana") == {"business_partner"}
    assert states(store) == [("failed", "the body is not JSON"), ("done", "business_partner: 1 to fetch")]


def test_what_can_be_read_of_a_message_is_fetched_though_the_rest_is_unknown(wiring: Wiring, store: Store) -> None:
    message(wiring, "m-1", "P1", native="A_Product")
    body = {"id": "m-2", "keys": [["A_BusinessPartner", "1000001"], ["A_Product", "P1"]]}
    inbox.receive(store, wiring, "s4hana", {}, json.dumps(body).encode())
    assert inbox.work_off(store, wiring, "s4hana") == {"business_partner"}
    reason = "no flow that loads reads A_Product from 's4hana'"
    assert states(store) == [("failed", reason), ("failed", reason)]
    assert asked(store) == [("1000001", "webhook")]


def test_many_at_once_take_each_message_once(wiring: Wiring, store: Store, clock) -> None:
    for number in range(30):
        message(wiring, f"m-{number % 10}", f"10000{number % 10:02}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: inbox.work_off(store, wiring, "s4hana"), range(4)))
    with store.reading() as conn:
        rows = messages.listed(conn)
    assert len(asked(store)) == 10
    assert {row.state for row in rows} == {"done"}
    assert sorted(row.message_id for row in rows if row.message_id) == [f"m-{number}" for number in range(10)]
    assert sum(row.detail.startswith("a repetition of ") for row in rows) == 20


def test_a_message_that_was_counted_as_done_is_not_asked_for_again_by_its_repetition(
    wiring: Wiring, store: Store
) -> None:
    message(wiring, "m-1", "1000001")
    inbox.work_off(store, wiring, "s4hana")
    with store.writing() as conn:
        cursors.done_inbox(conn, cursors.take_inbox(conn, *PLACE, 100))
    message(wiring, "m-1", "1000001")
    assert inbox.work_off(store, wiring, "s4hana") == frozenset()
    assert asked(store) == []


def test_a_confirmation_settles_the_write_it_names(wiring: Wiring, store: Store) -> None:
    record = accepted(store, "token-1")
    message(wiring, "c-1", confirmed={"token-1": {"status": "created", "native_key": "1000001"}})
    assert inbox.work_off(store, wiring, "s4hana") == {"business_partner"}
    assert states(store) == [("done", "1 confirmed")]
    state = stored(store, record)
    assert (state.status, state.due_at, state.attempts) == ("written", None, 0)
    with store.reading() as conn:
        assert intents.intents_of(conn, *PLACE) == []
        assert keys.key_of(conn, *PLACE, "", record) == "1000001"
    assert asked(store) == [("1000001", "confirmed")]


def test_a_confirmation_that_comes_before_its_write_is_settled_waits_for_it(wiring: Wiring, store: Store) -> None:
    message(wiring, "c-1", confirmed={"token-1": "updated"})
    message(wiring, "m-2", "1000001")
    assert inbox.work_off(store, wiring, "s4hana") == {"business_partner"}
    assert states(store) == [
        ("new", "confirms 1 writes nobody waits for yet"),
        ("done", "business_partner: 1 to fetch"),
    ]
    record = accepted(store, "token-1")
    inbox.work_off(store, wiring, "s4hana")
    assert states(store)[0] == ("done", "1 confirmed")
    assert stored(store, record).status == "written"


def test_a_confirmation_nobody_ever_waits_for_is_done_with_after_a_while(wiring: Wiring, store: Store, clock) -> None:
    message(wiring, "c-1", confirmed={"token-1": "updated"})
    clock.forward(minutes=14)
    inbox.work_off(store, wiring, "s4hana")
    assert states(store)[0][0] == "new"
    clock.forward(minutes=1)
    inbox.work_off(store, wiring, "s4hana")
    assert states(store)[0][0] == "done"


def test_a_confirmation_told_twice_has_one_effect_and_waits_for_nobody(wiring: Wiring, store: Store) -> None:
    record = accepted(store, "token-1")
    for number in ("c-1", "c-1", "c-2"):
        message(wiring, number, confirmed={"token-1": {"status": "created", "native_key": "1000001"}})
        inbox.work_off(store, wiring, "s4hana")
    assert [state for state, _ in states(store)] == ["done", "done", "done"]
    assert stored(store, record).status == "written"


def test_a_refusal_becomes_a_dead_letter_in_the_words_of_the_target(wiring: Wiring, store: Store) -> None:
    record = accepted(store, "token-1")
    said = {"status": "rejected", "code": "102(R1)", "message": "Postal code 1 is not valid in DE"}
    message(wiring, "c-1", confirmed={"token-1": said})
    inbox.work_off(store, wiring, "s4hana")
    state = stored(store, record)
    assert (state.status, state.hash, state.due_at) == ("dead_letter", None, None)
    with store.reading() as conn:
        [letter] = deadletters.select_open(conn, "business_partner", "s4hana")
        assert intents.intents_of(conn, *PLACE) == []
    assert (letter.key, letter.code) == ("u-1", "102(R1)")
    assert letter.message == (
        "business_partner u-1: s4hana: Postal code 1 is not valid in DE; "
        "correct it in commerce or try it again: l2c redrive business_partner s4hana"
    )


@pytest.mark.parametrize("status", ["failed", "conflict"])
def test_what_failed_for_the_moment_is_sent_again_later_and_set_aside_in_the_end(
    wiring: Wiring, store: Store, clock, status: str
) -> None:
    record = accepted(store, "token-0")
    for attempt in range(1, 6):
        token = f"token-{attempt - 1}"
        message(wiring, f"c-{attempt}", confirmed={token: {"status": status, "message": "locked by MILLER"}})
        inbox.work_off(store, wiring, "s4hana")
        state = stored(store, record)
        if attempt < 5:
            assert (state.status, state.attempts, state.hash) == ("retrying", attempt, sending.UNSURE)
            assert state.due_at == store.now() + 30_000 * 2 ** (attempt - 1)
            clock.forward(minutes=10)
            accepted(store, f"token-{attempt}", record=record, attempts=attempt)
    assert (state.status, state.message) == ("dead_letter", "s4hana: locked by MILLER")


def test_an_overtaken_create_is_linked_so_that_it_is_read_and_not_created_again(wiring: Wiring, store: Store) -> None:
    record = accepted(store, "token-1")
    message(wiring, "c-1", confirmed={"token-1": {"status": "conflict", "native_key": "1000001"}})
    inbox.work_off(store, wiring, "s4hana")
    assert stored(store, record).status == "retrying"
    with store.reading() as conn:
        assert keys.key_of(conn, *PLACE, "", record) == "1000001"
    assert asked(store) == [("1000001", "confirmed")]


def test_a_confirmation_of_a_write_that_was_sent_again_tells_the_key_and_leaves_the_newest_alone(
    wiring: Wiring, store: Store
) -> None:
    record = accepted(store, "token-2")
    with store.writing() as conn:
        sending.replace_tokens(conn, *PLACE, {"token-1": record, "token-0": record}, store.now())
    message(wiring, "c-0", confirmed={"token-0": {"status": "rejected", "message": "no"}})
    message(wiring, "c-1", confirmed={"token-1": {"status": "created", "native_key": "1000001"}})
    inbox.work_off(store, wiring, "s4hana")
    assert [state for state, _ in states(store)] == ["done", "done"]
    state = stored(store, record)
    assert (state.status, state.token) == ("awaiting_confirmation", "token-2")
    with store.reading() as conn:
        assert keys.key_of(conn, *PLACE, "", record) == "1000001"


@pytest.mark.parametrize("change", ["head", "returned", "resend"])
def test_what_changed_while_a_write_was_under_way_is_due_when_it_is_confirmed(
    wiring: Wiring, store: Store, change: str
) -> None:
    record = accepted(store, "token-1")
    due_at = stored(store, record).due_at
    with store.writing() as conn:
        if change == "head":
            first = stored(store, record).seq
            entries = [Entry("u-1", record, "change", b"2" * 16, b'{"name":"B"}', previous=first)]
            journal.append(conn, "business_partner", entries, origin="commerce", run=1, mapping="v", now=store.now())
        elif change == "returned":
            distributions.give_back(conn, *PLACE, [record], store.now())
        else:
            versions.put_in_force(conn, *PLACE, [(MAPPING, "newer")], store.now())
            distributions.make_due(conn, *PLACE, store.now(), mapping=MAPPING)
    assert stored(store, record).due_at == due_at, "it is not looked at before it is confirmed or its time is over"
    message(wiring, "c-1", confirmed={"token-1": "updated"})
    inbox.work_off(store, wiring, "s4hana")
    state = stored(store, record)
    assert (state.status, state.due_at) == ("written", store.now())


def test_a_connector_that_takes_no_messages_says_so(wiring: Wiring, store: Store) -> None:
    path = wiring.project.home / "config" / "systems.yaml"
    path.write_text(path.read_text() + "\n  deaf: {kind: deaf, connection: s4hana}\n")
    inbox.receive(store, wiring, "deaf", {}, b"{}")
    inbox.work_off(store, wiring, "deaf")
    assert states(store) == [("failed", "the connector of 'deaf' understands no messages")]


def test_messages_of_a_system_that_cannot_be_reached_by_configuration_stay_new(wiring: Wiring, store: Store) -> None:
    message(wiring, "m-1", "1000001")
    path = wiring.project.home / "config" / "systems.yaml"
    path.write_text(path.read_text().replace("kind: s4hana", "kind: s4hanna"))
    with pytest.raises(ConfigError, match="no connector of kind 's4hanna'"):
        inbox.work_off(store, wiring, "s4hana")
    assert states(store)[0][0] == "new"


def test_a_system_that_is_not_configured_sends_nothing(wiring: Wiring, store: Store) -> None:
    with pytest.raises(ConfigError, match="no system 'nobody'"):
        inbox.receive(store, wiring, "nobody", {}, b"{}")


def test_what_proves_the_sender_is_not_kept() -> None:
    headers = {"Authorization": "Basic x", "Cookie": "a", "X-Sig": "1", "X-Hub-Signature-256": "2", "CE-Id": "3"}
    assert inbox.without_credentials(headers, "x-sig") == {"ce-id": "3"}
