"""Turning what a system shows of known records into journal entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from l2c.capture.job import CaptureJob, Shown
from l2c.capture.merge import Merged, Sight
from l2c.mapping import decode, digest, encode
from l2c.state import distributions, journal, keys, meetings, references, sending, shared
from l2c.state.journal import Entry, Known
from l2c.state.recognition import values_of

_FAR = 24 * 3_600_000  # milliseconds a stamp may be ahead of its reading: clocks differ, but not by a day


@dataclass(frozen=True, slots=True)
class Edited:
    """One known record as shown, and the entry it means; None where its head stays."""

    shown: Shown
    known: Known
    entry: Entry | None


class Edits:
    """Merges records of one page into their heads."""

    def __init__(self, conn: Connection, job: CaptureJob, read_at: int, now: int) -> None:
        self._conn = conn
        self._job = job
        self._read_at = read_at
        self._now = now
        self._merged: dict[int, Merged] = {}

    def merge(self, edits: Sequence[tuple[Shown, Known]]) -> list[Edited]:
        """One Edited for each; remembers edits and births, gives back what the system does not own."""
        if not edits:
            return []
        conn, job = self._conn, self._job
        heads = journal.payloads(conn, job.entity, [known.head_seq for _, known in edits])
        sights = self._sights(edits, heads)
        winners = self._winners(edits)
        parted = {known.record: known.merged_into for one, known in edits if parts(job, one, known)}
        made: list[Edited] = []
        for one, known in edits:
            merged = self._merged[known.record] = job.merger.merge(sights[known.record])
            payload = encode(merged.head)
            hashed = digest(payload)
            changed = hashed != known.head_hash or known.deleted or known.record in (winners | parted)
            changed = changed or not _sound(heads.get(known.head_seq), known)
            entry = None
            if changed:
                kind = "merge" if known.record in winners else "change"
                entry = Entry(one.key, known.record, kind, hashed, payload, one.changed_at, known.head_seq)
            made.append(Edited(one, known, entry))
        if winners:
            journal.merge_records(conn, job.entity, winners)
            references.ask_again(conn, job.entity, list(winners), job.referrers, self._now)
        if parted:
            journal.part_records(conn, job.entity, list(parted))
            both = sorted({*parted, *(winner for winner in parted.values() if winner is not None)})
            references.ask_again(conn, job.entity, both, job.referrers, self._now)
        self._remember(made)
        return made

    def _sights(self, edits: Sequence[tuple[Shown, Known]], heads: Mapping[int, bytes]) -> dict[int, Sight]:
        conn, job = self._conn, self._job
        records = [known.record for _, known in edits]
        views = journal.view_payloads(conn, job.entity, job.system, records)
        times = shared.edits_of(conn, job.entity, records) if job.shared else {}
        births = shared.births_of(conn, job.entity, records) if job.shared else {}
        doubts = sending.doubts(conn, job.entity, job.system, records) if job.written else {}
        found: dict[int, Sight] = {}
        for one, known in edits:
            payload, stored = heads.get(known.head_seq), views.get(known.record)
            if payload is None or not _sound(payload, known):
                payload = one.payload or b"{}"  # a damaged entry: what is shown now stands in for it
            head = self._decoded(payload)
            found[known.record] = Sight(
                head,
                self._decoded(stored) if stored is not None else (head if known.view_hash is not None else None),
                decode(one.payload or b"{}"),
                at=self._at(one, known),
                origin=known.origin,
                doubts=[self._decoded(payload) for payload in doubts.get(known.record, ())],
                edits=times.get(known.record, {}),
                births=births.get(known.record, {}),
            )
        return found

    def _decoded(self, payload: bytes) -> dict[str, Any]:
        """A stored record with its references as they are read today, so that none of them looks like an edit."""
        data = decode(payload)
        references.settle(self._conn, data, self._job.references)
        return data

    def _at(self, one: Shown, known: Known) -> int:
        """When an edit was made; a stamp that stood there before tells nothing of it (a changed address may leave it alone).

        Nor does one far in the future, which would keep every later edit of another system out.
        """
        moved = one.changed_at is not None and one.changed_at != known.view_changed_at
        if one.changed_at is None or not moved or one.changed_at > self._read_at + _FAR:
            return self._read_at
        return one.changed_at

    def _winners(self, edits: Sequence[tuple[Shown, Known]]) -> dict[int, int]:
        """Of records that were merged in their system since: the record each went into."""
        found: dict[int, int] = {}
        for one, known in edits:
            if one.merged_into is None:
                continue
            winner = keys.find_record(self._conn, self._job.entity, self._job.system, "", one.merged_into)
            if winner is not None and winner not in (known.record, known.merged_into):
                found[known.record] = winner
        return found

    def _remember(self, made: Sequence[Edited]) -> None:
        conn, job, now = self._conn, self._job, self._now
        foreign = [record for record, merged in self._merged.items() if merged.foreign]
        if foreign:
            distributions.give_back(conn, job.entity, job.system, foreign, now)
        if not job.shared:
            return
        at = {one.known.record: self._at(one.shown, one.known) for one in made}
        edits = {record: (merged.edits, at[record]) for record, merged in self._merged.items() if merged.edits}
        shared.note_edits(conn, job.entity, job.system, edits)
        born = {record: merged.born for record, merged in self._merged.items() if merged.born}
        shared.note_births(conn, job.entity, job.system, born)
        if job.rules:
            changed = [one.known.record for one in made if one.entry is not None]
            values = {record: values_of(self._merged[record].head, job.rules) for record in changed}
            meetings.set_values(conn, job.entity, values)


def parts(job: CaptureJob, one: Shown, known: Known) -> bool:
    """Whether a system that tells of merges no longer tells of this record's: the merge was undone there."""
    return job.mapper.config.merged_into is not None and one.merged_into is None and known.merged_into is not None


def _sound(payload: bytes | None, known: Known) -> bool:
    """Whether the payload of a head is there and as it was stored."""
    return payload is not None and digest(payload) == known.head_hash
