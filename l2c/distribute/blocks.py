"""Working through the journal block by block."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from l2c.contract import Outcome, Status
from l2c.distribute.deciding import Decider, Known, Write
from l2c.distribute.doubt import Doubts
from l2c.distribute.job import LEFT, STATE_OF, UNSURE, DistributeJob
from l2c.distribute.unsure import SENDING, Unsure
from l2c.errors import HubError, TransientError
from l2c.state import cursors, deadletters, distributions, intents, journal, keys, leases, runs
from l2c.state.distributions import Settled
from l2c.state.journal import Head
from l2c.state.results import DISTRIBUTE, Progress
from l2c.state.store import Store

LOST_IN_A_ROW = 2


class Distribution:
    """Drains the journal into one target under a lease."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob, progress: Progress | None = None) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._progress = progress
        self._dead = False
        self._doubts = Doubts(store, lease, job)
        self._unsure = Unsure(store, lease, job)
        self._cursor = 0
        self._begun = 0

    def run(self) -> None:
        """First what is due again, then everything after the target's place in the journal, until there is nothing left."""
        job = self._job
        self._begun = self._store.now()  # what becomes due again while this runs is for the next run
        with self._store.reading() as conn:
            self._cursor = int(cursors.get_cursor(conn, job.entity, job.target, DISTRIBUTE) or 0)
            self._dead = deadletters.any_of(conn, job.entity, job.target, DISTRIBUTE)
        self._unsure.recover()
        while self._due_block() or self._journal_block():
            pass

    def _due_block(self) -> bool:
        job = self._job
        with self._store.reading() as conn:
            records = distributions.due_records(
                conn, job.entity, job.target, self._begun, job.block, [mapper.name for mapper in job.mappers]
            )
            heads = journal.heads_of(conn, job.entity, records)
        if not heads:
            return False
        self._work(heads)
        return True

    def _journal_block(self) -> bool:
        job = self._job
        with self._store.reading() as conn:
            heads = journal.heads_after(conn, job.entity, self._cursor, job.block)
        if not heads:
            return False
        last = heads[-1].seq
        first_load = self._cursor == 0  # a new target starts from heads, not from history
        superseded = 0 if first_load else last - self._cursor - len(heads)
        self._work(heads, cursor=last, superseded=superseded)
        self._cursor = last
        return True

    def _work(self, heads: Sequence[Head], *, cursor: int | None = None, superseded: int = 0) -> None:
        known = self._known(heads)
        now = self._store.now()
        decider = Decider(self._job, now)
        decided = [decider.decide(head, mapper, known) for head in heads for mapper in self._job.mappers]
        settled = [one for one in decided if isinstance(one, Settled)]
        writes, doubtful = self._doubts.look_up([one for one in decided if isinstance(one, Write)], now)
        writes, gone = self._there(writes)
        self._unsure.note(writes, now)
        outcomes, error = self._send(writes)
        done = [self._outcome_state(write, outcome) for write, outcome in zip(writes, outcomes, strict=True)]
        self._settle(
            [*settled, *doubtful, *gone, *done],
            list(zip(writes, outcomes, strict=True)),
            heads,
            cursor=cursor,
            superseded=superseded,
        )
        if error is not None:
            raise error

    def _known(self, heads: Sequence[Head]) -> Known:
        job, numbers = self._job, [head.record for head in heads]
        with self._store.reading() as conn:
            states = distributions.stored(conn, job.entity, job.target, numbers)
            native = keys.native_keys(conn, job.entity, job.target, numbers)
            moved = {head.record: head.seq for head in heads}
            written = [
                s.written_seq for s in states.values() if s.written_seq is not None and s.hash not in (None, LEFT)
            ]
            fresh = {head.seq: head.payload for head in heads if moved[head.record] == head.seq}
            payloads = journal.payloads(conn, job.entity, [seq for seq in written if seq not in fresh])
        return Known(states, native, {**fresh, **payloads}, self._unsure.chains(states))

    def _there(self, writes: Sequence[Write]) -> tuple[list[Write], list[Settled]]:
        """Of leaves whose first write was never settled: those that did arrive, and the states of those that did not."""
        guesses = [write for write in writes if write.must_exist]
        missing: set[tuple[str, str]] = set()
        for native in {write.mapper.native for write in guesses}:
            wanted = [write.change.record.key for write in guesses if write.mapper.native == native]
            found = self._job.connector.fetch(native, wanted)
            missing.update((native, record.key) for record in found if record.deleted)
        gone = [w for w in guesses if (w.mapper.native, w.change.record.key) in missing]
        states = [
            Settled.after(None, w.place, seq=w.head.seq, version=w.mapper.version, status="filtered", due_at=w.due_at)
            for w in gone
        ]
        return [write for write in writes if write not in gone] if gone else list(writes), states

    def _send(self, writes: Sequence[Write]) -> tuple[list[Outcome | None], HubError | None]:
        """One outcome a write; None for those not sent since the system went away, with the error that says so."""
        chunks = list(_chunks(writes, self._job.page_size))
        if self._job.writers > 1 and len(chunks) > 1:
            with ThreadPoolExecutor(self._job.writers, thread_name_prefix="writer") as pool:
                results = list(pool.map(self._send_chunk, chunks))
        else:
            results = self._send_in_turn(chunks)
        error = next((failed for _, failed in results if failed is not None), None)
        return [outcome for outcomes, _ in results for outcome in outcomes], error

    def _send_in_turn(self, chunks: Sequence[Sequence[Write]]) -> list[tuple[list[Outcome | None], HubError | None]]:
        """Chunk by chunk; stops at an error, and when the answers to two chunks in a row were lost: the system is away."""
        results: list[tuple[list[Outcome | None], HubError | None]] = []
        lost, error = 0, None
        for chunk in chunks:
            if error is not None:
                results.append(([None] * len(chunk), error))
                continue
            outcomes, error = self._send_chunk(chunk)
            lost = lost + 1 if all(one is not None and one.status is Status.UNKNOWN for one in outcomes) else 0
            if lost == LOST_IN_A_ROW and outcomes[0] is not None:
                text = f"{self._job.target}: {outcomes[0].message or 'no answers'}; the rest is sent by the next run"
                error = TransientError(text, system=self._job.target, entity=self._job.entity, code="answers_lost")
            results.append((outcomes, error))
        return results

    def _send_chunk(self, chunk: Sequence[Write]) -> tuple[list[Outcome | None], HubError | None]:
        connector, native = self._job.connector, chunk[0].mapper.native
        changes = self._doubts.intend(chunk, self._store.now())
        try:
            outcomes = list(connector.send(connector.prepare(native, changes)))
        except HubError as error:
            self._doubts.withdraw(chunk)  # nothing was sent
            return [None] * len(chunk), error
        missing = len(chunk) - len(outcomes)
        return [
            *outcomes[: len(chunk)],
            *[Outcome(Status.UNKNOWN, message="the connector returned no outcome")] * missing,
        ], None

    def _outcome_state(self, write: Write, outcome: Outcome | None) -> Settled:
        job, previous, now = self._job, write.previous, self._store.now()
        attempts = (previous.attempts if previous else 0) + 1
        status = STATE_OF[outcome.status] if outcome is not None else "retrying"
        due_at = now
        if outcome is None:  # the system went away before this one was sent: not the record's fault
            attempts -= 1
        elif status == "in_doubt" and not self._doubts.doubles(write):
            status = "retrying"  # sending it again is safe
        if outcome is not None and status == "retrying":
            due_at = now + job.retries.wait_ms(attempts, outcome.retry_after)
            spent = attempts >= job.retries.attempts and outcome.status is not Status.UNKNOWN  # no fault of the record
            status = "dead_letter" if spent else status
        if status == "in_doubt":
            due_at = self._doubts.look_after(write, now)
            status = "dead_letter" if self._doubts.undecidable(write) else status
        good = status in ("written", "unchanged", "awaiting_confirmation")
        hashed = previous.hash if previous else None
        if outcome is not None and outcome.status is Status.UNKNOWN and not self._doubts.doubles(write):
            hashed = UNSURE  # it may have arrived
        certain = {"written_seq": write.head.seq} if good else {}
        return Settled.after(
            previous,
            write.place,
            seq=write.head.seq,
            version=write.mapper.version,
            status=status,
            hash=write.hash if good else hashed,
            code="" if outcome is None or good else outcome.code or outcome.status.value,
            message="" if good else _words(job, write, outcome),
            attempts=0 if good else attempts,
            due_at=write.due_at if good else (None if status == "dead_letter" else due_at),
            **certain,
        )

    def _settle(
        self,
        states: Sequence[Settled],
        written: Sequence[tuple[Write, Outcome | None]],
        heads: Sequence[Head],
        *,
        cursor: int | None,
        superseded: int,
    ) -> None:
        job, now = self._job, self._store.now()
        counts = Counter(state.status for state in states)
        counts["superseded"] += superseded
        counts["due"] = len(heads) * len(job.mappers) + superseded
        with self._store.writing() as conn:
            leases.prove(conn, self._lease, now)
            distributions.settle(conn, job.entity, job.target, states, now)
            self._settle_keys(conn, written, now)
            self._settle_dead_letters(conn, states, heads, now)
            in_doubt = {(s.record, s.mapping) for s in states if s.status == "in_doubt"}
            if self._doubts.needed:
                sure = [(s.record, s.mapping) for s in states if (s.record, s.mapping) not in in_doubt]
                intents.forget_intents(conn, job.entity, job.target, sure)
            if cursor is not None:
                cursors.set_cursor(conn, job.entity, job.target, DISTRIBUTE, str(cursor), now)
            if written:
                cursors.drop_cursor(conn, job.entity, job.target, DISTRIBUTE, SENDING)
            total = runs.add_counts(conn, job.run, counts)
        if self._progress is not None:
            self._progress(total)

    def _settle_keys(self, conn: Connection, written: Sequence[tuple[Write, Outcome | None]], now: int) -> None:
        job = self._job
        new: list[tuple[str, str, int]] = []
        elements: list[tuple[str, str, int, str]] = []
        for write, outcome in written:
            if outcome is None or STATE_OF[outcome.status] not in ("written", "unchanged"):
                continue
            key = outcome.native_key or write.change.record.key
            if key and (write.previous is None or write.previous.written_seq is None):
                new.append(("", key, write.head.record))
            for place, child in outcome.child_keys.items():
                path, _, element = place.partition("/")
                elements.append((path, child, write.head.record, element))
        distributions.link(conn, job.entity, job.target, new, now)
        keys.add_elements(conn, job.entity, job.target, elements)

    def _settle_dead_letters(
        self, conn: Connection, states: Sequence[Settled], heads: Sequence[Head], now: int
    ) -> None:
        job = self._job
        dead = [state for state in states if state.status == "dead_letter"]
        if self._dead:
            passed = [
                s.record for s in states if s.status in ("written", "unchanged", "filtered", "awaiting_confirmation")
            ]
            deadletters.resolve_records(conn, job.entity, job.target, passed)
        if not dead:
            return
        self._dead = True
        origins = {head.record: head.origin for head in heads}
        names: dict[int, str] = {}
        for system in set(origins.values()):
            names.update(
                keys.native_keys(conn, job.entity, system, [s.record for s in dead if origins[s.record] == system])
            )
        rows: list[dict[str, Any]] = [
            {
                "mapping": state.mapping,
                "native_key": names.get(state.record, str(state.record)),
                "record": state.record,
                "code": state.code,
                "message": state.message,
            }
            for state in dead
        ]
        deadletters.put(conn, job.entity, job.target, DISTRIBUTE, rows, run=job.run, now=now)


def _words(job: DistributeJob, write: Write, outcome: Outcome | None) -> str:
    if outcome is None:
        return "not sent: the system was away"
    name = write.change.record.key or f"record {write.head.record}"
    return f"{job.target} {write.mapper.native} {name}: {outcome.message or outcome.status.value}"


def _chunks(writes: Sequence[Write], size: int) -> list[list[Write]]:
    """Chunks of one native entity each."""
    by_entity: dict[str, list[Write]] = {}
    for write in writes:
        by_entity.setdefault(write.mapper.native, []).append(write)
    chunks = []
    for group in by_entity.values():
        rest = iter(group)
        while chunk := list(islice(rest, size)):
            chunks.append(chunk)
    return chunks
