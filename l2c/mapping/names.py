"""Finds what a name in an expression means, and the load that brings its value."""

from collections.abc import Mapping, Sequence

from l2c.config import near_miss
from l2c.mapping.scopes import ANY, Info, Load, Scope, ValueKind
from l2c.mapping.typed import NOTHING, Mistake, Typed

OUTSIDE = ("settings", "was", "seen")


def value(scope: Scope, parts: tuple[str, ...], column: int) -> Typed:
    """One value: a field of the record or element, of `parent.`, of the settings or the past; raises Mistake."""
    scope, parts = _outer(scope, parts, column)
    if parts[0] in OUTSIDE:
        return _outside(scope, parts, column)
    if scope.names is None and scope.parent is not None and parts == ("this",):
        return Typed(scope.var, plain=True)
    if scope.plain is not None:
        if parts != ("this",):
            raise Mistake(f"unknown name '{'.'.join(parts)}'; the element of a plain list is called 'this'", column)
        kind, length, clean = scope.plain.kind, scope.plain.length, scope.unit.trusted
        # the element is there: a result it takes part in is never absent
        present = Load(scope.var, "False", scope.var, parts, info=scope.plain)
        return Typed(scope.var, kind, length, (present,), plain=True, info=scope.plain, clean=clean)
    info = _value_info(scope, parts, column)
    load = scope.load(parts, info)
    return Typed(load.var, info.kind, info.length, (load,), plain=True, info=info, clean=scope.unit.trusted)


def values(scope: Scope, parts: tuple[str, ...], column: int, *, load: bool = True) -> Typed:
    """A path through lists: the list of the values at its end; raises Mistake. Without `load`, only checked."""
    scope, parts = _outer(scope, parts, column)
    if scope.names is None:
        if not load:
            return NOTHING
        made = scope.load(parts[:-1], ANY, parts[-1:]) if len(parts) > 1 else scope.load(parts, ANY, ())
        return Typed(made.var, "list", None, (made,), plain=True)
    steps = _steps(scope, parts, column)
    cut = next((number for number, info in enumerate(steps, 1) if info.many), 0)
    if not cut:
        raise Mistake(f"'{'.'.join(parts)}' is no list", column)
    last = steps[-1]
    if last.fields is not None:
        raise Mistake(f"'{'.'.join(parts)}' holds records; name one of their fields", column)
    if not load:
        return Typed(NOTHING.code, NOTHING.kind, last.length, plain=True, clean=True)
    made = scope.load(parts[:cut], last, parts[cut:])
    made.lists = tuple(info.many for info in steps[cut:])
    kind: ValueKind = "text" if last.kind == "list" else last.kind
    about = Info(kind, last.length, personal=last.personal)
    return Typed(made.var, "list", last.length, (made,), plain=True, info=about, clean=scope.unit.trusted)


def records(scope: Scope, parts: tuple[str, ...], others: Sequence[str], column: int) -> Typed:
    """The elements of the list around a path, lists within lists gone through; `others` are further fields used of them.

    `kind` and `length` are those of the value at the path; raises Mistake.
    """
    scope, parts = _outer(scope, parts, column)
    outer, last, info = parts[:-1], ANY, Info("list", many=True)
    # without names every step is taken for a list; where one is an object the careful form finds out
    cut, lists = 1, (True,) * (len(outer) - 1)
    if scope.names is not None:
        values(scope, parts, column, load=False)
        steps = _steps(scope, parts, column)
        last = steps[-1]
        cut = next(number for number, step in enumerate(steps, 1) if step.many)
        lists = tuple(step.many for step in steps[cut:-1])
    load = scope.load(outer[:cut], info, outer[cut:] or None)
    load.lists = lists or None
    scope.use(*(f"{'.'.join(outer)}.{name}" for name in (parts[-1], *others)))
    about = Info(last.kind, last.length, personal=last.personal)
    return Typed(load.var, last.kind, last.length, (load,), plain=True, info=about, clean=scope.unit.trusted)


def whole_list(scope: Scope, parts: tuple[str, ...]) -> Typed | None:
    """A list as such, for empty(…); None when the path is no known list."""
    names: Mapping[str, Info] = scope.names or {}
    for part in parts[:-1]:
        names = (names[part].fields if part in names else None) or {}
    info = names.get(parts[-1])
    if info is None or not info.many:
        return None
    load = scope.load(parts, info)
    return Typed(load.var, "list", None, (load,), plain=True)


def _outer(scope: Scope, parts: tuple[str, ...], column: int) -> tuple[Scope, tuple[str, ...]]:
    while parts[0] == "parent":
        if scope.parent is None or len(parts) == 1:
            raise Mistake("'parent.' is known inside 'for_each' only, and needs a name behind it", column)
        scope, parts = scope.parent, parts[1:]
    return scope, parts


def _outside(scope: Scope, parts: tuple[str, ...], column: int) -> Typed:
    if len(parts) == 1:
        raise Mistake(f"'{parts[0]}.' needs a name behind it", column)
    if parts[0] == "settings":
        load = scope.outside("settings", parts[1:])
        return Typed(load.var, "any", plain=True)
    root = scope.root
    info = _value_info(root, parts[1:], column)
    scope.unit.past.add(parts[0])
    load = root.outside(parts[0], parts[1:])
    load.info = info
    return Typed(load.var, info.kind, info.length, (load,), plain=True, info=info)


def _value_info(scope: Scope, parts: tuple[str, ...], column: int) -> Info:
    """What is known of a path to one value."""
    if scope.names is None:
        return ANY
    steps = _steps(scope, parts, column)
    for part, info in zip(parts, steps, strict=True):
        if info.many:
            raise Mistake(f"'{part}' is a list; use for_each, or a function that takes a list", column)
    if steps[-1].fields is not None:
        raise Mistake(f"'{parts[-1]}' is a nested record; name one of its fields", column)
    return steps[-1]


def _steps(scope: Scope, parts: Sequence[str], column: int) -> list[Info]:
    """What is known of each step of a path; raises Mistake with the near miss at the first that is unknown."""
    steps: list[Info] = []
    below: dict[str, Info] | None = scope.names
    for number, part in enumerate(parts):
        if below is None:
            raise Mistake(f"'{parts[number - 1]}' is one value; nothing stands below it", column)
        if part not in below:
            where = ".".join([*([scope.path] if scope.path else []), *parts[:number]])
            place = f"{scope.unit.source}{f' ({where})' if where else ''}"
            raise Mistake(f"unknown name '{part}' in {place}{near_miss(part, below)}", column)
        steps.append(below[part])
        below = below[part].fields
    return steps
