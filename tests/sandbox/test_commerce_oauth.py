"""Access to the simulated shop: tokens, their life, and who is turned away."""

import pytest
import requests

from .commerce_shop import CLIENT, JSON, started

PATH = "/odata2webservices/L2CB2BUnit/B2BUnits"


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        yield running


def ask(shop, auth=None, **form):
    return requests.post(shop.token_url, data=form, auth=auth, timeout=10)


def use(shop, token):
    return requests.get(shop.address(PATH), headers={"Authorization": f"Bearer {token}", **JSON}, timeout=10)


def test_the_client_may_say_who_it_is_by_basic_or_in_the_form(shop):
    basic = ask(shop, CLIENT, grant_type="client_credentials")
    form = ask(shop, grant_type="client_credentials", client_id=CLIENT[0], client_secret=CLIENT[1])
    for answer in (basic, form):
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "bearer"
        assert 43_000 < answer.json()["expires_in"] <= 43_200
        assert answer.headers["Cache-Control"] == "no-store"
        assert use(shop, answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("auth", [(CLIENT[0], "wrong"), ("nobody", CLIENT[1]), ("", ""), None])
def test_a_wrong_client_is_refused_with_401(shop, auth):
    answer = ask(shop, auth, grant_type="client_credentials")
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "Bad client credentials"}


def test_another_grant_is_refused_with_400(shop):
    answer = ask(shop, CLIENT, grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_without_a_token_or_with_basic_or_a_foreign_token_there_is_401(shop):
    address = shop.address(PATH)
    assert requests.get(address, timeout=10).json()["error"] == "unauthorized"
    assert requests.get(address, auth=CLIENT, timeout=10).status_code == 401
    answer = use(shop, "foreign")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    batch = requests.post(shop.address("$batch"), data=b"", timeout=10)
    assert batch.status_code == 401


def test_metadata_need_a_token_too(shop):
    assert requests.get(shop.address("$metadata"), timeout=10).status_code == 401


def test_a_token_dies_when_its_time_is_over(shop):
    shop.settings(token_lifetime_s=60)
    try:
        token = ask(shop, CLIENT, grant_type="client_credentials").json()
        assert token["expires_in"] <= 60
        assert use(shop, token["access_token"]).status_code == 200
        shop.control("POST", "/clock", {"offset_s": 61})
        answer = use(shop, token["access_token"])
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        assert "expired" in answer.json()["error_description"]
    finally:
        shop.control("POST", "/clock", {"offset_s": 0})
        shop.settings(token_lifetime_s=43_200)


def test_tokens_can_be_revoked(shop):
    token = ask(shop, CLIENT, grant_type="client_credentials").json()["access_token"]
    shop.settings(revoke_tokens=True)
    assert use(shop, token).status_code == 401
    shop.login()


def test_a_shop_may_hand_out_one_token_again_with_what_is_left_of_its_life(shop):
    first = ask(shop, CLIENT, grant_type="client_credentials").json()["access_token"]
    assert ask(shop, CLIENT, grant_type="client_credentials").json()["access_token"] != first
    shop.settings(revoke_tokens=True, reuse_tokens=True)
    try:
        first = ask(shop, CLIENT, grant_type="client_credentials").json()
        shop.control("POST", "/clock", {"offset_s": 100})
        again = ask(shop, CLIENT, grant_type="client_credentials").json()
        assert again["access_token"] == first["access_token"]
        assert again["expires_in"] <= first["expires_in"] - 100
    finally:
        shop.control("POST", "/clock", {"offset_s": 0})
        shop.settings(reuse_tokens=False)
        shop.login()


def test_client_and_secret_can_be_chosen(tmp_path):
    arguments = ("--client-id", "other", "--client-secret", "x:y", "--token-lifetime", "5")
    with started(tmp_path, *arguments, login=False) as shop:
        assert ask(shop, CLIENT, grant_type="client_credentials").status_code == 401
        answer = ask(shop, ("other", "x:y"), grant_type="client_credentials")
        assert answer.json()["expires_in"] <= 5
