"""Counts of records by class: one byte a record and system, so that millions fit."""

from collections import Counter
from collections.abc import Iterable, Mapping

from l2c.reconcile import results
from l2c.reconcile.verdict import ORDER, Verdict

_NONE = 0


class Tally:
    """The class of every record in every system, the worst of what was said of it, and which native entities showed it."""

    def __init__(self, systems: Iterable[str]) -> None:
        self._codes = {system: bytearray() for system in systems}
        self._seen = {system: bytearray() for system in self._codes}
        self._origins: dict[str, bytearray] = {system: bytearray() for system in self._codes}
        self._strangers: dict[str, Counter[str]] = {system: Counter() for system in self._codes}

    def add(self, system: str, record: int, found: Verdict) -> None:
        """One more verdict; the worst counts."""
        codes = _grown(self._codes[system], record)
        codes[record] = max(codes[record], found.rank + 1)

    def settle(self, system: str, record: int, found: Verdict | None) -> None:
        """The last word on a record, instead of what was said before."""
        _grown(self._codes[system], record)[record] = _NONE if found is None else found.rank + 1

    def see(self, system: str, record: int, bit: int) -> None:
        """A native entity of the system, by its number there, has shown the record."""
        _grown(self._seen[system], record)[record] |= 1 << bit

    def unseen(self, system: str, record: int, bits: int) -> list[int]:
        """The native entities that have not shown it."""
        seen = self._seen[system]
        mask = seen[record] if record < len(seen) else 0
        return [bit for bit in range(bits) if not mask >> bit & 1]

    def born(self, system: str, record: int) -> None:
        """The record was born in that system."""
        if system in self._origins:
            _grown(self._origins[system], record)[record] = 1

    def stranger(self, system: str, found: Verdict) -> None:
        """A record of that system which the hub has no number for."""
        self._strangers[system][found.name] += 1

    def systems(self) -> Mapping[str, dict[str, int]]:
        """Counts in each system."""
        made = {}
        for system, codes in self._codes.items():
            counts = Counter(ORDER[code - 1] for code in codes if code)
            made[system] = _all_classes(counts + self._strangers[system])
        return made

    def records(self) -> dict[str, int]:
        """Counts over all systems, each record once: by its worst; where nothing is wrong, by what it is beyond its birthplace."""
        counts: Counter[str] = Counter()
        for record in range(max((len(codes) for codes in self._codes.values()), default=0)):
            code = self._worst(record)
            if code:
                counts[ORDER[code - 1]] += 1
        for strangers in self._strangers.values():
            counts += strangers
        return _all_classes(counts)

    def _worst(self, record: int) -> int:
        home, beyond = 0, 0
        for system, codes in self._codes.items():
            code = codes[record] if record < len(codes) else _NONE
            born = self._origins[system]
            if record < len(born) and born[record]:
                home = code
            else:
                beyond = max(beyond, code)
        calm = ORDER.index(results.EQUAL) + 1
        return max(home, beyond) if max(home, beyond) > calm or not beyond else beyond


def _grown(array: bytearray, record: int) -> bytearray:
    if record >= len(array):
        array.extend(bytes(max(record + 1 - len(array), 4096)))
    return array


def _all_classes(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in results.CLASSES}
