"""Finds the mapping files of a system and makes mappers of them."""

from collections.abc import Iterator
from dataclasses import replace

from l2c.config import MappingConfig, Project, SystemConfig, ValueMapConfig
from l2c.config.problems import in_order
from l2c.errors import ConfigError
from l2c.mapping.bundle import shared_table, sources_of, version_of
from l2c.mapping.mapper import Mapper, build
from l2c.mapping.rules import Table
from l2c.mapping.sources import Sources


def read_mappers(project: Project, system: SystemConfig, entity: str) -> list[Mapper]:
    """The read mappings of an entity for a system, every variant, sorted by name; raises ConfigError with every mistake."""
    return _mappers(project, system, entity, "read")


def write_mappers(project: Project, system: SystemConfig, entity: str) -> list[Mapper]:
    """The write mappings of an entity for a system, every variant, sorted by name; raises ConfigError with every mistake."""
    return _mappers(project, system, entity, "write")


def _mappers(project: Project, system: SystemConfig, entity: str, direction: str) -> list[Mapper]:
    files = [rel for rel in project.mapping_files(system, entity) if rel.endswith(f".{direction}.yaml")]
    if not files:
        rel = f"mappings/{system.kind}/{entity}.{direction}.yaml"
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
    config, mistakes, skipped = project.mapping(rel)
    entity = project.entity(config.entity)
    tables, shared = _tables(project, config, rel)
    block = project.block(rel)
    sources = Sources(config, block, entity, tables, skipped=skipped)
    try:
        key = ("mapper", id(block), id(entity), *(id(one) for one in shared))
        mapper = project.memo(key, lambda: build(sources, rel), keep=(block, entity, shared))
    except ConfigError as error:
        raise ConfigError(in_order([*mistakes, *error.mistakes]), entity=config.entity) from None
    if mistakes:
        raise ConfigError(mistakes, entity=config.entity)
    return mapper


def _tables(project: Project, config: MappingConfig, rel: str) -> tuple[dict[str, Table], list[ValueMapConfig]]:
    """The value maps a file may name, its own first, and the shared ones as they were read."""
    tables = {name: Table(name, dict(values), file=rel) for name, values in config.value_maps.items()}
    shared: list[ValueMapConfig] = []
    known = project.value_map_names
    for name in sorted(_named_maps(config) - tables.keys()):
        if name in known:  # an unknown one is told at the rule that names it
            shared.append(project.value_map(name))
            tables[name] = shared_table(shared[-1])
    return tables, shared


def load_bundle(bundle: str) -> Mapper:
    """The mapper of an earlier version, from its bundle text."""
    sources, file = sources_of(bundle)
    return replace(build(sources, file), bundle=bundle, version=version_of(bundle))


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
