"""A server before a simulated system: passes everything on, and answers one kind of request with bytes of its own."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Pairs = Sequence[tuple[str, str]]
HOP = frozenset({"connection", "transfer-encoding", "content-length", "host", "accept-encoding", "date", "server"})


@dataclass(frozen=True)
class Recorded:
    """An answer: status, content type, body."""

    status: int
    kind: str
    body: bytes


@dataclass
class Front:
    """`armed` is given to requests whose method and target begin so, cut after `cut` bytes; `last` is what such one got."""

    upstream: str
    wanted: str
    armed: Recorded | None = None
    cut: int | None = None
    keep_length: bool = False
    last: Recorded | None = None
    hits: int = 0
    url: str = field(default="", init=False)


@contextmanager
def front(upstream: str, wanted: str) -> Iterator[Front]:
    """Serves until this ends."""
    state = Front(upstream.rstrip("/"), wanted)

    class Handler(_Handler):
        front = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    front: Front
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        state = self.front
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else None
        ours = f"{self.command} {self.path}".find(state.wanted) >= 0
        if ours and state.armed is not None:
            state.hits += 1
            self._give(state.armed, (), state.cut)
            return
        answer, headers = self._pass(body)
        if ours:
            state.last = answer
        self._give(answer, headers, None)

    def _pass(self, body: bytes | None) -> tuple[Recorded, Pairs]:
        place = urlsplit(self.front.upstream)
        peer = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        try:
            peer.request(self.command, self.path, body, headers)
            answer = peer.getresponse()
            found = Recorded(answer.status, answer.headers.get("Content-Type", ""), answer.read())
            told = [pair for pair in answer.headers.items() if pair[0].lower() not in HOP | {"content-type"}]
            return found, told
        finally:
            peer.close()

    def _give(self, answer: Recorded, headers: Pairs, cut: int | None) -> None:
        self.send_response(answer.status)
        for name, value in headers:
            self.send_header(name, value)
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
        if cut is None or self.front.keep_length:
            self.send_header("Content-Length", str(len(answer.body)))
        if cut is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body if cut is None else answer.body[:cut])
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_HEAD = _answer  # noqa: N815  # names the library asks for

    def log_message(self, *_: object) -> None:
        """Nothing."""
