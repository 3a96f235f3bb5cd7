"""What a mapping is compiled from."""

from collections.abc import Mapping
from dataclasses import dataclass

from l2c.config import Block, EntityConfig, MappingConfig
from l2c.contract import EntitySchema
from l2c.mapping.rules import Table


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a mapping is compiled from."""

    config: MappingConfig
    block: Block
    entity: EntityConfig
    tables: Mapping[str, Table]
    native: EntitySchema | None = None
    skipped: frozenset[str] = frozenset()  # fields whose rule has a mistake that is told already
