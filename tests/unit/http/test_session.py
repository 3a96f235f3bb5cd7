"""The HTTP session against a peer that does everything wrong."""

import gzip
import json
import time
import traceback
import zlib

import pytest
from pydantic import SecretStr

from l2c.contract import Connection, System
from l2c.errors import AuthError, ConfigError, ProtocolError, TransientError
from l2c.http import AnswerLost, BasicAuth, HttpSession, Limits, Retries

PAGE = {"d": {"results": []}}


def test_it_sends_what_it_is_told_and_reads_the_whole_answer(peer, session_for, answer):
    peer.script(answer(PAGE, etag="W/1"))
    got = session_for(peer, auth=BasicAuth("user", "geheim")).get_json("Things?$top=1", headers={"X-Test": "1"})
    assert (got.status, json.loads(got.body), got.headers["ETag"]) == (200, PAGE, "W/1")
    seen = peer.seen[0]
    assert (seen.method, seen.target) == ("GET", "/service/Things?$top=1")
    assert seen.headers["authorization"] == "Basic dXNlcjpnZWhlaW0="
    assert seen.headers["x-test"] == "1"


def test_a_connection_is_used_again(peer, session_for, answer):
    session = session_for(peer)
    for _ in range(3):
        session.get_json("Things")
    assert len(peer._open) == 1


def test_every_address_gets_the_sessions_own_query_once(peer, session_for):
    session = session_for(peer, query={"sap-client": "100"})
    session.get("A")
    session.get("A?$top=1")
    session.get(f"{peer.url}/service/A?sap-client=200&x=1")
    assert [seen.target for seen in peer.seen] == [
        "/service/A?sap-client=100",
        "/service/A?$top=1&sap-client=100",
        "/service/A?sap-client=200&x=1",
    ]


@pytest.mark.fault("N5")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_nothing_is_taken_from_the_environment(peer, session_for, monkeypatch, name, tmp_path):
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password p")
    monkeypatch.setenv("NETRC", str(netrc))
    session_for(peer).get("A")
    assert "authorization" not in peer.seen[0].headers


def test_cookies_of_an_answer_are_not_sent_again(peer, session_for, answer):
    peer.script(answer(PAGE, set_cookie="a=1; path=/"))
    session = session_for(peer)
    session.get("A")
    session.get("A")
    assert "cookie" not in peer.seen[1].headers


# what a status means


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_an_auth_error(peer, session_for, answer, status, waits):
    peer.script(answer({"error": {"code": "X/1", "message": {"value": "No"}}}, status))
    with pytest.raises(AuthError, match=f"GET /service/A: {status} .*: No"):
        session_for(peer).get("A")
    assert waits == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_a_busy_server_is_tried_again_and_then_transient(peer, session_for, answer, status, waits):
    peer.script(answer({}, status))
    with pytest.raises(TransientError, match=str(status)) as caught:
        session_for(peer).get("A")
    assert not isinstance(caught.value, AnswerLost)
    assert len(peer.seen) == 3
    assert len(waits) == 2


def test_a_busy_server_that_recovers_is_not_noticed(peer, session_for, answer):
    peer.script(answer({}, 503), answer(PAGE))
    assert session_for(peer).get("A").status == 200


def test_an_unexpected_status_names_saps_own_words(peer, session_for, answer):
    error = {"error": {"code": "005", "message": {"lang": "en", "value": "Property 'X' is not valid"}}}
    peer.script(answer(error, 400))
    with pytest.raises(ProtocolError, match=r"^shop: GET /service/A: 400 005: Property 'X' is not valid$") as caught:
        session_for(peer).get("A?$filter=X eq 'geheim'")
    assert caught.value.code == "005"


# Retry-After


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("2", None, 2.0),
        ("0", None, 0.0),
        ("-5", None, 0.0),
        ("Mon, 02 Mar 2026 08:00:04 GMT", "Mon, 02 Mar 2026 08:00:00 GMT", 4.0),
        ("Mon, 02 Mar 2026 07:00:00 GMT", "Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_honoured_in_both_forms(peer, session_for, answer, waits, text, date, seconds):
    peer.script(answer({}, 429, Retry_After=text, **({"Date": date} if date else {})), answer(PAGE))
    session_for(peer).get("A")
    assert waits == [seconds]


@pytest.mark.parametrize(("text", "seconds"), [("60", 60.0), ("99999999999", 3600.0)])
def test_a_long_retry_after_ends_the_call_at_once(peer, session_for, answer, waits, text, seconds):
    peer.script(answer({}, 429, Retry_After=text))
    with pytest.raises(TransientError) as caught:
        session_for(peer).get("A")
    assert (caught.value.retry_after, waits, len(peer.seen)) == (seconds, [], 1)


@pytest.mark.parametrize("text", ["soon", "Mon, 99 Foo", "", "1e999", "٣"])
def test_an_unreadable_retry_after_is_none(peer, session_for, answer, text):
    peer.script(answer({}, 429, Retry_After=text))
    with pytest.raises(TransientError) as caught:
        session_for(peer).get("A")
    assert caught.value.retry_after is None


# writes: what may have acted is never repeated


@pytest.mark.fault("N1")
def test_a_write_without_an_answer_may_have_acted(peer, session_for, reply):
    peer.script(reply(silent=True))
    with pytest.raises(AnswerLost, match="may have acted"):
        session_for(peer).request("POST", "A", body=b"{}")
    assert len(peer.seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_answered_5xx_may_have_acted(peer, session_for, answer, status):
    peer.script(answer({}, status))
    with pytest.raises(AnswerLost):
        session_for(peer).request("POST", "A", body=b"{}")
    assert len(peer.seen) == 1


def test_a_write_refused_for_load_was_not_done_and_is_sent_again(peer, session_for, answer):
    peer.script(answer({}, 429), answer({}, 503, Retry_After="1"), answer({"d": {}}, 201))
    assert session_for(peer).request("POST", "A", body=b"{}").status == 201
    assert len(peer.seen) == 3


def test_a_write_that_may_be_repeated_is(peer, session_for, answer, reply):
    peer.script(reply(silent=True), answer({}, 500), answer({}, 201))
    assert session_for(peer).request("POST", "A", body=b"{}", repeatable=True).status == 201


@pytest.mark.fault("N1")
def test_a_write_that_never_left_is_transient(peer, session_for):
    session = session_for(peer)
    peer.close()
    with pytest.raises(TransientError, match="connection refused; nothing was sent") as caught:
        session.request("POST", "A", body=b"{}")
    assert not isinstance(caught.value, AnswerLost)


def test_a_refused_write_is_an_answer(peer, session_for, answer):
    peer.script(answer({}, 412))
    assert session_for(peer).request("PATCH", "A", body=b"{}").status == 412


@pytest.mark.fault("N1")
def test_an_unknown_host_is_transient(peer, session_for):
    system = System("shop", Connection("https://host.invalid/service"))
    with pytest.raises(TransientError, match=r"the host name is not known|no connection"):
        session_for(peer, system=system, retries=Retries(attempts=1)).get("A")


# cut, slow and oversized answers


@pytest.mark.fault("N1")
def test_a_body_shorter_than_announced_is_transient(peer, session_for, reply):
    peer.script(reply(body=b'{"d": {"results": []', length=500, close=True))
    with pytest.raises(TransientError, match="cut short"):
        session_for(peer).get("A")
    assert len(peer.seen) == 3


@pytest.mark.fault("R14")
def test_a_chunked_body_without_its_end_is_transient(peer, session_for, reply):
    raw = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"d":\r\n'
    peer.script(reply(raw=raw, close=True))
    with pytest.raises(TransientError):
        session_for(peer).get("A")


@pytest.mark.fault("R14")
def test_an_answer_cut_anywhere_never_passes_for_a_whole_one(peer, session_for, reply):
    body = json.dumps({"d": {"results": [{"A": "ü", "B": 1.5}], "__count": "1"}}).encode()
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    session = session_for(peer, retries=Retries(attempts=1))
    for end in range(len(whole)):
        peer.script(reply(raw=whole[:end], close=True))
        with pytest.raises((TransientError, ProtocolError)):
            session.get_json("A")


@pytest.mark.fault("N2")
@pytest.mark.parametrize("drip_head", [True, False])
def test_a_dripping_answer_ends_at_the_deadline(peer, session_for, reply, drip_head):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    raw = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 5000 if drip_head else head + b"x" * 1000
    peer.script(reply(raw=raw, drip=1 if drip_head else len(head) + 1, pause=0.05, close=True))
    if not drip_head:
        peer.handler = lambda _: reply(raw=head + b"x" * 1000, drip=20, pause=0.05)
    session = session_for(peer, limits=Limits(deadline_s=0.4, silence_s=10), retries=Retries(attempts=1))
    started = time.monotonic()
    with pytest.raises(TransientError, match="in time"):
        session.get("A")
    assert time.monotonic() - started < 1.5


@pytest.mark.fault("N2")
def test_silence_ends_the_call(peer, session_for, reply):
    peer.script(reply(pause=3))
    session = session_for(peer, limits=Limits(deadline_s=10, silence_s=0.2), retries=Retries(attempts=1))
    started = time.monotonic()
    with pytest.raises(TransientError, match="in time"):
        session.get("A")
    assert time.monotonic() - started < 1.5


@pytest.mark.fault("N3", "R17")
@pytest.mark.parametrize("length", [-1, None])
def test_an_answer_over_the_limit_is_not_read(peer, session_for, reply, length):
    peer.script(reply(body=b"x" * 2_000_000, length=length, close=True))
    with pytest.raises(ProtocolError, match="larger than 100000 bytes") as caught:
        session_for(peer, limits=Limits(max_bytes=100_000)).get("A")
    assert caught.value.code == "too_large"


def test_an_oversized_answer_to_a_write_leaves_it_open_whether_it_acted(peer, session_for, reply):
    peer.script(reply(body=b"x" * 200_000))
    with pytest.raises(AnswerLost, match="larger than"):
        session_for(peer, limits=Limits(max_bytes=100_000)).request("POST", "A", body=b"{}")


@pytest.mark.fault("N3")
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_decompression_bomb_is_stopped_at_the_limit(peer, session_for, reply, coding):
    zeros = b"\0" * 50_000_000
    body = gzip.compress(zeros, 9) if coding == "gzip" else zlib.compress(zeros, 9)
    peer.script(reply(body=body, headers={"Content-Encoding": coding}))
    with pytest.raises(ProtocolError, match="larger than"):
        session_for(peer, limits=Limits(max_bytes=1_000_000)).get("A")


def test_compressed_answers_are_read(peer, session_for, reply):
    body = gzip.compress(json.dumps(PAGE).encode())
    peer.script(reply(body=body, headers={"Content-Encoding": "gzip"}))
    assert json.loads(session_for(peer).get_json("A").body) == PAGE


def test_a_damaged_compression_is_transient(peer, session_for, reply):
    peer.script(reply(body=b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TransientError, match="compression is damaged"):
        session_for(peer).get("A")


# redirects and foreign addresses


@pytest.mark.fault("N4")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused_before_a_byte_is_sent(peer, other_peer, session_for, reply, status):
    peer.script(reply(status, headers={"Location": other_peer.url + "/login"}))
    with pytest.raises(ProtocolError, match=rf"points to '{other_peer.url}', expected '{peer.url}'"):
        session_for(peer, auth=BasicAuth("u", "p")).get("A")
    assert other_peer.seen == []


def test_a_redirect_inside_the_origin_is_followed_for_a_read(peer, session_for, reply, answer):
    peer.script(reply(302, headers={"Location": "/service/B"}), answer(PAGE))
    assert session_for(peer).get("A").status == 200
    assert peer.seen[1].target == "/service/B"


@pytest.mark.fault("N4")
def test_a_redirect_of_a_write_is_not_followed(peer, session_for, reply):
    peer.script(reply(307, headers={"Location": "/service/B"}))
    with pytest.raises(ProtocolError, match="redirected"):
        session_for(peer).request("POST", "A", body=b"{}")
    assert len(peer.seen) == 1


def test_redirects_without_end_are_given_up(peer, session_for, reply):
    peer.script(reply(302, headers={"Location": "/service/A"}))
    with pytest.raises(ProtocolError, match="redirected"):
        session_for(peer).get("A")
    assert len(peer.seen) == 4


FOREIGN = [
    "http://other.example/service/A",
    "https://127.0.0.1/service/A",
    "//other.example/service/A",
    "http://127.0.0.1:{port}@other.example/A",
    "http://user:pw@127.0.0.1:{port}/A",
    "file:///etc/passwd",
    "ftp://127.0.0.1/A",
    "http://[::ffff:7f00:1]:{port}/A",
    "http://2130706433:{port}/A",
    "http://127.1:{port}/A",
    "gopher://127.0.0.1:{port}/A",
]


@pytest.mark.fault("N4")
@pytest.mark.parametrize("address", FOREIGN)
def test_an_address_outside_the_border_is_refused(peer, session_for, address):
    with pytest.raises(ProtocolError, match="not followed"):
        session_for(peer).get(address.format(port=peer.port))
    assert peer.seen == []


def test_a_listed_host_is_reached(peer, other_peer, session_for):
    system = System("shop", Connection(peer.url + "/service"), allow_hosts=(f"127.0.0.1:{other_peer.port}",))
    session_for(peer, system=system).get(f"{other_peer.url}/x")
    assert other_peer.seen[0].target == "/x"


def test_a_listed_host_without_a_port_is_not_reached_on_any_port(peer, other_peer, session_for):
    system = System("shop", Connection(peer.url + "/service"), allow_hosts=("127.0.0.1",))
    with pytest.raises(ProtocolError, match="not followed"):
        session_for(peer, system=system).get(f"{other_peer.url}/x")
    assert other_peer.seen == []


@pytest.mark.parametrize("url", ["http://erp.example", "ftp://erp.example", "erp.example", "https://u:p@erp.example"])
def test_an_unusable_connection_address_is_a_config_error(url):
    with pytest.raises(ConfigError, match="system 'shop': the connection's address"):
        HttpSession(System("shop", Connection(url)))


@pytest.mark.fault("N6")
def test_plain_http_needs_to_be_allowed():
    HttpSession(System("shop", Connection("http://erp.example", extra={"allow_plain": "true"}))).close()


# words


@pytest.mark.fault("R12")
def test_an_html_page_in_place_of_json_is_named(peer, session_for, reply):
    page = b"<!DOCTYPE html><html><head><title>Status &amp; more</title></head><body>geheim</body></html>"
    peer.script(reply(body=page, headers={"Content-Type": "text/html"}))
    with pytest.raises(ProtocolError) as caught:
        session_for(peer).get_json("A")
    wanted = "shop: GET /service/A: expected JSON, got an HTML page titled 'Status & more': is the address right?"
    assert str(caught.value) == wanted


@pytest.mark.fault("R12")
def test_a_sign_in_page_is_an_auth_error(peer, session_for, reply):
    page = b"<html><title>Anmeldung</title><form><input type='password'></form></html>"
    peer.script(reply(body=page, headers={"Content-Type": "application/json"}))
    with pytest.raises(AuthError, match="got an HTML page titled 'Anmeldung': sign-in failed"):
        session_for(peer).get_json("A")


@pytest.mark.fault("R19")
@pytest.mark.parametrize(
    ("body", "words"),
    [(b"", "an empty answer"), (b"<?xml version='1.0'?><feed/>", "XML"), (b"hello", "something else")],
)
def test_anything_else_in_place_of_json_is_named(peer, session_for, reply, body, words):
    peer.script(reply(body=body))
    with pytest.raises(ProtocolError, match=f"expected JSON, got {words}"):
        session_for(peer).get_json("A")


def test_no_error_shows_a_secret_or_a_record(peer, session_for, reply, answer):
    target = "Partners('4711-Meier')?$filter=Name eq 'Meier'&apikey=K123"
    system = System("shop", Connection(peer.url + "/service", "user", SecretStr("geheim-7")))
    session = session_for(peer, system=system, auth=BasicAuth("user", "geheim-7"), retries=Retries(attempts=1))
    bodies = b'{"name": "Meier"}'
    for made in (
        answer({}, 401),
        answer({}, 500),
        reply(silent=True),
        reply(302, headers={"Location": "http://x/Meier?a=K123"}),
    ):
        peer.script(made)
        for method, body in (("GET", None), ("POST", bodies)):
            with pytest.raises((AuthError, ProtocolError, TransientError)) as caught:
                session.request(method, target, body=body, expect=(200,))
            shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__)
            for word in ("geheim-7", "Meier", "K123", "4711", "Z2VoZWltLTc"):
                assert word not in shown.replace(f'"{target}"', "").replace(target, ""), (made, word)


def test_a_certificate_nobody_vouches_for_is_named(tls_peer, session_for):
    system = System("shop", Connection(tls_peer.url))
    with pytest.raises(ProtocolError, match="certificate is not trusted"):
        session_for(None, system=system).get("A")


@pytest.mark.fault("N6")
def test_a_private_ca_goes_into_ca_file(tls_peer, session_for):
    system = System("shop", Connection(tls_peer.url), ca_file=tls_peer.ca_file)
    assert session_for(None, system=system).get("A").status == 200


@pytest.mark.fault("N2")
def test_a_dripping_answer_ends_at_the_deadline_over_tls_too(tls_peer, session_for):
    tls_peer.drip = True
    system = System("shop", Connection(tls_peer.url), ca_file=tls_peer.ca_file)
    session = session_for(None, system=system, limits=Limits(deadline_s=0.5), retries=Retries(attempts=1))
    started = time.monotonic()
    with pytest.raises(TransientError, match="in time"):
        session.get("A")
    assert time.monotonic() - started < 1.5
