"""The audit log: what people did, chained by hashes so that a missing or changed entry shows.

Each entry's hash covers the entry and the hash before it. The seal (the row with id 0) holds how many entries there are and
the newest hash, so that entries taken away at the end show as well. Whoever rewrites entries, chain and seal alike is found
only by a hash kept elsewhere: `l2c audit verify` prints it and takes one with `--head`.
"""

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from l2c.state.sql import insert_missing
from l2c.state.store import from_ms
from l2c.state.tables import audit as table

SEAL = 0
MAX_FINDINGS = 100
_HASHED = ("at", "who", "what", "entity", "system", "detail")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What one person did once."""

    id: int
    at: datetime
    who: str
    what: str
    entity: str
    system: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether the chain is whole: the number of its entries, its newest hash (hex), what is wrong, the newest entries."""

    entries: int
    head: str
    findings: tuple[str, ...]
    newest: tuple[AuditEntry, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def note(conn: Connection, now: int, what: str, entity: str, system: str, detail: str, who: str | None = None) -> None:
    """Append one entry; two processes that append at once take turns at the seal."""
    count, previous = _sealed(conn, now)
    values = {
        "at": now,
        "who": who or getpass.getuser(),
        "what": what,
        "entity": entity,
        "system": system,
        "detail": detail,
    }
    made = _hash(values, previous)
    conn.execute(table.insert().values(previous=previous, hash=made, **values))
    conn.execute(update(table).where(table.c.id == SEAL).values(at=now, detail=str(count + 1), hash=made))


def verify(conn: Connection, *, head: str = "", limit: int = 0) -> AuditReport:
    """Walk the whole chain; `head` is a hash noted earlier (hex, 8 digits at least) that must still be in it."""
    walk = _Walk()
    newest: list[AuditEntry] = []
    for row in conn.execute(select(table).where(table.c.id != SEAL).order_by(table.c.id)).mappings():
        walk.step(row)
        newest.append(AuditEntry(row["id"], from_ms(row["at"]), *(row[name] for name in _HASHED[1:])))
        del newest[: max(len(newest) - limit, 0)]
    walk.seal(conn.execute(select(table).where(table.c.id == SEAL)).mappings().first())
    if head and not any(known.startswith(head.lower()) for known in walk.known):
        walk.say(f"the hash {head} is not in the chain any more: entries were rewritten or taken away")
    last = walk.previous.hex() if walk.previous else ""
    return AuditReport(len(walk.known), last, tuple(walk.findings[:MAX_FINDINGS]), tuple(reversed(newest)))


class _Walk:
    """The chain so far."""

    def __init__(self) -> None:
        self.previous: bytes | None = None
        self.known: list[str] = []
        self.findings: list[str] = []

    def say(self, what: str) -> None:
        """Remember what is wrong."""
        self.findings.append(what)

    def step(self, row: Mapping[Any, Any]) -> None:
        """Check one entry against itself and the one before."""
        before = _plain(row["previous"])
        if before != self.previous:
            self.say(f"before entry {row['id']}: entries are missing, or stand in another order")
        if _hash({name: row[name] for name in _HASHED}, before) != _plain(row["hash"]):
            self.say(f"entry {row['id']}: was changed after it was written")
        self.previous = _plain(row["hash"])
        self.known.append((self.previous or b"").hex())

    def seal(self, row: Mapping[Any, Any] | None) -> None:
        """Check the end of the chain."""
        if row is None:
            if self.known:
                self.say("the seal is missing: entries at the end may be missing too")
            return
        missing = int(row["detail"]) - len(self.known)
        if missing > 0:
            self.say(f"{missing} of {row['detail']} entries are missing")
        if missing < 0:
            self.say(f"{-missing} entries were added past the seal")
        if (self.previous or b"") != _plain(row["hash"]):
            self.say("the newest entry is not the one the seal names")


def _sealed(conn: Connection, now: int) -> tuple[int, bytes | None]:
    """How many entries there are and the newest hash; the seal stays locked until the transaction ends."""
    empty = dict.fromkeys(("who", "what", "entity", "system"), "")
    insert_missing(conn, table, [{"id": SEAL, "at": now, "detail": "0", "hash": b"", **empty}])
    seal = conn.execute(select(table).where(table.c.id == SEAL).with_for_update()).mappings().one()
    if seal["detail"] != "0":
        return int(seal["detail"]), _plain(seal["hash"])
    entries = table.c.id != SEAL  # of a store from before there was a seal
    last = conn.execute(select(table.c.hash).where(entries).order_by(table.c.id.desc()).limit(1)).scalar()
    return int(conn.execute(select(func.count()).where(entries)).scalar() or 0), _plain(last)


def _hash(values: Mapping[str, Any], previous: bytes | None) -> bytes:
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode() + (previous or b"")).digest()


def _plain(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
