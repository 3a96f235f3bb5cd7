"""A mapping file becomes a plan: every rule translated, checked and put in its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from l2c.config import FieldConfig, Mark, Rule, near_miss
from l2c.config.model import place_of
from l2c.mapping.elements import lists_on
from l2c.mapping.expressions import Translator
from l2c.mapping.heads import check_actions, read_head, write_head
from l2c.mapping.leaves import leaf
from l2c.mapping.rules import Group, Leaf, Many, Named, Part, Plan, Table, same_element
from l2c.mapping.scopes import ANY, Info, Load, Scope, Unit, canonical_names, native_names
from l2c.mapping.sources import Sources
from l2c.mapping.tree import At, Branch, Placed, gathered, grown
from l2c.mapping.trouble import Reason
from l2c.mapping.typed import NOTHING, Mistake, Typed, longest

MAX_NESTING = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the target a part stands: what is known of the fields there, dotted path above, depth."""

    fields: dict[str, Info] | None
    above: str = ""
    depth: int = 1

    def below(self, name: str, info: Info) -> "Spot":
        """The spot inside a nested field."""
        return Spot(info.fields, f"{self.above}{name}.", self.depth + 1)


@dataclass(slots=True)
class Builder:
    """Builds the plan of one mapping, collecting every mistake with its place."""

    sources: Sources
    unit: Unit = field(default_factory=Unit)
    reasons: list[Reason] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    used_tables: dict[str, Table] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)

    def plan(self) -> Plan:
        """The plan; look at `mistakes` before using it."""
        config = self.sources.config
        canonical = canonical_names(self.sources.entity)
        native = native_names(self.sources.native) if self.sources.native is not None else None
        self.unit.source, self.unit.trusted = config.from_, not self.reading
        scope = Scope(self.unit, "r", "", native if self.reading else canonical)
        plan = Plan(scope, [], entity=config.entity)
        if config.for_each is not None:
            plan.scope, plan.outer = self._element(config.for_each, scope)
            scope = plan.scope
        self.reason("", self.sources.block.mark)
        if self.reading:
            read_head(self, plan)
        else:
            write_head(self, plan)
            check_actions(Builder(self.sources, Unit(source=config.from_, trusted=True), mistakes=self.mistakes))
        plan.parts = self._parts(config.fields, ("fields",), scope, Spot(canonical if self.reading else native))
        if self.reading:
            self._canonical_order(plan.parts, self.sources.entity.fields, "", ("fields",))
        elif config.key is not None and config.key not in self.sources.skipped:
            plan.key_var = self._key_var(plan.parts, config.key)
        return plan

    @property
    def reading(self) -> bool:
        """Whether the mapping reads a system."""
        return self.sources.config.direction == "read"

    def say(self, mark: Mark, text: str) -> None:
        """Add a mistake."""
        self.mistakes.append(f"{mark}: {text}")

    def place(self, path: At) -> Mark:
        """Where the value at a path of the file stands."""
        return place_of(self.sources.block, path)

    def expression(self, text: str, scope: Scope, path: At) -> Typed:
        """A checked expression; a mistake is told and gives null."""
        translator = Translator(scope, text, self.sources.tables)
        try:
            made = translator.translate()
        except Mistake as mistake:
            mark = self.place(path)
            self.say(mark if mark.folded else replace(mark, column=mark.column + mistake.column), mistake.text)
            return NOTHING
        self.used_tables.update({name: self.sources.tables[name] for name in translator.named})
        if self.reading and (self.unit.clock or self.unit.past):
            word = "today()" if self.unit.clock else "'was.' and 'seen.'"
            self.say(self.place(path), f"{word} belongs to write mappings: a read must give the same again")
            self.unit.clock = False
            self.unit.past.clear()
        return made

    def reason(self, path: str, mark: Mark, *, personal: bool = False, table: Table | None = None) -> int:
        """The number of a new reason: the words of one rule's rejections."""
        reason = Reason(path, mark.short, personal)
        if table is not None:
            reason = replace(reason, map_name=table.name, map_file=table.file, allowed=tuple(table.values))
        self.reasons.append(reason)
        return len(self.reasons) - 1

    def _element(self, text: str, record: Scope) -> tuple[Scope, tuple[Scope, ...]]:
        """The scope of the element a file is about, and the scopes around it, the record first."""
        scope, outer = record, []
        for steps in lists_on(text, record.names):
            outer.append(scope)
            names, plain = self._source_list(".".join(steps), scope, ("for_each",))[1:]
            above = f"{scope.path}." if scope.path else ""
            scope.use(".".join(steps))
            scope = Scope(self.unit, self.unit.name("e"), above + ".".join(steps), names, scope, plain)
        if self.reading and len(outer) > 1:
            self.say(self.place(("for_each",)), f"'{text}' goes through several lists; name one list")
        return scope, tuple(outer)

    def _key_var(self, parts: list[Part], key: str) -> str:
        found = next((part for part in parts if part.name == key and isinstance(part, Leaf)), None)
        if found is None or found.optional:
            self.say(self.place(("key",)), f"'key': '{key}' must be a field with one value that is always there")
            return ""
        return found.var

    def _parts(self, rules: Mapping[str, Rule], at: At, scope: Scope, spot: Spot) -> list[Part]:
        return self._grown(grown(rules, at), at, scope, spot)

    def _grown(self, tree: Mapping[str, Placed | Branch], at: At, scope: Scope, spot: Spot) -> list[Part]:
        if spot.depth > MAX_NESTING:
            self.say(self.place(at), f"nested more than {MAX_NESTING} levels deep")
            return []
        return [
            self._branch(name, entry, scope, spot)
            if isinstance(entry, Branch)
            else self._part(name, entry, scope, spot)
            for name, entry in tree.items()
        ]

    def _branch(self, name: str, branch: Branch, scope: Scope, spot: Spot) -> Group:
        """Dotted names make a nested object."""
        info = self._target(name, branch.at, spot)
        if branch.clash is not None:
            self.say(
                self.place(branch.clash), f"'{spot.above}{name}' has a rule of its own and rules with a dot behind it"
            )
        if info.many:
            self.say(self.place(branch.at), f"'{spot.above}{name}' is a list; use for_each and fields")
        self.targets.add(spot.above + name)
        number = self.reason(spot.above + name, self.place(branch.at))
        parts = self._grown(gathered(branch.rules), branch.at, scope, spot.below(name, info))
        return Group(name, spot.above + name, self.unit.name("v"), parts, self.place(branch.at), number)

    def _target(self, name: str, at: At, spot: Spot) -> Info:
        """What is known of a target field."""
        if spot.fields is None:
            return ANY
        if name not in spot.fields:
            config = self.sources.config
            place = f"{config.to}{f' ({spot.above[:-1]})' if spot.above else ''}"
            self.say(self.place_of_key(at), f"unknown field '{name}' in {place}{near_miss(name, spot.fields)}")
            return ANY
        return spot.fields[name]

    def place_of_key(self, path: At) -> Mark:
        """Where the last key of a path stands."""
        node: Any = self.sources.block
        for step in path[:-1]:
            node = node[step]
        return node.keys_at[path[-1]]  # type: ignore[no-any-return]

    def _part(self, name: str, placed: Placed, scope: Scope, spot: Spot) -> Part:
        rule, at = placed
        info = self._target(name, at, spot)
        self.targets.add(spot.above + name)
        if rule.for_each is not None:
            return self._many(name, placed, scope, spot, info)
        if rule.fields is not None:
            return self._group(name, placed, scope, spot, info)
        return leaf(self, placed, scope, spot.above + name, info)

    def _group(self, name: str, placed: Placed, scope: Scope, spot: Spot, info: Info) -> Group:
        rule, at = placed
        if info is not ANY and (info.many or info.fields is None):
            what = "a list; add for_each" if info.many else "one value, not a nested record"
            self.say(self.place(at), f"'{spot.above}{name}' is {what}")
        when = self.when(rule, scope, at)
        number = self.reason(spot.above + name, self.place(at))
        parts = self._parts(rule.fields or {}, (*at, "fields"), scope, spot.below(name, info))
        default = "None" if rule.has("default") else None
        return Group(name, spot.above + name, self.unit.name("v"), parts, self.place(at), number, when, default)

    def when(self, rule: Rule, scope: Scope, at: At) -> Typed | None:
        """The condition of a rule, if it has one."""
        return self.expression(rule.when, scope, (*at, "when")) if rule.when is not None else None

    def _many(self, name: str, placed: Placed, scope: Scope, spot: Spot, info: Info) -> Many:
        rule, at = placed
        path = spot.above + name
        if info is not ANY and not info.many:
            self.say(self.place(at), f"'{path}' is no list; for_each makes lists only")
        source, inner = self._source(rule.for_each or "", scope, (*at, "for_each"))
        when = self.when(rule, inner, at)
        number, early = self.reason(path, self.place(at)), len(inner.loads)
        many = Many(
            name, path, self.unit.name("v"), source, inner, self.place(at), number, self.unit.name("o"), when=when
        )
        many.early = early
        if rule.element is not None:
            one = Info("text" if info.config else "any", info.length, personal=info.personal, config=info.config)
            many.value = leaf(self, (rule.element, (*at, "value")), inner, path, one if info.many else ANY)
            many.value.required = False
            many.as_set = self.reading
        else:
            many.list_by = info.config.list_by or "" if info.config is not None else ""
            many.parts = self._parts(rule.fields or {}, (*at, "fields"), inner, spot.below(name, info))
            self._name_elements(many)
        many.required = rule.required or bool(self.reading and info.config is not None and info.config.required)
        return many

    def _name_elements(self, many: Many) -> None:
        """Messages about an element carry its list key; an element without one is rejected."""
        if not many.list_by:
            return
        key = next((part for part in many.parts if part.name == many.list_by and isinstance(part, Leaf)), None)
        if key is None:
            self.say(many.mark, f"'{many.path}' needs a rule for '{many.list_by}', which tells its elements apart")
            return
        key.required = True
        many.parts.remove(key)
        many.parts.insert(0, key)
        for part in same_element(many.parts):
            self.reasons[part.number] = replace(self.reasons[part.number], list_by=many.list_by)

    def _source(self, text: str, scope: Scope, at: At) -> tuple[Load | Named, Scope]:
        """What a for_each goes through, and the scope of one element."""
        if text.lstrip().startswith("["):
            return self._named(text, scope, at)
        steps, names, plain = self._source_list(text, scope, at)
        outer = f"{scope.path}." if scope.path else ""
        inner = Scope(self.unit, self.unit.name("e"), outer + ".".join(steps), names, scope, plain)
        return scope.load(steps, Info("list", many=True)), inner

    def _named(self, text: str, scope: Scope, at: At) -> tuple[Named, Scope]:
        """The values between brackets as the elements of a list."""
        values: tuple[Typed, ...] = ()
        try:
            values = Translator(scope, text, self.sources.tables).named_values()
        except Mistake as mistake:
            self.say(self.place(at), mistake.text)
        kinds = {value.kind for value in values} - {"null"}
        plain = Info(
            kinds.pop() if len(kinds) == 1 else "any",
            longest(*values),
            personal=any(value.personal for value in values),
        )
        return Named(values), Scope(self.unit, self.unit.name("e"), scope.path, {}, scope, plain)

    def _source_list(
        self, text: str, scope: Scope, at: At
    ) -> tuple[tuple[str, ...], dict[str, Info] | None, Info | None]:
        """Path, names and plain kind of the list a for_each goes through."""
        steps = tuple(text.split("."))
        if not all(step.isidentifier() and step.isascii() and not step.startswith("_") for step in steps):
            self.say(self.place(at), f"'{text}' is not the path of a list")
            return ("nothing",), None, None
        names, info = scope.names, ANY
        for step in steps:
            if names is None:
                return steps, None, None
            if step not in names:
                self.say(self.place(at), f"unknown name '{step}' in {self.unit.source}{near_miss(step, names)}")
                return steps, None, None
            info = names[step]
            names = info.fields
        if not info.many:
            self.say(self.place(at), f"'{text}' is no list")
            return steps, None, None
        if info.fields is None:
            return steps, {}, Info("text", info.length, personal=info.personal, config=info.config)
        return steps, info.fields, None

    def _canonical_order(self, parts: list[Part], fields: Mapping[str, FieldConfig], above: str, at: At) -> None:
        """Canonical records have the order of the entity, so that equal records are equal bytes."""
        order = {name: number for number, name in enumerate(fields)}
        parts.sort(key=lambda part: order.get(part.name, len(order)))
        mapped = {part.name for part in parts}
        for name, config in fields.items():
            if config.required and name not in mapped and above + name not in self.sources.skipped:
                self.say(self.place(at), f"required field '{above}{name}' of {self.sources.config.to} has no rule")
        for part in parts:
            inner = fields[part.name].fields if part.name in fields else None
            if inner is not None and not isinstance(part, Leaf):
                self._canonical_order(part.parts, inner, f"{above}{part.name}.", at)
