"""OData v2 `$batch`: one changeset for each record, and the answer taken apart part by part.

A changeset is all or nothing; the changesets of one batch stand alone, so one bad record does not touch its neighbours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from l2c.contract import Request

_BATCH = "batch_l2c"
_CHANGESET = "changeset_l2c"
_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: [^\r\n]*)?\r?\n")
_CONTENT_ID = re.compile(rb"^content-id:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CONTENT_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one request of a batch; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


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
    Content-ID where the server repeats it, else by order. A changeset whose answer is missing or cannot be read is None:
    what became of it is not known. Nothing raises: a damaged answer leaves its rest None.
    """
    found: list[tuple[Part, ...] | None] = [None] * len(sizes)
    owners = [index for index, size in enumerate(sizes) for _ in range(size)]
    for order, (parts, numbers) in enumerate(_answers(content_type, body)):
        owner = _owner(numbers, owners, order)
        if owner is None or owner >= len(found) or found[owner] is not None:
            continue
        complete = len(parts) == sizes[owner] or (len(parts) == 1 and parts[0].status >= 300)
        if parts and complete:
            found[owner] = parts
    return found


def _owner(numbers: list[int], owners: list[int], order: int) -> int | None:
    if not numbers:
        return order
    named = {owners[number - 1] for number in numbers if 0 < number <= len(owners)}
    return named.pop() if len(named) == 1 else None


def _answers(content_type: str, body: bytes) -> Iterator[tuple[tuple[Part, ...], list[int]]]:
    """Each top-level part: a changeset's parts, or the single refusal of one; with the Content-IDs they repeat."""
    for head, content in _split(content_type, body):
        kind = _CONTENT_TYPE.search(head)
        text = kind.group(1).decode("latin-1") if kind else ""
        nested = text.lower().startswith("multipart/")
        pieces = list(_split(text, content)) if nested else [(head, content)]
        parts: list[Part] = []
        numbers: list[int] = []
        for inner_head, inner in pieces:
            part = _part(inner)
            if part is None:
                break
            parts.append(part)
            number = _number(inner_head, part)
            if number is not None:
                numbers.append(number)
        yield (tuple(parts) if len(parts) == len(pieces) else ()), numbers


def _number(head: bytes, part: Part) -> int | None:
    found = _CONTENT_ID.search(head)
    text = found.group(1).decode("latin-1") if found else part.headers.get("content-id", "")
    text = text.strip("<>")
    return int(text) if text.isascii() and text.isdigit() else None


def _split(content_type: str, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Head and content of each part between boundaries; a part without its closing boundary is not given out."""
    found = _BOUNDARY.search(content_type)
    if not found:
        return
    boundary = b"--" + (found.group(1) or found.group(2)).encode("latin-1", "replace")
    pieces = (b"\n" + body).split(b"\n" + boundary)
    for index, piece in enumerate(pieces[1:], start=1):
        if piece.startswith(b"--") or index == len(pieces) - 1:
            return
        # the line break before a boundary belongs to the boundary
        inner = piece.removesuffix(b"\r")
        inner = inner.removeprefix(b"\r\n") if inner.startswith(b"\r\n") else inner.removeprefix(b"\n")
        cut = _BLANK.search(inner)
        if inner[:1] in {b"\r", b"\n"}:
            yield b"", inner.lstrip(b"\r\n")
        elif cut:
            yield inner[: cut.start()], inner[cut.end() :]
        else:
            yield inner, b""


def _part(content: bytes) -> Part | None:
    """One HTTP answer inside a part."""
    found = _STATUS.match(content)
    if not found:
        return None
    rest = content[found.end() :]
    cut = _BLANK.search(b"\n" + rest)
    head, body = (rest[: max(cut.start() - 1, 0)], rest[cut.end() - 1 :]) if cut else (rest, b"")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "")
    if length.isdigit():
        if int(length) > len(body):
            return None
        body = body[: int(length)]
    return Part(int(found.group(1)), headers, body)
