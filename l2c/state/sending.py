"""Writes under way: noted before they are sent, so that nobody takes for certain what may or may not have arrived."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from l2c.state import cursors, journal
from l2c.state.distributions import OPEN
from l2c.state.results import DISTRIBUTE
from l2c.state.tables import distribution, view

LEFT = b"left"  # stands for the hash of a native record that was blocked or deleted when its record left
UNSURE = b"unsure"  # stands for it when a write may or may not have arrived: nothing equals it
SENDING = "sending"
REPLACED = "replaced"  # kind of the rows that remember tokens


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
    for record, seq, written, accepted in _open_states(conn, entity, target, records):
        doubtful = found.setdefault(record, [])
        doubtful.extend(journal.chain(conn, entity, seq, written))
        if accepted and written is not None:
            doubtful.extend(journal.payloads(conn, entity, [written]).values())
    return found


def _open_states(
    conn: Connection, entity: str, target: str, records: Sequence[int]
) -> list[tuple[int, int, int | None, bool]]:
    """Record, seq, seq written last, whether that was accepted: of states whose write the target may not have shown yet.

    One that was confirmed counts until the target is read after that: nobody has looked at what it made of the write.
    """
    d, v = distribution.c, view.c
    accepted = and_(d.token.is_not(None), or_(d.status.in_(OPEN), d.status == "written"))
    unseen = and_(d.status == "written", d.token.is_not(None), or_(v.read_at.is_(None), v.read_at <= d.settled))
    same = and_(v.entity == d.entity, v.record == d.record, v.system == d.target)
    query = (
        select(d.record, d.seq, d.written_seq, accepted)
        .select_from(distribution.outerjoin(view, same))
        .where(d.entity == entity, d.target == target, d.record.in_(records))
        .where(or_(d.hash == UNSURE, d.status.in_(OPEN), unseen))
    )
    return [(row[0], row[1], row[2], bool(row[3])) for row in conn.execute(query)]


def replace_tokens(conn: Connection, entity: str, target: str, tokens: Mapping[str, int], now: int) -> None:
    """Remember by whose record these tokens of accepted writes are that were sent again before they were confirmed."""
    for token, record in tokens.items():
        cursors.set_cursor(conn, entity, target, REPLACED, str(record), now, partition=token)


def replaced(conn: Connection, target: str, tokens: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Of tokens whose write was sent again since: entity and record."""
    return {
        token: (entity, int(value))
        for token in tokens
        for entity, value in cursors.places(conn, target, REPLACED, token)
    }
