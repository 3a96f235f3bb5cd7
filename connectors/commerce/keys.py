"""Keys of records: a plain attribute, or the integration key in a form that does not depend on who wrote it down.

The shop puts an integration key together from the key attributes, in the order of the alias in its metadata, with `|` between
them. What it encodes inside a value differs: SAP's documents show pipes only, SAP's code encodes like a form in a browser. So
a key of ours is made from the attributes themselves, and only `|` and `%` inside a value are encoded.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, unquote_plus

from connectors.commerce.entities import KEY, Service, value_at

_FORM_ENCODED = re.compile(r"[\w.*%+-]*", re.ASCII)


def key_of(service: Service, data: Mapping[str, Any]) -> str:
    """The key of a record or payload; '' where it carries none of the attributes that make it."""
    if service.entity.key != KEY:
        return str(data.get(service.entity.key) or "")
    values = [value_at(data, path) for path in service.key]
    return joined(values) if any(value not in (None, "") for value in values) else ""


def joined(values: Sequence[Any]) -> str:
    """The key of these values; an empty one is an empty segment."""
    return "|".join(str(value or "").replace("%", "%25").replace("|", "%7C") for value in values)


def values_of(key: str) -> list[str]:
    """The values of a key of ours, in order; an empty segment is ''."""
    return [part.replace("%7C", "|").replace("%25", "%") for part in key.split("|")]


def understood(text: str) -> list[str]:
    """The values of an integration key as the shop writes it, whichever of its two encodings it uses.

    A `+` stands for a blank only where everything else is encoded, too.
    """
    return [unquote_plus(part) if _FORM_ENCODED.fullmatch(part) else unquote(part) for part in text.split("|")]


def attributes(service: Service, key: str) -> dict[tuple[str, ...], str | None]:
    """Path and value of each key attribute; none where the key has another number of segments than the shop's metadata say."""
    if service.entity.key != KEY:
        return {(service.entity.key,): key}
    values = values_of(key)
    if len(values) != len(service.key):
        return {}
    return {path: value or None for path, value in zip(service.key, values, strict=True)}


def with_attributes(data: Mapping[str, Any], found: Mapping[tuple[str, ...], str | None]) -> dict[str, Any]:
    """The data with these values at their paths; what is on the way is copied, never changed."""
    made = dict(data)
    for path, value in found.items():
        level = made
        for step in path[:-1]:
            level[step] = dict(level.get(step) or {})
            level = level[step]
        level[path[-1]] = value
    return made
