"""Writes a plan out as Python source, fast form: straight-line code that gives up at the first surprise.

Only text made here, from checked nodes and `repr`ed constants, becomes code; nothing of a YAML file is pasted in.
"""

from collections.abc import Iterable, Iterator, Sequence

from l2c.mapping.rules import Group, Leaf, Many, Named, Part, Plan
from l2c.mapping.scopes import Load, Scope
from l2c.mapping.values import LONGEST_KEY


def write_fast(plan: Plan) -> str:
    """The source of `fast(r, env)`: a Mapped, or None at the first surprise."""
    clock = ["T = env.today.isoformat()", "N = []"] if plan.scope.unit.clock else []
    outer = [line for scope in plan.outer for line in _fast_loads(scope, 0, None)]
    body = [*clock, *outer, *_fast_loads(plan.scope, 0, plan.early)]
    if plan.when is not None:
        body += [f"if not ({plan.when.code}):", f"    return Mapped('', {{}}, {{}}, False, {due(plan)})"]
    body += _fast_loads(plan.scope, plan.early, None)
    parts: list[Part] = [*([plan.key] if plan.key else []), *plan.other_keys, *plan.parts]
    for part in parts:
        body += _fast(part)
    body += _texts(parts)
    body += _display("o", plan.parts)
    keys = ", ".join(f"{leaf.name!r}: {leaf.var}" for leaf in plan.other_keys)
    body += _other_keys(plan, keys)
    body.append(f"return Mapped({plan.key_var or repr('')}, o, {'k' if plan.other_keys else '{}'}, True, {due(plan)})")
    return f"def fast({plan.given}):\n" + indent(body)


def _other_keys(plan: Plan, keys: str) -> list[str]:
    if not plan.other_keys:
        return []
    if len(plan.other_keys) == 1:
        only = plan.other_keys[0]
        return [f"k = {{{keys}}} if {only.var} is not None else {{}}"]
    return [f"k = {{n: v for n, v in {{{keys}}}.items() if v is not None}}"]


def due(plan: Plan) -> str:
    """The code for the day on which the result changes next."""
    return "soonest(N) if N else None" if plan.scope.unit.clock else "None"


def indent(lines: Iterable[str]) -> str:
    """Lines as the body of a function."""
    return "".join(f"    {line}\n" for line in lines)


def deeper(lines: Iterable[str]) -> list[str]:
    """Lines one level further in."""
    return [f"    {line}" for line in lines]


def _fast_loads(scope: Scope, start: int, stop: int | None) -> list[str]:
    lines: list[str] = []
    nested: dict[tuple[str, ...], list[Load]] = {}
    for load in list(scope.loads.values())[start:stop]:
        if load.source in ("settings", "was", "seen"):
            lines.append(f"{load.var} = dig(env.{load.source}, {literals(load.path)})")
        elif load.below is not None:
            lines.append(f"{load.var} = {_projection(load, trusted=scope.unit.trusted)}")
        elif len(load.path) == 1:
            lines.append(f"{load.var} = {load.source}[{load.path[0]!r}]")
        else:
            nested.setdefault(load.path[:-1], []).append(load)
    for outer, loads in nested.items():
        lines += _nested_loads(scope, outer, loads)
    for load in list(scope.loads.values())[start:stop]:
        if load.info.many and load.below is None:
            lines += _as_list(load.var, trusted=scope.unit.trusted)
    return lines


def _as_list(var: str, *, trusted: bool) -> list[str]:
    """Null is an empty list; anything else that is no list is for the careful form."""
    if trusted:
        return [f"{var} = {var} or ()"]
    return [f"if {var}.__class__ is not list:", f"    {var} = listed({var})"]


def _nested_loads(scope: Scope, outer: tuple[str, ...], loads: list[Load]) -> list[str]:
    """Fields of one nested object: all empty when the object is."""
    holder = f"{scope.var}_{'_'.join(str(i) for i in (len(outer), loads[0].var))}"
    lines = [f"{holder} = {scope.var}[{outer[0]!r}]"]
    lines += [f"{holder} = None if {holder} is None else {holder}[{step!r}]" for step in outer[1:]]
    empty = " = ".join(load.var for load in loads)
    lines += [f"if {holder} is None or {holder} == '':", f"    {empty} = None", "else:"]
    return lines + deeper(f"{load.var} = {holder}[{load.path[-1]!r}]" for load in loads)


def _projection(load: Load, *, trusted: bool) -> str:
    """The values at the end of a path through lists, without a call where the way is known."""
    source = f"{load.source}[{load.path[0]!r}]"
    for step in load.path[1:]:
        source = f"({source} or NOWHERE).get({step!r})"
    below = load.below or ()
    if not below:
        return _list_in(source, trusted=trusted)
    lists = load.lists or (False,) * len(below)
    if not all(lists[:-1]):
        return f"load_each({load.source}, {load.path!r}, {below!r})"
    through = below if lists[-1] else below[:-1]
    loops = [f"for x0 in {_list_in(source, trusted=trusted)}"]
    inner = ((n, _list_in(f"x{n - 1}[{step!r}]", trusted=trusted)) for n, step in enumerate(through, 1))
    loops += [f"for x{n} in {elements}" for n, elements in inner]
    last = f"x{len(through)}" if lists[-1] else f"x{len(through)}[{below[-1]!r}]"
    return f"[{last} {' '.join(loops)}]"


def _list_in(source: str, *, trusted: bool) -> str:
    return f"{source} or ()" if trusted else f"listed({source})"


def literals(path: Sequence[str]) -> str:
    """Names as arguments of a call."""
    return ", ".join(repr(step) for step in path)


def _fast(part: Part) -> list[str]:
    if isinstance(part, Leaf):
        late = _late_texts(part) if part.when is not None else []
        return _conditional(part, [*_fast_leaf(part), *late])
    if isinstance(part, Group):
        inner = [line for below in part.parts for line in _fast(below)]
        late = _texts(part.parts) if part.when is not None else []
        return _conditional(part, [*inner, *late, *_object(part)])
    return _fast_many(part)


def _conditional(part: Leaf | Group, lines: list[str]) -> list[str]:
    if part.when is None:
        return lines
    otherwise = "A" if part.default is None else part.default
    return [f"if {part.when.code}:", *deeper(lines), "else:", f"    {part.var} = {otherwise}"]


def _object(part: Group) -> list[str]:
    if not any(below.optional for below in part.parts):
        test = " and ".join(f"{below.var} is None" for below in part.parts)
        items = ", ".join(f"{below.name!r}: {below.var}" for below in part.parts)
        return [f"{part.var} = None if {test} else {{{items}}}"]
    return [*_display(part.var, part.parts), f"{part.var} = nothing_as_none({part.var}) if {part.var} else A"]


def _display(var: str, parts: Sequence[Part]) -> list[str]:
    """A dict of the parts in their order; parts that may be left out are added one by one."""
    run: list[str] = []
    lines: list[str] = []
    for part in parts:
        if not part.optional and not lines:
            run.append(f"{part.name!r}: {part.var}")
        elif part.optional:
            lines += [f"if {part.var} is not A:", f"    {var}[{part.name!r}] = {part.var}"]
        else:
            lines.append(f"{var}[{part.name!r}] = {part.var}")
    return [f"{var} = {{{', '.join(run)}}}", *lines]


def _fast_leaf(leaf: Leaf) -> list[str]:
    v = leaf.var
    if leaf.constant:
        return [f"{v} = {leaf.made.code}"]
    lines = [f"{v} = {leaf.made.code}"]
    lines += _fast_table(leaf)
    if leaf.reference is not None:
        lines += _fast_reference(leaf)
    lines += _fast_check(leaf)
    if leaf.default not in (None, "None"):
        lines += [f"if {v} is None:", f"    {v} = {leaf.default}"]
    elif leaf.required and not _demands(leaf):
        lines += [f"if {v} is None:", "    return None"]
    return lines


def _fast_table(leaf: Leaf) -> list[str]:
    v, table = leaf.var, leaf.table
    if table is None:
        return []
    name = f"M{leaf.number}"
    if table.keep:
        found = [f"{v} = {name}.get({v}, {v})"]
    elif leaf.default is not None:
        found = [f"{v} = {name}.get({v}, {leaf.default})"]
    else:
        found = [f"{v} = {name}.get({v}, A)", f"if {v} is A:", "    return None"]
    return [f"if {v}:", *deeper(found), *([] if leaf.made.clean else _nothing(v))]


def _nothing(v: str) -> list[str]:
    """An empty text is null; 0 and false where a text belongs are for the careful form."""
    return [f"elif {v} is not None:", f"    if {v} != '':", "        return None", f"    {v} = None"]


def _demands(leaf: Leaf) -> bool:
    """Whether the check itself refuses an empty value of a required field."""
    kinds = ("text", "code", "date", "letters")
    return leaf.check.kind in kinds and leaf.required and leaf.default is None and leaf.reference is None


def _fast_check(leaf: Leaf) -> list[str]:
    v, check = leaf.var, leaf.check
    if check.kind == "none":
        unclear = leaf.table is None and not leaf.made.clean and leaf.made.kind in ("text", "any", "date")
        return [f"if {v} == '':", f"    {v} = None"] if unclear else []
    if check.kind == "boolean":
        return [f"if {v} is not True and {v} is not False and {v} is not None:", f"    {v} = careful_boolean({v})"]
    if check.kind == "whole":
        return [f"if {v}.__class__ is not int and {v} is not None:", f"    {v} = whole({v})"]
    if check.kind == "decimal":
        return [f"{v} = decimal_text({v}, {check.decimals}, {check.digits})"]
    if check.kind == "timestamp":
        return [f"{v} = careful_timestamp({v})"]
    bad = {
        "text": f"len({v}) > {check.limit}",
        "code": f"{v} not in V{leaf.number}",
        "date": f"{v} not in S and remember(S, {v}, careful_date({v})) is None",
        "letters": f"{v} not in L{leaf.number} and remember(L{leaf.number}, {v}, careful_letters({v}, {check.letters!r})) is None",
    }[check.kind]
    if _demands(leaf):
        return [f"if not {v} or {bad}:", "    return None"]
    if leaf.made.clean and leaf.table is None:
        return [f"if {v} is not None and {_bracket(bad)}:", "    return None"]
    return [f"if {v}:", f"    if {bad}:", "        return None", *_nothing(v)]


def _bracket(test: str) -> str:
    return f"({test})" if " and " in test else test


def _fast_reference(leaf: Leaf) -> list[str]:
    v = leaf.var
    lines = [
        f"if {v}:",
        f"    if {v}.__class__ is not ''.__class__ or len({v}) > {LONGEST_KEY}:",
        "        return None",
    ]
    lines += [f"    {v} = env.resolve({leaf.reference!r}, {v})"]
    if leaf.missing != "ignore":
        lines += [f"    if {v} is None:", "        return None"]
    return [*lines, *_nothing(v)]


def _texts(parts: Sequence[Part]) -> list[str]:
    """One look at all texts of a record or element together: only text, no NUL, nothing that needs care."""
    pieces = ", ".join(f"{leaf.var} or ''" for leaf in _texts_of(parts))
    if not pieces:
        return []
    return [f"t = ''.join(({pieces},))", "if '\\0' in t or not t.isascii() and odd(t):", "    return None"]


def _texts_of(parts: Iterable[Part]) -> Iterator[Leaf]:
    for part in parts:
        if isinstance(part, Group) and part.when is None:
            yield from _texts_of(part.parts)
        elif isinstance(part, Leaf) and part.when is None and part.check.kind == "text" and not part.check.safe:
            yield part


def _late_texts(part: Leaf) -> list[str]:
    v = part.var
    if part.check.kind != "text" or part.check.safe:
        return []
    return [f"if {v} is not None and ('\\0' in {v} or not {v}.isascii() and odd({v})):", "    return None"]


def _fast_many(part: Many) -> list[str]:
    body = _fast_loads(part.scope, 0, part.early)
    if part.when is not None:
        body += [f"if not ({part.when.code}):", "    continue"]
    body += _fast_loads(part.scope, part.early, None)
    if part.value is not None:
        body += _fast_leaf(part.value)
        body += _late_texts(part.value)
        body += [f"if {part.value.var} is not None:", f"    {part.var}.append({part.value.var})"]
    else:
        for below in part.parts:
            body += _fast(below)
        body += _texts(part.parts)
        body += _display(part.made, part.parts)
        body.append(f"{part.var}.append({part.made})")
    source = part.source.code if isinstance(part.source, Named) else part.source.var
    lines = [f"{part.var} = []", f"for {part.scope.var} in {source}:", *deeper(body)]
    if part.list_by:
        lines += [f"if len({part.var}) > 1:", f"    {part.var} = in_order({part.var}, {part.list_by!r})"]
    elif part.as_set:
        lines += [f"if len({part.var}) > 1:", f"    {part.var} = sorted(set({part.var}))"]
    if part.required:
        lines += [f"if not {part.var}:", "    return None"]
    return lines
