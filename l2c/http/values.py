"""OData v2's JSON values and ISO text, both ways.

Days and times of day are text without a zone in both forms; a DateTimeOffset is shown in UTC with `Z`. A value that cannot
be read (ticks outside the years 1 to 9999, `PT24H`) is left as the system sent it, so that only its own record fails.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_TICKS = re.compile(r"/Date\((-?\d{1,18})(?:[+-]\d{1,4})?\)/")
_TIME = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.(\d{1,7}))?S)?", re.ASCII)
_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=8192)
def iso_day(text: str) -> str:
    """`/Date(1485820800000)/` → `2017-01-31`."""
    found = _TICKS.fullmatch(text)
    if not found:
        return text
    try:
        return date.fromordinal(_EPOCH_DAY + int(found.group(1)) // _DAY_MS).isoformat()
    except (ValueError, OverflowError):
        return text


@lru_cache(maxsize=8192)
def iso_local(text: str) -> str:
    """`/Date(1485856800000)/` → `2017-01-31T10:00:00`: an Edm.DateTime, whose zone the metadata does not tell."""
    moment = _moment(text)
    return text if moment is None else moment.replace(tzinfo=None).isoformat()


@lru_cache(maxsize=8192)
def iso_utc(text: str) -> str:
    """`/Date(1485856800000+0000)/` → `2017-01-31T10:00:00Z`."""
    moment = _moment(text)
    return text if moment is None else moment.replace(tzinfo=None).isoformat() + "Z"


def iso_time(text: str) -> str:
    """`PT11H30M05S` → `11:30:05`."""
    if len(text) == 11 and text[:2] + text[4:11:3] == "PTHMS":  # as SAP writes nearly all of them
        digits = text[2:4] + text[5:7] + text[8:10]
        if digits.isascii() and digits.isdigit() and digits[:2] < "24" and digits[2:4] < "60" and digits[4:] < "60":
            return f"{text[2:4]}:{text[5:7]}:{text[8:10]}"
    found = _TIME.fullmatch(text)
    if not found or text == "PT":
        return text
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        return text
    fraction = f".{found.group(4)}" if found.group(4) and int(found.group(4)) else ""
    return f"{hours:02}:{minutes:02}:{seconds:02}{fraction}"


def _moment(text: str) -> datetime | None:
    found = _TICKS.fullmatch(text)
    if not found:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(found.group(1)))
    except (OverflowError, ValueError):
        return None


def ticks(text: str) -> str:
    """ISO day or moment → `/Date(ms)/`, as OData v2 bodies carry it; a moment without a zone counts as UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return f"/Date({(moment - _EPOCH) // timedelta(milliseconds=1)})/"


def ticks_offset(text: str) -> str:
    """ISO moment → `/Date(ms+0000)/`, as a DateTimeOffset in a body."""
    return ticks(text)[:-2] + "+0000)/"


def duration(text: str) -> str:
    """`11:30:05` → `PT11H30M05S`."""
    hours, minutes, *rest = text.split(":")
    seconds = rest[0] if rest else "00"
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        raise ValueError(f"'{text}' is no time of day")
    return f"PT{int(hours):02}H{int(minutes):02}M{seconds.zfill(2)}S"


def to_json(value: object, edm_type: str) -> object:
    """A value of our records as an OData v2 body carries it: decimals and long integers as text, dates as ticks."""
    if value is None or isinstance(value, bool):
        return value
    if edm_type == "Edm.DateTime" and isinstance(value, str):
        return value if value.startswith("/Date(") else ticks(value)
    if edm_type == "Edm.DateTimeOffset" and isinstance(value, str):
        return value if value.startswith("/Date(") else ticks_offset(value)
    if edm_type == "Edm.Time" and isinstance(value, str):
        return value if value.startswith("PT") else duration(value)
    if edm_type in {"Edm.Decimal", "Edm.Int64"}:
        return f"{value:f}" if not isinstance(value, str | int) else str(value)
    return value
