"""Calls that choose among the elements of one list: written so that the list is gone through once."""

import ast
from collections.abc import Sequence
from typing import Protocol

from l2c.mapping import names
from l2c.mapping.functions import Function
from l2c.mapping.scopes import Scope, Unit
from l2c.mapping.typed import Mistake, Typed, loads_of

CHOOSING = frozenset({"preferred", "pick", "preferred_join"})


class Translating(Protocol):
    """What is needed of the translator of an expression."""

    scope: Scope
    unit: Unit

    def argument(self, function: Function, kind: str, node: ast.expr) -> Typed:
        """One argument of a call."""
        ...


def chosen(translator: Translating, function: Function, node: ast.Call) -> Typed | None:
    """The call over fields of one list as Python; None where its arguments are something else."""
    if function.name == "preferred_join":
        return _joined(translator, function, node)
    values, others = node.args[:2]
    paths = _of_one_list([values, others])
    if paths is None:
        return None
    wanted = [translator.argument(function, "text", argument) for argument in node.args[2:]]
    elements = _elements(translator.scope, paths, node.args[:2])
    first, second = paths[0][-1], paths[1][-1]
    more = f", {_ranks(translator, node.args[2:], wanted)}" if function.name == "pick" else ""
    found = f"{function.name}_of({elements.code}, {first!r}, {second!r}{more})"
    if function.name == "preferred":  # most lists have one element
        found = f"({elements.code}[0].get({first!r}) if len({elements.code}) == 1 else {found})"
    code = f"{found} if {elements.code} else None"
    loads = loads_of(elements, *wanted)
    return Typed(code, elements.kind, elements.length, loads, info=elements.info, clean=elements.clean)


def _ranks(translator: Translating, nodes: Sequence[ast.expr], wanted: Sequence[Typed]) -> str:
    """The wanted keys with their rank: a constant where they are constants."""
    last_first = list(reversed(list(enumerate(wanted))))
    if all(isinstance(node, ast.Constant) for node in nodes):
        return translator.unit.constant({ast.literal_eval(side.code): rank for rank, side in last_first}, "X")
    return f"{{{', '.join(f'{side.code}: {rank}' for rank, side in last_first)}}}"


def _joined(translator: Translating, function: Function, node: ast.Call) -> Typed | None:
    separator = translator.argument(function, "text", node.args[0])
    flags, *parts = node.args[1:]
    paths = _of_one_list([*parts, flags])
    if paths is None:
        return None
    lengths = [
        names.values(translator.scope, path, part.col_offset, load=False).length
        for path, part in zip(paths, parts, strict=False)
    ]
    elements = _elements(translator.scope, paths, [*parts, flags])
    fields = tuple(path[-1] for path in paths[:-1])
    length = None if None in lengths else sum(n or 0 for n in lengths) + (separator.length or 0) * (len(parts) - 1)
    found = f"preferred_join_of({elements.code}, {separator.code}, {paths[-1][-1]!r}, {fields!r})"
    if len(fields) == 2:  # most lists have one element
        a, b = translator.unit.name("t"), translator.unit.name("t")
        both = f"({a} + {separator.code} + {b} if ({b} := {elements.code}[0].get({fields[1]!r})) else {a})"
        found = f"({both} if ({a} := {elements.code}[0].get({fields[0]!r})) else None) if len({elements.code}) == 1 else {found}"
    code = f"({found}) if {elements.code} else None"
    return Typed(code, "text", length, elements.loads, info=elements.info, clean=True)


def _of_one_list(nodes: Sequence[ast.expr]) -> list[tuple[str, ...]] | None:
    """The paths of the nodes when they are fields of one and the same list."""
    if not all(isinstance(node, ast.Attribute) for node in nodes):
        return None
    paths = [parts_of(node) for node in nodes]
    outer = {path[:-1] for path in paths}
    return paths if len(outer) == 1 and outer != {("parent",)} else None


def _elements(scope: Scope, paths: Sequence[tuple[str, ...]], nodes: Sequence[ast.expr]) -> Typed:
    """The elements of the list around the first path, after a look at the others."""
    for path, node in zip(paths[1:], nodes[1:], strict=True):
        names.values(scope, path, node.col_offset, load=False)
    return names.records(scope, paths[0], [path[-1] for path in paths[1:]], nodes[0].col_offset)


def parts_of(node: ast.expr) -> tuple[str, ...]:
    """The names of a dotted path; raises Mistake for anything else."""
    parts: list[str] = []
    here = node
    while isinstance(here, ast.Attribute):
        parts.append(here.attr)
        here = here.value
    if not isinstance(here, ast.Name):
        raise Mistake("only names may stand before a dot", node.col_offset)
    parts.append(here.id)
    for part in parts:
        if part.startswith("_") or not part.isascii():
            raise Mistake(f"name '{part}' is not allowed: it starts with '_' or is not ASCII", node.col_offset)
    return tuple(reversed(parts))
