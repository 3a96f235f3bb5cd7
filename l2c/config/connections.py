"""Connections from environment variables, for everything that runs outside Airflow."""

import json
from collections.abc import Mapping
from dataclasses import replace
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
    found = _from_json(variable, text) if text.startswith("{") else _from_uri(variable, text)
    return replace(found, called=f"the connection in {variable}")


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
    data = parsed(text, variable, f"{variable} starts like JSON but is not JSON")
    extra = data.pop("extra", None) or {}
    if isinstance(extra, str):
        extra = parsed(extra, f"{variable}: 'extra'", f"{variable}: 'extra' is not JSON")
    if not isinstance(extra, dict):
        raise ConfigError(f"{variable}: 'extra' must hold keys and values")
    url = data.pop("url", None) or _airflow_url(data)
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"{variable}: 'url' is missing or does not start with https://")
    address = _from_uri(f"{variable}: 'url'", url)  # a secret written into the address must not stay in it
    values = {key: str(value) for key, value in {**extra, **data}.items() if value not in (None, "")}
    user = _first(values, "user", "login") or address.user
    secret = _first(values, "secret", "password")
    token_url = _first(values, "token_url") or address.token_url
    rest = {**address.extra, **{key: value for key, value in values.items() if key not in _AIRFLOW_KEYS}}
    return Connection(
        url=address.url,
        user=user,
        secret=SecretStr(secret) if secret else address.secret,
        token_url=token_url,
        extra=rest,
    )


def parsed(text: str, where: str, complaint: str) -> Any:
    """JSON as somebody wrote it; ConfigError names a key given twice, and says `complaint` of what is no JSON (nor NaN is)."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for at, name in enumerate(names) if name in names[:at])
            raise ConfigError(f"{where}: '{twice}' is given twice; leave one out")
        return found

    def no_number(_text: str) -> None:
        raise ConfigError(complaint)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise ConfigError(complaint) from None


def _first(values: dict[str, str], *names: str) -> str | None:
    """The first of several names of the same thing that is there; all of them are taken out."""
    found = [values.pop(name, None) for name in names]
    return next((value for value in found if value), None)


_AIRFLOW_KEYS = ("conn_type", "host", "schema", "port", "description", "conn_id")


def _airflow_url(data: dict[str, Any]) -> str | None:
    host = data.get("host")
    if not host:
        return None
    base = str(host) if "://" in str(host) else f"{data.get('schema') or 'https'}://{host}"
    return f"{base}:{data['port']}" if data.get("port") else base
