"""Values between three forms: on the wire, in URL literals, in the store.

In the store a DateTime and a DateTimeOffset are `YYYY-MM-DDTHH:MM:SS` in UTC, a Time is `HH:MM:SS`, a Decimal is text,
a Guid is lower-case text, everything else is what JSON makes of it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from sandbox.s4hana.model import Property

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")
DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?")
FRACTION = re.compile(r"\.(\d{1,7})")
CLOCK = re.compile(r"\d{2}:\d{2}:\d{2}")
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PREFIXES = {"DateTime": "datetime", "DateTimeOffset": "datetimeoffset", "Time": "time", "Guid": "guid"}


def capitals(text: str) -> str:
    """In capitals as ABAP writes them: a letter stays one letter, so that no text grows ("ß" stays)."""
    return "".join(big if len(big := letter.upper()) == 1 else letter for letter in text)


def pad(prop: Property, value: str) -> str:
    """The internal form of a number: all digits are filled up with zeros."""
    return value.zfill(prop.length or 0) if prop.alpha and value.isascii() and value.isdigit() else value


def strip(prop: Property, value: str) -> str:
    """The external form of a number: without leading zeros."""
    return (value.lstrip("0") or "0") if prop.alpha and value.isascii() and value.isdigit() else value


def parse_moment(text: str) -> str:
    """A date or point in time, as `/Date(…)/` or ISO text, as the store holds it; raises ValueError."""
    if match := TICKS.fullmatch(text):
        moment = EPOCH + timedelta(milliseconds=int(match[1]))
    else:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def parse_instant(text: str) -> str:
    """A point in time as `parse_moment` reads it, with its milliseconds where it has any; raises ValueError."""
    match = TICKS.fullmatch(text)
    fraction = f"{int(match[1]) % 1000:03d}" if match else (FRACTION.search(text) or [""] * 2)[1]
    return parse_moment(text) + (f".{fraction}" if fraction.strip("0") else "")


def parse_time(text: str) -> str:
    """A time of day, as `PT11H30M05S` or `11:30:05`, as the store holds it; raises ValueError."""
    if CLOCK.fullmatch(text):
        return text
    match = DURATION.fullmatch(text)
    if match is None or text == "PT":
        raise ValueError(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if hours > 24 or minutes > 59 or seconds > 59:
        raise ValueError(text)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def _decimal(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a decimal travels as text")
    try:
        return str(Decimal(value))
    except InvalidOperation as error:
        raise ValueError(value) from error


def _guid(value: object) -> str:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise ValueError(value)
    return value.lower()


def _typed(kind: type) -> Callable[[Any], Any]:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise ValueError(value)
        return value

    return check


PARSERS: dict[str, Callable[[Any], Any]] = {
    "String": _typed(str),
    "Boolean": _typed(bool),
    "Int16": _typed(int),
    "DateTime": lambda v: parse_moment(_typed(str)(v)),
    "DateTimeOffset": lambda v: parse_instant(_typed(str)(v)),
    "Time": lambda v: parse_time(_typed(str)(v)),
    "Decimal": _decimal,
    "Guid": _guid,
}


def parse(prop: Property, value: object) -> object:
    """A value of a request body as the store holds it; null becomes the initial value. Raises ValueError."""
    if value is None:
        if not prop.nullable:
            raise ValueError("null")
        return prop.unset
    parsed = PARSERS[prop.type](value)
    if prop.type == "String":
        return strip(prop, capitals(parsed) if prop.upper else parsed)
    return parsed


def _ticks(text: str) -> int:
    return (datetime.fromisoformat(text + "+00:00") - EPOCH) // timedelta(milliseconds=1)


def _duration(text: str) -> str:
    return f"PT{text[0:2]}H{text[3:5]}M{text[6:8]}S"


RENDERERS: dict[str, Callable[[str], str]] = {
    "DateTime": lambda text: f"/Date({_ticks(text)})/",
    "DateTimeOffset": lambda text: f"/Date({_ticks(text)}+0000)/",
    "Time": _duration,
}
"""How a stored value of these types looks in JSON; the other types look as they are stored."""


def parse_literal(prop: Property, text: str) -> object:
    """A URL literal (`'A'`, `datetime'…'`, `true`, `5M`) of a property's type as the store holds it; raises ValueError."""
    prefix = PREFIXES.get(prop.type, "")
    if prop.type in ("Boolean", "Decimal", "Int16"):
        if prop.type == "Boolean":
            return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse(prop, text)
        return str(Decimal(text.rstrip("mMdDfF"))) if prop.type == "Decimal" else int(text)
    if not (text.startswith(f"{prefix}'") and text.endswith("'") and len(text) > len(prefix) + 1):
        return _refuse(prop, text)
    inner = text[len(prefix) + 1 : -1].replace("''", "'")
    if prop.type == "String":
        return inner
    return PARSERS[prop.type](inner)


def _refuse(prop: Property, text: str) -> object:
    raise ValueError(f"'{text}' is no literal of Edm.{prop.type}")


def literal(prop: Property, value: Any) -> str:
    """A stored key value as a URL literal, percent-encoded."""
    if prop.type == "Boolean":
        return "true" if value else "false"
    text = _duration(value) if prop.type == "Time" else str(value)
    if prop.type == "DateTimeOffset":
        text += "Z"
    return f"{PREFIXES.get(prop.type, '')}'{quote(text.replace(chr(39), chr(39) * 2), safe=chr(39))}'"
