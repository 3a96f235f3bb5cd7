"""Systems: the installations the hub talks to (`config/systems.yaml`)."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from l2c.config.model import Model
from l2c.config.schedules import Duration, TimeZone

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


_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)/(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def parse_rate(value: Any) -> float:
    """Requests a second of `20/s`, `600/min` or `1000/h`; ValueError for anything else."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    rate = float(found.group(1)) / _SECONDS[found.group(2)] if found else 0.0
    if rate <= 0:
        raise ValueError(f"'{value}' is no rate; write requests per second, minute or hour: 20/s, 600/min, 1000/h")
    return rate


Rate = Annotated[float, BeforeValidator(parse_rate)]


class BreakerConfig(Model):
    """When a system is taken for away, and how often it is tried whether it is back."""

    failures: int = Field(
        default=10, ge=1, le=1000, description="Requests in a row that end in 5xx, a timeout or no connection."
    )
    wait: Duration = Field(
        default=timedelta(minutes=1), description="Until the first try; doubles with every vain one."
    )
    longest_wait: Duration = Field(default=timedelta(minutes=15), description="Longest time between two tries.")

    @model_validator(mode="after")
    def _order(self) -> "BreakerConfig":
        if self.longest_wait < self.wait:
            raise ValueError("'longest_wait' is shorter than 'wait'")
        return self


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
    rate: Rate | None = Field(
        default=None, description="Most requests of all flows and processes together: `20/s`, `600/min`, `1000/h`."
    )
    breaker: BreakerConfig = Field(
        default_factory=BreakerConfig, description="When runs stop asking a system that is away."
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
