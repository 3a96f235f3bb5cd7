"""`$batch`: multipart/mixed in, 202 and multipart/mixed out; a changeset commits as a whole or not at all."""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from dataclasses import dataclass

from sandbox.commerce import address
from sandbox.commerce.errors import CODES, HEADERS, Refused, error, misformed
from sandbox.commerce.service import Service
from sandbox.core import App, Request, Response, Transaction

REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Part:
    """One body part: its headers in lower case, and its content."""

    headers: dict[str, str]
    body: bytes


class _Rollback(Exception):
    """A changeset is undone; carries the answer that takes the place of its answers, None for none at all."""

    def __init__(self, response: Response | None, content_id: str | None) -> None:
        super().__init__()
        self.response = response
        self.content_id = content_id


class Batch:
    """The operations of one request, which are numbered in the order they came."""

    def __init__(self, app: App, service: Service, request: Request, code: str) -> None:
        self.app = app
        self.service = service
        self.request = request
        self.code = code
        self.numbers = itertools.count(1)

    def answer(self) -> Response:
        """The answer to the whole request."""
        try:
            parts = split(self.request.body, self.request.headers.get("content-type", ""))
            limit = self.service.limits.batch
            if len(parts) > limit:
                text = f"The request has {len(parts)} batches, more than the limit of {limit} (odata2services.batch.limit)."
                raise Refused("batch_limit_exceeded", text)
            changesets = [self._operations(part) for part in parts]
        except Refused as refused:
            return refused.response()
        boundary = f"batch_{secrets.token_hex(8)}"
        answered = [self._read(ops[0]) if reads else self._changeset(ops) for reads, ops in changesets]
        body = _joined(boundary, [part for part in answered if part is not None])
        return Response(202, body, f"multipart/mixed; boundary={boundary}", list(HEADERS), "$batch")

    def _operations(self, part: Part) -> tuple[bool, list[Request]]:
        """Whether a part is a lone read, and its operations."""
        kind = part.headers.get("content-type", "")
        if kind.lower().startswith("multipart/mixed"):
            inner = [self._operation(element) for element in split(part.body, kind)]
            if any(operation.method == "GET" for operation in inner) or not inner:
                raise misformed("A changeset holds writes, at least one and no reads.")
            return False, inner
        operation = self._operation(part)
        if operation.method != "GET":
            raise misformed("A write outside a changeset.")
        return True, [operation]

    def _operation(self, part: Part) -> Request:
        head, _, body = part.body.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
        lines = head.decode("utf-8", "replace").split("\n")
        words = lines[0].split(" ")
        if not part.headers.get("content-type", "").startswith("application/http") or len(words) != 3:
            raise misformed("A part of the batch is no HTTP request.")
        path, _, query = address.inner_path(words[1], self.code).partition("?")
        headers = {"accept": self.request.headers.get("accept", "")}
        headers.update((name, value) for name, value in (_header(line) for line in lines[1:]) if name)
        if "content-id" in part.headers:
            headers["content-id"] = part.headers["content-id"]
        number = f"{self.request.id}.{next(self.numbers)}"
        return Request(words[0], path, query, headers, body.strip(b"\n"), number, self.request.base, inner=True)

    def _read(self, operation: Request) -> bytes | None:
        response = self.app.serve_inner(operation, self._served)
        return None if response is None else _http(response, operation.headers.get("content-id"))

    def _served(self, operation: Request) -> Response:
        response = self.service.answer(operation)
        self.app.stats.count(operation, response.kind or "unknown", response.status)
        return response

    def _changeset(self, operations: list[Request]) -> bytes | None:
        """Its answers as a multipart of their own, or the first error in their place."""
        if len(operations) == 1:
            response = self.app.serve_inner(operations[0], self._served)
            if response is None or response.status >= 400:
                return None if response is None else _http(response, operations[0].headers.get("content-id"))
            return _nested([_http(response, operations[0].headers.get("content-id"))])
        done = threading.Event()
        try:
            with self.app.store.write(operations[0].id) as tx:
                answers = [self._one_of_many(operation, tx, done) for operation in operations]
        except _Rollback as undone:
            return None if undone.response is None else _http(undone.response, undone.content_id)
        finally:
            done.set()
        return _nested(answers)

    def _one_of_many(self, operation: Request, tx: Transaction, done: threading.Event) -> bytes:
        """One operation of a larger changeset, in the transaction of all; a fault that takes its answer undoes them.

        A fault that lets it commit late runs it when the changeset is done: then it has a transaction of its own.
        """

        def served(inner: Request) -> Response:
            if done.is_set():
                return self._served(inner)
            try:
                response = self.service.answer(inner, tx)
            except Refused as refused:
                response = refused.response()
            self.app.stats.count(inner, response.kind or "unknown", response.status)
            return response

        response = self.app.serve_inner(operation, served)
        content_id = operation.headers.get("content-id")
        if response is None or response.status >= 400:
            raise _Rollback(response, content_id)
        return _http(response, content_id)


def split(body: bytes, content_type: str) -> list[Part]:
    """The parts of a multipart body; raises Refused where it is none."""
    fields = [field.strip() for field in content_type.split(";")]
    boundary = next((field[9:].strip('"') for field in fields if field.lower().startswith("boundary=")), "")
    marker = re.compile(rb"\n--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\n|$)")
    text = b"\n" + body.replace(b"\r\n", b"\n")
    found = list(marker.finditer(text))
    if not boundary or not found or found[-1][1] is None:
        raise misformed("The body is no multipart/mixed with the boundary of its header, or it ends too early.")
    pieces = [text[here.end() : there.start()] for here, there in itertools.pairwise(found)]
    parts = []
    for piece in pieces:
        # a part without headers starts with the empty line that ends them
        head, _, content = piece.removeprefix(b"\n").partition(b"\n\n")
        headers = dict(_header(line) for line in head.decode("utf-8", "replace").split("\n"))
        parts.append(Part(headers, content))
    return parts


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _http(response: Response, content_id: str | None) -> bytes:
    """One answer as a body part, its headers included."""
    status = f"HTTP/1.1 {response.status} {REASONS.get(response.status, CODES.get(response.status, 'Status'))}"
    headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.body))), *response.headers]
    echo = [f"Content-Id: {content_id}"] if content_id else []
    inner = (
        "\r\n".join([status, *echo, *(f"{name}: {value}" for name, value in headers)]).encode()
        + b"\r\n\r\n"
        + response.body
    )
    head = [
        "Content-Type: application/http",
        f"Content-Length: {len(inner)}",
        "content-transfer-encoding: binary",
        *echo,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + inner


def _nested(answers: list[bytes]) -> bytes:
    boundary = f"changeset_{secrets.token_hex(8)}"
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + _joined(boundary, answers)


def _joined(boundary: str, parts: list[bytes]) -> bytes:
    marker = f"--{boundary}".encode()
    return b"".join(marker + b"\r\n" + part + b"\r\n" for part in parts) + marker + b"--\r\n"


def answer(app: App, service: Service, request: Request) -> Response:
    """The answer to a `$batch` request."""
    if request.method != "POST":
        return error(405, "method_not_allowed", "A batch is a POST.")
    return Batch(app, service, request, address.read(request.path).obj.code).answer()
