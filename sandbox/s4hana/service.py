"""One OData service: requests in, answers out."""

from typing import Any

import orjson

from sandbox.core import App, Request, Response, Transaction, json_response
from sandbox.s4hana import edmx
from sandbox.s4hana.change import change_record, delete_record
from sandbox.s4hana.context import Context
from sandbox.s4hana.create import create_record
from sandbox.s4hana.errors import Message, ODataError, error_response, failure, wants_json
from sandbox.s4hana.model import PREFIX, SERVICE, Model, relative
from sandbox.s4hana.paths import Target, predicate, resolve
from sandbox.s4hana.payload import Node
from sandbox.s4hana.query import Reader, Shape
from sandbox.s4hana.render import Json, atom, etag
from sandbox.s4hana.security import Security
from sandbox.s4hana.settings import Settings
from sandbox.s4hana.tables import Row

WRITES = ("POST", "PUT", "PATCH", "MERGE", "DELETE")
V2 = ("dataserviceversion", "2.0")


class Service:
    """One service, `API_BUSINESS_PARTNER` or another, with its reads and its writes; `$batch` is built on top of it.

    `model` holds what the service serves, `world` what the whole system holds, which a change may ask for.
    """

    def __init__(
        self,
        app: App,
        model: Model,
        settings: Settings,
        security: Security,
        *,
        user: str,
        world: Model,
        name: str = SERVICE,
    ) -> None:
        self.app = app
        self.model = model
        self.world = world
        self.name = name
        self.root = f"{PREFIX}{name}"
        self.settings = settings
        self.security = security
        self.user = user
        self.reader = Reader(model, settings)

    def answer(self, request: Request) -> Response:
        """A request of its own, or a GET inside a `$batch`."""
        if not request.inner:
            refused = self._guard(request)
            if refused is not None:
                return refused
        method = request.headers.get("x-http-method", request.method) if request.method == "POST" else request.method
        try:
            if method in ("GET", "HEAD"):
                response = self._read(request)
                response.headers += self.security.headers(request)
            elif method in WRITES:
                with self.app.store.write(request.id) as tx:
                    response = self.write(tx, request, method)
            else:
                raise failure(405, f"Method {method} is not allowed")
        except ODataError as error:
            response = error_response(request, error)
        response.kind = kind_of(request)
        return response

    def _guard(self, request: Request) -> Response | None:
        refused = self.security.refuse(request)
        if refused is None and len(request.path) + len(request.query) > self.settings.max_url:
            refused = Response(414, b"Request-URI too long", "text/plain")
        if refused is not None:
            refused.kind = kind_of(request)
        return refused

    # reading

    def _read(self, request: Request) -> Response:
        path = relative(request.path)
        if path == "$metadata":
            return Response(200, edmx.render(self.model, self.name), "application/xml", [V2])
        self.reader.check(request)
        if path in ("", "/"):
            return self._send(request, edmx.service_document(self.model)["d"])
        root = request.base + self.root
        with self.app.store.read() as db:
            target = resolve(db, self.model, path)
            if target.tail == "$count" and not target.one:
                number = self.reader.count(db, target, request.params)
                return Response(200, str(number).encode(), "text/plain;charset=utf-8", [V2])
            if not target.one:
                return self._send(request, self.reader.collection(db, request, target, root), root)
            if target.row is None:
                # a navigation that leads nowhere, for example from a partner that is no customer
                raise failure(404, f"Resource not found for segment '{target.entity.name}Type'", "/IWBEP/CM_MGW_RT/020")
            if target.property is not None:
                return self._property(request, target, root)
            shape = self.reader.shape(target.entity, request.params)
            content = self.reader.render(db, target.entity, [target.row], shape, root)[0]
        headers = [("etag", tag)] if (tag := etag(target.entity, target.row)) else []
        return self._send(request, content, root, headers)

    def _property(self, request: Request, target: Target, root: str) -> Response:
        prop, row = target.property, target.row or {}
        if prop is None:
            raise failure(400, "No property")
        if target.tail == "$value":
            return Response(200, str(row.get(prop.name, prop.unset) or "").encode(), "text/plain;charset=utf-8", [V2])
        with self.app.store.read() as db:
            shown = self.reader.render(db, target.entity, [row], Shape(select=[prop.name], deferred=[]), root)[0]
        return self._send(request, {prop.name: shown[prop.name]}, root)

    def _send(
        self, request: Request, content: Any, root: str = "", headers: list[tuple[str, str]] | None = None
    ) -> Response:
        found = [V2, *(headers or [])]
        if wants_json(request) or not {"__metadata", "results"} & set(content):
            return Response(200, orjson.dumps({"d": content}), "application/json", found)
        return Response(200, atom(content, root), "application/atom+xml;charset=utf-8", found)

    # writing

    def write(self, tx: Transaction, request: Request, method: str) -> Response:
        """One change inside an open transaction; raises ODataError, on which the caller rolls back."""
        target = resolve(tx.db, self.model, relative(request.path))
        context = self.context(tx, strict=True)
        if method == "POST":
            return self._create(context, request, target)
        if not target.one or target.row is None or target.property is not None:
            raise failure(405, f"Method {method} is not allowed on this resource")
        if method == "DELETE":
            if not target.entity.deletable:
                raise failure(405, f"Method 'DELETE' is not allowed for entity set '{target.entity.name}'")
            self._precondition(request, target)
            delete_record(context, target.entity, target.row)
            return Response(204, headers=[V2])
        if not target.entity.updatable:
            raise failure(405, f"Method '{method}' is not allowed for entity set '{target.entity.name}'")
        self._precondition(request, target)
        change_record(context, target.entity, target.row, body_of(request), whole=method == "PUT")
        return Response(204, headers=[V2, *remarks(context.warnings)])

    def context(self, tx: Transaction, *, strict: bool, user: str | None = None) -> Context:
        """A change in progress, by the API's user unless another one is named."""
        return Context(self.world, tx, user or self.user, strict, tx.clock.now())

    def replicated(self, tx: Transaction) -> Context:
        """A change in progress that may set the fields only replication sets."""
        context = self.context(tx, strict=True)
        context.open_fields = True
        return context

    def _precondition(self, request: Request, target: Target) -> None:
        current = etag(target.entity, target.row or {})
        if current is None:
            return
        given = request.headers.get("if-match")
        if given is None:
            raise failure(428, "Precondition required: send the ETag of the entity in If-Match", "/IWFND/CM_MGW/428")
        tags = {tag.strip() for tag in given.split(",")}
        if "*" not in tags and current not in tags:
            raise failure(412, "Precondition failed: the entity was changed by another user", "/IWFND/CM_MGW/412")

    def _create(self, context: Context, request: Request, target: Target) -> Response:
        entity, navigation = target.entity, target.navigation
        if target.one:
            raise failure(405, "Method 'POST' is not allowed on a single entity")
        if not entity.creatable:
            raise failure(405, f"Method 'POST' is not allowed for entity set '{entity.name}'")
        given: Row = {}
        if target.parent is not None and navigation is not None:
            owner = target.parent[1]
            given = {theirs: owner[own] for own, theirs in navigation.joins if own in owner}
        node = create_record(context, entity, body_of(request), given, navigation.name if navigation else "")
        root = request.base + self.root
        row = context.get(entity.name, **{prop.name: node.row[prop.name] for prop in entity.key}) or node.row
        content = self.reader.render(context.tx.db, entity, [row], _shape(node), root)[0]
        headers = [V2, ("Location", f"{root}/{predicate(entity, row)}"), *remarks(context.warnings)]
        if tag := etag(entity, row):
            headers.append(("etag", tag))
        if wants_json(request):
            return json_response({"d": content}, 201, headers)
        return Response(201, atom(content, root), "application/atom+xml;charset=utf-8", headers)


def _shape(node: Node) -> Shape:
    """A create answers with the children it was sent."""
    return Shape(expand={name: _shape(nodes[0]) if nodes else Shape() for name, nodes in node.children.items()})


def kind_of(request: Request) -> str:
    """A path without its keys, for the statistics: `A_BusinessPartner()/to_Customer`."""
    kind, depth = [], 0
    for letter in relative(request.path):
        depth += letter == "("
        if depth == 0 or (letter in "()" and depth == 1):
            kind.append(letter)
        depth -= letter == ")"
    return "".join(kind) or "service"


def body_of(request: Request) -> Json:
    """The JSON object of a request; raises ODataError when there is none."""
    try:
        content = orjson.loads(request.body)
    except ValueError as error:
        raise failure(400, "Error while parsing the JSON body of the request") from error
    if not isinstance(content, dict):
        raise failure(400, "The body of the request must be a JSON object")
    inner = content.get("d")
    return inner if isinstance(inner, dict) and len(content) == 1 else content


def remarks(warnings: list[Message]) -> list[tuple[str, str]]:
    """Warnings of a successful write, as SAP sends them in the `sap-message` header."""
    if not warnings:
        return []
    shown = [
        {"code": w.code, "message": w.text, "severity": w.severity, "target": w.target, "transition": False}
        for w in warnings
    ]
    return [("sap-message", orjson.dumps({**shown[0], "details": shown[1:]}).decode())]
