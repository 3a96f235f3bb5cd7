"""What fields and elements that several systems edit need to remember: whose edit stands, where an element was born."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from l2c.state.sql import upsert
from l2c.state.tables import element_origin, field_edit

Edits = dict[str, tuple[int, str]]
Births = dict[tuple[str, str], str]


def edits_of(conn: Connection, entity: str, records: Sequence[int]) -> dict[int, Edits]:
    """Of each record: the fields owned by `newest` that were edited, when, and in which system."""
    found: dict[int, Edits] = {}
    e = field_edit.c
    query = select(e.record, e.field, e.at, e.system).where(e.entity == entity, e.record.in_(records))
    for record, name, at, system in conn.execute(query):
        found.setdefault(record, {})[name] = (at, system)
    return found


def note_edits(conn: Connection, entity: str, system: str, edits: Mapping[int, tuple[Sequence[str], int]]) -> None:
    """Remember edits that stand: fields and time of each record."""
    rows = [
        {"entity": entity, "record": record, "field": name, "system": system, "at": at}
        for record, (names, at) in edits.items()
        for name in names
    ]
    upsert(conn, field_edit, rows)


def births_of(conn: Connection, entity: str, records: Sequence[int]) -> dict[int, Births]:
    """Of each record: elements born elsewhere than the record, by list path and key."""
    found: dict[int, Births] = {}
    o = element_origin.c
    query = select(o.record, o.path, o.element, o.system).where(o.entity == entity, o.record.in_(records))
    for record, path, element, system in conn.execute(query):
        found.setdefault(record, {})[path, element] = system
    return found


def note_births(conn: Connection, entity: str, system: str, born: Mapping[int, Sequence[tuple[str, str]]]) -> None:
    """Remember elements born in this system."""
    rows = [
        {"entity": entity, "record": record, "path": path, "element": str(key), "system": system}
        for record, places in born.items()
        for path, key in places
    ]
    upsert(conn, element_origin, rows)
