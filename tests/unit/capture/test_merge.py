"""The rule of edits: what a system shows against what it showed last."""

from l2c.capture import merge


def everything(_: str) -> bool:
    return True


def nothing(_: str) -> bool:
    return False


def test_an_edit_of_a_field_it_owns_changes_the_head() -> None:
    assert merge({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 5, "b": 2}, everything) == ({"a": 5, "b": 2}, False)


def test_an_edit_of_a_field_it_does_not_own_leaves_the_head_and_is_told() -> None:
    assert merge({"a": 1}, {"a": 1}, {"a": 5}, nothing) == ({"a": 1}, True)


def test_what_it_shows_unchanged_does_not_undo_what_another_system_changed() -> None:
    assert merge({"a": "newer"}, {"a": "old"}, {"a": "old"}, everything) == ({"a": "newer"}, False)


def test_a_field_it_does_not_show_is_kept() -> None:
    assert merge({"a": 1, "other": 9}, {"a": 1}, {"a": 2}, everything) == ({"a": 2, "other": 9}, False)


def test_a_cleared_field_is_an_edit_too() -> None:
    assert merge({"a": 1}, {"a": 1}, {"a": None}, everything) == ({"a": None}, False)


def test_a_field_the_head_does_not_know_yet_is_taken_from_whoever_shows_it() -> None:
    assert merge({}, None, {"new": 1}, nothing) == ({"new": 1}, False)


def test_a_foreign_value_equal_to_the_heads_is_no_edit() -> None:
    assert merge({"a": 5}, {"a": 1}, {"a": 5}, nothing) == ({"a": 5}, False)
