"""What was recorded of the simulated systems: pages in one file, the rest in small ones, an index beside them."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

PLACEHOLDER = b"127.0.0.1:00000"
"""Stands in recorded addresses for the one the replay server will listen on."""


@dataclass(slots=True)
class Index:
    """Where the parts of a recording are: places (offset, size) in `pages.bin`, file names of the other answers.

    `linked`: the pages hold links to the next one, so their addresses must be those of the server that replays them.
    """

    page_set: str
    records: int = 0
    linked: bool = False
    pages: list[tuple[int, int]] = field(default_factory=list)
    empty: tuple[int, int] = (0, 0)
    answers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Index":
        found = json.loads((folder / "index.json").read_text())
        found["pages"] = [tuple(place) for place in found["pages"]]
        found["empty"] = tuple(found["empty"])
        return cls(**found)

    def write(self, folder: Path) -> None:
        (folder / "index.json").write_text(json.dumps(asdict(self)))


def batch_answer(part: bytes, rows: int) -> bytes:
    """A `202 multipart/mixed` with that many changesets, each of one recorded `201 Created`."""
    pieces = [
        b"--batch_replay\r\nContent-Type: multipart/mixed; boundary=changeset_%d\r\n\r\n"
        b"--changeset_%d\r\n%b\r\n--changeset_%d--\r\n\r\n" % (number, number, _numbered(part, number), number)
        for number in range(1, rows + 1)
    ]
    body = b"".join(pieces) + b"--batch_replay--\r\n"
    head = (
        "HTTP/1.1 202 Accepted\r\nContent-Type: multipart/mixed; boundary=batch_replay\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + body


def _numbered(part: bytes, number: int) -> bytes:
    return part.replace(b"@@", str(number).encode())
