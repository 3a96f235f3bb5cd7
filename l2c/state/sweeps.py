"""What sweeps have seen, and the hashes by which watches notice changed children."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, delete, exists, literal, select

from l2c.state.sql import insert_missing, upsert
from l2c.state.tables import inbox, key_mapping, record, sweep_key, view, watched


def seen(conn: Connection, run: int, keys: Sequence[str]) -> None:
    """Note the keys a sweep has read."""
    insert_missing(conn, sweep_key, [{"run": run, "native_key": key} for key in dict.fromkeys(keys)])


def ask_for_unseen(conn: Connection, entity: str, system: str, run: int, *, begun: int, now: int) -> int:
    """Put keys the sweep has not seen into the inbox, to be fetched before anyone believes they are gone.

    Records already deleted, and those read since the sweep began, are left out.
    """
    k, r, v, s = key_mapping.c, record.c, view.c, sweep_key.c
    waiting = exists().where(inbox.c.entity == k.entity, inbox.c.system == k.system, inbox.c.native_key == k.native_key)
    query = (
        select(k.entity, k.system, k.native_key, literal("not seen by the sweep"), literal(now))
        .select_from(
            key_mapping.join(record, and_(r.entity == k.entity, r.record == k.record)).join(
                view, and_(v.entity == k.entity, v.record == k.record, v.system == k.system)
            )
        )
        .where(
            k.entity == entity,
            k.system == system,
            k.path == "",
            r.deleted.is_(False),
            v.read_at < begun,
            ~exists().where(s.run == run, s.native_key == k.native_key),
            ~waiting,
        )
    )
    return conn.execute(
        inbox.insert().from_select(["entity", "system", "native_key", "reason", "received"], query)
    ).rowcount


def forget(conn: Connection, run: int) -> None:
    """Drop what a finished sweep has seen."""
    conn.execute(delete(sweep_key).where(sweep_key.c.run == run))


def has_baseline(conn: Connection, entity: str, system: str, source: str) -> bool:
    """Whether a watch of that child set has run before."""
    w = watched.c
    query = select(w.native_key).where(w.entity == entity, w.system == system, w.source == source).limit(1)
    return conn.execute(query).first() is not None


def hashes(conn: Connection, entity: str, system: str, source: str, keys: Sequence[str]) -> dict[str, bytes]:
    """The stored hash of each child, by its key."""
    w = watched.c
    query = select(w.native_key, w.hash).where(
        w.entity == entity, w.system == system, w.source == source, w.native_key.in_(keys)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def set_hashes(
    conn: Connection, entity: str, system: str, source: str, children: Iterable[tuple[str, str, bytes]]
) -> None:
    """Store (key, parent's key, hash) of children."""
    upsert(
        conn,
        watched,
        [
            {
                "entity": entity,
                "system": system,
                "source": source,
                "native_key": key,
                "parent_key": parent,
                "hash": value,
            }
            for key, parent, value in children
        ],
    )


def drop_vanished(conn: Connection, entity: str, system: str, source: str, run: int) -> list[str]:
    """Forget children the run has not seen; their parents' keys."""
    w, s = watched.c, sweep_key.c
    gone = (
        w.entity == entity,
        w.system == system,
        w.source == source,
        ~exists().where(s.run == run, s.native_key == w.native_key),
    )
    parents = list(conn.execute(select(w.parent_key).where(*gone).distinct()).scalars())
    if parents:
        conn.execute(delete(watched).where(*gone))
    return parents
