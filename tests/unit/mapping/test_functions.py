"""Every function of the language: what it gives, and null for null."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.mapping.functions import FUNCTIONS
from l2c.mapping.patterns import compile_pattern
from l2c.mapping.values import Unfit, utf16_length

CASES = [
    ("first_of", (None, "", "a", "b"), "a"),
    ("first_of", (0, "a"), 0),
    ("first_of", (None, ""), None),
    ("join", (" ", "a", None, "", "b"), "a b"),
    ("join", (" ", None), None),
    ("upper", ("straße",), "STRAßE"),
    ("upper", ("éa",), "ÉA"),
    ("upper", ("de",), "DE"),
    ("lower", ("İX",), "İx"),
    ("lower", ("DE",), "de"),
    ("trim", ("  a ",), "a"),
    ("trim", ("   ",), None),
    ("truncate", ("abcdef", 3), "abc"),
    ("truncate", ("abc", 3), "abc"),
    ("truncate", ("a𠮷b", 2), "a"),
    ("truncate", ("a𠮷b", 3), "a𠮷"),
    ("pad_left", ("7", 3, "0"), "007"),
    ("pad_left", ("1234", 3, "0"), "1234"),
    ("alpha_in", ("123", 10), "0000000123"),
    ("alpha_in", ("A123", 10), "A123"),
    ("alpha_in", ("٣", 4), "٣"),
    ("alpha_out", ("0000000123",), "123"),
    ("alpha_out", ("000",), "0"),
    ("alpha_out", ("00A",), "00A"),
    ("replace", ("a-b-c", "-", ""), "abc"),
    ("replace", ("-", "-", ""), None),
    ("replace", ("abc", "", "x"), "abc"),
    ("substring", ("abcdef", 2, 3), "cde"),
    ("substring", ("ab", 5, 3), None),
    ("part", ("Maschinenbau Nord GmbH", 1, 17), "Maschinenbau Nord"),
    ("part", ("Maschinenbau Nord GmbH", 2, 17), "GmbH"),
    ("part", ("Maschinenbau Nord GmbH", 3, 17), None),
    ("part", ("abcdefgh", 2, 5), "fgh"),
    ("part", ("𠮷𠮷𠮷", 1, 5), "𠮷𠮷"),
    ("part", (None, 1, 5), None),
    ("before_last", ("30-555-12", "-"), "30-555"),
    ("before_last", ("30", "-"), "30"),
    ("behind_last", ("30-555-12", "-"), "12"),
    ("behind_last", ("30", "-"), None),
    ("starts_with", ("abc", "ab"), True),
    ("starts_with", (None, "ab"), False),
    ("contains", ("abc", "bc"), True),
    ("contains", ("", "bc"), False),
    ("matches", ("DE123456789", compile_pattern("DE[0-9]{9}")), True),
    ("matches", ("DE1234567890", compile_pattern("DE[0-9]{9}")), False),
    ("matches", ("Ärger", compile_pattern(r"\p{Lu}\p{Ll}+")), True),
    ("matches", (None, compile_pattern(".*")), False),
    ("length", ("𠮷a",), 3),
    ("length", (None,), 0),
    ("number", ("12.50",), Decimal("12.50")),
    ("number", ("1e3",), Decimal(1000)),
    ("number", (7,), Decimal(7)),
    ("text", (Decimal("1E+3"),), "1000"),
    ("text", (True,), "true"),
    ("text", (5,), "5"),
    ("text", ("a",), "a"),
    ("round_half_up", ("2.345", 2), Decimal("2.35")),
    ("round_half_up", ("-2.345", 2), Decimal("-2.35")),
    ("round_half_up", ("2.5", 0), Decimal(3)),
    ("abs", ("-3.50",), Decimal("3.50")),
    ("rounding", ("JPY",), Decimal(1)),
    ("rounding", ("BHD",), Decimal("0.001")),
    ("rounding", ("EUR",), Decimal("0.01")),
    ("date", ("2026-01-31T10:00:00Z",), "2026-01-31"),
    ("date", ("20260131",), "2026-01-31"),
    ("date", ("00000000",), None),
    ("date", ("0001-01-01",), None),
    ("date", ("9999-12-31",), "9999-12-31"),
    ("valid_on", ("2026-01-31", "2026-01-31", None), True),
    ("valid_on", ("2026-01-31", None, "2026-01-30"), False),
    ("empty", ([],), True),
    ("empty", ("",), True),
    ("empty", (0,), False),
    ("empty", (False,), False),
    ("in_map", ({"a": 1}, "a"), True),
    ("in_map", ({"a": 1}, None), False),
    ("first_in", ([None, "", "DE", "AT"],), "DE"),
    ("first_in", ([],), None),
    ("preferred", (["a", "b"], [False, True]), "b"),
    ("preferred", ([None, "b"], [True, False]), "b"),
    ("preferred", ([], []), None),
    ("preferred_join", ("-", [False, True], ["1", "2"], ["x", "y"]), "2-y"),
    ("preferred_join", ("-", [True, False], [None, "2"], ["x", ""]), "2"),
    ("preferred_join", ("-", [], [], []), None),
    ("pick", (["x", "y"], ["DE1", "DE0"], "AT0", "DE0"), "y"),
    ("pick", (["x", "y"], ["A", "B"], "B", "A"), "y"),
    ("pick", (["x"], ["A"], "C"), None),
]
NULL_IN = ["upper", "lower", "trim", "alpha_out", "number", "text", "abs", "date"]


@pytest.mark.parametrize(("name", "arguments", "result"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_it_gives(name, arguments, result):
    found = FUNCTIONS[name].call(*arguments)
    assert found == result
    assert type(found) is type(result)


def test_every_function_has_a_case_and_a_sentence():
    assert {case[0] for case in CASES} | {"today"} == FUNCTIONS.keys()
    for function in FUNCTIONS.values():
        assert function.text.endswith(".")
        assert "`" in function.text or len(function.text) > 20


@pytest.mark.parametrize("name", NULL_IN)
def test_null_gives_null(name):
    assert FUNCTIONS[name].call(None) is None
    assert FUNCTIONS[name].call("") is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("upper", (5,)),
        ("join", (" ", 5)),
        ("number", ("1,5",)),
        ("number", (1.5,)),
        ("number", ("1e999",)),
        ("number", (True,)),
        ("number", (Decimal("NaN"),)),
        ("date", ("31.01.2026",)),
        ("date", ("2026-02-30",)),
        ("date", ("2026-01-31X10",)),
        ("text", ([],)),
        ("today", ()),
        ("replace", ("a" * 2000, "a", "b" * 1000)),
        ("abs", ("x",)),
        ("matches", (5, compile_pattern("5"))),
        ("matches", ("31.01" * 400, compile_pattern("5"))),
    ],
)
def test_what_does_not_fit_is_refused_without_the_value_in_the_words(name, arguments):
    with pytest.raises(Unfit) as caught:
        FUNCTIONS[name].call(*arguments)
    assert "31.01" not in caught.value.text


@pytest.mark.fault("D4")
@given(st.text(max_size=40), st.integers(0, 40))
def test_truncate_never_exceeds_its_length_and_never_splits_a_character(text, length):
    found = FUNCTIONS["truncate"].call(text, length) or ""
    assert text.startswith(found)
    assert utf16_length(found) <= length
    rest = text[len(found) :]
    assert not rest or utf16_length(found + rest[0]) > length or rest[0] == "\u200d" or found.endswith("\u200d")


@pytest.mark.fault("D6")
@given(st.from_regex(r"[0-9]{1,10}\Z") | st.text(max_size=10))
def test_alpha_conversion_there_and_back_is_the_external_form(text):
    once = FUNCTIONS["alpha_out"].call(text)
    assert FUNCTIONS["alpha_out"].call(FUNCTIONS["alpha_in"].call(once, 10)) == once
