"""What the parts of the compiler need of the builder they work for."""

from typing import Protocol

from l2c.config import Mark, Rule
from l2c.mapping.rules import Leaf, Table
from l2c.mapping.scopes import Scope, Unit
from l2c.mapping.sources import Sources
from l2c.mapping.tree import At
from l2c.mapping.typed import Typed


class Building(Protocol):
    """The builder of one mapping: translates, names places, collects mistakes."""

    sources: Sources
    unit: Unit
    used_tables: dict[str, Table]
    leaves: list[Leaf]

    @property
    def reading(self) -> bool:
        """Whether the mapping reads a system."""
        ...

    def when(self, rule: Rule, scope: Scope, at: At) -> Typed | None:
        """The condition of a rule, if it has one."""
        ...

    def expression(self, text: str, scope: Scope, path: At) -> Typed:
        """A checked expression."""
        ...

    def place(self, path: At) -> Mark:
        """Where the value at a path of the file stands."""
        ...

    def reason(self, path: str, mark: Mark, *, personal: bool = False, table: Table | None = None) -> int:
        """The number of a new reason."""
        ...

    def say(self, mark: Mark, text: str) -> None:
        """Add a mistake."""
        ...
