"""Addresses: literals, percent-encoding, query options, `$select` and `$expand`, key lists that stay short."""

from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.http import (
    all_of,
    any_of,
    chunks,
    encode_path,
    encode_query,
    entity_path,
    key_text,
    literal,
    query_path,
    select_expand,
)


@pytest.mark.parametrize(
    ("value", "edm_type", "wanted"),
    [
        ("O'Neill", "Edm.String", "'O''Neill'"),
        ("'", "Edm.String", "''''"),
        ("' or 1 eq 1 or '", "Edm.String", "''' or 1 eq 1 or '''"),
        ("", "Edm.String", "''"),
        (None, "Edm.String", "null"),
        (True, "Edm.Boolean", "true"),
        (False, "Edm.Boolean", "false"),
        (5, "Edm.Int32", "5"),
        (5, "Edm.Int64", "5L"),
        ("1.50", "Edm.Decimal", "1.50M"),
        (Decimal("1E+2"), "Edm.Decimal", "100M"),
        ("2026-01-31", "Edm.DateTime", "datetime'2026-01-31T00:00:00'"),
        ("2026-01-31T10:00:00Z", "Edm.DateTimeOffset", "datetimeoffset'2026-01-31T10:00:00Z'"),
        ("10:00:05", "Edm.Time", "time'PT10H00M05S'"),
        ("PT1H", "Edm.Time", "time'PT1H'"),
        ("0050-ab", "Edm.Guid", "guid'0050-ab'"),
    ],
)
def test_literals(value, edm_type, wanted):
    assert literal(value, edm_type) == wanted


@pytest.mark.parametrize("value", ["1 or 1 eq 1", "", "x", "1)"])
def test_text_that_is_no_number_never_reaches_a_filter(value):
    with pytest.raises(ValueError, match=r"is no Edm\.Int32"):
        literal(value, "Edm.Int32")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("A/B", "Things('A%2FB')"),
        ("O'Neill", "Things('O''Neill')"),
        ("Müller", "Things('M%C3%BCller')"),
        ("a|b", "Things('a%7Cb')"),
        ("100%", "Things('100%25')"),
        ("a b", "Things('a%20b')"),
        ("a%7Cb", "Things('a%257Cb')"),
        ("a?b#c&d", "Things('a%3Fb%23c%26d')"),
        ("a+b", "Things('a%2Bb')"),
        ("日本", "Things('%E6%97%A5%E6%9C%AC')"),
        ("..", "Things('..')"),
        ('a"b\\c', "Things('a%22b%5Cc')"),
    ],
)
def test_a_key_is_encoded_once_for_the_path(value, wanted):
    assert entity_path("Things", {"Key": value}) == wanted


def test_a_composite_key_names_its_parts():
    path = entity_path("A", {"BusinessPartner": "1", "Until": "9999-12-31"}, {"Until": "Edm.DateTime"})
    assert path == "A(BusinessPartner='1',Until=datetime'9999-12-31T00:00:00')"
    assert key_text({"K": "1"}) == "('1')"


@pytest.mark.parametrize("value", ["a+b", "a&b=c", "Köln|x", "50%", "a#b", "a;b", "'quoted'", "a/b", "日本"])
def test_a_query_value_arrives_as_it_was(value, peer, session_for):
    path = query_path("Things", {"$filter": f"Name eq {literal(value)}", "$top": 5})
    session_for(peer).get(path)
    query = dict(parse_qsl(urlsplit(peer.seen[0].target).query))
    assert query == {"$filter": f"Name eq {literal(value)}", "$top": "5"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_encoding_can_always_be_undone_and_leaves_nothing_dangerous(text):
    for encoded in (encode_path(text), encode_query(text)):
        assert unquote(encoded) == text
        assert encoded.isascii()
        assert not set(encoded) & set(' #?&+%"<>\\^`{|}') - {"%"}
    assert "/" not in encode_path(text)


def test_empty_options_are_left_out():
    options = {"$filter": "", "$select": ["A", "to_B/C"], "$expand": [], "$top": 10, "$skip": None}
    assert query_path("Things", options) == "Things?$select=A,to_B/C&$top=10"
    assert query_path("Things", {}) == "Things"


def test_conditions_are_joined_with_parentheses():
    assert all_of(["A eq 1"]) == "A eq 1"
    assert all_of(["A eq 1", "B eq 2 or C eq 3"]) == "(A eq 1) and (B eq 2 or C eq 3)"
    assert any_of(["A eq 1", "A eq 2"]) == "(A eq 1) or (A eq 2)"


def test_select_and_expand_follow_from_dotted_paths():
    select, expand = select_expand(
        ["Name", "to_A.City", "to_A.to_B.Mail", "to_C"], always=["Key"], navigations={"to_C"}
    )
    assert select == ["Key", "Name", "to_A/City", "to_A/to_B/Mail", "to_C"]
    assert expand == ["to_A/to_B", "to_C"]


def test_a_list_named_beside_its_fields_brings_only_those_fields():
    assert select_expand(["to_A", "to_A.City"], navigations={"to_A"}) == (["to_A/City"], ["to_A"])


def test_no_paths_mean_everything_flat():
    assert select_expand([], always=["Key"]) == ([], [])


@pytest.mark.fault("R18")
@given(st.lists(st.text(min_size=1, max_size=60), unique=True, max_size=60), st.integers(100, 2000))
def test_key_lists_stay_short_and_lose_no_key(keys, longest):
    condition = {key: f"K eq {literal(key)}" for key in keys}
    found = chunks(keys, condition, longest=longest, most=7)
    assert [key for chunk in found for key in chunk] == keys
    for chunk in found:
        assert 0 < len(chunk) <= 7
        assert len(chunk) == 1 or len(encode_query(any_of([condition[key] for key in chunk]))) <= longest
