"""Basic authentication and OAuth 2.0 client credentials."""

import json
import threading
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from l2c.contract import Connection, System
from l2c.errors import AuthError, ConfigError, ProtocolError
from l2c.http import BasicAuth, ClientCredentials, NoAuth, Token, auth_of


def oauth_system(peer, **extra):
    token_url = f"{peer.url}/oauth/token"
    return System("shop", Connection(f"{peer.url}/service", "cl:ient", SecretStr("ge%heim"), token_url, extra))


class TokenServer:
    """Gives numbered tokens; the service accepts those in `good`."""

    def __init__(self, peer, answer, life=3600):
        self.given = 0
        self.good = set()
        self.life = life
        self.answer = answer
        self.lock = threading.Lock()
        peer.handler = self

    def __call__(self, seen):
        with self.lock:
            if seen.target == "/oauth/token":
                self.given += 1
                self.good.add(f"Bearer t{self.given}")
                return self.answer({"access_token": f"t{self.given}", "expires_in": self.life, "token_type": "bearer"})
            accepted = seen.headers.get("authorization") in self.good
            return self.answer({"d": {"results": []}}, 200 if accepted else 401)


def test_the_connection_decides_how_to_sign_in(peer):
    assert auth_of(System("a", Connection("https://x"))).header() is None
    basic = auth_of(System("a", Connection("https://x", "usér", SecretStr("pä:ss"))))
    assert b64decode(basic.header().removeprefix("Basic ")).decode() == "usér:pä:ss"
    assert isinstance(auth_of(oauth_system(peer)), ClientCredentials)


def test_a_user_without_a_password_is_a_config_error():
    with pytest.raises(ConfigError, match="system 'a': the connection has a user but no password"):
        auth_of(System("a", Connection("https://x", "user")))


def test_a_colon_in_a_user_is_a_config_error():
    with pytest.raises(ConfigError, match="colon"):
        BasicAuth("a:b", "c")


def test_one_token_serves_many_calls(peer, session_for, answer):
    server = TokenServer(peer, answer)
    session = session_for(peer, auth=auth_of(oauth_system(peer)))
    for _ in range(5):
        session.get_json("A")
    assert server.given == 1


def test_client_and_secret_are_form_encoded_before_they_become_basic(peer, session_for, answer):
    TokenServer(peer, answer)
    auth_of(oauth_system(peer, scope="extended")).header()
    seen = peer.seen[0]
    assert b64decode(seen.headers["authorization"].removeprefix("Basic ")).decode() == "cl%3Aient:ge%25heim"
    assert parse_qs(seen.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["extended"]}


def test_client_and_secret_can_go_into_the_body(peer, answer):
    TokenServer(peer, answer)
    auth_of(oauth_system(peer, token_auth="body")).header()
    form = parse_qs(peer.seen[0].body.decode())
    assert (form["client_id"], form["client_secret"]) == (["cl:ient"], ["ge%heim"])
    assert "authorization" not in peer.seen[0].headers


@pytest.mark.fault("A1")
def test_a_token_is_renewed_at_80_percent_of_its_life():
    now = [0.0]
    given = iter(range(9))
    auth = ClientCredentials(lambda: Token(f"t{next(given)}", 100.0), clock=lambda: now[0])
    assert auth.header() == "Bearer t0"
    now[0] = 79.9
    assert auth.header() == "Bearer t0"
    now[0] = 80.0
    assert auth.header() == "Bearer t1"


@pytest.mark.fault("A1")
def test_a_token_revoked_early_is_renewed_once_and_the_call_repeated(peer, session_for, answer):
    server = TokenServer(peer, answer)
    session = session_for(peer, auth=auth_of(oauth_system(peer)))
    session.get_json("A")
    server.good.clear()
    assert session.get_json("A").status == 200
    assert server.given == 2


@pytest.mark.fault("A1")
def test_a_second_refusal_is_an_auth_error(peer, session_for, answer):
    def handler(seen):
        return answer({"access_token": "t", "expires_in": 60}) if "oauth" in seen.target else answer({}, 401)

    peer.handler = handler
    told = "401 credentials refused; check user and password of the connection of 'shop' in config/systems.yaml$"
    with pytest.raises(AuthError, match=told):
        session_for(peer, auth=auth_of(oauth_system(peer))).get("A")
    assert [seen.target for seen in peer.seen].count("/service/A") == 2


def test_a_refused_client_is_an_auth_error_without_the_secret(peer, session_for, answer):
    peer.script(answer({"error": "invalid_client"}, 401))
    with pytest.raises(AuthError, match="POST /oauth/token: 401") as caught:
        session_for(peer, auth=auth_of(oauth_system(peer))).get("A")
    assert "heim" not in str(caught.value)


@pytest.mark.parametrize("body", [{"token": "x"}, {"access_token": 5}, {"access_token": "x", "expires_in": "soon"}])
def test_an_answer_without_a_usable_token_is_named(peer, answer, body):
    peer.script(answer(body))
    with pytest.raises(ProtocolError, match="holds no usable token"):
        auth_of(oauth_system(peer)).header()


@pytest.mark.fault("A2")
def test_eight_threads_fetch_one_token():
    calls = []

    def fetch():
        calls.append(1)
        time.sleep(0.05)
        return Token("t", 100)

    auth = ClientCredentials(fetch)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: auth.header(), range(32))) == {"Bearer t"}
    assert len(calls) == 1


@pytest.mark.fault("A2")
def test_eight_threads_refused_with_one_token_fetch_one_new_token():
    given = iter(range(9))
    auth = ClientCredentials(lambda: Token(f"t{next(given)}", 100))
    old = auth.header()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: auth.refused(old), range(8)))
    assert auth.header() == "Bearer t1"


def test_tokens_do_not_show_in_a_repr():
    assert "secret" not in repr(Token("secret", 1.0))
    assert NoAuth().refused(None) is False
    assert json.dumps(repr(BasicAuth("u", "secret"))).find("secret") == -1
