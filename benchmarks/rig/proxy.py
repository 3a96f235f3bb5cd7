"""A TCP proxy on loopback that spoils connections: eight toxics, each from a given byte of the answer on."""

import contextlib
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

KINDS = ("latency", "bandwidth", "slicer", "limit_data", "reset", "half_close", "black_hole", "refuse")
CHUNK = 16_384
LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Toxic:
    """What happens to bytes from the server to the client.

    latency: each chunk comes `seconds` later · bandwidth: `rate` bytes a second · slicer: pieces of `size` bytes, `seconds`
    apart · limit_data: closed after `after` bytes · reset: an RST after `after` bytes · half_close: the server's side ends
    after `after` bytes, the connection stays · black_hole: nothing comes after `after` bytes, the connection stays ·
    refuse: nobody listens. `times`: how many connections it meets, None for all.
    """

    kind: str
    after: int = 0
    seconds: float = 0.05
    rate: int = 50_000
    size: int = 64
    times: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown toxic '{self.kind}'; known: {', '.join(KINDS)}")


class Proxy:
    """Passes connections on to one server; `met` counts how many each toxic has met."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (parts.hostname or "127.0.0.1", int(parts.port or 80))
        self._toxic: Toxic | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.met: Counter[str] = Counter()
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._ended = threading.Event()

    @property
    def url(self) -> str:
        """The address clients use."""
        return f"http://127.0.0.1:{self.port}"

    def set(self, toxic: Toxic | None) -> None:
        """Put a toxic in force, or none; connections that are open already end, so that the next ones meet it."""
        with self._lock:
            was, self._toxic = self._toxic, toxic
            open_ones = list(self._open)
        for one in open_ones:
            _end(one)
        if toxic is not None and toxic.kind == "refuse":
            _end(self._listener)
            self.met["refuse"] += 1
        elif was is not None and was.kind == "refuse":
            self._listener = self._listen(self.port)
            self.start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._ended.set()
        _end(self._listener)
        with self._lock:
            open_ones = list(self._open)
        for one in open_ones:
            _end(one)

    def _listen(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(128)
        return made

    def start(self) -> None:
        """Take connections."""
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._server, timeout=10)
        except OSError:
            _end(client)
            return
        for one in (client, server):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        threading.Thread(target=self._up, args=(client, server), daemon=True).start()
        keep = _down(server, client, self._pick())
        for one in (server,) if keep else (client, server):
            _end(one)
        with self._lock:
            self._open -= {server} if keep else {client, server}

    def _pick(self) -> Toxic | None:
        with self._lock:
            toxic = self._toxic
            if toxic is None:
                return None
            if toxic.times is not None and self.met[toxic.kind] >= toxic.times:
                return None
            self.met[toxic.kind] += 1
            return toxic

    @staticmethod
    def _up(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)


def _down(server: socket.socket, client: socket.socket, toxic: Toxic | None) -> bool:
    """Pass the answers on; whether the client's connection is to stay open although nothing more comes."""
    passed = 0
    with contextlib.suppress(OSError):
        while data := server.recv(CHUNK):
            if toxic is not None and toxic.kind in ("limit_data", "reset", "half_close", "black_hole"):
                data, whole = data[: max(toxic.after - passed, 0)], len(data) <= toxic.after - passed
                client.sendall(data)
                passed += len(data)
                if not whole:
                    return _spoil(client, toxic)
                continue
            _pass(client, data, toxic)
    return False


def _pass(client: socket.socket, data: bytes, toxic: Toxic | None) -> None:
    """Late, slowly, in pieces, or just so."""
    if toxic is None:
        client.sendall(data)
    elif toxic.kind == "latency":
        time.sleep(toxic.seconds)
        client.sendall(data)
    elif toxic.kind == "bandwidth":
        for start in range(0, len(data), 1024):
            client.sendall(data[start : start + 1024])
            time.sleep(len(data[start : start + 1024]) / toxic.rate)
    else:
        for start in range(0, len(data), toxic.size):
            client.sendall(data[start : start + toxic.size])
            time.sleep(toxic.seconds)


def _spoil(client: socket.socket, toxic: Toxic) -> bool:
    if toxic.kind == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        client.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it, and sends no FIN
        client.close()
        return False
    if toxic.kind == "half_close":
        client.shutdown(socket.SHUT_WR)
    return toxic.kind in ("half_close", "black_hole")


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxied(server: str) -> Iterator[Proxy]:
    """A proxy in front of that address, ended afterwards."""
    made = Proxy(server)
    made.start()
    try:
        yield made
    finally:
        made.close()
