"""What a compiled mapping calls besides the expression functions: loading values, memos, order, and the clock.

Compiled code is built twice from the same rules. The *fast* form takes a record in which everything is as expected and gives up
(None, or any ordinary exception) at the first surprise; the *careful* form takes any record and collects every mistake.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from l2c.errors import ConfigError
from l2c.mapping.functions import date
from l2c.mapping.values import NUMBERS, Unfit, is_date, number, shape_of

FORGET_AT: Final = 10_000  # a memo of this many entries is emptied
END_OF_TIME: Final = "9999-12-31"


class Absent:
    """The type of ABSENT: the source does not carry the field at all."""

    def __repr__(self) -> str:
        """For debugging."""
        return "ABSENT"

    def __bool__(self) -> bool:
        """Neither value nor empty: asking is a mistake of the compiler."""
        raise TypeError("ABSENT has no truth")


ABSENT: Final = Absent()


def load(record: Any, *path: str) -> Any:
    """The value at a path, None below an empty object, ABSENT where the source does not carry it; raises Unfit on a wrong shape."""
    here = record
    for step in path:
        if here is None or here == "":
            return None
        if here.__class__ is not dict and not isinstance(here, Mapping):
            raise Unfit(f"expected one nested record around '{step}', found {shape_of(here)}")
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
        raise Unfit(f"expected a list at '{'.'.join(path)}', found {shape_of(found)}")
    return found


def listed(found: Any) -> Sequence[Any]:
    """A list itself, an empty one for null; raises Unfit on anything else."""
    if found.__class__ is list:
        return found
    if found is None or found == "":
        return ()
    raise Unfit(f"expected a list, found {shape_of(found)}")


def load_each(record: Any, path: Sequence[str], below: Sequence[str]) -> Any:
    """Of every element of the list at `path` the value at `below` (None where it has none), lists within too; or ABSENT."""
    found = load_list(record, *path)
    return found if found is ABSENT or not below else list(_each(found, below))


def load_elements(record: Any, path: Sequence[str], below: Sequence[str]) -> Any:
    """The elements of the lists at `below` in every element of the list (or in the object) at `path`, or ABSENT."""
    found = load(record, *path)
    found = [found] if isinstance(found, Mapping) else load_list(record, *path)
    return found if found is ABSENT else [element for element in _each(found, below) if element is not None]


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


def filled(values: Sequence[Any]) -> list[Any]:
    """The values that are not empty."""
    return [value for value in values if value is not None and value != ""]


def dig(source: Mapping[str, Any] | None, *path: str) -> Any:
    """The value at a path of the settings, `was` or `seen`; None where there is none."""
    here: Any = source
    for step in path:
        if not isinstance(here, Mapping):
            return None
        here = here.get(step)
    return None if here == "" else here


def odd(text: str) -> bool:
    """Whether a text that is not ASCII needs a careful look: lone surrogates, byte order marks, astral characters."""
    return max(text) > "\uffff" or "\ufeff" in text or _has_surrogate(text)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def known_date(memo: dict[Any, Any], value: Any) -> str | None:
    """`date()` through a memo that never grows without bound."""
    return remember(memo, value, date(value))  # type: ignore[no-any-return]


def remember(memo: dict[Any, Any], key: Any, value: Any) -> Any:
    """Keep a computed value under its key and give it back."""
    if len(memo) >= FORGET_AT:
        memo.clear()
    memo[key] = value
    return value


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
    return day if day >= END_OF_TIME else (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()


def soonest(moments: list[str]) -> dt.date | None:
    """The first of the noted days; what is no day is not counted."""
    days = [moment for moment in moments if is_date(moment)]
    return dt.date.fromisoformat(min(days)) if days else None


def nothing_as_none(made: dict[str, Any]) -> dict[str, Any] | None:
    """A nested object, None when everything in it is empty."""
    return made if any(value is not None for value in made.values()) else None


def day_of(env: Any) -> str:
    """The day of the run as ISO text; ConfigError where none was given."""
    if env.today is None:
        raise ConfigError("this mapping uses today(), but was given no day")
    return env.today.isoformat()  # type: ignore[no-any-return]
