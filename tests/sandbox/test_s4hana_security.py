"""Sign-in, CSRF tokens bound to session cookies, the two profiles."""

import pytest
import requests


def fetch(s4) -> str:
    return s4.get("", headers={"X-CSRF-Token": "Fetch"}).headers["x-csrf-token"]


def change(s4, **headers: str) -> requests.Response:
    body = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Token"}
    return s4.post("A_BusinessPartner", body, headers=headers)


@pytest.mark.parametrize("login", [None, ("HUB_USER", "wrong"), ("nobody", "sandbox-s4-secret"), ("", "")])
def test_a_wrong_login_is_401_and_says_how_to_sign_in(s4_process, login):
    session = requests.Session()
    session.trust_env = False
    answer = session.get(
        f"{s4_process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner", auth=login, timeout=20
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "sandbox-s4-secret" not in answer.text


def test_reading_needs_no_token_and_gives_none_unasked(s4):
    answer = s4.get("A_BusinessPartner?$top=1", headers={"X-CSRF-Token": None})
    assert answer.status_code == 200
    assert "x-csrf-token" not in answer.headers


def test_a_change_without_token_or_with_a_wrong_one_is_403_required(s4):
    for token in (None, "", "invented", "Fetch"):
        answer = change(s4, **{"X-CSRF-Token": token})
        assert (answer.status_code, answer.headers["x-csrf-token"]) == (403, "Required")
        assert answer.text == "CSRF token validation failed"
    assert change(s4).status_code == 201


def test_a_token_is_worth_nothing_without_its_cookies(s4):
    token = s4.session.headers["X-CSRF-Token"]
    s4.session.cookies.clear()
    assert change(s4).status_code == 403
    fresh = fetch(s4)
    assert fresh != token
    assert change(s4).status_code == 403
    assert change(s4, **{"X-CSRF-Token": fresh}).status_code == 201


def test_a_session_keeps_its_token_while_it_lives(s4):
    assert fetch(s4) == fetch(s4) == s4.session.headers["X-CSRF-Token"]


def test_a_token_expires_and_a_new_one_is_fetched_with_the_same_cookies(s4, s4_process):
    s4_process.tell("/settings", csrf_life_s=0.0)
    assert change(s4).status_code == 403
    s4_process.tell("/settings", csrf_life_s=60.0)
    s4_process.tell("/settings", csrf_max_uses=2)
    token = fetch(s4)
    found = [change(s4, **{"X-CSRF-Token": token}).status_code for _ in range(3)]
    assert found == [201, 201, 403]
    assert fetch(s4) != token


def test_a_token_may_be_fetched_with_head(s4):
    answer = s4.call("HEAD", "", headers={"X-CSRF-Token": "Fetch"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-csrf-token"]


def test_the_cloud_takes_any_client_or_none(s4):
    assert s4.get("A_BusinessPartner?$top=1&sap-client=100").status_code == 200


@pytest.fixture(scope="module")
def onpremise(start):
    process = start("s4hana", "--profile", "onpremise", "--partners", "30")
    session = requests.Session()
    session.trust_env = False
    session.auth = ("HUB_USER", "sandbox-s4-secret")
    session.headers["Accept"] = "application/json"
    yield lambda path, **params: session.get(
        f"{process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/{path}", params=params, timeout=20
    )
    session.close()


def test_an_own_installation_wants_to_know_the_client(onpremise):
    assert onpremise("A_BusinessPartner").status_code == 401
    assert onpremise("A_BusinessPartner", **{"sap-client": "200"}).status_code == 401
    assert onpremise("A_BusinessPartner", **{"sap-client": "100"}).status_code == 200


def test_an_own_installation_does_not_page_small_sets_and_takes_skip(onpremise):
    client = {"sap-client": "100"}
    content = onpremise("A_BusinessPartner", **client).json()["d"]
    assert (len(content["results"]), "__next" in content) == (30, False)
    rest = onpremise("A_BusinessPartner", **client, **{"$skip": "28", "$orderby": "BusinessPartner"}).json()["d"][
        "results"
    ]
    assert [row["BusinessPartner"] for row in rest] == ["1000028", "1000029"]


def test_login_and_seed_come_from_the_command_line(start):
    process = start("s4hana", "--partners", "2", "--user", "OTHER", "--password", "secret-2")
    answer = requests.get(
        f"{process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/", auth=("OTHER", "secret-2"), timeout=20
    )
    assert answer.status_code == 200
