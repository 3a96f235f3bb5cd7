"""Watch: compares flat child sets by hash, since a changed child often does not move its parent's change stamp.

Children of one parent are folded into one hash as they come, in the order of the set's key; a parent met again later in
the same run is simply asked for again. Parents whose children changed go into the inbox, the next capture fetches them.
"""

from collections import Counter
from dataclasses import dataclass

from l2c.capture.ahead import prefetched
from l2c.capture.job import Progress
from l2c.contract import Connector
from l2c.mapping import digest, encode
from l2c.state import cursors, leases, runs, sweeps
from l2c.state.store import Store


@dataclass(frozen=True, slots=True)
class WatchJob:
    """One watch of one child set; `baseline` stores hashes only, before a first load reads everything anyway."""

    entity: str
    system: str
    run: int
    source: str
    parent: str
    fields: frozenset[str]
    connector: Connector
    baseline: bool = False
    page_size: int = 1000


class Watch:
    """Works through one child set under a lease."""

    def __init__(self, store: Store, lease: leases.Lease, job: WatchJob, progress: Progress | None = None) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._progress = progress

    def run(self) -> None:
        """Read the whole set, store new hashes, ask for the parents that changed."""
        job = self._job
        pages = job.connector.read(job.source, since=None, page_size=job.page_size, fields=job.fields)
        current: tuple[str, bytes] | None = None
        for page, _ in prefetched(pages, self._store.now):
            folded: dict[str, bytes] = {}
            count = 0
            for record in page.records:
                count += 1
                parent = str(record.data[job.parent])
                child = digest(encode(record.data))
                if current is not None and current[0] == parent:
                    current = (parent, _fold(current[1], child))
                    continue
                if current is not None:
                    folded[current[0]] = _fold(folded[current[0]], current[1]) if current[0] in folded else current[1]
                current = (parent, child)
            self._settle(folded, count)
        if current is not None:
            self._settle({current[0]: current[1]}, 0)

    def _settle(self, folded: dict[str, bytes], count: int) -> None:
        job, now = self._job, self._store.now()
        place = (job.entity, job.system, job.source)
        with self._store.writing() as conn:
            leases.prove(conn, self._lease, now)
            stored = sweeps.hashes(conn, *place, list(folded)) if folded else {}
            changed = {parent: value for parent, value in folded.items() if stored.get(parent) != value}
            sweeps.set_hashes(conn, *place, changed)
            if changed and not job.baseline:
                cursors.put_inbox(conn, job.entity, job.system, changed, f"watch {job.source}", now)
            counts = Counter(children=count, parents=len(folded), to_fetch_again=0 if job.baseline else len(changed))
            total = runs.add_counts(conn, job.run, counts) if job.run else dict(counts)
        if self._progress is not None:
            self._progress(total)


def _fold(one: bytes, other: bytes) -> bytes:
    """Combine hashes so that the order of the children does not matter."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))
