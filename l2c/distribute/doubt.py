"""Creates whose repetition would double something: intents before, look-ups after a lost answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from l2c.contract import Change, EntitySchema
from l2c.distribute.deciding import Write
from l2c.distribute.job import DistributeJob
from l2c.distribute.words import lookup_of
from l2c.faultpoints import reach
from l2c.state import intents, keys, leases
from l2c.state.decisions import ASK, TWO_HITS
from l2c.state.distributions import ELEMENT, Settled
from l2c.state.intents import Intent
from l2c.state.sending import UNSURE
from l2c.state.store import Store, from_ms

Decided = Write | Settled


@dataclass(slots=True)
class Cleared:
    """What is left of decisions once doubts are cleared up: writes, states, and creates that were found (key, record)."""

    writes: list[Write] = field(default_factory=list)
    states: list[Settled] = field(default_factory=list)
    found: list[tuple[str, int]] = field(default_factory=list)

    def keep(self, one: Decided) -> None:
        """It stays as it was decided."""
        if isinstance(one, Write):
            self.writes.append(one)
        else:
            self.states.append(one)


class Doubts:
    """Keeps the intents of one distribution."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self.needed = any(schema.safe_by != "key" for schema in job.schemas.values())
        self._mappers = {mapper.name: mapper for mapper in job.mappers}
        self._native = {mapper.name: mapper.native for mapper in job.mappers}
        self._asked = {mapper.name for mapper in job.mappers if mapper.on_unknown == "ask"}

    def doubles(self, write: Write) -> bool:
        """Whether sending this write twice could double something."""
        return (
            self._schema(write.place).safe_by != "key"
            and not write.change.record.key
            and not write.change.record.deleted
        )

    def asks(self, place: tuple[int, str]) -> bool:
        """Whether somebody has to tell if a lost create arrived: nothing can be looked up, or the mapping wants it so."""
        return self._schema(place).safe_by == "none" or place[1] in self._asked

    def question(self, place: tuple[int, str], look_after: int) -> str:
        """What is asked then."""
        job = self._job
        return (
            f"its answer was lost, and nothing tells whether '{job.target}' has this record: look for it there after "
            f"{from_ms(look_after):%Y-%m-%d %H:%M:%S} UTC, then: l2c decide {job.entity} {job.target} '#{place[0]}' "
            "sent --as KEY, or not-sent"
        )

    def look_after(self, place: tuple[int, str], now: int) -> int:
        """When a lost create of a (record, mapping) can be looked up: after the target's longest processing time."""
        return now + int(self._schema(place).max_processing_s * 1000)

    def renew(self, conn: Connection, places: Iterable[tuple[int, str]], now: int) -> None:
        """Let the quiet period of creates begin now: until now their requests may have been under way."""
        later = {place: self.look_after(place, now) for place in places if place[1] in self._native}
        intents.postpone(conn, self._job.entity, self._job.target, later)

    def intend(self, chunk: Sequence[Write], now: int) -> list[Change]:
        """Commit an intent for every create that needs one; the changes to send, with their marks."""
        creates = [write for write in chunk if self.doubles(write)]
        if not creates:
            return [write.change for write in chunk]
        job = self._job
        with self._store.writing("intend") as conn:
            leases.prove(conn, self._lease, now)
            marks = self._marks(creates)
            intents.intend(
                conn,
                job.entity,
                job.target,
                [
                    intents.Intent(
                        record=write.head.record,
                        mapping=write.mapper.name,
                        seq=write.head.seq,
                        mark=marks[write.head.record],
                        run=job.run,
                        state=intents.OPEN,
                        look_after=self.look_after(write.place, now),
                    )
                    for write in creates
                ],
                now,
            )
        return [replace(w.change, mark=marks[w.head.record]) if self.doubles(w) else w.change for w in chunk]

    def withdraw(self, chunk: Sequence[Write]) -> None:
        """Nothing was sent after all: the intents are void."""
        pairs = [write.place for write in chunk if self.doubles(write)]
        if pairs:
            with self._store.writing() as conn:
                leases.prove(conn, self._lease, self._store.now())
                intents.forget_intents(conn, self._job.entity, self._job.target, pairs)

    def look_up(self, decided: Sequence[Decided], native_keys: Mapping[int, str], now: int) -> Cleared:
        """Clear up creates in doubt before anything else becomes of their records.

        One that was found is adopted: it has its key from now on. Whatever a record without a key was decided to be, its
        doubt comes first: otherwise what was created would be forgotten, and created once more.
        """
        cleared = Cleared()
        open_ones = self._open([one for one in decided if one.place[0] not in native_keys]) if self.needed else {}
        found = self._find({place: one for place, one in open_ones.items() if one.look_after <= now})
        for one in decided:
            intent = open_ones.get(one.place)
            if intent is None:
                cleared.keep(one)
            elif self.asks(one.place):
                text = self.question(one.place, intent.look_after)
                cleared.states.append(_state(one, "in_doubt", text, None, code=ASK))
            elif intent.look_after > now:
                text = "its answer was lost; it will be looked up"
                cleared.states.append(_state(one, "in_doubt", text, intent.look_after))
            else:
                self._clear(one, intent, found.get(intent.mark, ()), cleared, now)
        return cleared

    def _clear(self, one: Decided, intent: Intent, hits: Sequence[str], cleared: Cleared, now: int) -> None:
        if len(hits) > 1:
            path, place = lookup_of(self._mappers[intent.mapping])
            text = (
                f"{path}: mark '{intent.mark}' is carried by {len(hits)} records in '{self._job.target}' ({', '.join(hits)}): "
                f"a double; say which it is: l2c decide {self._job.entity} {self._job.target} '#{intent.record}' sent --as KEY, "
                f"or take the mark off the others, then redrive [{place}]"
            )
            cleared.states.append(_state(one, "dead_letter", text, None, code=TWO_HITS))
            return
        if not hits:
            cleared.keep(one)
            return
        cleared.found.append((hits[0], intent.record))
        if isinstance(one, Write):
            # what it holds is what any of the payloads says that may have been sent
            previous = one.previous or _state(one, "in_doubt", "", None)
            change = replace(one.change, record=replace(one.change.record, key=hits[0]), before=None)
            cleared.writes.append(replace(one, change=change, previous=previous.changed(hash=UNSURE)))
        else:
            adopted = _state(one, "retrying", "it was created after all; it is read first", now + 1, code="adopted")
            cleared.states.append(adopted.changed(hash=UNSURE))

    def _open(self, decided: Sequence[Decided]) -> dict[tuple[int, str], Intent]:
        """The intents of these that were never settled."""
        wanted = {one.place: one.place[0] for one in decided if not isinstance(one, Write) or self.doubles(one)}
        if not wanted:
            return {}
        with self._store.reading() as conn:
            found = intents.intents_of(conn, self._job.entity, self._job.target, sorted(set(wanted.values())))
        return {(one.record, one.mapping): one for one in found if (one.record, one.mapping) in wanted}

    def _find(self, ripe: Mapping[tuple[int, str], Intent]) -> dict[str, Sequence[str]]:
        by_entity: dict[str, list[str]] = {}
        for place, one in ripe.items():
            if not self.asks(place):
                by_entity.setdefault(self._native[place[1]], []).append(one.mark)
        found: dict[str, Sequence[str]] = {}
        for native, marks in by_entity.items():
            found.update(self._job.connector.find(native, marks))
            reach("lookup.answered")
        return found

    def _marks(self, creates: Sequence[Write]) -> dict[int, str]:
        """The mark of each record: the one an earlier try carried, else one made of its key in the system it comes from."""
        job = self._job
        numbers = [write.head.record for write in creates]
        with self._store.reading() as conn:
            earlier = intents.intents_of(conn, job.entity, job.target, numbers)
            marks = {one.record: one.mark for one in earlier}
            for origin in {write.head.origin for write in creates}:
                fresh = [w.head.record for w in creates if w.head.origin == origin and w.head.record not in marks]
                native = keys.native_keys(conn, job.entity, origin, fresh)
                for number in fresh:
                    marks[number] = intents.mark_of(job.entity, origin, native.get(number, str(number)))
        return marks

    def _schema(self, place: tuple[int, str]) -> EntitySchema:
        return self._job.schemas[self._native[place[1].partition(ELEMENT)[0]]]


def _state(one: Decided, status: str, message: str, due_at: int | None, *, code: str = "in_doubt") -> Settled:
    """Another state than the one decided."""
    if isinstance(one, Write):
        return one.settled(status, code=code, message=message, due_at=due_at)
    return one.changed(status=status, code=code, message=message, due_at=due_at, waiting_for=None)
