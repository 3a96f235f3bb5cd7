"""The simulated shop as the core starts it: routes, settings, and what its users do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.commerce import batch, database, errors, first, oauth, registration, users
from sandbox.commerce.keys import text_key
from sandbox.commerce.oauth import Client
from sandbox.commerce.service import Limits, Service
from sandbox.commerce.webhooks import Webhooks
from sandbox.core import App, Fault, Handler, Request, Response, Route, Transaction, json_response
from sandbox.prefill import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the simulated shop."""
    parser.add_argument("--client-id", default="l2c-hub", help="OAuth client (default %(default)s)")
    parser.add_argument("--client-secret", default="sandbox", help="its secret (default %(default)s)")
    parser.add_argument("--token-lifetime", type=float, default=43_200, help="seconds a token lives")
    parser.add_argument("--prefill", type=int, default=0, help="units a new shop has, of customers of S/4HANA")
    parser.add_argument("--partners", type=int, default=1000, help="partners of that S/4HANA, as at its own --partners")
    parser.add_argument("--twins", type=int, default=0, help="pairs with one VAT number there, as at its own --twins")
    parser.add_argument("--second-rule", type=float, default=0.03, help="share of units known by VAT number only")
    parser.add_argument("--ambiguous", type=float, default=0.01, help="ambiguous cases: a share below 1, or a number")
    parser.add_argument("--strangers", type=int, default=0, help="further units that no customer corresponds to")


def create(options: argparse.Namespace, app: App) -> Commerce:
    """The shop with its tables and the countries, regions and groups of a new one."""
    app.store.script(database.schema())
    with app.store.write("load", "load") as tx:
        database.load_first(tx)
    rules = {"second_rule": options.second_rule, "ambiguous": options.ambiguous, "twins": options.twins}
    plan = Plan(options.seed, options.partners, options.prefill, strangers=options.strangers, **rules)
    first.load(app.store, plan)
    client = Client(options.client_id, options.client_secret, options.token_lifetime)
    return Commerce(app, client, Webhooks(app, options.seed))


class Commerce:
    """One simulated shop."""

    name = "commerce"

    def __init__(self, app: App, client: Client, webhooks: Webhooks) -> None:
        self.app = app
        self.client = client
        self.webhooks = webhooks
        self.limits = Limits()
        self.service = Service(app, self.limits)

    def routes(self) -> list[Route]:
        """The authorization server and the Integration API."""
        return [
            Route("/authorizationserver/oauth/token", self._token, "token", ("POST",)),
            Route(r"/odata2webservices/[^/]+/(\$|%24)batch", self._batch, "$batch"),
            Route("/odata2webservices/.+", self._odata, "odata"),
        ]

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Registrations, the truth about the units the shop started with, the state of the webhooks."""
        return [
            ("POST", "/register", self._register),
            ("GET", "/truth", self._truth),
            ("GET", "/webhooks", lambda _: json_response(self.webhooks.state())),
        ]

    def _register(self, request: Request) -> Response:
        form = request.json()
        if not isinstance(form, dict):
            raise ValueError("a registration is one object")
        with self.app.store.write(request.id, "user") as tx:
            return json_response(registration.register(tx, form), 201)

    def _truth(self, _: Request) -> Response:
        return json_response(first.truth(self.app.store))

    def _token(self, request: Request) -> Response:
        return oauth.issue(self.app, self.client, request)

    def _odata(self, request: Request) -> Response:
        return oauth.refusal(self.app, request) or self.service.answer(request)

    def _batch(self, request: Request) -> Response:
        refusal = oauth.refusal(self.app, request)
        if refusal is not None:
            return refusal
        try:
            return batch.answer(self.app, self.service, request)
        except errors.Refused as refused:
            return refused.response()

    def error(self, status: int, message: str) -> Response:
        """An error answer as the Integration API writes it."""
        return errors.error(status, None, message)

    def lock(self, _request: Request, fault: Fault) -> Response:
        """A write that collides with another: the transaction is rolled back by the database."""
        text = (
            fault.text
            or "There was an error encountered during the processing of the Integration Object: deadlock, item was changed"
        )
        return errors.error(500, "internal_error", text)

    def configure(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`token_lifetime_s`, `reuse_tokens`, `page_default`, `page_max`, `batch_limit`, those of webhooks.

        `revoke_tokens` acts at once.
        """
        targets: dict[str, tuple[Any, str, type]] = {
            "token_lifetime_s": (self.client, "lifetime_s", float),
            "reuse_tokens": (self.client, "reuse_tokens", bool),
            "page_default": (self.limits, "page_default", int),
            "page_max": (self.limits, "page_max", int),
            "batch_limit": (self.limits, "batch", int),
        }
        for name, value in settings.items():
            if name == "revoke_tokens":
                oauth.revoke(self.app)
            elif name in self.webhooks.known():
                self.webhooks.configure(name, value)
            elif name not in targets:
                known = ", ".join([*targets, "revoke_tokens", *self.webhooks.known()])
                raise ValueError(f"unknown setting '{name}'; known: {known}")
            else:
                target, attribute, kind = targets[name]
                setattr(target, attribute, kind(value))
        own = {name: getattr(target, attribute) for name, (target, attribute, _) in targets.items()}
        return {**own, **self.webhooks.settings()}

    def change(self, tx: Transaction, entity: str, key: str, values: Mapping[str, Any]) -> None:
        """Change attributes as in the shop's back office."""
        users.change(tx, entity, key, values)

    def create(self, tx: Transaction, entity: str, values: Mapping[str, Any]) -> str:
        """Create an item with its addresses."""
        return text_key(entity, users.create(tx, entity, values))

    def delete(self, tx: Transaction, entity: str, key: str) -> None:
        """Delete an item with what is part of it."""
        users.delete(tx, entity, key)

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """One item in full."""
        return users.record(self.app.store, entity, key)

    def records(self, entity: str, after: str, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and state of items in key order."""
        return users.records(self.app.store, entity, after, limit)
