"""Mappers: a compiled mapping file, and what goes into and comes out of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from l2c.config import Action, Block, EntityConfig, MappingConfig, Mark, Project, Row, SafeBy, SystemConfig, ValueMapConfig
from l2c.config.model import parse
from l2c.contract import EntitySchema
from l2c.errors import ConfigError
from l2c.mapping.compiler import Builder, Sources
from l2c.mapping.link import Compiled, link
from l2c.mapping.rules import Many, Part, Table

_SURPRISES = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError)
VERSION_LENGTH = 16


def _unresolved(path: str, key: str) -> str | None:
    raise ConfigError(f"reference '{path}' cannot be resolved here: no key mapping was given")


@dataclass(frozen=True, slots=True)
class Env:
    """What a mapping may know beside the record. Read mappings have no clock: `today` None."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    today: date | None = None
    was: Mapping[str, Any] | None = None  # canonical: what this target last got
    seen: Mapping[str, Any] | None = None  # canonical: its view
    resolve: Callable[[str, str], str | None] = _unresolved  # (reference path, key) → key on the other side


@dataclass(slots=True)
class Mapped:
    """What became of one record.

    `key`: read: its native key; write: the native key at birth ('' where the target gives it). `data`: in fixed key order;
    what the source lacks is absent, what is empty is None. `passes`: write: the `when` at the head held. `due_again`: write: the
    day the result changes next because of today().
    """

    key: str
    data: dict[str, Any]
    other_keys: Mapping[str, str]
    passes: bool = True
    due_again: date | None = None


@dataclass(frozen=True, slots=True)
class Mapper:
    """One compiled mapping file.

    `fields`: dotted source paths it uses; `targets`: dotted target paths it makes, lists without index. `version`: hash of what
    the mapping does (comments and layout apart); `bundle`: text from which `load_bundle` makes the same mapper again.
    `list_by`: list path → field that tells its elements apart (canonical side).
    """

    config: MappingConfig
    file: str
    version: str
    bundle: str
    fields: frozenset[str]
    targets: frozenset[str]
    list_by: Mapping[str, str]
    personal: frozenset[str]
    sources: Sources = field(repr=False)
    compiled: Compiled = field(repr=False)

    @property
    def name(self) -> str:
        """Its name, `commerce.business_partner.unit.write`."""
        return self.config.mapping

    @property
    def direction(self) -> Literal["read", "write"]:
        """Whether it reads a system or writes one."""
        return self.config.direction

    @property
    def system_kind(self) -> str:
        """The kind of system it speaks of."""
        return self.config.kind

    @property
    def native(self) -> str:
        """The native entity."""
        return self.config.native

    @property
    def canonical(self) -> str:
        """The canonical entity."""
        return self.config.entity

    @property
    def variant(self) -> str:
        """The variant of a write mapping, '' if it has none."""
        return self.config.variant

    @property
    def leave(self) -> Literal["block", "delete", "keep"] | None:
        """What happens to a native record that no longer passes."""
        return self.config.leave

    @property
    def children(self) -> Literal["ours", "all", "add"]:
        """Which list elements missing from the record are removed."""
        return self.config.children

    @property
    def safe_by(self) -> SafeBy | None:
        """How a repeated create is recognised."""
        return self.config.safe_by

    @property
    def on_unknown(self) -> Literal["lookup", "ask"]:
        """What is done after a lost answer."""
        return self.config.on_unknown

    @property
    def actions(self) -> tuple[Action, ...]:
        """What else the target is asked to do."""
        return self.config.actions

    @property
    def uses_clock(self) -> bool:
        """Whether the result depends on the day."""
        return self.compiled.clock

    def map(self, record: Mapping[str, Any], env: Env) -> Mapped:
        """The record on the other side.

        Raises RecordRejected with every mistake of the record, or ReferenceMissing when only references are open.
        """
        try:
            mapped = self.compiled.fast(record, env)
        except _SURPRISES:
            mapped = None
        return self.compiled.careful(record, env) if mapped is None else mapped

    def leave_data(self, record: Mapping[str, Any], env: Env) -> dict[str, Any]:  # noqa: ARG002 - constants today
        """The native fields that block a record which no longer passes (`leave: block`), nested as `map` nests them."""
        data: dict[str, Any] = {}
        for path, value in self.config.blocked.items():
            *outer, last = path.split(".")
            level = data
            for step in outer:
                level = level.setdefault(step, {})
            level[last] = value
        return data

    def with_schema(self, native: EntitySchema) -> "Mapper":
        """The same mapping, checked against the native entity: names and types now, lengths record by record.

        Raises ConfigError with every mistake.
        """
        return replace(_build(replace(self.sources, native=native), self.file), version=self.version, bundle=self.bundle)


def read_mapper(project: Project, system: SystemConfig, entity: str) -> Mapper:
    """The read mapping of an entity for a system; raises ConfigError with every mistake of the file."""
    name = f"{entity}.read.yaml"
    found = [rel for rel in project.mapping_files(system, entity) if rel.endswith(f"/{name}")]
    if not found:
        raise ConfigError(f"mappings/{system.kind}/{name}: there is no such file", system=system.name, entity=entity)
    return load_mapper(project, found[0])


def write_mappers(project: Project, system: SystemConfig, entity: str) -> list[Mapper]:
    """The write mappings of an entity for a system, every variant, sorted by name; raises ConfigError with every mistake."""
    files = [rel for rel in project.mapping_files(system, entity) if rel.endswith(".write.yaml")]
    if not files:
        rel = f"mappings/{system.kind}/{entity}.write.yaml"
        raise ConfigError(f"{rel}: there is no such file", system=system.name, entity=entity)
    mistakes: list[str] = []
    mappers: list[Mapper] = []
    for rel in files:
        try:
            mappers.append(load_mapper(project, rel))
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes, system=system.name, entity=entity)
    return sorted(mappers, key=lambda mapper: mapper.name)


def load_mapper(project: Project, rel: str) -> Mapper:
    """The mapper of one file under the home folder; raises ConfigError with every mistake."""
    config = project.mapping(rel)
    entity = project.entity(config.entity)
    mistakes: list[str] = []
    tables = {name: Table(name, dict(values), file=rel) for name, values in config.value_maps.items()}
    for name in sorted(_named_maps(config) - tables.keys()):
        try:
            tables[name] = _shared(project.value_map(name))
        except ConfigError as error:
            mistakes += [] if "unknown value map" in error.message else error.mistakes
    if mistakes:
        raise ConfigError(mistakes, entity=config.entity)
    block = project.block(rel)
    key = ("mapper", id(block), id(entity), *(id(project.value_map(n)) for n in sorted(tables) if n not in config.value_maps))
    sources = Sources(config, block, entity, tables)
    return project.memo(key, lambda: _build(sources, rel), keep=(block, entity))


def load_bundle(bundle: str) -> Mapper:
    """The mapper of an earlier version, from its bundle text."""
    data = json.loads(bundle)
    name = data["mapping"]["mapping"]
    rel = f"mappings/{name.partition('.')[0]}/{name.partition('.')[2]}.yaml"
    block = _block(data["mapping"], Mark(rel))
    config = parse(MappingConfig, block)
    entity = parse(EntityConfig, _block(data["entity"], Mark(f"mappings/canonical/{config.entity}.yaml")))
    tables = {n: Table(n, dict(values), file=rel) for n, values in config.value_maps.items()}
    for n, shared in data["value_maps"].items():
        tables[n] = _shared(parse(ValueMapConfig, _block({"value_map": n, **shared}, Mark(rel))))
    made = _build(Sources(config, block, entity, tables), rel)
    return replace(made, bundle=bundle, version=version_of(bundle))


def version_of(bundle: str) -> str:
    """The version of a bundle: 16 hex digits."""
    return hashlib.sha256(bundle.encode()).hexdigest()[:VERSION_LENGTH]


def _shared(config: ValueMapConfig) -> Table:
    file = f"mappings/value_maps/{config.value_map}.yaml"
    return Table(config.value_map, dict(config.values), config.unmapped == "keep", file)


def _named_maps(config: MappingConfig) -> set[str]:
    """Every word that may name a value map: in `value_map:` keys and in calls of in_map."""
    words: set[str] = set()
    rules = list(config.fields.values())
    while rules:
        rule = rules.pop()
        words.update({rule.value_map} if rule.value_map else ())
        for text in (rule.expr, rule.when):
            words.update(_in_map_names(text))
        rules += [*(rule.fields or {}).values(), *([rule.element] if rule.element else [])]
    words.update(_in_map_names(config.when))
    return words


def _in_map_names(text: str | None) -> Iterator[str]:
    for piece in (text or "").split("in_map(")[1:]:
        quote = piece.strip()[:1]
        if quote in ("'", '"'):
            yield piece.strip()[1:].partition(quote)[0]


def _build(sources: Sources, rel: str) -> Mapper:
    builder = Builder(sources)
    plan = builder.plan()
    if builder.mistakes:
        raise ConfigError(builder.mistakes, entity=sources.config.entity)
    used = builder.unit.paths
    fields = frozenset(p for p in used if not any(q.startswith(p + ".") for q in used))
    bundle = _bundle(sources, builder, used)
    return Mapper(
        config=sources.config,
        file=rel,
        version=version_of(bundle),
        bundle=bundle,
        fields=fields,
        targets=frozenset(builder.targets),
        list_by=dict(_lists(plan.parts)),
        personal=frozenset(leaf.path for leaf in builder.leaves if builder.reasons[leaf.number].personal),
        sources=sources,
        compiled=link(plan, builder, Mapped),
    )


def _lists(parts: list[Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(part, Many):
            if part.list_by:
                yield part.path, part.list_by
            yield from _lists(part.parts)


def _bundle(sources: Sources, builder: Builder, used: set[str]) -> str:
    """What the mapping does, as text: the file, the entity's fields it touches, the value maps it uses; no comments."""
    touched = builder.targets if sources.config.direction == "read" else used
    tables = {
        name: {"values": table.values, **({"unmapped": "keep"} if table.keep else {})}
        for name, table in sorted(builder.used_tables.items())
        if name not in sources.config.value_maps
    }
    mapping = {k: v for k, v in _plain(sources.block).items() if k != "description"}
    dumped = sources.entity.model_dump(mode="json", by_alias=True, exclude_unset=True)
    entity = {"entity": sources.entity.entity, "fields": _prune(dumped["fields"], touched, "")}
    return json.dumps({"mapping": mapping, "entity": entity, "value_maps": tables}, ensure_ascii=False, separators=(",", ":"))


def _prune(fields: dict[str, Any], touched: set[str], above: str) -> dict[str, Any]:
    """The touched fields of an entity, without descriptions."""
    kept: dict[str, Any] = {}
    for name, config in fields.items():
        path = above + name
        if path not in touched and not any(t.startswith(path + ".") for t in touched):
            continue
        entry = {k: v for k, v in config.items() if k not in ("description", "purpose")}
        if "fields" in entry:
            inner = {*touched, *([f"{path}.{entry['list_by']}"] if entry.get("list_by") else [])}
            entry["fields"] = _prune(entry["fields"], inner, path + ".")
        kept[name] = entry
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _block(value: Any, mark: Mark) -> Any:
    """Plain data as if it had been loaded from a file, all of it at one place."""
    if isinstance(value, dict):
        block = Block(mark)
        for key, inner in value.items():
            block.put(key, _block(inner, mark), mark, mark)
        return block
    if isinstance(value, list):
        row = Row(mark)
        row.extend(_block(inner, mark) for inner in value)
        row.values_at.extend([mark] * len(value))
        return row
    return value
