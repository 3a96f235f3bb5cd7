"""Lost creates only somebody can tell about: whether they arrived, and as which native record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from l2c.state import keys
from l2c.state.results import Decision
from l2c.state.store import from_ms
from l2c.state.tables import distribution, intent, record

ASK, TWO_HITS = "ask", "two_hits"  # codes of states that wait for somebody


@dataclass(frozen=True, slots=True)
class Open:
    """One such create; `look_after` (ms) is when its request can no longer be at work."""

    record: int
    mapping: str
    code: str
    look_after: int


def open_of(conn: Connection, entity: str, target: str, number: int) -> list[Open]:
    """What is to be decided of one record in one target."""
    i = intent.c
    query = _asked(select(i.record, i.mapping, distribution.c.code, i.look_after), entity, target)
    return [Open(*row) for row in conn.execute(query.where(i.record == number))]


def listed(conn: Connection, entity: str | None, target: str | None, *, limit: int | None) -> list[Decision]:
    """What is to be decided, the oldest first; `key` is the record's in the system it was born in."""
    i, d = intent.c, distribution.c
    columns = (i.entity, i.target, i.record, i.mapping, d.code, d.message, i.created, i.look_after, record.c.origin)
    query = _asked(select(*columns), entity, target).join(
        record, and_(record.c.entity == i.entity, record.c.record == i.record)
    )
    query = query.order_by(i.created, i.record)
    rows = conn.execute(query.limit(limit) if limit is not None else query).all()
    return [
        Decision(
            entity=row.entity,
            system=row.target,
            record=row.record,
            key=keys.key_of(conn, row.entity, row.origin, "", row.record) or f"#{row.record}",
            mapping=row.mapping,
            code=row.code,
            message=row.message,
            since=from_ms(row.created),
            look_after=from_ms(row.look_after),
        )
        for row in rows
    ]


def count(conn: Connection, entity: str, target: str) -> int:
    """How many wait for a decision."""
    return int(conn.execute(_asked(select(func.count()), entity, target)).scalar_one())


def _asked(query: Select[Any], entity: str | None, target: str | None) -> Select[Any]:
    """Intents whose state waits for somebody."""
    i, d = intent.c, distribution.c
    same: Sequence[ColumnElement[bool]] = (
        d.entity == i.entity,
        d.record == i.record,
        d.target == i.target,
        d.mapping == i.mapping,
    )
    asks = or_(and_(d.status == "in_doubt", d.code == ASK), and_(d.status == "dead_letter", d.code == TWO_HITS))
    query = query.select_from(intent.join(distribution, and_(*same))).where(asks)
    if entity is not None:
        query = query.where(i.entity == entity)
    return query.where(i.target == target) if target is not None else query
