"""What the state store says of some records in one system, read as of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from l2c.mapping import decode
from l2c.reconcile.side import Side
from l2c.state import cursors, distributions, journal, keys, reconciling
from l2c.state.distributions import Settled
from l2c.state.journal import Head
from l2c.state.reconciling import View
from l2c.state.results import DISTRIBUTE
from l2c.state.store import Store


@dataclass(frozen=True, slots=True)
class Facts:
    """Of records by number, of native keys by text; `place`: how far the journal was distributed to the system."""

    now: int
    place: int = 0
    heads: Mapping[int, Head] = field(default_factory=dict)
    states: Mapping[tuple[int, str], Settled] = field(default_factory=dict)
    keys: Mapping[int, str] = field(default_factory=dict)
    views: Mapping[int, View] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    letters: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)

    def marks(self, number: int) -> tuple[Any, ...]:
        """What changes whenever the hub does anything to the record."""
        head, view = self.heads.get(number), self.views.get(number)
        settled = sorted((name, s.seq, s.status, s.settled) for (of, name), s in self.states.items() if of == number)
        return head.seq if head else None, view, self.keys.get(number), tuple(settled)


def facts_of(store: Store, conn: Connection, side: Side, numbers: Sequence[int], shown: Sequence[str] = ()) -> Facts:
    """The facts of these records and of the native keys that were shown."""
    entity, system = side.entity, side.system
    own = keys.native_keys(conn, entity, system, numbers)
    texts = list(dict.fromkeys([*shown, *own.values()]))
    captured = bool(side.readers)
    return Facts(
        now=store.now(),
        place=int(cursors.get_cursor(conn, entity, system, DISTRIBUTE) or 0) if side.writers else 0,
        heads={head.record: head for head in journal.heads_of(conn, entity, numbers)},
        states=distributions.stored(conn, entity, system, numbers) if side.writers else {},
        keys=own,
        views=reconciling.views(conn, entity, system, numbers) if captured else {},
        asked=frozenset(reconciling.asked_for(conn, entity, system, texts)) if captured else frozenset(),
        letters=reconciling.set_aside(conn, entity, system, texts) if captured else {},
        held=reconciling.held(conn, entity, system, texts) if captured else {},
    )


def view_of(store: Store, side: Side, head: Head) -> dict[str, Any] | None:
    """What the system last showed of a record, None where it never did."""
    with store.reading() as conn:
        found = journal.view_payloads(conn, side.entity, side.system, [head.record])
    if head.record not in found:
        return None
    stored = found[head.record]
    return decode(stored if stored is not None else head.payload)
