"""`$batch`: reads and changesets in one request; a changeset happens as a whole or not at all."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.core import App, Request, Response
from sandbox.s4hana.errors import ODataError, error_response, failure
from sandbox.s4hana.model import PREFIX, relative, service_of
from sandbox.s4hana.multipart import Operation, Part, boundary_of, http_part, joined, operation, split
from sandbox.s4hana.service import WRITES, Service, kind_of

OUTER, INNER = "ejjeeffe0", "ejjeeffe1"

Piece = tuple[Mapping[str, str], bytes]


class Batch:
    """Answers `POST …/$batch`."""

    def __init__(self, app: App, service: Service) -> None:
        self.app = app
        self.service = service

    def answer(self, request: Request) -> Response:
        """The whole batch; a part that fails does not stop the ones behind it."""
        refused = self.service.security.refuse(request)
        if refused is not None:
            refused.kind = "$batch"
            return refused
        try:
            response = self._run(request)
        except ODataError as error:
            response = error_response(request, error)
        response.kind = "$batch"
        return response

    def _run(self, request: Request) -> Response:
        # everything is parsed before anything runs: a malformed batch changes nothing
        parts = [_parsed(part) for part in split(request.body, boundary_of(request.headers.get("content-type", "")))]
        limit = self.service.settings.max_batch_parts
        if limit and len(parts) > limit:
            raise failure(400, f"The batch has {len(parts)} parts, {limit} are allowed")
        pieces = []
        for number, part in enumerate(parts, 1):
            name = f"{request.id}.{number}"
            if isinstance(part, Operation):
                pieces.append(self._read(request, part, name))
            else:
                pieces.append(self._changeset(request, part, name))
        # a part that a fault took is missing
        body = joined([piece for piece in pieces if piece is not None], OUTER)
        return Response(202, body, f"multipart/mixed; boundary={OUTER}", [("dataserviceversion", "2.0")])

    def _read(self, outer: Request, found: Operation, name: str) -> Piece | None:
        request = _inner(outer, found, name)
        if found.method != "GET":
            error = failure(400, f"{found.method} must be inside a changeset")
            return http_part(error_response(request, error), found.content_id)
        response = self.app.serve_inner(request)
        return None if response is None else http_part(response, found.content_id)

    def _changeset(self, outer: Request, operations: list[Operation], name: str) -> Piece | None:
        requests = [_inner(outer, found, f"{name}.{number}") for number, found in enumerate(operations, 1)]
        answers: list[Piece] = []

        def run(_: Request) -> Response:
            responses = self._all_or_nothing(requests, operations)
            answers.extend(http_part(r, o.content_id) for r, o in zip(responses, operations, strict=False))
            return responses[-1]

        response = self.app.serve_changeset(requests, run)
        if response is None:
            return None
        if answers and response.status < 400:
            return {"Content-Type": f"multipart/mixed; boundary={INNER}"}, joined(answers, INNER)
        return http_part(response, None)

    def _all_or_nothing(self, requests: list[Request], operations: list[Operation]) -> list[Response]:
        """Every operation in one transaction; the first failure undoes all and is the only answer."""
        done: list[Response] = []
        current = requests[0]
        places: dict[str, str] = {}
        try:
            self._check(operations)
            with self.app.store.write(requests[0].id) as tx:
                for request, found in zip(requests, operations, strict=True):
                    current = _resolved(request, places)
                    tx.request_id = request.id
                    response = self.service.write(tx, current, found.headers.get("x-http-method", found.method))
                    response.kind = kind_of(current)
                    done.append(response)
                    if found.content_id is not None:
                        location = dict(response.headers).get("Location", current.base + current.path)
                        places[found.content_id] = urlsplit(location).path
        except ODataError as error:
            done = [error_response(current, error)]
        for request, response in zip(requests, done, strict=False):
            self.app.stats.count(request, kind_of(request), response.status)
        return done

    def _check(self, operations: list[Operation]) -> None:
        limit = self.service.settings.max_changes
        if limit and len(operations) > limit:
            raise failure(400, f"Operation not allowed due to changeset restrictions: at most {limit} per changeset")
        for found in operations:
            if found.method not in WRITES:
                raise failure(400, f"{found.method} is not allowed inside a changeset")


def _parsed(part: Part) -> Operation | list[Operation]:
    """A read, or the operations of a changeset."""
    kind = part.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/mixed"):
        return operation(part)
    operations = [operation(inner) for inner in split(part.body, boundary_of(kind))]
    if not operations:
        raise failure(400, "Malformed batch: a changeset without an operation")
    return operations


def _inner(outer: Request, found: Operation, name: str) -> Request:
    """An operation as a request; its address may be absolute, absolute on the host, or relative to the service."""
    url = urlsplit(found.url)
    path = url.path
    if not path.startswith("/"):
        path = f"{PREFIX}{service_of(outer.path)}/{path}"
    query = "&".join(part for part in (url.query, _client(outer)) if part)
    return Request(found.method, path, query, found.headers, found.body, name, outer.base, inner=True)


def _client(outer: Request) -> str:
    return "&".join(part for part in outer.query.split("&") if part.startswith("sap-client="))


def _resolved(request: Request, places: Mapping[str, str]) -> Request:
    """`$1/to_X` means the record the operation with Content-ID 1 created."""
    reference, slash, rest = relative(request.path).partition("/")
    if not reference.startswith("$") or reference[1:] not in places:
        return request
    path = places[reference[1:]] + slash + rest
    return Request(
        request.method, path, request.query, request.headers, request.body, request.id, request.base, inner=True
    )
