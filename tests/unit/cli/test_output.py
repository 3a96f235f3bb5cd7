from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest

from l2c.cli import output
from l2c.contract import Health, Record


def test_a_masked_value_keeps_its_shape_and_loses_its_content():
    record = {
        "name": "Huber & Söhne GmbH",
        "born": "1970-01-31",
        "blocked": False,
        "code": "DE",
        "limit": Decimal("12.50"),
        "none": None,
    }
    assert output.masked(record) == {
        "name": "Xxxxx & Xxxxx XxxX",
        "born": "9999-99-99",
        "blocked": False,
        "code": "XX",
        "limit": "99.99",
        "none": None,
    }


def test_masking_goes_into_nested_lists_and_changes_nothing_given():
    record = {"addresses": [{"city": "Wien", "mails": ["a@b.at"]}]}
    assert output.masked(record) == {"addresses": [{"city": "Xxxx", "mails": ["x@x.xx"]}]}
    assert record == {"addresses": [{"city": "Wien", "mails": ["a@b.at"]}]}


def test_scripts_without_capital_letters_are_masked_too():
    assert output.masked("東京都 1-2") == "xxx 9-9"


def test_json_holds_dataclasses_moments_and_decimals_as_text(capsys):
    record = Record(
        "7", {"amount": Decimal("1.10"), "day": date(2026, 1, 31)}, changed_at=datetime(2026, 1, 31, 10, tzinfo=UTC)
    )
    output.say_json([record, MappingProxyType({"n": 1}), Health(ok=True, message="fine")], indent=None)
    shown = capsys.readouterr().out
    assert '"amount": "1.10", "day": "2026-01-31"' in shown
    assert '"changed_at": "2026-01-31T10:00:00+00:00"' in shown
    assert '{"n": 1}' in shown


def test_a_table_is_aligned_and_numbers_stand_to_the_right(capsys):
    output.table(("name", "count"), [("a", 5), ("longer", 12_000)])
    assert capsys.readouterr().out.splitlines() == ["NAME     COUNT", "a            5", "longer  12,000"]


def test_a_cell_never_breaks_its_line(capsys):
    output.table(("message",), [("two\nlines",), (None,)])
    assert capsys.readouterr().out.splitlines() == ["MESSAGE", "two lines", "-"]


def test_counts_leave_out_what_is_zero():
    assert output.counts({"to_fetch_again": 0, "dead_letter": 2, "read": 1000}) == "read 1,000, dead letter 2"
    assert output.counts({"read": 0}) == "nothing"


def test_values_are_shown_with_their_path_and_empty_ones_left_out(capsys):
    output.say_values({"a": 0, "b": [{"c": 2}, {"c": None}], "d": {"e": "x", "z": ""}, "f": ["p"], "g": False})
    shown = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in shown] == ["a: 0", "b[0].c: 2", "d.e: x", "f[0]: p", "g: false"]


def test_a_column_that_is_empty_in_every_row_is_left_out(capsys):
    output.table(("name", "note", "count"), [("a", "", None), ("b", None, 3)])
    assert capsys.readouterr().out.splitlines() == ["NAME  COUNT", "a         -", "b         3"]


@pytest.mark.parametrize("value", [0, True, "text"])
def test_plain_values_stay_what_they_are(value):
    assert output.plain(value) is value
