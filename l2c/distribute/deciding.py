"""Deciding what a record means for a target: a write, or a state at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from l2c.contract import Change, Record
from l2c.distribute.job import DistributeJob
from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Env, Mapper, decode, digest, encode
from l2c.state.distributions import OPEN, UNDECIDED, Settled
from l2c.state.journal import Head, View
from l2c.state.sending import LEFT, UNSURE
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
    must_exist: bool = False  # leave: only where an unsure write has arrived there is something to leave
    gives_key: bool = False  # a create whose key the mapping gives

    @property
    def place(self) -> tuple[int, str]:
        """The record and the mapping file: what states and intents are kept by."""
        return self.head.record, self.mapper.name

    @property
    def creates(self) -> bool:
        """Whether the target has nothing of this record yet, as far as is known."""
        unsure = self.previous is not None and self.previous.hash is not None
        return (self.gives_key or not self.change.record.key) and not unsure and not self.must_exist

    @property
    def leaves(self) -> bool:
        """Whether it blocks or deletes a record that no longer passes."""
        return self.hash == LEFT

    def settled(self, status: str, **rest: Any) -> Settled:
        """A state of this write's record without sending it."""
        rest.setdefault("due_at", self.due_at)
        return Settled.after(
            self.previous, self.place, seq=self.head.seq, version=self.mapper.version, status=status, **rest
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What the state store knows about the records of a block, read before anything is mapped."""

    states: Mapping[tuple[int, str], Settled]
    native_keys: Mapping[int, str]
    written: Mapping[int, bytes]  # journal payloads the target got last, by sequence number
    unsure: Mapping[tuple[int, str], tuple[bytes, ...]] = field(default_factory=dict)  # payloads that may have arrived
    views: Mapping[int, View] = field(default_factory=dict)  # of a target that is captured too
    undecided: frozenset[int] = frozenset()  # records a candidate of the target may be


_CERTAIN = ("written", "unchanged", "filtered", "waiting", "dead_letter")


class Decider:
    """Maps heads for one target as of one moment."""

    def __init__(self, job: DistributeJob, now_ms: int) -> None:
        self._job = job
        self._now = now_ms
        self._env = self._as_of(from_ms(now_ms).astimezone(job.time_zone).date())
        read = {reader.native for reader in job.readers}
        self._looked_at = {mapper.name for mapper in job.mappers if mapper.native in read}
        self._decoded: tuple[int, dict[str, Any]] = (0, {})
        self._versions: dict[str, Mapper | None] = {mapper.version: mapper for mapper in job.mappers}
        self.left = 0  # how many of the writes decided block or delete
        self._blocks = {m.name: m.leave_data() for m in job.mappers if m.leave == "block"}
        self.failed: list[tuple[str, str]] = []  # code and message of what is newly set aside

    def decide(self, head: Head, mapper: Mapper, known: Known) -> Write | Settled:
        """The write this head means under this mapping, or the state it ends in without one.

        One whose last write may still be confirmed stays just as it is: the very state that was known.
        """
        previous = known.states.get((head.record, mapper.name))
        if previous is not None and self._under_way(previous):
            return previous  # one write of a record at a time: what changed since follows its confirmation
        if head.deleted or head.merged_into is not None:
            return self._leave(head, mapper, previous, known)
        if self._shows(head, previous, known):
            return self._state(head, mapper, previous, "unchanged")
        try:
            mapped = mapper.map(self._data(head), self._env)
        except ReferenceMissing as error:
            place = f"{error.entity_path}|{error.native_key}"
            return self._state(head, mapper, previous, "waiting", code=error.code, message=str(error), awaited=place)
        except RecordRejected as error:
            if previous is None or previous.status != "dead_letter":
                self.failed.append((error.code, str(error)))
            return self._state(head, mapper, previous, "dead_letter", code=error.code, message=str(error))
        due_at = self._start_of(mapped.due_again) if mapped.due_again is not None else None
        if not mapped.passes:
            return self._leave(head, mapper, previous, known, due_at)
        hashed = digest(encode(mapped.data))
        if previous is not None and previous.hash == hashed and previous.status not in OPEN and not previous.returned:
            return self._state(head, mapper, previous, "unchanged", written=True, due_at=due_at)
        blocks = self._blocks.get(mapper.name)
        if blocks and blocks.items() <= mapped.data.items() and self._was_open(mapper, previous, known, blocks):
            self.left += 1
        key = known.native_keys.get(head.record)
        if key is None and head.record in known.undecided:
            text = f"'{self._job.target}' shows records that may be this one; decide: l2c matches {self._job.entity}"
            return self._state(head, mapper, previous, "waiting", code="ambiguous", message=text, awaited=UNDECIDED)
        before = None if mapper.name in self._looked_at else self._before(mapper, previous, known)
        change = Change(Record(key or mapped.key, mapped.data), before=before, answered=_answered(previous))
        return Write(head, mapper, change, hashed, previous, due_at, gives_key=key is None and bool(mapped.key))

    def _under_way(self, previous: Settled) -> bool:
        """Whether a write was accepted and may still be confirmed."""
        return (
            previous.status == "awaiting_confirmation" and previous.due_at is not None and previous.due_at > self._now
        )

    def _data(self, head: Head) -> dict[str, Any]:
        """The record of a head, decoded once for all mappings: they never change what they are given."""
        seq, data = self._decoded
        if seq != head.seq:
            if digest(head.payload) != head.hash:
                raise _damaged(self._job, head)
            data = decode(head.payload)
            self._decoded = (head.seq, data)
        return data

    def _shows(self, head: Head, previous: Settled | None, known: Known) -> bool:
        """Whether the target last showed just this: what came from it does not go back."""
        view = known.views.get(head.record)
        if view is None or view.hash != head.hash:
            return False
        return previous is None or (previous.status in _CERTAIN and previous.hash != UNSURE and not previous.returned)

    def _leave(
        self, head: Head, mapper: Mapper, previous: Settled | None, known: Known, due_at: int | None = None
    ) -> Write | Settled:
        written = previous is not None and previous.hash is not None and (previous.hash != LEFT or previous.returned)
        key = known.native_keys.get(head.record)
        guessed = key is None and previous is not None and previous.hash == UNSURE
        if guessed:
            key = self._key_sent(mapper, known.unsure.get((head.record, mapper.name), ()))
        if not written or not key or mapper.leave in (None, "keep"):
            return self._state(head, mapper, previous, "filtered", due_at=due_at)
        self.left += 1
        record = Record(key, {}, deleted=True) if mapper.leave == "delete" else Record(key, mapper.leave_data())
        return Write(
            head, mapper, Change(record, answered=_answered(previous)), LEFT, previous, due_at, must_exist=guessed
        )

    def _was_open(self, mapper: Mapper, previous: Settled | None, known: Known, blocks: Mapping[str, Any]) -> bool:
        """Whether the target got this record last as one that is not blocked."""
        seq = previous.written_seq if previous is not None and previous.hash != LEFT else None
        payload = known.written.get(seq) if seq is not None else None
        if payload is None:
            return False
        try:
            before = mapper.map(decode(payload), self._env)
        except RecordRejected:  # as it is mapped today; what it was then is not known
            return False
        return before.passes and not blocks.items() <= before.data.items()

    def _key_sent(self, mapper: Mapper, payloads: Sequence[bytes]) -> str | None:
        """The native key a first write that was never settled carried."""
        for payload in payloads:
            try:
                mapped = mapper.map(decode(payload), self._env)
            except RecordRejected:  # then it was not sent
                continue
            if mapped.passes and mapped.key:
                return mapped.key
        return None

    def _before(self, mapper: Mapper, previous: Settled | None, known: Known) -> Mapping[str, Any] | None:
        """What the target got last, mapped as it was then: same version, same day; with what may have arrived since."""
        if previous is None or previous.hash in (None, LEFT) or mapper.children == "add":
            return None
        payload = known.written.get(previous.written_seq) if previous.written_seq is not None else None
        payloads = [] if payload is None else [payload]
        payloads += known.unsure.get((previous.record, previous.mapping), ())
        if previous.version not in self._versions:
            self._versions[previous.version] = self._job.load_version(previous.version)
        then = self._versions[previous.version]
        if then is None or not payloads:
            return None
        day = from_ms(previous.settled).astimezone(self._job.time_zone).date()
        env = self._env if day == self._env.today else self._as_of(day)
        before: dict[str, Any] = {}
        for one in payloads:
            try:
                mapped = then.map(decode(one), env)
            except RecordRejected:  # not sent, or a reference is gone since: nothing is known of it
                continue
            if mapped.passes:
                _unite(before, mapped.data)
        return before or None

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
        awaited: str | None = None,
        due_at: int | None = None,
    ) -> Settled:
        carried = {"written_seq": head.seq} if written else {}
        return Settled.after(
            previous,
            (head.record, mapper.name),
            seq=head.seq,
            version=mapper.version,
            status=status,
            code=code,
            message=message,
            attempts=0 if status != "dead_letter" else (previous.attempts if previous else 0) + 1,
            due_at=due_at,
            waiting_for=awaited,
            **carried,
        )

    def _as_of(self, day: date) -> Env:
        return Env(settings=self._job.settings, today=day, resolve=self._job.resolve)

    def _start_of(self, day: date) -> int:
        return to_ms(datetime.combine(day, time(), tzinfo=self._job.time_zone).astimezone(UTC))


def _damaged(job: DistributeJob, head: Head) -> RecordRejected:
    text = (
        f"record #{head.record}: entry {head.seq} of the journal is not as it was stored (its hash differs); "
        f"redrive it: it is read anew from '{head.origin}'"
    )
    return RecordRejected([("", text)], system=job.target, entity=job.entity, key=f"#{head.record}", code="damaged")


def _answered(previous: Settled | None) -> str | None:
    """The token of a write the target has answered."""
    return previous.token if previous is not None and previous.status not in OPEN else None


def _unite(before: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add what may have been written too: of lists every element counts, since each may have to be removed."""
    for name, value in more.items():
        have = before.get(name)
        if isinstance(have, list) and isinstance(value, list):
            before[name] = have + [element for element in value if element not in have]
        elif name not in before:
            before[name] = value
