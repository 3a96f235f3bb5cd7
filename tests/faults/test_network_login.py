"""Tokens that live for seconds, lie about their life, or are wanted by many at once."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from l2c.contract import Connection, System
from l2c.errors import AuthError
from l2c.http import ClientCredentials, HttpSession, auth_of
from tests.conftest import Clock
from tests.unit.http.conftest import Peer, Seen, answer, peer

__all__ = ["peer"]
ROOT = Path(__file__).parents[2]

WORKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pydantic import SecretStr
from l2c.contract import Connection, System
from l2c.http import HttpSession, auth_of

url = sys.argv[1]
system = System("shop", Connection(url + "/service", "client", SecretStr("s"), url + "/oauth/token"))
session = HttpSession(system, auth=auth_of(system))
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(lambda number: session.get_json(f"A{number}").status, range(80)))
print(found.count(200))
"""


class Tokens:
    """A token service whose tokens really live for `life` seconds of `clock`, whatever it says of them."""

    def __init__(self, peer: Peer, clock: Clock, *, life: float, said: float | None = None, deaf: bool = False) -> None:
        self.clock, self.life, self.said, self.deaf = clock, life, life if said is None else said, deaf
        self.lock = threading.Lock()
        self.until: dict[str, float] = {}
        self.refused = 0
        peer.handler = self

    @property
    def given(self) -> int:
        return len(self.until)

    def __call__(self, seen: Seen):
        now = self.clock.moment.timestamp()
        with self.lock:
            if seen.target == "/oauth/token":
                token = f"t{self.given}"
                self.until[f"Bearer {token}"] = now + self.life
                return answer({"access_token": token, "expires_in": self.said})
            if self.deaf or self.until.get(seen.headers.get("authorization", ""), 0) <= now:
                self.refused += 1
                return answer({}, 401)
            return answer({"d": {"results": []}})


@pytest.fixture
def session(peer: Peer, clock: Clock):
    """A session whose tokens age with the clock of the test."""
    system = System("shop", Connection(peer.url + "/service", "client", SecretStr("s"), peer.url + "/oauth/token"))

    def now() -> float:
        return clock.moment.timestamp()

    made = HttpSession(system, auth=ClientCredentials(auth_of(system)._fetch, clock=now))
    yield made
    made.close()


@pytest.mark.fault("A1")
def test_tokens_of_three_seconds_last_a_run_without_a_refusal(peer, clock, session):
    tokens = Tokens(peer, clock, life=3)
    for _ in range(60):
        assert session.get_json("A").status == 200
        clock.forward(seconds=0.5)
    assert tokens.refused == 0, "renewed at 80 % of their life"
    assert 10 <= tokens.given <= 13


@pytest.mark.fault("A1")
@pytest.mark.parametrize("said", [3600, "3600", None, "inf"])
def test_a_token_that_lives_shorter_than_said_is_renewed_once_per_life(peer, clock, session, said):
    tokens = Tokens(peer, clock, life=3)
    tokens.said = said
    for _ in range(20):
        assert session.get_json("A").status == 200
        clock.forward(seconds=1)
    assert tokens.refused <= 7
    assert tokens.given <= 8


@pytest.mark.fault("A1")
@pytest.mark.parametrize("said", [0, -5, "nan"])
def test_a_life_that_makes_no_sense_stops_nothing(peer, clock, session, said):
    tokens = Tokens(peer, clock, life=3)
    tokens.said = said
    for _ in range(5):
        assert session.get_json("A").status == 200
    assert tokens.given <= 5


@pytest.mark.fault("A1")
def test_a_system_that_takes_no_token_is_asked_twice_and_no_more(peer, clock, session):
    tokens = Tokens(peer, clock, life=3, deaf=True)
    with pytest.raises(AuthError, match="401 credentials refused"):
        session.get_json("A")
    assert (tokens.given, tokens.refused) == (2, 2)


@pytest.mark.fault("A1")
def test_a_write_whose_token_expired_is_sent_once_more_and_acts_once(peer, clock, session):
    tokens = Tokens(peer, clock, life=3, said=3600)
    session.get_json("A")
    clock.forward(seconds=10)
    assert session.request("POST", "A", body=b"{}").status == 200
    assert tokens.refused == 1
    assert [seen.body for seen in peer.seen if seen.method == "POST" and seen.target == "/service/A"] == [b"{}", b"{}"]


@pytest.mark.fault("A2")
def test_eight_threads_in_each_of_two_processes_ask_for_one_token_a_process(peer, clock):
    tokens = Tokens(peer, clock, life=3600)
    command = [sys.executable, "-c", WORKER, peer.url]
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    assert [worker.communicate(timeout=60)[0].strip() for worker in workers] == [b"80", b"80"]
    assert tokens.given == 2, "a client's tokens do not end one another, so each process has its own"
    assert tokens.refused == 0
