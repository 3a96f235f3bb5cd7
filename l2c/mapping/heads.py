"""The head of a mapping file: keys, condition, actions."""

from typing import Any

from l2c.config import MERGED_INTO
from l2c.mapping.building import Building
from l2c.mapping.rules import Check, Leaf, Plan
from l2c.mapping.scopes import Scope, canonical_names
from l2c.mapping.tree import At

KEY_LENGTH = 255


def read_head(builder: Building, plan: Plan) -> None:
    """The keys of a record that is read."""
    config = builder.sources.config
    if config.key is not None:
        plan.key = _key(builder, "key", config.key, ("key",), plan.scope)
        plan.key.required = True
        plan.key_var = plan.key.var
    for name, text in config.other_keys.items():
        plan.other_keys.append(_key(builder, name, text, ("other_keys", name), plan.scope))
    if config.merged_into is not None:
        plan.other_keys.append(_key(builder, MERGED_INTO, config.merged_into, (MERGED_INTO,), plan.scope))
    for number, text in enumerate(config.group_by):
        builder.expression(text, plan.scope, ("group_by", number))
    if config.group_by:
        builder.say(builder.place(("group_by",)), "'group_by' is not carried out yet")


def _key(builder: Building, name: str, text: str, path: At, scope: Scope) -> Leaf:
    made, mark = builder.expression(text, scope, path), builder.place(path)
    check = Check("text", KEY_LENGTH)
    return Leaf(name, name, builder.unit.name("v"), made, mark, builder.reason(name, mark), check)


def write_head(builder: Building, plan: Plan) -> None:
    """The condition of a record that is written; what cannot be carried out yet is told."""
    config = builder.sources.config
    if config.when is not None:
        plan.when = builder.expression(config.when, plan.scope, ("when",))
        plan.early = len(plan.scope.loads)
    for key in ("with",):
        if key in builder.sources.block:
            builder.say(builder.place((key,)), f"'{key}' at the head of a file is not carried out yet")


def check_actions(builder: Building) -> None:
    """Expressions the engine evaluates beside the mapping; `builder` is one of their own, so that nothing else counts them."""
    config = builder.sources.config
    scope = Scope(builder.unit, "r", "", canonical_names(builder.sources.entity))
    if config.safe_by is not None:
        builder.expression(config.safe_by.lookup, scope, ("safe_by", "lookup"))
    for number, action in enumerate(config.actions):
        at: tuple[Any, ...] = ("actions", number)
        builder.expression(action.when, scope, (*at, "when"))
        if action.done_when is not None:
            builder.expression(action.done_when, scope, (*at, "done_when"))
        for name, text in action.arguments.items():
            builder.expression(text, scope, (*at, "arguments", name))
