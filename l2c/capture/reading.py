"""Reading a system: from the cursor on, then the keys waiting in the inbox; one transaction a page."""

from collections.abc import Sequence

from l2c.capture.ahead import prefetched
from l2c.capture.job import WHOLE, CaptureJob, Shown
from l2c.capture.settlement import PageSettlement
from l2c.contract import Record
from l2c.errors import RecordRejected
from l2c.mapping import digest, encode
from l2c.state import cursors, deadletters, leases, runs, sweeps
from l2c.state.results import CAPTURE, SWEEP, Progress
from l2c.state.store import Store, to_ms


class Capture:
    """Works through one partition under a lease."""

    def __init__(self, store: Store, lease: leases.Lease, job: CaptureJob, progress: Progress | None = None) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._progress = progress
        self._dead = False
        self._cursor_place = (job.entity, job.system, job.kind)
        whole = "" if job.partition == WHOLE else job.partition
        self._partition = f"{job.run}/{job.partition}" if job.kind == SWEEP else whole

    def run(self, *, inbox: bool = True) -> None:
        """Read everything from the cursor on, then (unless told otherwise) the keys waiting in the inbox."""
        job = self._job
        with self._store.reading() as conn:
            since = cursors.get_cursor(conn, *self._cursor_place, self._partition)
            self._dead = deadletters.any_of(conn, job.entity, job.system, CAPTURE)
        partition = None if job.partition == WHOLE else job.partition
        pages = job.connector.read(
            job.mapper.native, since=since, partition=partition, page_size=job.page_size, fields=job.mapper.fields
        )
        for page, read_at in prefetched(pages, self._store.now):
            shown = [self._map(record) for record in page.records]
            self._settle(shown, read_at, cursor=page.cursor)
        if inbox:
            self.drain_inbox()

    def drain_inbox(self) -> None:
        """Fetch the keys asked for by webhooks, watches, stale reads and redrives, until none is left."""
        job = self._job
        fetched: set[tuple[int, int]] = set()
        while True:
            with self._store.reading() as conn:
                entries = cursors.take_inbox(conn, job.entity, job.system, job.page_size)
            entries = [entry for entry in entries if (entry.id, entry.received) not in fetched]
            if not entries:
                return
            fetched.update((entry.id, entry.received) for entry in entries)
            read_at = self._store.now()
            wanted = [entry.native_key for entry in entries]
            shown = [
                self._map(record) for record in job.connector.fetch(job.mapper.native, wanted, fields=job.mapper.fields)
            ]
            silent = set(wanted) - {one.key for one in shown}
            shown += [_unanswered(job, key) for key in sorted(silent)]
            self._settle(shown, read_at, inbox=entries)

    def _map(self, record: Record) -> Shown:
        job = self._job
        stamp = to_ms(record.changed_at) if record.changed_at is not None else None
        shown = Shown(record.key, stamp, record.etag)
        if record.deleted:
            return shown
        try:
            mapped = job.mapper.map(record.data, job.env)
        except RecordRejected as error:
            shown.error = error
            return shown
        if mapped.passes:
            shown.payload = encode(mapped.data)
            shown.hash = digest(shown.payload)
            shown.other_keys = mapped.other_keys
        return shown

    def _settle(
        self,
        shown: Sequence[Shown],
        read_at: int,
        *,
        cursor: str | None = None,
        inbox: Sequence[cursors.InboxEntry] = (),
    ) -> None:
        job, now = self._job, self._store.now()
        with self._store.writing() as conn:
            leases.prove(conn, self._lease, now)
            page = PageSettlement(conn, job, read_at, now, resolve_dead=self._dead)
            seq = page.settle(shown)
            self._dead = self._dead or page.counts["dead_letter"] > 0
            if cursor is not None:
                cursors.set_cursor(conn, *self._cursor_place, cursor, now, partition=self._partition)
            if job.kind == SWEEP and not inbox:
                sweeps.seen(conn, job.run, [one.key for one in shown])
            cursors.done_inbox(conn, inbox)
            total = runs.add_counts(conn, job.run, page.counts)
        self._store.grown(seq)
        if self._progress is not None:
            self._progress(total)


def finish_sweep(store: Store, lease: leases.Lease, job: CaptureJob, *, begun: int) -> None:
    """After a sweep: ask for the records it has not seen."""
    now = store.now()
    with store.writing() as conn:
        leases.prove(conn, lease, now)
        sweeps.ask_for_unseen(conn, job.entity, job.system, job.run, begun=begun, now=now)


def _unanswered(job: CaptureJob, key: str) -> Shown:
    reason = f"'{job.system}' answered without this record and without saying that it is gone; look for it there, then redrive"
    return Shown(
        key, error=RecordRejected([("", reason)], system=job.system, entity=job.entity, key=key, code="not_answered")
    )
