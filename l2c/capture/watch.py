"""Watch: compares flat child sets by hash, since a changed child often does not move its parent's change stamp.

Parents whose children changed, came or went are put into the inbox; the next capture fetches them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from l2c.capture.ahead import prefetched
from l2c.contract import Connector
from l2c.mapping import digest, encode
from l2c.state import cursors, leases, runs, sweeps
from l2c.state.results import Progress
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
        """Read the whole set, store new hashes, ask for the parents of what changed, came or went."""
        job = self._job
        pages = job.connector.read(job.source, since=None, page_size=job.page_size, fields=job.fields)
        for page, _ in prefetched(pages, self._store.now):
            children = {
                record.key: (record.key, str(record.data[job.parent]), digest(encode(record.data)))
                for record in page.records
            }
            self._settle(children)
        if not job.baseline:
            self._vanished()

    def _settle(self, children: Mapping[str, tuple[str, str, bytes]]) -> None:
        job, now = self._job, self._store.now()
        place = (job.entity, job.system, job.source)
        with self._store.writing("watch") as conn:
            leases.prove(conn, self._lease, now)
            stored = sweeps.hashes(conn, *place, list(children))
            changed = [child for key, child in children.items() if stored.get(key) != child[2]]
            sweeps.set_hashes(conn, *place, changed)
            if job.baseline:
                return
            sweeps.seen(conn, job.run, list(children))
            self._ask(conn, [parent for _, parent, _ in changed], len(children), now)

    def _vanished(self) -> None:
        job, now = self._job, self._store.now()
        with self._store.writing("vanished") as conn:
            leases.prove(conn, self._lease, now)
            self._ask(conn, sweeps.drop_vanished(conn, job.entity, job.system, job.source, job.run), 0, now)
            sweeps.forget(conn, job.run)

    def _ask(self, conn: Connection, parents: Sequence[str], read: int, now: int) -> None:
        job = self._job
        asked = cursors.put_inbox(conn, job.entity, job.system, parents, f"watch {job.source}", now)
        total = runs.add_counts(conn, job.run, {"read": read, "to_fetch_again": asked})
        if self._progress is not None:
            self._progress(total)
