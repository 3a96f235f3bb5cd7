"""The mappings against hand-written functions that do the same: the same records, hot, one after the other."""

import os
import sys
from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.home import ENTITY, SOURCE, TARGET
from l2c import registry
from l2c.config import Project, env_connection
from l2c.contract import System, utc_now
from l2c.mapping import Env, Mapper, read_mappers, write_mappers

SAMPLE = 200
"""Different records, a page of them; they are mapped again and again, as the page decoded last would be."""
TODAY = date(2026, 1, 15)
VARIANT = ".unit.write"  # the variant the sample passes
Map = Callable[[dict[str, Any]], Any]


def mapping_job(kind: str, records: int) -> Callable[[], dict[str, int]]:
    """The work of `mapped_read`, `hand_read`, `mapped_write` or `hand_write`; both results are compared first."""
    from benchmarks import hand_mapping

    project = Project.from_env(os.environ)
    reader = read_mappers(project, project.system(SOURCE), ENTITY)[0]
    writer = next(m for m in write_mappers(project, project.system(TARGET), ENTITY) if m.name.endswith(VARIANT))
    by, direction = kind.split("_")
    sample = _sample(project, reader)
    bare, env = Env(), Env(settings=project.system(TARGET).settings, today=TODAY)
    if direction == "write":
        sample = [reader.map(record, bare).data for record in sample]

    def mapped(record: dict[str, Any]) -> Any:
        return reader.map(record, bare) if direction == "read" else writer.map(record, env)

    def by_hand(record: dict[str, Any]) -> Any:
        return hand_mapping.read(record) if direction == "read" else hand_mapping.write(record, TODAY)

    differing = [record for record in sample if mapped(record).data != by_hand(record)]
    if differing:
        sys.exit(f"mapping and hand-written function differ: {mapped(differing[0]).data} {by_hand(differing[0])}")
    one: Map = (
        (_bound(reader, bare) if direction == "read" else _bound(writer, env))
        if by == "mapped"
        else (hand_mapping.read if direction == "read" else lambda record: hand_mapping.write(record, TODAY))
    )
    return lambda: _work(one, sample, records)


def _bound(mapper: Mapper, env: Env) -> Map:
    return lambda record: mapper.map(record, env)


def _work(one: Map, sample: list[dict[str, Any]], records: int) -> dict[str, int]:
    for _ in range(records // len(sample)):
        for record in sample:
            one(record)
    return {"mapped": records // len(sample) * len(sample)}


def _sample(project: Project, reader: Mapper) -> list[dict[str, Any]]:
    """A page of native records as the connector gives them."""
    config = project.system(SOURCE)
    system = System(
        name=SOURCE,
        connection=env_connection(config.connection, os.environ),
        profile=config.profile,
        time_zone=ZoneInfo(config.time_zone),
        clock=utc_now,
    )
    connector = registry.build(config.kind, system, config.settings)
    try:
        pages = connector.read(reader.native, since=None, page_size=SAMPLE, fields=reader.fields)
        return [record.data for record in next(iter(pages)).records]
    finally:
        connector.close()
