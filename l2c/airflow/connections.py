"""Turns Airflow's connections into the hub's."""

import json
import os
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from l2c.config import Login, env_connection, env_login
from l2c.contract import Connection
from l2c.errors import ConfigError


def airflow_connection(name: str) -> Connection:
    """The Airflow connection of this id; where Airflow has none, the variable `L2C_CONNECTION_<NAME>`.

    Raises ConfigError naming both when neither is there.
    """
    try:
        found = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return env_connection(name, os.environ)
    return from_airflow(found)


def airflow_login(name: str) -> Login:
    """The login others use towards the hub: login, password and extra's `hmac_secret` of the Airflow connection of this id.

    Where Airflow has none, the variable `L2C_CONNECTION_<NAME>`. Raises ConfigError when neither is there or it proves nothing.
    """
    try:
        found = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return env_login(name, os.environ)
    secret = SecretStr(found.password) if found.password else None
    hmac_secret = _extra(found).get("hmac_secret")
    return Login.checked(
        f"connection '{name}'", found.login or None, secret, SecretStr(hmac_secret) if hmac_secret else None
    )


def from_airflow(found: Any) -> Connection:
    """The hub's connection from one of Airflow's: host, port, login, password; `token_url` and the rest from extra.

    The address may carry its scheme (`https://host`), else https is meant, or what stands in Airflow's field `schema`.
    """
    if not found.host:
        raise ConfigError(f"connection '{found.conn_id}': the address is empty; write it into the field 'host'")
    url = found.host if "://" in found.host else f"{found.schema or 'https'}://{found.host}"
    if found.port:
        url = f"{url.rstrip('/')}:{found.port}"
    extra = _extra(found)
    token_url = extra.pop("token_url", None)
    secret = SecretStr(found.password) if found.password else None
    called = f"Airflow's connection '{found.conn_id}'"
    user = found.login or None
    return Connection(url=url, user=user, secret=secret, token_url=token_url or None, extra=extra, called=called)


def _extra(found: Any) -> dict[str, str]:
    if not found.extra:
        return {}
    try:
        extra = json.loads(found.extra)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConfigError(f"connection '{found.conn_id}': the field 'extra' must hold one JSON object")
    return {str(key): _text(value) for key, value in extra.items() if value is not None}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
