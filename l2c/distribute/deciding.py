"""Deciding what a record means for a target: a write, or a state at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from l2c.contract import Change, Record
from l2c.distribute.job import LEFT, DistributeJob
from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Env, Mapper, decode, digest, encode
from l2c.state.distributions import Settled
from l2c.state.journal import Head
from l2c.state.store import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Write:
    """A write the target is due; `hash` is what it will hold then."""

    head: Head
    mapper: Mapper
    change: Change
    hash: bytes
    previous: Settled | None
    due_at: int | None = None
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the state store knows about the records of a block, read before anything is mapped."""

    states: Mapping[tuple[int, str], Settled]
    native_keys: Mapping[int, str]
    written: Mapping[int, bytes]  # journal payloads the target got last, by sequence number


class Decider:
    """Maps heads for one target as of one moment."""

    def __init__(self, job: DistributeJob, now_ms: int) -> None:
        self._job = job
        self._now_ms = now_ms
        self._env = self._as_of(from_ms(now_ms).astimezone(job.time_zone).date())
        self._versions: dict[str, Mapper | None] = {mapper.version: mapper for mapper in job.mappers}

    def decide(self, head: Head, mapper: Mapper, known: Known) -> Write | Settled:
        """The write this head means under this mapping, or the state it ends in without one."""
        previous = known.states.get((head.record, mapper.name))
        if head.deleted or head.merged_into is not None:
            return self._leave(head, mapper, previous, known)
        try:
            mapped = mapper.map(decode(head.payload), self._env)
        except ReferenceMissing as error:
            place = f"{self._job.target}:{error.entity_path}|{error.native_key}"
            return self._state(
                head, mapper, previous, "waiting", code=error.code, message=str(error), waiting_for=place
            )
        except RecordRejected as error:
            return self._state(head, mapper, previous, "dead_letter", code=error.code, message=str(error))
        due_at = self._start_of(mapped.due_again) if mapped.due_again is not None else None
        if not mapped.passes:
            return self._leave(head, mapper, previous, known, due_at)
        hashed = digest(encode(mapped.data))
        if previous is not None and previous.hash == hashed and previous.status != "in_doubt":
            return self._state(head, mapper, previous, "unchanged", written=True, due_at=due_at)
        key = known.native_keys.get(head.record, mapped.key)
        change = Change(Record(key, mapped.data), before=self._before(mapper, previous, known))
        return Write(head, mapper, change, hashed, previous, due_at)

    def _leave(
        self, head: Head, mapper: Mapper, previous: Settled | None, known: Known, due_at: int | None = None
    ) -> Write | Settled:
        written = previous is not None and previous.hash is not None and previous.hash != LEFT
        key = known.native_keys.get(head.record)
        if not written or key is None or mapper.leave in (None, "keep"):
            return self._state(head, mapper, previous, "filtered", due_at=due_at)
        if mapper.leave == "delete":
            return Write(head, mapper, Change(Record(key, {}, deleted=True)), LEFT, previous, due_at)
        return Write(head, mapper, Change(Record(key, mapper.leave_data())), LEFT, previous, due_at)

    def _before(self, mapper: Mapper, previous: Settled | None, known: Known) -> Mapping[str, Any] | None:
        """What the target got last, mapped as it was then: same version, same day."""
        if previous is None or previous.written_seq is None or previous.hash in (None, LEFT):
            return None
        payload = known.written.get(previous.written_seq)
        if payload is None or mapper.children == "add":
            return None
        if previous.version not in self._versions:
            self._versions[previous.version] = self._job.load_version(previous.version)
        then = self._versions[previous.version]
        if then is None:
            return None
        day = from_ms(previous.settled).astimezone(self._job.time_zone).date()
        try:
            return then.map(decode(payload), self._env if day == self._env.today else self._as_of(day)).data
        except RecordRejected:  # it passed once; a reference may be gone since: then nothing is known
            return None

    def _state(
        self,
        head: Head,
        mapper: Mapper,
        previous: Settled | None,
        status: str,
        *,
        written: bool = False,
        code: str = "",
        message: str = "",
        waiting_for: str | None = None,
        due_at: int | None = None,
    ) -> Settled:
        return Settled(
            record=head.record,
            mapping=mapper.name,
            seq=head.seq,
            written_seq=head.seq if written else (previous.written_seq if previous else None),
            hash=previous.hash if previous else None,
            version=mapper.version,
            status=status,
            code=code,
            message=message,
            attempts=0 if status != "dead_letter" else (previous.attempts if previous else 0) + 1,
            due_at=due_at,
            waiting_for=waiting_for,
        )

    def _as_of(self, day: date) -> Env:
        return Env(settings=self._job.settings, today=day, resolve=self._job.resolve)

    def _start_of(self, day: date) -> int:
        return to_ms(datetime.combine(day, time(), tzinfo=self._job.time_zone).astimezone(UTC))
