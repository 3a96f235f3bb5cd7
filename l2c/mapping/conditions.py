"""Conditions beside mapping files: a flow's filter, the condition of an owner. Compiled with the same closed language."""

from collections.abc import Callable, Mapping
from typing import Any

from l2c.config import EntityConfig, Mark
from l2c.errors import ConfigError
from l2c.mapping.expressions import Translator
from l2c.mapping.link import condition
from l2c.mapping.scopes import Scope, Unit, canonical_names
from l2c.mapping.typed import Mistake


def compile_condition(entity: EntityConfig, text: str, mark: Mark | None = None) -> Callable[[Mapping[str, Any]], bool]:
    """The condition as a function of a canonical record; raises ConfigError at `mark`.

    A record for which it cannot be computed (a field of another kind than the entity says) does not pass.
    """
    unit = Unit(source=f"canonical/{entity.entity}", trusted=True)
    scope = Scope(unit, "r", "", canonical_names(entity))
    try:
        made = Translator(scope, text, {}).translate()
        if unit.clock or unit.past or any(load.source == "settings" for load in scope.loads.values()):
            raise Mistake("today(), 'settings.', 'was.' and 'seen.' are not known here")
    except Mistake as mistake:
        where = mark or Mark("condition")
        place = (
            Mark(where.file, where.line, where.column + mistake.column) if where.line and not where.folded else where
        )
        raise ConfigError(f"{place}: {mistake.text}", entity=entity.entity) from None
    return condition(scope, made)
