"""First meetings: is a record shown for the first time one the hub knows from another system?

The rules are tried in order. A rule links only where exactly one record of each side fits; several make a candidate that
somebody decides (`l2c matches`). In a first load nothing is linked before everything was read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from l2c.capture.job import CaptureJob, Shown
from l2c.mapping import decode
from l2c.state import meetings
from l2c.state.meetings import ACCEPTED, AMBIGUOUS, REJECTED, WAITING, Candidate
from l2c.state.recognition import Rule, Values, referring, values_before

MARK = "mark"  # stands for a rule: it carries the mark of a create


@dataclass(slots=True)
class Decided:
    """What becomes of records shown for the first time.

    `settled`: keys of candidates that are none any more; `freed`: records somebody was a candidate for who is not any more.
    """

    births: list[Shown] = field(default_factory=list)
    links: list[tuple[Shown, int]] = field(default_factory=list)
    held: list[Candidate] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)


def decide(conn: Connection, job: CaptureJob, met: Sequence[Shown], linked: Mapping[str, int]) -> Decided:
    """Sort records shown for the first time; `linked` are keys known to be ours (creates whose answer was lost).

    Where several are one record by that, somebody has to say which: one of them is a double.
    """
    decided = Decided()
    ours = Counter(linked.values())
    stored = meetings.candidates_of(conn, job.entity, job.system, [one.key for one in met])
    open_ones: list[Shown] = []
    for one in met:
        candidate = stored.get(one.key)
        if candidate is not None and candidate.state == ACCEPTED:
            decided.links.append((one, candidate.records[0]))
        elif candidate is not None and candidate.state == REJECTED:
            decided.births.append(one)
        elif one.key in linked and ours[linked[one.key]] > 1:
            decided.held.append(_candidate(job, one, AMBIGUOUS, MARK, [linked[one.key]]))
        elif one.key in linked:
            decided.links.append((one, linked[one.key]))
        else:
            open_ones.append(one)
    hits = _hits(conn, job, open_ones)
    _sort(conn, job, open_ones, hits, decided)
    held = {candidate.native_key: candidate.records for candidate in decided.held}
    decided.settled = [key for key in stored if key not in held]
    decided.freed = sorted({r for key, one in stored.items() for r in one.records if r not in held.get(key, ())})
    return decided


def _sort(
    conn: Connection, job: CaptureJob, met: Sequence[Shown], hits: Mapping[str, tuple[str, list[int]]], decided: Decided
) -> None:
    wanted = Counter(record for _, records in hits.values() for record in records)
    taken = {record for _, record in decided.links}
    if wanted:
        taken |= meetings.linked(conn, job.entity, job.system, list(wanted))
    if wanted and not job.first_load:
        for key, _, records in meetings.hits_in(conn, job.entity, job.system, AMBIGUOUS, ACCEPTED):
            if key not in hits:
                wanted.update(records)
    for one in met:
        rule, records = hits.get(one.key, ("", []))
        if not records:
            decided.births.append(one)
        elif job.first_load:
            decided.held.append(_candidate(job, one, WAITING, rule, records))
        elif len(records) == 1 and wanted[records[0]] == 1 and records[0] not in taken:
            decided.links.append((one, records[0]))
        else:
            decided.held.append(_candidate(job, one, AMBIGUOUS, rule, records))


def pairs(
    candidates: Sequence[tuple[str, str, list[int]]], rules: Sequence[Rule], taken: Iterable[int]
) -> dict[str, int]:
    """After a first load: the keys that fit exactly one record which nobody else fits, rule by rule.

    What an earlier rule leaves ambiguous no later one links: whom it belongs to is not decided.
    """
    linked: dict[str, int] = {}
    gone = set(taken)
    for rule in rules:
        group = [(key, records) for key, name, records in candidates if name == rule.name]
        wanted = Counter(record for _, records in group for record in records)
        for key, records in group:
            if len(records) == 1 and wanted[records[0]] == 1 and records[0] not in gone:
                linked[key] = records[0]
        gone.update(wanted)
    return linked


def shown_of(candidate: Candidate) -> Shown:
    """A candidate as it was shown."""
    return Shown(
        candidate.native_key,
        candidate.changed_at,
        candidate.etag,
        candidate.payload,
        candidate.hash,
        candidate.other_keys,
        read_at=candidate.read_at,
    )


def _hits(conn: Connection, job: CaptureJob, met: Sequence[Shown]) -> dict[str, tuple[str, list[int]]]:
    """Of each key: the first rule by which it fits some record, and the records."""
    found: dict[str, tuple[str, list[int]]] = {}
    before = _before(conn, job, met)
    for rule in job.rules:
        asked = {
            one.key: (*one.values[rule.name], *before.get(one.key, {}).get(rule.name, ()))
            for one in met
            if one.key not in found and one.values and rule.name in one.values
        }
        if not asked:
            continue
        every = list({value for values in asked.values() for value in values})
        carried = meetings.with_values(conn, job.entity, rule.name, every)
        for key, values in asked.items():
            records = sorted({record for value in values for record in carried.get(value, ())})
            if records:
                found[key] = (rule.name, records)
    return found


def _before(conn: Connection, job: CaptureJob, met: Sequence[Shown]) -> dict[str, Values]:
    """What records there since before their references were known are stored under."""
    if not met or not referring(job.rules, job.references):
        return {}
    data = {one.key: decode(one.payload or b"{}") for one in met}
    return values_before(conn, data, job.rules, job.references)


def _candidate(job: CaptureJob, one: Shown, state: str, rule: str, records: Sequence[int]) -> Candidate:
    return Candidate(
        native_key=one.key,
        state=state,
        rule=rule,
        records=tuple(records),
        mapping=job.mapper.name,
        payload=one.payload or b"",
        hash=one.hash,
        other_keys=one.other_keys or {},
        etag=one.etag,
        changed_at=one.changed_at,
        read_at=one.read_at or 0,
    )
