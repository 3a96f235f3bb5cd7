"""`for_each` at the head of a file: one record of each element."""

import pytest

from l2c.errors import ConfigError, RecordRejected
from l2c.mapping import Env
from l2c.mapping.loading import load_bundle
from tests.unit.mapping.small import READ, WRITE, made, mistakes

READ_EACH = READ.replace("key: Key", "for_each: to_Part\nkey: join('-', parent.Key, Number)")
WRITE_EACH = WRITE + "key: Id\nleave: delete\n"
PART = "fields:\n  key: parent.Key\n  name: {expr: Name, required: true}\n  price: Price\n"
ROW = "fields:\n  Id: join('|', parent.key, number)\n  Name: {expr: name, required: true}\n"
NUMBR = "unknown name 'numbr' in canonical/thing (parts); did you mean 'number'?"
MARK = "fields:\n  Id: join('|', parent.parent.key, parent.number, this)\n  Name: parent.name\n"


def each(mapper, record, env=None):
    """Name and result (or code of the error) of each element, both forms alike."""
    found = list(mapper.each(record, env or Env()))
    return [(one.name, one.mapped.data if one.mapped is not None else one.error.code) for one in found]


def test_one_native_record_gives_a_canonical_record_for_each_element(tmp_path):
    mapper = made(tmp_path, PART, head=READ_EACH)
    record = {
        "Key": "K1",
        "to_Part": [{"Number": "1", "Name": "bolt", "Price": "1.50"}, {"Number": "2", "Name": "nut"}],
    }
    assert each(mapper, record) == [
        ("K1-1", {"key": "K1", "name": "bolt", "price": "1.50"}),
        ("K1-2", {"key": "K1", "name": "nut"}),
    ]
    assert mapper.fields == {"Key", "to_Part.Number", "to_Part.Name", "to_Part.Price"}


def test_an_element_with_a_mistake_does_not_stop_the_others(tmp_path):
    mapper = made(tmp_path, PART, head=READ_EACH)
    record = {
        "Key": "K1",
        "to_Part": [{"Number": "1", "Name": "", "Price": "1"}, {"Number": "2", "Name": "nut", "Price": None}],
    }
    assert each(mapper, record) == [("K1-1", "rejected"), ("K1-2", {"key": "K1", "name": "nut", "price": None})]
    [error] = [one.error for one in mapper.each(record, Env()) if one.error]
    assert "name: empty, but required [mappings/sys/thing.read.yaml:8]" in str(error)


@pytest.mark.parametrize(("record", "count"), [({"to_Part": None}, 0), ({"to_Part": []}, 0), ({}, 0)])
def test_a_record_without_elements_gives_none(tmp_path, record, count):
    assert len(each(made(tmp_path, PART, head=READ_EACH), {"Key": "K1", **record})) == count


def test_what_is_no_list_rejects_the_record(tmp_path):
    with pytest.raises(RecordRejected, match="to_Part: expected a list at 'to_Part'"):
        each(made(tmp_path, PART, head=READ_EACH), {"Key": "K1", "to_Part": "x"})
    assert each(made(tmp_path, PART, head=READ_EACH), {"Key": "K1", "to_Part": ["x"]}) == [("K1", "rejected")]


def test_one_canonical_record_gives_a_native_record_for_each_element(tmp_path):
    mapper = made(tmp_path, ROW, direction="write", head=WRITE_EACH + "for_each: parts\nwhen: on and parent.on\n")
    parts = [{"number": "1", "name": "bolt", "on": True}, {"number": "2", "name": "nut", "on": False}]
    found = list(mapper.each({"key": "K", "on": True, "parts": parts}, Env()))
    assert [(one.name, one.mapped.key, one.mapped.passes) for one in found] == [("1", "K|1", True), ("2", "", False)]
    assert found[0].mapped.data == {"Id": "K|1", "Name": "bolt"}


def test_lists_within_lists_give_one_record_for_each_element_of_the_inner(tmp_path):
    mapper = made(tmp_path, MARK, direction="write", head=WRITE_EACH + "for_each: parts.marks\n")
    parts = [{"number": "1", "name": "a", "marks": ["x", "y"]}, {"number": "2", "name": "b", "marks": None}]
    assert each(mapper, {"key": "K", "parts": parts}) == [
        ("1/x", {"Id": "K|1|x", "Name": "a"}),
        ("1/y", {"Id": "K|1|y", "Name": "a"}),
    ]


def test_the_text_kept_of_a_version_makes_the_same_mapper_again(tmp_path):
    mapper = made(tmp_path, MARK, direction="write", head=WRITE_EACH + "for_each: parts.marks\n")
    again = load_bundle(mapper.bundle)
    assert again.compiled.fast_source == mapper.compiled.fast_source
    assert (again.lists, again.named_by) == (mapper.lists, mapper.named_by)


def test_a_file_that_makes_several_records_does_not_map_a_record_as_one(tmp_path):
    with pytest.raises(ConfigError, match="makes a record of each 'to_Part'"):
        made(tmp_path, PART, head=READ_EACH).map({"Key": "K1"}, Env())


@pytest.mark.parametrize(
    ("head", "text", "mistake"),
    [
        ("for_each: part\n", ROW, "unknown name 'part' in canonical/thing; did you mean 'parts'?"),
        ("for_each: place\n", ROW, "'place' is no list"),
        ("for_each: parts\n", ROW.replace("number", "numbr"), NUMBR),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_what_is_meant(tmp_path, head, text, mistake):
    assert mistake in mistakes(tmp_path, text, direction="write", head=WRITE_EACH + head)


def test_a_write_for_each_says_what_becomes_of_elements_that_are_gone_and_names_its_key(tmp_path):
    found = mistakes(tmp_path, ROW, direction="write", head=WRITE + "for_each: parts\n")
    assert "'for_each' needs 'leave': what happens to the native record of an element that is gone?" in found
    assert "'for_each' needs 'key': by which field are the native records of one record told apart?" in found
