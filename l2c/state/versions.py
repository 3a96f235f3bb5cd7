"""Versions of mappings: every text that was ever used, and which one is in force for a target."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from l2c.state.sql import insert_missing, upsert
from l2c.state.tables import mapping_in_force, mapping_version


def remember(conn: Connection, version: str, name: str, bundle: str, now: int) -> None:
    """Keep the text of a version; journal and distribution rows name it."""
    insert_missing(conn, mapping_version, [{"version": version, "name": name, "bundle": bundle, "created": now}])


def bundle_of(conn: Connection, version: str) -> str | None:
    """The text of a version."""
    return conn.execute(select(mapping_version.c.bundle).where(mapping_version.c.version == version)).scalar()


def in_force(conn: Connection, entity: str, system: str) -> dict[str, str]:
    """The versions in force for that system, by mapping name."""
    m = mapping_in_force.c
    query = select(m.mapping, m.version).where(m.entity == entity, m.system == system)
    return {row[0]: row[1] for row in conn.execute(query)}


def put_in_force(conn: Connection, entity: str, system: str, mappings: Sequence[tuple[str, str]], now: int) -> None:
    """Put (mapping, version) pairs in force."""
    rows = [
        {"entity": entity, "system": system, "mapping": name, "version": version, "since": now}
        for name, version in mappings
    ]
    upsert(conn, mapping_in_force, rows)
