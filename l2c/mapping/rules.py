"""The rules of a mapping, translated and checked, ready to be written out as code: what the compiler works on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from l2c.config import Mark
from l2c.mapping.scopes import Info, Load, Scope
from l2c.mapping.typed import Typed, loads_of

CheckKind = Literal["none", "text", "code", "boolean", "date", "timestamp", "letters", "whole", "decimal"]


@dataclass(frozen=True, slots=True)
class Check:
    """What a target field demands of its value when the record is mapped."""

    kind: CheckKind = "none"
    limit: int = 0  # of text, in UTF-16 units
    values: tuple[str, ...] = ()  # of code
    letters: str = ""  # country, currency, language
    decimals: int | None = None
    digits: int | None = None  # all digits of a decimal
    safe: bool = False  # text that is known to hold no NUL and no half characters


@dataclass(frozen=True, slots=True)
class Table:
    """A value map as a rule uses it."""

    name: str
    values: dict[str, Any]
    keep: bool = False  # a value without an entry stays
    file: str = ""  # where an entry is added


@dataclass(slots=True)
class Leaf:
    """One target value."""

    name: str
    path: str  # dotted target path
    var: str
    made: Typed
    mark: Mark
    number: int  # of its Reason
    check: Check = field(default_factory=Check)
    when: Typed | None = None
    table: Table | None = None
    default: str | None = None  # literal code, None: no default
    required: bool = False
    reference: str | None = None
    missing: str = "wait"
    info: Info | None = None
    constant: bool = False

    @property
    def optional(self) -> bool:
        """Whether even a whole record may leave the field out."""
        return self.when is not None and self.default is None

    @property
    def flags(self) -> list[str]:
        """The variables that say the source lacks each part."""
        return [load.flag for load in self.made.loads if load.flag]


@dataclass(slots=True)
class Group:
    """One nested target object; null when everything in it is empty."""

    name: str
    path: str
    var: str
    parts: list["Part"]
    mark: Mark
    number: int
    when: Typed | None = None
    default: str | None = None

    @property
    def optional(self) -> bool:
        """Whether even a whole record may leave the object out."""
        return (self.when is not None and self.default is None) or all(part.optional for part in self.parts)


@dataclass(frozen=True, slots=True)
class Named:
    """Values named one by one as the source of a list; empty ones are left out."""

    values: tuple[Typed, ...]

    @property
    def loads(self) -> tuple[Load, ...]:
        """What the values need, each once."""
        return loads_of(*self.values)

    @property
    def code(self) -> str:
        """The values that are there, as Python."""
        return f"filled(({', '.join(value.code for value in self.values)},))"


@dataclass(slots=True)
class Many:
    """One target list made of a source list, or of values named one by one: of records (`parts`) or of plain values (`value`)."""

    name: str
    path: str
    var: str
    source: Load | Named
    scope: Scope
    mark: Mark
    number: int
    made: str  # variable of the element being made
    parts: list["Part"] = field(default_factory=list)
    value: Leaf | None = None
    when: Typed | None = None
    list_by: str = ""
    as_set: bool = False
    required: bool = False
    early: int = 0  # loads the condition needs

    optional: bool = False


Part = Leaf | Group | Many


def same_element(parts: list[Part]) -> Iterator[Part]:
    """The parts of one element, those of nested objects too, but not of lists within."""
    for part in parts:
        yield part
        if isinstance(part, Group):
            yield from same_element(part.parts)


@dataclass(slots=True)
class Plan:
    """A whole mapping, ready to be written out."""

    scope: Scope
    parts: list[Part]
    key: Leaf | None = None
    key_var: str = ""
    other_keys: list[Leaf] = field(default_factory=list)
    when: Typed | None = None
    early: int = 0
    entity: str = ""
    outer: tuple[Scope, ...] = ()  # of a head for_each: the record, then each element around the one that is mapped

    @property
    def given(self) -> str:
        """The parameters of the compiled functions: the record, what else is known, the element."""
        return ", ".join(["r", "env", *(scope.var for scope in [*self.outer, self.scope][1:])])
