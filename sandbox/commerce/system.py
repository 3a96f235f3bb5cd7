"""The simulated shop as the core starts it: routes, settings, and what its users do."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.commerce import batch, database, errors, oauth
from sandbox.commerce.database import Row
from sandbox.commerce.model import DEFAULT_LANGUAGE, DEFAULTS, OBJECTS, TYPES, Item, Kind
from sandbox.commerce.oauth import Client
from sandbox.commerce.persistence import Writer, checked, text_key
from sandbox.commerce.render import date_text
from sandbox.commerce.service import Limits, Service
from sandbox.core import App, Fault, Request, Response, Route, Transaction, split_key

FULL = OBJECTS["L2CB2BUnit"]
"""The integration object that shows every attribute: the measure for what a user can change."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the simulated shop."""
    parser.add_argument("--client-id", default="l2c-hub", help="OAuth client (default %(default)s)")
    parser.add_argument("--client-secret", default="sandbox", help="its secret (default %(default)s)")
    parser.add_argument("--token-lifetime", type=float, default=43_200, help="seconds a token lives")


def create(options: argparse.Namespace, app: App) -> Commerce:
    """The shop with its tables and the countries, regions and groups of a new one."""
    app.store.script(database.schema())
    with app.store.write("load", "load") as tx:
        database.load_first(tx)
    return Commerce(app, Client(options.client_id, options.client_secret, options.token_lifetime))


class Commerce:
    """One simulated shop."""

    name = "commerce"

    def __init__(self, app: App, client: Client) -> None:
        self.app = app
        self.client = client
        self.limits = Limits()
        self.service = Service(app, self.limits)

    def routes(self) -> list[Route]:
        """The authorization server and the Integration API."""
        return [
            Route("/authorizationserver/oauth/token", self._token, "token", ("POST",)),
            Route(r"/odata2webservices/[^/]+/(\$|%24)batch", self._batch, "$batch"),
            Route("/odata2webservices/.+", self._odata, "odata"),
        ]

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
        """`token_lifetime_s`, `reuse_tokens`, `page_default`, `page_max`, `batch_limit`; `revoke_tokens` acts at once."""
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
            elif name not in targets:
                raise ValueError(f"unknown setting '{name}'; known: {', '.join([*targets, 'revoke_tokens'])}")
            else:
                target, attribute, kind = targets[name]
                setattr(target, attribute, kind(value))
        return {name: getattr(target, attribute) for name, (target, attribute, _) in targets.items()}

    def change(self, tx: Transaction, entity: str, key: str, values: Mapping[str, Any]) -> None:
        """Change attributes as in the shop's back office; references by `isocode`, `uid` or `code`."""
        item, row = self._found(tx, entity, key)
        changes = {name: value for name, value in self._columns(tx, item, values).items() if value != row[name]}
        if not changes:
            return
        database.update(tx, item.type, row["pk"], changes)
        after = {**row, **changes}
        tx.log(item.type, text_key(item.type, after), "updated", after, mark=after.get("l2cCustomerNumber"))

    def create(self, tx: Transaction, entity: str, values: Mapping[str, Any]) -> str:
        """Create a unit or an address; an address without a public key gets one, as in the storefront."""
        item = self._item(entity)
        payload = {name: value for name, value in values.items() if name != "addresses"}
        if entity == "Address":
            payload = {"publicKey": str(uuid.uuid4()), "duplicate": False, **payload}
        columns = {**DEFAULTS.get(entity, {}), **self._columns(tx, item, payload)}
        for attribute in database.columns(entity):
            if not attribute.optional and columns.get(attribute.name) is None:
                raise ValueError(f"{entity} needs '{attribute.name}'")
        row = {**columns, "pk": database.insert(tx, entity, columns)}
        key = text_key(entity, row)
        tx.log(entity, key, "created", row, mark=row.get("l2cCustomerNumber"))
        for child in values.get("addresses", ()):
            self.create(tx, "Address", {**child, "owner": key})
        return key

    def delete(self, tx: Transaction, entity: str, key: str) -> None:
        """Delete an item with what is part of it."""
        item, row = self._found(tx, entity, key)
        Writer(tx, FULL).delete(item, row)

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """One item in full: references as their codes, the addresses of a unit inside it, times as ISO text."""
        item = self._item(entity)
        with self.app.store.read() as db:
            row = database.find(db, entity, self._key_values(item, key))
            return None if row is None else self._state(db, item, row)

    def records(self, entity: str, after: str, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and state of items in key order."""
        item = self._item(entity)
        names = [use.name for use in item.keys if use.kind is not Kind.REFERENCE]
        start = self._key_values(item, after) if after else dict.fromkeys(names, "")
        order = ", ".join(f"t.{name}" for name in names)
        where = f"WHERE ({order}) > ({', '.join('?' * len(names))}) ORDER BY {order} LIMIT ?"
        with self.app.store.read() as db:
            bounds = [start[name] if after else (-1 if name == "duplicate" else "") for name in names]
            for row in database.rows(db, entity, where, (*bounds, limit)):
                yield text_key(entity, row), self._state(db, item, row)

    def _state(self, db: Any, item: Item, row: Row) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for attribute in TYPES[item.type]:
            if attribute.kind is Kind.CHILDREN:
                target = FULL.items[attribute.target]
                found = database.children(db, item.type, attribute, row["pk"])
                state[attribute.name] = [self._state(db, target, child) for child in list(found)]
            elif attribute.kind is Kind.LINKS:
                linked = database.children(db, item.type, attribute, row["pk"])
                state[attribute.name] = [text_key(attribute.target, target) for target in linked]
            elif attribute.kind is Kind.REFERENCE:
                referred = database.one(db, attribute.target, row[attribute.name])
                state[attribute.name] = None if referred is None else text_key(attribute.target, referred)
            else:
                value = row[attribute.name]
                state[attribute.name] = date_text(value) if attribute.kind is Kind.DATE else value
        return state

    def _item(self, entity: str) -> Item:
        if entity not in FULL.items:
            raise KeyError(f"entity {entity}; known: {', '.join(FULL.items)}")
        return FULL.items[entity]

    def _key_values(self, item: Item, key: str) -> Row:
        """Key attributes from their text: `uid` of a unit, `duplicate/publicKey` of an address, `isocode` or `code` of others."""
        names = [use.name for use in item.keys if use.kind is not Kind.REFERENCE]
        parts = split_key(key)
        if len(parts) != len(names):
            raise KeyError(f"{item.type} {key}: the key is {'/'.join(names)}")
        return {n: part == "true" if n == "duplicate" else part for n, part in zip(names, parts, strict=True)}

    def _found(self, tx: Transaction, entity: str, key: str) -> tuple[Item, Row]:
        item = self._item(entity)
        row = database.find(tx.db, entity, self._key_values(item, key))
        if row is None:
            raise KeyError(f"{entity} {key}")
        return item, row

    def _columns(self, tx: Transaction, item: Item, values: Mapping[str, Any]) -> Row:
        """Values of a user as columns: references by their codes, a localized text in the shop's own language."""
        columns: Row = {}
        for name, value in values.items():
            use = item.uses.get(name)
            if use is None or use.attribute.read_only or use.kind in (Kind.CHILDREN, Kind.LINKS):
                raise ValueError(f"{item.type} has no '{name}' to set")
            if use.kind is Kind.REFERENCE and value is not None:
                target = self._item(use.attribute.target)
                found = database.find(tx.db, target.type, self._key_values(target, value))
                if found is None:
                    raise KeyError(f"{target.type} {value}")
                columns[name] = found["pk"]
            elif use.kind is Kind.LOCALIZED and not isinstance(value, dict):
                columns[name] = {DEFAULT_LANGUAGE: value}
            else:
                columns[name] = value if isinstance(value, dict) else _simple(item, name, value)
        return columns


def _simple(item: Item, name: str, value: Any) -> Any:
    try:
        return checked(item.uses[name].attribute, item.type, value)
    except errors.Refused as refused:
        raise ValueError(refused.message) from refused
