"""Writes that may have arrived: noted before they are sent, so that a killed worker leaves no false certainty.

One row a block names its writes until they are settled. A run that finds such a row left behind marks what it names as
unsure: the target may hold the old record or the new one, so neither is ever taken for "unchanged".
"""

from collections.abc import Mapping, Sequence

from l2c.distribute.deciding import Write
from l2c.distribute.doubt import Doubts
from l2c.distribute.job import DistributeJob
from l2c.state import distributions, journal, keys, leases, sending
from l2c.state.distributions import Settled
from l2c.state.sending import UNSURE, Sent
from l2c.state.store import Store


def mapping_of(one: Sent) -> str:
    """The mapping file of a write, whichever element it was about."""
    return one.mapping.partition(distributions.ELEMENT)[0]


class Unsure:
    """Keeps the note of the block under way."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob, doubts: Doubts) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._doubts = doubts

    def note(self, writes: Sequence[Write], now: int) -> None:
        """Commit which writes are about to be sent.

        Where the target is captured too, keys the mapping gives are linked now: a capture that sees such a record before
        its write is settled must know whose it is.
        """
        if not writes:
            return
        job = self._job
        with self._store.writing("sending") as conn:
            leases.prove(conn, self._lease, now)
            sending.note(conn, job.entity, job.target, [Sent(*write.place, write.head.seq) for write in writes], now)
            if job.readers:
                given = [("", w.change.record.key, w.head.record) for w in writes if w.gives_key]
                keys.add_keys(conn, job.entity, job.target, given)

    def recover(self) -> None:
        """Mark what a worker that ended before it could settle was sending; until now it may have been at it."""
        job, now = self._job, self._store.now()
        with self._store.reading() as conn:
            left_behind = sending.noted(conn, job.entity, job.target)
        if not left_behind:  # as nearly always: no write lock is taken for it
            return
        with self._store.writing("recover") as conn:
            leases.prove(conn, self._lease, now)
            stored = distributions.stored(conn, job.entity, job.target, [one.record for one in left_behind])
            versions = {mapper.name: mapper.version for mapper in job.mappers}
            states = [
                self._unsure(
                    stored.get((one.record, one.mapping)), (one.record, one.mapping), one.seq, versions[mapping_of(one)]
                )
                for one in left_behind
                if mapping_of(one) in versions
            ]
            distributions.settle(conn, job.entity, job.target, states, now)
            self._doubts.renew(conn, [(one.record, one.mapping) for one in left_behind], now)
            sending.settled(conn, job.entity, job.target)

    def chains(self, states: Mapping[tuple[int, str], Settled]) -> dict[tuple[int, str], tuple[bytes, ...]]:
        """Of each unsure state: the payloads that may have been sent since the last certain one, newest first."""
        job = self._job
        wanted = {place: state for place, state in states.items() if state.hash == UNSURE}
        if not wanted:
            return {}
        with self._store.reading() as conn:
            return {
                place: tuple(journal.chain(conn, job.entity, state.seq, state.written_seq))
                for place, state in wanted.items()
            }

    @staticmethod
    def _unsure(known: Settled | None, place: tuple[int, str], seq: int, version: str) -> Settled:
        return Settled.after(
            known,
            place,
            seq=seq,
            version=known.version if known else version,
            status="retrying",
            hash=UNSURE,
            code="unsettled",
            message="its worker ended before the answer was settled; it is sent again",
            due_at=known.due_at if known else None,
        )
