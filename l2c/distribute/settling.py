"""Settling one block: every outcome into its state, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from l2c.contract import Outcome, Status
from l2c.distribute.deciding import Write
from l2c.distribute.doubt import Doubts
from l2c.distribute.elements import path_of
from l2c.distribute.job import STATE_OF, DistributeJob
from l2c.distribute.readback import Shown
from l2c.distribute.words import words
from l2c.state import cursors, deadletters, distributions, intents, journal, keys, leases, meetings, runs, sending
from l2c.state.decisions import ASK, TWO_HITS
from l2c.state.distributions import OPEN, Settled
from l2c.state.journal import Head
from l2c.state.results import DISTRIBUTE
from l2c.state.sending import UNSURE
from l2c.state.store import Store

Sent = tuple[Write, Outcome | None]
_STOPPED = ("dead_letter", "in_doubt")  # nothing more happens before somebody acts
_LATER = ("retrying", *OPEN)
_WEIGHT = (
    "filtered",
    "unchanged",
    "written",
    "waiting",
    "retrying",
    "awaiting_confirmation",
    "in_doubt",
    "dead_letter",
)
CREATED_NOTHING = ("dead_letter", "retrying", "filtered")  # states that take back the key of a create


@dataclass(slots=True)
class Block:
    """What became of one block: states without a write, writes with their outcomes, what the target shows since.

    `held`: states that stay as they are, counted and not stored again: a confirmation may come at any moment.
    `fetch`: keys of the target to capture; `found`: keys of records that turned out to be there.
    """

    heads: Sequence[Head]
    states: list[Settled]
    sent: Sequence[Sent]
    shown: Shown
    cursor: int | None
    superseded: int
    fetch: list[str] = field(default_factory=list)
    found: list[tuple[str, int]] = field(default_factory=list)
    held: Sequence[Settled] = ()


class BlockSettlement:
    """Puts the records of blocks into their states."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob, doubts: Doubts, *, dead: bool) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._doubts = doubts
        self._dead = dead

    def settle(self, block: Block) -> Mapping[str, int]:
        """Settle all; returns the run's counts so far."""
        job, now = self._job, self._store.now()
        done = [self._outcome_state(write, outcome) for write, outcome in block.sent]
        states = [*block.states, *done]
        every = [*states, *block.held]
        several = len(job.mappers) > 1 or any(mapper.lists for mapper in job.mappers)
        counts = Counter(_counted(every) if several else (state.status for state in every))
        counts["due"] = len(block.heads) + block.superseded
        counts["superseded"] += block.superseded
        with self._store.writing("settle") as conn:
            leases.prove(conn, self._lease, now)
            distributions.settle(conn, job.entity, job.target, states, now)
            self._settle_keys(conn, block, done, now)
            self._settle_dead_letters(conn, states, block.heads, now)
            if self._doubts.needed:
                sure = [s.place for s in states if s.status not in OPEN and s.code != TWO_HITS]
                intents.forget_intents(conn, job.entity, job.target, sure)
                self._doubts.renew(conn, [s.place for s in done if s.status in OPEN], now)
            if job.readers:
                self._settle_views(conn, block, now)
            if block.cursor is not None:
                cursors.set_cursor(conn, job.entity, job.target, DISTRIBUTE, str(block.cursor), now)
            if block.sent:
                sending.replace_tokens(conn, job.entity, job.target, _replaced(block, done), now)
                sending.settled(conn, job.entity, job.target)
            return runs.add_counts(conn, job.run, counts)

    def _settle_views(self, conn: Connection, block: Block, now: int) -> None:
        job = self._job
        journal.set_views(conn, job.entity, job.target, block.shown.views)
        wanted = dict.fromkeys([*block.fetch, *block.shown.fetch])
        cursors.put_inbox(conn, job.entity, job.target, wanted, "written or moved", now)

    def _settle_keys(self, conn: Connection, block: Block, done: Sequence[Settled], now: int) -> None:
        job = self._job
        new = [("", key, record) for key, record in block.found]
        meetings.forget_candidates(conn, job.entity, job.target, [key for key, _ in block.found])
        elements: list[tuple[str, str, int, str]] = []
        void: list[tuple[str, int]] = []
        for (write, outcome), state in zip(block.sent, done, strict=True):
            if outcome is None or STATE_OF[outcome.status] not in ("written", "unchanged"):
                if write.gives_key and job.readers and state.hash != UNSURE and state.status in CREATED_NOTHING:
                    void.append((write.change.record.key, write.head.record))
                continue
            key = outcome.native_key or write.change.record.key
            if key and (write.previous is None or write.previous.written_seq is None or not write.change.record.key):
                if write.mapper.lists:
                    elements.append((path_of(write.mapper), key, write.head.record, write.element))
                else:
                    new.append(("", key, write.head.record))
            for place, child in outcome.child_keys.items():
                path, _, element = place.partition("/")
                elements.append((path, child, write.head.record, element))
        keys.drop_keys(conn, job.entity, job.target, void)
        distributions.link(conn, job.entity, job.target, new, now)
        keys.add_elements(conn, job.entity, job.target, elements)

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
        if status in OPEN:
            due_at = self._doubts.look_after(write.place, now)
        asked = status == "in_doubt" and self._doubts.asks(write.place)
        good = status in ("written", "unchanged", "awaiting_confirmation")
        hashed = previous.hash if previous else None
        if outcome is not None and outcome.status is Status.UNKNOWN and not self._doubts.doubles(write):
            hashed = UNSURE  # it may have arrived
        certain = {"written_seq": write.head.seq} if good else {}
        said = self._doubts.question(write.place, due_at) if asked else words(job, write, outcome)
        return Settled.after(
            previous,
            write.place,
            seq=write.head.seq,
            version=write.mapper.version,
            status=status,
            hash=write.hash if good else hashed,
            code=ASK if asked else "" if outcome is None or good else outcome.code or outcome.status.value,
            message="" if good else said,
            attempts=0 if good else attempts,
            due_at=due_at if status in _LATER and not asked else (None if status in _STOPPED else write.due_at),
            token=_token(previous, outcome, status),
            **certain,
        )

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
                "origin": origins[state.record],
            }
            for state in dead
        ]
        deadletters.put(conn, job.entity, job.target, DISTRIBUTE, rows, run=job.run, now=now)


def _counted(states: Sequence[Settled]) -> Iterable[str]:
    """The one state of each record: of several mappings the state that asks most of somebody."""
    worst: dict[int, str] = {}
    for state in states:
        have = worst.get(state.record)
        if have is None or _WEIGHT.index(state.status) > _WEIGHT.index(have):
            worst[state.record] = state.status
    return worst.values()


def _token(previous: Settled | None, outcome: Outcome | None, status: str) -> str | None:
    """By what a confirmation will be known."""
    if outcome is None:
        return previous.token if previous is not None else None
    return outcome.token if status in OPEN else None


def _replaced(block: Block, done: Sequence[Settled]) -> dict[str, int]:
    """Tokens of writes that were sent again before they were confirmed, with their records."""
    return {
        write.previous.token: write.head.record
        for (write, _), state in zip(block.sent, done, strict=True)
        if write.previous is not None and write.previous.token not in (None, state.token)
        if write.previous.status != "written"
    }
