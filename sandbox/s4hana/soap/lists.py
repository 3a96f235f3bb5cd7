"""Child records after a message: saved, created or deleted as action codes and list indicators say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.s4hana.change import change_record, delete_record
from sandbox.s4hana.context import Context
from sandbox.s4hana.create import create_record
from sandbox.s4hana.errors import ODataError
from sandbox.s4hana.model import Entity
from sandbox.s4hana.payload import read_fields
from sandbox.s4hana.soap.partner import GONE
from sandbox.s4hana.tables import Row, key_text


@dataclass(frozen=True, slots=True)
class Wanted:
    """One element of a list: its action code, its body, and the stored record it means, None for a new one."""

    action: str
    body: dict[str, Any]
    row: Row | None = None


def save(context: Context, entity: Entity, row: Row, body: dict[str, Any]) -> Row:
    """Change the fields that differ; a record that is as the message says is not touched."""
    plain = {name: value for name, value in body.items() if name in entity.properties}
    given = read_fields(entity, plain, updating=False, strict=False, found=context.found)
    fresh = {
        name: value
        for name, value in given.items()
        if value != row.get(name, entity.properties[name].unset) and not entity.properties[name].key
    }
    return change_record(context, entity, row, fresh) if fresh or context.found else row


def settle(
    context: Context, entity: Entity, parent: Row, wanted: Sequence[Wanted], *, leftover: Iterable[Row] = ()
) -> list[Row]:
    """Bring child records to what is wanted and delete the `leftover`; answers those that stay, in the order wanted.

    `parent` holds the key fields that come from the owner.
    """
    kept: list[Row] = []
    for item in wanted:
        _check(context, entity, item)
    if context.found:
        raise ODataError(400, context.found)
    for item in wanted:
        if item.action in GONE:
            if item.row is not None:
                delete_record(context, entity, item.row)
        elif item.row is not None:
            kept.append(item.row if item.action == "06" else save(context, entity, item.row, item.body))
        elif item.action != "06":
            kept.append(create_record(context, entity, item.body, parent).row)
    for row in leftover:
        delete_record(context, entity, row)
    return kept


def _check(context: Context, entity: Entity, item: Wanted) -> None:
    if item.action == "01" and item.row is not None:
        text = f"{entity.name} '{key_text(entity, item.row)}' already exists"
        context.complain("R1/152", text, entity.key[-1].name)
    elif item.action in ("02", "03") and item.row is None:
        context.complain("R1/153", f"{entity.name} to be changed or deleted does not exist", entity.key[-1].name)


def keyed(entity: Entity, existing: Sequence[Row], items: Iterable[tuple[str, dict[str, Any]]]) -> list[Wanted]:
    """Elements joined with the stored records of the same key; `existing` are those of the owner."""
    found = []
    for action, body in items:
        own = {name: value for name, value in body.items() if name in entity.properties and entity.properties[name].key}
        key = read_fields(entity, own, updating=False, strict=False, found=[])
        row = next((r for r in existing if all(r.get(name) == value for name, value in key.items())), None)
        found.append(Wanted(action, body, row))
    return found


def by_value(
    existing: Sequence[Row], items: Iterable[tuple[str, dict[str, Any]]], names: Sequence[str], *, complete: bool
) -> tuple[list[Wanted], list[Row]]:
    """Elements without a key, joined with stored records of the same values; and what is left of those in a complete list.

    In a complete list a new element takes the place of one that is gone, so that its number stays.
    """
    left = list(existing)
    pairs: list[tuple[str, dict[str, Any], Row | None]] = []
    for action, body in items:
        row = next((r for r in left if all(r.get(n, "") == (body.get(n) or "") for n in names)), None)
        if row is not None:
            left.remove(row)
        pairs.append((action, body, row))
    wanted = []
    for action, body, found in pairs:
        row = found
        if row is None and complete and left and action not in GONE:
            row = left.pop(0)
        wanted.append(Wanted(action, body, row))
    return wanted, left if complete else []
