"""What the HTTP kit makes of a broken connection: eight toxics while it connects, while it sends and while it receives."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.rig.proxy import KINDS, Proxy, Toxic, proxied
from l2c.contract import Connection, System
from l2c.errors import ProtocolError, TransientError
from l2c.http import AnswerLost, HttpSession, Limits, Retries, json_bytes
from l2c.http.xml import parse_xml
from tests.unit.http.conftest import Peer, Reply, answer, peer

__all__ = ["peer"]
SLOW = ("latency", "bandwidth", "slicer")
LARGE = b"x" * 8_000_000
RESET = struct.pack("ii", 1, 0)


@contextmanager
def session_on(url: str, *, deadline_s: float = 1.0, silence_s: float = 0.4) -> Iterator[HttpSession]:
    """A session that tries once and has little time."""
    limits = Limits(deadline_s=deadline_s, silence_s=silence_s, connect_s=0.3)
    made = HttpSession(System("shop", Connection(url)), limits=limits, retries=Retries(attempts=1))
    try:
        yield made
    finally:
        made.close()


def outcome(session: HttpSession, method: str, body: bytes | None = None) -> TransientError:
    with pytest.raises(TransientError) as caught:
        session.request(method, "/A", body=body)
    return caught.value


# while it connects: nothing was sent, whatever the method


def refused(listener: socket.socket) -> None:
    listener.close()


def full(listener: socket.socket) -> None:
    """Nobody takes connections, and as many as may wait do."""
    for _ in range(3):
        waiting = socket.socket()
        waiting.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            waiting.connect(listener.getsockname())
        WAITING.append(waiting)


WAITING: list[socket.socket] = []


@pytest.mark.fault("N1")
@pytest.mark.parametrize(("spoil", "told"), [(refused, "connection refused"), (full, "no connection in time")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_never_stood_sent_nothing(spoil: Callable[[socket.socket], None], told: str, method: str):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    spoil(listener)
    with session_on(url) as session:
        error = outcome(session, method, b"{}")
    assert not isinstance(error, AnswerLost)
    assert error.message == f"shop: {method} /A: {told}; nothing was sent"
    assert error.code == "not_reached"
    listener.close()
    while WAITING:
        WAITING.pop().close()


@pytest.mark.fault("N1")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_nobody_knows_is_not_reached(method: str):
    with session_on("https://nowhere.invalid") as session:
        error = outcome(session, method, b"{}")
    assert error.code == "not_reached"
    assert "the host name is not known; nothing was sent" in error.message


# while it sends: a request of eight megabytes on its way


def serve(behaviour: Callable[[socket.socket], None]) -> tuple[socket.socket, str]:
    """A server that does this with every connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                threading.Thread(target=tried, args=(connection,), daemon=True).start()

    def tried(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            behaviour(connection)

    threading.Thread(target=accept, daemon=True).start()
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def read_slowly(connection: socket.socket, *, seconds: float, size: int) -> None:
    while connection.recv(size):
        time.sleep(seconds)


def reset(connection: socket.socket) -> None:
    connection.recv(10_000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


SENDING = {
    "latency": lambda c: read_slowly(c, seconds=0.3, size=65_536),
    "bandwidth": lambda c: read_slowly(c, seconds=0.05, size=4_096),
    "slicer": lambda c: read_slowly(c, seconds=0.01, size=64),
    "limit_data": lambda c: c.recv(10_000),
    "reset": reset,
    "half_close": lambda c: (c.recv(10_000), c.shutdown(socket.SHUT_WR), time.sleep(3)),
    "black_hole": lambda c: time.sleep(3),
    "refuse": lambda c: None,  # the kernel took the connection, the server throws it away
}


@pytest.mark.fault("N1", "N2")
@pytest.mark.parametrize("kind", SENDING)
def test_a_write_broken_while_it_is_sent_may_have_acted(kind: str):
    listener, url = serve(SENDING[kind])
    with session_on(url) as session:
        started = time.monotonic()
        error = outcome(session, "POST", LARGE)
        took = time.monotonic() - started
    listener.close()
    assert isinstance(error, AnswerLost), "the server may have read enough of it"
    assert error.message.endswith("after the request was sent; it may have acted")
    assert took < 5, "the deadline of the call is one second, however slowly the server reads"


@pytest.mark.fault("N1")
@pytest.mark.parametrize("kind", ["reset", "limit_data", "black_hole"])
def test_a_write_that_may_be_repeated_is_merely_transient(kind: str):
    listener, url = serve(SENDING[kind])
    with session_on(url) as session, pytest.raises(TransientError) as caught:
        session.request("PUT", "/A", body=LARGE, repeatable=True)
    listener.close()
    assert not isinstance(caught.value, AnswerLost)


# while it receives


@pytest.fixture
def proxy(peer: Peer) -> Iterator[Proxy]:
    """In front of a peer whose answers take 6,000 bytes."""
    peer.script(answer({"d": {"results": [{"A": "x" * 5_900}]}}))
    with proxied(peer.url) as made:
        yield made


def test_the_toxics_are_those_of_the_proxy():
    assert set(SENDING) == set(KINDS)


@pytest.mark.fault("N1")
@pytest.mark.parametrize("kind", SLOW)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slow_answer_within_the_deadline_is_taken(proxy: Proxy, kind: str, method: str):
    proxy.set(Toxic(kind, seconds=0.002, rate=100_000, size=200))
    with session_on(proxy.url, deadline_s=20, silence_s=20) as session:
        assert json_bytes(session.request(method, "/A", body=b"{}")).endswith(b"]}}")
    assert proxy.met[kind] == 1


@pytest.mark.fault("N1", "N2")
@pytest.mark.parametrize(
    ("kind", "after"),
    [(kind, after) for kind in KINDS if kind != "refuse" for after in (0, 60, 3_000)[: 1 if kind in SLOW else 3]],
)
def test_an_answer_broken_or_too_late_is_never_taken_for_a_whole_one(proxy: Proxy, kind: str, after: int):
    proxy.set(Toxic(kind, after=after, seconds=1.5 if kind == "latency" else 0.05, rate=2_000, size=64))
    with session_on(proxy.url) as session:
        read, written = outcome(session, "GET"), outcome(session, "POST", b"{}")
    assert type(read) is TransientError
    assert isinstance(written, AnswerLost)
    assert proxy.met[kind] == 2, "neither was sent twice"


@pytest.mark.fault("N1")
def test_a_read_is_tried_again_and_a_write_that_may_have_acted_is_not(peer: Peer, proxy: Proxy):
    system = System("shop", Connection(proxy.url))
    session = HttpSession(system, limits=Limits(deadline_s=5), retries=Retries(attempts=3, sleep=lambda _: None))
    proxy.set(Toxic("reset", times=2))
    assert session.get("/A").status == 200
    assert len(peer.seen) == 3
    proxy.set(Toxic("limit_data", after=100, times=3))
    with pytest.raises(AnswerLost):
        session.request("POST", "/A", body=b"{}")
    assert len(peer.seen) == 4
    session.close()


# what comes in another form than asked for


@pytest.mark.fault("R19")
def test_json_is_read_by_its_bytes_whatever_the_header_says(peer: Peer):
    body = '{"d": {"results": [{"Name": "Müller"}]}}'.encode()
    for kind in ("application/json", "application/json; charset=iso-8859-1", "text/plain", ""):
        peer.script(Reply(200, body, {"Content-Type": kind} if kind else {}))
        with session_on(peer.url) as session:
            assert "Müller".encode() in json_bytes(session.get_json("/A"))


@pytest.mark.fault("R19")
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize("kind", ["text/xml", "text/xml; charset=us-ascii", "application/xml"])
def test_xml_is_read_by_its_own_declaration_whatever_the_header_says(peer: Peer, encoding: str, kind: str):
    peer.script(
        Reply(200, f'<?xml version="1.0" encoding="{encoding}"?><a>Müller</a>'.encode(encoding), {"Content-Type": kind})
    )
    with session_on(peer.url) as session:
        assert parse_xml(session.get("/A").body, where="here").text == "Müller"


@pytest.mark.fault("R19")
def test_an_atom_feed_in_place_of_json_is_named(peer: Peer):
    peer.script(
        Reply(
            200,
            b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"/>',
            {"Content-Type": "application/atom+xml"},
        )
    )
    with session_on(peer.url) as session, pytest.raises(ProtocolError, match=r"shop: GET /A: expected JSON, got XML"):
        session.get_json("/A")
