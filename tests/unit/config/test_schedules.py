"""Cron texts, distances and durations."""

from datetime import timedelta

import pytest

from l2c.config import Schedule, check_cron, parse_duration
from l2c.config.schedules import check_time_zone


@pytest.mark.parametrize(
    "cron",
    ["*/15 * * * *", "0 2 * * *", "5,35 6-22/2 * * mon-fri", "0 0 1 jan *", "0 0 29 2 *", "0 0 * * 7", "0 0 30 2 mon"],
)
def test_valid_cron_texts_pass(cron):
    assert check_cron(cron) == cron
    assert str(Schedule.model_validate(cron)) == cron


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("* * * *", "has 4 fields, expected 5"),
        ("60 * * * *", "minute '60' is not between 0 and 59"),
        ("* 24 * * *", "hour '24' is not between 0 and 23"),
        ("* * 0 * *", "day of month '0' is not between 1 and 31"),
        ("* * * 13 *", "month '13'"),
        ("* * * * 8", "day of week '8'"),
        ("*/0 * * * *", "step '/0' of minute"),
        ("*/61 * * * *", "step '/61' of minute"),
        ("*/x * * * *", "step '/x' of minute"),
        ("30-10 * * * *", "minute '30-10' runs backwards"),
        ("٣ * * * *", "is not between"),
        ("0 0 31 4 *", "never falls on a day"),
        ("0 0 30 feb *", "never falls on a day"),
        ("@daily", "has 1 fields"),
        ("a b c d e", "minute 'a'"),
        (15, "is not a cron text"),
    ],
)
def test_what_cron_cannot_read_is_told(cron, told):
    with pytest.raises(ValueError, match=r".") as caught:
        check_cron(cron)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT30S", timedelta(seconds=30)), ("PT15M", timedelta(minutes=15)), ("PT6H", timedelta(hours=6)), ("P14D", timedelta(days=14)),
     ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4))],
)  # fmt: skip
def test_durations_are_iso_8601(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "30s", "PT0S", "P1M", "P1Y", "PT1.5S", "-PT1S", "PT٣S", 30, None])
def test_what_is_no_duration_is_told(text):
    with pytest.raises(ValueError, match="write PT30S"):
        parse_duration(text)


def test_a_time_zone_is_named_with_its_near_miss():
    assert check_time_zone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ValueError, match="unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'"):
        check_time_zone("Europe/Berln")
