"""The static check behind `l2c lint`: files alone, or files against the schemas the systems show now."""

from collections.abc import Callable, Iterator

from l2c.config import Finding, FlowConfig, Mark, Project, SystemConfig, finding, findings_of
from l2c.config.model import place_of
from l2c.contract import EntitySchema, FieldSchema
from l2c.errors import ConfigError
from l2c.mapping.conditions import compile_condition
from l2c.mapping.loading import load_mapper
from l2c.mapping.mapper import Mapper
from l2c.mapping.owners import meeting_findings, owner_findings
from l2c.mapping.rules import Leaf

NOT_CARRIED_OUT = ("history", "keep", "absent", "priority", "keep_native", "filter")
Schemas = Callable[[str, str], EntitySchema]  # (system, native entity) → its schema


def check_flow(project: Project, name: str, schemas: Schemas | None = None) -> list[Finding]:
    """Everything wrong with a flow, its conditions and the mappings it uses; with `schemas` against the live systems too.

    A system that cannot be asked raises what its connector raises.
    """
    try:
        flow = project.flow(name)
        systems = project.systems
    except ConfigError as error:
        return findings_of(error.mistakes)
    found = [
        *_not_carried_out(project, flow),
        *_conditions(project, flow),
        *owner_findings(project, flow),
        *meeting_findings(project, flow),
    ]
    for part, active in (("capture", flow.active_capture()), ("distribute", flow.active_distribute())):
        for system in active:
            direction = "read" if part == "capture" else "write"
            found += _mappings(project, flow, systems[system], direction, schemas)
    if schemas is not None:
        found += _watches(project, flow, schemas)
    return sorted(set(found), key=lambda one: (one.file, one.line, one.column, one.text))


def check_mapping(mapper: Mapper, native: EntitySchema | None = None) -> list[Finding]:
    """What is wrong with a compiled mapping, or may go wrong: against the native schema where one is given."""
    found = list(_tables(mapper))
    if mapper.actions:
        mark = place_of(mapper.sources.block, ("actions",))
        found.append(finding(mark, "'actions' are checked, but not carried out yet", "warning"))
    if native is None:
        return found
    try:
        mapper = mapper.with_schema(native)
    except ConfigError as error:
        return [*found, *findings_of(error.mistakes)]
    if mapper.direction == "read":
        return [*found, *_read_lengths(mapper)]
    return [*found, *_written(mapper), *_safety(mapper, native)]


def _mappings(
    project: Project, flow: FlowConfig, system: SystemConfig, direction: str, schemas: Schemas | None
) -> Iterator[Finding]:
    files = [rel for rel in project.mapping_files(system, flow.flow) if rel.endswith(f".{direction}.yaml")]
    if not files:
        part = "capture" if direction == "read" else "distribute"
        mark = place_of(project.flow_block(flow.flow), (part, system.name))
        yield finding(
            mark, f"there is no mappings/{system.kind}/{flow.flow}.{direction}.yaml for system '{system.name}'"
        )
    for rel in files:
        try:
            mapper = load_mapper(project, rel)
            schema = schemas(system.name, mapper.native) if schemas is not None else None
        except ConfigError as error:
            yield from findings_of(error.mistakes)
            continue
        yield from check_mapping(mapper, schema)
        if problem := elements_problem(flow, system.name, mapper, schema.safe_by if schema is not None else "key"):
            yield finding(place_of(mapper.sources.block, ("for_each",)), problem)
        yield from _references(project, mapper)


def _not_carried_out(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """Keys that are understood, but change nothing yet: better said than silently ignored."""
    block = project.flow_block(flow.flow)
    for key in NOT_CARRIED_OUT:
        if getattr(flow, key) != FlowConfig.model_fields[key].default:
            yield finding(place_of(block, (key,)), f"'{key}' is checked, but not carried out yet", "warning")


def _conditions(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """The flow's filter and the conditions of its owners."""
    block, entity = project.flow_block(flow.flow), project.entity(flow.flow)
    texts: list[tuple[str, Mark]] = []
    if flow.filter is not None:
        texts.append((flow.filter, place_of(block, ("filter",))))
    for name, choices in flow.owners.items():
        for number, choice in enumerate(choices):
            if choice.when is not None:
                texts.append((choice.when, place_of(block, ("owners", name, number, choice.system))))
    for text, mark in texts:
        try:
            compile_condition(entity, text, mark)
        except ConfigError as error:
            yield from findings_of(error.mistakes)


def _watches(project: Project, flow: FlowConfig, schemas: Schemas) -> Iterator[Finding]:
    """Watched sets exist and name their parent."""
    for system, capture in flow.active_capture().items():
        for source in capture.watch:
            mark = place_of(project.flow_block(flow.flow), ("capture", system, "watch", source))
            try:
                schema = schemas(system, source)
            except ConfigError as error:
                yield finding(mark, f"watch '{source}': {error.message}")
                continue
            if schema.parent is None:
                yield finding(mark, f"watch '{source}': its records do not name their parent; sweep it instead")


def _references(project: Project, mapper: Mapper) -> Iterator[Finding]:
    for leaf in mapper.leaves:
        if leaf.reference is None:
            continue
        try:
            project.entity(leaf.reference.partition("/")[0].partition(".")[0])
        except ConfigError as error:
            yield finding(leaf.mark, f"reference '{leaf.reference}': {error.message}")


def elements_problem(flow: FlowConfig, system: str, mapper: Mapper, safe_by: str) -> str:
    """Why a mapping that makes a record of each element cannot be used there, '' if it can."""
    if not mapper.lists:
        return ""
    if system in flow.active_capture() and system in flow.active_distribute():
        return (
            f"'for_each' at the head of a file needs a one-way flow, but this one reads and writes '{system}'; "
            "use a list of the record instead"
        )
    if mapper.direction == "write" and safe_by != "key":
        return (
            f"'for_each' at the head of a file needs a target with keys of ours, but {mapper.config.to} gives its own; "
            "use a list of the record instead"
        )
    return ""


def _tables(mapper: Mapper) -> Iterator[Finding]:
    """Canonical codes without an entry in the value map that translates them."""
    for leaf in mapper.leaves:
        config = leaf.made.info.config
        if leaf.table is None or config is None or not config.values:
            continue
        missing = [value for value in config.values if value not in leaf.table.values]
        if missing and leaf.default is None and not leaf.table.keep:
            names = ", ".join(f"'{value}'" for value in missing)
            yield finding(leaf.mark, f"'{leaf.path}': value map '{leaf.table.name}' has no entry for {names}")
        unknown = [value for value in leaf.table.values if value not in config.values]
        if unknown:
            names = ", ".join(f"'{value}'" for value in unknown)
            text = f"'{leaf.path}': value map '{leaf.table.name}' has entries for {names}, which never come"
            yield finding(leaf.mark, text, "warning")


def _read_lengths(mapper: Mapper) -> Iterator[Finding]:
    """Native texts that may be longer than their canonical field: such records would be rejected."""
    for leaf in mapper.leaves:
        limit = leaf.check.limit if leaf.check.kind == "text" else None
        if limit and leaf.made.length is not None and leaf.made.length > limit and leaf.table is None:
            text = f"'{leaf.path}': up to {leaf.made.length} characters may come, but it holds {limit}"
            yield finding(leaf.mark, text, "warning")


def _written(mapper: Mapper) -> Iterator[Finding]:
    """Fields the target does not let us write, and texts that may be too long for it."""
    for leaf in mapper.leaves:
        schema = leaf.info.schema if leaf.info is not None else None
        if schema is None:
            continue
        yield from _one_written(mapper, leaf, schema)


def _one_written(mapper: Mapper, leaf: Leaf, schema: FieldSchema) -> Iterator[Finding]:
    if not schema.creatable and not schema.updatable:
        yield finding(leaf.mark, f"'{leaf.path}' of {mapper.config.to} cannot be written")
    if schema.length is None:
        return
    longest = leaf.made.length
    if leaf.table is not None:
        longest = max((len(v) for v in leaf.table.values.values() if isinstance(v, str)), default=0)
    if longest is not None and longest > schema.length:
        text = f"'{leaf.path}': up to {longest} characters may come, but {mapper.config.to} holds {schema.length}; use truncate(…)"
        yield finding(leaf.mark, text)


def _safety(mapper: Mapper, native: EntitySchema) -> Iterator[Finding]:
    """A create that may be repeated must be recognisable."""
    mark = place_of(mapper.sources.block, ("to",))
    if native.safe_by == "none" and mapper.on_unknown != "ask":
        yield finding(mark, f"a lost answer of {mapper.config.to} cannot be looked up; write 'on_unknown: ask'")
    if native.safe_by == "lookup" and mapper.safe_by is None:
        yield finding(mark, f"{mapper.config.to} has no keys of ours; name its mark by 'safe_by: {{lookup: …}}'")
