"""`$filter` and `$orderby`: parsed, checked against the model and turned into SQL with bound values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sandbox.s4hana.errors import failure
from sandbox.s4hana.model import Entity, Property
from sandbox.s4hana.values import pad, parse_literal, strip

TOKEN = re.compile(
    r"\s*(?:(?P<literal>(?:datetimeoffset|datetime|time|guid)?'(?:[^']|'')*'|-?\d+(?:\.\d+)?[mMdDfF]?(?![\w-])"
    r"|(?:true|false|null)\b)|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
OPERATORS = {"eq": "=", "ne": "IS NOT", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
FUNCTIONS: dict[str, Callable[[str, str], str]] = {
    "substringof": lambda text, field: f"instr({field}, {text}) > 0",
    "startswith": lambda text, field: f"substr({field}, 1, length({text})) = {text}",
    "endswith": lambda text, field: f"({text} = '' OR substr({field}, -length({text})) = {text})",
}
DATES = ("DateTime", "DateTimeOffset")
MAX_DEPTH = 100


def expression(prop: Property) -> str:
    """The SQL expression that yields a property's stored value; the indexes are built on the same text."""
    if prop.key and prop.type != "Boolean":
        return f'"{prop.name}"'
    raw = f"json_extract(data, '$.{prop.name}')"
    if prop.type == "Decimal":
        return f"CAST(ifnull({raw}, '0') AS NUMERIC)"
    if prop.type in ("String", "Boolean", "Int16"):
        return f"ifnull({raw}, {chr(39) * 2 if prop.type == 'String' else 0})"
    return raw


def property_of(entity: Entity, name: str) -> Property:
    """A property by name; an unknown one ends the request."""
    found = entity.properties.get(name)
    if found is None:
        raise failure(400, f"Property '{name}' is not valid for '{entity.name}'", target=name)
    return found


def compile_filter(entity: Entity, text: str) -> tuple[str, list[Any]]:
    """A `$filter` as a SQL condition and its values."""
    return _Parser(entity, text).run()


def compile_order(entity: Entity, text: str) -> list[tuple[str, bool]]:
    """An `$orderby` as property names with True for descending; the key follows, so that the order is total."""
    order: list[tuple[str, bool]] = []
    for part in text.split(",") if text.strip() else []:
        words = part.split()
        if len(words) not in (1, 2) or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise failure(400, f"Invalid order criterion '{part.strip()}'")
        order.append((property_of(entity, words[0]).name, words[-1] == "desc"))
    named = {name for name, _ in order}
    return order + [(prop.name, False) for prop in entity.key if prop.name not in named]


def bind(prop: Property, value: Any) -> Any:
    """A stored value in the form in which `expression` yields it."""
    if prop.type == "Boolean":
        return int(value)
    if prop.type == "Decimal":
        return float(value)
    if prop.type == "String":
        return pad(prop, value) if prop.key else strip(prop, value)
    return value


@dataclass(frozen=True, slots=True)
class _Condition:
    """A piece of the filter in SQL, and the lower bounds of dates that follow from it."""

    sql: str
    floors: Mapping[str, str] = field(default_factory=dict)


def _joined(parts: list[_Condition], word: str) -> _Condition:
    """Conditions joined as a flat tree, because SQLite refuses expressions more than 1,000 levels deep.

    A bound that every alternative of an `or` implies is kept (the lowest of them): with it a change stamp of two fields
    is read from the index, without it row by row.
    """
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = _joined(parts[:half], word), _joined(parts[half:], word)
    if word == "AND":
        floors = {**left.floors, **right.floors}
    else:
        both = left.floors.keys() & right.floors.keys()
        floors = {name: min(left.floors[name], right.floors[name]) for name in both}
    return _Condition(f"({left.sql} {word} {right.sql})", floors)


class _Parser:
    """Recursive descent over `or`, `and`, `not`, comparison."""

    def __init__(self, entity: Entity, text: str) -> None:
        self.entity = entity
        self.text = text
        self.tokens = self._split(text)
        self.at = 0
        self.depth = 0
        self.values: list[Any] = []

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise failure(400, f"Invalid filter: syntax error at position {at}")
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind]))
            at = match.end()
        return tokens

    def run(self) -> tuple[str, list[Any]]:
        whole = self._or()
        if self.at != len(self.tokens):
            self._fail()
        sql = whole.sql
        for name, floor in whole.floors.items():
            sql += f" AND {expression(self.entity.properties[name])} >= ?"
            self.values.append(floor)
        return f"({sql})", self.values

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _take(self, kind: str, *wanted: str) -> str:
        found, text = self._peek()
        if found != kind or (wanted and text not in wanted):
            self._fail()
        self.at += 1
        return text

    def _fail(self) -> NoReturn:
        raise failure(400, f"Invalid filter: unexpected '{self._peek()[1]}' in '{self.text[:80]}'")

    def _or(self) -> _Condition:
        return self._chain("or", lambda: self._chain("and", self._not))

    def _chain(self, word: str, inner: Callable[[], _Condition]) -> _Condition:
        parts = [inner()]
        while self._peek() == ("name", word):
            self.at += 1
            parts.append(inner())
        return _joined(parts, word.upper())

    def _not(self) -> _Condition:
        if self._peek() not in (("name", "not"), ("mark", "(")):
            return self._comparison()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise failure(400, "Invalid filter: nested too deeply")
        if self._peek() == ("mark", "("):
            self.at += 1
            inner = self._or()
            self._take("mark", ")")
        else:
            self.at += 1
            inner = _Condition(f"NOT ifnull({self._not().sql}, 0)")
        self.depth -= 1
        return inner

    def _comparison(self) -> _Condition:
        kind, text = self._peek()
        if kind == "name" and text in FUNCTIONS:
            return _Condition(self._function(text))
        prop = property_of(self.entity, self._take("name"))
        operator = self._take("name", *OPERATORS)
        literal = self._take("literal")
        column = expression(prop)
        if literal == "null":
            return _Condition(f"({column} {'IS' if operator == 'eq' else OPERATORS[operator]} NULL)")
        value = self._value(prop, literal)
        self.values.append(value)
        floors = {prop.name: value} if prop.type in DATES and operator in ("eq", "ge", "gt") else {}
        return _Condition(f"({column} {OPERATORS[operator]} ?)", floors)

    def _function(self, name: str) -> str:
        self.at += 1
        self._take("mark", "(")
        if name == "substringof":
            value = self._take("literal")
            self._take("mark", ",")
            prop = property_of(self.entity, self._take("name"))
        else:
            prop = property_of(self.entity, self._take("name"))
            self._take("mark", ",")
            value = self._take("literal")
        self._take("mark", ")")
        if prop.type != "String":
            raise failure(400, f"Function '{name}' needs a text property, '{prop.name}' is Edm.{prop.type}")
        text = value[1:-1].replace("''", "'")
        # the external form, also for keys, which are indexed in the internal one
        sql = FUNCTIONS[name]("?", f"ifnull(json_extract(data, '$.{prop.name}'), '')")
        self.values += [text] * sql.count("?")
        if self._peek() == ("name", "eq"):
            self.at += 1
            if self._take("literal", "true", "false") == "false":
                return f"NOT ({sql})"
        return f"({sql})"

    def _value(self, prop: Property, text: str) -> Any:
        try:
            return bind(prop, parse_literal(prop, text))
        except (ValueError, ArithmeticError) as error:
            raise failure(400, f"Invalid value for '{prop.name}' in filter: {text}", target=prop.name) from error
