"""Writes under way: noted before they are sent, so that nobody takes for certain what may or may not have arrived."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from l2c.state import cursors, journal
from l2c.state.results import DISTRIBUTE
from l2c.state.tables import distribution

LEFT = b"left"  # stands for the hash of a native record that was blocked or deleted when its record left
UNSURE = b"unsure"  # stands for it when a write may or may not have arrived: nothing equals it
SENDING = "sending"


class Sent(NamedTuple):
    """One write under way: the journal entry `seq` of a record, by a mapping file."""

    record: int
    mapping: str
    seq: int


def note(conn: Connection, entity: str, target: str, writes: Sequence[Sent], now: int) -> None:
    """Note the writes of one block; one row, replaced by the next block's."""
    cursors.set_cursor(conn, entity, target, DISTRIBUTE, json.dumps(writes), now, partition=SENDING)


def noted(conn: Connection, entity: str, target: str) -> list[Sent]:
    """The writes under way, or left behind by a worker that ended."""
    text = cursors.get_cursor(conn, entity, target, DISTRIBUTE, SENDING)
    return [Sent(*one) for one in json.loads(text)] if text is not None else []


def settled(conn: Connection, entity: str, target: str) -> None:
    """They are settled."""
    cursors.drop_cursor(conn, entity, target, DISTRIBUTE, SENDING)


def doubts(conn: Connection, entity: str, target: str, records: Sequence[int]) -> dict[int, list[bytes]]:
    """Of each record: the canonical payloads a write whose outcome is not known may have brought to the target."""
    found: dict[int, list[bytes]] = {}
    wanted = set(records)
    under_way = [one for one in noted(conn, entity, target) if one.record in wanted]
    payloads = journal.payloads(conn, entity, [one.seq for one in under_way])
    for one in under_way:
        if one.seq in payloads:
            found.setdefault(one.record, []).append(payloads[one.seq])
    d = distribution.c
    open_states = or_(d.hash == UNSURE, d.status.in_(("in_doubt", "awaiting_confirmation")))
    query = select(d.record, d.seq, d.written_seq).where(
        d.entity == entity, d.target == target, d.record.in_(records), open_states
    )
    for record, seq, written in conn.execute(query).all():
        found.setdefault(record, []).extend(journal.chain(conn, entity, seq, written))
    return found
