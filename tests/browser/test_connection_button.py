"""The *Test* button of Airflow's connections asks the system itself."""

import json

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def press(server, user: str = "op", **changes: object) -> tuple[int, dict]:
    """What Airflow answers when the button is pressed for an unsaved connection to S/4HANA."""
    fields = {
        "connection_id": "new_erp",
        "conn_type": "sap_s4hana",
        "host": server.s4,
        "login": "HUB_USER",
        "password": "sandbox-s4-secret",
    }
    status, body, _ = server.ask("/api/v2/connections/test", user, "POST", fields | changes)
    return status, json.loads(body)


def test_good_credentials_are_accepted(server) -> None:
    status, told = press(server)
    assert (status, told["status"]) == (200, True), told
    assert told["message"].count("s4hana: ") == 1


def test_a_wrong_password_is_refused_and_not_repeated(server) -> None:
    _, told = press(server, password="wrong-pass-word")
    assert told["status"] is False
    assert "wrong-pass-word" not in told["message"]
    assert told["message"].count("s4hana: ") == 1


def test_a_system_that_is_away_is_told_plainly(server) -> None:
    _, told = press(server, host="http://127.0.0.1:9")
    assert told["status"] is False
    assert "connection refused" in told["message"]


def test_a_missing_address_is_told_plainly(server) -> None:
    _, told = press(server, host="")
    assert told["status"] is False
    assert "the address is empty" in told["message"]


@pytest.mark.parametrize("user", ["ann", "uma"])
def test_who_may_not_create_connections_may_not_press_it(server, user: str) -> None:
    assert press(server, user)[0] == 403


def test_the_form_knows_the_fields_of_both_kinds(server) -> None:
    _, body, _ = server.ask("/ui/connections/hook_meta", "op")
    kinds = {one["connection_type"]: one for one in json.loads(body)}
    for kind in ("sap_s4hana", "sap_commerce"):
        assert "token_url" in kinds[kind]["extra_fields"]
        assert kinds[kind]["standard_fields"]["host"]["title"] == "Address"
