"""What each key of a rule does, in both forms of the compiled code."""

from datetime import date

import pytest

from l2c.config import Project
from l2c.errors import ConfigError, RecordRejected, ReferenceMissing
from l2c.mapping import Env, load_mapper
from tests.unit.mapping.small import both, made, mistakes


def reasons(mapper, record, env=None) -> dict[str, str]:
    with pytest.raises(RecordRejected) as caught:
        mapper.map(record, env or Env())
    return {path: text.partition(" [")[0] for path, text in caught.value.reasons}


def test_absent_null_and_value_are_three_things(tmp_path):
    mapper = made(tmp_path, "fields: {name: Name, kind: Kind, count: {value: null}, place: {fields: {city: a.City}}}")
    assert both(mapper, {"Key": "1"}) == {"count": None}
    assert both(mapper, {"Key": "1", "Name": None, "Kind": "", "a": None}) == {
        "name": None,
        "kind": None,
        "count": None,
        "place": None,
    }
    assert both(mapper, {"Key": "1", "Name": "x", "a": {"City": "B"}}) == {
        "name": "x",
        "count": None,
        "place": {"city": "B"},
    }


def test_a_result_is_absent_only_where_all_its_sources_are(tmp_path):
    mapper = made(tmp_path, "fields: {name: 'first_of(A, B)'}")
    assert both(mapper, {"Key": "1"}) == {}
    assert both(mapper, {"Key": "1", "B": "b"}) == {"name": "b"}


def test_canonical_records_come_in_the_order_of_the_entity(tmp_path):
    mapper = made(tmp_path, "fields: {count: C, kind: K, name: N}")
    assert list(both(mapper, {"Key": "1", "C": 1, "K": "small", "N": "n"})) == ["name", "kind", "count"]


def test_a_default_stands_in_for_empty_and_unmapped_not_for_absent(tmp_path):
    text = "value_maps: {k: {S: small}}\nfields: {name: {expr: N, default: none}, kind: {expr: K, value_map: k, default: large}}"
    mapper = made(tmp_path, text)
    assert both(mapper, {"Key": "1", "N": "", "K": "X"}) == {"name": "none", "kind": "large"}
    assert both(mapper, {"Key": "1", "N": "n", "K": "S"}) == {"name": "n", "kind": "small"}
    assert both(mapper, {"Key": "1", "K": None}) == {"kind": "large"}


def test_a_hole_in_a_value_map_rejects_the_record_and_says_where_to_add_it(tmp_path):
    shared = "value_map: shared\nvalues: {S: small, L: large}"
    mapper = made(tmp_path, "fields: {kind: {expr: K, value_map: shared}}", maps=shared)
    assert both(mapper, {"Key": "1", "K": "L"}) == {"kind": "large"}
    with pytest.raises(RecordRejected) as caught:
        mapper.map({"Key": "1", "K": "XX"}, Env())
    assert str(caught.value) == (
        "thing 1: kind: value 'XX' is not in value map 'shared' (S, L); add it to mappings/value_maps/shared.yaml"
        " [mappings/sys/thing.read.yaml:5]"
    )


def test_a_value_map_may_let_unmapped_values_stay(tmp_path):
    shared = "value_map: shared\nunmapped: keep\nvalues: {S: small}"
    mapper = made(tmp_path, "fields: {name: {expr: N, value_map: shared}}", maps=shared)
    assert both(mapper, {"Key": "1", "N": "S"}) == {"name": "small"}
    assert both(mapper, {"Key": "1", "N": "other"}) == {"name": "other"}
    assert reasons(mapper, {"Key": "1", "N": "far too long"}) == {"name": "12 characters, limit 8"}


def test_a_value_map_as_a_list_means_each_value_is_itself(tmp_path):
    mapper = made(
        tmp_path,
        "fields: {name: {expr: N, value_map: shared, default: null}}",
        maps="value_map: shared\nvalues: [a, b]",
    )
    assert both(mapper, {"Key": "1", "N": "a"}) == {"name": "a"}
    assert both(mapper, {"Key": "1", "N": "c"}) == {"name": None}


def test_when_leaves_a_field_out_or_takes_its_default(tmp_path):
    mapper = made(
        tmp_path, "fields: {name: {expr: N, when: A == 'x'}, kind: {expr: K, when: A == 'x', default: small}}"
    )
    assert both(mapper, {"Key": "1", "N": "n", "K": "large", "A": "x"}) == {"name": "n", "kind": "large"}
    assert both(mapper, {"Key": "1", "N": "n", "K": "large", "A": "y"}) == {"kind": "small"}
    assert both(mapper, {"Key": "1", "N": "n", "K": "large"}) == {}, "nothing is known of what the condition asks"


def test_required_rejects_what_is_empty_and_what_is_absent(tmp_path):
    mapper = made(tmp_path, "fields: {name: {expr: N, required: true}, kind: {expr: K, required: true}}")
    assert reasons(mapper, {"Key": "1", "N": ""}) == {
        "name": "empty, but required",
        "kind": "not in the record, but required",
    }


def test_lists_are_sorted_by_their_key_and_conditions_skip_elements(tmp_path):
    text = (
        "fields:\n  parts:\n    for_each: to_P\n    when: Gone != 'X'\n"
        "    fields: {number: No, name: \"join('/', parent.Key, Name)\", marks: {for_each: to_M, value: M}}\n"
    )
    mapper = made(tmp_path, text)
    rows = [
        {"No": "100", "Name": "c", "Gone": "", "to_M": []},
        {"No": "20", "Name": "b", "Gone": "", "to_M": [{"M": "z"}, {"M": "a"}, {"M": "z"}, {"M": ""}]},
        {"No": "3", "Name": "x", "Gone": "X", "to_M": []},
    ]
    assert both(mapper, {"Key": "1", "to_P": rows})["parts"] == [
        {"number": "20", "name": "1/b", "marks": ["a", "z"]},
        {"number": "100", "name": "1/c", "marks": []},
    ]
    assert both(mapper, {"Key": "1", "to_P": None}) == {"parts": []}
    assert both(mapper, {"Key": "1"}) == {}


def test_a_list_below_an_object_that_is_empty_is_empty(tmp_path):
    mapper = made(tmp_path, "fields: {parts: {for_each: a.to_P, fields: {number: No}}}")
    assert both(mapper, {"Key": "1", "a": None}) == {"parts": []}
    assert both(mapper, {"Key": "1", "a": {"to_P": [{"No": "1"}]}}) == {"parts": [{"number": "1"}]}
    assert both(mapper, {"Key": "1", "a": {}}) == {}


def test_two_elements_of_one_key_or_one_without_are_rejected(tmp_path):
    mapper = made(tmp_path, "fields: {parts: {for_each: to_P, fields: {number: No, name: Name}}}")
    two = [{"No": "1", "Name": "a"}, {"No": "1", "Name": "b"}]
    assert reasons(mapper, {"Key": "1", "to_P": two}) == {"parts": "two elements have the same 'number': '1'"}
    assert reasons(mapper, {"Key": "1", "to_P": [{"No": "", "Name": "a"}]}) == {"parts.number": "empty, but required"}


def test_what_has_another_shape_than_expected_is_told(tmp_path):
    mapper = made(
        tmp_path, "fields: {name: N, parts: {for_each: to_P, fields: {number: No}}, place: {fields: {city: a.City}}}"
    )
    assert reasons(mapper, {"Key": "1", "N": {"x": 1}, "to_P": "x", "a": []}) == {
        "name": "expected text, found a nested record",
        "to_P": "expected a list at 'to_P', found one value (str)",
        "a.City": "expected one nested record around 'City', found a list",
    }
    assert reasons(mapper, {"Key": "1", "to_P": ["x"]}) == {"parts": "expected nested records in the list"}
    assert both(made(tmp_path, "fields: {kinds: {for_each: K, value: this}}"), {"Key": "1", "K": ["small"]}) == {
        "kinds": ["small"]
    }


def test_a_nested_object_is_null_when_everything_in_it_is(tmp_path):
    text = "fields:\n  uid: key\n  country.isocode: country\n  region: {fields: {isocode: name, country.isocode: country}}\n"
    mapper = made(tmp_path, text, direction="write")
    record = {"key": "1", "country": "DE", "name": "BY"}
    assert both(mapper, record) == {
        "uid": "1", "country": {"isocode": "DE"}, "region": {"isocode": "BY", "country": {"isocode": "DE"}},
    }  # fmt: skip
    assert both(mapper, {"key": "1", "country": None, "name": None}) == {"uid": "1", "country": None, "region": None}
    assert both(mapper, {"key": "1"}) == {"uid": "1"}


def test_this_is_the_element_of_a_plain_list(tmp_path):
    mapper = made(
        tmp_path, "fields: {groups: {for_each: kinds, when: this != 'small', fields: {uid: this}}}", direction="write"
    )
    assert both(mapper, {"kinds": ["large", "small"]}) == {"groups": [{"uid": "large"}]}


def test_a_record_that_does_not_pass_is_not_mapped(tmp_path):
    text = "when: on\nleave: block\nblocked: {active: false, place.code: X}\nkey: uid\nfields: {uid: {expr: key, required: true}}"
    mapper = made(tmp_path, text, direction="write")
    assert mapper.map({"on": False, "key": None}, Env()).passes is False
    assert mapper.map({"on": False, "key": None}, Env()).data == {}
    assert mapper.map({"on": True, "key": "7"}, Env()).key == "7"
    assert mapper.leave_data() == {"active": False, "place": {"code": "X"}}
    assert (mapper.leave, mapper.children) == ("block", "ours")


def test_a_reference_is_translated_waited_for_rejected_or_ignored(tmp_path):
    known = {("business_partner/customer", "1"): "77"}
    env = Env(resolve=lambda path, key: known.get((path, key)))
    rule = "fields: {{owner: {{expr: O, reference: business_partner/customer{}}}}}"
    mapper = made(tmp_path, rule.format(""))
    assert both(mapper, {"Key": "1", "O": "1"}, env) == {"owner": "77"}
    assert both(mapper, {"Key": "1", "O": None}, env) == {"owner": None}
    with pytest.raises(ReferenceMissing) as caught:
        mapper.map({"Key": "1", "O": "2"}, env)
    assert (caught.value.entity_path, caught.value.native_key) == ("business_partner/customer", "2")
    assert both(made(tmp_path, rule.format(", missing: ignore")), {"Key": "1", "O": "2"}, env) == {"owner": None}
    assert reasons(made(tmp_path, rule.format(", missing: reject")), {"Key": "1", "O": "2"}, env) == {
        "owner": "business_partner/customer '2' is not known"
    }


def test_the_key_and_other_keys_come_beside_the_data(tmp_path):
    mapper = made(tmp_path, "other_keys: {customer: Customer, uuid: Id}\nfields: {name: Name}")
    mapped = mapper.map({"Key": "1", "Customer": "C1", "Id": "", "Name": "n"}, Env())
    assert (mapped.key, mapped.other_keys) == ("1", {"customer": "C1"})
    assert mapper.map({"Key": "1", "Name": "n"}, Env()).other_keys == {}
    assert mapper.fields == {"Key", "Customer", "Id", "Name"}


def test_every_type_is_checked_and_all_mistakes_come_at_once(tmp_path):
    text = "fields: {on: A, count: B, price: C, weight: D, day: E, moment: F, country: G, currency: H, language: I, kind: J}"
    mapper = made(tmp_path, text)
    good = {"A": True, "B": "007", "C": "12.5", "D": "1e2", "E": "2026-02-28", "F": "2026-01-31T10:00:00Z", "G": "DE", "H": "EUR",
            "I": "de", "J": "small"}  # fmt: skip
    assert both(mapper, {"Key": "1", **good}) == {
        "kind": "small", "on": True, "count": 7, "price": "12.50", "weight": "100", "day": "2026-02-28",
        "moment": "2026-01-31T10:00:00Z", "country": "DE", "currency": "EUR", "language": "de",
    }  # fmt: skip
    bad = {"A": "X", "B": "1.5", "C": "1.005", "D": "1,5", "E": "2026-02-30", "F": "2026-01-31T10:00:00", "G": "de", "H": "EURO",
           "I": "DE", "J": "huge"}  # fmt: skip
    assert reasons(mapper, {"Key": "1", **bad}) == {
        "kind": "expected one of small, large, not 'huge'",
        "on": "expected true or false, not 'X'",
        "count": "expected a whole number, not '1.5'",
        "price": "expected at most 2 decimals, not '1.005'",
        "weight": "expected a number, not '1,5'",
        "day": "expected a date as YYYY-MM-DD, not '2026-02-30'",
        "moment": "expected a timestamp such as 2026-01-31T10:00:00Z, not '2026-01-31T10:00:00'",
        "country": "expected a country code such as 'DE', not 'de'",
        "currency": "expected a currency code such as 'EUR', not 'EURO'",
        "language": "expected a language code such as 'de', not 'DE'",
    }


@pytest.mark.parametrize("value", [1.5, float("nan"), "1e1000", "9" * 200, "٣", "0x10", "1_000", "--1", True])
def test_numbers_that_are_none_are_rejected_quickly(tmp_path, value):
    assert "weight" in reasons(made(tmp_path, "fields: {weight: W}"), {"Key": "1", "W": value})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a\0b", "holds a NUL character at position 2"),
        ("a\ud800", "holds half a character (lone surrogate) at position 2"),
        ("123456789", "9 characters, limit 8"),
        ("𠮷𠮷𠮷𠮷x", "9 characters, limit 8"),
        (5, "expected text, found one value (int)"),
        (0, "expected text, found one value (int)"),
        (False, "expected text, found one value (bool)"),
        ([], "expected text, found a list"),
    ],
)
def test_text_that_cannot_be_kept_is_rejected_without_its_value(tmp_path, value, told):
    assert reasons(made(tmp_path, "fields: {name: N}"), {"Key": "1", "N": value}) == {"name": told}


def test_text_of_other_scripts_passes_by_its_length_in_utf_16(tmp_path):
    mapper = made(tmp_path, "fields: {name: N}")
    for text in ("Österrei", "株式会社", "𠮷𠮷𠮷𠮷", "a\u3000b", "\u200bx"):
        assert both(mapper, {"Key": "1", "N": text}) == {"name": text}
    assert both(mapper, {"Key": "1", "N": "\ufeffname"}) == {"name": "name"}, "a byte order mark is no part of a text"


def test_values_of_personal_fields_are_masked(tmp_path):
    text = "value_maps: {k: {S: small}}\nfields: {name: {expr: N, value_map: k}, count: N}"
    found = reasons(made(tmp_path, text), {"Key": "1", "N": "secret"})
    assert found["name"] == "value '***' is not in value map 'k' (S); add it to mappings/sys/thing.read.yaml"
    assert found["count"] == "expected a number, not 'secret'", "masked is what the canonical field says is personal"


def test_what_is_written_of_a_personal_field_is_masked_too(tmp_path):
    text = "value_maps: {k: {S: small}}\nfields: {x: {expr: name, value_map: k}}"
    assert "'***'" in reasons(made(tmp_path, text, direction="write"), {"name": "secret"})["x"]


def test_a_mapping_never_changes_its_input(tmp_path):
    mapper = made(tmp_path, "fields: {name: N, parts: {for_each: to_P, fields: {number: No}}}")
    record = {"Key": "1", "N": "", "to_P": [{"No": "2"}, {"No": "1"}]}
    mapper.map(record, Env())
    assert record == {"Key": "1", "N": "", "to_P": [{"No": "2"}, {"No": "1"}]}


def test_the_day_on_which_a_result_changes_is_kept(tmp_path):
    mapper = made(tmp_path, "fields: {active: 'valid_on(today(), day, until)', x: key}", direction="write")

    def on(day: str, start: str | None, end: str | None):
        mapped = mapper.map({"day": start, "until": end, "key": "1"}, Env(today=date.fromisoformat(day)))
        return mapped.data["active"], mapped.due_again and mapped.due_again.isoformat()

    assert on("2026-03-01", None, None) == (True, None)
    assert on("2026-03-01", "2026-01-01", "9999-12-31") == (True, None)
    assert on("2026-03-01", "2026-03-02", "2026-03-05") == (False, "2026-03-02")
    assert on("2026-03-02", "2026-03-02", "2026-03-05") == (True, "2026-03-06")
    assert on("2026-03-06", "2026-03-02", "2026-03-05") == (False, None)
    assert on("2026-12-31", None, "2026-12-31") == (True, "2027-01-01")


def test_any_other_use_of_today_is_looked_at_again_when_it_may_change(tmp_path):
    text = "fields: {late: until < today(), stamp: {expr: today(), when: on}}"
    mapper = made(tmp_path, text, direction="write")
    env = Env(today=date(2026, 3, 1))
    mapped = mapper.map({"until": "2026-03-10", "on": False}, env)
    assert (mapped.data["late"], mapped.due_again) == (False, date(2026, 3, 10))
    mapped = mapper.map({"until": "2026-03-10", "on": True}, env)
    assert (mapped.data["stamp"], mapped.due_again) == ("2026-03-01", date(2026, 3, 2))


def test_settings_and_what_the_target_had_can_be_asked(tmp_path):
    text = "fields: {a: settings.area, b: was.name, c: seen.place.city, changed: name != was.name}"
    mapper = made(tmp_path, text, direction="write")
    env = Env(settings={"area": "1010"}, was={"name": "old"}, seen={"place": {"city": "B"}})
    assert both(mapper, {"name": "new"}, env) == {"a": "1010", "b": "old", "c": "B", "changed": True}
    assert both(mapper, {"name": "new"}) == {"a": None, "b": None, "c": None, "changed": True}


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
        ("for_each: parts\nfields: {a: key}", "'for_each' at the head of a file is not carried out yet"),
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
