"""Writes a plan out as Python source, careful form: takes any record and collects every mistake of it."""

from l2c.mapping.fast import deeper, due, indent, literals
from l2c.mapping.rules import Group, Leaf, Many, Named, Part, Plan
from l2c.mapping.scopes import Load, Scope
from l2c.mapping.typed import Typed
from l2c.mapping.values import LONGEST_KEY

_CAUGHT = "(Unfit, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)"


def write_careful(plan: Plan) -> str:
    """The source of `careful(r, env)`: a Mapped, or RecordRejected with every mistake, or ReferenceMissing."""
    clock = ["T = day_of(env)", "N = []"] if plan.scope.unit.clock else []
    outer = [line for scope in plan.outer for line in _careful_loads(scope, 0, None)]
    body = ["E = Trouble(REASONS)", "o = None", *clock, *outer, *_careful_loads(plan.scope, 0, plan.early)]
    if plan.when is not None:
        body += [
            "try:",
            f"    passes = {plan.when.code}",
            f"except {_CAUGHT} as x:",
            "    E.unfit(0, x)",
            "    passes = True",
        ]
        body += ["if not passes:", f"    return Mapped('', {{}}, {{}}, False, {due(plan)})"]
    body += _careful_loads(plan.scope, plan.early, None)
    body += ["o = {}"]
    for leaf in ([plan.key] if plan.key else []) + plan.other_keys:
        body += _careful_leaf(leaf, "o")
    for part in plan.parts:
        body += [*_careful(part, "o"), *_put(part, "o")]
    body.append(f"E.done({plan.entity!r}, {plan.key_var or repr('')})")
    pairs = ", ".join(f"({leaf.name!r}, {leaf.var})" for leaf in plan.other_keys)
    body.append(f"k = {{n: v for n, v in ({pairs}{',' if pairs else ''}) if v is not None and v is not A}}")
    key = f"{plan.key_var} or ''" if plan.key_var else "''"
    body.append(f"return Mapped({key}, o, k, True, {due(plan)})")
    return f"def careful({plan.given}):\n" + indent(body)


def write_condition(scope: Scope, made: Typed) -> str:
    """The source of `holds(r)`: whether a condition holds for a record; False where it cannot be computed."""
    lines = [f"{load.var} = {_load_call(load)}" for load in scope.loads.values()]
    lines += [f"{v} = {e} if {v} is A else {v}" for v, e in ((load.var, _empty(load)) for load in scope.loads.values())]
    lines.append(f"return True if {made.code} else False" if made.plain else f"return bool({made.code})")
    return "def holds(r):\n    try:\n" + indent(deeper(lines)) + f"    except {_CAUGHT}:\n        return False\n"


def _load_call(load: Load) -> str:
    if load.below is not None:
        call = "load_elements" if load.info.many and load.below else "load_each"
        return f"{call}({load.source}, {load.path!r}, {load.below!r})"
    return f"{'load_list' if load.info.many else 'load'}({load.source}, {literals(load.path)})"


def _empty(load: Load) -> str:
    return "[]" if load.below is not None or load.info.many else "None"


def _put(part: Part, holder: str) -> list[str]:
    return [f"if {part.var} is not A:", f"    {holder}[{part.name!r}] = {part.var}"]


def _careful_loads(scope: Scope, start: int, stop: int | None) -> list[str]:
    lines: list[str] = []
    for load in list(scope.loads.values())[start:stop]:
        if load.source in ("settings", "was", "seen"):
            lines.append(f"{load.var} = dig(env.{load.source}, {literals(load.path)})")
            continue
        call, empty = _load_call(load), _empty(load)
        lines += ["try:", f"    {load.var} = {call}", "except Unfit as x:"]
        lines += [f"    E.unfit({_reason_of(load)}, x, o)", f"    {load.var} = {empty}"]
        lines += [f"{load.flag} = {load.var} is A", f"if {load.flag}:", f"    {load.var} = {empty}"]
    return lines


def _reason_of(load: Load) -> str:
    return f"LOADS[{load.var!r}]"


def _careful(part: Part, holder: str) -> list[str]:
    if isinstance(part, Leaf):
        return _careful_leaf(part, holder)
    return _careful_group(part, holder) if isinstance(part, Group) else _careful_many(part, holder)


def _guarded(part: Leaf | Group, holder: str, lines: list[str]) -> list[str]:
    """The lines under the part's condition, with whatever they raise told as the part's mistake."""
    inner = lines
    if part.when is not None:
        otherwise = "A" if part.default is None else part.default
        inner = [f"if {part.when.code}:", *deeper(lines), "else:", f"    {part.var} = {otherwise}"]
        unasked = [load.flag for load in part.when.loads if load.flag]
        if unasked and part.default is not None:  # nothing is known of what the condition asks: leave the field alone
            inner = [f"if {' and '.join(unasked)}:", f"    {part.var} = A", "else:", *deeper(inner)]
    caught = [f"except {_CAUGHT} as x:", f"    E.unfit({part.number}, x, {holder})", f"    {part.var} = None"]
    return ["try:", *deeper(inner), *caught]


def _careful_leaf(leaf: Leaf, holder: str) -> list[str]:
    v, n = leaf.var, leaf.number
    lines = [f"{v} = {leaf.made.code}"]
    if not leaf.constant:
        lines += _careful_table(leaf, holder)
        if leaf.reference is not None:  # before the check: only the key on the other side has to fit there
            lines += _careful_reference(leaf, holder)
        lines += _careful_check(leaf)
        if leaf.default is not None:
            lines += [f"if {v} is None:", f"    {v} = {leaf.default}"]
        if leaf.required:
            lines += [f"if {v} is None:", f"    E.say({n}, 'empty, but required', {holder})"]
    flags = leaf.flags
    if not flags:
        return _guarded(leaf, holder, lines)
    absent = [f"    {v} = A"]
    if leaf.required:
        absent.append(f"    E.say({n}, 'not in the record, but required', {holder})")
    return [f"if {' and '.join(flags)}:", *absent, "else:", *deeper(_guarded(leaf, holder, lines))]


def _careful_table(leaf: Leaf, holder: str) -> list[str]:
    v, table = leaf.var, leaf.table
    if table is None:
        return []
    found = [f"w = M{leaf.number}.get({v}, A)", "if w is A:"]
    if table.keep:
        found += ["    pass"]
    elif leaf.default is not None:
        found += [f"    {v} = {leaf.default}"]
    else:
        found += [f"    E.not_in_map({leaf.number}, {v}, {holder})", f"    {v} = A"]
    return [
        f"if {v} is None or {v} == '':",
        f"    {v} = None",
        "else:",
        *deeper(found),
        "    else:",
        f"        {v} = w",
    ]


def _careful_check(leaf: Leaf) -> list[str]:
    v, check = leaf.var, leaf.check
    if check.kind == "none":
        return [f"if {v} is not A and {v} == '':", f"    {v} = None"]
    call = {
        "text": f"careful_text({v}, {check.limit})",
        "code": f"careful_code({v}, V{leaf.number}, {', '.join(check.values)!r})",
        "boolean": f"careful_boolean({v})",
        "date": f"careful_date({v})",
        "timestamp": f"careful_timestamp({v})",
        "letters": f"careful_letters({v}, {check.letters!r})",
        "whole": f"whole({v})",
        "decimal": f"decimal_text({v}, {check.decimals}, {check.digits})",
    }[check.kind]
    return [f"if {v} is not A:", f"    {v} = {call}"]


def _careful_reference(leaf: Leaf, holder: str) -> list[str]:
    v, path = leaf.var, leaf.reference
    lines = [f"if {v} is not A:", f"    {v} = careful_text({v}, {LONGEST_KEY})"]
    lines += [f"if {v} is not None and {v} is not A:", f"    w = env.resolve({path!r}, {v})"]
    if leaf.missing == "wait":
        lines += ["    if w is None:", f"        E.waiting.append(({leaf.path!r}, {path!r}, {v}))", "        w = A"]
    elif leaf.missing == "reject":
        lines += ["    if w is None:"]
        lines += [
            f"        E.say({leaf.number}, {f'{path} '!r} + E.shown({leaf.number}, {v}) + ' is not known', {holder})"
        ]
    return [*lines, f"    {v} = w"]


def _careful_group(part: Group, holder: str) -> list[str]:
    made = f"{part.var}_o"
    lines = [f"{made} = {{}}"]
    for below in part.parts:
        lines += [*_careful(below, holder), *_put(below, made)]
    lines.append(f"{part.var} = nothing_as_none({made}) if {made} else A")
    return _guarded(part, holder, lines)


def _careful_many(part: Many, holder: str) -> list[str]:
    n, v, made = part.number, part.var, part.made
    body: list[str] = [f"{made} = {{}}"]
    if part.scope.loads:
        body += [f"if {part.scope.var}.__class__ is not dict:"]
        body += [f"    E.say({n}, 'expected nested records in the list', {holder})", "    continue"]
    body += _swap(_careful_loads(part.scope, 0, part.early), made)
    if part.when is not None:
        body += ["try:", f"    passes = {part.when.code}", f"except {_CAUGHT} as x:"]
        body += [f"    E.unfit({n}, x, {made})", "    passes = False", "if not passes:", "    continue"]
    body += _swap(_careful_loads(part.scope, part.early, None), made)
    if part.value is not None:
        w = part.value.var
        body += [*_careful_leaf(part.value, made), f"if {w} is not None and {w} is not A:", f"    {v}.append({w})"]
    else:
        for below in part.parts:
            body += [*_careful(below, made), *_put(below, made)]
        body.append(f"{v}.append({made})")
    source, before = _source(part, holder)
    lines = [*before, f"{v} = []", f"for {part.scope.var} in {source}:", *deeper(body)]
    if part.list_by or part.as_set:
        ordered = f"in_order({v}, {part.list_by!r})" if part.list_by else f"sorted(set({v}))"
        lines += ["if not E.found:", "    try:", f"        {v} = {ordered}", f"    except {_CAUGHT} as x:"]
        lines += [f"        E.unfit({n}, x, {holder})"]
    if part.required:
        lines += [f"if not {v}:", f"    E.say({n}, 'empty, but required', {holder})"]
    flags = (
        [load.flag for load in part.source.loads if load.flag] if isinstance(part.source, Named) else [part.source.flag]
    )
    return [f"if {' and '.join(flags)}:", f"    {v} = A", "else:", *deeper(lines)] if flags else lines


def _source(part: Many, holder: str) -> tuple[str, list[str]]:
    """What a list is made of, and the lines that come before."""
    if not isinstance(part.source, Named):
        return part.source.var, []
    name = f"{part.var}_s"
    caught = [f"except {_CAUGHT} as x:", f"    E.unfit({part.number}, x, {holder})", f"    {name} = []"]
    return name, ["try:", f"    {name} = {part.source.code}", *caught]


def _swap(lines: list[str], made: str) -> list[str]:
    """Loads inside an element name the element being made, not the record."""
    return [line.replace(", x, o)", f", x, {made})") for line in lines]
