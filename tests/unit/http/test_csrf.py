"""The CSRF token and its cookies as one thing, with many threads and a server that forgets."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from l2c.errors import AuthError, ProtocolError


class Server:
    """Accepts a write only with a token and the cookie it was given with; a token lives `uses` writes."""

    def __init__(self, peer, answer, reply, uses):
        self.tokens: dict[str, str] = {}
        self.left: dict[str, int] = {}
        self.fetched = self.accepted = self.refused = 0
        self.uses = uses
        self.lock = threading.Lock()
        self.answer, self.reply = answer, reply
        peer.handler = self

    def __call__(self, seen):
        with self.lock:
            if seen.method == "GET":
                if seen.headers.get("x-csrf-token") != "Fetch":
                    # a read without cookies opens a session of its own
                    return self.answer({"d": {"results": []}}, set_cookie="SESSION=other; path=/")
                self.fetched += 1
                token, cookie = f"token{self.fetched}", f"SESSION=s{self.fetched}"
                self.tokens[token], self.left[token] = cookie, self.uses
                return self.answer({}, x_csrf_token=token, set_cookie=f"{cookie}; path=/; HttpOnly")
            token = seen.headers.get("x-csrf-token", "")
            if self.tokens.get(token) != seen.headers.get("cookie") or self.left.get(token, 0) <= 0:
                self.refused += 1
                return self.reply(403, b"CSRF token validation failed", {"x-csrf-token": "Required"})
            self.left[token] -= 1
            self.accepted += 1
            return self.answer({"d": {}}, 201)


def test_one_token_serves_many_writes(peer, session_for, answer, reply):
    server = Server(peer, answer, reply, uses=1000)
    session = session_for(peer, csrf=True)
    for _ in range(5):
        assert session.request("POST", "A", body=b"{}").status == 201
    assert (server.fetched, server.accepted, server.refused) == (1, 5, 0)


def test_reads_ask_for_no_token(peer, session_for, answer, reply):
    server = Server(peer, answer, reply, uses=1)
    session_for(peer, csrf=True).get("A")
    assert server.fetched == 0


@pytest.mark.fault("T6")
def test_eight_threads_share_tokens_that_expire_without_a_lost_write(peer, session_for, answer, reply):
    server = Server(peer, answer, reply, uses=40)
    session = session_for(peer, csrf=True)

    def work(number):
        if number % 3 == 0:
            session.get("A")  # its cookie must not come between token and cookie
        return session.request("POST", "A", body=b"{}").status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(160))) == [201] * 160
    assert server.accepted == 160
    assert server.fetched <= 12


def test_the_first_writes_of_eight_threads_fetch_one_token(peer, session_for, answer, reply):
    server = Server(peer, answer, reply, uses=1000)
    session = session_for(peer, csrf=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: session.request("POST", "A", body=b"{}"), range(8)))
    assert server.fetched == 1


@pytest.mark.fault("T6")
def test_a_token_refused_twice_is_an_auth_error(peer, session_for, answer, reply):
    server = Server(peer, answer, reply, uses=0)
    with pytest.raises(AuthError, match="403"):
        session_for(peer, csrf=True).request("POST", "A", body=b"{}")
    assert (server.fetched, server.refused) == (2, 2)


@pytest.mark.fault("T6")
def test_another_403_is_an_auth_error_at_once(peer, session_for, answer):
    def handler(seen):
        return answer({}, x_csrf_token="t") if seen.method == "GET" else answer({}, 403)

    peer.handler = handler
    with pytest.raises(AuthError, match="not allowed"):
        session_for(peer, csrf=True).request("POST", "A", body=b"{}")
    assert [seen.method for seen in peer.seen] == ["GET", "POST"]


def test_an_answer_without_a_token_is_named(peer, session_for):
    with pytest.raises(ProtocolError, match="gives no CSRF token"):
        session_for(peer, csrf=True).request("POST", "A", body=b"{}")


def test_a_sign_in_page_in_place_of_a_token_is_an_auth_error(peer, session_for, reply):
    peer.script(reply(body=b"<html><title>Log On</title><input type=password></html>"))
    with pytest.raises(AuthError, match="'Log On': sign-in failed"):
        session_for(peer, csrf=True).request("POST", "A", body=b"{}")


def test_token_and_cookies_do_not_show_in_a_repr(peer, session_for, answer, reply):
    Server(peer, answer, reply, uses=1)
    session = session_for(peer, csrf=True)
    session.request("POST", "A", body=b"{}")
    assert "token1" not in repr(session._csrf.known)
    assert "s1" not in repr(session._csrf.known)
