"""When something runs: a cron text of five fields, or `{every: PT10S}`; and durations as ISO 8601 text."""

import re
from datetime import timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field, model_validator

from l2c.config.model import Model, shown
from l2c.config.problems import near_miss

_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?\Z", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class _Part(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_PARTS = (
    _Part("minute", 0, 59),
    _Part("hour", 0, 23),
    _Part("day of month", 1, 31),
    _Part("month", 1, 12, _MONTHS),
    _Part("day of week", 0, 7, _DAYS),
)
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def parse_duration(text: Any) -> timedelta:
    """The length of an ISO 8601 duration of days, hours, minutes and seconds (`P14D`, `PT30S`); raises ValueError."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ValueError(f"{shown(text)} is not a duration; write PT30S, PT15M, PT6H or P14D")
    days, hours, minutes, seconds = (int(g or 0) for g in match.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if length <= timedelta(0):
        raise ValueError(f"{shown(text)} is no time at all; write PT30S, PT15M, PT6H or P14D")
    return length


def check_cron(text: Any) -> str:
    """The cron text itself when it has five valid fields and some day it can fall on; raises ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} is not a cron text; write five fields such as '*/15 * * * *'")
    fields = text.split()
    if len(fields) != len(_PARTS):
        raise ValueError(f"cron '{text}' has {len(fields)} fields, expected 5 (minute hour day month weekday)")
    values = [_cron_field(text, field, part) for field, part in zip(fields, _PARTS, strict=True)]
    if fields[4] == "*" and not any(min(values[2]) <= _LONGEST_MONTH.get(m, 31) for m in values[3]):
        raise ValueError(f"cron '{text}' never falls on a day: no such month has a day {min(values[2])}")
    return text


def _cron_field(cron: str, field: str, part: _Part) -> set[int]:
    found: set[int] = set()
    for item in field.split(","):
        span, slash, step_text = item.partition("/")
        step = int(step_text) if step_text.isdecimal() and step_text.isascii() else 0
        if slash and not 1 <= step <= part.high:
            raise ValueError(f"cron '{cron}': step '/{step_text}' of {part.name} is not between 1 and {part.high}")
        start_text, dash, end_text = span.partition("-")
        if span == "*":
            start, end = part.low, part.high
        else:
            start = _cron_value(cron, start_text, part)
            end = _cron_value(cron, end_text, part) if dash else (part.high if slash else start)
        if end < start:
            raise ValueError(f"cron '{cron}': {part.name} '{span}' runs backwards")
        found.update(range(start, end + 1, step or 1))
    return found


def _cron_value(cron: str, text: str, part: _Part) -> int:
    if text.lower() in part.words:
        return part.words.index(text.lower()) + part.low
    if text.isdecimal() and text.isascii() and part.low <= int(text) <= part.high:
        return int(text)
    raise ValueError(f"cron '{cron}': {part.name} '{text}' is not between {part.low} and {part.high}")


def check_time_zone(text: Any) -> str:
    """The name itself when it is an IANA time zone; raises ValueError with the near miss."""
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} is not a time zone; write a name such as 'Europe/Berlin'")
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = near_miss(text, available_timezones(), most=0)
        raise ValueError(f"unknown time zone '{text}'{hint if 'mean' in hint else ''}") from None
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
TimeZone = Annotated[str, BeforeValidator(check_time_zone)]


class Schedule(Model):
    """When something runs: a cron text, or every so often."""

    cron: str | None = Field(
        default=None, description="Five cron fields: minute, hour, day of month, month, day of week."
    )
    every: Duration | None = Field(default=None, description="Seconds to days between two starts, such as `PT10S`.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"cron": check_cron(value)}
        if not isinstance(value, dict):
            raise ValueError(f"{shown(value)} is not a schedule; write a cron text or {{every: PT10S}}")
        if "cron" in value:
            raise ValueError("write the cron text itself, without 'cron:'")
        if "every" not in value:
            raise ValueError("expected a cron text or {every: PT10S}")
        return value

    def __str__(self) -> str:
        """The cron text, or `every 10 s`."""
        return self.cron or f"every {int(self.every.total_seconds()) if self.every else 0} s"
