"""A mapping file becomes a plan, and the plan one Python function."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from l2c.config import Block, EntityConfig, FieldConfig, MappingConfig, Mark, Rule, near_miss
from l2c.config.model import place_of
from l2c.contract import EntitySchema, FieldSchema
from l2c.mapping.expressions import Mistake, Translator, Typed
from l2c.mapping.functions import MAX_TEXT
from l2c.mapping.rules import Check, Group, Leaf, Many, Part, Plan, Table
from l2c.mapping.runtime import Reason
from l2c.mapping.scopes import ANY, LENGTHS, Info, Scope, Unit, canonical_names, native_names

MAX_NESTING = 8
KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a mapping is compiled from."""

    config: MappingConfig
    block: Block
    entity: EntityConfig
    tables: Mapping[str, Table]
    native: EntitySchema | None = None


class Tables(dict[str, Table]):
    """The value maps a mapping may name."""

    @property
    def names(self) -> list[str]:
        """Their names."""
        return sorted(self)


@dataclass(slots=True)
class Builder:
    """Builds the plan of one mapping, collecting every mistake with its place."""

    sources: Sources
    unit: Unit = field(default_factory=Unit)
    reasons: list[Reason] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    used_tables: dict[str, Table] = field(default_factory=dict)
    used_fields: dict[str, FieldConfig] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)

    def plan(self) -> Plan:
        """The plan; look at `mistakes` before using it."""
        config = self.sources.config
        names, targets = self._sides()
        scope = Scope(self.unit, "r", "", names)
        plan = Plan(scope, [], entity=config.entity)
        self._reason("", self.sources.block.mark, personal=False)
        if config.direction == "read":
            self._read_keys(plan)
        elif config.when is not None:
            plan.when = self._expression(config.when, scope, ("when",))
            plan.early = len(scope.loads)
        plan.parts = self._parts(config.fields, scope, targets, ("fields",), "", 1)
        if config.direction == "read":
            self._canonical_order(plan.parts, targets, self.sources.entity.fields, "")
        elif config.key is not None:
            plan.key_var = self._key_var(plan.parts, config.key)
        return plan

    @property
    def reading(self) -> bool:
        return self.sources.config.direction == "read"

    def _sides(self) -> tuple[dict[str, Info] | None, dict[str, Info] | None]:
        """Names of the source and of the target."""
        canonical = canonical_names(self.sources.entity)
        native = native_names(self.sources.native) if self.sources.native is not None else None
        return (native, canonical) if self.reading else (canonical, native)

    def say(self, mark: Mark, text: str) -> None:
        """Add a mistake."""
        self.mistakes.append(f"{mark}: {text}")

    def place(self, path: tuple[str, ...]) -> Mark:
        """Where the value at a path of the file stands."""
        return place_of(self.sources.block, path)

    def _reason(self, path: str, mark: Mark, *, personal: bool, list_by: str = "", table: Table | None = None) -> int:
        reason = Reason(path, mark.short, personal, list_by)
        if table is not None:
            reason = Reason(path, mark.short, personal, list_by, table.name, table.file, tuple(table.values))
        self.reasons.append(reason)
        return len(self.reasons) - 1

    def _expression(self, text: str, scope: Scope, path: tuple[str, ...]) -> Typed:
        source = "canonical/" + self.sources.entity.entity if not self.reading else self.sources.config.from_
        tables = Tables(self.sources.tables)
        try:
            made = Translator(scope, text, _Used(tables, self.used_tables), known_as=source).translate()
        except Mistake as mistake:
            mark = self.place(path)
            lead = len(text) - len(text.lstrip())
            column = mark.column + mistake.column + lead if mark.line and "\n" not in text else mark.column
            self.say(Mark(mark.file, mark.line, column), mistake.text)
            return Typed("None", "any", plain=True)
        if self.unit.clock and self.reading:
            self.say(self.place(path), "today() is known to write mappings only: a read must give the same again")
            self.unit.clock = False
        if self.unit.past and self.reading:
            self.say(self.place(path), "'was.' and 'seen.' are known to write mappings only")
            self.unit.past.clear()
        return made

    def _read_keys(self, plan: Plan) -> None:
        config = self.sources.config
        keys = {("key",): config.key} if config.key is not None else {}
        keys.update({("other_keys", name): text for name, text in config.other_keys.items()})
        for path, text in keys.items():
            made = self._expression(text, plan.scope, path)
            name = "key" if path == ("key",) else path[1]
            number = self._reason(name, self.place(path), personal=False)
            check = Check("text", KEY_LENGTH)
            leaf = Leaf(name, name, self.unit.name("v"), made, self.place(path), number, check, required=path == ("key",))
            if path == ("key",):
                plan.key, plan.key_var = leaf, leaf.var
            else:
                plan.other_keys.append(leaf)

    def _key_var(self, parts: list[Part], key: str) -> str:
        found = next((p for p in parts if p.name == key and isinstance(p, Leaf)), None)
        if found is None:
            self.say(self.place(("key",)), f"'key': '{key}' must be a field with one value")
            return ""
        return found.var

    def _parts(
        self, rules: Mapping[str, Rule], scope: Scope, targets: dict[str, Info] | None, at: tuple[str, ...], above: str, depth: int
    ) -> list[Part]:
        if depth > MAX_NESTING:
            self.say(self.place(at), f"nested more than {MAX_NESTING} levels deep")
            return []
        parts: list[Part] = []
        for name, entry in _tree(rules, at).items():
            if isinstance(entry, _Branch):
                parts.append(self._branch(name, entry, scope, targets, above, depth))
                continue
            rule, path = entry
            info = self._target(name, targets, path, above)
            parts.append(self._part(name, rule, scope, info, path, above, depth))
        return parts

    def _branch(
        self, name: str, branch: "_Branch", scope: Scope, targets: dict[str, Info] | None, above: str, depth: int
    ) -> Part:
        """Dotted names (`country.isocode`) make nested objects."""
        path = next(iter(branch.rules.values()))[1]
        info = self._target(name, targets, path, above)
        if info.many:
            self.say(self.place(path), f"'{name}' is a list; use for_each and fields")
        inner = {rest: rule for rest, (rule, _) in branch.rules.items()}
        number = self._reason(above + name, self.place(path), personal=False)
        self.targets.add(above + name)
        below: list[Part] = []
        for rest, entry in _tree_of(branch.rules).items():
            if isinstance(entry, _Branch):
                below.append(self._branch(rest, entry, scope, info.fields, f"{above}{name}.", depth + 1))
            else:
                rule, at = entry
                target = self._target(rest, info.fields, at, f"{above}{name}.")
                below.append(self._part(rest, rule, scope, target, at, f"{above}{name}.", depth + 1))
        del inner
        return Group(name, above + name, self.unit.name("v"), below, self.place(path), number)

    def _target(self, name: str, targets: dict[str, Info] | None, path: tuple[str, ...], above: str) -> Info:
        if targets is None:
            return ANY
        if name not in targets:
            where = f"canonical/{self.sources.entity.entity}" if self.reading else self.sources.config.to
            place = f"{where}{f' ({above[:-1]})' if above else ''}"
            mark = _key_place(self.sources.block, path)
            self.say(mark, f"unknown field '{name}' in {place}{near_miss(name, targets)}")
            return ANY
        return targets[name]

    def _part(self, name: str, rule: Rule, scope: Scope, info: Info, path: tuple[str, ...], above: str, depth: int) -> Part:
        self.targets.add(above + name)
        if rule.for_each is not None:
            return self._many(name, rule, scope, info, path, above, depth)
        if rule.fields is not None:
            return self._group(name, rule, scope, info, path, above, depth)
        return self._leaf(name, rule, scope, info, path, above)

    def _group(self, name: str, rule: Rule, scope: Scope, info: Info, path: tuple[str, ...], above: str, depth: int) -> Group:
        if info is not ANY and (info.many or info.fields is None):
            what = "a list; add for_each" if info.many else "one value, not a nested record"
            self.say(self.place(path), f"'{above}{name}' is {what}")
        when = self._when(rule, scope, path)
        number = self._reason(above + name, self.place(path), personal=False)
        parts = self._parts(rule.fields or {}, scope, info.fields, (*path, "fields"), f"{above}{name}.", depth + 1)
        default = "None" if rule.has("default") else None
        return Group(name, above + name, self.unit.name("v"), parts, self.place(path), number, when, default)

    def _when(self, rule: Rule, scope: Scope, path: tuple[str, ...]) -> Typed | None:
        return self._expression(rule.when, scope, (*path, "when")) if rule.when is not None else None

    def _many(self, name: str, rule: Rule, scope: Scope, info: Info, path: tuple[str, ...], above: str, depth: int) -> Many:
        if info is not ANY and not info.many:
            self.say(self.place(path), f"'{above}{name}' is no list; for_each makes lists only")
        source, names, plain = self._source_list(rule.for_each or "", scope, (*path, "for_each"))
        load = scope.load(source, Info("list", many=True))
        outer = f"{scope.path}." if scope.path else ""
        inner = Scope(self.unit, self.unit.name("e"), outer + ".".join(source), names, scope, plain)
        when = self._when(rule, inner, path)
        early = len(inner.loads)
        number = self._reason(above + name, self.place(path), personal=False)
        many = Many(name, above + name, self.unit.name("v"), load, inner, self.place(path), number, self.unit.name("o"))
        many.when, many.early = when, early
        if rule.element is not None:
            one = Info(_one(info), info.length, personal=info.personal, config=info.config)
            many.value = self._leaf(name, rule.element, inner, one if info.many else ANY, (*path, "value"), above)
            many.as_set = self.reading
        else:
            many.list_by = info.config.list_by or "" if info.config is not None else ""
            many.parts = self._parts(rule.fields or {}, inner, info.fields, (*path, "fields"), f"{above}{name}.", depth + 1)
            self._name_elements(many)
        many.required = rule.required or bool(self.reading and info.config is not None and info.config.required)
        return many

    def _name_elements(self, many: Many) -> None:
        """Messages about an element carry its list key; an element without one is rejected."""
        if not many.list_by:
            return
        key = next((p for p in many.parts if p.name == many.list_by and isinstance(p, Leaf)), None)
        if key is None:
            self.say(many.mark, f"'{many.path}' needs a rule for '{many.list_by}', which tells its elements apart")
            return
        key.required = True
        many.parts.remove(key)
        many.parts.insert(0, key)
        for part in _all_parts(many.parts, lists=False):
            old = self.reasons[part.number]
            self.reasons[part.number] = Reason(
                old.path, old.place, old.personal, many.list_by, old.map_name, old.map_file, old.allowed
            )

    def _source_list(self, text: str, scope: Scope, path: tuple[str, ...]) -> tuple[tuple[str, ...], Any, Info | None]:
        """Path, names and plain kind of the list a for_each goes through."""
        parts = tuple(text.split("."))
        if not all(part.isidentifier() and part.isascii() and not part.startswith("_") for part in parts):
            self.say(self.place(path), f"'{text}' is not the path of a list")
            return ("nothing",), None, None
        names = scope.names
        info = ANY
        for part in parts:
            if names is None:
                return parts, None, None
            if part not in names:
                where = self.sources.config.from_
                self.say(self.place(path), f"unknown name '{part}' in {where}{near_miss(part, names)}")
                return parts, None, None
            info = names[part]
            names = info.fields
        if not info.many:
            self.say(self.place(path), f"'{text}' is no list")
            return parts, None, None
        if info.fields is None:
            return parts, {}, Info("text", info.length, personal=info.personal, config=info.config)
        return parts, info.fields, None

    def _leaf(self, name: str, rule: Rule, scope: Scope, info: Info, path: tuple[str, ...], above: str) -> Leaf:
        dotted = above + name
        mark = self.place(path)
        if info.many or info.fields is not None:
            need = "for_each" if info.many else "fields"
            self.say(mark, f"'{dotted}' needs {need}: it is a {'list' if info.many else 'nested record'}")
            info = ANY
        constant = rule.has("value")
        made = self._constant(rule, info, mark) if constant else self._expression(rule.expr or "", scope, self._expr_at(rule, path))
        table = self._table(rule, path)
        personal = info.personal or made.personal
        number = self._reason(dotted, mark, personal=personal, table=table)
        leaf = Leaf(name, dotted, self.unit.name("v"), made, mark, number, table=table, info=info, constant=constant)
        leaf.when = self._when(rule, scope, path)
        leaf.default = repr(rule.default) if rule.has("default") else None
        leaf.required = rule.required or self._required(info)
        leaf.reference, leaf.missing = rule.reference, rule.missing
        if constant and rule.value is None:
            leaf.required = False
        self._check_literals(leaf, rule, info)
        leaf.check = self._check(leaf, info)
        self.leaves.append(leaf)
        return leaf

    def _expr_at(self, rule: Rule, path: tuple[str, ...]) -> tuple[str, ...]:
        node: Any = self.sources.block
        for step in path:
            node = node[step]
        return (*path, "expr") if isinstance(node, dict) else path

    def _required(self, info: Info) -> bool:
        if self.reading:
            return info.config is not None and info.config.required
        return info.schema is not None and not info.schema.nullable and info.schema.creatable

    def _constant(self, rule: Rule, info: Info, mark: Mark) -> Typed:
        kind = {bool: "boolean", int: "number", str: "text"}.get(type(rule.value), "null")
        length = len(rule.value) if isinstance(rule.value, str) else None
        return Typed(repr(rule.value), kind, length, plain=True, clean=True)  # type: ignore[arg-type]

    def _table(self, rule: Rule, path: tuple[str, ...]) -> Table | None:
        if rule.value_map is None:
            return None
        mark = self.place((*path, "value_map"))
        if rule.value_map.startswith("code_list/"):
            self.say(mark, f"value map '{rule.value_map}': captured code lists cannot be used as value maps yet")
            return None
        table = self.sources.tables.get(rule.value_map)
        if table is None:
            self.say(mark, f"unknown value map '{rule.value_map}'{near_miss(rule.value_map, self.sources.tables)}")
            return None
        self.used_tables[rule.value_map] = table
        return table

    def _check_literals(self, leaf: Leaf, rule: Rule, info: Info) -> None:
        """Constants, defaults and the results of a value map are checked now, not record by record."""
        literals = [("value", rule.value)] if leaf.constant else []
        if rule.has("default"):
            literals.append(("default", rule.default))
        if leaf.table is not None and not leaf.reference:
            literals += [(f"value map '{leaf.table.name}' gives", value) for value in leaf.table.values.values()]
        for what, value in literals:
            problem = _literal_problem(value, info)
            if problem:
                self.say(leaf.mark, f"'{leaf.path}': {what} {_said(value)} {problem}")

    def _check(self, leaf: Leaf, info: Info) -> Check:
        """What is left to check record by record."""
        if leaf.constant or (leaf.table is not None and not leaf.table.keep):
            return Check()
        made = leaf.made
        if leaf.table is not None or leaf.reference is not None:
            made = Typed(made.code, "text")
        if info.config is not None and self.reading:
            return _canonical_check(made, info.config)
        if info.schema is not None and not self.reading:
            problem = _native_problem(made, info.schema)
            if problem:
                self.say(leaf.mark, f"'{leaf.path}' {problem}")
            return _native_check(made, info.schema, trusted=not leaf.reference)
        if not self.reading and made.kind == "decimal" and not made.plain:
            return Check("decimal")
        if self.reading or made.kind == "number" and not made.plain:
            return Check("decimal") if made.kind == "number" else Check()
        return Check()

    def _canonical_order(
        self, parts: list[Part], targets: dict[str, Info] | None, fields: Mapping[str, FieldConfig], above: str
    ) -> None:
        """Canonical records have the order of the entity, so that equal records are equal bytes."""
        order = {name: number for number, name in enumerate(fields)}
        parts.sort(key=lambda part: order.get(part.name, len(order)))
        mapped = {part.name for part in parts}
        for name, config in fields.items():
            if config.required and name not in mapped:
                self.say(self.place(("fields",)), f"required field '{above}{name}' of canonical/{self.sources.entity.entity} has no rule")
        for part in parts:
            config = fields.get(part.name)
            if config is None:
                continue
            self.used_fields[above + part.name] = config
            if isinstance(part, (Group, Many)) and config.fields is not None:
                self._canonical_order(part.parts, None, config.fields, f"{above}{part.name}.")


class _Used:
    """The value maps, noting which ones `in_map` names."""

    def __init__(self, tables: Tables, used: dict[str, Table]) -> None:
        self._tables = tables
        self._used = used

    @property
    def names(self) -> list[str]:
        return self._tables.names

    def get(self, name: str) -> Table | None:
        table = self._tables.get(name)
        if table is not None:
            self._used[name] = table
        return table


@dataclass(slots=True)
class _Branch:
    rules: dict[str, tuple[Rule, tuple[str, ...]]] = field(default_factory=dict)


def _tree(rules: Mapping[str, Rule], at: tuple[str, ...]) -> dict[str, Any]:
    return _tree_of({name: (rule, (*at, name)) for name, rule in rules.items()})


def _tree_of(rules: Mapping[str, tuple[Rule, tuple[str, ...]]]) -> dict[str, Any]:
    """Rules by first name; those with dots gathered under it."""
    tree: dict[str, Any] = {}
    for name, entry in rules.items():
        first, dot, rest = name.partition(".")
        if not dot:
            tree[name] = entry
            continue
        branch = tree.setdefault(first, _Branch())
        if isinstance(branch, _Branch):
            branch.rules[rest] = entry
        else:
            tree[name] = entry
    return tree


def _all_parts(parts: list[Part], *, lists: bool) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, Group) or (lists and isinstance(part, Many)):
            yield from _all_parts(part.parts, lists=lists)


def _one(info: Info) -> Any:
    return "text" if info.config is not None else "any"


def _key_place(block: Block, path: tuple[str, ...]) -> Mark:
    node: Any = block
    for step in path[:-1]:
        node = node[step]
    return node.keys_at[path[-1]]  # type: ignore[no-any-return]


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"


def _literal_problem(value: Any, info: Info) -> str:
    """Why a literal does not fit a target field, '' if it does."""
    if value is None:
        return ""
    config = info.config
    if config is not None and config.values and value not in config.values:
        return f"is not one of {', '.join(config.values)}"
    expected: Any = {"boolean": bool, "number": int, "text": str, "date": str, "decimal": (int, str)}.get(info.kind)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)):
        return f"is not {info.kind}"
    if isinstance(value, str) and info.length is not None and len(value) > info.length and info.kind == "text":
        return f"is longer than {info.length}"
    return ""


def _canonical_check(made: Typed, config: FieldConfig) -> Check:
    kind = config.type or "text"
    if kind == "code" and config.values:
        return Check("code", values=config.values)
    if kind in ("country", "currency", "language"):
        return Check("letters", letters=kind)
    if kind == "boolean":
        return Check() if made.kind == "boolean" and made.code.startswith(("not ", "True if")) else Check("boolean")
    if kind == "integer":
        return Check("whole")
    if kind in ("decimal", "amount", "quantity"):
        return Check("decimal", decimals=config.decimals)
    if kind == "date":
        return Check() if made.kind == "date" and made.clean else Check("date")
    return Check("timestamp") if kind == "timestamp" else Check("text", config.length or MAX_TEXT)


def _native_check(made: Typed, schema: FieldSchema, *, trusted: bool) -> Check:
    """Lengths and numbers the target's own description limits; what the canonical side guarantees is not checked again."""
    safe = trusted and made.kind in ("text", "date")
    if schema.type == "Edm.String":
        if safe and (schema.length is None or (made.length is not None and made.length <= schema.length)):
            return Check()
        return Check("text", schema.length or MAX_TEXT, safe=safe)
    if schema.type == "Edm.Boolean":
        return Check() if made.kind == "boolean" else Check("boolean")
    if schema.type in ("Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte", "Edm.SByte"):
        return Check("whole")
    if schema.type in ("Edm.Decimal", "Edm.Double", "Edm.Single"):
        return Check("decimal", decimals=schema.scale)
    return Check()


_NATIVE = {
    "Edm.String": {"text", "date", "null", "any"},
    "Edm.Boolean": {"boolean", "null", "any"},
    "Edm.DateTime": {"date", "text", "null", "any"},
    "Edm.DateTimeOffset": {"date", "text", "null", "any"},
}


def _native_problem(made: Typed, schema: FieldSchema) -> str:
    fits = _NATIVE.get(schema.type, {"number", "decimal", "text", "date", "null", "any"})
    return "" if made.kind in fits else f"is {schema.type}, but the rule gives {made.kind}; convert it"


__all__ = ["LENGTHS", "Builder", "Sources", "Tables"]
