"""Items as the body of a notification: plain nested objects, not OData entities."""

from __future__ import annotations

from typing import Any

from sandbox.commerce.database import Row
from sandbox.commerce.model import Item
from sandbox.commerce.render import Renderer
from sandbox.commerce.typesystem import LANGUAGES, MANY, SIMPLE, Kind


def payload(renderer: Renderer, item: Item, row: Row, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """One item with all that its integration object shows; of a type that is around it already only its key."""
    made: dict[str, Any] = {}
    for use in item.uses.values():
        if item.type in above and not use.unique:
            continue
        if use.kind in SIMPLE:
            made[use.name] = renderer.value(use, row)
            continue
        target = renderer.obj.items[use.target]
        inner = [payload(renderer, target, found, (*above, item.type)) for found in renderer.related(item, use, row)]
        made[use.name] = inner if use.kind in MANY else inner[0] if inner else None
    if item.localized and item.type not in above:
        made["localizedAttributes"] = _localized(item, row)
    return {**made, "integrationKey": renderer.key(item, row)}


def _localized(item: Item, row: Row) -> list[dict[str, Any]]:
    texts = {use.name: row[use.name] for use in item.uses.values() if use.kind is Kind.LOCALIZED}
    return [
        {"language": language, **{name: by.get(language) for name, by in texts.items()}}
        for language in LANGUAGES
        if any(language in by for by in texts.values())
    ]
