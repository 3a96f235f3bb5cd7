"""The base of all config models, and how pydantic's complaints become lines with a place."""

import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from l2c.config.loader import Block, Row
from l2c.config.problems import Mark, near_miss
from l2c.errors import ConfigError

M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """A frozen model that refuses unknown keys and converts nothing silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


def parse(model: type[M], block: Block, *, context: dict[str, Any] | None = None) -> M:
    """The model of a block; raises ConfigError with every mistake, each at its place."""
    try:
        return model.model_validate(block, context=context)
    except ValidationError as error:
        raise ConfigError(mistakes_of(error, model, block)) from None


def parse_partly(model: type[M], block: Block, under: str) -> tuple[M | None, list[str], frozenset[str]]:
    """The model without those entries of `under` that have mistakes, the mistakes, and the names left out.

    None when the mistakes stand elsewhere too: then nothing more can be checked.
    """
    try:
        return model.model_validate(block), [], frozenset()
    except ValidationError as error:
        mistakes = mistakes_of(error, model, block)
        places = [detail["loc"] for detail in error.errors(include_url=False, include_input=False)]
    if not all(place[:1] == (under,) and len(place) > 1 for place in places):
        return None, mistakes, frozenset()
    bad = frozenset(str(place[1]) for place in places)
    rest = {name: rule for name, rule in block[under].items() if name not in bad}
    try:
        return model.model_validate({**block, under: rest}), mistakes, bad
    except ValidationError:
        return None, mistakes, frozenset()


def mistakes_of(error: ValidationError, model: type[BaseModel], block: Block) -> list[str]:
    """The lines of a validation error, in the order they stand in the file."""
    lines: dict[str, Mark] = {}
    for detail in error.errors(include_url=False):
        mark, names = _place(block, detail["loc"], key=detail["type"] == "extra_forbidden")
        for text in _tell(detail, model, names).split("\n"):
            lines.setdefault(f"{mark}: {text}", mark)
    return sorted(lines, key=lambda line: (lines[line].file, lines[line].line, lines[line].column))


def place_of(block: Block, path: Iterable[str | int]) -> Mark:
    """Where the value at a path stands, or the nearest place above it."""
    return _place(block, tuple(path), key=False)[0]


def _place(block: Block, loc: Sequence[str | int], *, key: bool) -> tuple[Mark, list[str | int]]:
    """The mark of a pydantic location, and the location without parts that are not in the file."""
    node: Any = block
    mark = block.mark
    names: list[str | int] = []
    for part in loc:
        step = "value" if part == ELEMENT else part
        if isinstance(node, Block) and step in node:
            mark = (node.keys_at if key else node.values_at)[str(step)]
            node = node[str(step)]
        elif isinstance(node, Row) and isinstance(step, int) and step < len(node):
            mark = node.values_at[step]
            node = node[step]
        elif not isinstance(part, str) or node is None or isinstance(node, (Block, Row)):
            names.append(part)
            continue
        else:
            continue
        names.append(part)
    return mark, names


ELEMENT = "value of each"  # the name under which a list rule keeps the rule of its elements


def _tell(detail: Any, model: type[BaseModel], names: list[str | int]) -> str:
    kind = detail["type"]
    last = str(names[-1]) if names else ""
    context = detail.get("ctx") or {}
    if kind == "extra_forbidden":
        return f"unknown key '{last}'{near_miss(last, _known(model, names[:-1]))}"
    if kind == "missing":
        return f"key '{last}' is missing"
    if kind in ("literal_error", "enum"):
        allowed = [p.strip().strip("'") for p in context["expected"].replace(" or ", ", ").split(",")]
        return f"{shown(detail['input'])} is not allowed{near_miss(str(detail['input']), allowed)}"
    if kind == "value_error":
        return str(context["error"])
    return f"'{last}': expected {_EXPECTED.get(kind, detail['msg'])}, found {shown(detail['input'])}"


_EXPECTED = {
    "string_type": "text (put it in quotes)",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
    "greater_than_equal": "a larger number",
    "less_than_equal": "a smaller number",
    "string_too_short": "text",
}


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'"


def _known(model: Any, names: Sequence[str | int]) -> list[str]:
    """The keys a model knows at a location."""
    here: Any = model
    for name in names:
        here = _step(here, name)
    found = _model_of(here)
    return [] if found is None else [key for key, _ in _fields(found) if key != ELEMENT]


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return [(field.alias or name, field.annotation) for name, field in model.model_fields.items()]


def _step(annotation: Any, name: str | int) -> Any:
    model = _model_of(annotation)
    if model is not None:
        return dict(_fields(model)).get(str(name))
    for option in _options(annotation):
        if get_origin(option) in (dict, list, tuple):
            return get_args(option)[-1 if get_origin(option) is dict else 0]
    return None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _options(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for option in get_args(annotation) for inner in _options(option)]
    return [annotation]
