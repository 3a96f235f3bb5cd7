"""What a `for_each` at the head of a file goes through: the elements of a record, each with its name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l2c.mapping.runtime import load_list
from l2c.mapping.scopes import Info

Steps = tuple[str, ...]


def lists_on(text: str, names: Mapping[str, Info] | None) -> list[Steps]:
    """The lists a path goes through, each by the steps from the one before; one list where nothing is known of the names."""
    found: list[Steps] = []
    steps: list[str] = []
    below: Mapping[str, Info] | None = names
    for step in text.split("."):
        steps.append(step)
        info = below.get(step) if below is not None else None
        below = info.fields if info is not None else None
        if info is not None and info.many:
            found.append(tuple(steps))
            steps = []
    return [*found, tuple(steps)] if steps else found


def elements_of(record: Any, lists: Sequence[Steps]) -> Iterator[tuple[Any, ...]]:
    """Every element of the innermost list, with the elements around it, outermost first; raises Unfit where no list is."""
    found = load_list(record, *lists[0])
    for element in found if isinstance(found, list) else ():
        if len(lists) == 1:
            yield (element,)
        else:
            yield from ((element, *inner) for inner in elements_of(element, lists[1:]))


def name_of(elements: Sequence[Any], keys: Sequence[str]) -> str:
    """The name of an element within its record: the list keys of it and of those around it ('' : the value itself)."""
    return "/".join(str(element.get(key)) if key else str(element) for element, key in zip(elements, keys, strict=True))
