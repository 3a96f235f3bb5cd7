"""One system as a reconciliation sees it: how it is read, what is captured from it, what it is given, what is its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from l2c.capture import Owner, Owners
from l2c.config import EntityConfig, FlowConfig
from l2c.contract import Connector
from l2c.errors import ConfigError
from l2c.mapping import Env, Mapper, compile_condition
from l2c.reconcile.shape import Shape, shape_of
from l2c.state import cursors, versions
from l2c.state.results import CAPTURE
from l2c.state.store import Store
from l2c.wiring import Wiring

Given = Callable[[str, Mapping[str, Any]], bool]
PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Side:
    """`readers`: read mappings by native entity, empty where the flow does not capture it; `writers`: write mappings in force.

    `given`: whether a canonical field is the system's own. `lists`: canonical list paths with the key of their elements.
    """

    entity: str
    system: str
    connector: Connector
    readers: Mapping[str, Mapper]
    writers: tuple[Mapper, ...]
    given: Given
    lists: Mapping[str, tuple[str, ...]]
    reading: Env
    writing: Env
    page_size: int
    earlier: Mapping[str, Mapper] = field(default_factory=dict)  # read mappings in force, where the newest is not yet

    @property
    def natives(self) -> tuple[str, ...]:
        """The native entities its records stand in."""
        return tuple(dict.fromkeys([*self.readers, *(mapper.native for mapper in self.writers)]))

    def fields(self, native: str) -> frozenset[str]:
        """The native paths any of its mappings knows."""
        read = self.readers[native].fields if native in self.readers else frozenset()
        made = [mapper.targets for mapper in self.writers if mapper.native == native]
        return frozenset().union(read, *made)


def sides_of(wiring: Wiring, flow: FlowConfig, system: str | None) -> list[Side]:
    """The systems of a flow, sources first; only the one named, if any. Raises ConfigError for one the flow does not name."""
    names = list(dict.fromkeys([*flow.active_capture(), *flow.active_distribute()]))
    if system is not None:
        wiring.system(system)
        if system not in names:
            known = ", ".join(names) or "none"
            raise ConfigError(f"config/flows/{flow.flow}.yaml does not name system '{system}'; it names: {known}")
        names = [system]
    return [_side(wiring, flow, name) for name in names]


def shapes_of(side: Side) -> dict[str, Shape]:
    """The shape of each write mapping, by its name."""
    return {mapper.name: shape_of(mapper) for mapper in side.writers}


def _side(wiring: Wiring, flow: FlowConfig, system: str) -> Side:
    readers, reading, size = _readers(wiring, flow, system)
    writers: tuple[Mapper, ...] = ()
    writing = reading
    if system in flow.active_distribute():
        job = wiring.distribute_job(flow, system, run=0)
        writers = job.mappers
        today = wiring.clock().astimezone(job.time_zone).date()
        writing = Env(settings=job.settings, today=today, resolve=job.resolve)
    entity = wiring.project.entity(flow.flow)
    return Side(
        entity=flow.flow,
        system=system,
        connector=wiring.connector(system),
        readers=readers,
        writers=writers,
        given=given_to(flow, entity, system),
        lists={path: (one.list_by,) for path, one in entity.paths.items() if one.list_by},
        reading=reading,
        writing=writing,
        page_size=size,
        earlier=_earlier(wiring, flow.flow, system, readers),
    )


def _readers(wiring: Wiring, flow: FlowConfig, system: str) -> tuple[dict[str, Mapper], Env, int]:
    """The read mappings of a system by native entity, what they may know, and the size of a page; none where it is not captured."""
    if system not in flow.active_capture():
        return {}, Env(settings=wiring.system(system).settings), PAGE_SIZE
    jobs = wiring.capture_jobs(flow, system, run=0, kind=CAPTURE)
    return {job.mapper.native: job.mapper for job in jobs}, jobs[0].env, jobs[0].page_size


def _earlier(wiring: Wiring, entity: str, system: str, readers: Mapping[str, Mapper]) -> dict[str, Mapper]:
    """By native entity the read mapping all records were read under, where a newer one was laid down since."""
    found: dict[str, Mapper] = {}
    with wiring.store.reading() as conn:
        stored = versions.in_force(conn, entity, system)
    for native, newest in readers.items():
        version = stored.get(newest.name, newest.version)
        mapper = wiring.version(version) if version != newest.version else None
        if mapper is not None:
            found[native] = mapper
    return found


def moving(store: Store, side: Side) -> dict[str, frozenset[str] | None]:
    """By native entity the keys its next capture will read; None where nothing was ever captured, so that it will read all."""
    found: dict[str, frozenset[str] | None] = {}
    for native, mapper in side.readers.items():
        with store.reading() as conn:
            since = cursors.get_cursor(conn, side.entity, side.system, CAPTURE, mapper.variant)
        if since is None:
            found[native] = None
            continue
        pages = side.connector.read(native, since=since, page_size=side.page_size)
        found[native] = frozenset(record.key for page in pages for record in page.records)
    return found


def given_to(flow: FlowConfig, entity: EntityConfig, system: str) -> Given:
    """Whether the owners' rules give a canonical field to that system alone; the nearest rule above a field counts."""
    owners = Owners(
        {
            path: [Owner(one.system, compile_condition(entity, one.when) if one.when else None) for one in choices]
            for path, choices in flow.owners.items()
        }
    )
    return lambda path, record: owners.of(path, record) == system


def all_given(side: Side, shape: Shape, fields: Sequence[str], record: Mapping[str, Any]) -> bool:
    """Whether every one of these native fields is made only of canonical fields that are the system's own."""
    made = [shape.sources.get(path) for path in fields]
    return bool(fields) and all(used and all(side.given(path, record) for path in used) for used in made)
