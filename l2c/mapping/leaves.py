"""One rule for one value: its expression, value map, literals, and what is left to check record by record."""

from typing import Any

from l2c.config import Rule, near_miss
from l2c.mapping.building import Building
from l2c.mapping.rules import Check, Leaf, Table
from l2c.mapping.scopes import ANY, Info, Scope, ValueKind
from l2c.mapping.targets import (
    canonical_check,
    canonical_problem,
    literal_problem,
    native_check,
    native_problem,
    plain_check,
    said,
)
from l2c.mapping.tree import At, Placed
from l2c.mapping.typed import Typed


def leaf(builder: Building, placed: Placed, scope: Scope, path: str, info: Info) -> Leaf:
    """The leaf of a rule; mistakes are told to the builder."""
    rule, at = placed
    mark = builder.place(at)
    if info.fields is not None or (info.many and info.kind == "list"):
        need = "for_each" if info.many else "fields"
        builder.say(mark, f"'{path}' needs {need}: it is a {'list' if info.many else 'nested record'}")
        info = ANY
    constant = rule.has("value")
    made = _constant(rule) if constant else builder.expression(rule.expr or "", scope, _expression_at(builder, at))
    table = _table(builder, rule, at)
    number = builder.reason(path, mark, personal=info.personal or made.personal, table=table)
    name = path.rpartition(".")[2]
    one = Leaf(name, path, builder.unit.name("v"), made, mark, number, table=table, info=info, constant=constant)
    one.when = builder.when(rule, scope, at)
    one.default = repr(rule.default) if rule.has("default") else None
    wanted = builder.reading and info.config is not None and info.config.required
    one.required = (rule.required or wanted) and not (constant and rule.value is None)
    one.reference, one.missing = rule.reference, rule.missing
    _check_literals(builder, one, rule, info)
    one.check = _check(builder, one, info)
    builder.leaves.append(one)
    return one


def _expression_at(builder: Building, at: At) -> At:
    """A bare text is the expression itself."""
    node: Any = builder.sources.block
    for step in at:
        node = node[step]
    return (*at, "expr") if isinstance(node, dict) else at


def _constant(rule: Rule) -> Typed:
    value = rule.value
    kinds: dict[type, ValueKind] = {bool: "boolean", int: "number", str: "text"}
    length = len(value) if isinstance(value, str) else None
    return Typed(repr(value), kinds.get(type(value), "null"), length, plain=True, clean=True)


def _table(builder: Building, rule: Rule, at: At) -> Table | None:
    if rule.value_map is None:
        return None
    mark, tables = builder.place((*at, "value_map")), builder.sources.tables
    if rule.value_map.startswith("code_list/"):
        builder.say(mark, f"value map '{rule.value_map}': captured code lists cannot be used as value maps yet")
        return None
    table = tables.get(rule.value_map)
    if table is None:
        builder.say(mark, f"unknown value map '{rule.value_map}'{near_miss(rule.value_map, tables)}")
        return None
    builder.used_tables[rule.value_map] = table
    return table


def _check_literals(builder: Building, one: Leaf, rule: Rule, info: Info) -> None:
    """Constants, defaults and the results of a value map are checked now, not record by record."""
    literals = [("value", rule.value)] if one.constant else []
    literals += [("default", rule.default)] if rule.has("default") else []
    for what, value in literals:
        if problem := literal_problem(value, info):
            builder.say(one.mark, f"'{one.path}': {what} {said(value)} {problem}")
    for value in one.table.values.values() if one.table is not None else ():
        if one.reference is None and (problem := literal_problem(value, info)):
            name = one.table.name if one.table is not None else ""
            builder.say(one.mark, f"'{one.path}': value map '{name}' gives {said(value)}, which {problem}")


def _check(builder: Building, one: Leaf, info: Info) -> Check:
    """What is left to check record by record."""
    if one.constant or (one.table is not None and not one.table.keep):
        return Check()
    translated = one.table is not None or one.reference is not None
    made = Typed(one.made.code, "text") if translated else one.made
    if builder.reading:
        problem = canonical_problem(made, info) if info.config is not None else ""
        check = canonical_check(made, info.config) if info.config is not None else Check()
    elif info.schema is not None:
        problem = native_problem(made, info.schema)
        check = native_check(made, info.schema, trusted=not translated)
    else:
        problem, check = "", plain_check(made)
    if problem:
        builder.say(one.mark, f"'{one.path}' {problem}")
    return check
