"""Checks who owns which field of a flow: an owner must be read, and must show what it owns."""

from collections.abc import Iterator, Mapping

from l2c.config import EntityConfig, Finding, FlowConfig, Mark, Project, finding
from l2c.config.flows import ANY_FIELD, EACH, NEWEST
from l2c.config.model import place_of
from l2c.errors import ConfigError
from l2c.mapping.loading import read_mapper


def owner_findings(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """Owners whose edits never come, and words that say more than the hub does yet."""
    block, entity = project.flow_block(flow.flow), project.entity(flow.flow)
    shown = {system: _shown(project, flow, system) for system in flow.active_capture()}
    for name, choices in flow.owners.items():
        for number, choice in enumerate(choices):
            mark = place_of(block, ("owners", name, number))
            if choice.system in (EACH, NEWEST):
                yield from _word(entity, name, choice.system, mark)
            elif choice.system not in flow.capture:
                yield finding(mark, f"owner '{choice.system}' of '{name}' is not captured by this flow")
            elif name != ANY_FIELD:
                yield from _unseen(shown, name, choice.system, mark)


def several_sources(project: Project, flow: FlowConfig) -> Iterator[Finding]:
    """Keys that say how records of several sources meet, where there are several."""
    if len(flow.capture) < 2:
        return
    block = project.flow_block(flow.flow)
    for key in ("first", "match"):
        if getattr(flow, key):
            yield finding(place_of(block, (key,)), f"'{key}' is checked, but not carried out yet", "warning")


def _word(entity: EntityConfig, name: str, word: str, mark: Mark) -> Iterator[Finding]:
    field = entity.fields.get(name)
    if word == EACH and field is not None and field.kind != "objects":
        yield finding(
            mark, f"owner '{EACH}' of '{name}': only elements of a list with 'list_by' have owners of their own"
        )
    else:
        text = f"owner '{word}' of '{name}' is checked, but not carried out yet: the edit read last counts"
        yield finding(mark, text, "warning")


def _unseen(shown: Mapping[str, frozenset[str] | None], name: str, system: str, mark: Mark) -> Iterator[Finding]:
    targets = shown.get(system)  # None: switched off, or its mapping has mistakes, which are told elsewhere
    if targets is not None and not any(path == name or path.startswith(f"{name}.") for path in targets):
        yield finding(mark, f"owner '{system}' of '{name}': its read mapping has no rule for '{name}'")


def _shown(project: Project, flow: FlowConfig, system: str) -> frozenset[str] | None:
    """The canonical paths a system's read mapping gives."""
    try:
        return read_mapper(project, project.system(system), flow.flow).targets
    except ConfigError:
        return None  # told where the mapping itself is checked
