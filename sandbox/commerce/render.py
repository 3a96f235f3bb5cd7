"""Items as OData v2 entities, in JSON or Atom."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from sandbox.commerce import database, keys
from sandbox.commerce.database import Row
from sandbox.commerce.metadata import LOCALIZED, NAMESPACE
from sandbox.commerce.model import IntegrationObject, Item, Use
from sandbox.commerce.typesystem import DEFAULT_LANGUAGE, MANY, Kind

Expand = dict[str, Any]
"""The tree of navigation properties to show inline: `{"addresses": {"country": {}}}`."""


@dataclass(slots=True)
class Renderer:
    """Turns rows into entities of one integration object; `root` is its service address, `language` of localized values."""

    db: sqlite3.Connection
    obj: IntegrationObject
    root: str
    language: str = DEFAULT_LANGUAGE
    _seen: dict[tuple[str, int], Row | None] = field(default_factory=dict)

    def entity(self, item: Item, row: Row, expand: Expand) -> dict[str, Any]:
        """One item with its own attributes, its key, and its navigation properties inline or deferred."""
        key = self.key(item, row)
        uri = f"{self.root}/{item.entity_set}('{keys.in_url(key)}')"
        made: dict[str, Any] = {"__metadata": {"id": uri, "uri": uri, "type": f"{NAMESPACE}.{item.type}"}}
        for use in item.uses.values():
            if use.kind not in (Kind.REFERENCE, *MANY):
                made[use.name] = self.value(use, row)
        made["integrationKey"] = key
        for use in item.uses.values():
            if use.kind in (Kind.REFERENCE, *MANY):
                made[use.name] = (
                    self._inline(item, use, row, expand[use.name]) if use.name in expand else _deferred(uri, use.name)
                )
        if item.localized:
            inline = "localizedAttributes" in expand
            made["localizedAttributes"] = self.localized(item, row) if inline else _deferred(uri, "localizedAttributes")
        return made

    def key(self, item: Item, row: Row) -> str:
        """The integration key of an item."""
        return keys.compose(
            {name: self._at(item, row, path) for name, path in self.obj.key_paths(item)}, item, self.obj
        )

    def value(self, use: Use, row: Row) -> Any:
        """The value of a simple attribute, as JSON has it."""
        found = row[use.name]
        if use.kind is Kind.LOCALIZED:
            return found.get(self.language)
        return f"/Date({found})/" if use.kind is Kind.DATE and found is not None else found

    def related(self, item: Item, use: Use, row: Row) -> list[Row]:
        """The rows behind a navigation property."""
        if use.kind in MANY:
            return list(database.children(self.db, item.type, use.attribute, row["pk"]))
        found = self._one(use.target, row[use.name])
        return [] if found is None else [found]

    def localized(self, item: Item, row: Row) -> dict[str, Any]:
        """The localized attributes of an item, one entity a language."""
        languages = sorted(
            {language for use in item.localized for language, text in row[use.name].items() if text is not None}
        )
        kind = f"{NAMESPACE}.{LOCALIZED}{item.type}"
        results = []
        for language in languages:
            uri = f"{self.root}/{LOCALIZED}{item.entity_set}('{language}')"
            texts = {use.name: row[use.name].get(language) for use in item.localized}
            results.append({"__metadata": {"id": uri, "uri": uri, "type": kind}, **texts, "language": language})
        return {"results": results}

    def _inline(self, item: Item, use: Use, row: Row, expand: Expand) -> Any:
        target = self.obj.items[use.target]
        entities = [self.entity(target, found, expand) for found in self.related(item, use, row)]
        if use.kind in MANY:
            return {"results": entities}
        return entities[0] if entities else None

    def _at(self, item: Item, row: Row | None, path: tuple[str, ...]) -> Any:
        """The value at the end of a path of references, None where one of them is empty."""
        for step in path[:-1]:
            if row is None:
                return None
            row = self._one(item.uses[step].target, row[step])
            item = self.obj.items[item.uses[step].target]
        return None if row is None else row[path[-1]]

    def _one(self, kind: str, pk: int | None) -> Row | None:
        """A referenced item, read once for a page; countries and regions come again and again."""
        if pk is None:
            return None
        if (kind, pk) not in self._seen:
            self._seen[kind, pk] = database.one(self.db, kind, pk)
        return self._seen[kind, pk]


def _deferred(uri: str, name: str) -> dict[str, Any]:
    return {"__deferred": {"uri": f"{uri}/{name}"}}


ATOM = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
)


def atom(content: Any) -> bytes:
    """A JSON answer as Atom: what a client gets that does not ask for JSON. Inline content is left out."""
    if isinstance(content, dict) and "results" in content:
        body = "".join(_entry(entity, "") for entity in content["results"])
        count = f"<m:count>{content['__count']}</m:count>" if "__count" in content else ""
        follow = (
            f'<link rel="next" href="{escape(content["__next"], {chr(34): "&quot;"})}"/>' if "__next" in content else ""
        )
        text = f"<feed {ATOM}>{count}{body}{follow}</feed>"
    else:
        text = _entry(content, f" {ATOM}")
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


def _entry(entity: dict[str, Any], attributes: str) -> str:
    fields = ""
    for name, value in entity.items():
        if name == "__metadata" or isinstance(value, dict):
            continue
        if value is None:
            fields += f'<d:{name} m:null="true"/>'
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            fields += f"<d:{name}>{escape(text)}</d:{name}>"
    uri = escape(entity.get("__metadata", {}).get("uri", ""))
    content = f'<content type="application/xml"><m:properties>{fields}</m:properties></content>'
    return f"<entry{attributes}><id>{uri}</id>{content}</entry>"
