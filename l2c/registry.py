"""Connectors by entry point (group `l2c.connectors`), never by import."""

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from l2c.contract import Connector, System
from l2c.errors import ConfigError

GROUP = "l2c.connectors"


def kinds() -> Mapping[str, EntryPoint]:
    """Every installed kind of system, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def connector_class(kind: str, where: str) -> type[Connector]:
    """The connector class of a kind; `where` names the place of the setting for the message."""
    known = kinds()
    if kind not in known:
        close = difflib.get_close_matches(kind, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"installed: {', '.join(sorted(known)) or 'none'}"
        raise ConfigError(f"{where}: no connector of kind '{kind}' is installed; {hint}")
    loaded: type[Connector] = known[kind].load()
    return loaded


def build(kind: str, system: System, settings: Mapping[str, Any]) -> Connector:
    """A connector for one system; wrong settings are one ConfigError that lists each."""
    where = f"config/systems.yaml: systems.{system.name}"
    loaded = connector_class(kind, where)
    try:
        checked = loaded.Settings.model_validate(dict(settings))
    except ValidationError as error:
        allowed = ", ".join(sorted(loaded.Settings.model_fields))
        mistakes = [
            f"{where}.settings.{'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].lower()}; allowed: {allowed}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigError(mistakes, system=system.name) from None
    return loaded(system, checked)
