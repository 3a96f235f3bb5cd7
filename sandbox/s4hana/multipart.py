"""`multipart/mixed` bodies of `$batch`: parsed to the letter, CRLF and all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.core import Response
from sandbox.core.server import REASONS
from sandbox.s4hana.errors import failure

BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]")
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its own headers (names in lower case) and everything behind the blank line."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """The HTTP request inside a part; `content_id` comes from the part's or the request's headers."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None


def boundary_of(content_type: str) -> str:
    """The boundary a content type names."""
    match = BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/mixed") or match is None:
        raise failure(400, "A batch needs the content type multipart/mixed with a boundary")
    return match[1].strip()


def split(body: bytes, boundary: str) -> list[Part]:
    """The parts of a body; lines must end with CRLF, and the closing delimiter must be there."""
    mark = b"--" + boundary.encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise failure(400, f"Malformed batch: no closing delimiter --{boundary}-- (lines must end with CRLF)")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, blank, rest = piece.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n"):
        raise failure(400, "Malformed batch: a part needs headers and a blank line (lines must end with CRLF)")
    return Part(parse_headers(head[2:]), rest)


def parse_headers(head: bytes) -> dict[str, str]:
    """Header lines; a bare LF ends the request."""
    headers = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon or "\n" in value:
            raise failure(400, f"Malformed batch: '{line[:40].decode('utf-8', 'replace')}' is no header line")
        headers[name.strip().lower()] = value.strip()
    return headers


def operation(part: Part) -> Operation:
    """The request a part of type `application/http` carries."""
    if not part.headers.get("content-type", "").lower().startswith("application/http"):
        raise failure(400, "Malformed batch: a part must be application/http or multipart/mixed")
    head, _, body = part.body.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    match = REQUEST_LINE.fullmatch(first.decode("utf-8", "replace"))
    if match is None:
        raise failure(400, f"Malformed batch: '{first[:60].decode('utf-8', 'replace')}' is no request line")
    headers = parse_headers(rest) if rest.strip() else NO_HEADERS
    length = headers.get("content-length", "")
    if length.isdigit():
        body = body[: int(length)]
    return Operation(match[1], match[2], headers, body, part.headers.get("content-id", headers.get("content-id")))


def joined(parts: list[tuple[Mapping[str, str], bytes]], boundary: str) -> bytes:
    """Parts put together to a body."""
    out = bytearray()
    for headers, body in parts:
        out += f"--{boundary}\r\n".encode()
        out += "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        out += b"\r\n" + body + b"\r\n"
    out += f"--{boundary}--\r\n".encode()
    return bytes(out)


def http_part(response: Response, content_id: str | None) -> tuple[Mapping[str, str], bytes]:
    """An answer as a part."""
    status = response.status
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    if status != 204:
        lines.append(f"Content-Type: {response.content_type}")
    lines.append(f"Content-Length: {len(response.body)}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    if content_id is not None:
        lines.append(f"content-id: {content_id}")
    body = "\r\n".join(lines).encode() + b"\r\n\r\n" + response.body
    headers = {
        "Content-Type": "application/http",
        "Content-Length": str(len(body)),
        "content-transfer-encoding": "binary",
    }
    return headers, body
