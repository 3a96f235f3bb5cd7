"""The closed language: what it computes, what it refuses, and that nothing gets out of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.config import EntityConfig, Mark, load_text
from l2c.config.model import parse
from l2c.errors import ConfigError, RecordRejected
from l2c.mapping import Env, compile_condition
from l2c.mapping.expressions import Translator
from l2c.mapping.scopes import Scope, Unit, canonical_names
from l2c.mapping.typed import Mistake
from tests.unit.mapping.small import ENTITY, both, made

THING = parse(EntityConfig, load_text(ENTITY, name="thing.yaml"))


def scope(*, known: bool = True) -> Scope:
    return Scope(Unit(source="canonical/thing", trusted=known), "r", "", canonical_names(THING) if known else None)


def refused(text: str, *, known: bool = True) -> str:
    with pytest.raises(Mistake) as caught:
        Translator(scope(known=known), text, {}).translate()
    return caught.value.text


def holds(text: str, **record) -> bool:
    return compile_condition(THING, text)(record)


HOSTILE = [
    "__import__('os').system('id')", "().__class__.__bases__[0].__subclasses__()", "name.__class__", "name._x", "_x",
    "(lambda: 1)()", "[x for x in parts]", "{x: 1 for x in parts}", "(x for x in parts)", "f'{name}'", "name.upper()",
    "'%s' % name", "'{}'.format(name)", "name[0]", "name[1:2]", "2 ** 999999999", "9 // 2", "9 % 2", "1 << 99",
    "1 | 2", "~1", "+1", "-name", "(x := 1)", "*name", "name if True else 1", "None", "True", "not None", "eval('1')",
    "exec('1')", "open('/etc/passwd')", "getattr(name, 'x')", "globals()", "print(1)", "join(*parts)",
    "join(' ', sep=name)", "join(**parts)", "1 < 2 < 3", "name is null", "await name", "yield name", "{1, 2}",
    "[1, 2]", "(1, 2)", "{'a': 1}", "b'x'", "1j", "0x10", "1_000", "1e400", "...", "'a' 'b' in x", "import os",
    "x = 1", "x; y", "name; name", "lambda x: x", "@x", "", "   ", "(", "'", "name name", "name.", ".name",
    "n\u0430me", "ﬁeld", "name\\x", "'\\x41'", "'\\u0041'", "'\\N{BULLET}'", "r'\\d'", "in_map(name, kind)",
    "in_map('nope', kind)", "this", "parent.name", "settings", "was", "seen", "was.nmae", "truncate(name, 10.5)",
    "truncate(name, 10001)", "truncate(name, count)", "truncate(name, -1)", "preferred('a', 'b')",
    "preferred(name, name)", "pick(parts.name, parts.number)", "abs()", "first_of()", "today(1)", "name == ''",
    "'' != name", "count == 'x'", "on > 1", "name < 5", "name + 1", "'a' + 'b'", "'x' in name", "'x' in ['y', name]",
    "kind in []", "upper(count)", "upper(on)", "length(5)", "number(parts)", "parts.name", "kinds", "place", "\x00",
    "'\x00'", "'\ud800'", "name" + " and name" * 700, "(" * 300 + "1" + ")" * 300, "not " * 60 + "on",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_not_on_the_list_is_refused_with_a_reason(text):
    assert refused(text)


@pytest.mark.parametrize("text", [t for t in HOSTILE if "__" in t or "(" in t or "[" in t], ids=repr)
def test_an_unknown_source_does_not_open_the_language(text):
    try:
        code = Translator(scope(known=False), text, {}).translate().code
    except Mistake:
        return
    assert "__" not in code


@given(st.text(alphabet="abn'\"()[]{}.,+-*/<>=!_ \\0195xif else and or not in lambda:", max_size=60))
def test_any_text_is_a_checked_expression_or_a_mistake(text):
    try:
        made_of = Translator(scope(), text, {}).translate()
    except Mistake:
        return
    compile(made_of.code, "<test>", "eval")
    assert "__" not in made_of.code
    assert "\n" not in made_of.code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nam == 'x'", "unknown name 'nam' in canonical/thing; did you mean 'name'?"),
        ("place.town == 'x'", "unknown name 'town' in canonical/thing (place) (known: 'city', 'code')"),
        ("uper(name)", "unknown function 'uper'; did you mean 'upper'?"),
        ("pad_left(name, 10)", "pad_left(text, length, fill) cannot take 2 arguments"),
        ("name == ''", "an empty text is null here; write empty(…)"),
        ("None", "write 'null', not 'None'"),
        ("'a' + name", "'+' needs numbers, found text; use join('', …)"),
        ("upper(count)", "upper() needs text, found number; use text(…)"),
        ("2 ** 8", "'**' is not allowed in expressions; only + - * /"),
        ("name[0]", "[…] is not allowed in expressions"),
        ("name.upper()", "only functions can be called, no methods"),
    ],
)
def test_messages_say_what_to_do(text, told):
    assert refused(text) == told


@pytest.mark.parametrize(
    ("text", "record", "result"),
    [
        ("kind == 'small'", {"kind": "small"}, True),
        ("kind != 'small'", {"kind": None}, True),
        ("kind == null", {"kind": None}, True),
        ("not on", {"on": None}, True),
        ("on and kind == 'small' or count > 5", {"on": False, "count": 6}, True),
        ("kind in ['small', 'large']", {"kind": "large"}, True),
        ("kind not in ['small']", {"kind": "large"}, True),
        ("'small' in kinds", {"kinds": ["small"]}, True),
        ("'small' in kinds", {"kinds": None}, False),
        ("'small' in kinds", {}, False),
        ("'a' in parts.marks", {"parts": [{"marks": ["x"]}, {"marks": ["a"]}]}, True),
        ("count > 5", {"count": None}, False),
        ("count >= 5.0", {"count": 5}, True),
        ("price * 1.19 > 100", {"price": "84.04"}, True),
        ("price == 10", {"price": "10.00"}, True),
        ("price / 3 * 3 == price", {"price": "10.00"}, False),
        ("price / 0 > 1", {"price": "10.00"}, False),
        ("price + weight == 3", {"price": "1.5", "weight": "1.5"}, True),
        ("abs(price - 3) <= rounding(currency)", {"price": "2.99", "currency": "EUR"}, True),
        ("abs(price - 3) <= rounding(currency)", {"price": "2.99", "currency": None}, True),
        ("-1 < price", {"price": "0"}, True),
        ("day < until", {"day": "2026-01-31", "until": "2026-02-01"}, True),
        ("day < until", {"day": None, "until": "2026-02-01"}, False),
        ("empty(name)", {"name": None}, True),
        ("empty(kinds)", {"kinds": []}, True),
        ("empty(kinds)", {}, True),
        ("valid_on(day, null, until)", {"day": "2026-01-31", "until": "2026-01-31"}, True),
        ("(name if on else kind) == 'small'", {"on": False, "kind": "small"}, True),
        ("starts_with(name, 'Ma') and contains(name, 'x')", {"name": "Max"}, True),
        ("length(name) > 3", {"name": "𠮷𠮷"}, True),
        ("place.city == 'B'", {"place": {"city": "B"}}, True),
        ("place.city == 'B'", {"place": None}, False),
        ("count > 5", {"count": "x"}, False),
        ("count > 5", {"count": {}}, False),
    ],
)
def test_a_condition_says_what_it_reads_like(text, record, result):
    assert holds(text, **record) is result


def test_a_condition_of_a_flow_knows_neither_clock_nor_settings():
    for text in ("day < today()", "settings.x == 'y'", "was.name == name"):
        with pytest.raises(ConfigError, match="not known here"):
            compile_condition(THING, text)


def test_a_condition_is_told_at_its_place():
    with pytest.raises(ConfigError, match=r"config/flows/thing\.yaml:7:18: unknown name 'nmae'"):
        compile_condition(THING, "on and nmae == 'x'", Mark("config/flows/thing.yaml", 7, 11))


@pytest.mark.fault("D2")
def test_number_literals_are_decimal_and_exact(tmp_path):
    mapper = made(tmp_path, "fields: {sum: price * 1.1 + 0.1, third: 'round_half_up(price / 3, 2)'}", direction="write")
    assert both(mapper, {"price": "10.10"}) == {"sum": "11.210", "third": "3.37"}
    assert both(mapper, {"price": None}) == {"sum": None, "third": None}


@pytest.mark.fault("D2")
def test_a_computed_number_of_absurd_size_rejects_the_record_at_once(tmp_path):
    text = "fields: {huge: '" + " * ".join(["price"] * 12) + "'}"
    mapper = made(tmp_path, text, direction="write")
    with pytest.raises(RecordRejected, match="cannot be computed"):
        mapper.map({"price": "9" * 40}, Env())


def test_lists_are_asked_through_their_path(tmp_path):
    text = "fields: {best: 'preferred(parts.name, parts.on)', two: \"pick(parts.name, parts.number, '2', '1')\"}"
    mapper = made(tmp_path, text, direction="write")
    parts = [
        {"number": "1", "name": "a", "on": None},
        {"number": "2", "name": "b", "on": True},
        {"number": "3", "name": None, "on": True},
    ]
    assert both(mapper, {"parts": parts}) == {"best": "b", "two": "b"}
    assert both(mapper, {"parts": parts[:1]}) == {"best": "a", "two": "a"}
    assert both(mapper, {"parts": []}) == {"best": None, "two": None}
    assert both(mapper, {}) == {}


def test_only_checked_words_reach_the_compiler(tmp_path: Path):
    """Texts of the YAML file stand in the code as literals only, whatever they hold."""
    evil = "x'); raise SystemExit('out"
    text = f'value_maps: {{k: {{"{evil}": small}}}}\nfields: {{kind: {{expr: K, value_map: k}}, name: {{value: "{evil[:8]}"}}}}'
    mapper = made(tmp_path, text)
    assert both(mapper, {"Key": "1", "K": evil}) == {"name": evil[:8], "kind": "small"}
