"""Hostile YAML: bombs, aliases, tags and depth are refused on the stream of events, before anything is built of them."""

import random
import re
import tracemalloc
from pathlib import Path

import pytest

from l2c.config import load_file, load_text
from l2c.config.loader import MAX_BYTES, MAX_MISTAKES
from l2c.errors import ConfigError

ROOT = Path(__file__).parents[2]
NEAR = MAX_BYTES - 20
PLACE = re.compile(r"f\.yaml:[1-9]\d*:[1-9]\d*: ")

LAUGHS = "a: &a [x]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{m}'] * 9)}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)

BOMBS = {
    "billion laughs": (LAUGHS, "anchor '&a' is not allowed"),
    "an alias to itself": ("a: &a [*a]", "alias '*a' is not allowed"),
    "merge keys": ("a: {<<: {b: 1}}", "merge key '<<' is not allowed"),
    "brackets": ("a: " + "[" * NEAR, "nested more than 50 levels deep"),
    "braces": ("a: " + "{b: " * (NEAR // 4), "nested more than 50 levels deep"),
    "question marks": ("? " * (NEAR // 2), "nested more than 50 levels deep"),
    "dashes": ("- " * (NEAR // 2), "nested more than 50 levels deep"),
    "a list as key, deep": ("? " + "[" * 60 + "]" * 60 + "\n: 1", "nested more than 50 levels deep"),
    "a python object": ("a: !!python/object/apply:os.system ['true']", "tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
    "a python name": ("a: !!python/name:os.system", "tag 'tag:yaml.org,2002:python/name:os.system' is not allowed"),
    "a binary": ("a: !!binary aGk=", "tag 'tag:yaml.org,2002:binary' is not allowed"),
    "a set": ("a: !!set {x}", "tag 'tag:yaml.org,2002:set' is not allowed"),
    "a local tag": ("a: !include /etc/passwd", "tag '!include' is not allowed"),
    "a tag of another name space": ("%TAG ! tag:evil,2026:\n---\na: !x 1", "tag 'tag:evil,2026:x' is not allowed"),
    "documents": ("a: 1\n" + "---\n" * 200_000, "a second document"),
    "too large": ("a: 1\n" * (MAX_BYTES // 5 + 1), "the file becomes larger than 1048576 bytes"),
    "the same key without end": ("a: 1\n" * (NEAR // 5), f"more than {MAX_MISTAKES} mistakes; the rest is not told"),
    "anchors without end": ("a:\n" + "- &a\n" * (NEAR // 5), f"more than {MAX_MISTAKES} mistakes; the rest is not told"),
    "directives": ("%YAML 1.1\n" * (NEAR // 10), "not YAML: found duplicate %YAML directive"),
    "NUL": ("a: 1\nb: \0", "the character U+0000 is not allowed"),
    "UTF-16": ("a: 1".encode("utf-16"), "not UTF-8 text"),
    "an overlong form": (b"a: 1\nb: \xc0\xaf", "not UTF-8 text"),
    "half a character": (b"a: \xed\xa0\x80", "not UTF-8 text"),
    "nothing": ("", "the file is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_its_place_and_without_being_built(name):
    text, told = BOMBS[name]
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError) as caught:
            load_text(text, name="f.yaml")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    mistakes = caught.value.mistakes
    assert any(told in line for line in mistakes), mistakes[-1]
    assert all(PLACE.match(line) for line in mistakes), mistakes
    assert len(mistakes) <= MAX_MISTAKES + 1
    assert peak < 16 * 1024 * 1024, f"{peak} bytes"


def test_fifty_levels_and_a_mebibyte_are_fine():
    assert load_text("a: " + "[" * 49 + "]" * 49, name="f.yaml")
    assert len(load_text("a: " + "x" * (MAX_BYTES - 3), name="f.yaml")["a"]) == MAX_BYTES - 3


def test_of_a_huge_file_only_a_mebibyte_is_read(tmp_path):
    place = tmp_path / "huge.yaml"
    with place.open("wb") as file:
        file.truncate(20 * 1024**3)  # sparse: takes no room on the disk
    with pytest.raises(ConfigError, match=r"huge.yaml:1:1: here the file becomes larger than 1048576 bytes"):
        load_file(place, name="huge.yaml")


def test_every_mistake_of_a_file_damaged_at_random_has_its_place():
    chance = random.Random(20260302)
    texts = [place.read_bytes() for place in sorted((ROOT / "config").rglob("*.yaml"))]
    refused = 0
    for _ in range(400):
        data = bytearray(chance.choice(texts)[:4000])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 3)] = chance.choice(
                [b"&a ", b"*a", b"!t ", b"[", b"{", b"'", b"\t", b"\xff", b": ", b"\0"]
            )
        mistakes = mistakes_of(bytes(data))
        refused += bool(mistakes)
        assert all(PLACE.match(line) for line in mistakes), mistakes
    assert refused > 100


def mistakes_of(data: bytes) -> tuple[str, ...]:
    try:
        load_text(data, name="f.yaml")
    except ConfigError as error:
        return error.mistakes
    return ()
