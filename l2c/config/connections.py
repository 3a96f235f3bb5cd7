"""Connections from environment variables, for everything that runs outside Airflow."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from l2c.contract import Connection
from l2c.errors import ConfigError


def variable_of(name: str) -> str:
    """The environment variable that holds the connection `name`."""
    return "L2C_CONNECTION_" + "".join(c if c.isalnum() else "_" for c in name).upper()


def env_connection(name: str, env: Mapping[str, str]) -> Connection:
    """The connection `name` from `L2C_CONNECTION_<NAME>`: a URI or JSON; raises ConfigError that names the variable.

    URI: `https://user:secret@host:port/path?token_url=…`. JSON: `{"url", "user", "secret", "token_url", …}`; Airflow's own
    names (`host`, `login`, `password`, `schema`, `port`, `extra`) are understood too. Further keys become `extra`.
    """
    variable = variable_of(name)
    text = env.get(variable, "").strip()
    if not text:
        raise ConfigError(
            f"connection '{name}' is not known: create an Airflow connection of that name, or set {variable} to "
            "https://user:secret@host or to JSON with url, user, secret, token_url"
        )
    return _from_json(variable, text) if text.startswith("{") else _from_uri(variable, text)


def _from_uri(variable: str, text: str) -> Connection:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{variable} is not a URI; write https://user:secret@host or JSON") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{variable} must start with https:// (or http:// on loopback) and name a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    extra = dict(parse_qsl(parts.query))
    return Connection(
        url=f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}".rstrip("/"),
        user=unquote(parts.username) if parts.username else None,
        secret=SecretStr(unquote(parts.password)) if parts.password else None,
        token_url=extra.pop("token_url", None),
        extra=extra,
    )


def _from_json(variable: str, text: str) -> Connection:
    try:
        data = json.loads(text)
    except ValueError:
        raise ConfigError(f"{variable} starts like JSON but is not JSON") from None
    extra = data.pop("extra", None) or {}
    if isinstance(extra, str):
        try:
            extra = json.loads(extra)
        except ValueError:
            raise ConfigError(f"{variable}: 'extra' is not JSON") from None
    if not isinstance(extra, dict):
        raise ConfigError(f"{variable}: 'extra' must hold keys and values")
    url = data.pop("url", None) or _airflow_url(data)
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"{variable}: 'url' is missing or does not start with https://")
    data = {**extra, **data}
    user = data.pop("user", None) or data.pop("login", None)
    secret = data.pop("secret", None) or data.pop("password", None)
    token_url = data.pop("token_url", None)
    rest = {k: str(v) for k, v in data.items() if k not in _AIRFLOW_KEYS and v is not None}
    return Connection(
        url=url.rstrip("/"),
        user=user,
        secret=SecretStr(str(secret)) if secret else None,
        token_url=token_url,
        extra=rest,
    )


_AIRFLOW_KEYS = ("conn_type", "host", "login", "password", "schema", "port", "description", "conn_id")


def _airflow_url(data: dict[str, Any]) -> str | None:
    host = data.get("host")
    if not host:
        return None
    base = str(host) if "://" in str(host) else f"{data.get('schema') or 'https'}://{host}"
    return f"{base}:{data['port']}" if data.get("port") else base
