"""Request bodies: read into a tree of records, every mistake named at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.s4hana.errors import Message
from sandbox.s4hana.model import Entity, Model, Property
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import parse

INVALID_VALUE = "005056A509B11EE1B9A8FEC11C21578E"


@dataclass(slots=True)
class Node:
    """One record of a deep insert; `given` holds what the caller sent, `row` becomes what is stored.

    `via` is the navigation it was sent under, empty for a record sent by itself.
    """

    entity: Entity
    given: Row
    row: Row
    children: dict[str, list["Node"]] = field(default_factory=dict)
    via: str = ""


def read_tree(model: Model, entity: Entity, body: Any, *, strict: bool, found: list[Message]) -> Node:
    """The records of a create; mistakes are appended to `found`. `strict`: fields the API may not set are mistakes."""
    content: Mapping[str, Any] = body if isinstance(body, dict) else {}
    if not isinstance(body, dict):
        found.append(Message(INVALID_VALUE, f"A record of '{entity.name}' must be a JSON object"))
    given = read_fields(entity, content, updating=False, strict=strict, found=found)
    node = Node(entity, given, dict(given))
    for name, value in content.items():
        if name not in entity.navigations or _is_deferred(value):
            continue
        navigation = entity.navigations[name]
        if navigation.many != isinstance(value, list):
            shape = "a list" if navigation.many else "an object"
            found.append(Message(INVALID_VALUE, f"Property '{name}' must be {shape}", name))
            continue
        other = model[navigation.target]
        items = value if isinstance(value, list) else [value]
        node.children[name] = [read_tree(model, other, item, strict=strict, found=found) for item in items]
        for child in node.children[name]:
            child.via = name
    return node


def _is_deferred(value: object) -> bool:
    return value is None or (isinstance(value, dict) and "__deferred" in value)


def read_fields(
    entity: Entity, content: Mapping[str, Any], *, updating: bool, strict: bool, found: list[Message]
) -> Row:
    """The plain fields of a body as stored values; mistakes are appended to `found`."""
    row: Row = {}
    for name, value in content.items():
        if name == "__metadata" or (name in entity.navigations and not updating):
            continue
        prop = entity.properties.get(name)
        if prop is None:
            found.append(
                Message(INVALID_VALUE, f"Property '{name}' is invalid for entity type '{entity.name}Type'", name)
            )
            continue
        allowed = prop.updatable if updating else prop.creatable
        if strict and not allowed:
            verb = "changed" if updating else "set on creation"
            found.append(Message(INVALID_VALUE, f"Property '{name}' cannot be {verb}", name))
            continue
        try:
            row[name] = parse(prop, value)
        except (ValueError, TypeError, OverflowError):
            text = f"Property '{name}' has invalid value '{str(value)[:40]}' for Edm.{prop.type}"
            found.append(Message(INVALID_VALUE, text, name))
            continue
        found.extend(_facets(prop, row[name]))
    return row


def _facets(prop: Property, value: Any) -> Iterator[Message]:
    if prop.length is not None and isinstance(value, str) and len(value.encode("utf-16-le")) // 2 > prop.length:
        text = f"Value '{value[:40]}' of property '{prop.name}' is longer than {prop.length} characters"
        yield Message(INVALID_VALUE, text, prop.name)
    if prop.precision is not None and value is not None:
        whole, _, fraction = str(value).lstrip("-").partition(".")
        scale = prop.scale or 0
        if len(fraction) > scale or len(whole.lstrip("0")) > prop.precision - scale:
            text = f"Value '{value}' of property '{prop.name}' does not fit Decimal({prop.precision},{scale})"
            yield Message(INVALID_VALUE, text, prop.name)
