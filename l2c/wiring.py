"""Builds what a run works with: connectors, mappers in force, jobs. It reads configuration and decides nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection as Sql

from l2c import registry
from l2c.capture import WHOLE, CaptureJob, Merger, Owner, Owners, Rule, WatchJob
from l2c.config import FlowConfig, Project, SystemConfig
from l2c.contract import Connection, Connector, EntitySchema, System
from l2c.distribute import DistributeJob
from l2c.errors import ConfigError
from l2c.mapping import Env, Mapper, compile_condition, load_bundle, read_mappers, write_mappers
from l2c.policies import brake_of, budget_of, refuse_elements, retries_of, rules_of
from l2c.state import keys, references, versions
from l2c.state.gate import SystemGate
from l2c.state.results import CAPTURE, DISTRIBUTE
from l2c.state.store import Store


@dataclass(slots=True)
class Wiring:
    """One process's connectors, schemas and compiled mappings, each built once."""

    project: Project
    store: Store
    connections: Callable[[str], Connection]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    _gates: dict[str, SystemGate] = field(default_factory=dict)
    _connectors: dict[str, Connector] = field(default_factory=dict)
    _schemas: dict[tuple[str, str], EntitySchema] = field(default_factory=dict)
    _versions: dict[str, Mapper | None] = field(default_factory=dict)

    def system(self, name: str) -> SystemConfig:
        """A configured system, or a ConfigError naming those there are."""
        if name not in self.project.systems:
            known = ", ".join(sorted(self.project.systems))
            off = " (it is switched off there)" if name in self.project.disabled else ""
            raise ConfigError(f"config/systems.yaml has no system '{name}'{off}; known: {known}")
        return self.project.systems[name]

    def flow(self, entity: str, system: str, kind: str) -> FlowConfig:
        """The flow, if it reads (or, for kind `distribute`, writes) that system; else a ConfigError that names those it does."""
        flow = self.project.flow(entity)
        part, active = (
            (DISTRIBUTE, flow.active_distribute()) if kind == DISTRIBUTE else (CAPTURE, flow.active_capture())
        )
        if system not in active:
            self.system(system)
            known = ", ".join(sorted(active)) or "none"
            raise ConfigError(
                f"config/flows/{entity}.yaml: '{part}' does not name system '{system}'; it names: {known}"
            )
        return flow

    def connector(self, name: str) -> Connector:
        """The connector of a system, built on first use."""
        if name not in self._connectors:
            config = self.system(name)
            described = System(
                name=name,
                connection=self.connections(config.connection),
                profile=config.profile,
                time_zone=ZoneInfo(config.time_zone),
                allow_hosts=tuple(config.allow_hosts),
                ca_file=self.project.home / Path(config.ca_file) if config.ca_file else None,
                clock=self.clock,
                gate=self.gate(name),
            )
            self._connectors[name] = registry.build(config.kind, described, config.settings)
        return self._connectors[name]

    def gate(self, name: str) -> SystemGate:
        """What stands between this process and a system."""
        if name not in self._gates:
            self._gates[name] = SystemGate(self.store, name, rules_of(self.system(name)), self.sleep)
        return self._gates[name]

    def schema(self, system: str, native: str) -> EntitySchema:
        """A native entity's schema, asked for once."""
        if (system, native) not in self._schemas:
            self._schemas[system, native] = self.connector(system).describe(native)
        return self._schemas[system, native]

    def readers(self, entity: str, system: str) -> tuple[Mapper, ...]:
        """The read mappings of that system, one a variant."""
        return tuple(read_mappers(self.project, self.system(system), entity))

    def writers(self, entity: str, system: str) -> tuple[Mapper, ...]:
        """The newest write mappings of that system, one a variant."""
        return tuple(write_mappers(self.project, self.system(system), entity))

    def capture_jobs(
        self, flow: FlowConfig, system: str, *, run: int, kind: str, partition: str = WHOLE, allowed: int = 0
    ) -> list[CaptureJob]:
        """What a capture or sweep of that system works on: one job a read mapping."""
        config, shared = flow.active_capture()[system], len(flow.active_capture()) > 1
        first_load = not self.loaded(flow, system)
        refuse_elements(flow, system, *self.readers(flow.flow, system))
        return [
            CaptureJob(
                entity=flow.flow,
                system=system,
                run=run,
                kind=kind,
                partition=partition,
                connector=self.connector(system),
                mapper=self._fitting(mapper, system),
                env=self._read_env(system),
                merger=Merger(system, self._owners(flow), self._list_by(flow.flow)),
                page_size=config.page_size,
                max_record=config.max_record,
                shared=shared,
                written=system in flow.active_distribute(),
                rules=tuple(Rule(fields) for fields in flow.match) if shared else (),
                first_load=first_load,
                references=self._references(flow.flow),
                referrers=self.referrers(flow.flow),
                brake=brake_of(flow, allowed),
                budget=budget_of(flow),
            )
            for mapper in self.readers(flow.flow, system)
        ]

    def loaded(self, flow: FlowConfig, system: str) -> bool:
        """Whether the first load of that system is settled."""
        with self.store.reading() as conn:
            done = versions.in_force(conn, flow.flow, system)
        return all(mapper.name in done for mapper in self.readers(flow.flow, system))

    def watch_job(self, flow: FlowConfig, system: str, source: str, *, run: int, baseline: bool = False) -> WatchJob:
        """What a watch of one child set works on: of its fields those the mapping uses, its key and its parent."""
        schema = self.schema(system, source)
        if schema.parent is None:
            raise ConfigError(
                f"config/flows/{flow.flow}.yaml: watch '{source}': its records do not name their parent; sweep it instead",
                system=system,
                entity=flow.flow,
            )
        readers = self.readers(flow.flow, system)
        used = {path.rpartition(".")[2] for mapper in readers for path in mapper.fields}
        own = {path for path, one in schema.fields.items() if "." not in path and not one.many}
        return WatchJob(
            entity=flow.flow,
            system=system,
            run=run,
            source=source,
            parent=schema.parent,
            fields=frozenset((used & own) | {schema.parent}),
            connector=self.connector(system),
            baseline=baseline,
        )

    def distribute_job(self, flow: FlowConfig, system: str, *, run: int, allowed: int = 0) -> DistributeJob:
        """What a distribution works on, with the mapping versions in force."""
        config, settings = flow.active_distribute()[system], self.system(system)
        mappers = tuple(self._fitting(mapper, system) for mapper in self.in_force(flow.flow, system))
        for mapper in mappers:
            refuse_elements(flow, system, mapper, safe_by=self.schema(system, mapper.native).safe_by)
            if mapper.on_unknown != "ask" and self.schema(system, mapper.native).safe_by == "none":
                raise ConfigError(
                    f"mapping '{mapper.name}': a lost answer of {mapper.native} cannot be looked up in '{system}'; "
                    "write 'on_unknown: ask' into it: then somebody is asked whether a record arrived",
                    system=system,
                    entity=flow.flow,
                )
        return DistributeJob(
            entity=flow.flow,
            target=system,
            run=run,
            connector=self.connector(system),
            mappers=mappers,
            schemas={mapper.native: self.schema(system, mapper.native) for mapper in mappers},
            settings=settings.settings,
            time_zone=ZoneInfo(settings.time_zone),
            load_version=self.version,
            resolve=self._resolver(system),
            readers=self.readers(flow.flow, system) if system in flow.active_capture() else (),
            read_env=self._read_env(system),
            list_by=self._list_by(flow.flow),
            rules=tuple(Rule(fields) for fields in flow.match) if len(flow.active_capture()) > 1 else (),
            references=self._references(flow.flow),
            retries=retries_of(flow),
            brake=brake_of(flow, allowed),
            budget=budget_of(flow),
            block=config.block,
            page_size=config.page_size,
            writers=config.writers,
        )

    def in_force(self, entity: str, system: str) -> list[Mapper]:
        """The write mappings in force; one never used before is put in force, a changed one waits for `resend`."""
        newest = self.writers(entity, system)
        with self.store.reading() as conn:
            stored = versions.in_force(conn, entity, system)
        fresh = [mapper for mapper in newest if mapper.name not in stored]
        if fresh:
            with self.store.writing() as conn:
                self.remember(conn, fresh)
                versions.put_in_force(conn, entity, system, [(m.name, m.version) for m in fresh], self.store.now())
        return [m if stored.get(m.name, m.version) == m.version else self._old(m, stored[m.name]) for m in newest]

    def remember(self, conn: Sql, mappers: list[Mapper]) -> None:
        """Keep the texts of these versions."""
        for mapper in mappers:
            versions.remember(conn, mapper.version, mapper.name, mapper.bundle, self.store.now())

    def version(self, version: str) -> Mapper | None:
        """A mapping version compiled again from its kept text; None when the text is gone."""
        if version not in self._versions:
            with self.store.reading() as conn:
                bundle = versions.bundle_of(conn, version)
            self._versions[version] = load_bundle(bundle) if bundle is not None else None
        return self._versions[version]

    def close(self) -> None:
        """Close every connector that was built."""
        for connector in self._connectors.values():
            connector.close()
        self._connectors.clear()

    def _fitting(self, mapper: Mapper, system: str) -> Mapper:
        """The mapper checked against the system's live schema: a field that is gone stops the run before it reads."""
        schema = self.schema(system, mapper.native)
        key = ("fitting", id(mapper), id(schema))
        return self.project.memo(key, lambda: mapper.with_schema(schema), keep=(mapper, schema))

    def _old(self, newest: Mapper, version: str) -> Mapper:
        found = self.version(version)
        if found is None:
            raise ConfigError(
                f"mapping '{newest.name}': version {version} is in force, but its text is gone from the state store; "
                f"put the newest in force: l2c resend {newest.canonical} {newest.system_kind} --yes"
            )
        return found

    def _resolver(self, target: str) -> Callable[[str, str], str | None]:
        """From what a reference holds in canonical records to the native key in the target."""

        def resolve(reference: str, key: str) -> str | None:
            entity, _, path = reference.partition("/")
            with self.store.reading() as conn:
                number = references.record_of(conn, entity, path, key)
                return keys.key_of(conn, entity, target, path, number) if number is not None else None

        return resolve

    def _read_env(self, system: str) -> Env:
        """What a read mapping may know: settings, and what references to other records become."""

        def resolve(reference: str, key: str) -> str:
            entity, _, path = reference.partition("/")
            with self.store.reading() as conn:
                return references.canonical(conn, entity, system, path, key)

        return Env(settings=self.system(system).settings, resolve=resolve)

    def awaited(self, flow: FlowConfig, system: str) -> list[FlowConfig]:
        """The flows of records this one refers to that are captured from the same system; not those that refer back."""
        wanted = {reference.partition("/")[0] for reference in self._references(flow.flow).values()} - {flow.flow}
        flows = [self.project.flow(name) for name in sorted(wanted) if name in self.project.flow_names]
        return [one for one in flows if system in one.active_capture() and one.flow not in self.referrers(flow.flow)]

    def _references(self, entity: str) -> Mapping[str, str]:
        """Of each field that refers to other records, to which."""
        return {path: one.to for path, one in self.project.entity(entity).paths.items() if one.to is not None}

    def referrers(self, entity: str) -> Mapping[str, Sequence[str]]:
        """Of each entity whose flow refers to this one, the systems it is captured from."""
        found: dict[str, Sequence[str]] = {}
        for name in self.project.flow_names:
            try:
                flow, references = self.project.flow(name), self._references(name)
            except ConfigError:  # told by its own runs
                continue
            if name != entity and entity in {reference.partition("/")[0] for reference in references.values()}:
                found[name] = tuple(flow.active_capture())
        return found

    def _owners(self, flow: FlowConfig) -> Owners:
        entity = self.project.entity(flow.flow)
        return Owners(
            {
                path: [
                    Owner(one.system, compile_condition(entity, one.when) if one.when is not None else None)
                    for one in choices
                ]
                for path, choices in flow.owners.items()
            }
        )

    def _list_by(self, entity: str) -> Mapping[str, str]:
        """Of each list whose elements have a key: the field that is it."""
        return {path: one.list_by for path, one in self.project.entity(entity).paths.items() if one.list_by}
