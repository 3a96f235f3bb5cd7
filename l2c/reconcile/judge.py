"""Puts a record into its class: what a system shows of it against what the hub believes and wants there."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from l2c.contract import Record
from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Mapped, Mapper, decode, encode
from l2c.reconcile import results
from l2c.reconcile.compare import Difference, compare, identity
from l2c.reconcile.facts import Facts
from l2c.reconcile.shape import Shape
from l2c.reconcile.side import Side, all_given
from l2c.reconcile.verdict import Verdict, verdict
from l2c.state.distributions import Settled
from l2c.state.journal import Head

Data = Mapping[str, Any]
Lives = Mapping[str, Record | None]
OPEN = {
    "retrying": "a write is tried again",
    "in_doubt": "the answer to a write was lost; it is looked up",
    "awaiting_confirmation": "a write waits for its confirmation",
}
NOT_DISTRIBUTED = "a newer entry of the journal is not distributed yet"


class Judge:
    """Judges the records of one system by facts of one moment; `past` gives earlier payloads of a record, at a second look."""

    def __init__(
        self, side: Side, shapes: Mapping[str, Shape], facts: Facts, past: Callable[[Head], list[bytes]] | None = None
    ) -> None:
        self._side = side
        self._shapes = shapes
        self._facts = facts
        self._past = past

    def given(self, number: int, lives: Lives) -> Verdict | None:
        """What the system holds against what the write mappings make of the head; None where nothing is given to it.

        `lives`: by native entity what the system shows, None: nothing.
        """
        head = self._facts.heads.get(number)
        if head is None:
            return None
        found = [
            self._target(head, mapper, lives[mapper.native]) for mapper in self._side.writers if mapper.native in lives
        ]
        return max(found, key=lambda one: one.rank, default=None)

    def due(self, number: int) -> bool:
        """Whether the record has yet to be distributed to the system as it is now."""
        head, states = self._facts.heads[number], self._facts.states
        return any(self._due(head, states.get((number, mapper.name))) for mapper in self._side.writers)

    def birth_keys(self, number: int) -> list[tuple[str, str]]:
        """Under which key the record would be born in each native entity, where it passes."""
        head = self._facts.heads.get(number)
        if head is None or head.deleted:
            return []
        keys = []
        for mapper in self._side.writers:
            try:
                made = mapper.map(decode(head.payload), self._side.writing)
            except RecordRejected:  # then it is not born there
                continue
            if made.passes and made.key:
                keys.append((mapper.native, made.key))
        return keys

    def _target(self, head: Head, mapper: Mapper, live: Record | None) -> Verdict:
        state = self._facts.states.get((head.record, mapper.name))
        due = self._due(head, state)
        if state is not None and not due and state.status in ("dead_letter", "waiting"):
            return verdict(state.status, state.code)
        made = self._made(head, mapper, due=due)
        if isinstance(made, Verdict):
            return made
        open_ = NOT_DISTRIBUTED if due else OPEN.get(state.status, "") if state is not None else ""
        if made is None:
            return self._left(mapper, state, live, open_)
        if live is None:
            return verdict(results.IN_FLIGHT, open_) if open_ else _missing(state)
        difference = compare(made.data, live.data, self._shapes[mapper.name].keys)
        if difference:
            written = state is not None and state.written_seq is not None
            difference = self._shown_too(head, mapper, live, difference, written=written)
        if not difference:
            return verdict(results.IN_FLIGHT, open_) if open_ and not due else verdict(results.EQUAL)
        if open_:
            return verdict(results.IN_FLIGHT, open_)
        return self._differs(head, mapper, difference)

    def _due(self, head: Head, state: Settled | None) -> bool:
        if state is None:
            return head.seq > self._facts.place
        return head.seq > state.seq or (state.due_at is not None and state.due_at <= self._facts.now)

    def _made(self, head: Head, mapper: Mapper, *, due: bool) -> Mapped | Verdict | None:
        """What the write mapping makes of the head; None where it should not be in the target."""
        if head.deleted or head.merged_into is not None:
            return None
        try:
            made = mapper.map(decode(head.payload), self._side.writing)
        except ReferenceMissing as error:
            if due:
                return verdict(results.IN_FLIGHT, NOT_DISTRIBUTED)
            reason = "a record it refers to has no key there any more, and it does not wait for one"
            return verdict(results.UNEXPLAINED, reason, [path for path, _ in error.reasons])
        except RecordRejected as error:
            if due:
                return verdict(results.IN_FLIGHT, NOT_DISTRIBUTED)
            reason = "the write mapping rejects it, and no dead letter says so"
            return verdict(results.UNEXPLAINED, reason, [path for path, _ in error.reasons if path])
        return made if made.passes else None

    def _left(self, mapper: Mapper, state: Settled | None, live: Record | None, open_: str) -> Verdict:
        """A record that should not be in the target: gone, or left there as `leave` says."""
        written = state is not None and state.hash is not None
        if live is None or not written or mapper.leave in (None, "keep"):
            return verdict(results.FILTERED)
        if mapper.leave == "delete":
            return verdict(
                *((results.IN_FLIGHT, open_) if open_ else (results.UNEXPLAINED, "it should be deleted there"))
            )
        difference = compare(mapper.leave_data(), live.data, {})
        if not difference:
            return verdict(results.FILTERED)
        if open_:
            return verdict(results.IN_FLIGHT, open_)
        return verdict(results.UNEXPLAINED, "it should be blocked there", difference.fields)

    def _shown_too(
        self, head: Head, mapper: Mapper, live: Record, difference: Difference, *, written: bool
    ) -> Difference:
        """Of a system that is captured too: what also differs in canonical form, or is not read from there.

        Two native forms may say the same. What is not read was given to it with the last write, if there was one.
        """
        reader = self._side.readers.get(mapper.native)
        if reader is None:
            return difference
        try:
            shown = decode(encode(reader.map(live.data, self._side.reading).data))
        except RecordRejected:  # told where it is judged as a source
            return difference
        said = compare(shown, decode(head.payload), self._side.lists)
        other = {*said.fields, *(path for path, _ in said.extra)}
        shape = self._shapes[mapper.name]

        def counts(path: str) -> bool:
            if not _touches(path, reader.fields):
                return written
            return any(_touches(one, other) for one in shape.sources.get(path, ()))

        return Difference(
            [path for path in difference.fields if counts(path)],
            [(path, element) for path, element in difference.extra if counts(path)],
        )

    def _differs(self, head: Head, mapper: Mapper, difference: Difference) -> Verdict:
        shape, fields = self._shapes[mapper.name], list(difference.fields)
        for path, element in difference.extra:
            if mapper.children == "all" or self._was_ours(head, mapper, path, element):
                fields.append(path)
        if fields and not all_given(self._side, shape, fields, decode(head.payload)):
            return verdict(results.UNEXPLAINED, "it shows another value than it was given", list(dict.fromkeys(fields)))
        own = fields or list(dict.fromkeys(path for path, _ in difference.extra))
        reason = "the fields are its own" if fields else "the elements are its own"
        return verdict(results.OWNED, reason, own, sure=bool(fields) or self._past is not None)

    def _was_ours(self, head: Head, mapper: Mapper, path: str, element: Any) -> bool:
        """Whether an element beyond those expected was given to the system earlier, so that it should have been removed."""
        keys = self._shapes[mapper.name].keys.get(path, ())
        mine = identity(element, keys)
        if mine is None or self._past is None or mapper.children == "add":
            return False
        for payload in self._past(head):
            try:
                made = mapper.map(decode(payload), self._side.writing)
            except RecordRejected:  # then it was not written
                continue
            if any(identity(one, keys) == mine for one in _elements(made.data, path)):
                return True
        return False


def _touches(path: str, others: Collection[str]) -> bool:
    """Whether one of the paths is this one, above it or below it."""
    return any(path == one or path.startswith(f"{one}.") or one.startswith(f"{path}.") for one in others)


def _missing(state: Settled | None) -> Verdict:
    if state is None:
        return verdict(results.MISSING_RIGHT, "it was never distributed under this mapping")
    return verdict(results.MISSING_RIGHT, "it was written and is not there any more")


def _elements(data: Data, path: str) -> list[Any]:
    """The elements at a list path; of nested lists all of them."""
    level: list[Any] = [data]
    for step in path.split("."):
        below = [one.get(step) for one in level if isinstance(one, Mapping)]
        level = [each for one in below for each in (one if isinstance(one, list) else [one]) if each is not None]
    return level
