"""Compares what a write mapping makes with what a system shows, field by field and list element by list element.

Only the fields the mapping makes count: what a system holds besides is its own. Elements of a list that the mapping did not
make are told apart from differences.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

Keys = Mapping[str, tuple[str, ...]]
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_MIDNIGHT = "T00:00:00"


@dataclass(slots=True)
class Difference:
    """What differs: native paths without places in lists, and the elements shown beyond those expected, by list path."""

    fields: list[str] = field(default_factory=list)
    extra: list[tuple[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.fields or self.extra)


def compare(expected: Mapping[str, Any], shown: Mapping[str, Any], keys: Keys) -> Difference:
    """The difference; `keys` names for each list path the fields that tell its elements apart."""
    found = Difference()
    _record(expected, shown, "", keys, found)
    found.fields = list(dict.fromkeys(found.fields))
    return found


def identity(element: Any, paths: Sequence[str]) -> tuple[Any, ...] | None:
    """What tells an element from its neighbours; None where it does not say."""
    values = tuple(_plain(_at(element, path)) for path in paths)
    return values if values and None not in values else None


def _record(expected: Mapping[str, Any], shown: Mapping[str, Any], above: str, keys: Keys, found: Difference) -> None:
    for name, value in expected.items():
        _value(value, shown.get(name), f"{above}{name}", keys, found)


def _value(expected: Any, shown: Any, path: str, keys: Keys, found: Difference) -> None:
    if isinstance(expected, Mapping):
        if isinstance(shown, Mapping):
            _record(expected, shown, f"{path}.", keys, found)
        elif any(leaf not in _EMPTY for _, leaf in _leaves(expected, path)):
            found.fields.extend(name for name, leaf in _leaves(expected, path) if leaf not in _EMPTY)
    elif isinstance(expected, list) or isinstance(shown, list):
        _list(_elements(expected), _elements(shown), path, keys, found)
    elif not same(expected, shown):
        found.fields.append(path)


def _list(expected: Sequence[Any], shown: Sequence[Any], path: str, keys: Keys, found: Difference) -> None:
    rest = list(shown)
    by_key = {identity(element, keys.get(path, ())): element for element in reversed(rest)}
    unmet: list[Any] = []
    for element in expected:
        key = identity(element, keys.get(path, ()))
        partner = by_key.pop(key, None) if key is not None else None
        if partner is None:
            unmet.append(element)
            continue
        rest = [one for one in rest if one is not partner]
        _value(element, partner, path, keys, found)
    for element in unmet:
        _nearest(element, rest, path, keys, found)
    found.extra.extend((path, element) for element in rest)


def _nearest(element: Any, rest: list[Any], path: str, keys: Keys, found: Difference) -> None:
    """Pair an element without a known key with the one that shows the same, else with the most similar; takes it out of `rest`."""
    leaves = sum(1 for _, leaf in _leaves(element, path) if leaf not in _EMPTY)
    best: tuple[int, int, Difference] | None = None
    for place, candidate in enumerate(rest):
        difference = Difference()
        _value(element, candidate, path, keys, difference)
        size = len(difference.fields) + len(difference.extra)
        if best is None or size < best[0]:
            best = (size, place, difference)
    if best is None or (best[0] > 0 and best[0] * 2 > leaves):
        found.fields.append(path)
        return
    del rest[best[1]]
    found.fields.extend(best[2].fields)
    found.extra.extend(best[2].extra)


def same(expected: Any, shown: Any) -> bool:
    """Whether two values say the same: what is empty is empty in every form, numbers and days count by what they mean."""
    one, other = _plain(expected), _plain(shown)
    return bool(one == other) or _same_number(expected, shown)


def _plain(value: Any) -> Any:
    if value in _EMPTY:
        return None
    if isinstance(value, str):
        text = value.strip()
        return text.removesuffix("Z").removesuffix(_MIDNIGHT) if _MIDNIGHT in text else text or None
    return value


def _same_number(expected: Any, shown: Any) -> bool:
    numbers = (Decimal, int, float)
    if isinstance(expected, bool) or isinstance(shown, bool):
        return False
    if not (isinstance(expected, numbers) or isinstance(shown, numbers)):
        return False
    try:
        return Decimal(str(expected)) == Decimal(str(shown))
    except InvalidOperation:
        return False


def _elements(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _at(element: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(element, Mapping):
            return None
        element = element.get(step)
    return element


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value
