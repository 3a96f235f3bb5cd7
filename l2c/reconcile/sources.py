"""What a system that is captured shows, against what the hub has seen of it: a change the hub missed, or will see next."""

from collections.abc import Callable, Mapping
from typing import Any

from l2c.contract import Record
from l2c.errors import RecordRejected
from l2c.mapping import Mapper, decode, digest, encode
from l2c.reconcile import results
from l2c.reconcile.compare import same
from l2c.reconcile.facts import Facts
from l2c.reconcile.side import Side
from l2c.reconcile.verdict import Verdict, verdict
from l2c.state.journal import Head

Moving = Mapping[str, frozenset[str] | None]
NEXT_CAPTURE = "changed there since the last capture"
ASKED_FOR = "it is in the inbox, to be fetched"
MISSED = "the source shows another value than the journal; run a sweep"
HELD = {
    "ambiguous": "it may be one of several records: l2c matches lists them",
    "waiting": "it waits until the first load of the leading system is settled",
}


class Witness:
    """What one system shows, by facts of one moment.

    `moving`: keys the next capture reads anyway, known at a second look. `view`: what the system showed last of a record.
    """

    def __init__(
        self,
        side: Side,
        facts: Facts,
        moving: Moving | None = None,
        view: Callable[[Head], Mapping[str, Any] | None] | None = None,
    ) -> None:
        self._side = side
        self._facts = facts
        self._moving = moving or {}
        self._view = view

    def known(self, native: str, record: Record, number: int) -> Verdict | None:
        """A record the hub knows; None where the flow does not capture this entity."""
        mapper, head = self._side.readers.get(native), self._facts.heads.get(number)
        if mapper is None or head is None:
            return None
        moves = self._moves(native, record.key)
        if record.key in self._facts.letters:
            code = self._facts.letters[record.key]
            return verdict(results.IN_FLIGHT, moves) if moves else verdict(results.DEAD_LETTER, code)
        try:
            made = mapper.map(record.data, self._side.reading)
        except RecordRejected as error:
            return self._unreadable(error, moves)
        if not made.passes:
            return self._gone(head, moves, "it left the filter, and the journal does not say so; run a sweep")
        if head.deleted:
            return (
                verdict(results.IN_FLIGHT, moves)
                if moves
                else verdict(results.UNEXPLAINED, f"it is deleted in the journal: {MISSED}")
            )
        return self._compared(mapper, record, number, made.data, moves)

    def unknown(self, native: str, record: Record) -> Verdict:
        """A record the hub has no key of."""
        mapper = self._side.readers.get(native)
        if mapper is None:
            return verdict(results.MISSING_LEFT, "the hub does not know it: it was made there")
        moves = self._moves(native, record.key)
        if record.key in self._facts.held:
            return verdict(results.WAITING, HELD.get(self._facts.held[record.key], NEXT_CAPTURE))
        if record.key in self._facts.letters:
            return verdict(results.DEAD_LETTER, self._facts.letters[record.key])
        try:
            made = mapper.map(record.data, self._side.reading)
        except RecordRejected as error:
            return self._unreadable(error, moves)
        if not made.passes:
            return verdict(results.FILTERED)
        if moves:
            return verdict(results.IN_FLIGHT, moves)
        name = results.MISSING_LEFT if self._side.writers else results.MISSING_RIGHT
        return verdict(name, "it stands there and was never captured; run a sweep")

    def absent(self, number: int) -> Verdict | None:
        """A record the system does not show; None where that says nothing, since it was not born there."""
        head = self._facts.heads.get(number)
        if head is None or not self._side.readers or head.origin != self._side.system:
            return None
        key = self._facts.keys.get(number)
        if head.deleted or head.merged_into is not None:
            return verdict(results.FILTERED)
        if key is None:
            return verdict(results.UNEXPLAINED, "its key mapping is lost, and nothing there shows what it showed")
        if key in self._facts.letters:
            return verdict(results.DEAD_LETTER, self._facts.letters[key])
        if key in self._facts.asked:
            return verdict(results.IN_FLIGHT, ASKED_FOR)
        return verdict(results.MISSING_LEFT, "its source does not hold it any more; run a sweep")

    def hash_of(self, native: str, record: Record) -> bytes | None:
        """The hash of what a record shows in canonical form; None where it does not pass or cannot be read."""
        mapper = self._side.readers.get(native)
        if mapper is None:
            return None
        try:
            made = mapper.map(record.data, self._side.reading)
        except RecordRejected:  # told where it is judged
            return None
        return digest(encode(made.data)) if made.passes else None

    def _moves(self, native: str, key: str) -> str:
        """Why the hub will look at this key anyway; '' where it will not."""
        if key in self._facts.asked:
            return ASKED_FOR
        if native not in self._moving:
            return ""
        keys = self._moving[native]
        return NEXT_CAPTURE if keys is None or key in keys else ""

    def _unreadable(self, error: RecordRejected, moves: str) -> Verdict:
        if moves:
            return verdict(results.IN_FLIGHT, moves)
        fields = [path for path, _ in error.reasons if path]
        return verdict(results.UNEXPLAINED, "it cannot be read, and no dead letter says so; run a sweep", fields)

    def _gone(self, head: Head, moves: str, reason: str) -> Verdict:
        if head.deleted:
            return verdict(results.FILTERED)
        return verdict(results.IN_FLIGHT, moves) if moves else verdict(results.UNEXPLAINED, reason)

    def _compared(self, mapper: Mapper, record: Record, number: int, shown: dict[str, Any], moves: str) -> Verdict:
        head, seen = self._facts.heads[number], self._facts.views.get(number)
        now = digest(encode(shown))
        if now == head.hash:
            return verdict(results.EQUAL)
        if seen is not None and seen.hash == now:
            # the hub knows what it shows: what differs from the head is another system's
            if self._side.writers:
                return verdict(results.EQUAL)  # whether it was given what it should have is the other question
            return verdict(results.OWNED, "other systems own what differs", _differing(decode(head.payload), shown))
        fields = self._changed(head, shown)
        if seen is None and not fields:
            return verdict(results.EQUAL)
        if moves:
            return verdict(results.IN_FLIGHT, moves)
        earlier = self._side.earlier.get(mapper.native)
        if seen is not None and earlier is not None and self._hash(earlier, record) == seen.hash:
            return verdict(results.IN_FLIGHT, "the read mapping is newer than the last sweep")
        return verdict(results.UNEXPLAINED, MISSED, fields)

    def _hash(self, mapper: Mapper, record: Record) -> bytes | None:
        try:
            return digest(encode(mapper.map(record.data, self._side.reading).data))
        except RecordRejected:  # then it is another version's
            return None

    def _changed(self, head: Head, shown: Mapping[str, Any]) -> list[str]:
        """The fields that differ from what the system showed last; where it never did, its own that differ from the head."""
        record = decode(head.payload)
        view = self._view(head) if self._view is not None else None
        if view is not None:
            return _differing(view, shown)
        return [name for name in _differing(record, shown) if self._side.given(name, record)]


def _differing(known: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    return [name for name, value in _plain(shown).items() if not same(known.get(name), value)]


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the form the journal keeps them."""
    return decode(encode(dict(data)))
