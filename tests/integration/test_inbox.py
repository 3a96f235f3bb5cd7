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
from l2c.errors import ConfigError, TransientError
from l2c.state import cursors, messages
from l2c.state.store import Store
from l2c.wiring import Wiring
from tests.dags.sender import install

ROOT = Path(__file__).parents[2]
PLACE = ("business_partner", "s4hana")


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
    puts: list[str] = []

    def count(_: str, confirmed: Any) -> None:
        puts.extend(confirmed)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: inbox.work_off(store, wiring, "s4hana", confirm=count), range(4)))
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


def test_confirmations_wait_until_somebody_settles_them(wiring: Wiring, store: Store) -> None:
    number = message(wiring, "c-1", confirmed={"token-1": "written"})
    assert inbox.work_off(store, wiring, "s4hana") == frozenset()
    assert states(store)[0][0] == "new"
    told: list[Any] = []
    inbox.work_off(store, wiring, "s4hana", confirm=lambda system, outcomes: told.append((system, dict(outcomes))))
    assert [(system, outcomes["token-1"].status) for system, outcomes in told] == [("s4hana", "written")]
    assert states(store) == [("done", "1 confirmed")]
    assert number == 1


def test_confirmations_that_cannot_be_settled_now_hold_back_no_other_message(wiring: Wiring, store: Store) -> None:
    message(wiring, "c-1", confirmed={"token-1": "written"})
    message(wiring, "m-2", "1000001")

    def busy(_system: str, _outcomes: Any) -> None:
        raise TransientError("the state store is busy")

    assert inbox.work_off(store, wiring, "s4hana", confirm=busy) == {"business_partner"}
    assert states(store) == [("new", "the state store is busy"), ("done", "business_partner: 1 to fetch")]


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
