"""A small HTTP/1.1 server: one thread a connection, keep-alive, every answer in one write."""

import socket
import socketserver
import time
from http import HTTPStatus

from sandbox.core.app import App, Delivery
from sandbox.core.messages import Request, Response

MAX_BODY = 256 * 1024 * 1024
REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(ValueError):
    """What arrived is no HTTP request."""


class Server(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1 only and hands every request to one App."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        super().__init__(("127.0.0.1", port), _Connection)

    @property
    def url(self) -> str:
        """The address clients use."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients go away in the middle of an answer, some tests make them."""


class _Connection(socketserver.StreamRequestHandler):
    server: Server
    disable_nagle_algorithm = True
    rbufsize = 64 * 1024

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except (BadRequest, ValueError):
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _one(self) -> bool:
        """Serve one request; whether the connection stays open."""
        request = self._read()
        if request is None:
            return False
        delivery = self.server.app.serve(request)
        if delivery.response is None:
            self._drop()
            return False
        keep = request.headers.get("connection", "").lower() != "close" and delivery.cut_after is None
        self._send(request, delivery, keep)
        return keep

    def _read(self) -> Request | None:
        line = self.rfile.readline(65537)
        while line in (b"\r\n", b"\n"):
            line = self.rfile.readline(65537)
        if not line:
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(line)
        headers = self._headers()
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        target = words[1] if words[1].startswith("/") else "/" + words[1].split("/", 3)[-1]
        path, _, query = target.partition("?")
        return Request(
            words[0].upper(),
            path,
            query,
            headers,
            self._body(headers),
            headers.get("x-request-id") or self.server.app.next_id(),
            f"http://{headers.get('host') or self.server.url[7:]}",
        )

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while True:
            line = self.rfile.readline(65537)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadRequest(line)
            headers[name.strip().lower()] = value.strip()

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(headers.get("content-length") or 0)
        if length > MAX_BODY:
            raise BadRequest(f"body of {length} bytes")
        return self.rfile.read(length) if length else b""

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(100).split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline(10)
        self._headers()
        return b"".join(parts)

    def _send(self, request: Request, delivery: Delivery, keep: bool) -> None:
        response = delivery.response or Response()
        body = response.body
        hide_length = delivery.cut_after is not None and not delivery.keep_length
        head = self._head(response, None if hide_length else len(body), keep)
        if request.method == "HEAD":
            body = b""
        if delivery.cut_after is not None:
            self.wfile.write(head + body[: delivery.cut_after])
        elif delivery.drip_bytes is not None:
            self.wfile.write(head)
            self._drip(body, delivery.drip_bytes, delivery.drip_seconds)
        else:
            self.wfile.write(head + body)

    def _head(self, response: Response, length: int | None, keep: bool) -> bytes:
        status = response.status
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        if not any(name.lower() == "date" for name, _ in response.headers):
            lines.append(f"Date: {self.server.app.clock.http_date()}")
        lines += [f"{name}: {value}" for name, value in response.headers]
        if status not in (204, 304):
            lines.append(f"Content-Type: {response.content_type}")
            if length is not None:
                lines.append(f"Content-Length: {length}")
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def _drip(self, body: bytes, size: int, seconds: float) -> None:
        for start in range(0, len(body), max(size, 1)):
            self.wfile.write(body[start : start + size])
            time.sleep(seconds)

    def _drop(self) -> None:
        """Close so that the client sees the connection end without one byte of an answer."""
        self.request.shutdown(socket.SHUT_RDWR)
