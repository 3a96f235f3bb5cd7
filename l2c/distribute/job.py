"""What one distribution works on, and the one table from outcomes to states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from l2c.contract import Connector, EntitySchema, Status
from l2c.mapping import Env, Mapper
from l2c.state.limits import Brake, Budget
from l2c.state.recognition import Rule

STATE_OF = {
    Status.CREATED: "written",
    Status.UPDATED: "written",
    Status.DELETED: "written",
    Status.UNCHANGED: "unchanged",
    Status.ACCEPTED: "awaiting_confirmation",
    Status.REJECTED: "dead_letter",
    Status.CONFLICT: "retrying",
    Status.FAILED: "retrying",
    Status.UNKNOWN: "in_doubt",
}


@dataclass(frozen=True, slots=True)
class Retries:
    """The slow ring of retries: waits grow from `first_ms` to `max_ms`, after `attempts` the record is set aside."""

    attempts: int = 5
    first_ms: int = 30_000
    max_ms: int = 900_000

    def wait_ms(self, attempt: int, asked_s: float | None) -> int:
        """How long to wait after this attempt (1 is the first); what the system asked for counts when it is longer."""
        wait: int = min(self.first_ms * 2 ** max(attempt - 1, 0), self.max_ms)
        return max(wait, int((asked_s or 0) * 1000))


@dataclass(frozen=True, slots=True)
class DistributeJob:
    """One distribution of one entity to one target; mappers are the versions in force."""

    entity: str
    target: str
    run: int
    connector: Connector
    mappers: tuple[Mapper, ...]
    schemas: Mapping[str, EntitySchema]  # by native entity
    settings: Mapping[str, Any]
    time_zone: tzinfo
    load_version: Callable[[str], Mapper | None]
    resolve: Callable[[str, str], str | None]
    readers: tuple[Mapper, ...] = ()  # of a target that is captured too
    read_env: Env = field(default_factory=Env)
    list_by: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()  # how a record met in a second system is recognised
    references: Mapping[str, str] = field(default_factory=dict)  # of each field that refers to other records, to which
    retries: Retries = Retries()
    brake: Brake = field(default_factory=Brake)
    budget: Budget = field(default_factory=Budget)
    block: int = 1000
    page_size: int = 100
    writers: int = 1
