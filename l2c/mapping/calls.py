"""Writes calls of registered functions, in place of the call itself where that is much faster."""

import ast
from collections.abc import Callable, Sequence

from l2c.mapping.functions import Function
from l2c.mapping.scopes import Scope, ValueKind
from l2c.mapping.typed import Typed, all_clean, loads_of, longest, twice

Writer = Callable[[Scope, Sequence[Typed]], Typed]


def parameter_kinds(function: Function, count: int) -> list[str] | None:
    """What each of `count` arguments must be; None when the function cannot take so many."""
    takes: list[str] = list(function.takes)
    if function.repeats and count > len(takes):
        takes += [takes[-1]] * (count - len(takes))
    return takes if count == len(takes) else None


def fits(found: str, wanted: str) -> bool:
    """Whether a value of one kind may stand where another is wanted."""
    if wanted == "any" or found in ("any", "null") or found == wanted:
        return True
    return (wanted, found) in {("number", "decimal"), ("text", "date")}


def is_today(node: ast.expr) -> bool:
    """Whether a node is the call today()."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "today" and not node.args


def write_call(scope: Scope, function: Function, arguments: Sequence[Typed]) -> Typed:
    """The call as Python."""
    in_place = _IN_PLACE.get(function.name)
    if in_place is not None:
        return in_place(scope, arguments)
    kind = _GIVES.get(function.gives, "any")
    length = _LENGTHS[function.name](arguments) if function.name in _LENGTHS else None
    if function.name in ("preferred", "pick", "first_in"):
        kind, length = arguments[0].info.kind, arguments[0].length
    name = function.call.__name__
    return Typed(f"{name}({', '.join(a.code for a in arguments)})", kind, length, loads_of(*arguments), clean=True)


def valid_today(scope: Scope, start: Typed, end: Typed) -> Typed:
    """`valid_on(today(), from, to)`: the usual case in place, any other notes when the answer changes."""
    scope.unit.clock = True
    (a, a2), (b, b2) = twice(scope, start), twice(scope, end)
    code = f"True if ({b} is None or {b2} == END) and {a} and {a2} <= T else valid_now(N, T, {a2}, {b2})"
    return Typed(code, "boolean", loads=loads_of(start, end))


def _first_of(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    kinds = {a.kind for a in arguments} - {"null"}
    code = arguments[-1].code
    for argument in reversed(arguments[:-1]):
        a, again = twice(scope, argument)
        texts = argument.kind in ("text", "date", "null") or (argument.clean and argument.kind == "decimal")
        code = f"{again} if {a if texts else _filled(a, again)} else ({code})"
    kind: ValueKind = kinds.pop() if len(kinds) == 1 else "any"
    return Typed(f"({code})", kind, longest(*arguments), loads_of(*arguments), clean=all_clean(*arguments))


def _filled(first: str, again: str) -> str:
    return f"{first} or {again} is not None and {again} != ''"


def _join(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    separator, *parts = arguments
    lengths = [part.length for part in parts]
    length = None if None in lengths else sum(n or 0 for n in lengths) + (separator.length or 0) * (len(parts) - 1)
    if len(parts) == 2:
        (a, a2), (b, b2) = (twice(scope, part) for part in parts)
        code = f"(({a2} + {separator.code} + {b2} if {b} else {a2}) if {a} else ({parts[1].code}) or None)"
    elif all(part.plain for part in parts):
        code = f"{separator.code}.join(filter(None, ({', '.join(part.code for part in parts)},))) or None"
    else:
        code = f"join({', '.join(a.code for a in arguments)})"
    return Typed(code, "text", length, loads_of(*arguments), clean=True)


def _date(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    a, again = twice(scope, arguments[0])
    return Typed(f"D[{again}] if {a} in D else known_date(D, {again})", "date", 10, arguments[0].loads, clean=True)


def _upper(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    return _cased("upper", scope, arguments[0])


def _lower(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    return _cased("lower", scope, arguments[0])


def _cased(name: str, scope: Scope, side: Typed) -> Typed:
    a, again = twice(scope, side)
    code = f"({again}.{name}() if {again}.isascii() else {name}({again})) if {a} else {name}({again})"
    return Typed(code, "text", side.length, side.loads, clean=True)


def _alpha_in(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    side, size = arguments
    a, again = twice(scope, side)
    code = f"(({again}.zfill({size.code}) if {again}.isdigit() and {again}.isascii() else {again}) if {a} else None)"
    return Typed(code, "text", _filled_to(arguments), side.loads, clean=True)


def _empty(scope: Scope, arguments: Sequence[Typed]) -> Typed:
    side = arguments[0]
    if side.kind == "list" or (side.clean and side.kind in ("text", "date")):
        return Typed(f"not {side.safe}", "boolean", loads=side.loads)
    a, again = twice(scope, side)
    return Typed(f"{a} is None or {again} == '' or {again} == []", "boolean", loads=side.loads)


def _in_map(_scope: Scope, arguments: Sequence[Typed]) -> Typed:
    return Typed(f"{arguments[1].safe} in {arguments[0].code}", "boolean", loads=arguments[1].loads)


_IN_PLACE: dict[str, Writer] = {
    "first_of": _first_of, "join": _join, "date": _date, "upper": _upper, "lower": _lower, "empty": _empty, "in_map": _in_map,
    "alpha_in": _alpha_in,
}  # fmt: skip
_GIVES: dict[str, ValueKind] = {"text": "text", "number": "number", "boolean": "boolean", "date": "date"}


def _same(arguments: Sequence[Typed]) -> int | None:
    return arguments[0].length


def _cut_at(position: int) -> Callable[[Sequence[Typed]], int | None]:
    return lambda a: min(int(a[position].code), a[0].length or int(a[position].code))


def _filled_to(arguments: Sequence[Typed]) -> int | None:
    return max(int(arguments[1].code), arguments[0].length) if arguments[0].length else None


def _parts(arguments: Sequence[Typed]) -> int | None:
    separator, _, *parts = arguments
    lengths = [part.length for part in parts]
    return None if None in lengths else sum(n or 0 for n in lengths) + (separator.length or 0) * (len(parts) - 1)


_LENGTHS: dict[str, Callable[[Sequence[Typed]], int | None]] = {
    "trim": _same, "alpha_out": _same, "truncate": _cut_at(1), "substring": _cut_at(2), "part": _cut_at(2),
    "before_last": _same, "behind_last": _same,
    "pad_left": _filled_to, "preferred_join": _parts,
}  # fmt: skip
