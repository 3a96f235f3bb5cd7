"""Checks how records of several sources meet in a flow: who owns which field, how a record is recognised."""

from collections.abc import Iterator, Mapping

from l2c.config import EntityConfig, Finding, FlowConfig, Mark, Project, finding
from l2c.config.flows import ANY_FIELD, EACH, NEWEST
from l2c.config.model import place_of
from l2c.errors import ConfigError
from l2c.mapping.loading import read_mappers


def owner_findings(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """Owners whose edits never come, fields that are not there, `each` where elements cannot be told apart."""
    block, entity = project.flow_block(flow.flow), project.entity(flow.flow)
    shown = {system: _shown(project, flow, system) for system in flow.active_capture()}
    for name, choices in flow.owners.items():
        for number, choice in enumerate(choices):
            mark = place_of(block, ("owners", name, number))
            if choice.system == EACH:
                yield from _each(entity, name, mark)
            elif choice.system == NEWEST:
                continue
            elif choice.system not in flow.capture:
                yield finding(mark, f"owner '{choice.system}' of '{name}' is not captured by this flow")
            elif name != ANY_FIELD:
                yield from _unseen(shown, name, choice.system, mark)


def meeting_findings(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """Match rules over fields without a value, and several systems without an owner."""
    block, entity = project.flow_block(flow.flow), project.entity(flow.flow)
    for number, rule in enumerate(flow.match):
        for place, name in enumerate(rule):
            if entity.paths[name].kind in ("object", "objects"):
                mark = place_of(block, ("match", number, place))
                yield finding(mark, f"'match': '{name}' holds no value to compare; name a field of it")
    if len(flow.capture) > 1 and len(flow.active_capture()) > 1 and not flow.owners:
        text = "several systems are read and nobody owns a field: every edit counts; write owners: {'*': <system>}"
        yield finding(place_of(block, ("capture",)), text, "warning")


def _each(entity: EntityConfig, name: str, mark: Mark) -> Iterator[Finding]:
    if name == ANY_FIELD or entity.paths[name].kind != "objects":
        text = f"owner '{EACH}' of '{name}': only elements of a list with 'list_by' have owners of their own"
        yield finding(mark, text)


def _unseen(shown: Mapping[str, frozenset[str] | None], name: str, system: str, mark: Mark) -> Iterator[Finding]:
    targets = shown.get(system)  # None: switched off, or its mapping has mistakes, which are told elsewhere
    if targets is not None and not any(path == name or path.startswith(f"{name}.") for path in targets):
        yield finding(mark, f"owner '{system}' of '{name}': its read mapping has no rule for '{name}'")


def _shown(project: Project, flow: FlowConfig, system: str) -> frozenset[str] | None:
    """The canonical paths a system's read mappings give."""
    try:
        readers = read_mappers(project, project.system(system), flow.flow)
    except ConfigError:
        return None  # told where the mapping itself is checked
    return frozenset().union(*(reader.targets for reader in readers))
