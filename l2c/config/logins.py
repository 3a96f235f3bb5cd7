"""Logins with which others prove themselves to the hub, from environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import SecretStr

from l2c.config.connections import env_connection, parsed, variable_of
from l2c.errors import ConfigError, UnknownConnection


@dataclass(frozen=True, slots=True)
class Login:
    """Who may send: user and secret (OAuth: client id and secret), and the key of signatures; at least one of the two."""

    user: str | None = None
    secret: SecretStr | None = None
    hmac_secret: SecretStr | None = None

    @classmethod
    def checked(cls, where: str, user: str | None, secret: SecretStr | None, hmac_secret: SecretStr | None) -> Self:
        """A login that can prove something; raises ConfigError that says where it is incomplete."""
        if (user is None) != (secret is None):
            raise ConfigError(f"{where}: user and secret belong together; one of them is empty")
        if secret is None and hmac_secret is None:
            raise ConfigError(f"{where}: neither user and secret nor hmac_secret is given; nobody could send with it")
        return cls(user, secret, hmac_secret)


def env_login(name: str, env: Mapping[str, str]) -> Login:
    """The login from `L2C_CONNECTION_<NAME>`: JSON with `user`, `secret`, `hmac_secret`, or a URI `https://user:secret@…`.

    Raises ConfigError that names the variable, never what stands in it.
    """
    variable = variable_of(name)
    text = env.get(variable, "").strip()
    if text and not text.startswith("{"):
        connection = env_connection(name, env)
        hmac_secret = connection.extra.get("hmac_secret")
        return Login.checked(
            variable, connection.user, connection.secret, SecretStr(hmac_secret) if hmac_secret else None
        )
    if not text:
        raise UnknownConnection(
            f"connection '{name}' is not known: create an Airflow connection of that name with login and password, or set "
            f"{variable} to JSON with user and secret"
        )
    data = parsed(text, variable, f"{variable} starts like JSON but is not JSON")
    extra = data.get("extra")
    values = {**extra, **data} if isinstance(extra, dict) else data
    user = _text(values, "user", "login")
    return Login.checked(variable, user, _secret(values, "secret", "password"), _secret(values, "hmac_secret"))


def _text(values: Mapping[str, Any], *names: str) -> str | None:
    return next((str(values[name]) for name in names if values.get(name)), None)


def _secret(values: Mapping[str, Any], *names: str) -> SecretStr | None:
    text = _text(values, *names)
    return SecretStr(text) if text is not None else None
