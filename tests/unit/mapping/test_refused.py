"""Mapping files that cannot work are refused when they are loaded, each mistake with what to write instead."""

import pytest

from l2c.config import Project
from l2c.errors import ConfigError
from l2c.mapping import load_mapper
from tests.unit.mapping.small import made, mistakes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields: {name: 5}", "a rule is an expression or keys; for the constant write {value: 5}"),
        ("fields: {name: {expr: A, value: x}}", "a rule needs exactly one of 'expr', 'value', 'fields' or 'for_each'"),
        ("fields: {name: {}}", "a rule needs exactly one of"),
        ("fields: {name: {value: x, required: true}}", "'required' cannot stand beside 'value'"),
        ("fields: {name: {expr: A, missing: wait}}", "'missing' belongs to 'reference'"),
        ("fields: {parts: {for_each: A}}", "'for_each' needs either 'fields'"),
        ("fields: {parts: {for_each: A, expr: B, fields: {number: N}}}", "'expr' cannot stand beside 'for_each'"),
        ("fields: {parts: {for_each: A, fields: {name: N}}}", "'parts' needs a rule for 'number', which tells its elements apart"),
        ("fields: {parts: P}", "'parts' needs for_each: it is a list"),
        ("fields: {name: {for_each: A, value: B}}", "'name' is no list; for_each makes lists only"),
        ("fields: {place: P}", "'place' needs fields: it is a nested record"),
        ("fields: {name: {fields: {a: B}}}", "'name' is one value, not a nested record"),
        ("fields: {nmae: N}", "unknown field 'nmae' in canonical/thing; did you mean 'name'?"),
        ("fields: {place.town: N}", "unknown field 'town' in canonical/thing (place) (known: 'city', 'code')"),
        ("fields: {place.city: N, place: {fields: {code: C}}}", "'place' has a rule of its own and rules with a dot behind it"),
        ("fields: {kind: {value: huge}}", "'kind': value 'huge' is not one of small, large"),
        ("fields: {kind: {expr: A, default: smal}}", "'kind': default 'smal' is not one of small, large; did you mean 'small'?"),
        ("fields: {name: {expr: A, default: far too long}}", "'name': default 'far too long' is longer than 8"),
        ("fields: {on: {value: 'true'}}", "'on': value 'true' is not boolean"),
        ("fields: {day: {value: 31.01.2026}}", "'day': value '31.01.2026' is not a date as YYYY-MM-DD"),
        ("fields: {country: {expr: A, default: DEU}}", "'country': default 'DEU' does not fit"),
        ("fields: {kind: {expr: A, value_map: kinds}}", "unknown value map 'kinds'"),
        ("fields: {kind: {expr: A, value_map: code_list/terms}}", "captured code lists cannot be used as value maps yet"),
        ("fields: {on: upper(A)}", "'on' is boolean, but the rule gives text"),
        ("fields: {on: today() > D}", "today() belongs to write mappings"),
        ("fields: {name: was.name}", "'was.' and 'seen.' belongs to write mappings"),
        ("when: A\nfields: {name: N}", "'when' belongs to write mappings"),
        ("group_by: [A]\nfields: {name: N}", "'group_by' is not carried out yet"),
        ("fields: {name: {for_each: 'A[0]', value: B}}", "'A[0]' is not the path of a list"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_work_is_refused(tmp_path, text, told):
    assert any(told in line for line in mistakes(tmp_path, text)), mistakes(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("when: on\nfields: {a: key}", "'when' and 'leave' stand together"),
        ("leave: keep\nfields: {a: key}", "'when' and 'leave' stand together"),
        ("when: on\nleave: block\nfields: {a: key}", "'leave: block' needs 'blocked'"),
        ("when: on\nleave: keep\nblocked: {a: x}\nfields: {a: key}", "'blocked' belongs to 'leave: block'"),
        ("key: uid\nfields: {uuid: key}", "'key': 'uid' is no field of this mapping; did you mean 'uuid'?"),
        ("key: uid\nfields: {uid: {for_each: kinds, value: this}}", "'uid' must be a field with one value"),
        ("group_by: [key]\nfields: {a: key}", "'group_by' belongs to read mappings"),
        ("for_each: parts\nfields: {a: key}", "'for_each' needs 'leave'"),
        ("with: [consent]\nfields: {a: key}", "'with' at the head of a file is not carried out yet"),
        ("actions: [{do: cancel, when: kindd == 'small'}]\nfields: {a: key}", "unknown name 'kindd' in canonical/thing"),
        ("actions: [{do: x, when: on, else: {dead: y}}]\nfields: {a: key}", "unknown key 'dead' (known: 'dead_letter')"),
        ("actions: [{do: x, when: abs(seen.price - prise) > 1}]\nfields: {a: key}", "unknown name 'prise'"),
        ("safe_by: {lookup: settings}\nfields: {a: key}", "'settings.' needs a name behind it"),
        ("fields: {a: owner + 1}", "'+' needs numbers, found text"),
        ("fields: {a: parts}", "'parts' is a list"),
        ("fields: {a: place}", "'place' is a nested record; name one of its fields"),
        ("fields: {a: name.first}", "'name' is one value; nothing stands below it"),
        ("fields: {a: parts.name}", "'parts' is a list; use for_each"),
        ("fields: {a: {for_each: name, value: this}}", "'name' is no list"),
        ("fields: {a: {for_each: kinds, value: kind}}", "unknown name 'kind'; the element of a plain list is called 'this'"),
        ("fields: {a: parent.key}", "'parent.' is known inside 'for_each' only"),
    ],
)  # fmt: skip
def test_a_write_mapping_that_cannot_work_is_refused(tmp_path, text, told):
    found = mistakes(tmp_path, text, direction="write")
    assert any(told in line for line in found), found


def test_actions_and_marks_that_are_sound_pass(tmp_path):
    text = (
        "safe_by: {lookup: settings.order_mark}\non_unknown: ask\nchildren: all\n"
        "actions:\n"
        "  - {do: cancel, when: \"kind == 'small' and was.kind != 'small'\", done_when: kind}\n"
        "  - {do: release, needs: seen, when: abs(seen.price - price) <= rounding(currency), else: {dead_letter: differs}}\n"
        "fields: {a: key}\n"
    )
    mapper = made(tmp_path, text, direction="write")
    assert [action.do for action in mapper.actions] == ["cancel", "release"]
    assert (mapper.safe_by.lookup, mapper.on_unknown, mapper.children) == ("settings.order_mark", "ask", "all")
    assert mapper.fields == {"key"}, "what actions look at is not part of what the mapping makes"


def test_the_head_of_a_file_agrees_with_its_name(tmp_path):
    made(tmp_path, "fields: {name: N}")
    text = "mapping: sys.thing.read\nfrom: other/Thing\nto: canonical/stuff\nkey: K\nfields: {name: N}\n"
    (tmp_path / "mappings/sys/thing.read.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_mapper(Project(tmp_path), "mappings/sys/thing.read.yaml")
    assert "goes to 'canonical/thing', not 'canonical/stuff'" in str(caught.value)
    assert "comes from 'sys/…', not 'other/Thing'" in str(caught.value)
    (tmp_path / "mappings/sys/other.read.yaml").write_text(
        "mapping: sys.thing.read\nfrom: sys/Thing\nto: canonical/thing\nkey: K\nfields: {name: N}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"does not end with 'thing\.read\.yaml'"):
        load_mapper(Project(tmp_path), "mappings/sys/other.read.yaml")
