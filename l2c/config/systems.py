"""Systems: the installations the hub talks to (`config/systems.yaml`)."""

import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from l2c.config.model import Model
from l2c.config.schedules import TimeZone

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?\Z", re.ASCII)
_SECRET_WORDS = ("password", "passwd", "secret", "api_key", "apikey", "private_key")
_TOKEN = "token"  # noqa: S105 - /hub/inbox/token is where senders fetch one


class InboxConfig(Model):
    """How a system proves itself when it sends to the hub."""

    connection: str = Field(
        description="Name of the Airflow connection with the login the sender uses (OAuth: its client id and secret), and "
        "`hmac_secret` in its extra where messages are signed; or of the variable `L2C_CONNECTION_<NAME>`."
    )
    hmac_header: str | None = Field(
        default=None,
        description="Header with the HMAC-SHA256 of the body (hex or base64): every message must carry it, and needs no login.",
    )

    @field_validator("hmac_header")
    @classmethod
    def _header(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.replace("-", "a").replace("_", "a").isalnum()):
            raise ValueError(f"'{value}' is not the name of a header")
        return value


class SystemConfig(Model):
    """One installation."""

    name: str = Field(default="", description="The system's name; stands as the key, not inside.", exclude=True)
    kind: str = Field(description="Which connector speaks to it: an entry point of the group `l2c.connectors`.")
    connection: str = Field(
        description="Name of the Airflow connection; outside Airflow of the variable `L2C_CONNECTION_<NAME>`."
    )
    profile: str | None = Field(
        default=None, description="A variant the connector knows, such as `cloud` or `onpremise`."
    )
    time_zone: TimeZone = Field(default="UTC", description="Time zone of dates and times the system shows without one.")
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts that may be called besides the connection's own.", strict=False
    )
    ca_file: str | None = Field(default=None, description="File with the certificates of a private authority (PEM).")
    inbox: InboxConfig | None = Field(
        default=None, description="Takes what the system sends, at `/hub/inbox/<system>`; without it nothing is taken."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the connector, and what mappings read as `settings.<name>`."
    )
    enabled: bool = Field(
        default=True, description="`false` takes the system out of every flow, without a mistake anywhere."
    )

    @field_validator("kind")
    @classmethod
    def _kind(cls, value: str) -> str:
        check_name(value, "kind")
        return value

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.match(host):
                raise ValueError(
                    f"'{host}' is no host; write 'host.name' or 'host.name:port', without scheme, path or *"
                )
        return value

    @field_validator("settings")
    @classmethod
    def _no_secrets(cls, value: dict[str, Any]) -> dict[str, Any]:
        for key in value:
            if any(word in key.lower() for word in _SECRET_WORDS):
                raise ValueError(f"setting '{key}' looks like a secret; secrets belong in the connection")
        return value


class SystemsFile(Model):
    """The file `config/systems.yaml`."""

    systems: dict[str, SystemConfig] = Field(description="Every system by its name.")

    @model_validator(mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        systems = value.get("systems") if isinstance(value, dict) else None
        if isinstance(systems, dict):
            for name, system in systems.items():
                check_name(name, "system")
                if name == _TOKEN and isinstance(system, dict) and system.get("inbox") is not None:
                    raise ValueError(f"a system with an inbox cannot be named '{_TOKEN}': tokens are fetched there")
        return value


def check_name(name: str, what: str) -> None:
    """Raise ValueError unless a name is lower case letters, digits and underscores, at most 40."""
    plain = name.isascii() and name == name.lower() and name.replace("_", "a").isalnum()
    if not plain or not name[0].isalpha() or len(name) > 40:
        raise ValueError(f"{what} name '{name}' must be lower case letters, digits and underscores, at most 40")
