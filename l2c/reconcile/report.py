"""What a reconciliation keeps while it works: counts, the records to look at twice, the records to list."""

from collections.abc import Collection, Sequence

from l2c.reconcile.results import WRONG, Finding
from l2c.reconcile.tally import Tally
from l2c.reconcile.verdict import Verdict
from l2c.state.results import Progress


class Report:
    """Numbers and keys only: no record is kept."""

    def __init__(
        self, systems: Sequence[str], *, limit: int, show: Collection[str] = (), progress: Progress | None = None
    ) -> None:
        self.tally = Tally(systems)
        self.suspects: dict[str, set[int]] = {system: set() for system in systems}
        self.strangers: dict[str, dict[tuple[str, str], None]] = {system: {} for system in systems}
        self.births: dict[str, dict[tuple[str, str], int]] = {system: {} for system in systems}
        self.findings: list[Finding] = []
        self.unlisted = 0
        self.read = 0
        self.looked_twice = 0
        self._limit = limit
        self._show = frozenset({*WRONG, *show})
        self._progress = progress
        self._settled: dict[str, set[tuple[str, str]]] = {system: set() for system in systems}

    def first(self, system: str, record: int, found: Verdict, key: str) -> None:
        """A verdict on first sight; what is wrong or not sure is looked at again."""
        if found.wrong or not found.sure:
            self.suspects[system].add(record)
        else:
            self.tally.add(system, record, found)
            self._list(system, record, key, found)

    def last(self, system: str, record: int, found: Verdict | None, key: str) -> None:
        """The verdict that stays."""
        self.tally.settle(system, record, found)
        if found is not None:
            self._list(system, record, key, found)

    def stranger(self, system: str, native: str, key: str, found: Verdict) -> None:
        """A record without a key mapping, on first sight; pages may show it twice."""
        if found.wrong or not found.sure:
            self.strangers[system][native, key] = None
        elif (native, key) not in self._settled[system]:
            self._settled[system].add((native, key))
            self.tally.stranger(system, found)
            self._list(system, None, key, found)

    def last_of_stranger(self, system: str, key: str, found: Verdict) -> None:
        """The verdict on a record without a key mapping that stays."""
        self.tally.stranger(system, found)
        self._list(system, None, key, found)

    def unborn(self, system: str, record: int, keys: Sequence[tuple[str, str]]) -> None:
        """A record without a key there, and the keys it would be born under."""
        for place in keys:
            self.births[system][place] = record

    def told(self, read: int = 0, again: int = 0) -> None:
        """Count what was read, and tell."""
        self.read += read
        self.looked_twice += again
        if self._progress is not None:
            self._progress({"read": self.read, "looked_twice": self.looked_twice})

    def _list(self, system: str, record: int | None, key: str, found: Verdict) -> None:
        if found.name not in self._show:
            return
        if len(self.findings) >= self._limit:
            self.unlisted += 1
            return
        self.findings.append(Finding(found.name, system, record, key, found.fields, found.reason))
