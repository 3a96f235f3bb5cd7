"""What a connector is tried against: a running system, and the strings to pull on it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel

from l2c.contract.connector import Connector, System
from l2c.contract.records import Change, EntitySchema, Record


class Fault(StrEnum):
    """What a rig can make its system do, to every matching request until `heal`; LOST to the next one only."""

    TIMEOUT = "timeout"  # answers later than the connector waits; a write has acted by the time `heal` returns
    BUSY = "busy"  # 429 with a Retry-After the connector's own retries do not sit out
    SERVER_ERROR = "server_error"  # 5xx, did not act
    LOST = "lost"  # acts, then cuts the line instead of answering


class Operation(StrEnum):
    """Which requests a fault hits."""

    READ = "read"
    WRITE = "write"


class Rig(Protocol):
    """One running system with at least four pages of records in one entity.

    `label` is the dotted path of a text field that can be written and that tells records apart; `page_size` is what the
    checks read by, `fields` the paths they ask for (the label among them). `missing` is a key of the right shape that no
    record has. `secrets` are the texts that may stand in no message: the true secret, the wrong one, tokens handed out.
    `waivers` maps the name of a check this system cannot pass to the reason. What the checks compare with (`native_keys`,
    `label_of`) is asked of the system itself, never through a connector.
    """

    entity: str
    label: str
    page_size: int
    fields: Collection[str]
    missing: str
    secrets: Collection[str]
    waivers: Mapping[str, str]

    def system(self, *, good_credentials: bool = True) -> System:
        """The system as a connector gets it; with a secret it refuses when `good_credentials` is false."""
        ...

    def settings(self) -> BaseModel:
        """The connector's settings, with waits so short that a fault ends within a second or two."""
        ...

    def native_keys(self) -> Collection[str]:
        """The native keys of every record the system holds of the entity."""
        ...

    def label_of(self, key: str) -> str | None:
        """The label the system holds for this key; None when it has no such record."""
        ...

    def touch(self, key: str) -> None:
        """Change the label of a record as a user of the system would."""
        ...

    def add(self) -> str:
        """Create a record as a user of the system would; its native key."""
        ...

    def new(self, label: str) -> Change:
        """A create the system accepts, carrying this label, and a mark where a lost answer is looked up by one."""
        ...

    def bad(self) -> Change:
        """A create that has the right shape and that the system refuses for its content."""
        ...

    def edit(self, record: Record, label: str) -> Change:
        """A change of this record's label, and of nothing else, based on what the record shows."""
        ...

    def fault(self, fault: Fault, operation: Operation) -> None:
        """From now on (LOST: once), this happens to requests of this operation."""
        ...

    def heal(self) -> None:
        """Take back every fault."""
        ...


class Broken(Exception):
    """The connector breaks the promise a check is about."""


class NotApplicable(Exception):
    """The check says nothing about this connector, for this reason."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One connector on its rig, as the checks see it."""

    kind: Callable[[System, BaseModel], Connector]
    rig: Rig
    connector: Connector
    schema: EntitySchema
