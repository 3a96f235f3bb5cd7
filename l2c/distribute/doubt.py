"""Creates whose repetition would double something: intents before, look-ups after a lost answer."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from l2c.contract import Change, EntitySchema
from l2c.distribute.deciding import Write
from l2c.distribute.job import DistributeJob
from l2c.state import intents, keys, leases
from l2c.state.distributions import Settled
from l2c.state.store import Store


class Doubts:
    """Keeps the intents of one distribution."""

    def __init__(self, store: Store, lease: leases.Lease, job: DistributeJob) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self.needed = any(schema.safe_by != "key" for schema in job.schemas.values())

    def doubles(self, write: Write) -> bool:
        """Whether sending this write twice could double something."""
        return self._schema(write).safe_by != "key" and not write.change.record.key and not write.change.record.deleted

    def undecidable(self, write: Write) -> bool:
        """Whether nothing can tell if a lost create arrived: someone has to look."""
        return self._schema(write).safe_by == "none"

    def look_after(self, write: Write, now: int) -> int:
        """When a lost create can be looked up: after the target's longest processing time."""
        return now + int(self._schema(write).max_processing_s * 1000)

    def intend(self, chunk: Sequence[Write], now: int) -> list[Change]:
        """Commit an intent for every create that needs one; the changes to send, with their marks."""
        creates = [write for write in chunk if self.doubles(write)]
        if not creates:
            return [write.change for write in chunk]
        job = self._job
        with self._store.writing() as conn:
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
                        look_after=self.look_after(write, now),
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

    def look_up(self, writes: Sequence[Write], now: int) -> tuple[list[Write], list[Settled]]:
        """Settle what is in doubt: writes to send (adopted ones now carry their key), and states of those that must wait."""
        if not self.needed or not writes:
            return list(writes), []
        job = self._job
        with self._store.reading() as conn:
            open_ones = {
                (i.record, i.mapping): i
                for i in intents.intents_of(conn, job.entity, job.target, [w.head.record for w in writes])
            }
        doubtful = [w for w in writes if w.place in open_ones and self.doubles(w)]
        ripe = [w for w in doubtful if open_ones[w.place].look_after <= now]
        found = self._find(ripe, {w.head.record: open_ones[w.place].mark for w in ripe})
        send: list[Write] = []
        wait: list[Settled] = []
        for write in writes:
            intent = open_ones.get(write.place)
            if intent is None or not self.doubles(write):
                send.append(write)
            elif intent.look_after > now:
                wait.append(
                    self._state(write, "in_doubt", "its answer was lost; it will be looked up", intent.look_after)
                )
            else:
                hits = found.get(intent.mark, ())
                if len(hits) > 1:
                    text = (
                        f"mark '{intent.mark}' is carried by {len(hits)} records in '{job.target}' ({', '.join(hits)}): "
                        "a double; keep one, link it by 'l2c keys', redrive"
                    )
                    wait.append(self._state(write, "dead_letter", text, None, code="two_hits"))
                elif hits:
                    change = replace(write.change, record=replace(write.change.record, key=hits[0]), before=None)
                    send.append(replace(write, change=change))
                else:
                    send.append(write)
        return send, wait

    def _find(self, ripe: Sequence[Write], marks: dict[int, str]) -> dict[str, Sequence[str]]:
        by_entity: dict[str, list[str]] = {}
        for write in ripe:
            if not self.undecidable(write):
                by_entity.setdefault(write.mapper.native, []).append(marks[write.head.record])
        found: dict[str, Sequence[str]] = {}
        for native, wanted in by_entity.items():
            found.update(self._job.connector.find(native, wanted))
        return found

    def _marks(self, creates: Sequence[Write]) -> dict[int, str]:
        job = self._job
        marks: dict[int, str] = {}
        with self._store.reading() as conn:
            for origin in {write.head.origin for write in creates}:
                numbers = [write.head.record for write in creates if write.head.origin == origin]
                native = keys.native_keys(conn, job.entity, origin, numbers)
                for number in numbers:
                    name = f"{job.entity}|{origin}|{native.get(number, number)}"
                    marks[number] = "L2C-" + blake2b(name.encode(), digest_size=8).hexdigest()
        return marks

    def _schema(self, write: Write) -> EntitySchema:
        return self._job.schemas[write.mapper.native]

    def _state(self, write: Write, status: str, message: str, due_at: int | None, *, code: str = "in_doubt") -> Settled:
        return Settled.after(
            write.previous,
            write.place,
            seq=write.head.seq,
            version=write.mapper.version,
            status=status,
            code=code,
            message=message,
            due_at=due_at,
        )
