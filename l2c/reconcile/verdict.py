"""A verdict on one record in one system, and which of several counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from l2c.reconcile import results

ORDER = (
    results.FILTERED,
    results.EQUAL,
    results.OWNED,
    results.IN_FLIGHT,
    results.WAITING,
    results.DEAD_LETTER,
    results.MISSING_LEFT,
    results.MISSING_RIGHT,
    results.UNEXPLAINED,
)
"""From the least to the most that someone has to look at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class with its reason; not `sure`: has to be looked at twice, with the record's past."""

    name: str
    reason: str = ""
    fields: tuple[str, ...] = ()
    sure: bool = True

    @property
    def rank(self) -> int:
        """How much it counts beside others."""
        return ORDER.index(self.name)

    @property
    def wrong(self) -> bool:
        """Whether nobody can answer for it."""
        return self.name in results.WRONG


def verdict(name: str, reason: str = "", fields: Sequence[str] = (), *, sure: bool = True) -> Verdict:
    """A verdict, its fields in order of first mention."""
    return Verdict(name, reason, tuple(dict.fromkeys(fields)), sure)


def together(source: Verdict | None, target: Verdict | None) -> Verdict | None:
    """One verdict of a system that both shows and takes: an edit the hub does not know yet explains what differs from the head."""
    if source is None or target is None:
        return target or source
    if source.name not in (results.EQUAL, results.OWNED):
        return source
    if target.name == results.FILTERED:
        return source
    return target
