"""The brake of a distribution: how many records it would delete or block in all, counted before the first of them is sent."""

from collections.abc import Callable, Sequence

from l2c.distribute.deciding import Decider, Known
from l2c.distribute.job import DistributeJob
from l2c.state import distributions, journal
from l2c.state.journal import Head
from l2c.state.limits import braked
from l2c.state.store import Store


class LeaveBrake:
    """Counts once, when the first record that leaves is met; a run without any costs nothing."""

    def __init__(self, store: Store, job: DistributeJob, known: Callable[[Sequence[Head]], Known], begun: int) -> None:
        self._store = store
        self._job = job
        self._known = known
        self._begun = begun
        self._leaving = 0
        self._counted = False

    def check(self, left: int, heads: Sequence[Head], cursor: int) -> None:
        """Before `left` records of this block leave: Braked when with those still to come they are too many.

        `heads` are the block's, `cursor` is the target's place in the journal after it.
        """
        self._leaving += left
        if self._counted and self._leaving <= self._job.brake.free:
            return
        count = self._leaving if self._counted else self._leaving + self._to_come(heads, cursor)
        self._counted = True
        if count <= self._job.brake.free:
            return
        job = self._job
        with self._store.reading() as conn:
            there = distributions.count_held(conn, job.entity, job.target)
        if count > job.brake.most(there):
            command = f"distribute {job.entity} {job.target}"
            raise braked(command, job.entity, job.target, count, job.brake, there)

    def _to_come(self, heads: Sequence[Head], cursor: int) -> int:
        """How many of the records this run has not come to yet would leave."""
        job, names = self._job, [mapper.kept_as for mapper in self._job.mappers]
        with self._store.reading() as conn:
            due = distributions.due_records(conn, job.entity, job.target, self._begun, None, names)
        met = {head.record for head in heads}
        rest = [record for record in due if record not in met]
        count = 0
        for start in range(0, len(rest), job.block):
            with self._store.reading() as conn:
                more = journal.heads_of(conn, job.entity, rest[start : start + job.block])
            count += self._leaves(more)
        met.update(rest)
        while True:
            with self._store.reading() as conn:
                more = journal.heads_after(conn, job.entity, cursor, job.block)
            if not more:
                return count
            count += self._leaves([head for head in more if head.record not in met])
            cursor = more[-1].seq

    def _leaves(self, heads: Sequence[Head]) -> int:
        decider, known = Decider(self._job, self._store.now()), self._known(heads)
        for head in heads:
            for _ in decider.all(head, known):
                pass
        return decider.left
