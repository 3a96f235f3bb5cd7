"""One hook per connection type: what Airflow's *Test* button calls."""

from typing import Any

from airflow.sdk import BaseHook

from l2c.airflow.connections import from_airflow
from l2c.airflow.provider import connection_type, connector_kinds, hook_class_name
from l2c.contract import Connection
from l2c.errors import ConfigError, HubError
from l2c.hub import Hub


class SystemHook(BaseHook):  # type: ignore[misc]  # airflow ships no types for mypy to follow
    """A connection to one kind of system; the classes below fill in the kind."""

    kind = ""
    conn_type = ""
    conn_name_attr = "conn_id"
    default_conn_name = ""
    hook_name = ""

    def __init__(self, conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id or self.default_conn_name

    def get_conn(self) -> Connection:
        """The hub's form of the Airflow connection."""
        return from_airflow(self.get_connection(self.conn_id))

    def test_connection(self) -> tuple[bool, str]:
        """Ask the connector whether the system answers and accepts the credentials.

        Settings (client, profile) come from the system in config/systems.yaml that uses this connection. The button hands
        over an unsaved copy under a made-up id: then it is the first system of this kind, named in the answer.
        """
        try:
            connection = self.get_conn()
            with Hub.open(connections=lambda _name: connection) as hub:
                system = self._system(hub)
                health = hub.check(system)
        except HubError as error:
            return False, error.message
        named = health.message.startswith(f"{system}: ")
        return health.ok, health.message if named else f"{system}: {health.message}"

    def _system(self, hub: Hub) -> str:
        systems = [system for system in hub.project.systems.values() if system.kind == self.kind]
        if not systems:
            raise ConfigError(
                f"config/systems.yaml: no enabled system of kind '{self.kind}' to test this connection with"
            )
        return next((system.name for system in systems if system.connection == self.conn_id), systems[0].name)


def _hook_class(kind: str) -> type[SystemHook]:
    fields = {
        "__doc__": f"A connection to a system of kind `{kind}`.",
        "__module__": __name__,
        "kind": kind,
        "conn_type": connection_type(kind),
        "default_conn_name": kind,
        "hook_name": f"SAP {kind} (Lead-to-Cash Hub)",
    }
    return type(hook_class_name(kind), (SystemHook,), fields)


# Airflow wants a class of its own for each connection type, found by name; the kinds are known from the entry points only.
globals().update({hook_class_name(kind): _hook_class(kind) for kind in connector_kinds()})
