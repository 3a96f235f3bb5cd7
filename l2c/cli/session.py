"""Opening the hub for one command, and names that exist."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    hub.project.system(name)
    return name


def known_flow(hub: "Hub", name: str) -> str:
    """The name, if there is such a flow, sound or not; ConfigError names the near miss."""
    from l2c.config import near_miss

    if name not in hub.project.flow_names:
        raise ConfigError(f"config/flows: unknown flow '{name}'{near_miss(name, hub.project.flow_names)}")
    return name


def known_names(hub: "Hub", flow: str | None, system: str | None) -> None:
    """Check those of the two that were given."""
    if flow is not None:
        known_flow(hub, flow)
    if system is not None:
        known_system(hub, system)


def capture_systems(hub: "Hub", flow: str, system: str | None) -> list[str]:
    """The systems to capture from: the one given, else every one the flow names."""
    known_names(hub, flow, system)
    return [system] if system is not None else list(hub.project.flow(flow).active_capture())


def distribute_systems(hub: "Hub", flow: str, system: str | None) -> list[str]:
    """The systems to distribute to: the one given, else every one the flow names."""
    known_names(hub, flow, system)
    return [system] if system is not None else list(hub.project.flow(flow).active_distribute())
