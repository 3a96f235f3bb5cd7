"""One SAP S/4HANA, spoken to by API_BUSINESS_PARTNER."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel

from connectors.s4hana.contact_sender import ContactSender
from connectors.s4hana.contact_writer import ContactPrepared, ContactWriter
from connectors.s4hana.contacts import Contacts
from connectors.s4hana.entities import CONTACT, PARTNER, entity_of
from connectors.s4hana.marks import marked
from connectors.s4hana.reader import Reader
from connectors.s4hana.replication import Replication, received
from connectors.s4hana.sender import Sender
from connectors.s4hana.service import Service
from connectors.s4hana.settings import PROFILES
from connectors.s4hana.settings import Settings as S4Settings
from connectors.s4hana.writer import Writer
from l2c.contract import Change, EntitySchema, Health, Message, Outcome, Page, Prepared, Received, Record, System
from l2c.errors import ConfigError, HubError
from l2c.http import HttpSession, Limits, auth_of, query_path, server_time


class S4HanaConnector:
    """Reads business partners and their child sets, creates and changes partners; profiles `cloud` and `onpremise`."""

    Settings: ClassVar[type[BaseModel]] = S4Settings

    def __init__(self, system: System, settings: S4Settings) -> None:
        profile = system.profile or "cloud"
        if profile not in PROFILES:
            near = difflib.get_close_matches(profile, PROFILES, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            text = f"system '{system.name}': unknown profile '{profile}' ({', '.join(PROFILES)}){hint}"
            raise ConfigError(text, system=system.name)
        self._system = system
        limits = Limits(deadline_s=settings.deadline_s, silence_s=settings.deadline_s)
        self._session = HttpSession(
            system,
            base=_service_url(system.connection.url, settings.service_path),
            auth=auth_of(system, limits=limits),
            csrf=True,
            query={"sap-client": settings.client} if settings.client else None,
            headers={"Accept-Language": settings.language.lower()},
            limits=limits,
        )
        self._service = Service(self._session, settings, system)
        self._reader = Reader(self._service, follow=profile == "cloud")
        self._writer = Writer(self._service, self._reader)
        self._sender = Sender(self._service)
        self._contacts = Contacts(self._service, self._reader)
        self._contact_writer = ContactWriter(self._service, self._contacts)
        self._contact_sender = ContactSender(self._service)
        self._replication: Replication | None = None
        if settings.write_by == "soap" or (settings.write_by is None and profile == "onpremise"):
            messages = HttpSession(
                system,
                auth=auth_of(system, limits=limits),
                query={"sap-client": settings.client} if settings.client else None,
                headers={"Accept-Language": settings.language.lower()},
                limits=limits,
            )
            self._replication = Replication(messages, self._service, self._reader)

    def check(self) -> Health:
        """Read one partner's number: that needs address, service, credentials and the right to read."""
        started = self._system.clock()
        path = query_path(PARTNER, {"$top": 1, "$select": "BusinessPartner"})
        try:
            answer = self._session.get_json(path)
        except HubError as error:
            return Health(ok=False, message=error.message)
        ended = self._system.clock()
        theirs = server_time(answer)
        took = (ended - started).total_seconds()
        # the Date header has whole seconds: compare with the middle of the call, half a second on average behind
        skew = (theirs - started).total_seconds() - took / 2 + 0.5 if theirs else None
        return Health(ok=True, message="API_BUSINESS_PARTNER answers", latency_ms=took * 1000, clock_skew_s=skew)

    def describe(self, entity: str) -> EntitySchema:
        """The entity from the service's own metadata, three navigations deep; without bank and card data."""
        known = entity_of(entity, system=self._system.name)
        return self._contacts.schema() if known.name == CONTACT else self._service.schema(known)

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
        """Pages in change order (partners with a cursor) or key order (first load, child sets).

        `since` and `until` may also be moments as ISO text. The last page may be empty: it carries the cursor.
        """
        known = entity_of(entity, system=self._system.name)
        if known.name == CONTACT:
            return self._contacts.pages(since=since, until=until, page_size=page_size, fields=fields)
        return self._reader.pages(
            known, since=since, until=until, partition=partition, page_size=page_size, fields=fields
        )

    def fetch(self, entity: str, keys: Sequence[str], *, fields: Collection[str] = ()) -> Iterator[Record]:
        """The records of these keys; one that is gone comes as deleted."""
        known = entity_of(entity, system=self._system.name)
        return self._contacts.fetch(keys, fields) if known.name == CONTACT else self._reader.fetch(known, keys, fields)

    def partitions(self, entity: str, n: int) -> Sequence[str]:
        """About `n` ranges of partner numbers of equal size."""
        return self._reader.partitions(entity_of(entity, system=self._system.name), n)

    def prepare(self, entity: str, changes: Sequence[Change]) -> Sequence[Prepared]:
        """The requests of these changes; reads partners whose state is not known well enough."""
        known = entity_of(entity, system=self._system.name)
        if self._replication is not None and known.name == PARTNER:
            return self._replication.prepare(changes)
        return self._contact_writer.prepare(changes) if known.name == CONTACT else self._writer.prepare(known, changes)

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send them: a single request by itself, everything else in `$batch` with one changeset a record."""
        if self._replication is not None and any(self._replication.owns(item) for item in prepared):
            return self._replication.send(prepared)
        if any(isinstance(item, ContactPrepared) for item in prepared):
            return self._contact_sender.send(prepared)
        return self._sender.send(prepared)

    def receive(self, message: Message) -> Received:
        """Confirmations of replication messages, and partners S/4HANA replicates by itself (to be fetched)."""
        return received(message, system=self._system.name)

    def find(self, entity: str, marks: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The partners that carry each mark in `BusinessPartnerIDByExtSystem`, or the contacts of persons that carry it."""
        known = entity_of(entity, system=self._system.name)
        if known.name == CONTACT:
            return self._contact_writer.find(marks)
        if known.name != PARTNER:
            raise ConfigError(f"system '{self._system.name}': '{entity}' carries no marks", system=self._system.name)
        return marked(self._service, marks)

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()
        if self._replication is not None:
            self._replication.close()


def _service_url(url: str, path: str) -> str:
    """The service's address; a connection may name it whole already."""
    url = url.rstrip("/")
    return url if url.endswith(path.rsplit("/", 1)[-1]) else url + path
