"""Reading a system: from the cursor on, then the keys waiting in the inbox; one transaction a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from l2c.capture import brake, several
from l2c.capture.ahead import prefetched
from l2c.capture.brake import Held
from l2c.capture.job import WHOLE, CaptureJob, Shown
from l2c.capture.meeting import pairs, shown_of
from l2c.capture.settlement import PageSettlement
from l2c.config import MERGED_INTO
from l2c.contract import Record
from l2c.errors import RecordRejected
from l2c.faultpoints import reach
from l2c.mapping import Mapped, decode, digest, encode
from l2c.state import cursors, deadletters, intents, journal, leases, meetings, runs, sweeps
from l2c.state.limits import Failures
from l2c.state.recognition import values_of
from l2c.state.results import CAPTURE, SWEEP, Progress
from l2c.state.store import Store, to_ms

DRAINS = 2  # what is asked for again while it is fetched gets a second look; what still is waits for the next run


class Capture:
    """Works through one partition under a lease: each read mapping in turn, then the inbox."""

    def __init__(
        self, store: Store, lease: leases.Lease, jobs: Sequence[CaptureJob], progress: Progress | None = None
    ) -> None:
        self._store = store
        self._lease = lease
        self._jobs = jobs
        self._progress = progress
        self._dead = False
        self._failures = Failures(jobs[0].entity, jobs[0].system, jobs[0].budget)

    def run(self, *, inbox: bool = True) -> None:
        """Read everything from the cursor on, then (unless told otherwise) the keys waiting in the inbox."""
        with self._store.reading() as conn:
            self._dead = deadletters.any_of(conn, self._jobs[0].entity, self._jobs[0].system, CAPTURE)
        for job in self._jobs:
            self._read(job)
        if any(job.first_load and job.rules for job in self._jobs):
            self._meet()
            # whoever is shown from now on meets records that are linked already
            self._jobs = [replace(job, first_load=False) for job in self._jobs]
        if inbox:
            self.drain_inbox()

    def _read(self, job: CaptureJob) -> None:
        with self._store.reading() as conn:
            since = cursors.get_cursor(conn, job.entity, job.system, job.kind, _place(job))
        partition = None if job.partition == WHOLE else job.partition
        pages = job.connector.read(
            job.mapper.native, since=since, partition=partition, page_size=job.page_size, fields=job.mapper.fields
        )
        for page, read_at in prefetched(pages, self._store.now):
            reach("page.read")
            shown = self._shown(job, page.records)
            self._settle(job, shown, read_at, cursor=page.cursor)

    def _shown(self, job: CaptureJob, records: Iterable[Record], wanted: Sequence[str] = ()) -> list[Shown]:
        """Records as the system shows them, mapped; where the mapping makes a record of each element, these."""
        if job.mapper.lists:
            return [_mapped_part(job, part) for part in several.elements(self._store, job, records, wanted)]
        return [_mapped(job, record) for record in records]

    def drain_inbox(self) -> None:
        """Fetch the keys asked for by webhooks, watches, stale reads and redrives, until none is left."""
        job = self._jobs[0]
        for _ in range(DRAINS):
            after = 0
            held: list[Held] = []
            while True:
                with self._store.reading() as conn:
                    entries = cursors.take_inbox(conn, job.entity, job.system, job.page_size, after)
                if not entries:
                    break
                after = entries[-1].id
                held += self._fetch(entries)
            brake.check(self._store, held)
            for one in held:
                self._settle(one.job, one.shown, one.read_at, inbox=one.entries, fetched=True)

    def _fetch(self, entries: Sequence[cursors.InboxEntry]) -> list[Held]:
        """Each key by the mapping whose native entity has it; what none has is gone. Those that are gone are not settled yet."""
        held: list[Held] = []
        read_at = self._store.now()
        wanted = [entry.native_key for entry in entries]
        for job in self._jobs:
            last = job is self._jobs[-1]
            asked = list(dict.fromkeys(several.fetched_key(job, key) for key in wanted))
            records = list(job.connector.fetch(job.mapper.native, asked, fields=job.mapper.fields))
            reach("fetch.read")
            there = [record for record in records if last or not record.deleted]
            shown = self._shown(job, there, wanted)
            answered = {record.key for record in there}
            found = {one.key for one in shown} | {key for key in wanted if several.fetched_key(job, key) in answered}
            wanted = [key for key in wanted if key not in found]
            if last:
                shown += [_unanswered(job, key) for key in sorted(wanted)]
            if gone := {one.key for one in brake.gone(shown)}:
                theirs = [entry for entry in entries if entry.native_key in gone]
                held.append(Held(job, [one for one in shown if one.key in gone], read_at, theirs))
                entries = [entry for entry in entries if entry.native_key not in gone]
                shown = [one for one in shown if one.key not in gone]
            self._settle(job, shown, read_at, inbox=entries if last else (), fetched=True)
        return held

    def _settle(
        self,
        job: CaptureJob,
        shown: Sequence[Shown],
        read_at: int,
        *,
        cursor: str | None = None,
        inbox: Sequence[cursors.InboxEntry] = (),
        fetched: bool = False,
    ) -> None:
        self._within_budget(job, shown)
        linked = self._created(job, shown) if job.written else {}
        now = self._store.now()
        with self._store.writing("fetched" if inbox else "page") as conn:
            leases.prove(conn, self._lease, now)
            page = PageSettlement(conn, job, read_at, now, resolve_dead=self._dead, linked=linked, fetched=fetched)
            seq = page.settle(shown)
            self._dead = self._dead or page.counts["dead_letter"] > 0
            if cursor is not None:
                cursors.set_cursor(conn, job.entity, job.system, job.kind, cursor, now, partition=_place(job))
            if job.kind == SWEEP and not inbox:
                sweeps.seen(conn, job.run, [one.key for one in shown])
            cursors.done_inbox(conn, inbox)
            total = runs.add_counts(conn, job.run, page.counts)
        self._store.grown(seq)
        if self._progress is not None:
            self._progress(total)

    def _within_budget(self, job: CaptureJob, shown: Sequence[Shown]) -> None:
        """Stop before too many are set aside for one reason; those that are set aside already do not count."""
        failed = {one.key: one.error for one in shown if one.error is not None}
        if failed:
            with self._store.reading() as conn:
                there = deadletters.known(conn, job.entity, job.system, CAPTURE, job.mapper.name, list(failed))
            self._failures.add((error.code, str(error)) for key, error in failed.items() if key not in there)
            self._failures.check(besides=len(shown))
        self._failures.handled += len(shown)

    def _created(self, job: CaptureJob, shown: Sequence[Shown]) -> dict[str, int]:
        """Keys first shown now that carry the mark of a create the hub has not settled yet."""
        with self._store.reading() as conn:
            open_ones = {one.mark: one.record for one in intents.intents_of(conn, job.entity, job.system)}
            if not open_ones:
                return {}
            known = journal.known(conn, job.entity, job.system, [one.key for one in shown])
        if all(one.key in known or one.payload is None for one in shown):
            return {}
        found = job.connector.find(job.mapper.native, list(open_ones))
        return {key: open_ones[mark] for mark, keys in found.items() for key in keys}

    def _meet(self) -> None:
        """After a first load: link what fits, leave what is ambiguous to somebody's decision."""
        first = self._jobs[0]
        entity, system = first.entity, first.system
        by_mapping = {job.mapper.name: job for job in self._jobs}
        with self._store.reading() as conn:
            candidates = meetings.hits_in(conn, entity, system, meetings.WAITING)
            records = list({record for _, _, found in candidates for record in found})
            taken = meetings.linked(conn, entity, system, records)
        linked = pairs(candidates, first.rules, taken)
        names = sorted(linked)
        for start in range(0, len(names), first.page_size):
            self._link(by_mapping, {name: linked[name] for name in names[start : start + first.page_size]})
        with self._store.writing("met") as conn:
            leases.prove(conn, self._lease, self._store.now())
            rest = [key for key, _, _ in candidates if key not in linked]
            meetings.set_states(conn, entity, system, rest, meetings.AMBIGUOUS)

    def _link(self, by_mapping: Mapping[str, CaptureJob], linked: Mapping[str, int]) -> None:
        first, now = self._jobs[0], self._store.now()
        with self._store.writing("linked") as conn:
            leases.prove(conn, self._lease, now)
            stored = meetings.candidates_of(conn, first.entity, first.system, list(linked))
            for name, job in by_mapping.items():
                shown = [shown_of(one) for one in stored.values() if one.mapping == name]
                if not shown:
                    continue
                page = PageSettlement(conn, job, now, now, resolve_dead=False, linked=linked)
                seq = page.settle(shown)
                # they were counted as read and ambiguous when they were shown
                page.counts.subtract({"read": len(shown), "ambiguous": len(shown)})
                total = runs.add_counts(conn, job.run, page.counts)
        self._store.grown(seq)
        if self._progress is not None:
            self._progress(total)


def know_values(store: Store, lease: leases.Lease, job: CaptureJob) -> None:
    """Before records can meet: what the records there are can be recognised by, once for each set of rules."""
    place = (job.entity, "", "match", ";".join(rule.name for rule in job.rules))
    with store.reading() as conn:
        if cursors.get_cursor(conn, *place) is not None:  # as nearly always: no write lock is taken for it
            return
    after = 0
    while True:
        with store.writing("values") as conn:
            leases.prove(conn, lease, store.now())
            heads = meetings.heads_from(conn, job.entity, after, 1000)
            meetings.set_values(
                conn, job.entity, {record: values_of(decode(payload), job.rules) for record, payload in heads}
            )
            if not heads:
                cursors.set_cursor(conn, *place[:3], "known", store.now(), partition=place[3])
                return
            after = heads[-1][0]


def _place(job: CaptureJob) -> str:
    """What the cursor is kept under."""
    whole = "" if job.partition == WHOLE else job.partition
    parts = [str(job.run), job.partition] if job.kind == SWEEP else [whole]
    return "/".join(filter(None, [*parts, job.mapper.variant]))


def _mapped(job: CaptureJob, record: Record) -> Shown:
    stamp = to_ms(record.changed_at) if record.changed_at is not None else None
    shown = Shown(record.key, stamp, record.etag)
    if record.deleted:
        return shown
    try:
        return _filled(job, shown, job.mapper.map(record.data, job.env))
    except RecordRejected as error:
        shown.error = error
        return shown


def _mapped_part(job: CaptureJob, part: several.Part) -> Shown:
    shown = part.shown()
    if part.mapped is None or part.error is not None:
        return shown
    other_keys = {**part.mapped.other_keys, several.MARK + part.record.key: part.key}
    try:
        return _filled(job, shown, replace(part.mapped, other_keys=other_keys))
    except RecordRejected as error:
        shown.error = error
        return shown


def _filled(job: CaptureJob, shown: Shown, mapped: Mapped) -> Shown:
    """What is shown with what it was mapped to; raises RecordRejected where that is too large."""
    payload = encode(mapped.data) if mapped.passes else None
    if payload is not None and len(payload) > job.max_record:
        raise _too_large(job, shown.key, len(payload))
    if payload is not None:
        shown.payload = payload
        shown.hash = digest(payload)
        shown.other_keys = mapped.other_keys
        if MERGED_INTO in mapped.other_keys:
            shown.other_keys = {name: key for name, key in mapped.other_keys.items() if name != MERGED_INTO}
            shown.merged_into = mapped.other_keys[MERGED_INTO]
        if job.rules:
            shown.values = values_of(mapped.data, job.rules)
    return shown


def _too_large(job: CaptureJob, key: str, size: int) -> RecordRejected:
    reason = (
        f"the record has {size:,} bytes, {job.max_record:,} are allowed; shorten it in '{job.system}', "
        f"or set capture.{job.system}.max_record in config/flows/{job.entity}.yaml, then redrive"
    )
    return RecordRejected([("", reason)], system=job.system, entity=job.entity, key=key, code="too_large")


def finish_sweep(store: Store, lease: leases.Lease, job: CaptureJob, *, begun: int) -> None:
    """After a sweep: ask for the records it has not seen."""
    now = store.now()
    with store.writing("sweep") as conn:
        leases.prove(conn, lease, now)
        sweeps.ask_for_unseen(conn, job.entity, job.system, job.run, begun=begun, now=now)


def _unanswered(job: CaptureJob, key: str) -> Shown:
    reason = f"'{job.system}' answered without this record and without saying that it is gone; look for it there, then redrive"
    return Shown(
        key, error=RecordRejected([("", reason)], system=job.system, entity=job.entity, key=key, code="not_answered")
    )
