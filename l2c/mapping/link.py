"""Turns the written-out source of a plan into two functions with exactly the names they may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from l2c.errors import ConfigError
from l2c.mapping import choosing, functions, runtime, values
from l2c.mapping.careful import write_careful, write_condition
from l2c.mapping.compiler import Builder
from l2c.mapping.fast import write_fast
from l2c.mapping.rules import Group, Leaf, Many, Part, Plan
from l2c.mapping.runtime import ABSENT, END_OF_TIME
from l2c.mapping.scopes import Load, Scope
from l2c.mapping.trouble import Reason, Trouble
from l2c.mapping.typed import Typed

_RUNTIME = (
    "calculate", "compared_now", "day_of", "dig", "filled", "in_order", "known_date", "listed", "load", "load_each",
    "load_elements", "load_list", "nothing_as_none", "odd", "remember", "soonest", "valid_now",
)  # fmt: skip
_VALUES = (
    "Unfit", "careful_boolean", "careful_code", "careful_date", "careful_letters", "careful_text", "careful_timestamp",
    "decimal_text", "number", "whole",
)  # fmt: skip
_BUILTINS = {
    "ArithmeticError": ArithmeticError, "AttributeError": AttributeError, "LookupError": LookupError, "TypeError": TypeError,
    "ValueError": ValueError, "bool": bool, "dict": dict, "filter": filter, "int": int, "len": len, "list": list, "set": set,
    "sorted": sorted,
}  # fmt: skip


class Late:
    """A function that is compiled when it is first called: most processes never see a record that needs care."""

    __slots__ = ("_function", "_name", "_space", "source")

    def __init__(self, source: str, space: dict[str, Any], name: str) -> None:
        self.source = source
        self._space = space
        self._name = name
        self._function: Callable[..., Any] | None = None

    @property
    def function(self) -> Callable[..., Any]:
        """The compiled function."""
        if self._function is None:
            _define(self.source, self._space, self._name)
            self._function = self._space["careful"]
        return self._function

    def __call__(self, record: Mapping[str, Any], env: Any, *elements: Any) -> Any:
        """Map one record, or one element of it."""
        return self.function(record, env, *elements)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The two forms of one mapping."""

    fast: Callable[..., Any]
    careful: Late
    fast_source: str
    clock: bool


def link(plan: Plan, builder: Builder, mapped: type[Any]) -> Compiled:
    """The functions of a plan; `mapped` is what they return."""
    space, name = _names(plan, builder, mapped), builder.sources.config.mapping
    fast_source = write_fast(plan)
    _define(fast_source, space, f"<{name} fast>")
    careful = Late(write_careful(plan), space, f"<{name} careful>")
    return Compiled(space["fast"], careful, fast_source, builder.unit.clock)


def condition(scope: Scope, made: Typed) -> Callable[[Mapping[str, Any]], bool]:
    """One condition as a function of a record; what cannot be computed does not hold."""
    space = _base(scope.unit.constants)
    _define(write_condition(scope, made), space, "<condition>")
    return space["holds"]  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _code(source: str, name: str) -> CodeType:
    try:
        return compile(source, name, "exec")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ConfigError(f"{name}: too large or nested too deep to compile ({type(error).__name__})") from None


def _define(source: str, space: dict[str, Any], name: str) -> None:
    code = _code(source, name)
    # the source was written by l2c.mapping.fast and careful from checked nodes only
    exec(code, space)  # noqa: S102  # nosec B102


def _names(plan: Plan, builder: Builder, mapped: type[Any]) -> dict[str, Any]:
    space = _base(builder.unit.constants)
    leaves = [*([plan.key] if plan.key else []), *plan.other_keys, *_leaves(plan.parts)]
    for leaf in leaves:
        if leaf.table is not None:
            space[f"M{leaf.number}"] = leaf.table.values
        if leaf.check.kind == "code":
            space[f"V{leaf.number}"] = frozenset(leaf.check.values)
        if leaf.check.kind == "letters":
            space[f"L{leaf.number}"] = {}
    loads = _load_reasons(plan, builder)
    space.update(Mapped=mapped, D={}, S={}, LOADS=loads, REASONS=tuple(builder.reasons), Trouble=Trouble)
    return space


def _base(constants: Mapping[str, Any]) -> dict[str, Any]:
    space: dict[str, Any] = {"__builtins__": dict(_BUILTINS)}
    space.update({f.call.__name__: f.call for f in functions.FUNCTIONS.values()})
    space.update({name: getattr(choosing, name) for name in ("preferred_of", "pick_of", "preferred_join_of")})
    space.update({name: getattr(runtime, name) for name in _RUNTIME})
    space.update({name: getattr(values, name) for name in _VALUES})
    space.update(constants)
    space.update(A=ABSENT, END=END_OF_TIME, NOWHERE={})
    return space


def _load_reasons(plan: Plan, builder: Builder) -> dict[str, int]:
    """For each load, the reason its mistakes are told under: its source path."""
    numbers: dict[str, int] = {}
    scopes = [*plan.outer, plan.scope, *(part.scope for part in _lists(plan.parts))]
    for scope in scopes:
        for load in scope.loads.values():
            builder.reasons.append(_reason(scope.path, load, builder))
            numbers[load.var] = len(builder.reasons) - 1
    return numbers


def _reason(above: str, load: Load, builder: Builder) -> Reason:
    path = ".".join((*([above] if above else []), *load.path))
    return Reason(path, builder.sources.block.mark.file, load.info.personal)


def _leaves(parts: list[Part]) -> list[Leaf]:
    found: list[Leaf] = []
    for part in parts:
        if isinstance(part, Leaf):
            found.append(part)
        else:
            found += _leaves(part.parts)
            if isinstance(part, Many) and part.value is not None:
                found.append(part.value)
    return found


def _lists(parts: list[Part]) -> list[Many]:
    found: list[Many] = []
    for part in parts:
        if isinstance(part, Many):
            found.append(part)
        if isinstance(part, (Many, Group)):
            found += _lists(part.parts)
    return found
