"""What a decision is: a write the target is due, and what was known when it was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from l2c.contract import Change
from l2c.mapping import Mapper
from l2c.state.distributions import Settled
from l2c.state.journal import Head, View
from l2c.state.sending import LEFT


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
    element: str = ""  # of a mapping that makes a native record of each element: which one

    @property
    def place(self) -> tuple[int, str]:
        """The record and the mapping file, with the element: what states and intents are kept by."""
        return self.head.record, f"{self.mapper.kept_as}{self.element}"

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
    element_keys: Mapping[tuple[int, str], str] = field(default_factory=dict)  # by place
    elements: Mapping[tuple[int, str], Sequence[str]] = field(
        default_factory=dict
    )  # written once, by record and mapping


def stays(one: Write | Settled) -> bool:
    """Whether something of it is, or will be, in the target."""
    return not one.leaves if isinstance(one, Write) else one.status != "filtered"


def key_of(head: Head, mapper: Mapper, known: Known, element: str) -> str | None:
    """The native key of a record, or of an element of it."""
    if mapper.lists:
        return known.element_keys.get((head.record, f"{mapper.kept_as}{element}"))
    return known.native_keys.get(head.record)
