"""The contract between hub and connectors: small protocols, nothing to inherit."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, SecretStr

from l2c.contract.gate import Gate, OpenGate
from l2c.contract.records import (
    Call,
    Change,
    EntitySchema,
    Health,
    Message,
    Outcome,
    Page,
    Prepared,
    Received,
    Record,
)


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one system: address, login and where tokens come from; `extra` holds the rest of the connection.

    `called`: where it is kept, in words that tell a person what to correct.
    """

    url: str
    user: str | None = None
    secret: SecretStr | None = None
    token_url: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    called: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """One configured system as its connector sees it."""

    name: str
    connection: Connection
    profile: str | None = None
    time_zone: tzinfo = UTC
    allow_hosts: tuple[str, ...] = ()
    ca_file: Path | None = None
    clock: Callable[[], datetime] = utc_now
    gate: Gate = field(default_factory=OpenGate, repr=False)  # between every request and the system


class Connector(Protocol):
    """One system, spoken to in its own terms.

    Built as `kind(system, settings)`. Every method may raise TransientError, AuthError or ProtocolError; an entity the
    connector does not know is a ConfigError that names the near miss.
    """

    Settings: ClassVar[type[BaseModel]]

    def __init__(self, system: System, settings: BaseModel) -> None: ...

    def check(self) -> Health:
        """Whether the system answers and accepts the credentials; raises nothing."""
        ...

    def describe(self, entity: str) -> EntitySchema:
        """The entity's schema, from the system's own metadata where it has one."""
        ...

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
        """Pages of records changed at or after the cursor `since` (None: all), one request per `next`.

        `fields` are the dotted paths the mapping uses; the connector turns them into `$select` and `$expand`.
        """
        ...

    def fetch(self, entity: str, keys: Sequence[str], *, fields: Collection[str] = ()) -> Iterator[Record]:
        """The records of these keys, in any order; one that is gone comes as `deleted`."""
        ...

    def prepare(self, entity: str, changes: Sequence[Change]) -> Sequence[Prepared]:
        """The requests these changes need, one Prepared a change, in order; may read the target, sends nothing."""
        ...

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        """Send exactly those requests (tokens and dates apart); exactly one outcome a change, in order.

        A record the system refuses is an outcome, never an exception. Raises only when nothing at all was sent.
        """
        ...

    def find(self, entity: str, marks: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The native keys of records that carry each mark; two hits on one mark are an alarm."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class Actions(Protocol):
    """A system that offers actions beside reading and writing (post goods issue, accept a quote)."""

    def act(self, entity: str, action: str, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Call the action once for each record, one outcome each, in order."""
        ...


@runtime_checkable
class Confirmations(Protocol):
    """A system that accepts now and confirms later."""

    def confirm(self, entity: str, tokens: Sequence[str]) -> Mapping[str, Outcome]:
        """The outcomes of those tokens that are known by now."""
        ...


@runtime_checkable
class Messages(Protocol):
    """A system that sends messages to the hub's inbox: webhooks, confirmations, replication requests."""

    def receive(self, message: Message) -> Received:
        """What the message says; reads nothing from the system.

        Raises ProtocolError for one that cannot be understood; it is kept as received and shown with the reason.
        """
        ...


@runtime_checkable
class Partitions(Protocol):
    """A system whose large entities can be read in disjoint key ranges."""

    def partitions(self, entity: str, n: int) -> Sequence[str]:
        """About `n` partitions that cover the entity without overlap; opaque text for `read`."""
        ...


@runtime_checkable
class Files(Protocol):
    """A system that keeps files beside its records (invoice PDF, proposal, signature)."""

    def open_file(self, entity: str, key: str, name: str) -> BinaryIO:
        """The bytes of one file, streamed."""
        ...
