"""`$filter` and `$orderby`, as far as the Integration API supports them, as SQL over the alias `t`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.commerce import keys
from sandbox.commerce.errors import Refused, misformed
from sandbox.commerce.model import IntegrationObject, Item, Use
from sandbox.commerce.moments import milliseconds
from sandbox.commerce.typesystem import DEFAULT_LANGUAGE, MANY, Kind

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<date>datetime'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?[mMdDfFlL]?)(?![\w/])|(?P<name>[A-Za-z_][\w/]*))",
    re.IGNORECASE,
)
COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}


@dataclass(slots=True)
class Condition:
    """SQL with its values; an empty text is true for every item."""

    sql: str = ""
    values: list[Any] = field(default_factory=list)


def condition(text: str | None, item: Item, obj: IntegrationObject) -> Condition:
    """The condition of a `$filter`; raises Refused for what is not supported."""
    if not text:
        return Condition()
    reader = _Reader(_tokens(text), item, obj)
    made = reader.either()
    if reader.tokens:
        raise misformed(f"The filter cannot be read at '{reader.tokens[0][1]}'.")
    return made


def order(text: str | None, item: Item) -> str:
    """The terms of an `$orderby`, the primary key last."""
    terms = []
    for term in (text or "").split(","):
        name, _, direction = term.strip().partition(" ")
        if not name:
            continue
        if name == "integrationKey":
            raise Refused("order_by_integration_key_not_supported", "Ordering by integration key is not supported.")
        if "/" in name:
            raise Refused(
                "order_by_nested_attribute_not_supported", f"Ordering by nested attribute [{name}] is not supported."
            )
        use = item.uses.get(name)
        if use is None or use.kind in MANY or direction.strip().lower() not in ("", "asc", "desc"):
            raise misformed(f"Cannot order by '{term.strip()}'.")
        terms.append(f"{_column('t', use)} {direction.strip() or 'asc'}")
    return ", ".join([*terms, "t.pk"])


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise misformed(f"The filter cannot be read at '{text[at : at + 20].strip()}'.")
        group, word = str(match.lastgroup), match[match.lastgroup or 0]
        at = match.end()
        if group == "name" and word not in ("and", "or") and text[at : at + 1] == "(":
            raise Refused("operator_not_supported", f"Operator [{word}] is not supported.")
        found.append((group, word))
    return found


def _column(table: str, use: Use) -> str:
    """Localized attributes are compared in the installation's language only."""
    column = f"{table}.{use.name}"
    return f"json_extract({column}, '$.{DEFAULT_LANGUAGE}')" if use.kind is Kind.LOCALIZED else column


class _Reader:
    """Recursive descent over the tokens: or, and, comparison."""

    def __init__(self, tokens: list[tuple[str, str]], item: Item, obj: IntegrationObject) -> None:
        self.tokens = tokens
        self.item = item
        self.obj = obj

    def either(self) -> Condition:
        return self._chain("or", self._both)

    def _both(self) -> Condition:
        return self._chain("and", self._single)

    def _chain(self, word: str, part: Any) -> Condition:
        made = part()
        while self.tokens and self.tokens[0] == ("name", word):
            self.tokens.pop(0)
            other = part()
            made = Condition(f"({made.sql} {word.upper()} {other.sql})", made.values + other.values)
        return made

    def _single(self) -> Condition:
        kind, text = self._next()
        if kind == "open":
            made = self.either()
            if self._next()[0] != "close":
                raise misformed("A bracket of the filter is not closed.")
            return made
        if kind != "name":
            raise misformed(f"The filter has '{text}' where an attribute is expected.")
        if text == "not":
            raise Refused("operator_not_supported", f"Operator [{text}] is not supported.")
        operator = self._next()[1]
        if operator not in COMPARISONS:
            raise Refused("operator_not_supported", f"Operator [{operator}] is not supported.")
        return self._compare(text, operator, *self._next())

    def _next(self) -> tuple[str, str]:
        if not self.tokens:
            raise misformed("The filter ends too early.")
        return self.tokens.pop(0)

    def _compare(self, path: str, operator: str, kind: str, text: str) -> Condition:
        steps = path.split("/")
        if len(steps) > 2:
            raise Refused("filter_not_supported", f"Nested filter [{path}] of more than one level is not supported.")
        if steps == ["integrationKey"]:
            raise Refused(
                "integration_key_not_supported",
                "Filtering by integration key is not supported. Please supply the key with the Integration Object, as in"
                f" {self.item.entity_set}('key').",
            )
        use = self._use(self.item, steps[0])
        if len(steps) == 1:
            if use.kind is Kind.REFERENCE:
                raise misformed(f"'{path}' is no simple attribute.")
            return _comparison(_column("t", use), use, operator, kind, text)
        return self._nested(use, steps[1], operator, kind, text)

    def _nested(self, use: Use, name: str, operator: str, kind: str, text: str) -> Condition:
        if use.kind is not Kind.REFERENCE:
            raise Refused("filter_not_supported", f"Nested filter [{use.name}/{name}] is not supported.")
        target = self.obj.items[use.target]
        if name == "integrationKey":
            inner = self._by_key(target, operator, _literal(Kind.STRING, kind, text))
        else:
            inner_use = self._use(target, name)
            if inner_use.kind is Kind.REFERENCE:
                raise misformed(f"'{use.name}/{name}' is no simple attribute.")
            inner = _comparison(_column("n", inner_use), inner_use, operator, kind, text)
        return Condition(f"t.{use.name} IN (SELECT n.pk FROM {target.type} n WHERE {inner.sql})", inner.values)

    def _by_key(self, target: Item, operator: str, key: Any) -> Condition:
        if operator not in ("eq", "ne"):
            raise Refused("operator_not_supported", f"Operator [{operator}] is not supported.")
        parts = _key_condition("n", keys.parse(str(key), target, self.obj), target, self.obj)
        return Condition(f"{'NOT ' if operator == 'ne' else ''}({parts.sql})", parts.values)

    def _use(self, item: Item, name: str) -> Use:
        use = item.uses.get(name)
        if use is None or use.kind in MANY:
            raise misformed(f"There is no attribute '{name}' in [{item.type}] to filter by.")
        return use


def _key_condition(table: str, payload: dict[str, Any], item: Item, obj: IntegrationObject) -> Condition:
    made = Condition("1")
    for name, value in payload.items():
        if isinstance(value, dict):
            target = obj.items[item.uses[name].target]
            inner = _key_condition("k", value, target, obj)
            made.sql += f" AND {table}.{name} IN (SELECT k.pk FROM {target.type} k WHERE {inner.sql})"
            made.values += inner.values
        else:
            made.sql += f" AND {table}.{name} IS ?"
            made.values.append(value)
    return made


def _comparison(column: str, use: Use, operator: str, kind: str, text: str) -> Condition:
    """As in the database behind the shop, `ne` to a value does not hold for an empty attribute."""
    if (kind, text) == ("name", "null") and operator in ("eq", "ne"):
        return Condition(f"{column} IS {'NOT ' if operator == 'ne' else ''}NULL")
    return Condition(f"{column} {COMPARISONS[operator]} ?", [_literal(use.kind, kind, text)])


def _literal(wanted: Kind, kind: str, text: str) -> Any:
    """The value of a literal, which must be of the attribute's type."""
    if wanted in (Kind.STRING, Kind.LOCALIZED) and kind == "text":
        return text[1:-1].replace("''", "'")
    if wanted is Kind.BOOLEAN and kind == "name" and text in ("true", "false"):
        return text == "true"
    if wanted is Kind.DATE and kind == "date":
        return _milliseconds(text[9:-1])
    raise misformed(f"{text} is no literal of the type {wanted.value}.")


def _milliseconds(text: str) -> int:
    moment = milliseconds(text)
    if moment is None:
        raise misformed(f"'{text}' is no date and time.")
    return moment
