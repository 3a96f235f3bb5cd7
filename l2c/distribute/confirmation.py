"""Confirmations: a write that was accepted earlier is settled by what its target says later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from l2c.contract import Outcome, Status
from l2c.distribute.job import STATE_OF, Retries
from l2c.state import cursors, deadletters, distributions, intents, journal, keys, sending, versions
from l2c.state.distributions import OPEN, Settled
from l2c.state.results import DISTRIBUTE
from l2c.state.sending import UNSURE

GOOD = ("written", "unchanged")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What confirmations did: the entities they concern, and the tokens nobody waits for (yet)."""

    entities: frozenset[str]
    unclaimed: frozenset[str]


def settle_confirmed(
    conn: Connection, target: str, confirmed: Mapping[str, Outcome], now: int, retries: Callable[[str], Retries]
) -> Confirmed:
    """Settle the writes these tokens name; `retries` are those of an entity's flow.

    A confirmation may overtake the state that waits for it: keep its message and offer it again. One of a write that was
    sent again since tells no more than which native record is meant: the newest write decides.
    """
    waiting = distributions.awaiting(conn, target, list(confirmed))
    for token, (entity, state) in waiting.items():
        if state.status in OPEN:
            _Confirmation(conn, target, entity, state, now).settle(confirmed[token], retries(entity))
    rest = set(confirmed) - set(waiting)
    older = sending.replaced(conn, target, rest) if rest else {}
    for token, (entity, record) in older.items():
        outcome = confirmed[token]
        if STATE_OF[outcome.status] in GOOD and outcome.native_key:
            _shown(conn, target, entity, (outcome.native_key, record), now)
    entities = {entity for entity, _ in (*waiting.values(), *older.values())}
    return Confirmed(frozenset(entities), frozenset(rest - set(older)))


@dataclass(frozen=True, slots=True)
class _Confirmation:
    """One state that waits, inside the transaction of the message."""

    conn: Connection
    target: str
    entity: str
    state: Settled
    now: int

    def settle(self, outcome: Outcome, retries: Retries) -> None:
        status = STATE_OF[outcome.status]
        if status == "awaiting_confirmation":
            return
        settled = self._good(status) if status in GOOD else self._bad(outcome, retries)
        conn, entity, target, record = self.conn, self.entity, self.target, self.state.record
        distributions.settle(conn, entity, target, [settled], self.now)
        if settled.status not in OPEN:
            intents.forget_intents(conn, entity, target, [self.state.place])
        if settled.status == "dead_letter":
            self._set_aside(settled)
        elif status in GOOD:
            deadletters.resolve_records(conn, entity, target, [record])
        if outcome.native_key and outcome.status is not Status.REJECTED:
            _shown(conn, target, entity, (outcome.native_key, record), self.now)

    def _good(self, status: str) -> Settled:
        """Written; due again where something changed while it was under way."""
        state = self.state
        due_at = self.now if state.returned or self._changed_since() else None
        return state.changed(status=status, code="", message="", attempts=0, due_at=due_at, waiting_for=None)

    def _changed_since(self) -> bool:
        conn, state = self.conn, self.state
        [head] = journal.heads_of(conn, self.entity, [state.record])
        in_force = versions.in_force(conn, self.entity, self.target).get(state.mapping, state.version)
        return head.seq != state.seq or in_force != state.version

    def _bad(self, outcome: Outcome, retries: Retries) -> Settled:
        """Set aside or sent again later; what the target holds then is nothing of its own, or not known."""
        state, status = self.state, STATE_OF[outcome.status]
        attempts, due_at = state.attempts + 1, None
        if status == "retrying":
            due_at = self.now + retries.wait_ms(attempts, outcome.retry_after)
            if attempts >= retries.attempts:
                status, due_at = "dead_letter", None
        elif status == "in_doubt":
            due_at = state.due_at
        there = keys.key_of(self.conn, self.entity, self.target, "", state.record) is not None
        return state.changed(
            status=status,
            code=outcome.code or outcome.status.value,
            message=f"{self.target}: {outcome.message or outcome.status.value}",
            attempts=attempts,
            hash=UNSURE if there or outcome.status is not Status.REJECTED else None,
            due_at=due_at,
            waiting_for=None,
        )

    def _set_aside(self, settled: Settled) -> None:
        """A dead letter by the key of the system the record comes from, as those of refused writes."""
        conn, entity, record = self.conn, self.entity, settled.record
        [head] = journal.heads_of(conn, entity, [record])
        name = keys.key_of(conn, entity, head.origin, "", record) or str(record)
        letter = {
            "mapping": settled.mapping,
            "native_key": name,
            "record": record,
            "code": settled.code,
            "message": settled.message,
            "origin": head.origin,
        }
        deadletters.put(conn, entity, self.target, DISTRIBUTE, [letter], run=0, now=self.now)


def _shown(conn: Connection, target: str, entity: str, one: tuple[str, int], now: int) -> None:
    """The native record (key and record of ours) is there: link it and have it read."""
    key, record = one
    distributions.link(conn, entity, target, [("", key, record)], now)
    cursors.put_inbox(conn, entity, target, [key], "confirmed", now)
