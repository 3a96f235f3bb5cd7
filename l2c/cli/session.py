"""Opening the hub for one command, and names that exist."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING

from l2c.errors import ConfigError

if TYPE_CHECKING:
    from l2c.hub import Hub


@contextmanager
def opened() -> "Iterator[Hub]":
    """The hub of L2C_HOME, closed afterwards; imported here, since `l2c --help` needs none of it."""
    from l2c.hub import Hub

    with Hub.open() as hub:
        yield hub


def known_system(hub: "Hub", name: str) -> str:
    """The name, if it is a system that is switched on; ConfigError names the near miss."""
    if name in hub.project.disabled:
        raise ConfigError(f"system '{name}' is switched off in config/systems.yaml (enabled: false)")
    return _known("system", name, list(hub.project.systems))


def known_flow(hub: "Hub", name: str) -> str:
    """The name, if there is such a flow; ConfigError names the near miss."""
    return _known("flow", name, hub.project.flow_names)


def known_names(hub: "Hub", flow: str | None, system: str | None) -> None:
    """Check those of the two that were given."""
    if flow is not None:
        known_flow(hub, flow)
    if system is not None:
        known_system(hub, system)


def capture_systems(hub: "Hub", flow: str, system: str | None) -> list[str]:
    """The systems to capture from: the one given, else every one the flow names."""
    return _part(hub, flow, system, list(hub.project.flow(known_flow(hub, flow)).active_capture()), "capture from")


def distribute_systems(hub: "Hub", flow: str, system: str | None) -> list[str]:
    """The systems to distribute to: the one given, else every one the flow names."""
    return _part(hub, flow, system, list(hub.project.flow(known_flow(hub, flow)).active_distribute()), "distribute to")


def _part(hub: "Hub", flow: str, system: str | None, active: list[str], does: str) -> list[str]:
    if system is None:
        return active
    if known_system(hub, system) not in active:
        raise ConfigError(f"flow '{flow}' does not {does} '{system}' ({_list(active)}); see config/flows/{flow}.yaml")
    return [system]


def _known(kind: str, name: str, names: Collection[str]) -> str:
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {_list(names)}"
    raise ConfigError(f"unknown {kind} '{name}'; {hint}")


def _list(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
