"""Taking a record back to before it was captured: what its system shows is met anew."""

from sqlalchemy import Connection, delete

from l2c.state import cursors, journal, meetings
from l2c.state.journal import Entry, Head
from l2c.state.meetings import Candidate
from l2c.state.tables import key_mapping


def unmeet(conn: Connection, entity: str, system: str, head: Head, candidate: Candidate, now: int) -> None:
    """A record only this system has is none any more: its native key is a candidate, which the next capture meets anew."""
    entry = Entry(candidate.native_key, head.record, "delete", head.hash, head.payload, None, head.seq)
    journal.append(conn, entity, [entry], origin=system, run=0, mapping="", now=now)
    k = key_mapping.c
    conn.execute(delete(key_mapping).where(k.entity == entity, k.system == system, k.record == head.record))
    journal.drop_views(conn, entity, system, [head.record])
    meetings.put_candidates(conn, entity, system, [candidate], now)
    cursors.put_inbox(conn, entity, system, [candidate.native_key], "what it refers to is known now", now)
