"""The classes a record can end in, and what a reconciliation answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

EQUAL = "equal"
OWNED = "equal_but_owned"
IN_FLIGHT = "in_flight"
WAITING = "waiting"
DEAD_LETTER = "dead_letter"
FILTERED = "filtered"
MISSING_LEFT = "missing_left"
MISSING_RIGHT = "missing_right"
UNEXPLAINED = "unexplained"

CLASSES = (EQUAL, OWNED, IN_FLIGHT, WAITING, DEAD_LETTER, FILTERED, MISSING_LEFT, MISSING_RIGHT, UNEXPLAINED)
WRONG = (MISSING_LEFT, MISSING_RIGHT, UNEXPLAINED)
"""The classes nobody can answer for: with one of these a reconciliation has found something."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One record in one system that is listed.

    `verdict`: its class. `record`: the hub's number, None for one the hub does not know. `key`: its native key there, '' where
    it has none. `fields`: names of the fields that differ; values never stand here.
    """

    verdict: str
    system: str
    record: int | None
    key: str
    fields: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation found.

    `records`: how many records ended in each class, each counted once, by its worst. `systems`: the same in each system.
    `read`: records read from the systems. `looked_twice`: those that differed on first sight. `peak_rss_mb`: the most memory
    the process has held, in MB of a million bytes.
    """

    entity: str
    records: Mapping[str, int]
    systems: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...] = field(default=())
    unlisted: int = 0
    read: int = 0
    looked_twice: int = 0
    seconds: float = 0.0
    peak_rss_mb: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing is missing and nothing unexplained."""
        return not any(self.records[name] for name in WRONG)
