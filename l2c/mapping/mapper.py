"""Mappers: a compiled mapping file, and what goes into and comes out of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from l2c.config import Action, MappingConfig, SafeBy
from l2c.contract import EntitySchema
from l2c.errors import ConfigError, RecordRejected
from l2c.mapping.bundle import bundle_of, version_of
from l2c.mapping.compiler import Builder
from l2c.mapping.elements import Steps, elements_of, name_of
from l2c.mapping.link import Compiled, link
from l2c.mapping.rules import Leaf, Many, Part, Plan
from l2c.mapping.sources import Sources
from l2c.mapping.values import Unfit

_SURPRISES = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError)


def _unresolved(path: str, key: str) -> str | None:
    raise ConfigError(f"reference '{path}' of a key with {len(key)} characters: no key mapping was given to resolve it")


@dataclass(frozen=True, slots=True)
class Env:
    """What a mapping may know beside the record. Read mappings have no clock: `today` None."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    today: date | None = None
    was: Mapping[str, Any] | None = None  # canonical: what this target last got
    seen: Mapping[str, Any] | None = None  # canonical: its view
    resolve: Callable[[str, str], str | None] = _unresolved  # (reference path, key) → key on the other side


@dataclass(slots=True)
class Mapped:
    """What became of one record.

    `key`: read: its native key; write: the native key at birth ('' where the target gives it). `data`: in fixed key order;
    what the source lacks is absent, what is empty is None. `passes`: write: the `when` at the head held. `due_again`: write: the
    day the result changes next because of today().
    """

    key: str
    data: dict[str, Any]
    other_keys: Mapping[str, str]
    passes: bool = True
    due_again: date | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """What became of one element of a record, where a file makes a record of each.

    `name`: it within its record; read: its own key ('' where that cannot be told), write: the keys of the lists it stands in.
    """

    name: str
    mapped: Mapped | None
    error: RecordRejected | None = None


@dataclass(frozen=True, slots=True)
class Mapper:
    """One compiled mapping file.

    `fields`: dotted source paths it uses; `targets`: dotted target paths it makes, lists without index. `version`: hash of what
    the mapping does (comments and layout apart); `bundle`: text from which `load_bundle` makes the same mapper again.
    `list_by`: list path → field that tells its elements apart (canonical side). `lists`: of a head `for_each` the lists it
    goes through; `named_by`: the key of each, '' for plain values.
    """

    config: MappingConfig
    file: str
    version: str
    bundle: str
    fields: frozenset[str]
    targets: frozenset[str]
    list_by: Mapping[str, str]
    leaves: tuple[Leaf, ...] = field(repr=False)
    sources: Sources = field(repr=False)
    compiled: Compiled = field(repr=False)
    lists: tuple[Steps, ...] = ()
    named_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, `commerce.business_partner.unit.write`."""
        return self.config.mapping

    @property
    def kept_as(self) -> str:
        """What its states are kept under: its name; with `#` and the element behind it where there is one for each."""
        return f"{self.config.mapping}#" if self.lists else self.config.mapping

    @property
    def direction(self) -> Literal["read", "write"]:
        """Whether it reads a system or writes one."""
        return self.config.direction

    @property
    def system_kind(self) -> str:
        """The kind of system it speaks of."""
        return self.config.kind

    @property
    def native(self) -> str:
        """The native entity."""
        return self.config.native

    @property
    def canonical(self) -> str:
        """The canonical entity."""
        return self.config.entity

    @property
    def variant(self) -> str:
        """The variant of a write mapping, '' if it has none."""
        return self.config.variant

    @property
    def leave(self) -> Literal["block", "delete", "keep"] | None:
        """What happens to a native record that no longer passes."""
        return self.config.leave

    @property
    def children(self) -> Literal["ours", "all", "add"]:
        """Which list elements missing from the record are removed."""
        return self.config.children

    @property
    def safe_by(self) -> SafeBy | None:
        """How a repeated create is recognised."""
        return self.config.safe_by

    @property
    def on_unknown(self) -> Literal["lookup", "ask"]:
        """What is done after a lost answer."""
        return self.config.on_unknown

    @property
    def actions(self) -> tuple[Action, ...]:
        """What else the target is asked to do."""
        return self.config.actions

    def map(self, record: Mapping[str, Any], env: Env) -> Mapped:
        """The record on the other side.

        Raises RecordRejected with every mistake of the record, or ReferenceMissing when only references are open; ConfigError
        where the file makes several records of one: then `each` is what is meant.
        """
        if self.lists:
            raise ConfigError(
                f"{self.file}: makes a record of each '{self.config.for_each}'; they are mapped one by one"
            )
        try:
            mapped = self.compiled.fast(record, env)
        except _SURPRISES:
            mapped = None
        return self.compiled.careful(record, env) if mapped is None else mapped  # type: ignore[no-any-return]

    def each(self, record: Mapping[str, Any], env: Env) -> Iterator[Element]:
        """Of a file with `for_each` at its head: what became of each element; raises RecordRejected where no list is."""
        try:
            found = list(elements_of(record, self.lists))
        except Unfit as error:
            raise RecordRejected([(str(self.config.for_each), error.text)], entity=self.canonical) from None
        for elements in found:
            name = name_of(elements, self.named_by) if self.named_by else ""
            try:
                mapped = self._map(record, env, elements)
            except RecordRejected as error:
                yield Element(name or error.key, None, error)
            else:
                yield Element(name or mapped.key, mapped)

    def _map(self, record: Mapping[str, Any], env: Env, elements: tuple[Any, ...]) -> Mapped:
        try:
            mapped = self.compiled.fast(record, env, *elements)
        except _SURPRISES:
            mapped = None
        return self.compiled.careful(record, env, *elements) if mapped is None else mapped  # type: ignore[no-any-return]

    def leave_data(self) -> dict[str, Any]:
        """The native fields that block a record which no longer passes (`leave: block`), nested as `map` nests them."""
        data: dict[str, Any] = {}
        for path, value in self.config.blocked.items():
            *outer, last = path.split(".")
            level = data
            for step in outer:
                level = level.setdefault(step, {})
            level[last] = value
        return data

    def with_schema(self, native: EntitySchema) -> "Mapper":
        """The same mapping, checked against the native entity: names and types now, lengths record by record.

        Raises ConfigError with every mistake.
        """
        made = build(replace(self.sources, native=native), self.file)
        return replace(made, version=self.version, bundle=self.bundle)


def build(sources: Sources, file: str) -> Mapper:
    """The mapper of parsed files; raises ConfigError with every mistake."""
    builder = Builder(sources)
    plan = builder.plan()
    if builder.mistakes:
        raise ConfigError(builder.mistakes, entity=sources.config.entity)
    used = builder.unit.paths
    bundle = bundle_of(sources, builder)
    return Mapper(
        config=sources.config,
        file=file,
        version=version_of(bundle),
        bundle=bundle,
        fields=frozenset(path for path in used if not any(other.startswith(path + ".") for other in used)),
        targets=frozenset(builder.targets),
        list_by=dict(_lists(plan.parts)),
        leaves=tuple(builder.leaves),
        sources=sources,
        compiled=link(plan, builder, Mapped),
        lists=tuple(_steps(plan)),
        named_by=tuple(_named_by(sources, plan)),
    )


def _steps(plan: Plan) -> Iterator[Steps]:
    """The lists a head `for_each` goes through, each by the steps from the one before."""
    for outer, inner in zip(plan.outer, [*plan.outer[1:], plan.scope], strict=False):
        yield tuple(inner.path[len(outer.path) :].strip(".").split("."))


def _named_by(sources: Sources, plan: Plan) -> Iterator[str]:
    """What tells the elements of each of these lists apart; nothing is known of native ones."""
    if sources.config.direction == "write":
        for scope in [*plan.outer, plan.scope][1:]:
            yield sources.entity.paths[scope.path].list_by or ""


def _lists(parts: list[Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(part, Many):
            if part.list_by:
                yield part.path, part.list_by
            yield from _lists(part.parts)
