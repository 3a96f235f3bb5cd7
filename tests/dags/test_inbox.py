"""The inbox over real HTTP: who may send, what is kept, and what a sender is told."""

import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.dags.sender import install
from tests.dags.served import served

pytestmark = pytest.mark.filterwarnings("default")  # airflow and its libraries warn of one another

SYSTEMS = """\
systems:
  s4hana: {kind: s4hana, connection: s4hana, inbox: {connection: s4hana_inbox}}
  commerce: {kind: commerce, connection: commerce}
  cdc: {kind: commerce, connection: commerce, inbox: {connection: cdc_inbox, hmac_header: X-Sig-HMAC}}
  broken: {kind: commerce, connection: commerce, inbox: {connection: nowhere}}
  off: {kind: commerce, connection: commerce, enabled: false, inbox: {connection: s4hana_inbox}}
"""
GOOD = ("SENDER", "päss:word")
EVENT = {"id": "m-1", "keys": []}
Send = Callable[..., requests.Response]


@pytest.fixture
def url(home, monkeypatch, tmp_path, airflow_database) -> Iterator[str]:
    """The hub's application, for a project whose systems may send."""
    from l2c.airflow.page import build_app

    install(tmp_path / "sender", monkeypatch)
    home.write("config/systems.yaml", SYSTEMS)
    monkeypatch.setenv("AIRFLOW_CONN_S4HANA", json.dumps({"conn_type": "http", "host": "http://127.0.0.1:9"}))
    login = {"conn_type": "generic", "login": GOOD[0], "password": GOOD[1]}
    monkeypatch.setenv("AIRFLOW_CONN_S4HANA_INBOX", json.dumps(login))
    monkeypatch.setenv("L2C_CONNECTION_CDC_INBOX", json.dumps({"hmac_secret": "signing-key"}))
    with served(build_app()) as address:
        yield f"{address}/inbox"


@pytest.fixture
def send(url: str) -> Send:
    """Sends a message; the answer."""

    def post(body: Any = EVENT, system: str = "s4hana", login: tuple[str, str] | None = GOOD, **options: Any) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = tuple(part.encode() for part in login) if login else None
        return requests.post(f"{url}/{system}", data=data, auth=auth, timeout=20, **options)

    return post


def kept(**options: Any) -> list[Any]:
    from l2c.airflow.runtime import open_hub

    with open_hub() as hub:
        return hub.messages(**options)


def settled(count: int) -> list[Any]:
    """The messages once none is new any more, newest first."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        rows = kept()
        if len(rows) == count and all(row.state != "new" for row in rows):
            return rows
        time.sleep(0.05)
    raise AssertionError(f"not settled: {kept()}")


def test_a_message_is_kept_before_it_is_answered(send: Send) -> None:
    answer = send()
    assert (answer.status_code, answer.content) == (201, b"")
    (row,) = kept()
    assert (row.system, row.size) == ("s4hana", len(json.dumps(EVENT)))
    assert settled(1)[0].state == "done"


@pytest.mark.parametrize("kind", ["text/xml; charset=utf-8", "application/soap+xml"])
def test_soap_is_answered_as_accepted(send: Send, kind: str) -> None:
    assert send(headers={"Content-Type": kind}).status_code == 202


def test_credentials_are_not_kept(send: Send) -> None:
    from l2c.airflow.runtime import open_hub

    secret = {"Cookie": "a=b", "X-CSRF-Token": "c", "X-Api-Key": "d", "ce-type": "ItemSavedEvent"}
    send(headers=secret)
    with open_hub() as hub, hub._store.reading() as conn:
        text = conn.exec_driver_sql("SELECT headers FROM message").scalar_one()
    stored = json.loads(text)
    assert stored["ce-type"] == "ItemSavedEvent"
    assert not {"authorization", "cookie", "x-csrf-token", "x-api-key"} & set(stored)


@pytest.mark.parametrize("login", [("SENDER", "wrong"), ("sender", GOOD[1]), ("", ""), ("SENDER", "")])
def test_a_wrong_login_is_refused_without_detail(send: Send, login: tuple[str, str]) -> None:
    answer = send(login=login)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Unauthorized"})
    assert kept() == []


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic Og", "Bearer", "Bearer x.y.z", "Digest a", "\xff"])
def test_a_header_that_is_no_login_is_refused(send: Send, header: str) -> None:
    assert send(login=None, headers={"Authorization": header}).status_code == 401
    assert send(login=None).status_code == 401
    assert kept() == []


@pytest.mark.parametrize("system", ["nobody", "commerce", "off", "s4hana%20", "..%2Fconfig"])
def test_a_system_without_an_inbox_is_not_found(send: Send, system: str) -> None:
    assert send(system=system).status_code == 404
    assert kept() == []


def test_nothing_is_shown_at_the_inbox(url: str) -> None:
    assert requests.get(f"{url}/s4hana", auth=GOOD, timeout=20).status_code == 405


def test_many_wrong_logins_make_the_address_wait_but_not_a_known_sender(send: Send) -> None:
    assert send().status_code == 201
    answers = [send(login=("SENDER", f"guess-{number}")) for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert send().status_code == 201


def test_a_guess_that_would_have_been_right_is_not_looked_at_while_the_address_waits(send: Send) -> None:
    for number in range(10):
        send(login=("SENDER", f"guess-{number}"))
    assert send().status_code == 429
    assert kept() == []


def test_a_token_is_given_for_client_id_and_secret(url: str, send: Send) -> None:
    form = {"grant_type": "client_credentials", "client_id": GOOD[0], "client_secret": GOOD[1]}
    answers = [
        requests.post(f"{url}/token", data=form, timeout=20),
        requests.post(
            f"{url}/token",
            data={"grant_type": "client_credentials"},
            auth=(GOOD[0].encode(), GOOD[1].encode()),
            timeout=20,
        ),
    ]
    for answer in answers:
        told = answer.json()
        assert (answer.status_code, told["token_type"], told["expires_in"]) == (200, "Bearer", 3600)
        assert answer.headers["Cache-Control"] == "no-store"
        bearer = {"Authorization": f"Bearer {told['access_token']}"}
        assert send(login=None, headers=bearer).status_code == 201
        assert send(login=None, headers={"Authorization": bearer["Authorization"][:-1] + "0x"}).status_code == 401


def test_no_token_without_the_secret_or_for_another_grant(url: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": GOOD[0], "client_secret": "wrong"}
    assert requests.post(f"{url}/token", data=form, timeout=20).status_code == 401
    assert requests.post(f"{url}/token", data={}, timeout=20).json() == {"error": "unsupported_grant_type"}
    assert requests.post(f"{url}/token", data=b"x" * 9_000, timeout=20).status_code == 413


def test_a_signed_message_needs_no_login(send: Send) -> None:
    body = json.dumps(EVENT).encode()
    mac = hmac.new(b"signing-key", body, hashlib.sha256)
    for signature in (mac.hexdigest(), "sha256=" + mac.hexdigest().upper(), base64.b64encode(mac.digest()).decode()):
        assert send(body, system="cdc", login=None, headers={"X-Sig-HMAC": signature}).status_code == 201
    for signature in ("", "0" * 64, hmac.new(b"other", body, hashlib.sha256).hexdigest()):
        assert send(body, system="cdc", login=None, headers={"X-Sig-HMAC": signature}).status_code == 401
    assert send(body, system="cdc").status_code == 401  # a login does not replace the signature
    assert len(kept(system="cdc")) == 3


def test_a_body_that_is_too_large_is_refused_announced_or_not(send: Send) -> None:
    from l2c.airflow.inbox import MOST_BYTES

    assert send(b"x" * (MOST_BYTES + 1)).status_code == 413
    url = send(b"{}").url
    chunks = (b"x" * 1_000_000 for _ in range(11))
    try:
        answer = requests.post(url, data=chunks, auth=(GOOD[0].encode(), GOOD[1].encode()), timeout=20)
        assert answer.status_code == 413
    except requests.ConnectionError:
        pass  # the server hung up while we were still sending
    assert [row.size for row in kept()] == [2]


def test_a_sender_that_hangs_up_in_the_body_leaves_nothing(url: str) -> None:
    host, port = url.split("/")[2].split(":")
    login = base64.b64encode(":".join(GOOD).encode()).decode()
    with socket.create_connection((host, int(port))) as line:
        head = f"POST /hub/inbox/s4hana HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nContent-Length: 500\r\n\r\n{{"
        line.sendall(head.encode())
    time.sleep(0.3)
    assert kept() == []


def test_the_same_message_again_is_answered_alike_and_has_no_second_effect(send: Send) -> None:
    assert [send().status_code for _ in range(3)] == [201] * 3
    rows = settled(3)
    assert [row.message_id for row in rows].count("m-1") == 1
    assert sum(row.detail.startswith("a repetition of message ") for row in rows) == 2


def test_without_a_number_every_delivery_is_a_message_of_its_own(send: Send) -> None:
    for _ in range(2):
        send({"keys": []})
    assert [row.detail for row in settled(2)] == ["says nothing the hub acts on"] * 2


@pytest.mark.parametrize("body", [b"", b"garbage", b"\x00\xff" * 50, b'{"id": "x"}', b"[" * 10_000])
def test_what_cannot_be_understood_is_kept_with_the_reason(send: Send, body: bytes) -> None:
    assert send(body).status_code == 201
    (row,) = settled(1)
    assert (row.state, row.size) == ("failed", len(body))
    crashed = [
        f"the connector of 's4hana' failed over this message ({name})" for name in ("KeyError", "RecursionError")
    ]
    assert row.detail in ["the body is not JSON", *crashed]


def test_keys_that_no_flow_reads_are_told_and_the_message_may_be_tried_again(send: Send) -> None:
    from l2c.airflow.runtime import open_hub

    send({"id": "m-7", "keys": [["A_Product", "P1"]]})
    (row,) = settled(1)
    assert (row.state, row.detail) == ("failed", "no flow that loads reads A_Product from 's4hana'")
    with open_hub() as hub:
        assert hub.open_messages() == {"s4hana": {"failed": 1}}
        assert hub.redrive_messages() == 1
        hub.work_off("s4hana")
    assert [row.state for row in kept()] == ["failed"]


def test_a_store_that_is_away_asks_to_try_again_and_loses_nothing(send: Send, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("L2C_DATABASE_URL", "postgresql://hub:x@127.0.0.1:1/none")
    answer = send()
    assert (answer.status_code, answer.json()) == (503, {"detail": "Service Unavailable"})
    assert answer.headers["Retry-After"] == "10"
    monkeypatch.setenv("L2C_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    assert send().status_code == 201
    assert len(kept()) == 1


def test_a_store_that_fails_later_on_loses_nothing_either(send: Send, tmp_path) -> None:
    assert send().status_code == 201
    settled(1)
    with sqlite3.connect(tmp_path / "state.db") as conn:
        conn.execute("ALTER TABLE message RENAME TO away")
    assert send().status_code == 503
    with sqlite3.connect(tmp_path / "state.db") as conn:
        conn.execute("ALTER TABLE away RENAME TO message")
    assert send().status_code == 201
    assert len(kept()) == 2


def test_an_inbox_whose_connection_is_missing_is_none_and_the_log_says_what_to_create(send: Send, capfd) -> None:
    assert send(system="broken").status_code == 404
    told = capfd.readouterr()
    assert "create an Airflow connection of that name with login and password" in told.out + told.err
    assert send().status_code == 201
    assert len(kept()) == 1


def test_a_connection_that_is_incomplete_is_our_fault_not_the_senders(send: Send, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps({"conn_type": "generic", "login": "shop"}))
    assert send(system="broken").status_code == 503


def test_a_message_is_answered_quickly(send: Send) -> None:
    send()
    taken = []
    for number in range(20):
        begun = time.monotonic()
        assert send({"id": f"q-{number}", "keys": []}).status_code == 201
        taken.append(time.monotonic() - begun)
    assert sorted(taken)[10] < 0.1, taken
