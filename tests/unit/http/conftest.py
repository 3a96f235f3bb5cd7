"""A scriptable HTTP peer on a raw socket: it can do everything a broken server does."""

import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from l2c.contract import Connection, System
from l2c.http import HttpSession, Limits, Retries


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What goes back: `head` and `body` as bytes; `pause` seconds before each piece of `drip` bytes; `close` afterwards."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = -1
    drip: int = 0
    pause: float = 0.0
    close: bool = False
    silent: bool = False
    raw: bytes | None = None

    def pieces(self) -> Iterator[bytes]:
        data = self.raw if self.raw is not None else self._head() + self.body
        step = self.drip or len(data) or 1
        for start in range(0, len(data), step):
            yield data[start : start + step]

    def _head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.length is not None:
            lines.append(f"Content-Length: {len(self.body) if self.length == -1 else self.length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(content, status=200, **headers) -> Reply:
    """A JSON answer; header names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


class Peer:
    """Answers every request with `handler(seen)`; what came is in `seen`."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.handler: Callable[[Seen], Reply] = lambda _: answer({"d": {"results": []}})
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, *replies: Reply) -> None:
        """Answer with these in turn, the last one again and again."""
        left = list(replies)
        lock = threading.Lock()

        def handler(_: Seen) -> Reply:
            with lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.handler = handler

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def end(self) -> None:
        if self._listener.fileno() != -1:
            self.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while (seen := _read(stream)) is not None:
                    self.seen.append(seen)
                    reply = self.handler(seen)
                    if reply.silent:
                        return
                    for piece in reply.pieces():
                        if reply.pause:
                            time.sleep(reply.pause)
                        connection.sendall(piece)
                    if reply.close:
                        return
            except OSError:
                return


def _read(stream) -> Seen | None:
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode().split()
    headers = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return Seen(method, target, headers, stream.read(int(headers.get("content-length", 0))))


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.end()


@pytest.fixture
def other_peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.end()


class TlsPeer:
    """An https server with a certificate of its own CA; `drip` sends one byte in a while."""

    def __init__(self, folder) -> None:
        self.drip = False
        self.ca_file = folder / "ca.pem"
        key_file = folder / "key.pem"
        _certificate(self.ca_file, key_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key_file)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as secured, secured.makefile("rb") as stream:
                if _read(stream) is None:
                    return
                whole = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n" + b"x" * 100
                for start in range(0, len(whole), 1 if self.drip else len(whole)):
                    if self.drip:
                        time.sleep(0.05)
                    secured.sendall(whole[start : start + (1 if self.drip else len(whole))])
        except OSError:
            connection.close()


def _certificate(cert_file, key_file) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key_file.write_bytes(private)


@pytest.fixture
def tls_peer(tmp_path) -> Iterator[TlsPeer]:
    made = TlsPeer(tmp_path)
    yield made
    made.close()


@pytest.fixture
def waits() -> list[float]:
    """What the session would have slept."""
    return []


@pytest.fixture
def session_for(waits):
    """Builds sessions on a peer that never really sleep."""
    made = []

    def build(peer, *, path="/service", limits=None, retries=None, system=None, **options) -> HttpSession:
        if system is None:
            system = System("shop", Connection(peer.url + path, "user", SecretStr("secret")))
        limits = limits or Limits(deadline_s=5, silence_s=5, connect_s=2)
        session = HttpSession(system, limits=limits, retries=retries or Retries(sleep=waits.append), **options)
        made.append(session)
        return session

    yield build
    for session in made:
        session.close()


@pytest.fixture
def reply():
    return Reply


@pytest.fixture(name="answer")
def answer_fixture():
    return answer
