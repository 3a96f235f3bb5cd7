"""A proxy between hub and simulated systems that keeps every answer, so that the replay is what the connector asks for."""

import re
import socket
import threading
from pathlib import Path

from benchmarks.recording import PLACEHOLDER, Index

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HOST = re.compile(rb"\r\nhost: [^\r]*", re.IGNORECASE)
EMPTY = b'{"d":{"results":[]}}'


class Recorder:
    """Forwards `/sap/…` to one system and the rest to the other, and writes what they answer into a folder."""

    def __init__(self, folder: Path, source: int, target: int) -> None:
        self.folder = folder
        self.ports = {True: source, False: target}
        self.index = Index(page_set="/A_BusinessPartner")
        self.batch: tuple[bytes, bytes] | None = None
        self._file = (folder / "pages.bin").open("wb")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop, and write the index with an empty page behind the last."""
        self._listener.close()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(EMPTY)
        self.index.empty = self._append(head + EMPTY)
        self._file.close()
        self.index.write(self.folder)

    def _append(self, answer: bytes) -> tuple[int, int]:
        offset = self._file.tell()
        self._file.write(answer)
        return offset, len(answer)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        upstream: dict[bool, socket.socket] = {}
        with peer:
            while request := _message(peer):
                side = request.partition(b" ")[2].startswith(b"/sap/")
                if side not in upstream:
                    upstream[side] = socket.create_connection(("127.0.0.1", self.ports[side]))
                upstream[side].sendall(HOST.sub(b"\r\nHost: " + PLACEHOLDER, request, count=1))
                answer = _message(upstream[side])
                self._keep(request, answer)
                own = b"127.0.0.1:%d" % self.port
                peer.sendall(answer.replace(PLACEHOLDER, own))
        for opened in upstream.values():
            opened.close()

    def _keep(self, request: bytes, answer: bytes) -> None:
        method, target, _ = request.split(b" ", 2)
        path = target.partition(b"?")[0].decode()
        if method == b"GET" and path.endswith(self.index.page_set):
            found = answer.count(b'.A_BusinessPartnerType"')
            if found:  # the page that ends a read is made anew for any length
                self.index.pages.append(self._append(answer))
            self.index.records += found
            self.index.linked |= b'"__next":' in answer
        elif path.endswith("/$batch"):
            if self.batch is None:
                self.batch = request, answer
        else:
            name = f"{method.decode()} {path}"
            place = self.index.answers.setdefault(name, f"answer-{len(self.index.answers)}.bin")
            (self.folder / place).write_bytes(answer)


def _message(peer: socket.socket) -> bytes:
    """One request or answer, whole; empty at the end of the connection."""
    kept = b""
    while b"\r\n\r\n" not in kept:
        got = peer.recv(65536)
        if not got:
            return b""
        kept += got
    head, _, body = kept.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    pieces, missing = [kept], (int(found.group(1)) if found else 0) - len(body)
    while missing > 0:
        got = peer.recv(min(missing, 1 << 20))
        if not got:
            raise ConnectionResetError("a message ended too early")
        pieces.append(got)
        missing -= len(got)
    return b"".join(pieces)
