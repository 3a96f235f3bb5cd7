"""Attacks written as expressions are refused when the mapping is loaded; nothing of a record is ever taken for code."""

import re
import time

import pytest

from l2c.errors import ConfigError
from l2c.mapping.patterns import MAX_MATCHED, compile_pattern, matches
from tests.unit.mapping.small import both, made

ATTACKS = """
__import__('os').system('touch pwned')
__import__('os')
().__class__.__base__.__subclasses__()
''.__class__
A.__class__
A.__init__.__globals__
A.__class__.__mro__
A['__class__']
getattr(A, '__class__')
setattr(A, 'x', 'y')
globals()
locals()
vars()
dir()
eval('1')
exec('import os')
compile('1', 'x', 'eval')
open('/etc/passwd')
input()
breakpoint()
help()
print(A)
exit()
type(A)
super()
memoryview(A)
object()
lambda: A
(lambda: A)()
[x for x in A]
{x for x in A}
{x: x for x in A}
(x for x in A)
(x := A)
A if (x := A) else A
f'{A}'
f'{A.__class__}'
'{0.__class__}'.format(A)
'%s' % A
A % 2
9 ** 9 ** 9
9 // 2
1 << 9999999
'a' * 999999999
A | A
~A
A[0]
A[::-1]
*A
join(*A)
join(**A)
join(separator='', part=A)
join.__globals__
upper.__closure__
upper.__code__
calculate('+', A, A)
load(A, 'x')
Decimal('1')
None
True
await A
yield A
yield from A
import os
import os; os.system('x')
A; A
A = 1
del A
assert A
raise A
pass
with A: pass
@A
A()
A.upper()
upper(A).encode()
'x'.join(A)
upper.upper(A)
1 .real
1j
1e999
0x10
1_000
9999999999999999999999999999999999999999
b'bytes'
u'x' 'y' if A else ...
...
{{ A }}
${A}
#{A}
{% import os %}
<%= A %>
`id`
$(id)
A is A
A == A == A
A < A < A
'\\x41'
'\\u0041'
'\\N{BULLET}'
matches(A, A)
matches(A, '(?=x)y')
matches(A, '(x)\\\\1')
matches(A, '(')
matches(A, '(?P<x')
replace(A, 'a', 5)
pad_left(A, 99999999, ' ')
in_map(A, A)
in_map('__builtins__', A)
today()
was.name
""".strip("\n").split("\n")

SIZES = {
    "long": "A + " * 600 + "A",
    "deep brackets": "(" * 300 + "A" + ")" * 300,
    "deep not": "not " * 400 + "A",
    "deep calls": "upper(" * 100 + "A" + ")" * 100,
    "deep choice": "A if A else " * 150 + "A",
    "many minus": "-" * 1900 + "1",
    "deep lists": "[" * 900 + "]" * 900,
    "a number of a thousand digits": "9" * 1500,
    "NUL": "A\0",
    "half a character": "'\ud800'",
    "another line": "A\n\nimport os",
}


def refused(tmp_path, expression: str) -> tuple[str, ...]:
    quoted = "'" + expression.replace("'", "''") + "'"
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, f"fields:\n  name: {quoted}\n")
    return caught.value.mistakes


def test_there_are_more_than_forty_attacks():
    assert len(set(ATTACKS)) >= 100


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_when_the_file_is_read(tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    mistakes = refused(tmp_path, attack)
    assert all(re.match(r"mappings/sys/thing\.read\.yaml:6:\d+: ", line) for line in mistakes), mistakes
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", SIZES)
def test_an_expression_of_hostile_size_is_refused_when_the_file_is_read(tmp_path, name):
    expression = SIZES[name]
    if name in ("half a character", "NUL", "another line"):
        expression = {"half a character": '"\\ud800"', "NUL": '"A\\0"', "another line": '"A\\n\\nimport os"'}[name]
        with pytest.raises(ConfigError, match=r"thing\.read\.yaml:6:"):
            made(tmp_path, f"fields:\n  name: {expression}\n")
        return
    started = time.process_time()
    mistakes = refused(tmp_path, expression)
    assert len(mistakes[0]) < 400
    assert time.process_time() - started < 2


RECORD_VALUES = [
    "{{ 7*7 }}", "${jndi:ldap://x}", "__import__('os').system('x')", "'; DROP TABLE journal; --", "{0.__class__}", "%s%n%x",
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "A.__class__", "\\x41", "{%x%}", "`id`", "upper(A)", "../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("value", RECORD_VALUES)
def test_a_value_of_a_record_is_data_and_nothing_else(tmp_path, value):
    mapper = made(tmp_path, "fields:\n  place.city: trim(A)\n  place.code: truncate(A, 10)\n")
    found = both(mapper, {"Key": "1", "A": value, "B": value})
    assert found["place"] == {"city": value, "code": value[:10]}


@pytest.mark.parametrize(
    "name", ["N", "T", "END", "FUNCTIONS", "calculate", "load", "self", "record", "env", "v1", "K0", "Mapped"]
)
def test_names_of_the_machinery_are_names_of_fields_and_nothing_else(tmp_path, name):
    mapper = made(tmp_path, f"fields: {{place.city: {name}}}")
    assert both(mapper, {"Key": "1", name: "a value"})["place"] == {"city": "a value"}


EVIL = [
    "(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}", "([a-zA-Z]+)*$", "(a*)*b", "(.*)*x", "((a+)+)+$", "(a?){50}a{50}",
    "^(([a-z])+.)+[A-Z]([a-z])+$", "([^@]+)*@", "(x+x+)+y", "(\\w+\\s?)*$", "a*a*a*a*a*a*a*a*b", "(?:.|a)*b", "(.*){1,100}(.*)",
    "(a{0,30}){0,30}", "([a-z]{1,100}){1,9}!?", "\\p{L}{1,80}", "(\\p{L}*){1,90}x", "(a?){300}(a*){300}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EVIL)
def test_an_evil_pattern_takes_no_time(pattern):
    compiled = compile_pattern(pattern)
    text = "a" * (MAX_MATCHED - 1) + "\n"
    took = []
    for _ in range(3):
        started = time.process_time()
        matches(text, compiled)
        took.append(time.process_time() - started)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (
            "(?=a)b",
            "not a pattern of RE2 (invalid perl operator: (?=); look-around and back references do not exist there",
        ),
        ("(?<!a)b", "not a pattern of RE2 (invalid perl operator: (?<!)"),
        ("(a)\\\\1", "not a pattern of RE2 (invalid escape sequence: \\1)"),
        ("a{1001}", "not a pattern of RE2 (invalid repetition size: {1001})"),
        ("(", "not a pattern of RE2 (missing ): ()"),
        ("(?:a{100}){100}", "not a pattern of RE2"),
        ("a" * 501, "pattern is longer than 500 characters"),
    ],
)
def test_a_pattern_re2_does_not_know_is_told_with_its_place(tmp_path, pattern, told):
    (line,) = refused(tmp_path, f"text(matches(A, '{pattern}'))")
    place, _, words = line.partition(": ")
    assert place == "mappings/sys/thing.read.yaml:6:26"
    assert words.startswith(told)


def test_a_pattern_decides_in_a_mapping(tmp_path):
    lines = ("fields:", "  name: A if matches(A, 'DE[0-9]{2}') else 'other'", "  on: matches(B, '\\\\p{L}+')", "")
    mapper = made(tmp_path, "\n".join(lines))
    assert both(mapper, {"Key": "1", "A": "DE12", "B": "Ä"}) == {"name": "DE12", "on": True}
    assert both(mapper, {"Key": "1", "A": "DE123", "B": None}) == {"name": "other", "on": False}
