"""The compiled code of the real mappings: its two forms agree, and it knows every word it uses."""

import ast
import copy
import random
from datetime import date

import pytest

from benchmarks import hand_mapping
from l2c.errors import RecordRejected
from l2c.mapping import Env
from tests.unit.mapping.partners import mappers, natives

TODAY = date(2026, 3, 1)
SURPRISES = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError)
STRANGE = [
    None, "", 0, 1, False, True, "x" * 300, "𠮷" * 25, "ß", "a\0", "\ud800", "\ufeffA", [], {}, [None], ["x"], [{}], {"x": 1}, 1.5,
    b"x", "0000-00-00", "2026-13-01", "DE", "de", "9999-12-31T00:00:00Z",
]  # fmt: skip


@pytest.fixture(scope="module")
def real():
    reader, writer = mappers()
    return reader, writer, natives(reader, 500)


def outcome(call):
    try:
        return call()
    except RecordRejected as error:
        return error.reasons


def agree(mapper, record, env) -> bool:
    """Whether the fast form took the record; where it did, the careful form says the same."""
    try:
        fast = mapper.compiled.fast(record, env)
    except SURPRISES:
        fast = None
    careful = outcome(lambda: mapper.compiled.careful(record, env))
    assert fast is None or fast == careful
    assert outcome(lambda: mapper.map(record, env)) == careful
    return fast is not None


def test_good_records_take_the_fast_form_and_both_agree(real):
    reader, writer, records = real
    canonical = [reader.map(record, Env()).data for record in records]
    assert all(agree(reader, record, Env()) for record in records)
    assert all(agree(writer, record, Env(today=TODAY)) for record in canonical)


def spots(value, path=()):
    """Every place in a record where something else could stand."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from spots(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield (*path, number)
            yield from spots(inner, (*path, number))


def damaged(record, rng):
    """The record with one to three places removed or made strange."""
    made = copy.deepcopy(record)
    for _ in range(rng.randint(1, 3)):
        places = list(spots(made))
        *outer, last = rng.choice(places)
        here = made
        for step in outer:
            here = here[step]
        if isinstance(here, dict) and rng.random() < 0.3:
            del here[last]
        else:
            here[last] = copy.deepcopy(rng.choice(STRANGE))
    return made


def test_any_damage_is_mapped_or_rejected_the_same_way_by_both_forms(real):
    reader, writer, records = real
    rng = random.Random(11)
    canonical = [reader.map(record, Env()).data for record in records]
    for _ in range(1500):
        agree(reader, damaged(rng.choice(records), rng), Env())
        agree_on_write(writer, damaged(rng.choice(canonical), rng))


def agree_on_write(writer, record):
    """A canonical record is checked when it is read; here it must only never end in anything but a result or a rejection."""
    env = Env(today=TODAY)
    assert outcome(lambda: writer.map(record, env)) is not None


@pytest.mark.parametrize("which", [0, 1])
def test_the_code_uses_only_names_it_was_given(real, which):
    mapper = real[which]
    for function, source in (
        (mapper.compiled.fast, mapper.compiled.fast_source),
        (mapper.compiled.careful.function, mapper.compiled.careful.source),
    ):
        tree = ast.parse(source)
        read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | {
            "r",
            "env",
            "x",
        }
        known = function.__globals__.keys() | function.__globals__["__builtins__"].keys()
        assert read - own <= known
        assert not any(isinstance(n, (ast.Import, ast.ImportFrom, ast.Global)) for n in ast.walk(tree))


def test_what_is_written_by_hand_gives_the_same(real):
    reader, writer, records = real
    env = Env(today=TODAY)
    for record in records:
        canonical = reader.map(record, Env()).data
        by_hand = hand_mapping.read(record)
        assert by_hand == canonical
        assert list(by_hand) == list(canonical)
        assert hand_mapping.write(canonical, TODAY) == writer.map(canonical, env).data


def test_what_is_written_by_hand_rejects_the_same(real):
    reader, _, records = real
    rng = random.Random(3)
    texts = ["x" * 300, "a\0", "\ud800"]
    names = [
        "OrganizationBPName1",
        "SearchTerm1",
        "BusinessPartner",
        "BusinessPartnerUUID",
        "Industry",
        "TradingPartner",
    ]
    for name in names:
        for text in texts:
            record = {**rng.choice(records), name: text}
            with pytest.raises(RecordRejected):
                reader.map(record, Env())
            with pytest.raises(RecordRejected):
                hand_mapping.read(record)
    for name, value in (
        ("BusinessPartnerCategory", "4"),
        ("BusinessPartnerIsBlocked", "X"),
        ("CreationDate", "2026-02-30"),
    ):
        with pytest.raises(RecordRejected):
            hand_mapping.read({**records[0], name: value})
