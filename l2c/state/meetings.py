"""First meetings: values by which a record is recognised in a second system, and records whose match is not decided."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select, update

from l2c.state.linking import chunks
from l2c.state.sql import insert_missing, upsert
from l2c.state.tables import candidate, journal, key_mapping, match_value, record

WAITING, AMBIGUOUS, ACCEPTED, REJECTED = "waiting", "ambiguous", "accepted", "rejected"
OPEN = (WAITING, AMBIGUOUS, ACCEPTED)  # states of a record that may still be one the hub knows
Values = Mapping[str, Sequence[bytes]]  # by rule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record met for the first time that may be one the hub knows; `records` are those it may be."""

    native_key: str
    state: str
    rule: str
    records: tuple[int, ...]
    mapping: str
    payload: bytes
    hash: bytes
    other_keys: Mapping[str, str]
    etag: str | None
    changed_at: int | None
    read_at: int
    since: int = 0


def set_values(conn: Connection, entity: str, values: Mapping[int, Values], *, fresh: Iterable[int] = ()) -> None:
    """Store what records can be recognised by; `fresh` ones have no older values."""
    old = set(values) - set(fresh)
    if old:
        m = match_value.c
        conn.execute(delete(match_value).where(m.entity == entity, m.record.in_(old)))
    rows = [
        {"entity": entity, "rule": rule, "value": value, "record": number}
        for number, by_rule in values.items()
        for rule, found in by_rule.items()
        for value in found
    ]
    insert_missing(conn, match_value, rows)


def with_values(conn: Connection, entity: str, rule: str, values: Sequence[bytes]) -> dict[bytes, list[int]]:
    """The living records that carry each value."""
    m, r = match_value.c, record.c
    joined = match_value.join(record, and_(r.entity == m.entity, r.record == m.record))
    query = (
        select(m.value, m.record)
        .select_from(joined)
        .where(m.entity == entity, m.rule == rule, m.value.in_(values), ~r.deleted, r.merged_into.is_(None))
    )
    found: dict[bytes, list[int]] = {}
    for value, number in conn.execute(query):
        found.setdefault(value, []).append(number)
    return found


def linked(conn: Connection, entity: str, system: str, records: Sequence[int]) -> set[int]:
    """Which of these records have a key in the system."""
    k, found = key_mapping.c, set[int]()
    for part in chunks(records):
        query = select(k.record).where(k.entity == entity, k.system == system, k.path == "", k.record.in_(part))
        found.update(conn.execute(query).scalars())
    return found


def heads_from(conn: Connection, entity: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Living records behind `after` with their payloads, in order: to compute their values anew."""
    r, j = record.c, journal.c
    query = (
        select(r.record, j.payload)
        .select_from(record.join(journal, and_(j.entity == r.entity, j.seq == r.head_seq)))
        .where(r.entity == entity, r.record > after)
        .order_by(r.record)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in conn.execute(query)]


def put_candidates(conn: Connection, entity: str, system: str, candidates: Sequence[Candidate], now: int) -> None:
    """Store candidates."""
    rows = [
        {
            "entity": entity,
            "system": system,
            "native_key": one.native_key,
            "state": one.state,
            "rule": one.rule,
            "records": json.dumps(list(one.records)),
            "mapping": one.mapping,
            "payload": one.payload,
            "hash": one.hash,
            "other_keys": json.dumps(dict(one.other_keys)),
            "etag": one.etag,
            "changed_at": one.changed_at,
            "read_at": one.read_at,
            "since": now,
        }
        for one in candidates
    ]
    upsert(conn, candidate, rows)


def candidates_of(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> dict[str, Candidate]:
    """The candidates among these native keys."""
    c = candidate.c
    query = _candidates().where(c.entity == entity, c.system == system, c.native_key.in_(keys))
    return {one.native_key: one for one in map(_candidate, conn.execute(query))}


def candidates_in(
    conn: Connection, entity: str, system: str, state: str, after: str = "", limit: int | None = None
) -> list[Candidate]:
    """Candidates of one state in key order."""
    c = candidate.c
    query = _candidates().where(c.entity == entity, c.system == system, c.state == state, c.native_key > after)
    query = query.order_by(c.native_key)
    return [_candidate(row) for row in conn.execute(query.limit(limit) if limit is not None else query)]


def hits_in(conn: Connection, entity: str, system: str, *states: str) -> list[tuple[str, str, list[int]]]:
    """Key, rule and possible records of the candidates in these states."""
    c = candidate.c
    query = select(c.native_key, c.rule, c.records).where(c.entity == entity, c.system == system, c.state.in_(states))
    return [(key, rule, json.loads(records)) for key, rule, records in conn.execute(query.order_by(c.native_key))]


def decide(conn: Connection, entity: str, system: str, key: str, state: str, records: Sequence[int]) -> bool:
    """Note a decision on a candidate; False when there is none of that key."""
    c = candidate.c
    query = update(candidate).where(c.entity == entity, c.system == system, c.native_key == key)
    return conn.execute(query.values(state=state, records=json.dumps(list(records)))).rowcount > 0


def set_states(conn: Connection, entity: str, system: str, keys: Sequence[str], state: str) -> None:
    """Give candidates another state."""
    c = candidate.c
    if not keys:
        return
    where = and_(c.entity == entity, c.system == system, c.native_key == bindparam("key"))
    conn.execute(update(candidate).where(where).values(state=state), [{"key": key} for key in keys])


def forget_candidates(conn: Connection, entity: str, system: str, keys: Sequence[str]) -> None:
    """Candidates that are decided and settled are none any more."""
    c = candidate.c
    if not keys:
        return
    where = and_(c.entity == entity, c.system == system, c.native_key == bindparam("key"))
    conn.execute(delete(candidate).where(where), [{"key": key} for key in keys])


def count_candidates(conn: Connection, entity: str, system: str) -> dict[str, int]:
    """How many candidates stand in each state."""
    c = candidate.c
    query = select(c.state, func.count()).where(c.entity == entity, c.system == system).group_by(c.state)
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def _candidates() -> Select[Any]:
    c = candidate.c
    return select(
        c.native_key,
        c.state,
        c.rule,
        c.records,
        c.mapping,
        c.payload,
        c.hash,
        c.other_keys,
        c.etag,
        c.changed_at,
        c.read_at,
        c.since,
    )


def _candidate(row: Any) -> Candidate:
    key, state, rule, records, mapping, payload, hashed, other, *rest = row
    return Candidate(key, state, rule, tuple(json.loads(records)), mapping, payload, hashed, json.loads(other), *rest)
