"""Functions of the expression language that cut a text into parts, as systems with short fields need it."""

from typing import Any

from l2c.mapping.values import Unfit, utf16_length


def _text(value: Any, name: str) -> str:
    if value is None or value == "":
        return ""
    if value.__class__ is not str:
        raise Unfit(f"{name}() needs text", value)
    return str(value)


def part(value: Any, number: int, length: int) -> str | None:
    """Part `number` (from 1) of a text cut at blanks into parts of at most `length`; a longer word is cut inside."""
    rest = _text(value, "part")
    found = ""
    for _ in range(number):
        found, rest = _cut(rest.strip(" "), length)
    return found or None


def _cut(text: str, length: int) -> tuple[str, str]:
    """The first part of a text, and what is left; lengths in UTF-16 units."""
    if utf16_length(text) <= length:
        return text, ""
    size = len(text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", "ignore"))
    blank = text.rfind(" ", 0, size + 1)
    if blank > 0:
        size = blank
    return text[:size].rstrip(" "), text[size:]


def before_last(value: Any, mark: str) -> str | None:
    """The text before the last `mark` in it; the whole text where it has none."""
    text = _text(value, "before_last")
    return (text.rpartition(mark)[0] if mark and mark in text else text) or None


def behind_last(value: Any, mark: str) -> str | None:
    """The text behind the last `mark` in it; null where it has none."""
    text = _text(value, "behind_last")
    return (text.rpartition(mark)[2] if mark and mark in text else "") or None
