"""Strict YAML: what is text, what is refused, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.config import Block, load_text
from l2c.errors import ConfigError


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, name="f.yaml")
    return list(caught.value.mistakes)


@pytest.mark.parametrize(
    "text",
    ["NO", "no", "on", "yes", "Yes", "010", "0012", "1.10", "12.50", "1e3", "0x10", "0o7", "2026-01-31", "12:30:45", "~", "Null",
     "True", "TRUE", "+5", "-0", ".5", "1_000", ".inf", "null2", "1234567890123456789012"],
)  # fmt: skip
def test_everything_that_is_not_plainly_something_else_stays_text(text):
    assert load_text(f"a: {text}", name="f.yaml") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("7", 7),
        ("-12", -12),
        ("'7'", "7"),
        ('"true"', "true"),
    ],
)
def test_true_false_null_and_whole_numbers_are_themselves_unless_quoted(text, value):
    found = load_text(f"a: {text}", name="f.yaml")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_always_text_as_it_is_written():
    assert load_text("1: a\n010: b\ntrue: c\nNO: d", name="f") == {"1": "a", "010": "b", "true": "c", "NO": "d"}


def test_every_key_and_value_knows_its_place():
    block = load_text("a: 1\nb:\n  - x\n  - {c: 'y'}\n", name="f.yaml")
    assert str(block.keys_at["b"]) == "f.yaml:2:1"
    assert str(block.values_at["a"]) == "f.yaml:1:4"
    assert str(block["b"].values_at[1]) == "f.yaml:4:5"
    assert str(block["b"][1].values_at["c"]) == "f.yaml:4:10", "behind the quote"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: key 'a' stands twice (first in line 1)"),
        ("a: &x 1", "f.yaml:1:4: anchor '&x' is not allowed: write the value out"),
        ("a: !!str 1", "f.yaml:1:4: tag 'tag:yaml.org,2002:str' is not allowed"),
        ("a: !python/object:os.system 1", "f.yaml:1:4: tag '!python/object:os.system' is not allowed"),
        ("a: {<<: {b: 1}}", "f.yaml:1:5: merge key '<<' is not allowed: write the values out"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document; one a file"),
        ("- a", "f.yaml:1:1: expected keys and values at the top of the file"),
        ("[a]: 1", "f.yaml:1:1: a key must be plain text"),
        ("a: [", "f.yaml:2:1: not YAML: did not find expected node content"),
        ("a: 'x", "f.yaml:1:6: not YAML: found unexpected end of stream"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing", "f.yaml:1:1: the file is empty"),
        (b"a: 1\nb: \xff", "f.yaml:2:4: not UTF-8 text"),
        ("a: 1\nü: \x01", "f.yaml:2:4: not YAML: the character U+0001 is not allowed"),
    ],
)  # fmt: skip
def test_what_yaml_allows_and_people_regret_is_refused_with_its_place(text, told):
    assert refused(text)[-1].startswith(told[:60])


def test_all_mistakes_of_a_file_are_told_at_once():
    assert len(refused("a: &x 1\nb: *x\na: 2\nc: !t 3\n")) == 4


def test_a_hostile_depth_cannot_exhaust_the_stack():
    assert "nested more than 50 levels deep" in refused("a: " + "[" * 200_000)[-1]
    assert "nested more than 50 levels deep" in refused("a: " + "{b: " * 60 + "1" + "}" * 60)[-1]
    assert load_text("a: " + "[" * 49 + "]" * 49, name="f")


def test_a_file_of_more_than_a_mebibyte_is_refused():
    assert "larger than" in refused("a: " + "x" * (1 << 20))[0]


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert load_text(b"\xef\xbb\xbfa: 1", name="f") == {"a": 1}


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_give_a_block_or_a_config_error(data):
    try:
        found = load_text(data, name="f")
    except ConfigError as error:
        found = dict.fromkeys(error.mistakes)
    assert isinstance(found, dict)
    assert not isinstance(found, Block) or found.mark.file == "f"
