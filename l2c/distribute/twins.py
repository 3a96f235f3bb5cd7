"""Records captured before what they refer to was known: one of them may be a record another system has already.

While its company is not known, nobody can tell that a contact is the contact of the other system. Once it is, before anything
is created for it, it is looked for again; who is found is met anew by the next capture, under the rules of a first meeting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from l2c.distribute.deciding import Write
from l2c.distribute.job import DistributeJob
from l2c.mapping import decode
from l2c.state import intents, journal, leases, linking, meetings, references
from l2c.state.distributions import UNDECIDED, Settled
from l2c.state.journal import Head
from l2c.state.meetings import AMBIGUOUS, Candidate
from l2c.state.recognition import Values, referring, values_before, values_of
from l2c.state.store import Store
from l2c.state.unmeeting import unmeet


@dataclass(frozen=True, slots=True)
class _Sought:
    """What creates are recognised by now; `stale`: rules under which they are stored by a reference not known then."""

    now: Mapping[int, Values]
    before: Mapping[int, Values]
    stale: Mapping[int, frozenset[str]]


@dataclass(slots=True)
class _Found:
    """By record: its native keys, the rule it fits others by, and those; records that wait for a decision already."""

    twins: dict[int, tuple[Mapping[str, str], str, list[int]]] = field(default_factory=dict)
    undecided: set[int] = field(default_factory=set)


class Twins:
    """Looks for the twins of what is to be created in one target."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._rules = referring(job.rules, job.references)

    def hold(self, writes: Sequence[Write]) -> tuple[list[Write], list[Settled]]:
        """The writes that may be sent, and the states of those whose record is met again or is a candidate's meanwhile."""
        new = {write.head.record: write.head for write in writes if write.creates}
        if not self._rules or not new:
            return list(writes), []
        with self._store.reading() as conn:
            found = self._find(conn, new)
        if found.twins:
            now = self._store.now()
            with self._store.writing("twins") as conn:
                leases.prove(conn, self._lease, now)
                journal.lock(conn, self._job.entity)
                found = self._find(conn, new)
                for number, twin in found.twins.items():
                    if len(twin[0]) == 1:
                        self._meet_again(conn, new[number], *twin, now)
        held = found.twins.keys() | found.undecided
        return (
            [write for write in writes if write.head.record not in held],
            [self._state(write, found) for write in writes if write.head.record in held],
        )

    def _find(self, conn: Connection, new: Mapping[int, Head]) -> _Found:
        entity, found = self._job.entity, _Found()
        open_ones = meetings.hits_in(conn, entity, self._job.target, *meetings.OPEN)
        found.undecided = {record for _, _, records in open_ones for record in records if record in new}
        sought = self._sought(conn, new)
        hits = self._hits(conn, sought)
        own = linking.keys_of(conn, entity, sorted({*new, *(n for _, records in hits.values() for n in records)}))
        for number, (rule, records) in hits.items():
            mine = own.get(number, {})
            # of two records in one system, that system says that they are two; one that is met again meets no third
            others = [n for n in records if own.get(n) and mine.keys().isdisjoint(own[n]) and n not in found.twins]
            if others and mine:
                found.twins[number] = (mine, rule, others)
        return found

    def _sought(self, conn: Connection, new: Mapping[int, Head]) -> _Sought:
        job, now, stale = self._job, dict[int, Values](), dict[int, frozenset[str]]()
        data: dict[int, dict[str, Any]] = {}
        for number, head in new.items():
            data[number] = decode(head.payload)
            stored = values_of(data[number], self._rules)
            references.settle(conn, data[number], job.references)
            now[number] = values_of(data[number], self._rules)
            stale[number] = frozenset(rule for rule, values in now[number].items() if values != stored.get(rule))
        return _Sought(now, values_before(conn, data, self._rules, job.references), stale)

    def _hits(self, conn: Connection, sought: _Sought) -> dict[int, tuple[str, list[int]]]:
        """Of each record: the first rule by which it fits others where one of the two stands under an unknown reference."""
        hits: dict[int, tuple[str, list[int]]] = {}
        for rule in self._rules:
            asked = {
                number: [
                    *(sought.now[number].get(rule.name, ()) if rule.name in sought.stale[number] else ()),
                    *sought.before.get(number, {}).get(rule.name, ()),
                ]
                for number in sought.now
                if number not in hits
            }
            every = list({value for values in asked.values() for value in values})
            for part in linking.chunks(every):
                carried = meetings.with_values(conn, self._job.entity, rule.name, part)
                for number, values in asked.items():
                    records = {record for value in values for record in carried.get(value, ())} - {number}
                    if records:
                        hits[number] = (rule.name, sorted({*records, *hits.get(number, ("", []))[1]}))
        return hits

    def _meet_again(
        self, conn: Connection, head: Head, own: Mapping[str, str], rule: str, others: Sequence[int], now: int
    ) -> None:
        """Take the record back to before it was captured, as a candidate for the others."""
        job, entity = self._job, self._job.entity
        self._renew(conn, others)
        [(system, key)] = own.items()
        view = journal.views_of(conn, entity, system, [head.record]).get(head.record)
        shown = (
            (view.payload, view.hash) if view is not None and view.payload is not None else (head.payload, head.hash)
        )
        candidate = Candidate(key, AMBIGUOUS, rule, tuple(others), "", *shown, {}, None, None, now)
        unmeet(conn, entity, system, head, candidate, now)
        intents.forget_intents(conn, entity, job.target, [(head.record, mapper.name) for mapper in job.mappers])

    def _renew(self, conn: Connection, others: Sequence[int]) -> None:
        """Store what these are recognised by with their references as they are known now."""
        values: dict[int, Values] = {}
        for head in journal.heads_of(conn, self._job.entity, others):
            data = decode(head.payload)
            references.settle(conn, data, self._job.references)
            values[head.record] = values_of(data, self._job.rules)
        meetings.set_values(conn, self._job.entity, values)

    def _state(self, write: Write, found: _Found) -> Settled:
        entity, target = self._job.entity, self._job.target
        own, _, others = found.twins.get(write.head.record, ({}, "", []))
        text = f"'{target}' shows records that may be this one; decide: l2c matches {entity}"
        if len(own) == 1:
            text = (
                "captured before what it refers to was known, it may be a record that is there; the next capture looks"
            )
        elif own:
            names = ", ".join(f"#{number}" for number in others)
            text = (
                f"it may be {names}, which has other systems; if so: l2c keys move {entity} SYSTEM KEY '#{others[0]}'"
            )
        return write.settled("waiting", code="ambiguous", message=text, waiting_for=UNDECIDED)
