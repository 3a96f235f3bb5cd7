"""What each key of a rule does, in both forms of the compiled code."""

from datetime import date

import pytest

from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Env
from tests.unit.mapping.small import both, made, mistakes


def reasons(mapper, record, env=None) -> dict[str, str]:
    with pytest.raises(RecordRejected) as caught:
        mapper.map(record, env or Env())
    return {path: text.partition(" [")[0] for path, text in caught.value.reasons}


@pytest.mark.fault("D1", "T15")
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


@pytest.mark.fault("D1")
def test_a_default_stands_in_for_empty_and_unmapped_not_for_absent(tmp_path):
    text = "value_maps: {k: {S: small}}\nfields: {name: {expr: N, default: none}, kind: {expr: K, value_map: k, default: large}}"
    mapper = made(tmp_path, text)
    assert both(mapper, {"Key": "1", "N": "", "K": "X"}) == {"name": "none", "kind": "large"}
    assert both(mapper, {"Key": "1", "N": "n", "K": "S"}) == {"name": "n", "kind": "small"}
    assert both(mapper, {"Key": "1", "K": None}) == {"kind": "large"}


@pytest.mark.fault("D8", "D9")
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


@pytest.mark.fault("D10", "W10")
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


@pytest.mark.fault("D2")
@pytest.mark.parametrize("value", [1.5, float("nan"), "1e1000", "9" * 200, "٣", "0x10", "1_000", "--1", True])
def test_numbers_that_are_none_are_rejected_quickly(tmp_path, value):
    assert "weight" in reasons(made(tmp_path, "fields: {weight: W}"), {"Key": "1", "W": value})


@pytest.mark.fault("D4", "D5")
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


@pytest.mark.fault("D4", "D5")
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


def test_values_between_brackets_make_a_list_without_the_empty_ones(tmp_path):
    text = """fields:
      to_Part: {for_each: "[name, 'X', settings.area]", when: "this != 'no'", fields: {No: this, Key: parent.key}}
      marks: {for_each: "[name]", value: upper(this)}"""
    mapper = made(tmp_path, text, direction="write")
    env = Env(settings={"area": "1010"})
    assert both(mapper, {"name": "n", "key": "1"}, env) == {
        "to_Part": [{"No": "n", "Key": "1"}, {"No": "X", "Key": "1"}, {"No": "1010", "Key": "1"}],
        "marks": ["N"],
    }
    assert both(mapper, {"name": None, "key": "1"}) == {"to_Part": [{"No": "X", "Key": "1"}], "marks": []}
    assert both(mapper, {"name": "no", "key": "1"})["to_Part"] == [{"No": "X", "Key": "1"}]


def test_values_between_brackets_of_a_lists_element_and_of_what_the_source_lacks(tmp_path):
    text = """fields:
      to_Part: {for_each: parts, fields: {No: number, to_Name: {for_each: "[name]", fields: {Name: this}}}}
      to_City: {for_each: "[place.city]", fields: {City: this}}"""
    mapper = made(tmp_path, text, direction="write")
    record = {"parts": [{"number": "1", "name": "a"}, {"number": "2", "name": None}, {"number": "3"}]}
    found = both(mapper, record)
    assert found["to_Part"] == [
        {"No": "1", "to_Name": [{"Name": "a"}]},
        {"No": "2", "to_Name": []},
        {"No": "3"},
    ]
    assert "to_City" not in found


def test_what_an_element_takes_part_in_is_not_absent_though_the_rest_is(tmp_path):
    text = """fields: {to_Part: {for_each: "[name]", fields: {No: 'first_of(parent.key, this)'}}}"""
    mapper = made(tmp_path, text, direction="write")
    assert both(mapper, {"name": "n"}) == {"to_Part": [{"No": "n"}]}


@pytest.mark.parametrize(
    ("list_", "said"),
    [
        ("[]", "a list in brackets needs at least one value: [phone]"),
        ("[nmae]", "unknown name 'nmae' in canonical/thing; did you mean 'name'?"),
        ("[name] + [kind]", "a list in brackets needs at least one value: [phone]"),
    ],
)
def test_wrong_values_between_brackets_are_told(tmp_path, list_, said):
    text = f"fields: {{to_Part: {{for_each: '{list_}', fields: {{No: this}}}}}}"
    assert mistakes(tmp_path, text, direction="write") == [said]


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
