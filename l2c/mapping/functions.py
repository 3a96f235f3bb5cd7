"""The functions an expression may call: pure, typed, and null in, null out unless they say otherwise.

A function exists once it stands in FUNCTIONS. Its docstring is its documentation (`docs/reference/functions.md`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from l2c.mapping.choosing import first_in, pick, preferred, preferred_join
from l2c.mapping.cutting import before_last, behind_last, part
from l2c.mapping.patterns import matches
from l2c.mapping.values import MAX_TEXT, NUMBERS, Unfit, is_date, number, utf16_length

Kind = Literal["text", "number", "boolean", "date", "list", "any", "whole", "map", "pattern"]

_NO_DECIMALS = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_INITIAL_DATES = frozenset({"0000-00-00", "00000000", "0001-01-01"})


def _text(value: Any, name: str) -> str | None:
    if value is None or value == "":
        return None
    if value.__class__ is not str:
        raise Unfit(f"{name}() needs text", value)
    return value


def first_of(*values: Any) -> Any:
    """The first of the values that is not empty."""
    for value in values:
        if value is not None and value != "":
            return value
    return None


def join(separator: str, *parts: Any) -> str | None:
    """The parts that are not empty, with the separator between them; null when all are empty."""
    texts = [text for part in parts if (text := _text(part, "join")) is not None]
    return separator.join(texts) if texts else None


def upper(value: Any) -> str | None:
    """The text in capitals; letters whose capital is two letters (ß) stay."""
    text = _text(value, "upper")
    if text is None or text.isascii():
        return text and text.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def lower(value: Any) -> str | None:
    """The text in small letters; letters whose small form is two (İ) stay."""
    text = _text(value, "lower")
    if text is None or text.isascii():
        return text and text.lower()
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def trim(value: Any) -> str | None:
    """The text without blanks at its ends; null when nothing is left."""
    text = _text(value, "trim")
    return (text.strip() or None) if text else None


def truncate(value: Any, length: int) -> str | None:
    """The text cut to a length in UTF-16 units; never splits a character."""
    text = _text(value, "truncate")
    if text is None or len(text) <= length // 2 or (text.isascii() and len(text) <= length):
        return text
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore").rstrip("\u200d") or None


def pad_left(value: Any, length: int, fill: str) -> str | None:
    """The text filled on the left to a length."""
    text = _text(value, "pad_left")
    return text.rjust(length, fill) if text else None


def alpha_in(value: Any, length: int) -> str | None:
    """SAP's ALPHA conversion inwards: a number of digits only is filled with zeros; other text stays."""
    text = _text(value, "alpha_in")
    return text.zfill(length) if text and text.isascii() and text.isdigit() else text


def alpha_out(value: Any) -> str | None:
    """SAP's ALPHA conversion outwards: a number of digits only loses its leading zeros; other text stays."""
    text = _text(value, "alpha_out")
    return (text.lstrip("0") or "0") if text and text.isascii() and text.isdigit() else text


def replace(value: Any, old: str, new: str) -> str | None:
    """The text with every `old` replaced by `new`."""
    text = _text(value, "replace")
    if text is None or not old:
        return text
    if text.count(old) * len(new) > MAX_TEXT:
        raise Unfit(f"replace() would make a text of more than {MAX_TEXT} characters")
    return text.replace(old, new) or None


def substring(value: Any, start: int, length: int) -> str | None:
    """`length` characters of the text from character `start` on, counted from 0."""
    text = _text(value, "substring")
    return (text[start : start + length] or None) if text else None


def starts_with(value: Any, prefix: str) -> bool:
    """Whether the text starts with the prefix; an empty text does not."""
    text = _text(value, "starts_with")
    return text is not None and text.startswith(prefix)


def contains(value: Any, part: str) -> bool:
    """Whether the text contains the part; an empty text does not."""
    text = _text(value, "contains")
    return text is not None and part in text


def length(value: Any) -> int:
    """The length of the text in UTF-16 units, 0 for an empty one."""
    text = _text(value, "length")
    return 0 if text is None else utf16_length(text)


def text(value: Any) -> str | None:
    """The value as text: numbers without exponent, booleans as true and false."""
    if value is None or value == "":
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if value.__class__ is Decimal:
        return format(value, "f")
    if value.__class__ is int or value.__class__ is str:
        return str(value)
    raise Unfit("text() needs one value", None)


def round_half_up(value: Any, decimals: int) -> Decimal | None:
    """The number rounded to so many decimals, halves away from zero (commercial rounding)."""
    amount = number(value)
    return None if amount is None else amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, NUMBERS)


def absolute(value: Any) -> Decimal | None:
    """The number without its sign."""
    amount = number(value)
    return None if amount is None else amount.copy_abs()


def rounding(currency: Any) -> Decimal:
    """The smallest amount of a currency: 0.01 EUR, 1 JPY, 0.001 BHD; 0.01 where unknown."""
    if currency in _NO_DECIMALS:
        return Decimal(1)
    return Decimal("0.001") if currency in _THREE_DECIMALS else Decimal("0.01")


def date(value: Any) -> str | None:
    """The day of a date or timestamp, as ISO text; SAP's initial dates (00000000, 0001-01-01) are null."""
    raw = _text(value, "date")
    if raw is None or raw in _INITIAL_DATES or raw[:10] in _INITIAL_DATES:
        return None
    day = f"{raw[:4]}-{raw[4:6]}-{raw[6:]}" if len(raw) == 8 and raw.isdigit() else raw[:10]
    if not is_date(day) or (len(raw) > 10 and raw[10] not in "T "):
        raise Unfit("date() needs a date", value)
    return day


def valid_on(day: Any, valid_from: Any, valid_to: Any) -> bool:
    """Whether a day lies in a period; an empty end is open."""
    return (not valid_from or valid_from <= day) and (not valid_to or day <= valid_to)


def today() -> str:
    """The day of the run, as ISO text; only in write mappings. The record comes up again when the answer would change."""
    raise Unfit("today() is known to write mappings only")


def empty(value: Any) -> bool:
    """Whether there is no value: null, an empty text or an empty list."""
    return value is None or value == "" or value == []


def in_map(entries: Any, value: Any) -> bool:
    """Whether a value map has an entry for the value: `in_map('region', region)`."""
    return value in entries


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the expression language; the last parameter repeats where `repeats` is set."""

    name: str
    call: Callable[..., Any]
    takes: tuple[Kind, ...]
    gives: Kind
    parameters: str
    repeats: bool = False

    @property
    def text(self) -> str:
        """What it does, in one sentence."""
        return (self.call.__doc__ or "").strip()


def _table(*functions: Function) -> dict[str, Function]:
    return {function.name: function for function in functions}


FUNCTIONS = _table(
    Function("first_of", first_of, ("any",), "any", "value, …", repeats=True),
    Function("join", join, ("text", "text"), "text", "separator, part, …", repeats=True),
    Function("upper", upper, ("text",), "text", "text"),
    Function("lower", lower, ("text",), "text", "text"),
    Function("trim", trim, ("text",), "text", "text"),
    Function("truncate", truncate, ("text", "whole"), "text", "text, length"),
    Function("pad_left", pad_left, ("text", "whole", "text"), "text", "text, length, fill"),
    Function("alpha_in", alpha_in, ("text", "whole"), "text", "text, length"),
    Function("alpha_out", alpha_out, ("text",), "text", "text"),
    Function("replace", replace, ("text", "text", "text"), "text", "text, old, new"),
    Function("substring", substring, ("text", "whole", "whole"), "text", "text, start, length"),
    Function("part", part, ("text", "whole", "whole"), "text", "text, number, length"),
    Function("before_last", before_last, ("text", "text"), "text", "text, mark"),
    Function("behind_last", behind_last, ("text", "text"), "text", "text, mark"),
    Function("starts_with", starts_with, ("text", "text"), "boolean", "text, prefix"),
    Function("contains", contains, ("text", "text"), "boolean", "text, part"),
    Function("matches", matches, ("text", "pattern"), "boolean", "text, pattern"),
    Function("length", length, ("text",), "number", "text"),
    Function("number", number, ("any",), "number", "value"),
    Function("text", text, ("any",), "text", "value"),
    Function("round_half_up", round_half_up, ("number", "whole"), "number", "number, decimals"),
    Function("abs", absolute, ("number",), "number", "number"),
    Function("rounding", rounding, ("text",), "number", "currency"),
    Function("date", date, ("any",), "date", "value"),
    Function("valid_on", valid_on, ("date", "date", "date"), "boolean", "day, from, to"),
    Function("today", today, (), "date", ""),
    Function("empty", empty, ("any",), "boolean", "value"),
    Function("in_map", in_map, ("map", "text"), "boolean", "map, value"),
    Function("first_in", first_in, ("list",), "any", "values"),
    Function("preferred", preferred, ("list", "list"), "any", "values, flags"),
    Function(
        "preferred_join", preferred_join, ("text", "list", "list"), "text", "separator, flags, part, …", repeats=True
    ),
    Function("pick", pick, ("list", "list", "text"), "any", "values, keys, wanted, …", repeats=True),
)
