"""What a write mapping makes: from which canonical fields each native field comes, and what tells list elements apart."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from l2c.config import EntityConfig, Rule
from l2c.config.entities import RESERVED
from l2c.mapping import Mapper

_OUTSIDE = RESERVED - {"parent", "this"}


@dataclass(frozen=True, slots=True)
class Shape:
    """Of one write mapping.

    `sources`: native path → the canonical paths it is made of. `keys`: native list path → paths inside an element that are
    made of the canonical key of that list, so that both sides tell elements apart by them.
    """

    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def shape_of(mapper: Mapper) -> Shape:
    """The shape of a write mapping, from its rules."""
    sources: dict[str, frozenset[str]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    lists = _Lists(mapper.sources.entity)
    _walk(mapper.config.fields, "", (_Scope(),), lists, (sources, keys))
    return Shape(sources, keys)


class _Lists:
    """The keys of the canonical lists."""

    def __init__(self, entity: EntityConfig) -> None:
        self._keys = {path: config.list_by for path, config in entity.paths.items() if config.list_by}

    def key_of(self, path: str) -> str | None:
        """The canonical path of an element's key."""
        found = self._keys.get(path)
        return f"{path}.{found}" if found else None


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names resolve: below a canonical path (with its dot), or, in an element that is one value, only `this`."""

    prefix: str = ""
    this: frozenset[str] = frozenset()


_Scopes = tuple[_Scope, ...]  # innermost first
_Found = tuple[dict[str, frozenset[str]], dict[str, tuple[str, ...]]]


def _walk(rules: Mapping[str, Rule], above: str, scopes: _Scopes, lists: _Lists, found: _Found) -> None:
    sources, keys = found
    for name, rule in rules.items():
        path = f"{above}{name}"
        if rule.for_each is None:
            sources[path] = _used(rule, scopes)
            _walk(rule.fields or {}, f"{path}.", scopes, lists, found)
            continue
        made_of = frozenset(_paths(rule.for_each, scopes))
        inner = next(iter(made_of), "") if rule.for_each.replace(".", "").isidentifier() else ""
        deeper = (_Scope(f"{inner}.", frozenset({inner})) if inner else _Scope("", made_of), *scopes)
        of_each = _used(rule.element, deeper) if rule.element is not None else frozenset()
        sources[path] = _used(rule, deeper) | of_each | made_of
        if rule.fields is not None:
            _walk(rule.fields, f"{path}.", deeper, lists, found)
            keys[path] = tuple(_key_paths(sources, path, lists.key_of(inner)))


def _used(rule: Rule, scopes: _Scopes) -> frozenset[str]:
    return frozenset(path for text in (rule.expr, rule.when) for path in _paths(text, scopes))


def _key_paths(sources: Mapping[str, frozenset[str]], path: str, key: str | None) -> Iterator[str]:
    for target, used in sources.items():
        if key in used and target.startswith(f"{path}."):
            yield target.removeprefix(f"{path}.")


def _paths(text: str | None, scopes: _Scopes) -> Iterator[str]:
    """The canonical paths an expression uses."""
    if not text:
        return
    tree = ast.parse(text.strip(), mode="eval")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in called and id(node) not in inner:
            yield from _resolved(ast.unparse(node).split("."), scopes)


def _resolved(steps: list[str], scopes: _Scopes) -> Iterator[str]:
    depth = 0
    while steps and steps[0] == "parent":
        depth, steps = depth + 1, steps[1:]
    scope = scopes[min(depth, len(scopes) - 1)]
    if steps == ["this"]:
        yield from scope.this
    elif steps and steps[0] not in _OUTSIDE:
        yield scope.prefix + ".".join(steps)
