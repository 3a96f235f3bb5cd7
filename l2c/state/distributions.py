"""What each target got of each record, under which mapping, and what is due again."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from l2c.state import keys
from l2c.state.sql import upsert_rows
from l2c.state.tables import distribution, record

OPEN = ("in_doubt", "awaiting_confirmation")  # states of a write that may or may not have taken effect
ELEMENT = "#"  # stands between a mapping file and the element of a record that a state is about
UNDECIDED = "undecided"  # what a state waits for whose record may be one the target shows
SETTLED = ("written", "unchanged", "filtered")  # nothing is to be done before something changes

COLUMNS = (
    "record",
    "mapping",
    "seq",
    "version",
    "status",
    "written_seq",
    "hash",
    "code",
    "message",
    "attempts",
    "due_at",
    "waiting_for",
    "returned",
    "token",
)


_ROW = ("entity", "target", "settled", *COLUMNS)
_values = attrgetter(*COLUMNS)


class Settled(msgspec.Struct, frozen=True):
    """The state of one record in one target under one write mapping file; a struct, since every record needs one or two."""

    record: int
    mapping: str
    seq: int
    version: str
    status: str
    written_seq: int | None = None
    hash: bytes | None = None
    code: str = ""
    message: str = ""
    attempts: int = 0
    due_at: int | None = None
    waiting_for: str | None = None
    returned: bool = False
    token: str | None = None
    settled: int = 0

    @property
    def place(self) -> tuple[int, str]:
        """The record and the mapping file: what states are kept by."""
        return self.record, self.mapping

    def changed(self, **fields: Any) -> "Settled":
        """The same state but for these fields."""
        return replace(self, **fields)

    @classmethod
    def after(
        cls, previous: "Settled | None", place: tuple[int, str], *, seq: int, version: str, status: str, **rest: Any
    ) -> "Settled":
        """The next state of `place` (record, mapping); what the target holds and the attempts carry on unless given."""
        carried: dict[str, Any] = {}
        if previous is not None:
            carried = {"written_seq": previous.written_seq, "hash": previous.hash, "attempts": previous.attempts}
            if status not in SETTLED:
                carried["returned"] = previous.returned
            if previous.status != "written":  # its confirmation may still come
                carried["token"] = previous.token
        record, mapping = place
        return cls(record=record, mapping=mapping, seq=seq, version=version, status=status, **(carried | rest))


def stored(conn: Connection, entity: str, target: str, records: Sequence[int]) -> dict[tuple[int, str], Settled]:
    """The states of these records in the target, by (record, mapping)."""
    if not records:
        return {}
    d = distribution.c
    query = select(*(d[name] for name in (*COLUMNS, "settled"))).where(
        d.entity == entity, d.target == target, d.record.in_(records)
    )
    return {(row[0], row[1]): Settled(*row) for row in conn.execute(query).all()}


def settle(conn: Connection, entity: str, target: str, states: Sequence[Settled], now: int) -> None:
    """Store new states; one that waits for a key (`reference|key`) which has arrived meanwhile is due at once."""
    if not states:
        return
    ready = [
        state if state.waiting_for in (None, UNDECIDED) else _awaiting(conn, target, state, now) for state in states
    ]
    place = (entity, target, now)
    upsert_rows(conn, distribution, _ROW, [place + _values(state) for state in ready])


def _awaiting(conn: Connection, target: str, state: Settled, now: int) -> Settled:
    """A state that waits for a key, by the name that wakes it."""
    reference, _, key = (state.waiting_for or "").partition("|")
    place = awaited(conn, target, reference, key)
    return replace(state, waiting_for=place, due_at=now if _arrived(conn, place) else state.due_at)


def awaiting(conn: Connection, target: str, tokens: Sequence[str]) -> dict[str, tuple[str, Settled]]:
    """The states whose last accepted write has one of these tokens, confirmed already or not, with their entity."""
    d = distribution.c
    query = select(d.token, d.entity, *(d[name] for name in (*COLUMNS, "settled"))).where(
        d.target == target, d.token.in_(tokens)
    )
    rows: Any = conn.execute(query)
    return {row[0]: (row[1], Settled(*row[2:])) for row in rows}


def due_records(
    conn: Connection, entity: str, target: str, now: int, limit: int | None, mappings: Sequence[str]
) -> list[int]:
    """Records to look at again: woken, returned, time come; the ones due longest first."""
    d = distribution.c
    query = (
        select(d.record)
        .where(d.entity == entity, d.target == target, d.due_at.is_not(None), d.due_at <= now, _of(mappings))
        .order_by(d.due_at, d.record)
        .limit(limit)
    )
    return list(dict.fromkeys(conn.execute(query).scalars()))


def _of(mappings: Sequence[str]) -> ColumnElement[bool]:
    """Whether a state is of one of these mapping files; a name that ends with `#` stands for those of each element too."""
    d = distribution.c
    each = [name for name in mappings if name.endswith(ELEMENT)]
    clauses = [func.substr(d.mapping, 1, len(name)) == name for name in each]
    return or_(d.mapping.in_([name.rstrip(ELEMENT) for name in mappings]), *clauses)


def any_due(conn: Connection, entity: str, target: str, now: int, mappings: Sequence[str]) -> bool:
    """Whether anything of these mapping files is due."""
    return bool(due_records(conn, entity, target, now, 1, mappings))


def awaited(conn: Connection, target: str, reference: str, key: str) -> str:
    """What wakes a state whose reference is open: the record's key in the target, or the record itself.

    `key` is `#12`, the hub's number, or `system:native key` of a record the hub has not met.
    """
    entity, _, path = reference.partition("/")
    if not key.startswith("#"):
        system, _, native = key.partition(":")
        number = keys.find_record(conn, entity, system, path, native)
        if number is None:
            return f"{entity}/{path}|{key}"
        key = f"#{number}"
    return f"{target}:{entity}/{path}|{key}"


def link(conn: Connection, entity: str, system: str, rows: Sequence[tuple[str, str, int]], now: int) -> None:
    """Link (path, native key, record) in the key mapping, and make due what waits for these keys."""
    keys.add_keys(conn, entity, system, rows)
    d = distribution.c
    if not rows:
        return
    # in the order of its index: without statistics PostgreSQL would read the whole table to learn that nothing waits
    waiting = select(d.waiting_for).where(d.waiting_for.is_not(None)).order_by(d.waiting_for).limit(1)
    if conn.execute(waiting).first() is None:
        return
    arrived = [f"{entity}/{path}|{system}:{key}" for path, key, _ in rows]
    arrived += [f"{system}:{entity}/{path}|#{number}" for path, _, number in rows]
    conn.execute(update(distribution).where(d.waiting_for.in_(arrived)).values(due_at=now))


def give_back(conn: Connection, entity: str, target: str, records: Sequence[int], now: int) -> None:
    """The target holds something it does not own: it is due, even where the head did not change."""
    d = distribution.c
    where = and_(d.entity == entity, d.target == target, d.record.in_(records))
    conn.execute(update(distribution).where(where).values(due_at=_at_once(now), returned=True))


def make_due(
    conn: Connection,
    entity: str,
    target: str,
    now: int,
    *,
    records: Sequence[int] | None = None,
    mapping: str | None = None,
) -> int:
    """Make states due: of these records, of this mapping file, or all."""
    d = distribution.c
    query = update(distribution).where(d.entity == entity, d.target == target)
    if records is not None:
        query = query.where(d.record.in_(records))
    if mapping is not None:
        query = query.where(_of([mapping + ELEMENT]))
    return conn.execute(query.values(due_at=_at_once(now))).rowcount


def _at_once(now: int) -> ColumnElement[int]:
    """Due now; what awaits its confirmation is due when that comes, or when its time is over, and not before."""
    d = distribution.c
    return case((and_(d.status == "awaiting_confirmation", d.due_at > now), d.due_at), else_=now)


def count_other_version(conn: Connection, entity: str, target: str, mapping: str, version: str) -> int:
    """Heads of that mapping file which the target has under another version."""
    d = distribution.c
    query = select(func.count()).where(
        d.entity == entity, d.target == target, _of([mapping + ELEMENT]), d.version != version
    )
    return int(conn.execute(query).scalar_one())


def count_held(conn: Connection, entity: str, target: str) -> int:
    """How many records the target holds, as far as the hub has written them."""
    d = distribution.c
    query = select(func.count(d.record.distinct())).where(
        d.entity == entity, d.target == target, d.hash.is_not(None), d.hash != b"left"
    )
    return int(conn.execute(query).scalar_one())


def count_by_status(conn: Connection, entity: str, target: str) -> dict[str, int]:
    """How many states stand in each end state."""
    d = distribution.c
    query = select(d.status, func.count()).where(d.entity == entity, d.target == target).group_by(d.status)
    return {row[0]: int(row[1]) for row in conn.execute(query).all()}


def count_behind(conn: Connection, entity: str, seq: int) -> int:
    """Records whose newest entry comes after `seq`."""
    r = record.c
    return int(conn.execute(select(func.count()).where(r.entity == entity, r.head_seq > seq)).scalar_one())


def of_record(conn: Connection, entity: str, number: int) -> list[Mapping[str, Any]]:
    """Every state of one record."""
    d = distribution.c
    query = select(distribution).where(d.entity == entity, d.record == number).order_by(d.target, d.mapping)
    return [dict(row) for row in conn.execute(query).mappings()]


def _arrived(conn: Connection, place: str) -> bool:
    """Whether what a state waits for has come meanwhile."""
    reference, _, key = place.partition("|")
    entity, _, path = reference.rpartition(":")[2].partition("/")
    if key.startswith("#"):
        target = reference.rpartition(":")[0]
        return keys.key_of(conn, entity, target, path, int(key[1:])) is not None
    system, _, native = key.partition(":")
    return keys.find_record(conn, entity, system, path, native) is not None
