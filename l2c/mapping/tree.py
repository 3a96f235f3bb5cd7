"""Dotted target names (`country.isocode`) gathered into nested objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from l2c.config import Rule

At = tuple[Any, ...]  # path of a rule in the file
Placed = tuple[Rule, At]


@dataclass(slots=True)
class Branch:
    """Rules whose names start with the same word; `clash` is set when that word has a rule of its own too."""

    rules: dict[str, Placed] = field(default_factory=dict)
    clash: At | None = None

    @property
    def at(self) -> At:
        """Where its first rule stands."""
        return next(iter(self.rules.values()))[1]


def grown(rules: Mapping[str, Rule], at: At) -> dict[str, Placed | Branch]:
    """The rules of one level of a file by their first word."""
    return gathered({name: (rule, (*at, name)) for name, rule in rules.items()})


def gathered(rules: Mapping[str, Placed]) -> dict[str, Placed | Branch]:
    """Placed rules by first word; those with dots under a branch."""
    tree: dict[str, Placed | Branch] = {}
    for name, placed in rules.items():
        first, dot, rest = name.partition(".")
        there = tree.get(first)
        if not dot:
            if isinstance(there, Branch):
                there.clash = placed[1]
            else:
                tree[first] = placed
        elif isinstance(there, Branch):
            there.rules[rest] = placed
        elif there is not None:
            tree[first] = Branch({rest: placed}, clash=there[1])
        else:
            tree[first] = Branch({rest: placed})
    return tree
