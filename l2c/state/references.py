"""References between records: `#12`, the hub's number, or `system:native key` of a record the hub has not met."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from l2c.state import cursors, keys, meetings
from l2c.state.tables import record


def canonical(conn: Connection, entity: str, system: str, path: str, key: str) -> str:
    """What a native key of that system becomes in canonical records; of a merged record the one that stays."""
    return _settled(conn, entity, path, f"{system}:{key}")


def settle(conn: Connection, data: dict[str, Any], paths: Mapping[str, str]) -> None:
    """Write the references of a record as they are read today: of records met or merged since by their numbers.

    `paths`: of each field that refers the record it refers to, such as `business_partner/customer`.
    """
    for field, reference in paths.items():
        entity, _, path = reference.partition("/")
        _replace(conn, data, field.split("."), (entity, path))


def ask_again(
    conn: Connection, entity: str, merged: Sequence[int], referrers: Mapping[str, Sequence[str]], now: int
) -> None:
    """Have everything read again that refers to records merged into others.

    `referrers`: of each entity that refers to this one the systems it is captured from.
    """
    names = [f"#{number}" for number in merged]
    rows = [row for number in merged for row in keys.list_keys(conn, entity, record=number, limit=None)]
    needles = [f'"{name}"'.encode() for name in (*names, *(f"{row.system}:{row.native_key}" for row in rows))]
    for other, systems in referrers.items():
        found = _mentioning(conn, other, needles)
        for system in systems:
            wanted = sorted(keys.native_keys(conn, other, system, found).values())
            cursors.put_inbox(conn, other, system, wanted, f"{entity} merged", now)


def record_of(conn: Connection, entity: str, path: str, reference: str) -> int | None:
    """The record a reference means, the winner where it was merged; None when the hub has not met it."""
    if reference.startswith("#"):
        number: int | None = int(reference[1:])
    else:
        system, _, key = reference.partition(":")
        number = keys.find_record(conn, entity, system, path, key)
    seen: set[int] = set()
    while number is not None and number not in seen:
        seen.add(number)
        r = record.c
        winner = conn.execute(select(r.merged_into).where(r.entity == entity, r.record == number)).scalar()
        if winner is None:
            return number
        number = winner
    return number


def _settled(conn: Connection, entity: str, path: str, reference: str) -> str:
    number = record_of(conn, entity, path, reference)
    return f"#{number}" if number is not None else reference


def _replace(conn: Connection, level: Any, names: Sequence[str], to: tuple[str, str]) -> None:
    if isinstance(level, list):
        for element in level:
            _replace(conn, element, names, to)
    elif isinstance(level, dict) and names[0] in level:
        if len(names) > 1:
            _replace(conn, level[names[0]], names[1:], to)
        elif isinstance(level[names[0]], str):
            level[names[0]] = _settled(conn, *to, level[names[0]])


def _mentioning(conn: Connection, entity: str, needles: Sequence[bytes]) -> list[int]:
    """Records whose heads hold one of these texts; merges are rare, so every head is looked at."""
    found: list[int] = []
    after = 0
    while heads := meetings.heads_from(conn, entity, after, 1000):
        found += [number for number, payload in heads if any(needle in payload for needle in needles)]
        after = heads[-1][0]
    return found
