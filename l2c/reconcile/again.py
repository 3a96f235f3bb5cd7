"""The second look: records that differed are fetched from the system and from the state again, and judged by what is known then."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from l2c.contract import Record
from l2c.reconcile import results
from l2c.reconcile.facts import Facts, facts_of, view_of
from l2c.reconcile.judge import NOT_DISTRIBUTED, Judge
from l2c.reconcile.report import Report
from l2c.reconcile.side import Side, moving, shapes_of
from l2c.reconcile.sources import Moving, Witness
from l2c.reconcile.verdict import Verdict, together, verdict
from l2c.state import journal, reconciling
from l2c.state.journal import Head
from l2c.state.store import Store

T = TypeVar("T")
CHUNK = 100
LOST = "its key mapping is lost: it stands there, and the hub does not know it by that key"


class SecondLook:
    """Looks again at what was suspect in one system."""

    def __init__(self, store: Store, side: Side, report: Report) -> None:
        self._store = store
        self._side = side
        self._shapes = shapes_of(side)
        self._report = report
        self._moving: Moving = {}
        self._lost: dict[bytes, int] = {}

    def run(self) -> None:
        """First the keys the hub does not know, since one of them may be what a record lacks; then the records."""
        side, report = self._side, self._report
        strangers, suspects = report.strangers[side.system], report.suspects[side.system]
        if not strangers and not suspects:
            return
        self._moving = moving(self._store, side)
        if side.readers and strangers:
            with self._store.reading() as conn:
                self._lost = reconciling.without_key(conn, side.entity, side.system)
        for native in side.natives:
            for keys in _chunks([key for of, key in strangers if of == native]):
                self._strangers(native, keys)
        for numbers in _chunks(sorted(suspects)):
            self._records(numbers)

    def _strangers(self, native: str, keys: Sequence[str]) -> None:
        side, report = self._side, self._report
        live = self._fetched(native, keys)
        with self._store.reading() as conn:
            linked = reconciling.linked(conn, side.entity, side.system, keys)
            births = {
                key: number for key in keys if (number := report.births[side.system].get((native, key))) is not None
            }
            facts = facts_of(self._store, conn, side, list(births.values()), keys)
        witness = Witness(side, facts, self._moving)
        for key, record in live.items():
            if key in linked:  # linked meanwhile: a record like any other
                report.suspects[side.system].add(linked[key])
                continue
            number = births.get(key)
            if number is None and (shown := witness.hash_of(native, record)) is not None:
                number = self._lost.get(shown)
            if number is None:
                report.last_of_stranger(side.system, key, witness.unknown(native, record))
            else:
                self._found(native, record, number)
        report.told(again=len(keys))

    def _found(self, native: str, record: Record, number: int) -> None:
        """A record the hub has no key of turns out to be one it knows."""
        side, report = self._side, self._report
        with self._store.reading() as conn:
            facts = facts_of(self._store, conn, side, [number], [record.key])
        report.suspects[side.system].discard(number)
        judge = Judge(side, self._shapes, facts)
        found = judge.given(number, {native: record})
        if found is not None and judge.due(number):
            found = verdict(results.IN_FLIGHT, NOT_DISTRIBUTED)
        elif found is None or found.name not in (results.IN_FLIGHT, results.WAITING, results.DEAD_LETTER):
            found = verdict(results.UNEXPLAINED, LOST, found.fields if found is not None else ())
        report.last(side.system, number, found, record.key)

    def _records(self, numbers: Sequence[int]) -> None:
        side, report = self._side, self._report
        before = self._facts(numbers)
        keys = list(before.keys.values())
        live = {native: self._fetched(native, keys) for native in side.natives}
        after = self._facts(numbers)
        judge = Judge(side, self._shapes, after, self._past)
        witness = Witness(side, after, self._moving, lambda head: view_of(self._store, side, head))
        for number in numbers:
            key = after.keys.get(number, "")
            if before.marks(number) != after.marks(number):
                found: Verdict | None = verdict(results.IN_FLIGHT, "it changed while it was looked at")
            else:
                found = self._judged(number, {native: shown.get(key) for native, shown in live.items()}, judge, witness)
            report.last(side.system, number, found, key)
        report.told(again=len(numbers))

    @staticmethod
    def _judged(number: int, lives: Mapping[str, Record | None], judge: Judge, witness: Witness) -> Verdict | None:
        there = [(native, record) for native, record in lives.items() if record is not None]
        shown = [one for native, record in there if (one := witness.known(native, record, number)) is not None]
        source = max(shown, key=lambda one: one.rank, default=None) if there else witness.absent(number)
        return together(source, judge.given(number, lives))

    def _fetched(self, native: str, keys: Sequence[str]) -> dict[str, Record]:
        side = self._side
        if not keys:
            return {}
        found = side.connector.fetch(native, keys, fields=side.fields(native))
        return {record.key: record for record in found if not record.deleted}

    def _facts(self, numbers: Sequence[int]) -> Facts:
        with self._store.reading() as conn:
            return facts_of(self._store, conn, self._side, numbers)

    def _past(self, head: Head) -> list[bytes]:
        """Earlier payloads of a record, newest first."""
        with self._store.reading() as conn:
            return journal.chain(conn, self._side.entity, head.seq, None)


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
