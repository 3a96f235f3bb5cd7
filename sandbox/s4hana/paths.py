"""Resource paths: which records a URL means."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.s4hana import tables
from sandbox.s4hana.errors import failure
from sandbox.s4hana.model import Entity, Model, Navigation, Property
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import literal, parse_literal, strip

SEGMENT = re.compile(r"(?P<name>[A-Za-z_$][\w]*)(?:\((?P<key>.*)\))?", re.DOTALL)
KEY_PART = re.compile(r"\s*(?:(\w+)\s*=\s*)?((?:datetimeoffset|datetime|time|guid)?'(?:[^']|'')*'|[\w.+-]+)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path leads to.

    A collection has `one` False; its members meet `where` (SQL, values). A single record has `row`, None when the
    navigation leads nowhere. `parent` is the record the last navigation started from; `property` or `tail` (`$count`,
    `$value`) is what the path wants of it.
    """

    entity: Entity
    one: bool
    row: Row | None = None
    where: tuple[str, list[Any]] = ("", [])
    parent: tuple[Entity, Row] | None = None
    navigation: Navigation | None = None
    property: Property | None = None
    tail: str = ""


def resolve(db: sqlite3.Connection, model: Model, path: str) -> Target:
    """Follow a raw path below the service root; unknown segments and missing records end the request with 404."""
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    name, key = _split(segments[0])
    if name not in model:
        raise failure(404, f"Resource not found for segment '{name}'")
    target = _from_set(db, model[name], key)
    for segment in segments[1:]:
        target = _step(db, model, target, segment)
    return target


def _split(segment: str) -> tuple[str, str | None]:
    match = SEGMENT.fullmatch(segment)
    if match is None:
        raise failure(400, f"Malformed URI: '{segment}'")
    return match["name"], match["key"]


def _from_set(db: sqlite3.Connection, entity: Entity, key: str | None) -> Target:
    if not key:
        return Target(entity, one=False)
    return Target(entity, one=True, row=_existing(db, entity, parse_predicate(entity, key)))


def _existing(db: sqlite3.Connection, entity: Entity, key: Row) -> Row:
    row = tables.get(db, entity, key)
    if row is None:
        raise failure(404, f"Resource not found for segment '{entity.name}Type'", "/IWBEP/CM_MGW_RT/020")
    return row


def _step(db: sqlite3.Connection, model: Model, target: Target, segment: str) -> Target:
    name, key = _split(segment)
    if name in ("$count", "$value"):
        return Target(target.entity, target.one, target.row, target.where, property=target.property, tail=name)
    if not target.one:
        raise failure(400, f"'{name}' cannot follow a collection")
    if target.row is None:
        raise failure(404, f"Resource not found for segment '{name}'")
    if name in target.entity.properties and key is None:
        prop = target.entity.properties[name]
        return Target(target.entity, one=True, row=target.row, property=prop)
    navigation = target.entity.navigations.get(name)
    if navigation is None:
        raise failure(404, f"Resource not found for segment '{name}'")
    return _navigate(db, model, target, navigation, key)


def _navigate(db: sqlite3.Connection, model: Model, target: Target, navigation: Navigation, key: str | None) -> Target:
    other = model[navigation.target]
    source = target.row or {}
    parent = (target.entity, source)
    if navigation.many and key:
        wanted = parse_predicate(other, key)
        for own, theirs in navigation.joins:
            if theirs in wanted and wanted[theirs] != source.get(own, target.entity.properties[own].unset):
                raise failure(404, f"Resource not found for segment '{navigation.name}'")
        return Target(other, one=True, row=_existing(db, other, wanted), parent=parent, navigation=navigation)
    if navigation.many:
        where = tables.conditions(other, navigation, source)
        return Target(other, one=False, where=where, parent=parent, navigation=navigation)
    linked = all(source.get(own) for own, _ in navigation.joins)
    found = tables.related(db, other, navigation, source) if linked else []
    return Target(other, one=True, row=found[0] if found else None, parent=parent, navigation=navigation)


def parse_predicate(entity: Entity, text: str) -> Row:
    """The key fields from what stands between the parentheses."""
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = KEY_PART.match(text, at)
        if match is None or match.end() == at:
            raise failure(400, f"Malformed key predicate '({text})' for '{entity.name}'")
        given[match[1] or entity.key[0].name] = match[2]
        at = match.end()
    names = [prop.name for prop in entity.key]
    if sorted(given) != sorted(names):
        raise failure(400, f"The key of '{entity.name}' is {', '.join(names)}, not '({text})'")
    return {prop.name: _key_part(prop, given[prop.name]) for prop in entity.key}


def _key_part(prop: Property, text: str) -> Any:
    try:
        value = parse_literal(prop, text)
    except (ValueError, ArithmeticError) as error:
        raise failure(400, f"Invalid value for key '{prop.name}': {text}", target=prop.name) from error
    return strip(prop, value) if isinstance(value, str) and prop.type == "String" else value


def predicate(entity: Entity, row: Row) -> str:
    """`A_BusinessPartner('1000140')`: set and key of a record, percent-encoded."""
    key = entity.key
    if len(key) == 1:
        return f"{entity.name}({literal(key[0], row[key[0].name])})"
    return f"{entity.name}({','.join(f'{prop.name}={literal(prop, row[prop.name])}' for prop in key)})"
