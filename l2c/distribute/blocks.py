"""Working through the journal block by block."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from sqlalchemy import Connection

from l2c.contract import Outcome, Status
from l2c.distribute import elements
from l2c.distribute.brake import LeaveBrake
from l2c.distribute.deciding import Decider, Known, Write
from l2c.distribute.doubt import Doubts
from l2c.distribute.job import DistributeJob
from l2c.distribute.present import Looked, Present
from l2c.distribute.readback import ReadBack, Shown
from l2c.distribute.settling import Block, BlockSettlement
from l2c.distribute.twins import Twins
from l2c.distribute.unsure import Unsure
from l2c.distribute.words import key_of
from l2c.errors import HubError, TransientError
from l2c.faultpoints import reach
from l2c.state import cursors, deadletters, distributions, journal, keys, leases, meetings
from l2c.state.distributions import Settled
from l2c.state.journal import Head
from l2c.state.limits import Failures
from l2c.state.results import DISTRIBUTE, Progress
from l2c.state.sending import LEFT
from l2c.state.store import Store

LOST_IN_A_ROW = 2


class Distribution:
    """Drains the journal into one target under a lease."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob, progress: Progress | None = None) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._progress = progress
        self._doubts = Doubts(store, lease, job)
        self._unsure = Unsure(store, lease, job, self._doubts)
        self._twins = Twins(store, lease, job)
        self._settlement = BlockSettlement(store, lease, job, self._doubts, dead=False)
        self._failures = Failures(job.entity, job.target, job.budget)
        self._brake = LeaveBrake(store, job, self._known, 0)
        self._cursor = 0
        self._begun = 0

    def run(self) -> None:
        """First what is due again, then everything after the target's place in the journal, until there is nothing left."""
        job = self._job
        self._begun = self._store.now()  # what becomes due again while this runs is for the next run
        with self._store.reading() as conn:
            self._cursor = int(cursors.get_cursor(conn, job.entity, job.target, DISTRIBUTE) or 0)
            dead = deadletters.any_of(conn, job.entity, job.target, DISTRIBUTE)
        self._settlement = BlockSettlement(self._store, self._lease, job, self._doubts, dead=dead)
        self._brake = LeaveBrake(self._store, job, self._known, self._begun)
        self._unsure.recover()
        while self._due_block() or self._journal_block():
            pass

    def _due_block(self) -> bool:
        job = self._job
        with self._store.reading() as conn:
            records = distributions.due_records(
                conn, job.entity, job.target, self._begun, job.block, [mapper.kept_as for mapper in job.mappers]
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
        job, known, now = self._job, self._known(heads), self._store.now()
        decider = Decider(job, now)
        decided = [one for head in heads for one in decider.all(head, known)]
        self._failures.add(decider.failed)
        self._failures.check(besides=len(heads))
        if decider.left:
            self._brake.check(decider.left, heads, self._cursor if cursor is None else cursor)
        held = [one for one in decided if isinstance(one, Settled) and known.states.get(one.place) is one]
        new = [one for one in decided if isinstance(one, Write) or known.states.get(one.place) is not one]
        cleared = self._doubts.look_up(new, known.native_keys, now)
        writes, gone = self._there(cleared.writes)
        writes, twins = self._twins.hold(writes)
        writes, taken = self._taken(writes)
        looked = Present(job, known, now).look(writes) if job.readers and writes else Looked(writes)
        reach("present.read")
        self._unsure.note(looked.writes, now)
        self._failures.handled += len(heads) - len(looked.writes)
        sent, error = self._send(looked.writes)
        shown = ReadBack(job, known).read(sent, self._store.now()) if job.readers else Shown()
        reach("readback.read")
        block = Block(heads, [*cleared.states, *gone, *twins, *taken, *looked.states], sent, shown, cursor, superseded)
        adopted = [key for key, _ in cleared.found]
        block.fetch, block.found, block.held = [*adopted, *looked.fetch], [*cleared.found, *looked.found], held
        total = self._settlement.settle(block)
        if self._progress is not None:
            self._progress(total)
        error = error or shown.error
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
            views = journal.views_of(conn, job.entity, job.target, numbers) if job.readers else {}
            undecided = self._undecided(conn, numbers) if job.readers else frozenset()
            element_keys = elements.keys_of(conn, job, numbers)
        unsure, written_once = self._unsure.chains(states), elements.written_once(job, states)
        return Known(states, native, {**fresh, **payloads}, unsure, views, undecided, element_keys, written_once)

    def _undecided(self, conn: Connection, numbers: Sequence[int]) -> frozenset[int]:
        """Records that something the target shows may be: nothing is created for them before that is decided."""
        job, wanted = self._job, set(numbers)
        open_ones = meetings.hits_in(conn, job.entity, job.target, *meetings.OPEN)
        return frozenset(record for _, _, records in open_ones for record in records if record in wanted)

    def _taken(self, writes: Sequence[Write]) -> tuple[list[Write], list[Settled]]:
        """Creates whose key another record of ours has already must not be written over it."""
        job = self._job
        with_elements = any(mapper.lists for mapper in job.mappers)
        writes, ours = elements.taken(self._store, job, writes) if with_elements else (list(writes), [])
        given = [write for write in writes if write.gives_key and not write.mapper.lists]
        if not given:
            return writes, ours
        with self._store.reading() as conn:
            owners = keys.records_of(conn, job.entity, job.target, [write.change.record.key for write in given])
        taken: dict[int, Settled] = {}
        for write in given:
            key, number = write.change.record.key, write.head.record
            owner = owners.setdefault(key, number)
            if owner != number:
                path, place = key_of(write.mapper)
                text = f"{path}: '{job.target}' has '{key}' for record #{owner} already; give this one another key [{place}]"
                taken[id(write)] = write.settled("dead_letter", code="key_taken", message=text, due_at=None)
        return [write for write in writes if id(write) not in taken], [*ours, *taken.values()]

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

    def _send(self, writes: Sequence[Write]) -> tuple[list[tuple[Write, Outcome | None]], HubError | None]:
        """Each write with its outcome; None for those not sent since the system went away, with the error that says so."""
        chunks = list(_chunks(writes, self._job.page_size))
        if self._job.writers > 1 and len(chunks) > 1:
            with ThreadPoolExecutor(self._job.writers, thread_name_prefix="writer") as pool:
                results = list(pool.map(self._send_chunk, chunks))
        else:
            results = self._send_in_turn(chunks)
        error = next((failed for _, failed in results if failed is not None), None)
        sent = [
            pair
            for chunk, (outcomes, _) in zip(chunks, results, strict=True)
            for pair in zip(chunk, outcomes, strict=True)
        ]
        return self._within_budget(sent, error)

    def _within_budget(
        self, sent: list[tuple[Write, Outcome | None]], error: HubError | None
    ) -> tuple[list[tuple[Write, Outcome | None]], HubError | None]:
        """Where one reason refuses too many, nothing of it is set aside: these are as if they had not been sent."""
        spent = self._failures.error()
        if spent is None:
            return sent, error
        return [(write, None if _newly_refused(write, outcome) else outcome) for write, outcome in sent], spent

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
            error = error or self._failures.error()
            if lost == LOST_IN_A_ROW and outcomes[0] is not None:
                text = f"{self._job.target}: {outcomes[0].message or 'no answers'}; the rest is sent by the next run"
                error = TransientError(text, system=self._job.target, entity=self._job.entity, code="answers_lost")
            results.append((outcomes, error))
        return results

    def _send_chunk(self, chunk: Sequence[Write]) -> tuple[list[Outcome | None], HubError | None]:
        connector, native = self._job.connector, chunk[0].mapper.native
        changes = self._doubts.intend(chunk, self._store.now())
        try:
            prepared = connector.prepare(native, changes)
            reach("send.before")
            outcomes = list(connector.send(prepared))
        except HubError as error:
            self._doubts.withdraw(chunk)  # nothing was sent
            return [None] * len(chunk), error
        reach("send.after")
        refused = [o for w, o in zip(chunk, outcomes, strict=False) if _newly_refused(w, o)]
        self._failures.handled += len(chunk)
        self._failures.add((one.code, one.message) for one in refused)
        missing = len(chunk) - len(outcomes)
        return [
            *outcomes[: len(chunk)],
            *[Outcome(Status.UNKNOWN, message="the connector returned no outcome")] * missing,
        ], None


def _newly_refused(write: Write, outcome: Outcome | None) -> bool:
    """Whether the target refused a record that is not set aside yet."""
    if outcome is None or outcome.status is not Status.REJECTED:
        return False
    return write.previous is None or write.previous.status != "dead_letter"


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
