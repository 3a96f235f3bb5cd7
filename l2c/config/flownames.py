"""The names a flow uses: systems, fields, owners. Checked on the YAML itself, so that a mistake of form elsewhere hides none."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from l2c.config.entities import EntityConfig
from l2c.config.flows import ANY_FIELD, EACH, NEWEST
from l2c.config.loader import Block, Row
from l2c.config.problems import Mark, near_miss
from l2c.config.systems import SystemConfig

Named = tuple[Mark, str, str, Iterable[str]]  # place, what it is, the name, the names there are


def name_mistakes(block: Block, name: str, systems: Mapping[str, SystemConfig], entity: EntityConfig) -> list[str]:
    """Unknown systems, fields and owners of a flow, each with its place and near miss."""
    mistakes: list[str] = []
    if block.get("flow", name) != name:
        mistakes.append(f"{block.values_at['flow']}: flow '{block['flow']}' stands in a file named '{name}.yaml'")
    for mark, what, word, known in [
        *_systems(block, systems),
        *_match(block, entity),
        *_owners(block, systems, entity),
    ]:
        if word not in known:
            mistakes.append(f"{mark}: unknown {what} '{word}'{near_miss(word, known)}")
    first, capture = block.get("first"), block.get("capture")
    if isinstance(first, str) and first in systems and isinstance(capture, Block) and first not in capture:
        mistakes.append(f"{block.values_at['first']}: '{first}' is not captured by this flow")
    return mistakes


def _systems(block: Block, systems: Mapping[str, Any]) -> Iterator[Named]:
    for part in ("capture", "distribute"):
        entries = block.get(part)
        if isinstance(entries, Block):
            for system in entries:
                yield entries.keys_at[system], "system", system, systems
    if isinstance(block.get("first"), str):
        yield block.values_at["first"], "system", block["first"], systems


def _match(block: Block, entity: EntityConfig) -> Iterator[Named]:
    known = entity.paths
    for rule in _rows(block.get("match")):
        for number, field in enumerate(_rows(rule)):
            if isinstance(field, str):
                yield rule.values_at[number], "field", field, known


def _owners(block: Block, systems: Mapping[str, Any], entity: EntityConfig) -> Iterator[Named]:
    owners = block.get("owners")
    if not isinstance(owners, Block):
        return
    names = [*systems, NEWEST, EACH]
    for field, owner in owners.items():
        yield owners.keys_at[field], "field", field, [ANY_FIELD, *entity.paths]
        if isinstance(owner, str):
            yield owners.values_at[field], "owner", owner, names
        for number, choice in enumerate(_rows(owner)):
            if isinstance(choice, str):
                yield owner.values_at[number], "owner", choice, names
            elif isinstance(choice, Block):
                for system in choice:
                    yield choice.keys_at[system], "owner", system, names


def _rows(value: Any) -> Row | tuple[()]:
    return value if isinstance(value, Row) else ()
