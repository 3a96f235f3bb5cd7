"""The work of a reconciliation: every system read once, page by page; then what differed looked at a second time."""

import resource
import sys
import time
from collections.abc import Collection, Sequence
from itertools import islice

from l2c.capture.ahead import prefetched
from l2c.contract import Record
from l2c.reconcile import results
from l2c.reconcile.again import SecondLook
from l2c.reconcile.facts import facts_of
from l2c.reconcile.judge import Judge
from l2c.reconcile.report import Report
from l2c.reconcile.side import Side, shapes_of, sides_of
from l2c.reconcile.sources import Witness
from l2c.reconcile.verdict import together
from l2c.state import reconciling
from l2c.state.results import Progress
from l2c.state.store import Store
from l2c.wiring import Wiring

CHUNK = 500


def reconcile(
    wiring: Wiring,
    entity: str,
    *,
    system: str | None = None,
    limit: int = 100,
    show: Collection[str] = (),
    progress: Progress | None = None,
) -> results.Reconciled:
    """Compare every system of a flow (or one) with the journal, live.

    `limit`: how many records are listed at most; `show`: classes to list besides what is missing or unexplained. Raises
    ConfigError for a flow or system there is not, and the connectors' errors when a system cannot be read.
    """
    begun = time.monotonic()
    sides = sides_of(wiring, wiring.project.flow(entity), system)
    report = Report([side.system for side in sides], limit=limit, show=show, progress=progress)
    for side in sides:
        FirstLook(wiring.store, side, report).run()
    for side in sides:
        SecondLook(wiring.store, side, report).run()
    return results.Reconciled(
        entity=entity,
        records=report.tally.records(),
        systems=report.tally.systems(),
        findings=tuple(report.findings),
        unlisted=report.unlisted,
        read=report.read,
        looked_twice=report.looked_twice,
        seconds=round(time.monotonic() - begun, 3),
        peak_rss_mb=peak_rss_mb(),
    )


class FirstLook:
    """Reads one system whole and judges what it shows, then the records it does not show."""

    def __init__(self, store: Store, side: Side, report: Report) -> None:
        self._store = store
        self._side = side
        self._shapes = shapes_of(side)
        self._report = report

    def run(self) -> None:
        """Every native entity in turn, page by page; then the journal's heads."""
        side = self._side
        for bit, native in enumerate(side.natives):
            pages = side.connector.read(native, since=None, page_size=side.page_size, fields=side.fields(native))
            for page, _ in prefetched(pages, self._store.now):
                records = iter(page.records)
                while chunk := [record for record in islice(records, CHUNK) if not record.deleted]:
                    self._page(bit, native, {record.key: record for record in chunk})
        last = 0
        while numbers := self._next(last):
            last = numbers[-1]
            self._unseen(numbers)

    def _page(self, bit: int, native: str, records: dict[str, Record]) -> None:
        side, report = self._side, self._report
        with self._store.reading() as conn:
            linked = reconciling.linked(conn, side.entity, side.system, list(records))
            facts = facts_of(self._store, conn, side, list(linked.values()), list(records))
        judge, witness = Judge(side, self._shapes, facts), Witness(side, facts)
        for key, record in records.items():
            number = linked.get(key)
            if number is None:
                report.stranger(side.system, native, key, witness.unknown(native, record))
                continue
            report.tally.see(side.system, number, bit)
            found = together(witness.known(native, record, number), judge.given(number, {native: record}))
            if found is not None:
                report.first(side.system, number, found, key)
        report.told(len(records))

    def _next(self, last: int) -> list[int]:
        with self._store.reading() as conn:
            return reconciling.records_after(conn, self._side.entity, last, CHUNK)

    def _unseen(self, numbers: Sequence[int]) -> None:
        """Records which some native entity of the system did not show."""
        side, report, natives = self._side, self._report, self._side.natives
        missing = {n: bits for n in numbers if (bits := report.tally.unseen(side.system, n, len(natives)))}
        with self._store.reading() as conn:
            facts = facts_of(self._store, conn, side, list(missing))
            for number, origin in reconciling.origins(conn, side.entity, numbers).items():
                report.tally.born(origin, number)
        judge, witness = Judge(side, self._shapes, facts), Witness(side, facts)
        for number, bits in missing.items():
            source = witness.absent(number) if len(bits) == len(natives) else None
            found = together(source, judge.given(number, {natives[bit]: None for bit in bits}))
            if found is not None:
                report.first(side.system, number, found, facts.keys.get(number, ""))
            if number not in facts.keys:
                report.unborn(side.system, number, judge.birth_keys(number))


def peak_rss_mb() -> float:
    """The most memory this process has held, in MB of a million bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
