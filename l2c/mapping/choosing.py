"""Functions of the expression language that choose among the elements of a list."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from l2c.mapping.values import Unfit


def _empty(value: Any) -> bool:
    return value is None or value == ""


def preferred(values: Iterable[Any], flags: Iterable[Any]) -> Any:
    """Of a list, the first value whose flag is true, else the first value: `preferred(phones.number, phones.default)`."""
    best: Any = None
    for value, flag in zip(values, flags, strict=True):
        if value is None or value == "":
            continue
        if flag is True:
            return value
        if best is None:
            best = value
    return best


def pick(values: Iterable[Any], keys: Iterable[Any], *wanted: str) -> Any:
    """Of a list, the value whose key is wanted, earlier wishes first: `pick(taxes.number, taxes.type, 'DE0', 'AT0')`."""
    best, rank = None, len(wanted)
    for value, key in zip(values, keys, strict=True):
        if value is not None and value != "" and key in wanted and wanted.index(key) < rank:
            best, rank = value, wanted.index(key)
    return best


def first_in(values: Iterable[Any]) -> Any:
    """The first value of a list that is not empty: `first_in(addresses.country)`."""
    return next((value for value in values if not _empty(value)), None)


def preferred_of(elements: Iterable[Any], field: str, flag: str) -> Any:
    """`preferred()` straight over the elements of one list."""
    best: Any = None
    for element in elements:
        value = element.get(field)
        if value is None or value == "":
            continue
        if element.get(flag) is True:
            return value
        if best is None:
            best = value
    return best


def pick_of(elements: Iterable[Any], field: str, key: str, wanted: Mapping[str, int]) -> Any:
    """`pick()` straight over the elements of one list; `wanted` are the keys with their rank."""
    best, rank = None, len(wanted)
    for element in elements:
        at = wanted.get(element.get(key), rank)
        value = element.get(field)
        if at < rank and value is not None and value != "":
            best, rank = value, at
    return best


def preferred_join(separator: str, flags: Iterable[Any], *parts: Iterable[Any]) -> str | None:
    """Of a list, the parts of the element `preferred()` takes, joined: `preferred_join('-', a.default, a.number, a.extension)`."""
    best: list[Any] | None = None
    for flag, *values in zip(flags, *parts, strict=True):
        if _empty(values[0]):
            continue
        if flag is True:
            best = values
            break
        if best is None:
            best = values
    return None if best is None else _joined(separator, best)


def _joined(separator: str, values: Iterable[Any]) -> str:
    texts = [value for value in values if not _empty(value)]
    for text in texts:
        if text.__class__ is not str:
            raise Unfit("preferred_join() needs text", text)
    return separator.join(texts)


def preferred_join_of(elements: Iterable[Any], separator: str, flag: str, fields: Sequence[str]) -> str | None:
    """`preferred_join()` straight over the elements of one list."""
    first, best = fields[0], None
    for element in elements:
        if _empty(element.get(first)):
            continue
        if element.get(flag) is True:
            best = element
            break
        if best is None:
            best = element
    return None if best is None else _joined(separator, [best.get(name) for name in fields])
