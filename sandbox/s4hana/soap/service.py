"""The replication service of one system: its address, its description, and what the control address knows of it."""

import http.client
import random
import re
from urllib.parse import urlsplit

from sandbox.core import App, Handler, Request, Response, Route, Transaction, json_response
from sandbox.s4hana.security import Security
from sandbox.s4hana.soap import client, confirmation, outbound, wsdl
from sandbox.s4hana.soap.confirmation import Outcome
from sandbox.s4hana.soap.envelope import TYPES, Refused, payload
from sandbox.s4hana.soap.inbox import Inbox, NewContext
from sandbox.s4hana.soap.outbox import Outbox
from sandbox.s4hana.soap.settings import ReplicationSettings
from sandbox.s4hana.soap.tree import Tree, WrongMessage, read

PATH = "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic"
KIND = "soap"


class Replication:
    """Takes requests, confirms them, and sends the system's own partners.

    `new_context(transaction)` begins a change that may set the fields only replication sets.
    """

    def __init__(self, app: App, security: Security, new_context: NewContext) -> None:
        self.app = app
        self.security = security
        self.new_context = new_context
        self.settings = ReplicationSettings()
        self.outbox = Outbox(app, self.settings)
        self.inbox = Inbox(app, self.settings, new_context, self._confirm, release=self.outbox.release)

    def start(self) -> None:
        """Begin to process and to send."""
        self.outbox.start()
        self.inbox.start()
        self.app.closing += [self.inbox.close, self.outbox.close]

    def routes(self) -> list[Route]:
        """The service's address."""
        return [Route(re.escape(PATH), self._answer, KIND)]

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Addresses below `/_control`."""
        return [
            ("GET", "/confirmations", self._confirmations),
            ("POST", "/confirmations", self._send_again),
            ("POST", "/replicate", self._replicate),
        ]

    def configured(self, names: set[str]) -> None:
        """Settings were changed: chances start anew with their seed."""
        if "confirm_seed" in names:
            self.outbox.random = random.Random(self.settings.confirm_seed)
            self.inbox.random = random.Random(self.settings.confirm_seed)

    # the service

    def _answer(self, request: Request) -> Response:
        refused = self.security.refuse_login(request, client_required="sap-client" in request.params)
        if refused is not None:
            return refused
        if request.method == "HEAD":
            return Response(200, b"", f"{TYPES['1.1']}; charset=utf-8")
        if request.method == "GET" and "wsdl" in request.query.lower():
            return Response(200, wsdl.render(request.base + PATH), f"{TYPES['1.1']}; charset=utf-8")
        if request.method != "POST":
            return Response(405, b"Only POST is supported", "text/plain; charset=utf-8", [("Allow", "POST, HEAD")])
        try:
            return self._take(request)
        except Refused as error:
            return error.response()

    def _take(self, request: Request) -> Response:
        """Keep a request whose form is right; what is wrong with its content comes with the confirmation."""
        content_type = request.headers.get("content-type", "none")
        version = "1.2" if content_type.lower().startswith(TYPES["1.2"]) else "1.1"
        element = payload(request.body, content_type)
        try:
            reading = read(element)
        except WrongMessage as error:
            raise Refused(str(error), version) from error
        if reading.root.name != wsdl.REQUEST:
            raise Refused(f"no operation takes the element '{reading.root.name}'", version)
        key = reading.tree["MessageHeader"].get("ID")
        if not key:
            raise Refused("MessageHeader/ID is missing", version)
        for path in reading.ignored:
            self.app.stats.note(f"ignored {path}")
        state = self.inbox.take(key, request.body)
        if state != "new":
            self.app.stats.note("requests_repeated")
        if state == "done":
            self.outbox.again(key)
        return Response(202, b"", f"{TYPES[version]}; charset=utf-8")

    def _confirm(self, tx: Transaction, key: str, request: Tree, outcomes: list[Outcome]) -> int | None:
        never = self.settings.confirm_never
        told = [o for o in outcomes if not (never and re.search(never, _name(o)))]
        for _ in range(len(outcomes) - len(told)):
            self.app.stats.count_named("confirm_never")
        if not told:
            return None
        model = self.new_context(tx).model
        tree = confirmation.build(model, request, told, self.app.clock.now())
        body = client.envelope(wsdl.CONFIRMATION, tree)
        return self.outbox.put(tx, key, tree["MessageHeader"]["ID"], body)

    # the control address

    def _confirmations(self, request: Request) -> Response:
        after, limit = int(request.params.get("after", 0)), int(request.params.get("limit", 1000))
        found = self.outbox.entries(after, limit)
        following = found[-1]["seq"] if found else after
        return json_response({"confirmations": found, "next": following, "requests_waiting": self.inbox.waiting()})

    def _send_again(self, request: Request) -> Response:
        """Send the confirmations of requests once more; nothing befalls them on the way."""
        sent = sum(self.outbox.again(key, faults=False) for key in request.json()["requests"])
        return json_response({"sent": sent})

    def _replicate(self, request: Request) -> Response:
        content = request.json()
        url, login = content["url"], (content.get("user", ""), content.get("password", ""))
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"'{url}' is no address to send to")
        with self.app.store.write(request.id, "user") as tx:
            model = self.new_context(tx).model
            tree = outbound.request(model, tx, content["keys"], self.app.clock.now())
        body = client.envelope(wsdl.REQUEST, tree)
        try:
            status = client.post(url, wsdl.REQUEST, body, login)
        except (OSError, http.client.HTTPException) as error:
            raise ValueError(f"'{url}' gave no answer: {error}") from error
        self.app.stats.note("requests_sent")
        return json_response({"id": tree["MessageHeader"]["ID"], "status": status, "body": body.decode()})


def _name(outcome: Outcome) -> str:
    """The name of the partner, as stored or else as it was sent."""
    if outcome.row is not None:
        return str(outcome.row.get("BusinessPartnerName", ""))
    for common in outcome.node.get("Common", []):
        for names in (common.get(kind, {}).get("Name", {}) for kind in ("Organisation", "Person", "Group")):
            if names:
                return " ".join(names.values()) if isinstance(names, dict) else str(names)
    return ""
