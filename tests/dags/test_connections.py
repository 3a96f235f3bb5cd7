"""Connections come from Airflow, else from the environment; the test button asks the connector."""

import json

import pytest

from l2c.errors import ConfigError


def found(name: str):
    from l2c.airflow.connections import airflow_connection

    return airflow_connection(name)


def give(monkeypatch: pytest.MonkeyPatch, name: str, **fields: object) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def test_an_airflow_connection_becomes_the_hubs(monkeypatch) -> None:
    extra = {"token_url": "https://shop.example.com/token", "tenant": "10", "scopes": ["a", "b"]}
    give(
        monkeypatch,
        "shop",
        conn_type="sap_commerce",
        host="https://shop.example.com/api",
        login="hub",
        password="pass word",
        extra=extra,
    )
    connection = found("shop")
    assert (connection.url, connection.user) == ("https://shop.example.com/api", "hub")
    assert connection.secret.get_secret_value() == "pass word"
    assert connection.token_url == "https://shop.example.com/token"
    assert connection.extra == {"tenant": "10", "scopes": '["a", "b"]'}
    assert "pass word" not in repr(connection)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "erp.example.com"}, "https://erp.example.com"),
        ({"host": "erp.example.com", "port": 8443}, "https://erp.example.com:8443"),
        ({"host": "127.0.0.1", "port": 8000, "schema": "http"}, "http://127.0.0.1:8000"),
        ({"host": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
    ],
)
def test_the_address_may_be_a_host_or_whole(monkeypatch, fields, url) -> None:
    give(monkeypatch, "erp", conn_type="sap_s4hana", **fields)
    assert found("erp").url == url


def test_a_connection_without_address_is_told_plainly(monkeypatch) -> None:
    give(monkeypatch, "erp", conn_type="sap_s4hana", login="hub")
    with pytest.raises(ConfigError, match="connection 'erp': the address is empty"):
        found("erp")


def test_an_extra_that_is_no_json_object_is_told_without_its_text(monkeypatch) -> None:
    from types import SimpleNamespace

    from l2c.airflow.connections import from_airflow

    odd = SimpleNamespace(
        conn_id="erp", host="erp.example.com", schema=None, port=None, login=None, password=None, extra="secret-text"
    )
    with pytest.raises(ConfigError, match="connection 'erp': the field 'extra' must hold one JSON object") as raised:
        from_airflow(odd)
    assert "secret-text" not in str(raised.value)


def test_without_an_airflow_connection_the_environment_counts(monkeypatch, airflow_database) -> None:
    monkeypatch.setenv("L2C_CONNECTION_ERP", "https://hub:geheim@erp.example.com")
    connection = found("erp")
    assert connection.url.startswith("https://erp.example.com")
    assert connection.user == "hub"


def test_a_connection_that_is_nowhere_names_both_places(airflow_database) -> None:
    with pytest.raises(ConfigError) as raised:
        found("nowhere")
    assert "L2C_CONNECTION_NOWHERE" in str(raised.value)
    assert "Airflow connection" in str(raised.value)


def test_every_kind_of_system_has_a_connection_type_with_a_hook_of_its_own() -> None:
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    from l2c.airflow.provider import connection_type, connector_kinds

    hooks = ProvidersManagerTaskRuntime().hooks
    assert {"s4hana", "commerce"} <= set(connector_kinds())
    for kind in connector_kinds():
        hook = hooks[connection_type(kind)]
        assert hook.connection_type == connection_type(kind)
        assert hook.connection_testable


def test_the_provider_description_keeps_to_airflows_schema() -> None:
    from importlib.resources import files

    import jsonschema

    from l2c.airflow.provider import provider_info

    schema = json.loads((files("airflow") / "provider_info.schema.json").read_text())
    jsonschema.validate(provider_info(), schema)
