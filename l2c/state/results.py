"""What the hub answers: plain values for CLI, DAGs and pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CAPTURE, SWEEP, WATCH, DISTRIBUTE = "capture", "sweep", "watch", "distribute"  # the kinds of runs
POSTPONED, BRAKED = "postponed", "braked"  # how runs end that are neither done nor failed
Progress = Callable[[Mapping[str, int]], None]  # told the run's counts so far after each page or block

CAPTURE_STATES = ("journaled", "unchanged", "filtered", "ambiguous", "to_fetch_again", "dead_letter")
DISTRIBUTE_STATES = (
    "written",
    "unchanged",
    "filtered",
    "superseded",
    "waiting",
    "retrying",
    "in_doubt",
    "awaiting_confirmation",
    "dead_letter",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Partitions a run has to work through; `run` is None when nothing is new or due."""

    run: int | None
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run: its counts by end state and whether the sums met."""

    run: int
    entity: str
    kind: str
    system: str
    status: str
    counts: Mapping[str, int]
    sums_met: bool
    started: datetime
    ended: datetime | None = None
    message: str = ""
    watch: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """How one entity stands in one system, in one direction (`capture` or `distribute`)."""

    entity: str
    system: str
    kind: str
    last: RunSummary | None
    waiting: int = 0
    retrying: int = 0
    in_doubt: int = 0
    awaiting_confirmation: int = 0
    dead_letters: int = 0
    pending: int = 0
    behind: int = 0
    inbox: int = 0
    note: str = ""
    undecided: int = 0  # of a capture: records met there that may be ones the hub knows
    to_decide: int = 0  # of a distribution: lost creates only somebody can tell about
    breaker: str = ""  # why nothing is sent to the system now


@dataclass(frozen=True, slots=True)
class SystemState:
    """How a system stands with the hub: `state` is closed (requests go out), open (away) or locked (its login was refused)."""

    system: str
    state: str
    rate: float | None
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A create whose answer was lost and that only somebody can tell about; decided from `look_after` on."""

    entity: str
    system: str
    record: int
    key: str
    mapping: str
    code: str
    message: str
    since: datetime
    look_after: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record set aside, with its reason."""

    id: int
    entity: str
    system: str
    direction: str
    mapping: str
    key: str
    record: int | None
    code: str
    message: str
    attempts: int
    since: datetime
    last: datetime
    state: str


@dataclass(frozen=True, slots=True)
class ResendPlan:
    """What putting the current version of a write mapping in force would send again, or did (`done`)."""

    mapping: str
    in_force: str
    current: str
    pending: int
    done: bool


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of records without a key in a target: `linked` once found there, `doubled` found several times, or absent."""

    entity: str
    system: str
    asked: int
    linked: int
    doubled: int
    absent: int


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One native key of a canonical record."""

    entity: str
    record: int
    system: str
    path: str
    native_key: str
    element: str = ""


@dataclass(frozen=True, slots=True)
class Possible:
    """A record that a match may be: its native keys by system, its data, and the fields in which the two differ."""

    record: int
    keys: Mapping[str, str]
    data: Mapping[str, Any]
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A record met for the first time in `system` that may be one the hub knows: somebody has to decide."""

    entity: str
    system: str
    key: str
    rule: str
    since: datetime
    data: Mapping[str, Any]
    records: tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class KeyImport:
    """What a file of keys links (`links`), how many keys are linked already (`present`), whether it was done."""

    rows: int
    links: Mapping[str, int]  # by system
    present: int
    done: bool


@dataclass(frozen=True, slots=True)
class TargetState:
    """What became of a record in one target, under one write mapping."""

    target: str
    mapping: str
    status: str
    seq: int
    version: str
    attempts: int
    code: str
    message: str
    settled: datetime
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordView:
    """A canonical record: its head, keys, and state in each target."""

    entity: str
    record: int
    origin: str
    deleted: bool
    head_seq: int
    data: Mapping[str, Any]
    keys: tuple[KeyRow, ...] = ()
    targets: tuple[TargetState, ...] = ()
    history: tuple[Mapping[str, Any], ...] = field(default=())
