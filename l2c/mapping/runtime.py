"""What a compiled mapping calls besides the expression functions: checks, careful loading, and the words of a rejection.

Compiled code is built twice from the same rules. The *fast* form takes a record in which everything is as expected and gives up
(None, or any ordinary exception) at the first surprise; the *careful* form takes any record and collects every mistake.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping.functions import NUMBERS, Unfit, date, is_date, number, utf16_length

FORGET_AT: Final = 10_000  # a memo of this many entries is emptied
END_OF_TIME: Final = "9999-12-31"
SHOWN: Final = 60  # characters of a value a message shows


class Absent:
    """The type of ABSENT: the source does not carry the field at all."""

    def __repr__(self) -> str:
        """For debugging."""
        return "ABSENT"

    def __bool__(self) -> bool:
        """Neither value nor empty: asking is a mistake of the compiler."""
        raise TypeError("ABSENT has no truth")


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule's words for its rejections: target path, place in the mapping file, whether values are masked."""

    path: str
    place: str
    personal: bool = False
    list_by: str = ""
    map_name: str = ""
    map_file: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(slots=True)
class Trouble:
    """What went wrong with one record, filled by the careful form."""

    reasons: Sequence[Reason]
    found: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str, str]] = field(default_factory=list)  # field path, reference path, key

    def say(self, number: int, text: str, element: Any = None) -> None:
        """Add a mistake of rule `number`; `element` is the list element made so far, to name it by its key."""
        reason = self.reasons[number]
        where = ""
        if element is not None and reason.list_by and element.get(reason.list_by) is not None:
            where = f" in {reason.list_by} '{element[reason.list_by]}'"
        self.found.append((reason.path, f"{text}{where} [{reason.place}]"))

    def unfit(self, number: int, error: Exception, element: Any = None) -> None:
        """Add what an expression or check raised."""
        if isinstance(error, Unfit):
            value = f", not {self.shown(number, error.value)}" if error.value is not None else ""
            self.say(number, f"{error.text}{value}", element)
        else:
            self.say(number, f"cannot be computed from these values ({type(error).__name__})", element)

    def not_in_map(self, number: int, value: Any, element: Any = None) -> None:
        """Add a value without an entry in the value map."""
        reason = self.reasons[number]
        known = ", ".join(reason.allowed[:12]) + (", …" if len(reason.allowed) > 12 else "")
        text = f"value {self.shown(number, value)} is not in value map '{reason.map_name}' ({known})"
        self.say(number, f"{text}; add it to {reason.map_file}" if reason.map_file else text, element)

    def shown(self, number: int, value: Any) -> str:
        """A value as a message shows it: shortened, masked where it tells of a person."""
        if value is None or value == "":
            return "empty"
        if self.reasons[number].personal:
            return "'***'"
        if isinstance(value, (dict, list)):
            return "a nested record" if isinstance(value, dict) else "a list"
        plain = str(value).encode("utf-8", "replace").decode()
        plain = "".join(c if c.isprintable() else "?" for c in plain[:SHOWN])
        return f"'{plain}{'…' if len(str(value)) > SHOWN else ''}'"

    def done(self, entity: str, key: Any) -> None:
        """Raise what was found: RecordRejected with every mistake, else ReferenceMissing, else nothing."""
        shown_key = key if isinstance(key, str) else ""
        if self.found:
            raise RecordRejected(self.found, entity=entity, key=shown_key)
        if self.waiting:
            _, path, native = self.waiting[0]
            texts = [(at, f"{to} '{value}' is not known yet") for at, to, value in self.waiting]
            raise ReferenceMissing(texts, entity_path=path, native_key=native, entity=entity, key=shown_key)


def load(record: Any, *path: str) -> Any:
    """The value at a path, None below an empty object, ABSENT where the source does not carry it; raises Unfit on a wrong shape."""
    here = record
    for step in path:
        if here is None or here == "":
            return None
        if here.__class__ is not dict and not isinstance(here, Mapping):
            raise Unfit(f"expected one nested record around '{step}', found {_shape(here)}")
        here = here.get(step, ABSENT)
        if here is ABSENT:
            return ABSENT
    return here


def load_list(record: Any, *path: str) -> Any:
    """The list at a path ([] when empty), or ABSENT; raises Unfit when there is no list."""
    found = load(record, *path)
    if found is None or found == "":
        return []
    if found is not ABSENT and not isinstance(found, list):
        raise Unfit(f"expected a list at '{'.'.join(path)}', found {_shape(found)}")
    return found


def load_each(record: Any, path: Sequence[str], below: Sequence[str]) -> Any:
    """Of every element of the list at `path` the value at `below` (None where it has none), or ABSENT; lists within are gone through."""
    found = load_list(record, *path)
    return found if found is ABSENT or not below else list(_each(found, below))


def _each(elements: Any, below: Sequence[str]) -> Iterator[Any]:
    for element in elements:
        value = load(element, below[0])
        if isinstance(value, list):
            yield from _each(value, below[1:]) if len(below) > 1 else value
        elif len(below) > 1:
            if value is not ABSENT and value is not None and value != "":
                yield from _each([value], below[1:])
        else:
            yield None if value is ABSENT else value


def dig(source: Mapping[str, Any] | None, *path: str) -> Any:
    """The value at a path of the settings, `was` or `seen`; None where there is none."""
    here: Any = source
    for step in path:
        if not isinstance(here, Mapping):
            return None
        here = here.get(step)
    return None if here == "" else here


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "a nested record"
    return "a list" if isinstance(value, list) else f"one value ({type(value).__name__})"


def odd(text: str) -> bool:
    """Whether a text that is not ASCII needs a careful look: lone surrogates, byte order marks, astral characters."""
    return max(text) > "\uffff" or "\ufeff" in text or _has_surrogate(text)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def careful_text(value: Any, limit: int) -> str | None:
    """The text without a leading byte order mark, None when empty; raises Unfit when it cannot be kept or is too long."""
    if value is None or value == "":
        return None
    if value.__class__ is not str:
        raise Unfit(f"expected text, found {_shape(value)}")
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
    return value  # type: ignore[no-any-return]


def careful_timestamp(value: Any) -> str | None:
    """The ISO timestamp with its zone; raises Unfit on anything else."""
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromisoformat(value) if value.__class__ is str else None
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
    if value.__class__ is not str or len(value) != size or not value.isascii() or not value.isalpha() or not case(value):
        raise Unfit(f"expected a {kind} code such as '{example}'", value)
    return value  # type: ignore[no-any-return]


def known_date(memo: dict[Any, Any], value: Any) -> str | None:
    """`date()` through a memo that never grows without bound."""
    return remember(memo, value, date(value))


def remember(memo: dict[Any, Any], key: Any, value: Any) -> Any:
    """Keep a computed value under its key and give it back."""
    if len(memo) >= FORGET_AT:
        memo.clear()
    memo[key] = value
    return value


def whole(value: Any) -> int | None:
    """A whole number from a number or its digits; raises Unfit on anything else."""
    if value.__class__ is int:
        return value  # type: ignore[no-any-return]
    amount = None if value is True or value is False else number(value)
    if amount is None:
        if value is None or value == "":
            return None
        raise Unfit("expected a whole number", value)
    if amount != amount.to_integral_value():
        raise Unfit("expected a whole number", value)
    return int(amount)


def decimal_text(value: Any, decimals: int | None) -> str | None:
    """A number as plain text without exponent; with `decimals`, exactly so many; raises Unfit when digits would be lost."""
    amount = number(value)
    if amount is None:
        return None
    if decimals is not None:
        fixed = amount.quantize(Decimal(1).scaleb(-decimals), context=NUMBERS)
        if fixed != amount:
            raise Unfit(f"more than {decimals} decimals", value)
        amount = fixed
    return format(amount, "f")


def calculate(sign: str, left: Any, right: Any) -> Decimal | None:
    """One of + - * / on two numbers; null when one is null."""
    a, b = number(left), number(right)
    if a is None or b is None:
        return None
    if sign == "+":
        return NUMBERS.add(a, b)
    if sign == "-":
        return NUMBERS.subtract(a, b)
    return NUMBERS.multiply(a, b) if sign == "*" else NUMBERS.divide(a, b)


def in_order(elements: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The elements sorted by their key (numbers by value); raises Unfit when two share one or one has none."""
    keys = [element.get(key) for element in elements]
    if None in keys:
        raise Unfit(f"an element has no '{key}'")
    if len(set(keys)) != len(keys):
        twice = next(k for k in keys if keys.count(k) > 1)
        raise Unfit(f"two elements have the same '{key}'", twice)
    return sorted(elements, key=lambda element: (len(str(element[key])), str(element[key])))


def valid_now(moments: list[str], day: str, valid_from: str | None, valid_to: str | None) -> bool:
    """`valid_on(today(), from, to)`, noting the next day on which the answer changes."""
    if valid_from and valid_from > day:
        moments.append(valid_from)
        return False
    if valid_to and valid_to < END_OF_TIME and valid_to >= day:
        moments.append(next_day(valid_to))
    return not valid_to or day <= valid_to


def compared_now(moments: list[str], day: str, other: Any) -> Any:
    """The other side of a comparison with today(), noting the days on which the answer may change."""
    if isinstance(other, str) and is_date(other):
        moments.extend(d for d in (other, next_day(other)) if d > day)
    return other


def next_day(day: str) -> str:
    """The day after; the last day of all stays."""
    return day if day >= END_OF_TIME else (Date.fromisoformat(day) + timedelta(days=1)).isoformat()


def soonest(moments: list[str]) -> Date | None:
    """The first of the noted days."""
    return Date.fromisoformat(min(moments)) if moments else None


def nothing_as_none(made: dict[str, Any]) -> dict[str, Any] | None:
    """A nested object, None when everything in it is empty."""
    return made if any(value is not None for value in made.values()) else None
