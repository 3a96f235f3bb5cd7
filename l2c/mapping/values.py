"""What one value must be: the checks behind a target field's type. They give the value back, or raise Unfit."""

import datetime as dt
import re
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

MAX_TEXT = 1_000_000
LONGEST_KEY = 1000  # UTF-16 units of what a reference holds before it is resolved
NUMBERS = Context(prec=50, Emin=-99, Emax=99, traps=[InvalidOperation, DivisionByZero, Overflow])
_NUMBER = re.compile(r"[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


class Unfit(ValueError):
    """A value a function or check cannot take; `value` is kept apart so that messages can mask it."""

    def __init__(self, text: str, value: object = None) -> None:
        super().__init__(text)
        self.text = text
        self.value = value


def utf16_length(text: str) -> int:
    """The length of a text as OData, ABAP and Java count it."""
    return len(text) if text.isascii() else len(text) + sum(c > "\uffff" for c in text)


def is_date(day: str) -> bool:
    """Whether a text is a day that exists, as YYYY-MM-DD."""
    if not _ISO_DATE.match(day):
        return False
    try:
        dt.date.fromisoformat(day)
    except ValueError:
        return False
    return True


def number(value: Any) -> Decimal | None:
    """The number a text holds (`12.50`, `-3`, `1e3`); a number stays."""
    if value is None or value == "":
        return None
    if value.__class__ is Decimal:
        return _plain(value)
    if value.__class__ is int:
        return Decimal(value)
    if value.__class__ is not str or not _NUMBER.match(value):
        raise Unfit("expected a number", value)
    return Decimal(value)


def _plain(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value.adjusted()) > 99:
        raise Unfit("expected a number of sensible size", value)
    return value


def shape_of(value: Any) -> str:
    """What stands where something else was expected, in words."""
    if isinstance(value, dict):
        return "a nested record"
    return "a list" if isinstance(value, list) else f"one value ({type(value).__name__})"


def careful_text(value: Any, limit: int) -> str | None:
    """The text without a leading byte order mark, None when empty; raises Unfit when it cannot be kept or is too long."""
    if value is None or value == "":
        return None
    if value.__class__ is not str:
        raise Unfit(f"expected text, found {shape_of(value)}")
    clean: str = value.lstrip("\ufeff") if value[0] == "\ufeff" else value
    if "\0" in clean:
        raise Unfit(f"holds a NUL character at position {clean.index(chr(0)) + 1}")
    for position, char in enumerate(clean, 1):
        if "\ud800" <= char <= "\udfff":
            raise Unfit(f"holds half a character (lone surrogate) at position {position}")
    length = utf16_length(clean)
    if length > limit:
        raise Unfit(f"{length} characters, limit {limit}")
    return clean or None


def careful_code(value: Any, values: frozenset[str], shown: str) -> str | None:
    """The code when it is one of the values; raises Unfit that lists them."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in values:
        raise Unfit(f"expected one of {shown}", value)
    return value


def careful_boolean(value: Any) -> bool | None:
    """True, False or None; raises Unfit on anything else."""
    if value is None or value == "":
        return None
    if value is not True and value is not False:
        raise Unfit("expected true or false", value)
    return value


def careful_date(value: Any) -> str | None:
    """The ISO day; raises Unfit on anything else."""
    if value is None or value == "":
        return None
    if value.__class__ is not str or not is_date(value):
        raise Unfit("expected a date as YYYY-MM-DD", value)
    return value


def careful_timestamp(value: Any) -> str | None:
    """The ISO timestamp with its zone; raises Unfit on anything else."""
    if value is None or value == "":
        return None
    try:
        parsed = dt.datetime.fromisoformat(value) if value.__class__ is str else None
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise Unfit("expected a timestamp such as 2026-01-31T10:00:00Z", value)
    return value  # type: ignore[no-any-return]


_LETTERS = {"country": (2, str.isupper, "DE"), "currency": (3, str.isupper, "EUR"), "language": (2, str.islower, "de")}


def careful_letters(value: Any, kind: str) -> str | None:
    """A country, currency or language code by its form; raises Unfit on anything else."""
    if value is None or value == "":
        return None
    size, case, example = _LETTERS[kind]
    if (
        value.__class__ is not str
        or len(value) != size
        or not value.isascii()
        or not value.isalpha()
        or not case(value)
    ):
        raise Unfit(f"expected a {kind} code such as '{example}'", value)
    return value


def whole(value: Any) -> int | None:
    """A whole number from a number or its digits; raises Unfit on anything else."""
    if value.__class__ is int:
        return value
    amount = None if value is True or value is False else number(value)
    if amount is None:
        if value is None or value == "":
            return None
        raise Unfit("expected a whole number", value)
    if amount != amount.to_integral_value():
        raise Unfit("expected a whole number", value)
    return int(amount)


def decimal_text(value: Any, decimals: int | None, digits: int | None = None) -> str | None:
    """A number as plain text without exponent; with `decimals`, exactly so many; raises Unfit when digits would be lost."""
    amount = number(value)
    if amount is None:
        return None
    if decimals is not None:
        try:
            fixed = amount.quantize(Decimal(1).scaleb(-decimals), context=NUMBERS)
        except InvalidOperation:
            raise Unfit("expected a number of sensible size", value) from None
        if fixed != amount:
            raise Unfit(f"expected at most {decimals} decimals", value)
        amount = fixed
    if digits is not None and amount.adjusted() + 1 > digits - (decimals or 0):
        raise Unfit(f"expected at most {digits} digits, {decimals or 0} of them decimals", value)
    return format(amount, "f")
