"""A checked piece of an expression, and what is wrong with one that does not check."""

from dataclasses import dataclass

from l2c.mapping.scopes import ANY, Info, Load, Scope, ValueKind


@dataclass(frozen=True, slots=True)
class Typed:
    """A piece of Python made from a checked node: what kind of value it gives, how long at most, from which loads."""

    code: str
    kind: ValueKind = "any"
    length: int | None = None
    loads: tuple[Load, ...] = ()
    plain: bool = False  # a variable or literal: may be written twice
    info: Info = ANY  # of a bare path, or of the values of a list
    clean: bool = False  # never an empty text

    @property
    def personal(self) -> bool:
        """Whether it holds what tells of a person."""
        return self.info.personal or any(load.info.personal for load in self.loads)

    @property
    def safe(self) -> str:
        """The code in brackets where it needs them inside other code."""
        return self.code if self.plain else f"({self.code})"


NOTHING = Typed("None", "null", plain=True, clean=True)


class Mistake(Exception):
    """What is wrong with an expression, and at which column of it."""

    def __init__(self, text: str, column: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.column = column


def loads_of(*sides: Typed) -> tuple[Load, ...]:
    """The loads of several pieces, each once."""
    return tuple({load.var: load for side in sides for load in side.loads}.values())


def longest(*sides: Typed) -> int | None:
    """The length of the longest, None where one has no known end."""
    lengths = [side.length for side in sides]
    return None if not lengths or None in lengths else max(length for length in lengths if length is not None)


def all_clean(*sides: Typed) -> bool:
    """Whether none of them is ever an empty text."""
    return all(side.clean or side.kind in ("null", "boolean", "number") for side in sides)


def twice(scope: Scope, side: Typed) -> tuple[str, str]:
    """Two pieces of code for a value that is written twice: the first computes it, the second repeats it."""
    if side.plain:
        return side.code, side.code
    name = scope.unit.name("t")
    return f"({name} := {side.code})", name
