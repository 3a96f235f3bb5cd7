"""Start, end and continuation of a simulated system's process."""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def test_a_system_is_ready_within_two_seconds_with_a_thousand_partners(start):
    began = time.monotonic()
    process = start("s4hana")
    assert time.monotonic() - began < 2
    assert process.ask("")["system"] == "s4hana"
    assert process.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_code_zero(start, number):
    process = start("s4hana", "--partners", "1")
    os.kill(process.popen.pid, number)
    assert process.popen.wait(timeout=5) == 0


def test_an_existing_folder_continues_from_the_stored_state(start, tmp_path):
    options = ("--partners", "5", "--data", str(tmp_path))
    first = start("s4hana", *options)
    first.tell("/change", entity="A_BusinessPartner", key="1000000", set={"SearchTerm1": "kept"})
    first.tell("/clock", offset_s=3600)
    assert first.stop() == 0
    second = start("s4hana", *options, "--seed", "99")
    assert second.ask("/record", entity="A_BusinessPartner", key="1000000")["SearchTerm1"] == "KEPT"
    assert [entry["key"] for entry in second.log(origin="user")] == ["1000000"]
    assert second.ask("/clock")["offset_s"] == 3600


def test_a_killed_process_has_lost_no_commit(start, tmp_path):
    process = start("s4hana", "--partners", "1", "--data", str(tmp_path))
    for number in range(20):
        process.tell(
            "/create", entity="A_BusinessPartner", set={"BusinessPartnerCategory": "2", "SearchTerm1": str(number)}
        )
    process.popen.kill()
    process.popen.wait(timeout=5)
    again = start("s4hana", "--data", str(tmp_path))
    assert len([e for e in again.log(origin="user") if e["entity"] == "A_BusinessPartner"]) == 20


def test_it_listens_on_loopback_only(s4_process):
    port = int(s4_process.url.rsplit(":", 1)[1])
    with socket.socket() as other:
        other.settimeout(1)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_connection_serves_many_requests_without_waiting_for_the_network(s4_process):
    port = int(s4_process.url.rsplit(":", 1)[1])
    ask = b"GET /_control/clock HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.monotonic()
        for _ in range(600):
            connection.sendall(ask)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        # 1,500 a second on an idle machine; a delayed ACK would make it 25
        assert 600 / (time.monotonic() - began) > 300


def test_eight_clients_at_once_get_their_own_answers(s4_process):
    def one(number: int) -> str:
        return requests.get(
            f"{s4_process.control}/record", params={"entity": "A_BusinessPartner", "key": number}
        ).json()["BusinessPartner"]

    numbers = [str(number) for number in range(1000000, 1000040)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, numbers)) == numbers


def test_what_is_no_http_is_answered_with_400(s4_process):
    port = int(s4_process.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_chunked_body_is_read(s4_process):
    answer = requests.post(f"{s4_process.control}/clock", data=iter([b'{"offset', b'_s": 0}']))
    assert answer.status_code == 200
