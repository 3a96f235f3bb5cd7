"""What the hand-written mapping does again and again: checks of texts, codes and days, and lists in order."""

from datetime import date
from typing import Any

INITIAL = ("0000-00-00", "00000000", "0001-01-01")
# What was looked at once is not looked at again: days and codes repeat, and generated code remembers them too.
dates: dict[str | None, str | None] = {}
letters: set[str] = set()


class Mistakes(Exception):
    """The record has at least one mistake; the slow way finds them all."""


def check_texts(texts: str) -> None:
    """No NUL and no half characters, byte order marks or characters of two UTF-16 units, which need a closer look."""
    if "\0" in texts:
        raise Mistakes
    if not texts.isascii():
        texts.encode()
        if max(texts) > "\uffff" or "\ufeff" in texts:
            raise Mistakes


def check_letters(code: str, size: int, *, lower: bool) -> None:
    if (
        len(code) != size
        or not code.isascii()
        or not code.isalpha()
        or not (code.islower() if lower else code.isupper())
    ):
        raise Mistakes
    letters.add(code)


def day(value: str | None) -> str | None:
    found = None
    if value and value[:10] not in INITIAL and value not in INITIAL:
        found = f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 else value[:10]
        date.fromisoformat(found)
    if len(dates) >= 10_000:
        dates.clear()
    dates[value] = found
    return found


def in_order(elements: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    if len(elements) < 2:
        return elements
    if len({element[key] for element in elements}) != len(elements):
        raise Mistakes
    return sorted(elements, key=lambda element: (len(element[key]), element[key]))
