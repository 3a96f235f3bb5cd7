"""Connections from environment variables."""

import json

import pytest

from l2c.config import env_connection, variable_of
from l2c.errors import ConfigError


def test_a_uri_gives_address_login_and_the_rest():
    env = {
        "L2C_CONNECTION_SHOP": "https://hub:p%40ss@shop.example:8443/base?token_url=https%3A%2F%2Flogin.example%2Ft&scope=x"
    }
    found = env_connection("shop", env)
    assert found.url == "https://shop.example:8443/base"
    assert (found.user, found.secret.get_secret_value()) == ("hub", "p@ss")
    assert found.token_url == "https://login.example/t"
    assert found.extra == {"scope": "x"}


def test_json_gives_the_same():
    env = {
        "L2C_CONNECTION_SHOP": json.dumps({"url": "https://shop.example/", "user": "hub", "secret": "x", "verify": 1})
    }
    found = env_connection("shop", env)
    assert (found.url, found.user, found.secret.get_secret_value()) == ("https://shop.example", "hub", "x")
    assert found.extra == {"verify": "1"}


def test_json_of_airflow_is_understood():
    data = {"conn_type": "http", "host": "shop.example", "schema": "https", "port": 8443, "login": "hub", "password": "x",
            "extra": '{"token_url": "https://login.example/t"}'}  # fmt: skip
    found = env_connection("shop", {"L2C_CONNECTION_SHOP": json.dumps(data)})
    assert (found.url, found.user, found.token_url) == ("https://shop.example:8443", "hub", "https://login.example/t")
    assert found.extra == {}


def test_a_secret_never_shows():
    found = env_connection("a", {"L2C_CONNECTION_A": "https://u:hunter2@h"})
    assert "hunter2" not in repr(found)


def test_a_secret_in_the_address_of_json_moves_out_of_it():
    found = env_connection("a", {"L2C_CONNECTION_A": '{"url": "https://u:hunter2@h/base"}'})
    assert (found.url, found.user, found.secret.get_secret_value()) == ("https://h/base", "u", "hunter2")
    assert "hunter2" not in repr(found)


def test_numbers_of_json_are_taken_as_text():
    found = env_connection("a", {"L2C_CONNECTION_A": '{"url": "https://h", "user": 5, "secret": 7, "client": 100}'})
    assert (found.user, found.secret.get_secret_value(), found.extra) == ("5", "7", {"client": "100"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "create an Airflow connection of that name, or set L2C_CONNECTION_MY_SHOP"),
        ("shop.example", "must start with https://"),
        ("ftp://shop.example", "must start with https://"),
        ("https://shop.example:port", "is not a URI"),
        ("{", "is not JSON"),
        ('{"a":' * 100_000, "is not JSON"),
        ('{"url": "https://h", "secret": "x", "secret": "y"}', "'secret' is given twice; leave one out"),
        ('{"url": "https://h", "extra": {"a": 1, "a": 1}}', "'a' is given twice; leave one out"),
        ('{"url": "https://h", "client": NaN}', "is not JSON"),
        ('{"url": 5}', "'url' is missing"),
        ('{"url": "https://"}', "'url' must start with https:// (or http:// on loopback) and name a host"),
        ('{"host": "h", "port": "x"}', "'url' is not a URI"),
        ('{"user": "x"}', "'url' is missing"),
        ('{"url": "https://h", "extra": "x"}', "'extra' is not JSON"),
        ('{"url": "https://h", "extra": [1]}', "'extra' must hold keys and values"),
    ],
)
def test_a_connection_that_is_missing_or_wrong_names_its_variable_and_no_secret(text, told):
    with pytest.raises(ConfigError) as caught:
        env_connection("my-shop", {"L2C_CONNECTION_MY_SHOP": text})
    assert told in str(caught.value)
    assert "L2C_CONNECTION_MY_SHOP" in str(caught.value)


def test_the_variable_is_the_name_in_capitals():
    assert variable_of("s4hana.prod-1") == "L2C_CONNECTION_S4HANA_PROD_1"
