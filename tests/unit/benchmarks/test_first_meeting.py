"""What the rig of first meetings makes of dead letters."""

from typing import Any

from benchmarks.first_meeting import Verdict, judge_letters, passed

LOGINS = {"1": "info@mia-berg.example", "2": "info@mia-berg.example", "3": "info@jan-holt.example"}
GOOD: dict[str, Any] = {
    "doubled": 0,
    "wrong_links": 0,
    "doubled_addresses": 0,
    "matched": 3,
    "by_second_rule": 1,
    "ambiguous": 1,
    "ambiguous_listed": 1,
    "listed_besides": 0,
    "expected": {"customer_number": 2, "vat": 1},
}


def letter(key: str, code: str = "key_taken", system: str = "commerce") -> dict[str, str]:
    return {"key": key, "code": code, "system": system}


def judged(*letters: dict[str, str]) -> tuple[bool, list[str]]:
    found = Verdict(dict(GOOD))
    judge_letters(LOGINS, letters, found)
    assert found.figures["dead_letters"] == len(letters)
    assert found.figures["dead_letters_expected"] == 1
    return passed(found.figures), found.lines


def test_of_persons_who_share_an_address_all_but_one_are_expected_to_be_set_aside() -> None:
    assert judged(letter("1")) == (True, [])
    assert judged(letter("2")) == (True, [])


def test_a_dead_letter_nobody_expects_is_named() -> None:
    ok, lines = judged(letter("1"), letter("3"))
    assert not ok
    assert lines == ["dead letter nobody expects: commerce 3: key_taken"]
    assert not judged(letter("1", code="required"))[0]
    assert not judged(letter("1", system="s4hana"))[0]


def test_one_that_is_missing_is_named_by_those_who_share_the_address() -> None:
    ok, lines = judged()
    assert not ok
    assert lines == ["of 1, 2, who share an address, 0 are dead letters, not 1"]
    assert not judged(letter("1"), letter("2"))[0]
