"""Answers split into raw records, and records decoded one at a time."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.errors import ProtocolError, TransientError
from l2c.http import (
    Answer,
    Shape,
    decode,
    etag_of,
    iso_day,
    iso_time,
    iso_utc,
    join_key,
    records,
    single,
    split_key,
    split_page,
    unwrap,
)


def answer_of(body):
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(200, {}, text, "shop: GET /Things", "http://x/Things", "shop")


def test_a_list_answer_is_split():
    page = split_page(answer_of({"d": {"results": [{"A": 1}, {"A": 2}], "__count": "7", "__next": "Things?x=1"}}))
    assert ([decode(raw) for raw in page.records], page.count, page.next) == ([{"A": 1}, {"A": 2}], 7, "Things?x=1")


@pytest.mark.parametrize("body", [{"d": []}, {"d": {"results": []}}, {"d": {"results": [], "__next": ""}}])
def test_an_empty_list_is_empty(body):
    page = split_page(answer_of(body))
    assert (list(page.records), page.next) == ([], None)


def test_the_older_form_without_results_is_read():
    assert len(split_page(answer_of({"d": [{"A": 1}]})).records) == 1


def test_a_byte_order_mark_is_skipped():
    assert split_page(answer_of(b'\xef\xbb\xbf{"d": {"results": []}}')).count is None


@pytest.mark.fault("R13", "R15", "R16")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": "X/1", "message": {"value": "No"}}}, "an error in a good answer: X/1 No"),
        ({"value": []}, "OData v4, expected v2"),
        ({"d": {"A": 1}}, "not the OData v2 form expected"),
        ({"d": None}, "not the OData v2 form expected"),
        ({}, "not the OData v2 form expected"),
        (b'{"d": {"results": [NaN]}}', "not the JSON expected"),
        (b'{"d": {"results": []}} trailing', "not the JSON expected"),
        (b'{"d": {"results": {}}}', "not the JSON expected"),
        (b"[1]", "not the JSON expected"),
        (b"[" * 100_000, r"not the JSON expected|ends before"),
    ],
)
def test_anything_but_a_list_is_named(body, words):
    with pytest.raises((ProtocolError, TransientError), match=words):
        split_page(answer_of(body))


@pytest.mark.fault("R15")
@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b'{"A": 1, "A": 2}', "'A' stands twice"),
        (b'{"A" : 1, "B": {"C": 1, "C": 2}}', "'C' stands twice"),
        (b'{"A": [{"B": 1}, {"B": 1, "B": 1}]}', "'B' stands twice"),
        (b'{"A": 1e1000000}', "more than 100 digits"),
        (b'{"A": ' + b"1" * 6000 + b"}", "cannot be read"),
        (b'{"A": NaN}', "cannot be read"),
        (b'{"A": "\xff"}', "cannot be read"),
        (b'{"A": "\\ud800"}', "cannot be read"),
        (b'{"A": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "cannot be read"),
    ],
)
def test_a_record_that_is_no_clean_json_is_refused(record, words):
    with pytest.raises(ProtocolError, match=words):
        decode(record)


@pytest.mark.fault("R15")
def test_a_text_that_looks_like_a_field_is_none():
    assert decode(b'{"A": "say \\"B\\": 1", "C": "\\" : "}') == {"A": 'say "B": 1', "C": '" : '}


@pytest.mark.fault("R15")
@pytest.mark.parametrize(
    "body",
    [
        b'{"d": {"results": [{"A": 1}], "results": [{"A": 2}]}}',
        b'{"d": {"results": [{"A": 1}], "results": []}}',
        b'{"d": {"results": [{"A": 1}, {"A": 1}], "__next": "a", "__next": "b"}}',
        b'{"d": {"results": [{"A": 1}]}, "d": {"results": [{"A": 1}]}}',
    ],
)
def test_a_page_with_two_lists_loses_none_of_them_silently(body):
    with pytest.raises(ProtocolError, match="stands twice"):
        split_page(answer_of(body))


@pytest.mark.fault("R14")
def test_an_answer_cut_at_any_byte_is_never_taken_for_whole():
    body = msgspec.json.encode({"d": {"results": [{"A": "ü", "B": "1.50", "C": {"results": [{}]}}], "__count": "1"}})
    for end in range(1, len(body)):
        with pytest.raises((TransientError, ProtocolError)):
            split_page(answer_of(body[:end]))
    assert len(split_page(answer_of(body)).records) == 1


def test_a_cut_answer_is_transient():
    with pytest.raises(TransientError, match="ends before its JSON does"):
        split_page(answer_of(b'{"d": {"results": ['))


def test_one_entity_is_read():
    assert decode(single(answer_of({"d": {"A": 1}}))) == {"A": 1}
    with pytest.raises(ProtocolError, match="OData v4"):
        single(answer_of({"value": 1}))
    with pytest.raises(ProtocolError, match="not the OData v2 form"):
        single(answer_of({"d": None}))


def test_numbers_with_a_fraction_are_decimals():
    assert decode(b'{"a": 19.99, "b": 1e2, "c": 12345678901234567890123, "d": "52.65"}') == {
        "a": Decimal("19.99"),
        "b": Decimal("1e2"),
        "c": 12345678901234567890123,
        "d": "52.65",
    }


SHAPE = Shape(
    (("Day", iso_day), ("Time", iso_time)),
    (("to_Many", Shape((("Until", iso_utc),), (("to_Deep", Shape()),))), ("to_One", Shape((("Day", iso_day),)))),
)


def test_wrappers_are_taken_off_and_dates_become_text():
    data = {
        "__metadata": {"etag": "W/1", "uri": "x"},
        "Day": "/Date(1485820800000)/",
        "Time": "PT11H30M05S",
        "Text": "/Date(1)/",
        "to_Many": {
            "results": [
                {"__metadata": {}, "Until": "/Date(253402300799000+0000)/", "to_Deep": {"__deferred": {"uri": "x"}}},
                {"Until": None, "to_Deep": {"results": []}},
            ]
        },
        "to_One": {"__metadata": {}, "Day": None},
    }
    assert etag_of(data) == "W/1"
    assert unwrap(data, SHAPE) == {
        "Day": "2017-01-31",
        "Time": "11:30:05",
        "Text": "/Date(1)/",
        "to_Many": [{"Until": "9999-12-31T23:59:59Z"}, {"Until": None, "to_Deep": []}],
        "to_One": {"Day": None},
    }


def test_nothing_at_the_end_of_a_navigation_stays_none():
    assert unwrap({"to_One": None}, SHAPE) == {"to_One": None}


@pytest.mark.fault("R7")
def test_a_nested_list_the_server_cut_is_an_error():
    with pytest.raises(ProtocolError, match="cut the nested list 'to_Many'"):
        unwrap({"to_Many": {"results": [{}], "__next": "x"}}, SHAPE)


def test_records_are_decoded_only_when_taken():
    raws = [msgspec.Raw(b'{"K": "1"}'), msgspec.Raw(b"broken")]
    found = records(raws, Shape(), ["K"])
    assert next(found).key == "1"
    with pytest.raises(ProtocolError):
        next(found)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_key_of_several_values_comes_apart_again(values):
    assert split_key(join_key(values), len(values)) == values


def test_a_key_of_another_number_of_values_is_refused():
    with pytest.raises(ValueError, match="has 2 parts, expected 3"):
        split_key("a/b", 3)
