"""Settling one page: every record into its one state, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from l2c.capture.job import CaptureJob, Shown
from l2c.capture.merge import merge
from l2c.mapping import decode, digest, encode
from l2c.state import cursors, deadletters, distributions, journal
from l2c.state.results import CAPTURE


class PageSettlement:
    """Puts the records of one page into their states, inside one transaction."""

    def __init__(self, conn: Connection, job: CaptureJob, read_at: int, now: int, *, resolve_dead: bool) -> None:
        self._conn = conn
        self._job = job
        self._read_at = read_at
        self._now = now
        self._resolve_dead = resolve_dead
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
        edits: list[tuple[Shown, journal.Known]] = []
        gone: list[tuple[Shown, journal.Known]] = []
        for one in newest.values():
            self._sort(one, known.get(one.key), births, edits, gone)
        entries = [
            journal.Entry(one.key, 0, "change", one.hash, one.payload or b"", one.changed_at, born=True)
            for one in births
        ]
        merged = self._merge(edits)
        entries += [entry for entry, _, _ in merged if entry is not None]
        entries += self._deletions(gone)
        seq = journal.append(
            conn, job.entity, entries, origin=job.system, run=job.run, mapping=job.mapper.version, now=self._now
        )
        self._count(entries, merged)
        self._store_views(births, entries, merged)
        self._finish()
        return seq

    def _sort(
        self,
        one: Shown,
        known: journal.Known | None,
        births: list[Shown],
        edits: list[tuple[Shown, journal.Known]],
        gone: list[tuple[Shown, journal.Known]],
    ) -> None:
        if one.error is not None:
            self.counts["dead_letter"] += 1
            self._dead.append(_letter(self._job, one, known))
            return
        if (
            known is not None
            and known.view_read_at is not None
            and known.view_read_at > self._read_at
            and one.hash != known.view_hash
        ):
            # read before the view last changed: a slow read must not undo a newer one
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
        elif known.view_hash == one.hash and not known.deleted:
            self.counts["unchanged"] += 1
            if one.etag != known.etag:
                self._etags.append((one, known.record))
        else:
            edits.append((one, known))

    def _merge(
        self, edits: Sequence[tuple[Shown, journal.Known]]
    ) -> list[tuple[journal.Entry | None, Shown, journal.Known]]:
        """Turn edits into journal entries; None where the head stays (only fields this system does not own differ)."""
        if not edits:
            return []
        conn, job = self._conn, self._job
        heads = journal.payloads(conn, job.entity, [known.head_seq for _, known in edits])
        views = journal.view_payloads(conn, job.entity, job.system, [known.record for _, known in edits])
        result: list[tuple[journal.Entry | None, Shown, journal.Known]] = []
        returned: list[int] = []
        for one, known in edits:
            head = decode(heads[known.head_seq])
            stored = views.get(known.record)
            view = decode(stored) if stored is not None else (head if known.view_hash is not None else None)
            new, foreign = merge(head, view, decode(one.payload or b"{}"), job.owned)
            if foreign:
                returned.append(known.record)
            payload = encode(new)
            hashed = digest(payload)
            changed = hashed != known.head_hash or known.deleted
            entry = (
                journal.Entry(one.key, known.record, "change", hashed, payload, one.changed_at, known.head_seq)
                if changed
                else None
            )
            result.append((entry, one, known))
        if returned:
            distributions.make_due(conn, job.entity, job.system, self._now, records=returned)
        return result

    def _deletions(self, gone: Sequence[tuple[Shown, journal.Known]]) -> list[journal.Entry]:
        heads = journal.payloads(self._conn, self._job.entity, [known.head_seq for _, known in gone])
        return [
            journal.Entry(
                one.key, known.record, "delete", known.head_hash, heads[known.head_seq], one.changed_at, known.head_seq
            )
            for one, known in gone
        ]

    def _count(
        self, entries: Sequence[journal.Entry], merged: Sequence[tuple[journal.Entry | None, Shown, journal.Known]]
    ) -> None:
        self.counts["journaled"] += len(entries)
        self.counts["born"] += sum(entry.born for entry in entries)
        self.counts["deleted"] += sum(entry.kind == "delete" for entry in entries)
        self.counts["unchanged"] += sum(entry is None for entry, _, _ in merged)

    def _store_views(
        self,
        births: Sequence[Shown],
        entries: Sequence[journal.Entry],
        merged: Sequence[tuple[journal.Entry | None, Shown, journal.Known]],
    ) -> None:
        conn, job = self._conn, self._job
        rows = self._new_etags()
        shown: list[tuple[Shown, int]] = []
        for one, entry in zip(births, entries, strict=False):  # births are appended first
            rows.append(self._view_row(one, entry.record, None))
            shown.append((one, entry.record))
        for changed, one, known in merged:
            head_hash = changed.hash if changed is not None else known.head_hash
            rows.append(self._view_row(one, known.record, None if one.hash == head_hash else one.payload))
            shown.append((one, known.record))
        journal.set_views(conn, job.entity, job.system, rows)
        born = len(births)
        links = [("", one.key, record) for one, record in shown[:born]]
        links += [(path, key, record) for one, record in shown for path, key in (one.other_keys or {}).items() if key]
        distributions.link(conn, job.entity, job.system, links, self._now)

    def _new_etags(self) -> list[dict[str, Any]]:
        """Views of records unchanged but for their ETag: a payload that is stored stays what was shown."""
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
            "read_at": self._read_at,
        }

    def _finish(self) -> None:
        conn, job = self._conn, self._job
        place = (job.entity, job.system, CAPTURE)
        deadletters.put(conn, *place, self._dead, run=job.run, now=self._now)
        if self._resolve_dead:
            deadletters.resolve(conn, *place, job.mapper.name, self._passed)
        cursors.put_inbox(conn, job.entity, job.system, self._again, "read before a newer change", self._now)


def _letter(job: CaptureJob, one: Shown, known: journal.Known | None) -> dict[str, Any]:
    return {
        "mapping": job.mapper.name,
        "native_key": one.key,
        "record": known.record if known is not None else None,
        "code": one.error.code if one.error is not None else "",
        "message": str(one.error),
    }
