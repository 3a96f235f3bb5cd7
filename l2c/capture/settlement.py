"""Settling one page: every record into its one state, in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from l2c.capture.edits import Edited, Edits, parts
from l2c.capture.job import CaptureJob, Shown
from l2c.capture.meeting import decide
from l2c.capture.owners import ANYBODY, EACH, NEWEST
from l2c.state import cursors, deadletters, distributions, journal, keys, linking, meetings
from l2c.state.journal import Entry, Known
from l2c.state.results import CAPTURE


class PageSettlement:
    """Puts the records of one page into their states, inside one transaction.

    `linked`: keys that are known to belong to a record although they were never settled. `fetched`: they were asked for by key;
    a record that is gone by a page is fetched before anyone believes it.
    """

    def __init__(
        self,
        conn: Connection,
        job: CaptureJob,
        read_at: int,
        now: int,
        *,
        resolve_dead: bool,
        linked: Mapping[str, int] | None = None,
        fetched: bool = True,
    ) -> None:
        self._conn = conn
        self._job = job
        self._read_at = read_at
        self._now = now
        self._resolve_dead = resolve_dead
        self._linked = linked or {}
        self._fetched = fetched
        self._passed: list[str] = []
        self._dead: list[dict[str, Any]] = []
        self._again: list[str] = []
        self._etags: list[tuple[Shown, int]] = []
        self.counts: Counter[str] = Counter()

    def settle(self, shown: Sequence[Shown]) -> int:
        """Settle all; returns the journal's last sequence number."""
        conn, job = self._conn, self._job
        journal.lock(conn, job.entity)
        self.counts["read"] = len(shown)
        newest = {one.key: one for one in shown}
        self.counts["unchanged"] += len(shown) - len(newest)  # the same record twice on one page: the later one counts
        known = journal.known(conn, job.entity, job.system, list(newest))
        births: list[Shown] = []
        edits: list[tuple[Shown, Known]] = []
        gone: list[tuple[Shown, Known]] = []
        for one in newest.values():
            self._sort(one, known.get(one.key), births, edits, gone)
        links: list[tuple[str, str, int]] = []
        if job.shared:
            self._vanish([one.key for one in newest.values() if one.error is None and one.payload is None])
        if births and job.shared:
            births, met = self._meet(births)
            edits += met
            links = [("", one.key, known.record) for one, known in met]
        entries = [
            Entry(one.key, 0, "change", one.hash, one.payload or b"", one.changed_at, born=True) for one in births
        ]
        edits, ended = self._ended(edits)
        edited = Edits(conn, job, self._read_at, self._now).merge(edits) + ended
        entries += [one.entry for one in edited if one.entry is not None]
        entries += self._deletions(gone)
        if job.shared:
            journal.keep_views(conn, job.entity, job.system, [entry.record for entry in entries if not entry.born])
        seq = journal.append(
            conn, job.entity, entries, origin=job.system, run=job.run, mapping=job.mapper.version, now=self._now
        )
        self._count(entries, edited)
        self._store_views(births, entries, edited, links)
        self._finish()
        return seq

    def _sort(
        self,
        one: Shown,
        known: Known | None,
        births: list[Shown],
        edits: list[tuple[Shown, Known]],
        gone: list[tuple[Shown, Known]],
    ) -> None:
        if one.error is not None:
            self.counts["dead_letter"] += 1
            self._dead.append(_letter(self._job, one, known))
            return
        if (
            known is not None
            and known.view_read_at is not None
            and self._read_at < known.view_read_at <= self._now  # later than now: the hub's clock was set back
            and one.hash != known.view_hash
        ):
            # read before the view last changed: a slow read must not undo a newer one
            self.counts["to_fetch_again"] += 1
            self._again.append(one.key)
            return
        if one.payload is None and known is not None and not known.deleted and not self._fetched:
            self.counts["to_fetch_again"] += 1
            self._again.append(one.key)
            return
        self._passed.append(one.key)
        if one.payload is None:
            if known is None:
                self.counts["filtered"] += 1
            elif known.deleted:
                self.counts["unchanged"] += 1
            else:
                gone.append((one, known))
        elif known is None:
            births.append(one)
        elif known.view_hash == one.hash and not known.deleted and not self._rejoins(one, known):
            self.counts["unchanged"] += 1
            if one.etag != known.etag or one.changed_at != known.view_changed_at:
                # a stamp that stood there before dates no later edit, so it must be known
                self._etags.append((one, known.record))
        else:
            edits.append((one, known))

    def _rejoins(self, one: Shown, known: Known) -> bool:
        """Whether a record was merged, or its merge undone, since it was last shown."""
        return (one.merged_into is not None and known.merged_into is None) or parts(self._job, one, known)

    def _meet(self, met: Sequence[Shown]) -> tuple[list[Shown], list[tuple[Shown, Known]]]:
        """Of records shown for the first time: births, and those that are known from another system."""
        conn, job = self._conn, self._job
        for one in met:
            one.read_at = one.read_at or self._read_at
        decided = decide(conn, job, met, self._linked)
        self.counts["ambiguous"] += len(decided.held)
        meetings.put_candidates(conn, job.entity, job.system, decided.held, self._now)
        meetings.forget_candidates(conn, job.entity, job.system, decided.settled)
        linking.wake_undecided(conn, job.entity, job.system, decided.freed, self._now)
        known = journal.known_records(conn, job.entity, job.system, [record for _, record in decided.links])
        return decided.births, [(one, known[record]) for one, record in decided.links]

    def _vanish(self, missing: Sequence[str]) -> None:
        """Candidates that are gone, or no customer any more, keep nobody waiting."""
        conn, job = self._conn, self._job
        there = meetings.candidates_of(conn, job.entity, job.system, missing) if missing else {}
        meetings.forget_candidates(conn, job.entity, job.system, list(there))
        freed = sorted({record for one in there.values() for record in one.records})
        linking.wake_undecided(conn, job.entity, job.system, freed, self._now)

    def _deletions(self, gone: Sequence[tuple[Shown, Known]]) -> list[Entry]:
        """Entries of records that are gone; one that is not this system's to delete goes back to it instead."""
        conn, job = self._conn, self._job
        kept = self.kept([known for _, known in gone])
        if kept:
            self.counts["unchanged"] += len(kept)
            journal.drop_views(conn, job.entity, job.system, sorted(kept))
            distributions.give_back(conn, job.entity, job.system, sorted(kept), self._now)
        ended = [(one, known) for one, known in gone if known.record not in kept]
        heads = journal.payloads(conn, job.entity, [known.head_seq for _, known in ended])
        return [
            Entry(
                one.key, known.record, "delete", known.head_hash, heads[known.head_seq], one.changed_at, known.head_seq
            )
            for one, known in ended
        ]

    def _ended(self, edits: Sequence[tuple[Shown, Known]]) -> tuple[list[tuple[Shown, Known]], list[Edited]]:
        """Edits without those of records their owner ended: what others still show or do to them brings nothing back."""
        kept = self.kept([known for _, known in edits if known.deleted])
        mine = [(one, known) for one, known in edits if not known.deleted or known.record not in kept]
        ended = [Edited(one, known, None) for one, known in edits if known.deleted and known.record in kept]
        touched = [edit.known.record for edit in ended if edit.shown.hash != edit.known.view_hash]
        if touched:
            distributions.give_back(self._conn, self._job.entity, self._job.system, touched, self._now)
        return mine, ended

    def kept(self, gone: Sequence[Known]) -> set[int]:
        """Records another system owns and has."""
        conn, job = self._conn, self._job
        owner = job.merger.owners.rest({})
        if not gone or not job.shared or owner in (ANYBODY, NEWEST, EACH, job.system):
            return set()
        return set(keys.native_keys(conn, job.entity, owner, [known.record for known in gone]))

    def _count(self, entries: Sequence[Entry], edited: Sequence[Edited]) -> None:
        self.counts["journaled"] += len(entries)
        self.counts["born"] += sum(entry.born for entry in entries)
        self.counts["deleted"] += sum(entry.kind == "delete" for entry in entries)
        self.counts["unchanged"] += sum(one.entry is None for one in edited)

    def _store_views(
        self,
        births: Sequence[Shown],
        entries: Sequence[Entry],
        edited: Sequence[Edited],
        links: list[tuple[str, str, int]],
    ) -> None:
        conn, job = self._conn, self._job
        rows = self._new_etags()
        shown: list[tuple[Shown, int]] = []
        for one, entry in zip(births, entries, strict=False):  # births are appended first
            rows.append(self._view_row(one, entry.record, None))
            shown.append((one, entry.record))
        if job.rules:
            fresh = {record: one.values or {} for one, record in shown}
            meetings.set_values(conn, job.entity, fresh, fresh=fresh)
        for edit in edited:
            one, known = edit.shown, edit.known
            head_hash = edit.entry.hash if edit.entry is not None else known.head_hash
            rows.append(self._view_row(one, known.record, None if one.hash == head_hash else one.payload))
            shown.append((one, known.record))
        journal.set_views(conn, job.entity, job.system, rows)
        links = links + [("", one.key, record) for one, record in shown[: len(births)]]
        links += [(path, key, record) for one, record in shown for path, key in (one.other_keys or {}).items() if key]
        distributions.link(conn, job.entity, job.system, links, self._now)

    def _new_etags(self) -> list[dict[str, Any]]:
        """Views of records unchanged but for their ETag or stamp: a payload that is stored stays what was shown."""
        records = [record for _, record in self._etags]
        stored = journal.view_payloads(self._conn, self._job.entity, self._job.system, records)
        return [self._view_row(one, record, stored.get(record)) for one, record in self._etags]

    def _view_row(self, one: Shown, record: int, payload: bytes | None) -> dict[str, Any]:
        return {
            "record": record,
            "hash": one.hash,
            "payload": payload,
            "etag": one.etag,
            "changed_at": one.changed_at,
            "read_at": one.read_at or self._read_at,
        }

    def _finish(self) -> None:
        conn, job = self._conn, self._job
        place = (job.entity, job.system, CAPTURE)
        deadletters.put(conn, *place, self._dead, run=job.run, now=self._now)
        if self._resolve_dead:
            deadletters.resolve(conn, *place, job.mapper.name, self._passed)
        cursors.put_inbox(conn, job.entity, job.system, self._again, "gone, or read before a newer change", self._now)


def _letter(job: CaptureJob, one: Shown, known: Known | None) -> dict[str, Any]:
    return {
        "mapping": job.mapper.name,
        "native_key": one.key,
        "record": known.record if known is not None else None,
        "code": one.error.code if one.error is not None else "",
        "message": str(one.error),
        "origin": job.system,
    }
