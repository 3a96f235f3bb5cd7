"""What counts as a difference between what a system was given and what it shows."""

from decimal import Decimal

import pytest

from l2c.reconcile.compare import compare, identity, same

KEYS = {"addresses": ("number",), "addresses.phones": ()}


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        (None, ""),
        (None, []),
        ("", None),
        ("Wien", "Wien "),
        ("2026-01-31", "2026-01-31T00:00:00"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        (Decimal("1.50"), "1.5"),
        (Decimal(2), 2),
        (True, True),
    ],
)
def test_values_that_say_the_same_are_the_same(expected, shown):
    assert same(expected, shown)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        (None, "x"),
        ("x", None),
        (False, None),
        (True, 1.5),
        (False, True),
        ("a", "A"),
        ("010", "10"),
        (Decimal("1.50"), "1.51"),
        (Decimal(1), "one"),
        (None, {"isocode": "DE"}),
    ],
)
def test_values_that_say_something_else_differ(expected, shown):
    assert not same(expected, shown)


def test_what_a_system_holds_besides_is_no_difference():
    assert not compare({"name": "A"}, {"name": "A", "rating": 5}, {})


def test_a_nested_field_is_named_by_its_path():
    found = compare({"country": {"isocode": "DE"}}, {"country": {"isocode": "AT", "pk": 1}}, {})
    assert found.fields == ["country.isocode"]


def test_a_nested_object_that_is_gone_differs_in_what_was_given():
    assert compare({"region": {"isocode": "BY", "name": None}}, {"region": None}, {}).fields == ["region.isocode"]


def test_a_reference_that_should_be_cleared_and_stands_there_differs():
    assert compare({"region": None}, {"region": {"isocode": "BY"}}, {}).fields == ["region"]


def test_elements_meet_by_their_key_in_whatever_order():
    given = [{"number": "1", "town": "Wien"}, {"number": "2", "town": "Graz"}]
    shown = [{"number": "2", "town": "Linz"}, {"number": "1", "town": "Wien"}]
    found = compare({"addresses": given}, {"addresses": shown}, KEYS)
    assert (found.fields, found.extra) == (["addresses.town"], [])


def test_an_element_that_is_not_there_is_named_by_its_list_and_one_beyond_is_told_apart():
    given = [{"number": "1", "town": "Wien", "street": "Ring"}]
    shown = [{"number": "9", "town": "Bonn", "street": "Allee"}]
    found = compare({"addresses": given}, {"addresses": shown}, KEYS)
    assert found.fields == ["addresses"]
    assert found.extra == [("addresses", shown[0])]


def test_an_element_the_system_keeps_under_a_key_of_its_own_meets_by_what_it_says():
    given = [{"number": "1", "town": "Wien", "street": "Ring", "zip": "1010"}]
    shown = [{"number": "A7", "town": "Wien", "street": "Ring", "zip": "1010"}]
    assert compare({"addresses": given}, {"addresses": shown}, KEYS).fields == ["addresses.number"]


def test_an_element_without_a_key_differs_from_the_most_similar_in_what_is_not_the_same():
    given = [{"number": "1", "phones": [{"kind": "x", "line": "1"}, {"kind": "y", "line": "2"}]}]
    shown = [{"number": "1", "phones": [{"kind": "y", "line": "2"}, {"kind": "x", "line": "3"}]}]
    found = compare({"addresses": given}, {"addresses": shown}, KEYS)
    assert (found.fields, found.extra) == (["addresses.phones.line"], [])


def test_plain_lists_are_sets_with_what_is_missing_and_what_is_beyond():
    found = compare({"groups": ["a", "b"]}, {"groups": ["b", "c"]}, {})
    assert found.fields == ["groups"]
    assert found.extra == [("groups", "c")]


def test_no_list_and_an_empty_one_are_the_same():
    assert not compare({"addresses": []}, {}, KEYS)
    assert not compare({"addresses": None}, {"addresses": []}, KEYS)


def test_an_element_says_who_it_is_only_with_its_whole_key():
    assert identity({"a": "1", "b": {"c": "2"}}, ("a", "b.c")) == ("1", "2")
    assert identity({"a": "1"}, ("a", "b.c")) is None
    assert identity({"a": "1"}, ()) is None
