"""Mappings that make a native record of each element: their keys are kept by element, under a path of the mapping's own."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from l2c.distribute.deciding import Write
from l2c.distribute.job import DistributeJob
from l2c.mapping import Mapper
from l2c.state import keys
from l2c.state.distributions import ELEMENT, Settled
from l2c.state.store import Store

Place = tuple[int, str]


def path_of(mapper: Mapper) -> str:
    """Where the keys of its native records stand in the key mapping."""
    return f"{ELEMENT}{mapper.name}"


def keys_of(conn: Connection, job: DistributeJob, records: Sequence[int]) -> dict[Place, str]:
    """The native key of each element of these records, by place."""
    found: dict[Place, str] = {}
    for mapper in job.mappers:
        if mapper.lists:
            under = keys.elements_under(conn, job.entity, job.target, path_of(mapper), records)
            for record, own in under.items():
                found.update({(record, f"{mapper.kept_as}{element}"): key for element, key in own.items()})
    return found


def written_once(job: DistributeJob, states: Mapping[Place, Settled]) -> dict[Place, list[str]]:
    """Of each record and mapping the elements that have a state."""
    found: dict[Place, list[str]] = {}
    if any(mapper.lists for mapper in job.mappers):
        for record, mapping in states:
            name, mark, element = mapping.partition(ELEMENT)
            if mark:
                found.setdefault((record, name), []).append(element)
    return found


def taken(store: Store, job: DistributeJob, writes: Sequence[Write]) -> tuple[list[Write], list[Settled]]:
    """Creates of elements whose key another element has already must not be written over it."""
    refused: dict[int, Settled] = {}
    for mapper in job.mappers:
        given = [write for write in writes if write.gives_key and write.mapper is mapper and mapper.lists]
        if not given:
            continue
        with store.reading() as conn:
            wanted = [write.change.record.key for write in given]
            owners = keys.element_owners(conn, job.entity, job.target, path_of(mapper), wanted)
        for write in given:
            key, own = write.change.record.key, (write.head.record, write.element)
            record, element = owners.setdefault(key, own)
            if (record, element) != own:
                text = (
                    f"{mapper.config.key}: '{job.target}' has '{key}' for element '{element}' of record #{record} already; "
                    f"let 'key' tell the elements apart [{mapper.file}]"
                )
                refused[id(write)] = write.settled("dead_letter", code="key_taken", message=text, due_at=None)
    return [write for write in writes if id(write) not in refused], list(refused.values())
