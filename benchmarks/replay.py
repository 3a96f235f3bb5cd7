"""The server of the measurements: sends recorded bytes, knows no protocol beyond finding the end of a request.

`python -m benchmarks.replay FOLDER` prints one JSON line `{"port": …, "pid": …}` and serves until it is ended. It answers
the n-th read of the partner set with the n-th recorded page straight from the file (`sendfile`), a `$batch` with the
recorded answer for that many changesets, everything else (metadata, tokens) with what was recorded for that path. A read
longer than the recording gets the same pages again with other partner and customer numbers.
"""

import json
import os
import re
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.recording import PLACEHOLDER, Index, batch_answer

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
CHANGESET = b"\r\nContent-Type: application/http\r\n"
CONTROL = b"/_bench/"
NUMBER = re.compile(rb"(['\"])1(\d{6,7}['\"])")
"""Partner and customer numbers of the recording, wherever they stand."""
MOST_HEAD = 64 * 1024


@dataclass(slots=True)
class Replay:
    """What is served, and what was served since the last `/_bench/begin`."""

    pages: int
    file: int
    index: Index
    answers: dict[str, bytes]
    part: bytes
    page_set: bytes
    limit: int = 0
    served: int = 0
    batches: int = 0
    rows: int = 0
    cpu: float = 0.0
    unknown: list[str] = field(default_factory=list)
    batch_answers: dict[int, bytes] = field(default_factory=dict)


class Connection:
    """One client connection: requests in, recorded bytes out, one after the other."""

    def __init__(self, peer: socket.socket, replay: Replay) -> None:
        self.peer = peer
        self.replay = replay
        self.buffer = bytearray(MOST_HEAD)
        self.body = bytearray()

    def serve(self) -> None:
        with self.peer:
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            filled = 0
            while True:
                end = self.buffer.find(HEAD_END, 0, filled)
                while end < 0:
                    got = self.peer.recv_into(memoryview(self.buffer)[filled:])
                    if not got:
                        return
                    filled += got
                    end = self.buffer.find(HEAD_END, 0, filled)
                head = bytes(self.buffer[:end])
                found = LENGTH.search(head)
                length = int(found.group(1)) if found else 0
                start = end + len(HEAD_END)
                early = min(filled - start, length)
                body = self.receive(start, early, length)
                rest = filled - start - early
                self.buffer[:rest] = self.buffer[start + early : filled]
                filled = rest
                self.answer(head, body)

    def receive(self, start: int, early: int, length: int) -> memoryview:
        """The body: what came with the head, then the rest in as few receives as the system allows."""
        if len(self.body) < length:
            self.body = bytearray(length)
        view = memoryview(self.body)
        view[:early] = memoryview(self.buffer)[start : start + early]
        while early < length:
            got = self.peer.recv_into(view[early:length], length - early, socket.MSG_WAITALL)
            if not got:
                raise ConnectionResetError
            early += got
        return view[:length]

    def answer(self, head: bytes, body: memoryview) -> None:
        method, _, rest = head.partition(b" ")
        target = rest[: rest.index(b" ")]
        path = target.partition(b"?")[0]
        replay = self.replay
        if method == b"GET" and path.endswith(replay.page_set):
            self.page()
        elif path.endswith(b"/$batch"):
            self.batch(body)
        elif path.startswith(CONTROL):
            self.control(target)
        else:
            self.other(f"{method.decode()} {path.decode()}")

    def page(self) -> None:
        replay = self.replay
        number = replay.served
        replay.served += 1
        if number >= replay.limit:
            self.send(*replay.index.empty)
            return
        turn, place = divmod(number, replay.pages)
        offset, size = replay.index.pages[place]
        if turn == 0:
            self.send(offset, size)
        else:
            page = os.pread(replay.file, size, offset)
            self.peer.sendall(NUMBER.sub(rb"\g<1>%d\g<2>" % (turn + 1), page))

    def send(self, offset: int, size: int) -> None:
        while size:
            sent = os.sendfile(self.peer.fileno(), self.replay.file, offset, size)
            offset += sent
            size -= sent

    def batch(self, body: memoryview) -> None:
        replay = self.replay
        rows = self.body.count(CHANGESET, 0, len(body))
        replay.batches += 1
        replay.rows += rows
        if rows not in replay.batch_answers:
            replay.batch_answers[rows] = batch_answer(replay.part, rows)
        self.peer.sendall(replay.batch_answers[rows])

    def other(self, name: str) -> None:
        answer = self.replay.answers.get(name)
        if answer is None:
            self.replay.unknown.append(name)
            answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self.peer.sendall(answer)

    def control(self, target: bytes) -> None:
        replay = self.replay
        if target.startswith(b"/_bench/begin"):
            replay.limit = int(target.partition(b"=")[2])
            replay.served = replay.batches = replay.rows = 0
            replay.cpu = time.process_time()
        text = json.dumps(
            {
                "pages": replay.served,
                "batches": replay.batches,
                "rows": replay.rows,
                "cpu": time.process_time() - replay.cpu,
                "unknown": replay.unknown,
            }
        )
        self.peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())


def load(folder: Path, port: int) -> Replay:
    """The recordings, with the placeholder address replaced by our own (of equal length, so that offsets hold)."""
    index = Index.read(folder)
    own = f"127.0.0.1:{port}".encode()
    if len(own) != len(PLACEHOLDER):
        raise SystemExit(f"port {port} has not five digits")
    file = _linked_to(folder, index, own) if index.linked else os.open(folder / "pages.bin", os.O_RDONLY)
    answers = {name: (folder / place).read_bytes().replace(PLACEHOLDER, own) for name, place in index.answers.items()}
    part = (folder / "part.bin").read_bytes().replace(PLACEHOLDER, own)
    return Replay(len(index.pages), file, index, answers, part, index.page_set.encode())


def _linked_to(folder: Path, index: Index, own: bytes) -> int:
    """A copy of the pages with our address in the place of the placeholder, gone when we are."""
    made = folder / f"pages-{os.getpid()}.bin"
    with (folder / "pages.bin").open("rb") as plain, made.open("wb") as ours:
        for offset, size in [*index.pages, index.empty]:
            plain.seek(offset)
            ours.seek(offset)
            ours.write(plain.read(size).replace(PLACEHOLDER, own))
    file = os.open(made, os.O_RDONLY)
    made.unlink()
    return file


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    replay = load(Path(sys.argv[1]), port)
    print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=_quietly, args=(Connection(peer, replay),), daemon=True).start()


def _quietly(connection: Connection) -> None:
    try:
        connection.serve()
    except ConnectionError:
        return  # a client that was ended is no news here


if __name__ == "__main__":
    main()
