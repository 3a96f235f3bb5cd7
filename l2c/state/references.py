"""References between records: `#12`, the hub's number, or `system:native key` of a record the hub has not met."""

from sqlalchemy import Connection, select

from l2c.state import keys
from l2c.state.tables import record


def canonical(conn: Connection, entity: str, system: str, path: str, key: str) -> str:
    """What a native key of that system becomes in canonical records."""
    number = keys.find_record(conn, entity, system, path, key)
    return f"#{number}" if number is not None else f"{system}:{key}"


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
