"""Records as request bodies: checked against the metadata, every mistake named, values in OData v2's forms."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from l2c.contract import FieldSchema
from l2c.http import EntityType, Metadata, to_json

Mistakes = list[tuple[str, str]]


def body_bytes(body: Mapping[str, Any]) -> bytes:
    """A body as JSON; decimals as text."""
    return msgspec.json.encode(body)


def flat(
    kind: EntityType, data: Mapping[str, Any], mistakes: Mistakes, *, prefix: str = "", creating: bool
) -> dict[str, Any]:
    """The plain fields of `data` as a body; unknown, read-only, too long and unreadable ones become mistakes."""
    body: dict[str, Any] = {}
    for name, value in data.items():
        if name in kind.navigations:
            continue
        schema = kind.fields.get(name)
        if schema is None:
            mistakes.append((prefix + name, "the system has no such field"))
            continue
        if name in kind.keys and not creating:
            continue
        wrong = _mistake(schema, value, creating=creating)
        if wrong:
            mistakes.append((prefix + name, wrong))
            continue
        try:
            body[name] = _value(value, schema.type)
        except ValueError:
            mistakes.append((prefix + name, f"the value is no {schema.type}"))
    return body


def _mistake(schema: FieldSchema, value: Any, *, creating: bool) -> str:
    if not (schema.creatable if creating else schema.updatable):
        return "the system sets this field itself"
    if isinstance(value, str) and schema.type == "Edm.String" and schema.length is not None:
        length = len(value.encode("utf-16-le", "surrogatepass")) // 2
        if length > schema.length:
            return f"{length} characters, the system takes {schema.length}"
    return ""


def _value(value: Any, edm_type: str) -> Any:
    """None clears: text becomes empty, a flag false."""
    if value is None:
        return {"Edm.String": "", "Edm.Boolean": False}.get(edm_type)
    return to_json(value, edm_type)


def deep(
    metadata: Metadata, kind: EntityType, data: Mapping[str, Any], mistakes: Mistakes, prefix: str = ""
) -> dict[str, Any]:
    """A whole record with everything below it as the body of a deep insert; lists are plain lists there."""
    body = flat(kind, data, mistakes, prefix=prefix, creating=True)
    body = {name: value for name, value in body.items() if value not in ("", None)}
    for name, value in data.items():
        target = metadata.target(kind, name)
        if target is None or not value:
            continue
        if isinstance(value, Mapping):
            body[name] = deep(metadata, target, value, mistakes, f"{prefix}{name}.")
        else:
            body[name] = [
                deep(metadata, target, element, mistakes, f"{prefix}{name}[{index}].")
                for index, element in enumerate(value)
            ]
    return body


def same(left: Any, right: Any, schema: FieldSchema | None) -> bool:
    """Whether two values of a field mean the same to the system: empty text is nothing, 1.50 is 1.5."""
    if left in ("", None) and right in ("", None):
        return True
    if schema is not None and schema.type == "Edm.Boolean":
        return bool(left) == bool(right)
    if schema is not None and schema.type == "Edm.Decimal":
        try:
            return Decimal(str(left)) == Decimal(str(right))
        except InvalidOperation:
            return False
    return bool(left == right)


def differing(kind: EntityType, wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields of `wanted` that `present` shows with another value, or not at all."""
    return {
        name: value
        for name, value in wanted.items()
        if name not in kind.navigations
        and name not in kind.keys
        and not (name in present and same(value, present[name], kind.fields.get(name)))
        and not (name not in present and value in ("", None))
    }
