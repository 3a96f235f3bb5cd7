"""Points in time: milliseconds since 1970 in the tables, several texts outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?Z?")
TICKS = re.compile(r"/Date\((-?\d+)\)/")


def milliseconds(text: str) -> int | None:
    """The point in time of `2024-05-31T12:00:00.123` or `/Date(1717156800123)/`, None for any other text."""
    if ticks := TICKS.fullmatch(text):
        return int(ticks[1])
    if not INSTANT.fullmatch(text):
        return None
    whole, _, fraction = text.rstrip("Z").partition(".")
    try:
        moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 + int(fraction.ljust(3, "0")[:3] or 0)


def date_text(ms: int) -> str:
    """A point in time as Atom and the control address show it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
