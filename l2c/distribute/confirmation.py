"""Confirmations: a write that was accepted earlier is settled by what its target says later."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from l2c.contract import Outcome, Status
from l2c.distribute.job import STATE_OF
from l2c.state import cursors, deadletters, distributions, intents
from l2c.state.distributions import Settled
from l2c.state.results import DISTRIBUTE


def settle_confirmed(
    conn: Connection, target: str, confirmed: Mapping[str, Outcome], now: int
) -> tuple[set[str], set[str]]:
    """Settle the writes these tokens name: the entities concerned, and the tokens nobody waits for (yet).

    A confirmation may overtake the state that waits for it: keep its message and offer it again.
    """
    waiting = distributions.awaiting(conn, target, list(confirmed))
    for token, (entity, state) in waiting.items():
        _settle(conn, target, entity, state, confirmed[token], now)
    return {entity for entity, _ in waiting.values()}, set(confirmed) - set(waiting)


def _settle(conn: Connection, target: str, entity: str, state: Settled, outcome: Outcome, now: int) -> None:
    status = STATE_OF[outcome.status]
    if status == "awaiting_confirmation":
        return
    failed = status not in ("written", "unchanged")
    settled = replace(
        state,
        status=status,
        code=outcome.code if failed else "",
        message=outcome.message if failed else "",
        attempts=state.attempts + 1 if failed else 0,
        hash=None if outcome.status is Status.REJECTED else state.hash,
        due_at=now if status in ("retrying", "in_doubt") else None,
        waiting_for=None,
        token=None,
        returned=state.returned and failed,
    )
    distributions.settle(conn, entity, target, [settled], now)
    place = (state.record, state.mapping)
    if status != "in_doubt":
        intents.forget_intents(conn, entity, target, [place])
    if status == "dead_letter":
        letter = {
            "mapping": state.mapping,
            "native_key": outcome.native_key or f"#{state.record}",
            "record": state.record,
            "code": outcome.code or outcome.status.value,
            "message": f"{target}: {outcome.message or outcome.status.value}",
        }
        deadletters.put(conn, entity, target, DISTRIBUTE, [letter], run=0, now=now)
    elif not failed:
        deadletters.resolve_records(conn, entity, target, [state.record])
    if not failed and outcome.native_key:
        distributions.link(conn, entity, target, [("", outcome.native_key, state.record)], now)
        cursors.put_inbox(conn, entity, target, [outcome.native_key], "confirmed", now)
