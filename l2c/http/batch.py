"""OData v2 `$batch`: one changeset for each record, and the answer taken apart part by part.

A changeset is all or nothing; the changesets of one batch stand alone, so one bad record does not touch its neighbours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from l2c.contract import Request

_BATCH = "batch_l2c"
_CHANGESET = "changeset_l2c"
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_STATUS = re.compile(rb"\s*HTTP/\d(?:\.\d)? (\d{3})[^\n]*\n")
_CONTENT_ID = re.compile(rb"content-id:[ \t]*<?(\d{1,9})>?[ \t\r]*(?:\n|$)", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,12})[ \t\r]*(?:\n|$)", re.IGNORECASE)
_MULTIPART = re.compile(rb"content-type:[ \t]*multipart/", re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """The answer to one request of a batch: its status, its header lines as bytes, its body."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by lower-case name."""
        pairs = (line.partition(":") for line in self.head.decode("latin-1").splitlines())
        return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}

    def __repr__(self) -> str:
        """Without headers and body: both may hold personal data."""
        return f"Part(status={self.status})"


def write_batch(changesets: Sequence[Sequence[Request]]) -> tuple[str, bytes]:
    """Content type and body of a `$batch` with one changeset for each sequence of requests.

    Requests are numbered through the whole batch by Content-ID, from 1 on.
    """
    parts: list[bytes] = []
    number = 0
    for index, requests in enumerate(changesets):
        changeset = f"{_CHANGESET}_{index}"
        parts.append(f"--{_BATCH}\r\nContent-Type: multipart/mixed; boundary={changeset}\r\n\r\n".encode())
        for request in requests:
            number += 1
            parts.append(_part_head(changeset, number, request))
            parts.append(request.body or b"")
            parts.append(b"\r\n")
        parts.append(f"--{changeset}--\r\n\r\n".encode())
    parts.append(f"--{_BATCH}--\r\n".encode())
    return f"multipart/mixed; boundary={_BATCH}", b"".join(parts)


def _part_head(changeset: str, number: int, request: Request) -> bytes:
    lines = [
        f"--{changeset}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {number}",
        "",
        f"{request.method} {request.path} HTTP/1.1",
        f"Content-ID: {number}",
        "Accept: application/json",
    ]
    if request.body is not None:
        lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(request.body)}")
    lines.extend(f"{name}: {value}" for name, value in request.headers.items())
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_batch(content_type: str, body: bytes, sizes: Sequence[int]) -> list[tuple[Part, ...] | None]:
    """The parts of each changeset, in the order sent; `sizes` are the numbers of requests in each.

    A changeset that succeeded has one part for each request; a refused one has a single part. Parts are matched by
    Content-ID where the server repeats it, else by order where none is missing. A changeset whose answer is missing or
    cannot be read is None: what became of it is not known. Nothing raises: a damaged answer leaves its rest None.
    """
    found: list[tuple[Part, ...] | None] = [None] * len(sizes)
    owners = [index for index, size in enumerate(sizes) for _ in range(size)]
    answers = list(_answers(content_type, body))
    for owner, (parts, _) in zip(_placed([_owner(n, owners) for _, n in answers], len(sizes)), answers, strict=True):
        if owner is None or found[owner] is not None:
            continue
        if len(parts) == sizes[owner] or (len(parts) == 1 and parts[0].status >= 300):
            found[owner] = parts or None
    return found


_NAMELESS, _NOBODY = -1, -2


def _owner(numbers: list[int], owners: list[int]) -> int:
    """The changeset that was sent with these Content-IDs."""
    if not numbers:
        return _NAMELESS
    named = {owners[number - 1] if 0 < number <= len(owners) else _NOBODY for number in numbers}
    return named.pop() if len(named) == 1 else _NOBODY


def _placed(named: Sequence[int], changesets: int) -> list[int | None]:
    """The changeset of each answer: those without a name only where just as many are missing between two that have one.

    A refusal often has no name. Were it taken by order alone, it would be taken for the answer of a changeset whose own
    answer is missing: that one would be sent again although it may have acted.
    """
    placed: list[int | None] = [owner if owner >= 0 else None for owner in named]
    anchors = [(-1, -1), *((at, owner) for at, owner in enumerate(named) if owner >= 0), (len(named), changesets)]
    if any(before >= after for (_, before), (_, after) in pairwise(anchors)):
        return placed  # in an order of its own, or one answered twice
    for (left, before), (right, after) in pairwise(anchors):
        if right - left == after - before:
            for at in range(left + 1, right):
                if named[at] == _NAMELESS:
                    placed[at] = before + at - left
    return placed


def _answers(content_type: str, body: bytes) -> Iterator[tuple[tuple[Part, ...], list[int]]]:
    """Each top-level part: a changeset's parts, or the single refusal of one; with the Content-IDs they repeat."""
    end = b"\r\n" if b"\r\n" in body else b"\n"
    for head, content in _split(content_type.encode("latin-1", "replace"), body, end):
        nested = _MULTIPART.search(head)
        pieces = list(_split(head, content, end)) if nested else [(head, content)]
        parts: list[Part] = []
        numbers: list[int] = []
        for inner_head, inner in pieces:
            part = _part(inner, end)
            if part is None:
                break
            parts.append(part)
            number = _CONTENT_ID.search(inner_head) or _CONTENT_ID.search(part.head)
            if number:
                numbers.append(int(number[1]))
        yield (tuple(parts) if len(parts) == len(pieces) else ()), numbers


def _split(described: bytes, body: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Head and content of each part between boundaries; a part without a boundary behind it is not given out."""
    found = _BOUNDARY.search(described)
    if not found:
        return
    boundary = end + b"--" + (found[1] or found[2])
    blank = end + end
    pieces = (end + body).split(boundary)
    for piece in pieces[1:-1]:
        if piece.startswith(b"--"):
            return
        if piece.startswith(blank):
            yield b"", piece[len(blank) :]
            continue
        head, _, content = piece.partition(blank)
        yield head, content


def _part(content: bytes, end: bytes) -> Part | None:
    """One HTTP answer inside a part; None when it is none, or shorter than it says."""
    found = _STATUS.match(content)
    if not found:
        return None
    start = found.end()
    if content.startswith(end, start):
        head, body = b"", content[start + len(end) :]
    else:
        head, _, body = content[start:].partition(end + end)
    length = _LENGTH.search(head)
    if length:
        size = int(length[1])
        if size > len(body):
            return None
        body = body[:size]
    return Part(int(found[1]), head, body)
