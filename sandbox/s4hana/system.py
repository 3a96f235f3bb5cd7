"""The simulated S/4HANA as the core runs it."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import epm, generator, twins
from sandbox.core import App, Fault, Handler, Request, Response, Route, Transaction
from sandbox.s4hana import tables
from sandbox.s4hana.batch import Batch
from sandbox.s4hana.change import change_record, delete_record
from sandbox.s4hana.create import create_record
from sandbox.s4hana.errors import Message, ODataError, error_response
from sandbox.s4hana.loader import Loader
from sandbox.s4hana.model import FURTHER, ROOT, SERVICE, Entity, Model, load, load_service, service_of
from sandbox.s4hana.sales.controls import Prices
from sandbox.s4hana.sales.load import load_catalogue
from sandbox.s4hana.security import Security
from sandbox.s4hana.service import Service
from sandbox.s4hana.settings import for_profile
from sandbox.s4hana.soap.service import Replication
from sandbox.s4hana.tables import Row
from sandbox.s4hana.users import PERSON, Users

JSON = {"accept": "application/json"}
HELD = {
    "API_PRODUCT_SRV": ("M3/024", "The material {} is locked by user {}"),
    "API_SLSPRICINGCONDITIONRECORD_SRV": ("VK/119", "Condition record {} is currently being processed by user {}"),
    "API_CUSTOMER_MATERIAL_SRV": ("VH/108", "Customer-material info record {} is locked by user {}"),
}
"""Code and words of a lock, where it is not a partner that is locked."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m sandbox s4hana`."""
    parser.add_argument("--partners", type=int, default=1000, help="how many partners to generate into a new store")
    parser.add_argument("--twins", type=int, default=0, help="pairs of customers that share one VAT number")
    parser.add_argument(
        "--epm", type=Path, help="folder with SAP's demonstration data, loaded instead of generated partners"
    )
    parser.add_argument("--products", type=int, default=0, help="how many products to generate into a new store")
    parser.add_argument("--conditions", type=int, help="how many condition records; without it six a product")
    parser.add_argument("--profile", choices=("cloud", "onpremise"), default="cloud", help="which edition to be")
    parser.add_argument("--user", default="HUB_USER", help="user of HTTP Basic authentication")
    parser.add_argument("--password", default="sandbox-s4-secret", help="its password")


def create(options: argparse.Namespace, app: App) -> "S4Hana":
    """Build the system, and give it its first data when the store is new."""
    model = load()
    further = {name: load_service(name) for name in FURTHER}
    world = {name: entity for served in (model, *further.values()) for name, entity in served.items()}
    app.store.script(f"BEGIN;\n{tables.schema(world)}COMMIT;")
    if app.store.meta("loaded") is None:
        generated = twins.paired(generator.partners(options.seed, options.partners), options.twins)
        partners = epm.partners(options.epm) if options.epm else generated
        app.store.set_meta("loaded", str(Loader(model, app.store).load(partners)))
    if app.store.meta("catalogue") is None:
        conditions = 6 * options.products if options.conditions is None else options.conditions
        load_catalogue(app.store, world, options.seed, products=options.products, conditions=conditions)
    settings = for_profile(options.profile)
    security = Security(options.user, options.password, settings)
    services = {
        name: Service(app, served, settings, security, user=options.user, world=world, name=name)
        for name, served in {SERVICE: model, **further}.items()
    }
    replication = None
    if options.profile == "onpremise":
        replication = Replication(app, security, services[SERVICE].replicated)
        replication.start()
    return S4Hana(app, world, services, replication)


class S4Hana:
    """Routes, and what a user of the system does at the control address."""

    name = "s4hana"

    def __init__(
        self, app: App, model: Model, services: Mapping[str, Service], replication: Replication | None = None
    ) -> None:
        self.app = app
        self.model = model
        self.services = services
        self.service = services[SERVICE]
        self.users = Users(self.service)
        self.prices = Prices(app, model, self.service.settings)
        self.replication = replication

    def routes(self) -> list[Route]:
        """The OData services, and on-premise the replication by SOAP."""
        replication = self.replication.routes() if self.replication else []
        return [*replication, *(route for service in self.services.values() for route in self._routes(service))]

    def _routes(self, service: Service) -> list[Route]:
        root = service.root + r"(?:;v=\d+)?"
        batch = Batch(self.app, service)
        return [
            Route(root + r"/\$batch", batch.answer, "$batch", ("POST",)),
            Route(root + r"(?:/.*)?", service.answer, "service"),
        ]

    def controls(self) -> list[tuple[str, str, Handler]]:
        """What only users of this system do."""
        own = [*self.users.controls(), *self.prices.controls()]
        return [*own, *(self.replication.controls() if self.replication else [])]

    def error(self, status: int, message: str) -> Response:
        """An error in SAP's shape."""
        error = ODataError(status, [Message("SY/530", message)])
        return error_response(Request("GET", ROOT, headers=JSON), error)

    def lock(self, request: Request, fault: Fault) -> Response:
        """The answer to a write on a record a colleague has open."""
        number = request.target.partition("'")[2].partition("'")[0]
        partner = ("R1/126", "Business partner {} is currently being processed by user {}")
        code, form = HELD.get(service_of(request.path), partner)
        text = fault.text or form.format(number, PERSON).replace("  ", " ")
        return error_response(request, ODataError(400, [Message(code, text)]))

    def configure(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of the running system, and on-premise of its replication."""
        if self.replication is None:
            return self.service.settings.update(settings)
        theirs = self.replication.settings.known()
        own = {name: value for name, value in settings.items() if name not in theirs}
        given = {name: value for name, value in settings.items() if name in theirs}
        found = {**self.service.settings.update(own), **self.replication.settings.update(given)}
        self.replication.configured(set(given))
        return found

    def _entity(self, name: str) -> Entity:
        if name not in self.model:
            raise KeyError(f"entity '{name}'; known: {', '.join(self.model)}")
        return self.model[name]

    def _row(self, tx: Transaction, entity: Entity, key: str) -> Row:
        row = tables.get(tx.db, entity, tables.parse_key(entity, key))
        if row is None:
            raise KeyError(f"{entity.name} '{key}'")
        return row

    def change(self, tx: Transaction, entity: str, key: str, values: Mapping[str, Any]) -> None:
        """Change fields of a record as a user at the screen does."""
        found = self._entity(entity)
        context = self.service.context(tx, strict=False, user=PERSON)
        with _plain_errors():
            change_record(context, found, self._row(tx, found, key), dict(values))

    def create(self, tx: Transaction, entity: str, values: Mapping[str, Any]) -> str:
        """Create a record with its children."""
        found = self._entity(entity)
        with _plain_errors():
            node = create_record(self.service.context(tx, strict=False, user=PERSON), found, dict(values))
        return tables.key_text(found, node.row)

    def delete(self, tx: Transaction, entity: str, key: str) -> None:
        """Delete a record with its children, as archiving does."""
        found = self._entity(entity)
        delete_record(self.service.context(tx, strict=False, user=PERSON), found, self._row(tx, found, key))

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """A stored record with all fields, also the unset ones."""
        found = self._entity(entity)
        with self.app.store.read() as db:
            row = tables.get(db, found, tables.parse_key(found, key))
        return None if row is None else _full(found, row)

    def records(self, entity: str, after: str, limit: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Stored records in key order."""
        found = self._entity(entity)
        with self.app.store.read() as db:
            for key, row in tables.scan(db, found, after, limit):
                yield key, _full(found, row)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn SAP's messages into one ValueError for the control address."""
    try:
        yield
    except ODataError as error:
        raise ValueError("; ".join(message.text for message in error.messages)) from error


def _full(entity: Entity, row: Row) -> dict[str, Any]:
    return {name: row.get(name, prop.unset) for name, prop in entity.properties.items()}
