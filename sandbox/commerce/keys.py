"""Integration keys: `segment|segment`, in the order of the alias, with `|` inside a value written `%7C`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.commerce.database import Row
from sandbox.commerce.errors import Refused
from sandbox.commerce.model import IntegrationObject, Item
from sandbox.commerce.typesystem import KEYS, Kind
from sandbox.core import join_key


def segment(value: Any) -> str:
    """One value as a segment of an integration key; None is the empty segment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("|", "%7C")


def compose(values: dict[str, Any], item: Item, obj: IntegrationObject) -> str:
    """The integration key from the values of its segments, named `Type_attribute`."""
    return "|".join(segment(values[name]) for name in obj.alias(item))


def parse(key: str, item: Item, obj: IntegrationObject) -> dict[str, Any]:
    """The payload that holds just the key attributes of an integration key, references nested.

    Raises Refused when the number of segments is not that of the alias.
    """
    parts = key.split("|")
    alias = obj.alias(item)
    if len(parts) != len(alias):
        raise Refused(
            "invalid_key",
            f"The integration key [{key}] is invalid. Please consult the IntegrationKey definition of [{item.type}] for"
            " configuration details.",
        )
    texts = dict(zip(alias, parts, strict=True))
    payload: dict[str, Any] = {}
    for name, path in obj.key_paths(item):
        _put(payload, path, _value(texts[name], name, obj))
    return payload


def _put(payload: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        payload = payload.setdefault(step, {})
    payload[path[-1]] = value


def _value(text: str, name: str, obj: IntegrationObject) -> Any:
    kind, _, attribute = name.partition("_")
    if obj.items[kind].uses[attribute].kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text)
    return text.replace("%7C", "|") or None


def in_url(key: str) -> str:
    """An integration key as the literal of a URL, without its quotes."""
    return quote(key.replace("'", "''"), safe="")


def text_key(kind: str, row: Row) -> str:
    """The key of an item in commit log and control address."""
    simple = [name for name in KEYS[kind] if name != "country"]
    return join_key([_plain(row.get(name)) for name in simple])


def mark(row: Row) -> str | None:
    """The number by which the leading system knows an item, for the commit log."""
    number = row.get("l2cCustomerNumber") or row.get("sapBusinessPartnerID")
    return None if number is None else str(number)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
