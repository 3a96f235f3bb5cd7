"""OData v2's dates, times and numbers, both ways."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.http import duration, iso_day, iso_local, iso_time, iso_utc, ticks, ticks_offset, to_json


@pytest.mark.fault("W9")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/Date(1492041600000)/", "2017-04-13"),
        ("/Date(0)/", "1970-01-01"),
        ("/Date(-1)/", "1969-12-31"),
        ("/Date(253402214400000)/", "9999-12-31"),
        ("/Date(-62135596800000)/", "0001-01-01"),
        ("/Date(1492098664000+0000)/", "2017-04-13"),
    ],
)
def test_ticks_become_a_day(text, wanted):
    assert iso_day(text) == wanted


@pytest.mark.fault("W8", "D10")
@pytest.mark.parametrize(
    "text", ["/Date(-62135769600000)/", "/Date(253402300800000)/", "/Date(999999999999999999)/", "/Date()/", "Date", ""]
)
def test_ticks_outside_the_calendar_stay_as_they_are(text):
    assert iso_day(text) == iso_local(text) == iso_utc(text) == text


@pytest.mark.fault("W8")
@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_no_ticks_whatsoever_raise(number):
    text = f"/Date({number})/"
    assert iso_day(text)
    assert iso_utc(text)


@pytest.mark.fault("W9")
@given(st.dates())
def test_a_day_survives_the_way_there_and_back(day: date):
    assert iso_day(ticks(day.isoformat())) == day.isoformat()


@pytest.mark.fault("W4")
@given(st.datetimes())
def test_a_moment_survives_the_way_there_and_back(moment):
    moment = moment.replace(microsecond=0)
    assert iso_utc(ticks_offset(moment.replace(tzinfo=UTC).isoformat())) == f"{moment.isoformat()}Z"
    assert iso_local(ticks(moment.isoformat())) == moment.isoformat()


@pytest.mark.fault("W4")
@given(st.integers(min_value=0, max_value=86399))
def test_a_time_of_day_survives_the_way_there_and_back(seconds):
    text = str((datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).time())
    assert iso_time(duration(text)) == text


@pytest.mark.fault("W10")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("PT11H30M05S", "11:30:05"),
        ("PT0S", "00:00:00"),
        ("PT9H", "09:00:00"),
        ("PT00H00M00S", "00:00:00"),
        ("PT12H00M01.500S", "12:00:01.500"),
        ("PT24H", "PT24H"),
        ("PT", "PT"),
        ("P1D", "P1D"),
    ],
)
def test_durations_become_a_time_of_day(text, wanted):
    assert iso_time(text) == wanted


@pytest.mark.parametrize(
    ("value", "edm_type", "wanted"),
    [
        (Decimal("1.50"), "Edm.Decimal", "1.50"),
        (Decimal("1E+3"), "Edm.Decimal", "1000"),
        ("12.3", "Edm.Decimal", "12.3"),
        (7, "Edm.Int64", "7"),
        (7, "Edm.Int32", 7),
        ("2026-01-31", "Edm.DateTime", "/Date(1769817600000)/"),
        ("2026-01-31T10:00:00Z", "Edm.DateTimeOffset", "/Date(1769853600000+0000)/"),
        ("2026-01-31T12:00:00+02:00", "Edm.DateTimeOffset", "/Date(1769853600000+0000)/"),
        ("10:05:00", "Edm.Time", "PT10H05M00S"),
        ("PT1H", "Edm.Time", "PT1H"),
        (True, "Edm.Boolean", True),
        (None, "Edm.String", None),
        ("/Date(1)/", "Edm.DateTime", "/Date(1)/"),
    ],
)
def test_values_take_the_form_of_a_body(value, edm_type, wanted):
    assert to_json(value, edm_type) == wanted


@pytest.mark.parametrize(
    ("value", "edm_type"), [("tomorrow", "Edm.DateTime"), ("noon", "Edm.Time"), ("x:00", "Edm.Time")]
)
def test_a_value_that_is_none_raises(value, edm_type):
    with pytest.raises(ValueError, match=r"no|Invalid"):
        to_json(value, edm_type)
