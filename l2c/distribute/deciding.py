"""Deciding what a record means for a target: a write, or a state at once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from l2c.contract import Change, Record
from l2c.distribute.decided import Known, Write, key_of, stays
from l2c.distribute.job import DistributeJob
from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Element, Env, Mapped, Mapper, decode, digest, encode
from l2c.state.distributions import OPEN, UNDECIDED, Settled
from l2c.state.journal import Head
from l2c.state.sending import LEFT, UNSURE
from l2c.state.store import from_ms, to_ms

__all__ = ["Decider", "Known", "Write"]

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

    def all(self, head: Head, known: Known) -> Iterator[Write | Settled]:
        """What this head means under each mapping; at least one decision for each."""
        for mapper in self._job.mappers:
            if mapper.lists:
                yield from self._each(head, mapper, known)
            else:
                yield self.decide(head, mapper, known)

    def _each(self, head: Head, mapper: Mapper, known: Known) -> Iterator[Write | Settled]:
        """A decision for each element, and for each that was written once and is gone."""
        before = self.left
        found: list[Write | Settled] = []
        there: list[Element] = []
        ends = head.deleted or head.merged_into is not None
        if not ends:
            try:
                there = list(mapper.each(self._data(head), self._env))
            except RecordRejected as error:
                yield self._refused(head, mapper, None, error, "")
                return
        for one in there:
            previous = known.states.get((head.record, f"{mapper.kept_as}{one.name}"))
            if previous is not None and self._under_way(previous):
                found.append(previous)
            elif one.mapped is not None:
                found.append(self._decided(head, mapper, one.mapped, previous, known, one.name))
            elif isinstance(one.error, ReferenceMissing):
                found.append(self._waits(head, mapper, previous, one.error, one.name))
            elif one.error is not None:
                found.append(self._refused(head, mapper, previous, one.error, one.name))
        for name in sorted({*known.elements.get((head.record, mapper.name), ())} - {one.name for one in there}):
            previous = known.states.get((head.record, f"{mapper.kept_as}{name}"))
            held = previous is not None and self._under_way(previous)
            found.append(previous if held and previous else self._leave(head, mapper, previous, known, element=name))
        # what a record loses of its elements is an edit; it leaves when nothing of it stays
        left = any(isinstance(one, Write) and one.leaves for one in found)
        self.left = before + int(left and not any(stays(one) for one in found))
        yield from found or [self._state(head, mapper, None, "filtered")]

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
            return self._waits(head, mapper, previous, error)
        except RecordRejected as error:
            return self._refused(head, mapper, previous, error)
        return self._decided(head, mapper, mapped, previous, known)

    def _waits(
        self, head: Head, mapper: Mapper, previous: Settled | None, error: ReferenceMissing, element: str = ""
    ) -> Settled:
        place, said = f"{error.entity_path}|{error.native_key}", str(error)
        return self._state(
            head, mapper, previous, "waiting", code=error.code, message=said, awaited=place, element=element
        )

    def _refused(
        self, head: Head, mapper: Mapper, previous: Settled | None, error: RecordRejected, element: str = ""
    ) -> Settled:
        if previous is None or previous.status != "dead_letter":
            self.failed.append((error.code, str(error)))
        return self._state(head, mapper, previous, "dead_letter", code=error.code, message=str(error), element=element)

    def _decided(
        self, head: Head, mapper: Mapper, mapped: Mapped, previous: Settled | None, known: Known, element: str = ""
    ) -> Write | Settled:
        """What becomes of a record, or an element, once it is mapped."""
        due_at = self._start_of(mapped.due_again) if mapped.due_again is not None else None
        if not mapped.passes:
            return self._leave(head, mapper, previous, known, due_at, element)
        hashed = digest(encode(mapped.data))
        if previous is not None and previous.hash == hashed and previous.status not in OPEN and not previous.returned:
            return self._state(head, mapper, previous, "unchanged", written=True, due_at=due_at, element=element)
        blocks = self._blocks.get(mapper.name)
        if (
            blocks
            and not mapper.lists
            and blocks.items() <= mapped.data.items()
            and self._was_open(mapper, previous, known, blocks)
        ):
            self.left += 1
        key = key_of(head, mapper, known, element)
        if key is None and head.record in known.undecided:
            text = f"'{self._job.target}' shows records that may be this one; decide: l2c matches {self._job.entity}"
            return self._state(head, mapper, previous, "waiting", code="ambiguous", message=text, awaited=UNDECIDED)
        before = None if mapper.name in self._looked_at else self._before(mapper, previous, known)
        change = Change(Record(key or mapped.key, mapped.data), before=before, answered=_answered(previous))
        gives_key = key is None and bool(mapped.key)
        return Write(head, mapper, change, hashed, previous, due_at, gives_key=gives_key, element=element)

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
        self,
        head: Head,
        mapper: Mapper,
        previous: Settled | None,
        known: Known,
        due_at: int | None = None,
        element: str = "",
    ) -> Write | Settled:
        written = previous is not None and previous.hash is not None and (previous.hash != LEFT or previous.returned)
        key = key_of(head, mapper, known, element)
        guessed = key is None and previous is not None and previous.hash == UNSURE
        if guessed:
            unsure = known.unsure.get((head.record, f"{mapper.kept_as}{element}"), ())
            key = self._key_sent(mapper, unsure, element)
        if not written or not key or mapper.leave in (None, "keep"):
            return self._state(head, mapper, previous, "filtered", due_at=due_at, element=element)
        self.left += 1
        record = Record(key, {}, deleted=True) if mapper.leave == "delete" else Record(key, mapper.leave_data())
        change = Change(record, answered=_answered(previous))
        return Write(head, mapper, change, LEFT, previous, due_at, must_exist=guessed, element=element)

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

    def _key_sent(self, mapper: Mapper, payloads: Sequence[bytes], element: str) -> str | None:
        """The native key a first write that was never settled carried."""
        for payload in payloads:
            try:
                mapped = _one(mapper, decode(payload), self._env, element)
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
                mapped = _one(then, decode(one), env, previous.mapping.partition("#")[2])
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
        element: str = "",
    ) -> Settled:
        carried = {"written_seq": head.seq} if written else {}
        return Settled.after(
            previous,
            (head.record, f"{mapper.kept_as}{element}" if element else mapper.name),
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


def _one(mapper: Mapper, data: Mapping[str, Any], env: Env, element: str) -> Mapped:
    """The record mapped, or that element of it; raises RecordRejected."""
    if not mapper.lists:
        return mapper.map(data, env)
    for one in mapper.each(data, env):
        if one.name == element and one.error is not None:
            raise one.error
        if one.name == element and one.mapped is not None:
            return one.mapped
    return Mapped("", {}, {}, passes=False)


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
