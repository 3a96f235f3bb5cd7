"""What Airflow asks at start-up: one connection type per kind of system, drawn from the registered connectors.

Airflow reads this while it is itself being imported, so nothing here may import airflow.
"""

from importlib.metadata import entry_points, version
from typing import Any

PACKAGE = "lead-to-cash-hub"


def connector_kinds() -> list[str]:
    """The kinds of system a connector is registered for, sorted."""
    return sorted({entry.name for entry in entry_points(group="l2c.connectors")})


def connection_type(kind: str) -> str:
    """Airflow's connection type for a kind of system, such as `sap_commerce`."""
    return f"sap_{kind}"


def hook_class_name(kind: str) -> str:
    """Name of the hook class in l2c.airflow.hooks that tests connections of this kind."""
    return "".join(part.capitalize() for part in kind.split("_")) + "Hook"


def provider_info() -> dict[str, Any]:
    """The provider description, in the shape of Airflow's provider_info schema."""
    return {
        "package-name": PACKAGE,
        "name": "Lead-to-Cash Hub",
        "description": "Connections to the systems of SAP's Lead-to-Cash process.",
        "versions": [version(PACKAGE)],
        "connection-types": [_connection_type(kind) for kind in connector_kinds()],
    }


def _connection_type(kind: str) -> dict[str, Any]:
    return {
        "connection-type": connection_type(kind),
        "hook-class-name": f"l2c.airflow.hooks.{hook_class_name(kind)}",
        "hook-name": f"SAP {kind} (Lead-to-Cash Hub)",
        "ui-field-behaviour": {
            "hidden-fields": ["schema"],
            "relabeling": {"host": "Address", "login": "User or client id", "password": "Password or client secret"},
            "placeholders": {"host": "https://system.example.com"},
        },
        "conn-fields": {
            "token_url": {
                "label": "Token address",
                "description": "Where OAuth tokens come from; empty: user and password go with each request.",
                "schema": {"type": ["string", "null"], "default": None},
            },
        },
    }
