"""Intents: what is about to be created where a repetition would double it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, and_, bindparam, select

from l2c.state.sql import upsert
from l2c.state.tables import intent

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that was about to be sent, with the mark it carries."""

    record: int
    mapping: str
    seq: int
    mark: str
    run: int
    state: str
    look_after: int


def mark_of(entity: str, origin: str, key: str) -> str:
    """The mark a create carries: made of the record's key in the system it comes from, so that it can be made again."""
    return "L2C-" + blake2b(f"{entity}|{origin}|{key}".encode(), digest_size=8).hexdigest()


def intend(conn: Connection, entity: str, target: str, intents: Sequence[Intent], now: int) -> None:
    """Commit intents before anything is sent."""
    upsert(
        conn,
        intent,
        [
            {
                "entity": entity,
                "target": target,
                "record": one.record,
                "mapping": one.mapping,
                "seq": one.seq,
                "mark": one.mark,
                "run": one.run,
                "state": one.state,
                "created": now,
                "look_after": one.look_after,
            }
            for one in intents
        ],
    )


def intents_of(conn: Connection, entity: str, target: str, records: Sequence[int] | None = None) -> list[Intent]:
    """Intents that were never settled: their outcome is in doubt until it is looked up."""
    i = intent.c
    query = select(i.record, i.mapping, i.seq, i.mark, i.run, i.state, i.look_after).where(
        i.entity == entity, i.target == target
    )
    if records is not None:
        query = query.where(i.record.in_(records))
    return [Intent(*row) for row in conn.execute(query.order_by(i.record))]


def postpone(conn: Connection, entity: str, target: str, later: Mapping[tuple[int, str], int]) -> None:
    """Let the creates of (record, mapping) pairs be looked up at these times; those without an intent are passed over."""
    if not later:
        return
    i = intent.c
    where = and_(
        i.entity == entity, i.target == target, i.record == bindparam("number"), i.mapping == bindparam("name")
    )
    rows = [{"number": number, "name": name, "later": at} for (number, name), at in later.items()]
    conn.execute(intent.update().where(where).values(look_after=bindparam("later")), rows)


def forget_intents(conn: Connection, entity: str, target: str, pairs: Iterable[tuple[int, str]]) -> None:
    """Remove the intents of settled (record, mapping) pairs."""
    wanted = list(pairs)
    if not wanted:
        return
    i = intent.c
    where = and_(
        i.entity == entity, i.target == target, i.record == bindparam("number"), i.mapping == bindparam("name")
    )
    conn.execute(intent.delete().where(where), [{"number": number, "name": name} for number, name in wanted])
