"""Retention: what may go by age, and what must stay."""

from sqlalchemy import Connection, and_, delete, exists, or_, select

from l2c.state import cursors, messages, sending
from l2c.state.tables import distribution, journal, record, run


def purge(conn: Connection, before: int) -> dict[str, int]:
    """Delete journal entries, runs and messages done with, older than `before`; every head and whatever a target got last stay."""
    j, r, d = journal.c, record.c, distribution.c
    is_head = exists(select(r.record).where(and_(r.entity == j.entity, r.record == j.record, r.head_seq == j.seq)))
    is_held = exists(select(d.record).where(and_(d.entity == j.entity, d.record == j.record, d.written_seq == j.seq)))
    in_doubt = exists(  # of a write that may have arrived: everything that may have been sent
        select(d.record).where(
            d.entity == j.entity,
            d.record == j.record,
            d.hash == sending.UNSURE,
            d.seq >= j.seq,
            or_(d.written_seq.is_(None), d.written_seq < j.seq),
        )
    )
    entries = conn.execute(delete(journal).where(j.at < before, ~is_head, ~is_held, ~in_doubt)).rowcount
    cursors.drop_old(conn, sending.REPLACED, before)
    done = conn.execute(delete(run).where(run.c.started < before, run.c.status != "running")).rowcount
    return {"journal": entries, "runs": done, "messages": messages.purge(conn, before)}
