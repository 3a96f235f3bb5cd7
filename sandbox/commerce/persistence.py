"""Writing payloads: POST as upsert that adds to collections, PATCH that replaces them, DELETE with children.

Elements are processed from outside to inside; a nested element is looked up by its key, updated when found, created only
under an attribute that is partOf or autocreated. The caller's transaction makes the whole payload all or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.commerce import database, keys
from sandbox.commerce.database import Row
from sandbox.commerce.errors import Refused, misformed
from sandbox.commerce.keys import mark, text_key
from sandbox.commerce.model import IntegrationObject, Item, Use
from sandbox.commerce.moments import milliseconds
from sandbox.commerce.typesystem import (
    DEFAULT_LANGUAGE,
    DEFAULTS,
    LANGUAGES,
    MANY,
    READ_ONLY_TYPES,
    SIMPLE,
    TYPES,
    Attribute,
    Kind,
)
from sandbox.core import Transaction

Payload = dict[str, Any]
IGNORED = frozenset({"integrationKey", "__metadata", "@odata.context", "localizedAttributes"})


@dataclass(slots=True)
class Writer:
    """One write: a transaction, the integration object, and whether collections are replaced (PATCH) or added to (POST)."""

    tx: Transaction
    obj: IntegrationObject
    language: str | None = None
    replace: bool = False
    touched: dict[tuple[str, int], str] = field(default_factory=dict)

    def post(self, item: Item, payload: Payload) -> int:
        """Create or update the item a payload names, answer its primary key."""
        pk = self._save(item, payload, [])
        self._log()
        return pk

    def patch(self, item: Item, row: Row, payload: Payload, key: str) -> int:
        """Change an item; key attributes in the payload must be those of the path."""
        asked = keys.parse(key, item, self.obj)
        for use in item.keys:
            given = payload.get(use.name, asked[use.name])
            if use.kind is Kind.REFERENCE and isinstance(given, dict):
                given = {name: given.get(name) for name in asked[use.name]}
            if given != asked[use.name]:
                text = f"Key [{given}] in the payload does not match the key [{key}] in the path."
                raise Refused("invalid_key", text, key=key)
        self._apply(item, row, payload, [])
        self._log()
        return int(row["pk"])

    def delete(self, item: Item, row: Row) -> None:
        """Delete an item with all that is part of it."""
        _may_write(item, "remove")
        for attribute in TYPES[item.type]:
            if attribute.kind is Kind.CHILDREN:
                for child in list(database.children(self.tx.db, item.type, attribute, row["pk"])):
                    self._remove(attribute.target, child)
        self._remove(item.type, row)

    def _save(
        self, item: Item, payload: Any, outer: list[tuple[str, int]], nested_in: tuple[Item, Use] | None = None
    ) -> int:
        """Find or create the item of one payload element, then fill it."""
        if not isinstance(payload, dict):
            raise misformed(f"An entity of type [{item.type}] is expected.")
        row = self._look_up(item, payload, outer)
        if row is not None:
            return self._apply(item, row, payload, outer)
        if nested_in is not None and not (nested_in[1].auto_create or nested_in[1].kind is Kind.CHILDREN):
            raise Refused(
                "missing_nav_property",
                f"Item referenced by attribute [{nested_in[1].name}] in [{nested_in[0].type}] item does not exist in the system."
                " Cannot create referenced item for this attribute because it is not partof or autocreate for the item that"
                " it belongs to.",
            )
        return self._create(item, payload, outer)

    def _look_up(self, item: Item, payload: Payload, outer: list[tuple[str, int]]) -> Row | None:
        wanted: Row = {}
        for use in item.keys:
            value = payload.get(use.name)
            if use.kind is not Kind.REFERENCE:
                if value is None and not use.attribute.optional:
                    raise Refused("missing_key", f"Key Property [{use.name}] is required for EntityType [{item.type}].")
                wanted[use.name] = checked(use.attribute, item.type, value)
            elif value is None:
                raise Refused(
                    "missing_key", f"Key NavigationProperty [{use.name}] is required for EntityType [{item.type}]."
                )
            else:
                found = self._look_up(self.obj.items[use.target], value, outer)
                if found is None:
                    return None
                wanted[use.name] = found["pk"]
        return database.find(self.tx.db, item.type, wanted)

    def _create(self, item: Item, payload: Payload, outer: list[tuple[str, int]]) -> int:
        _may_write(item, "create")
        values = {**DEFAULTS.get(item.type, {}), **self._values(item, payload, outer)}
        for attribute in database.columns(item.type):
            if not attribute.optional and values.get(attribute.name) is None:
                values[attribute.name] = self._required(item, attribute, outer)
        values.update(self._localized(item, payload, {}))
        pk = database.insert(self.tx, item.type, values)
        self.touched[item.type, pk] = "created"
        self._collections(item, pk, payload, outer)
        return pk

    def _required(self, item: Item, attribute: Attribute, outer: list[tuple[str, int]]) -> Any:
        """A mandatory value that the payload leaves out: the nearest outer item of its type, or a refusal."""
        for kind, pk in reversed(outer):
            if attribute.kind is Kind.REFERENCE and attribute.takes(kind):
                return pk
        if attribute.name not in item.uses:
            raise Refused(
                "invalid_attribute_value",
                f"An error occurred while attempting to save entries for entityType: {item.type}, with error message missing"
                f" values for [{attribute.name}] in model {item.type}.",
            )
        if attribute.kind is Kind.REFERENCE:
            raise Refused(
                "missing_nav_property",
                f"NavigationProperty [{attribute.name}] is required for EntityType [{item.type}].",
            )
        raise Refused("missing_property", f"Property [{attribute.name}] is required for EntityType [{item.type}].")

    def _apply(self, item: Item, row: Row, payload: Payload, outer: list[tuple[str, int]]) -> int:
        """Fill an existing item; only what differs is a change."""
        pk = int(row["pk"])
        values = {**self._values(item, payload, outer), **self._localized(item, payload, row)}
        changed = {name: value for name, value in values.items() if value != row[name]}
        if changed:
            _may_write(item, "change")
            database.update(self.tx, item.type, pk, changed)
            self.touched.setdefault((item.type, pk), "updated")
        if self._collections(item, pk, payload, outer):
            database.update(self.tx, item.type, pk, {})
            self.touched.setdefault((item.type, pk), "updated")
        return pk

    def _values(self, item: Item, payload: Payload, outer: list[tuple[str, int]]) -> Row:
        """The columns a payload sets, in its order. A null leaves an optional reference as it is."""
        values: Row = {}
        for name, value in payload.items():
            if name in IGNORED:
                continue
            use = item.uses.get(name)
            if use is None:
                raise Refused(
                    "invalid_property", f"An entity contains [{name}] that is not defined in the Integration Object."
                )
            if use.kind in SIMPLE:
                simple = checked(use.attribute, item.type, value)
                if not use.attribute.read_only and use.kind is not Kind.LOCALIZED:
                    values[name] = simple
            elif use.kind is Kind.REFERENCE:
                if value is not None:
                    target = self.obj.items[use.target]
                    values[name] = self._save(target, value, outer, (item, use))
                elif not use.attribute.optional:
                    raise Refused(
                        "missing_nav_property", f"NavigationProperty [{name}] is required for EntityType [{item.type}]."
                    )
        return values

    def _collections(self, item: Item, pk: int, payload: Payload, outer: list[tuple[str, int]]) -> bool:
        """Fill the collections a payload names; whether a relation of the item itself changed."""
        moved = False
        for name, value in payload.items():
            use = item.uses.get(name)
            if use is None or use.kind not in MANY or value is None:
                continue
            target = self.obj.items[use.target]
            inner = [
                self._save(target, element, [*outer, (item.type, pk)], (item, use))
                for element in _elements(value, name)
            ]
            before = {row["pk"] for row in database.children(self.tx.db, item.type, use.attribute, pk)}
            if use.kind is Kind.LINKS:
                wanted = set(inner) if self.replace else before | set(inner)
                moved |= database.link(self.tx, item.type, use.attribute, pk, wanted)
            else:
                self._own(target, pk, inner, before)
        return moved

    def _own(self, target: Item, owner: int, inner: list[int], before: set[int]) -> None:
        """Give children to their owner; a PATCH takes away, and thereby deletes, those it does not name."""
        for child in inner:
            if child not in before:
                database.update(self.tx, target.type, child, {"owner": owner})
                self.touched.setdefault((target.type, child), "updated")
        for gone in before - set(inner) if self.replace else ():
            row = database.one(self.tx.db, target.type, gone)
            if row is not None:
                self._remove(target.type, row)

    def _localized(self, item: Item, payload: Payload, row: Row) -> Row:
        """New texts of the localized attributes, all languages of each."""
        values: Row = {}
        entries = payload.get("localizedAttributes")
        texts = [(_language(e), e) for e in _elements(entries, "localizedAttributes")] if entries is not None else None
        for use in item.localized:
            made = dict(row.get(use.name) or {})
            if texts is not None and self.replace:
                made = {
                    language: text
                    for language, text in made.items()
                    if not texts and self.language not in (None, language)
                }
            if use.name in payload:
                if payload[use.name] is None and self.replace and self.language is None:
                    made = {}
                made[self.language or DEFAULT_LANGUAGE] = payload[use.name]
            made.update({language: entry[use.name] for language, entry in texts or () if use.name in entry})
            values[use.name] = {language: text for language, text in made.items() if text is not None}
        return values

    def _remove(self, kind: str, row: Row) -> None:
        database.delete(self.tx, kind, row["pk"])
        self.touched.pop((kind, row["pk"]), None)
        self.tx.log(kind, text_key(kind, row), "deleted", mark=mark(row))

    def _log(self) -> None:
        for (kind, pk), action in self.touched.items():
            row = database.one(self.tx.db, kind, pk)
            if row is not None:
                self.tx.log(kind, text_key(kind, row), action, row, mark=mark(row))


def _may_write(item: Item, right: str) -> None:
    if item.type in READ_ONLY_TYPES:
        text = f"The user lacks {right} privileges for accessing the {item.type} type."
        raise Refused("forbidden", text, status=403)


def checked(attribute: Attribute, kind: str, value: Any) -> Any:
    """A simple value of the right type and length; raises Refused for another."""
    if value is None:
        if not attribute.optional:
            raise Refused("missing_property", f"Property [{attribute.name}] is required for EntityType [{kind}].")
        return None
    wanted = bool if attribute.kind is Kind.BOOLEAN else str
    moment = milliseconds(value) if attribute.kind is Kind.DATE and isinstance(value, str) else None
    if not isinstance(value, wanted) or (attribute.kind is Kind.DATE and moment is None):
        raise misformed(f"The value of '{attribute.name}' is not of the type {attribute.kind.value}.")
    if moment is not None:
        return moment
    if wanted is str and attribute.length is not None and len(value) > attribute.length:
        raise Refused(
            "invalid_attribute_value",
            f"An error occurred while attempting to save entries for entityType: {kind}, with error message value of"
            f" [{attribute.name}] is longer than {attribute.length} characters.",
        )
    return value


def _elements(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        value = value["results"]
    if not isinstance(value, list):
        raise misformed(f"A list is expected for '{name}'.")
    return value


def _language(entry: Any) -> str:
    language = entry.get("language") if isinstance(entry, dict) else None
    if language not in LANGUAGES:
        raise Refused("invalid_language", f"The language provided [{language}] is not available.")
    return str(language)
