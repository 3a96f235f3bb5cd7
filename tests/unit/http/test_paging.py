"""Paging against servers that repeat, cap, shift and point elsewhere."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from l2c.contract import Connection, System
from l2c.errors import ProtocolError
from l2c.http import KeysetPaging, ServerPaging, after, decode, literal, next_address, query_path, walk


def rows(page):
    return [decode(raw)["K"] for raw in page.records]


def keys_of(session, paging):
    return [key for _, page in walk(session, paging) for key in rows(page)]


def page_of(keys, link=None, count=None):
    body = {"results": [{"K": key} for key in keys]}
    if link:
        body["__next"] = link
    if count is not None:
        body["__count"] = str(count)
    return {"d": body}


@pytest.mark.fault("R2", "R6")
def test_the_servers_links_are_followed_to_the_end(peer, session_for, answer):
    base = f"{peer.url}/service"
    peer.script(
        answer(page_of(["1", "2"], f"{base}/Things?$skiptoken='a b|c'")),
        answer(page_of(["3"], "Things?$skiptoken=2")),
        answer(page_of(["4"])),
    )
    session = session_for(peer)
    assert keys_of(session, ServerPaging(session, "Things")) == ["1", "2", "3", "4"]
    assert unquote(peer.seen[1].target) == "/service/Things?$skiptoken='a b|c'"


@pytest.mark.fault("R6")
def test_a_token_is_not_encoded_a_second_time(peer, session_for, answer):
    peer.script(answer(page_of(["1"], f"{peer.url}/service/Things?$skiptoken=a%2Fb%7C%25")), answer(page_of([])))
    session = session_for(peer)
    list(walk(session, ServerPaging(session, "Things")))
    assert peer.seen[1].target == "/service/Things?$skiptoken=a%2Fb%7C%25"


@pytest.mark.fault("R3")
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_page_that_comes_again_ends_the_read(peer, session_for, answer, length):
    links = [f"{peer.url}/service/Things?$skiptoken={number}" for number in range(length)]
    turn = iter(links * 9)
    peer.handler = lambda _: answer(page_of(["1"], next(turn)))
    session = session_for(peer)
    with pytest.raises(ProtocolError, match="the source repeats page"):
        list(walk(session, ServerPaging(session, "Things")))
    assert len(peer.seen) <= length + 2


@pytest.mark.fault("R5")
def test_a_foreign_next_link_is_refused_before_a_byte_is_sent(peer, other_peer, session_for, answer):
    peer.script(answer(page_of(["1"], f"{other_peer.url}/service/Things?$skiptoken=2")))
    session = session_for(peer)
    with pytest.raises(ProtocolError) as caught:
        list(walk(session, ServerPaging(session, "Things")))
    assert str(caught.value) == (
        f"shop: GET /service/Things: the next link points to '{other_peer.url}', expected '{peer.url}': not followed; if this "
        f"host is the system's own, add '127.0.0.1:{other_peer.port}' to its 'allow_hosts' in config/systems.yaml"
    )
    assert other_peer.seen == []


def test_a_next_link_to_a_listed_host_is_followed_as_the_message_says(peer, other_peer, session_for, answer):
    """A system behind a proxy may name itself by its inner address."""
    peer.script(answer(page_of(["1"], f"{other_peer.url}/service/Things?$skiptoken=2")))
    other_peer.script(answer(page_of(["2"])))
    system = System("shop", Connection(peer.url + "/service"), allow_hosts=(f"127.0.0.1:{other_peer.port}",))
    session = session_for(peer, system=system)
    assert keys_of(session, ServerPaging(session, "Things")) == ["1", "2"]


def test_a_next_link_that_leaves_the_service_of_a_listed_host_is_refused(peer, other_peer, session_for, answer):
    peer.script(answer(page_of(["1"], f"{other_peer.url}/other/Things?$skiptoken=2")))
    system = System("shop", Connection(peer.url + "/service"), allow_hosts=(f"127.0.0.1:{other_peer.port}",))
    session = session_for(peer, system=system)
    with pytest.raises(ProtocolError, match="leaves the service"):
        list(walk(session, ServerPaging(session, "Things")))
    assert other_peer.seen == []


@pytest.mark.fault("R5")
@pytest.mark.parametrize(
    "link", ["/other/Things?$skiptoken=1", "../admin/Things", "/service/../other/x", "/serviceX/Things"]
)
def test_a_next_link_that_leaves_the_service_is_refused(peer, session_for, answer, link):
    peer.script(answer(page_of(["1"], link)))
    session = session_for(peer)
    with pytest.raises(ProtocolError, match="leaves the service"):
        list(walk(session, ServerPaging(session, "Things")))


@pytest.mark.fault("R6")
@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("Things?$skiptoken=1", "/service/Things?$skiptoken=1"),
        ("./Things?a=1", "/service/Things?a=1"),
        ("?$skiptoken=1", "/service/Things?$skiptoken=1"),
        ("/service/Things?x=1", "/service/Things?x=1"),
        ("../service/Things?x=1", "/service/Things?x=1"),
    ],
)
def test_relative_links_are_resolved_against_the_request(peer, session_for, link, path):
    session = session_for(peer)
    answer = session.get("Things?$top=5")
    assert next_address(session, answer, link) == peer.url + path


class Table:
    """A sorted table that pages by `K gt 'x'`, gives at most `cap` rows, and changes while it is read."""

    def __init__(self, peer, answer, keys, cap=1000, links=False, announce=True):
        self.keys, self.cap, self.answer, self.links, self.announce = sorted(keys), cap, answer, links, announce
        self.meanwhile = lambda: None
        peer.handler = self

    def __call__(self, seen):
        options = {name: values[0] for name, values in parse_qs(urlsplit(seen.target).query).items()}
        bound = re.match(r"K gt '(.*)'", options.get("$filter", ""))
        found = [key for key in self.keys if bound is None or key > bound[1]]
        given = found[: min(int(options["$top"]), self.cap)]
        count = len(found) if self.announce and "$inlinecount" in options else None
        link = "Things?$skiptoken=x" if self.links and len(given) < len(found) else None
        self.meanwhile()
        return self.answer(page_of(given, link, count))


def keyset(session, size, start=None):
    def address(position):
        condition = after([("K", literal(position))]) if position is not None else None
        count = "allpages" if position is None else None
        return query_path("Things", {"$filter": condition, "$orderby": "K", "$top": size, "$inlinecount": count})

    return KeysetPaging(session, address, lambda record: record["K"], size, start)


def test_keyset_paging_reads_everything_once(peer, session_for, answer):
    wanted = [f"{number:03}" for number in range(25)]
    Table(peer, answer, wanted)
    session = session_for(peer)
    for size in (1, 5, 7, 25, 100):
        assert keys_of(session, keyset(session, size)) == wanted


@pytest.mark.fault("R2")
@pytest.mark.parametrize("links", [True, False])
def test_a_cap_of_the_server_loses_nothing(peer, session_for, answer, links):
    wanted = [f"{number:03}" for number in range(25)]
    Table(peer, answer, wanted, cap=4, links=links)
    session = session_for(peer)
    assert keys_of(session, keyset(session, 10)) == wanted


@pytest.mark.fault("R1")
def test_records_deleted_and_added_while_paging_lose_nothing_that_stays(peer, session_for, answer):
    table = Table(peer, answer, [f"{number:03}" for number in range(0, 60, 2)])
    changes = iter([("del", "000"), ("del", "010"), ("add", "001"), ("del", "030"), ("add", "057"), ("add", "059")])

    def meanwhile():
        kind, key = next(changes, ("", ""))
        if kind == "del" and key in table.keys:
            table.keys.remove(key)
        elif kind == "add":
            table.keys = sorted([*table.keys, key])

    table.meanwhile = meanwhile
    session = session_for(peer)
    found = keys_of(session, keyset(session, 5))
    assert len(found) == len(set(found))
    assert set(table.keys) - set(found) <= {"001"}


@pytest.mark.fault("R3")
def test_a_server_that_ignores_the_filter_is_noticed(peer, session_for, answer):
    peer.handler = lambda _: answer(page_of(["1", "2"]))
    session = session_for(peer)
    with pytest.raises(ProtocolError, match="repeats page"):
        list(walk(session, keyset(session, 2)))


def test_keyset_paging_resumes_behind_a_position(peer, session_for, answer):
    Table(peer, answer, ["a", "b", "c", "d"])
    session = session_for(peer)
    assert keys_of(session, keyset(session, 2, start="b")) == ["c", "d"]


def test_the_keyset_condition_of_three_fields_is_lexicographic():
    text = after([("A", "1"), ("B", "2"), ("C", "3")])
    assert text == "A gt 1 or (A eq 1 and (B gt 2 or (B eq 2 and (C gt 3))))"
