"""Adopting: a state store restored from an older copy learns what was created since, instead of creating it once more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from l2c.contract import EntitySchema
from l2c.distribute import DistributeJob
from l2c.errors import RecordRejected, TransientError
from l2c.mapping import Env, Mapper, decode
from l2c.runner import Runner
from l2c.state import audit, distributions, intents, keys, leases, linking, meetings
from l2c.state.distributions import Settled
from l2c.state.intents import Intent
from l2c.state.journal import Head
from l2c.state.results import CAPTURE, DISTRIBUTE, SWEEP, WATCH, Adopted, Progress
from l2c.state.sending import UNSURE
from l2c.state.store import from_ms
from l2c.wiring import Wiring

PAGE = 500  # records looked at together
MARKS = 100  # marks of one look-up
FOUND = "it was created before the state store was restored; it is read first"


def adopt(wiring: Wiring, runner: Runner, entity: str, system: str, progress: Progress | None = None) -> Adopted:
    """Link what the hub created in `system` since the copy was taken that its state store was restored from.

    The other systems are swept first: what came since is known again. Then every record without a key in `system` is looked
    for there, by the mark its create would have carried or by the key its mapping gives; then `system` is swept. Records not
    found are looked up once more before they are created. Raises TransientError while the flow is at work.
    """
    flow = wiring.flow(entity, system, DISTRIBUTE)
    names = dict.fromkeys([*flow.active_capture(), *flow.active_distribute()])
    with wiring.store.writing() as conn:
        now = wiring.store.now()
        for lease in (f"{entity}.{kind}.{name}" for name in names for kind in (CAPTURE, SWEEP, WATCH, DISTRIBUTE)):
            if leases.held(conn, lease, now):
                raise TransientError(f"{lease} is running; pause the DAGs of '{entity}', then adopt", system=system)
        leases.overtake(conn, f"{entity}.")
    for other in flow.active_capture():
        if other != system:
            _sweep(runner, entity, other, progress)
    asked = linked = doubled = 0
    search = _Search(wiring, wiring.distribute_job(flow, system, run=0))
    for heads in search.pages():
        found, twice = search.settle(heads)
        asked, linked, doubled = asked + len(heads), linked + found, doubled + twice
    if system in flow.active_capture():
        _sweep(runner, entity, system, progress)
    with wiring.store.writing() as conn:
        audit.note(conn, wiring.store.now(), "adopt", entity, system, f"{asked} looked for, {linked} linked")
    return Adopted(entity, system, asked, linked, doubled, asked - linked - doubled)


def _sweep(runner: Runner, entity: str, system: str, progress: Progress | None) -> None:
    done = runner.whole(SWEEP, entity, system, watch=None, progress=progress)
    if done.status != "done":
        raise TransientError(
            f"{entity}.{SWEEP}.{system} could not begin; pause the DAGs of '{entity}' and adopt again", system=system
        )


@dataclass(slots=True)
class _Wanted:
    """A record looked for under one mapping: its mark, and its key where the mapping gives one."""

    head: Head
    mapper: Mapper
    key: str
    passes: bool
    marks: Sequence[str]


class _Search:
    """Looks for records of one entity in one target."""

    def __init__(self, wiring: Wiring, job: DistributeJob) -> None:
        self._store = wiring.store
        self._job = job
        today = from_ms(self._store.now()).astimezone(job.time_zone).date()
        self._env = Env(settings=job.settings, today=today, resolve=job.resolve)

    def pages(self) -> Iterator[list[Head]]:
        """Living records without a key in the target, in the order of their numbers."""
        after = 0
        while True:
            with self._store.reading() as conn:
                heads = linking.heads_without_key(conn, self._job.entity, self._job.target, after, PAGE)
            if not heads:
                return
            after = heads[-1].record
            yield heads

    def settle(self, heads: Sequence[Head]) -> tuple[int, int]:
        """Link those that are there; leave an intent for the others, so that they are looked up before they are created.

        Returns how many were linked and of how many there are several.
        """
        wanted = [one for head, names in self._named(heads) for one in self._wanted(head, names)]
        hits = self._there(wanted)
        linked: dict[int, str] = {}
        states: list[tuple[_Wanted, str]] = []
        doubts: list[_Wanted] = []
        doubled: set[int] = set()
        for one in wanted:
            carrying = [(mark, hits.get((one.mapper.native, mark), ())) for mark in [*one.marks, one.key] if mark]
            mark, found = next(((mark, found) for mark, found in carrying if found), ("", ()))
            if len(found) == 1:
                linked[one.head.record] = found[0]
                states.append((one, found[0]))
            elif found or (one.passes and not one.key and self._schema(one.mapper).safe_by != "key"):
                doubts.append(replace(one, marks=(mark or one.marks[0],)))
                doubled.update([one.head.record] if found else [])
        self._store_all(linked, [one for one, _ in states], doubts)
        return len(linked), len(doubled)

    def _named(self, heads: Sequence[Head]) -> list[tuple[Head, list[tuple[str, str]]]]:
        """Each record with its (system, native key) pairs, the newest edit's system first: marks are made of them."""
        with self._store.reading() as conn:
            known = linking.keys_of(conn, self._job.entity, [head.record for head in heads])
        named = []
        for head in heads:
            pairs = sorted(known.get(head.record, {}).items(), key=lambda pair: pair[0] != head.origin)
            named.append((head, pairs or [(head.origin, str(head.record))]))
        return named

    def _wanted(self, head: Head, names: Sequence[tuple[str, str]]) -> Iterator[_Wanted]:
        marks = [intents.mark_of(self._job.entity, system, key) for system, key in names]
        for mapper in self._job.mappers:
            key, passes = "", True
            try:
                mapped = mapper.map(decode(head.payload), self._env)
                key, passes = mapped.key, mapped.passes
            except (RecordRejected, ValueError):  # it may have passed when it was created; or its entry is damaged
                pass
            safe_by = self._schema(mapper).safe_by
            if safe_by == "none" and not passes:
                continue
            yield _Wanted(head, mapper, key if self._job.readers else "", passes, marks if safe_by != "key" else ())

    def _there(self, wanted: Sequence[_Wanted]) -> dict[tuple[str, str], Sequence[str]]:
        """The native keys of what carries each mark or has each key, by native entity."""
        connector, hits = self._job.connector, dict[tuple[str, str], Sequence[str]]()
        for mapper in self._job.mappers:
            mine = [one for one in wanted if one.mapper is mapper]
            if self._schema(mapper).safe_by == "lookup":
                marks = list(dict.fromkeys(mark for one in mine for mark in one.marks))
                for start in range(0, len(marks), MARKS):
                    found = connector.find(mapper.native, marks[start : start + MARKS])
                    hits.update({(mapper.native, mark): found[mark] for mark in found if found[mark]})
            given = list(dict.fromkeys(one.key for one in mine if one.key))
            with self._store.reading() as conn:
                owned = linking.records_of(conn, self._job.entity, self._job.target, given)
            free = [key for key in given if key not in owned]
            for record in connector.fetch(mapper.native, free) if free else ():
                if not record.deleted:
                    hits[mapper.native, record.key] = (record.key,)
        return hits

    def _store_all(self, linked: dict[int, str], found: Sequence[_Wanted], doubts: Sequence[_Wanted]) -> None:
        job, now = self._job, self._store.now()
        with self._store.writing() as conn:
            taken = keys.records_of(conn, job.entity, job.target, list(linked.values()))
            free = [("", key, record) for record, key in linked.items() if key not in taken]
            distributions.link(conn, job.entity, job.target, free, now)
            meetings.forget_candidates(conn, job.entity, job.target, [key for _, key, _ in free])
            stored = distributions.stored(conn, job.entity, job.target, [one.head.record for one in found])
            states = [_adopted(one, stored.get((one.head.record, one.mapper.name)), now) for one in found if one.passes]
            distributions.settle(conn, job.entity, job.target, states, now)
            known = {one.record for one in intents.intents_of(conn, job.entity, job.target)}
            new = [self._intent(one, now) for one in doubts if one.head.record not in known]
            intents.intend(conn, job.entity, job.target, new, now)

    def _intent(self, one: _Wanted, now: int) -> Intent:
        quiet = int(self._schema(one.mapper).max_processing_s * 1000)  # a worker of before may still be at it
        return Intent(one.head.record, one.mapper.name, one.head.seq, one.marks[0], 0, intents.OPEN, now + quiet)

    def _schema(self, mapper: Mapper) -> EntitySchema:
        return self._job.schemas[mapper.native]


def _adopted(one: _Wanted, known: Settled | None, now: int) -> Settled:
    """What it holds is what any payload says that may have been sent."""
    place = (one.head.record, one.mapper.name)
    made = Settled.after(known, place, seq=one.head.seq, version=one.mapper.version, status="retrying", code="adopted")
    return made.changed(message=FOUND, hash=UNSURE, due_at=now)
