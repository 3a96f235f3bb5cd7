"""The audit log: what people did, chained by hashes so that a missing or changed entry shows."""

import getpass
import hashlib
import json

from sqlalchemy import Connection, select

from l2c.state.tables import audit as table


def note(conn: Connection, now: int, what: str, entity: str, system: str, detail: str, who: str | None = None) -> None:
    """Append one entry."""
    previous = conn.execute(select(table.c.hash).order_by(table.c.id.desc()).limit(1)).scalar()
    values = {
        "at": now,
        "who": who or getpass.getuser(),
        "what": what,
        "entity": entity,
        "system": system,
        "detail": detail,
    }
    text = json.dumps(values, sort_keys=True).encode() + (previous or b"")
    conn.execute(table.insert().values(previous=previous, hash=hashlib.sha256(text).digest(), **values))
