"""The connector of SAP Commerce: entities over the Integration API (OData v2, one integration object each)."""

import difflib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from pydantic import BaseModel

from connectors.commerce import reading, writing
from connectors.commerce.cursors import cursor_of
from connectors.commerce.entities import Entity, Service, entities, schema_of, service_of
from connectors.commerce.messages import received
from connectors.commerce.settings import CommerceSettings
from l2c.contract import Change, EntitySchema, Health, Message, Outcome, Page, Prepared, Received, Record, System
from l2c.errors import ConfigError, HubError
from l2c.http import Auth, HttpSession, Limits, Retries, auth_of, parse_metadata, server_time


class CommerceConnector:
    """A Commerce shop.

    A record's key is its own key attribute (`uid` of a unit or a consumer), and where two attributes make it (a contact person)
    `customerID|uid` in the order of the shop's metadata, with `|` and `%` inside a value percent-encoded.
    """

    Settings = CommerceSettings

    def __init__(self, system: System, settings: BaseModel) -> None:
        if not isinstance(settings, CommerceSettings):
            raise ConfigError(f"system '{system.name}': settings of another kind of system", system=system.name)
        self._system = system
        self._settings = settings
        self._entities = entities(settings)
        self._limits = Limits(deadline_s=settings.deadline_s, silence_s=settings.silence_s)
        gate = system.gate
        self._retries = Retries(settings.attempts, sleep=gate.pause, longest_asked_s=gate.longest_wait_s)
        self._auth = self._login()
        self._services: dict[str, Service] = {}
        self._lock = Lock()

    def check(self) -> Health:
        """Whether token and metadata of every entity's integration object can be had."""
        begun = time.perf_counter()
        skew: float | None = None
        try:
            for entity in self._entities.values():
                session = self._session(entity)
                try:
                    skew = self._skew(session, entity)
                finally:
                    session.close()
        except HubError as error:
            return Health(ok=False, message=str(error))
        objects = ", ".join(entity.object for entity in self._entities.values())
        return Health(
            ok=True,
            message=f"{objects} can be reached",
            latency_ms=(time.perf_counter() - begun) * 1000,
            clock_skew_s=skew,
        )

    def describe(self, entity: str) -> EntitySchema:
        """The entity's schema from the metadata of its integration object."""
        return schema_of(self._service(entity), self._settings)

    def read(
        self,
        entity: str,
        *,
        since: str | None,
        until: str | None = None,
        partition: str | None = None,
        page_size: int,
        fields: Collection[str] = (),
    ) -> Iterator[Page]:
        """Records in the order of their change stamps; at most 1,000 a page, which is the shop's own limit."""
        service = self._service(entity)
        if partition is not None:
            raise ConfigError(f"'{entity}' is read in one piece, there is no partition '{partition}'", entity=entity)
        where = f"system '{self._system.name}', entity '{entity}'"
        return reading.pages(
            service,
            cursor_of(since, where) if since else None,
            cursor_of(until, where) if until else None,
            overlap_s=self._settings.overlap_s,
            size=page_size,
            fields=fields,
        )

    def fetch(self, entity: str, keys: Sequence[str], *, fields: Collection[str] = ()) -> Iterator[Record]:
        """The records of these keys, those that are not there as deleted."""
        return reading.fetched(self._service(entity), keys, fields)

    def prepare(self, entity: str, changes: Sequence[Change]) -> Sequence[Prepared]:
        """One changeset a change; the shop is read only where something is to be taken away."""
        return writing.prepared(self._service(entity), changes)

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send in batches of the configured size."""
        open_ones = [one for one in prepared if one.outcome is None]
        sent = iter(writing.sent(self._of(open_ones), open_ones, self._settings.batch_size) if open_ones else ())
        return [one.outcome or next(sent) for one in prepared]

    def find(self, entity: str, marks: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The keys that are there: records are safe by their key, so the mark of a record is its key."""
        service = self._service(entity)
        there = reading.shown(service, marks)
        return {mark: [mark] if mark in there else [] for mark in marks}

    def receive(self, message: Message) -> Received:
        """The record a webhook of the shop tells of; ProtocolError for a message that is none."""
        return received(self._entities, message, self._system.name)

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            for service in self._services.values():
                service.session.close()
            self._services.clear()

    def _login(self) -> Auth:
        connection = self._system.connection
        if self._settings.login == "oauth" and connection.token_url is None and connection.user is not None:
            connection = replace(connection, token_url=connection.url.rstrip("/") + self._settings.token_path)
        if self._settings.login == "basic":
            connection = replace(connection, token_url=None)
        return auth_of(replace(self._system, connection=connection), limits=self._limits, retries=self._retries)

    def _session(self, entity: Entity) -> HttpSession:
        base = f"{self._system.connection.url.rstrip('/')}{self._settings.service_path}/{entity.object}"
        return HttpSession(self._system, base=base, auth=self._auth, limits=self._limits, retries=self._retries)

    def _skew(self, session: HttpSession, entity: Entity) -> float | None:
        answer = session.get("$metadata", headers={"Accept": "application/xml"}, expect=())
        if answer.status != 200:
            raise self._not_served(entity, answer.status)
        clock = server_time(answer)
        return (clock - self._system.clock()).total_seconds() if clock else None

    def _service(self, name: str) -> Service:
        entity = self._entities.get(name)
        if entity is None:
            close = difflib.get_close_matches(name, self._entities, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(self._entities)}"
            text = f"system '{self._system.name}': unknown entity '{name}'; {hint}"
            raise ConfigError(text, system=self._system.name, entity=name)
        with self._lock:
            if name not in self._services:
                self._services[name] = self._load(entity)
            return self._services[name]

    def _load(self, entity: Entity) -> Service:
        session = self._session(entity)
        answer = session.get("$metadata", headers={"Accept": "application/xml"}, expect=())
        if answer.status != 200:
            session.close()
            raise self._not_served(entity, answer.status)
        metadata = parse_metadata(answer.body, where=answer.where, system=self._system.name)
        kind = metadata.sets.get(entity.set)
        missing = [name for name in (entity.key, entity.order, entity.stamp) if kind is None or name not in kind.fields]
        if missing:
            session.close()
            text = f"integration object '{entity.object}' does not show '{entity.set}' with '{missing[0]}'"
            raise ConfigError(f"system '{self._system.name}': {text}", system=self._system.name, entity=entity.name)
        return service_of(entity, session, metadata)

    def _not_served(self, entity: Entity, status: int) -> ConfigError:
        text = f"integration object '{entity.object}' is not served ({status})"
        hint = "import the hub's ImpEx files into the shop, or name yours in the settings"
        return ConfigError(
            f"system '{self._system.name}': {text}: {hint}", system=self._system.name, entity=entity.name
        )

    def _of(self, prepared: Sequence[Prepared]) -> Service:
        """The service of a batch: that of the entity set its last request names (all are of one entity)."""
        entity_set = prepared[-1].requests[-1].path.partition("(")[0]
        return self._service(next(item.name for item in self._entities.values() if item.set == entity_set))
