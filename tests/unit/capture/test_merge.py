"""The rule of edits: what a system shows against what it showed last."""

from typing import Any

import pytest

from l2c.capture import Merger, Owner, Owners, Sight

LISTS = {"addresses": "number", "addresses.phones": "position"}


def merger(system: str = "shop", **rules: str) -> Merger:
    rest = rules.pop("rest", "erp")
    named = {path.replace("__", "."): [Owner(owner)] for path, owner in rules.items()}
    return Merger(system, Owners({"*": [Owner(rest)], **named}), LISTS)


def merged(sight: Sight, system: str = "shop", **rules: str) -> tuple[dict[str, Any], bool]:
    found = merger(system, **rules).merge(sight)
    return found.head, found.foreign


def test_an_edit_of_a_field_it_owns_changes_the_head() -> None:
    assert merged(Sight({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 5, "b": 2}), "erp") == ({"a": 5, "b": 2}, False)


def test_an_edit_of_a_field_it_does_not_own_leaves_the_head_and_is_told() -> None:
    assert merged(Sight({"a": 1}, {"a": 1}, {"a": 5})) == ({"a": 1}, True)


def test_what_it_shows_unchanged_does_not_undo_what_another_system_changed() -> None:
    assert merged(Sight({"a": "newer"}, {"a": "old"}, {"a": "old"}), rest="shop") == ({"a": "newer"}, False)


@pytest.mark.fault("T15")
def test_a_field_it_does_not_show_is_kept() -> None:
    assert merged(Sight({"a": 1, "other": 9}, {"a": 1}, {"a": 2}), rest="shop") == ({"a": 2, "other": 9}, False)


def test_a_cleared_field_is_an_edit_too() -> None:
    assert merged(Sight({"a": 1}, {"a": 1}, {"a": None}), rest="shop") == ({"a": None}, False)


def test_a_field_the_head_does_not_know_yet_is_taken_from_whoever_shows_it() -> None:
    assert merged(Sight({}, None, {"new": 1})) == ({"new": 1}, False)


def test_a_foreign_value_equal_to_the_heads_is_no_edit() -> None:
    assert merged(Sight({"a": 5}, {"a": 1}, {"a": 5})) == ({"a": 5}, False)


def test_without_any_owner_every_edit_counts() -> None:
    found = Merger("shop", Owners({}), LISTS).merge(Sight({"a": 1}, {"a": 1}, {"a": 5}))
    assert (found.head, found.foreign) == ({"a": 5}, False)


def test_a_value_a_write_in_doubt_may_have_brought_is_no_edit() -> None:
    sight = Sight({"a": "third"}, {"a": "first"}, {"a": "second"}, doubts=[{"a": "second"}])
    assert merged(sight, rest="shop") == ({"a": "third"}, False)


def test_the_condition_of_an_owner_decides_by_the_record() -> None:
    owners = Owners({"a": [Owner("shop", lambda record: record["number"] is None), Owner("erp")]})
    draft, final = ({"a": 1, "number": number} for number in (None, "7"))
    shop = Merger("shop", owners, {})
    assert shop.merge(Sight(draft, draft, {**draft, "a": 5})).head["a"] == 5
    kept = shop.merge(Sight(final, final, {**final, "a": 5}))
    assert (kept.head["a"], kept.foreign) == (1, True)


# newest


@pytest.mark.fault("F6")
def test_the_younger_edit_stands_and_is_remembered() -> None:
    found = merger(phone="newest").merge(Sight({"phone": "1"}, {"phone": "1"}, {"phone": "2"}, at=10))
    assert (found.head, found.foreign, found.edits) == ({"phone": "2"}, False, ["phone"])


def test_an_edit_older_than_the_one_that_stands_goes_back() -> None:
    sight = Sight({"phone": "erp"}, {"phone": "1"}, {"phone": "2"}, at=10, edits={"phone": (11, "erp")})
    assert merged(sight, phone="newest") == ({"phone": "erp"}, True)


def test_a_tie_goes_to_the_owner_of_the_rest() -> None:
    sight = Sight({"phone": "x"}, {"phone": "1"}, {"phone": "2"}, at=10, edits={"phone": (10, "other")})
    assert merged(sight, "shop", phone="newest") == ({"phone": "x"}, True)
    assert merged(sight, "erp", phone="newest") == ({"phone": "2"}, False)


def test_at_a_first_meeting_the_newest_fills_only_what_is_empty() -> None:
    assert merged(Sight({"phone": "erp"}, None, {"phone": "shop"}), phone="newest") == ({"phone": "erp"}, True)
    assert merged(Sight({"phone": None}, None, {"phone": "shop"}), phone="newest") == ({"phone": "shop"}, False)


# lists


def address(number: str, **fields: Any) -> dict[str, Any]:
    return {"number": number, **fields}


def sight(head: list[Any], view: list[Any] | None, shown: list[Any], **known: Any) -> Sight:
    before = {"addresses": view} if view is not None else None
    return Sight({"addresses": head}, before, {"addresses": shown}, origin="erp", **known)


def test_elements_are_merged_one_by_one_and_keep_what_a_system_does_not_show() -> None:
    head = [address("1", city="Ulm", floor="3"), address("2", city="Rom", floor="1")]
    view = [address("1", city="Ulm"), address("2", city="Rom")]
    shown = [address("2", city="Roma"), address("1", city="Ulm")]
    expected = [address("1", city="Ulm", floor="3"), address("2", city="Roma", floor="1")]
    assert merged(sight(head, view, shown), rest="shop") == ({"addresses": expected}, False)


def test_each_element_belongs_to_the_system_it_was_born_in() -> None:
    head = [address("1", city="Ulm"), address("s", city="Rom")]
    births = {("addresses", "s"): "shop"}
    shown = [address("1", city="Ulm!"), address("s", city="Roma")]
    expected = [address("1", city="Ulm"), address("s", city="Roma")]
    assert merged(sight(head, head, shown, births=births), addresses="each") == ({"addresses": expected}, True)


def test_a_new_element_is_born_where_it_first_showed() -> None:
    head = [address("1", city="Ulm")]
    found = merger(addresses="each").merge(sight(head, head, [*head, address("s", city="Rom")]))
    assert found.head == {"addresses": [*head, address("s", city="Rom")]}
    assert (found.foreign, found.born) == (False, [("addresses", "s")])


def test_only_its_own_system_takes_an_element_away() -> None:
    head = [address("1", city="Ulm"), address("s", city="Rom")]
    births = {("addresses", "s"): "shop"}
    gone = merged(sight(head, head, [head[0]], births=births), addresses="each")
    assert gone == ({"addresses": [head[0]]}, False)
    kept = merged(sight(head, head, [head[1]], births=births), addresses="each")
    assert kept == ({"addresses": head}, True)


def test_an_element_its_owner_took_away_does_not_come_back_with_a_slow_system() -> None:
    old = [address("1", city="Ulm")]
    assert merged(sight([], old, old), addresses="each") == ({"addresses": []}, False)
    edited = [address("1", city="Ulm!")]
    assert merged(sight([], old, edited), addresses="each") == ({"addresses": []}, True)


def test_an_element_the_system_never_showed_stays() -> None:
    head = [address("1", city="Ulm"), address("2", city="Rom")]
    assert merged(sight(head, [head[0]], [head[0]]), addresses="each") == ({"addresses": head}, False)


def test_a_rule_below_a_list_comes_before_the_owner_of_its_element() -> None:
    head = [address("1", city="Ulm", phone="1")]
    shown = [address("1", city="Ulm!", phone="2")]
    found = merger(addresses="each", addresses__phone="newest").merge(sight(head, head, shown, at=5))
    assert found.head == {"addresses": [address("1", city="Ulm", phone="2")]}
    assert (found.foreign, found.edits) == (True, ["addresses/1.phone"])


def test_at_a_first_meeting_the_same_element_under_another_key_is_not_doubled() -> None:
    head = [address("1", city="Ulm", street="Weg", phone="1")]
    shown = [address("88", city="Ulm", street="Weg", phone="2"), address("89", city="Rom", street="Via", phone=None)]
    found = merged(sight(head, None, shown), addresses="each", addresses__phone="newest")
    assert found == ({"addresses": [*head, shown[1]]}, False)


def test_an_element_a_system_may_not_add_goes_away_again() -> None:
    head = [address("1", city="Ulm")]
    assert merged(sight(head, head, [*head, address("2", city="Rom")])) == ({"addresses": head}, True)


def test_lists_within_elements_are_merged_too() -> None:
    phones = [{"position": "1", "number": "5"}, {"position": "2", "number": "6"}]
    head = [address("1", phones=phones, note="x")]
    shown = [address("1", phones=[phones[0]])]
    view = [address("1", phones=phones)]
    expected = [address("1", phones=[phones[0]], note="x")]
    assert merged(sight(head, view, shown), rest="shop") == ({"addresses": expected}, False)


def test_a_list_whose_elements_cannot_be_told_apart_is_one_value() -> None:
    doubled = [address("1", city="Ulm"), address("1", city="Rom")]
    assert merged(sight([address("1", city="Ulm")], [address("1", city="Ulm")], doubled), rest="shop") == (
        {"addresses": doubled},
        False,
    )
