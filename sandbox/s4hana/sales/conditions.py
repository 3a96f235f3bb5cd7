"""Condition records: what the system fills in, what may change, and what a change brings along."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from sandbox.s4hana import tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.errors import Message
from sandbox.s4hana.model import Entity
from sandbox.s4hana.payload import Node
from sandbox.s4hana.sales import periods, stamps
from sandbox.s4hana.sales.currencies import shown
from sandbox.s4hana.tables import Row

RECORD, PERIOD, SCALE = "A_SlsPrcgConditionRecord", "A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale"
FIRST_RECORD = 10_001
CHILDREN = {RECORD: ("to_SlsPrcgCndnRecdValidity", "to_SlsPrcgCndnRecordScale")}
MOVABLE = {PERIOD: frozenset({"ConditionValidityEndDate"})}
"""Fields of a key that may change."""
CHANGEABLE = {
    RECORD: frozenset(
        {"ConditionRateValue", "ConditionExclusion", "AdditionalValueDays", "FixedValueDate", "PaymentTerms",
         "ConditionIsDeleted"}
    ),
    PERIOD: frozenset({"ConditionValidityStartDate", "ConditionValidityEndDate"}),
    SCALE: frozenset({"ConditionScaleQuantity", "ConditionScaleAmount", "ConditionRateValue"}),
}  # fmt: skip
PERCENT = "%"


def refusals(entity: Entity, row: Row, given: Row) -> list[Message]:
    """One message for each field of a condition record that the API does not change."""
    allowed = CHANGEABLE.get(entity.name)
    if allowed is None:
        return []
    fixed = [
        name
        for name, value in given.items()
        if name not in allowed and value != row.get(name, entity.properties[name].unset)
    ]
    text = "'{}' of a condition record cannot be changed: mark the record for deletion and create another one"
    return [Message("VK/031", text.format(name), name) for name in fixed]


def _record(context: Context, node: Node, _: Node | None) -> None:
    row = node.row
    if not node.children.get("to_SlsPrcgCndnRecdValidity"):
        context.complain("VK/026", "A condition record needs a validity period", "to_SlsPrcgCndnRecdValidity")
    number = row.get("ConditionRecord") or str(context.tx.next_number("condition", FIRST_RECORD))
    row["ConditionRecord"] = number.zfill(10) if number.isdigit() else number
    row["ConditionSequentialNumber"] = "1"
    row.setdefault("ConditionApplication", "V")
    row.setdefault("ConditionQuantity", "0" if row.get("ConditionRateValueUnit") == PERCENT else "1")
    row["ConditionCalculationType"] = "A" if row.get("ConditionRateValueUnit") == PERCENT else "C"
    if node.children.get("to_SlsPrcgCndnRecordScale"):
        row["PricingScaleType"] = row.get("PricingScaleType") or "A"
    row["CreationDate"], row["CreatedByUser"] = context.today(), context.user
    rate(row)
    _first_span(context, node)
    stamps.stamp(context, RECORD, row, node.given)


def _first_span(context: Context, node: Node) -> None:
    """Dates of the periods, and of the record that spans them."""
    children = [child.row for child in node.children.get("to_SlsPrcgCndnRecdValidity", ())]
    for child in children:
        child["ConditionValidityStartDate"] = child.get("ConditionValidityStartDate") or context.today()
        child["ConditionValidityEndDate"] = child.get("ConditionValidityEndDate") or periods.FOREVER
    if children:
        node.row["ConditionValidityStartDate"] = min(c["ConditionValidityStartDate"] for c in children)
        node.row["ConditionValidityEndDate"] = max(c["ConditionValidityEndDate"] for c in children)


def rate(row: Row) -> None:
    """A rate in the decimals of its currency, and the same as amount or ratio."""
    value, unit = row.get("ConditionRateValue"), row.get("ConditionRateValueUnit", "")
    if value is None:
        return
    exact = f"{Decimal(value):.9f}"
    if unit == PERCENT:
        row["ConditionRateValue"] = f"{Decimal(value):.3f}"
        row["ConditionRateRatio"], row["ConditionRateRatioUnit"] = exact, PERCENT
    else:
        row["ConditionRateValue"] = shown(Decimal(value), unit)
        row["ConditionRateAmount"], row["ConditionCurrency"] = exact, unit


def _owner(context: Context, node: Node, parent: Node | None) -> Row:
    if parent is not None:
        return parent.row
    number = node.row.get("ConditionRecord") or ""
    found = context.get(RECORD, ConditionRecord=number)
    if found is None:
        context.complain("VK/070", f"Condition record '{number}' does not exist", "ConditionRecord")
    return found or {}


def _period(context: Context, node: Node, parent: Node | None) -> None:
    row, owner = node.row, _owner(context, node, parent)
    if not owner:
        return
    row["ConditionValidityStartDate"] = row.get("ConditionValidityStartDate") or context.today()
    row["ConditionValidityEndDate"] = row.get("ConditionValidityEndDate") or periods.FOREVER
    for name in ("ConditionApplication", "ConditionType", "ConditionReleaseStatus"):
        if owner.get(name):
            row[name] = owner[name]
    periods.make_room(context, row)
    stamps.stamp(context, PERIOD, row, {})
    if parent is None:
        stamps.touch_owner(context, PERIOD, row)


def _scale(context: Context, node: Node, parent: Node | None) -> None:
    row, owner = node.row, _owner(context, node, parent)
    if not owner:
        return
    row["ConditionSequentialNumber"] = "1"
    whole = {name: row[name] for name in ("ConditionRecord", "ConditionSequentialNumber")}
    row["ConditionScaleLine"] = row.get("ConditionScaleLine") or str(
        context.next_part(node.entity, whole, "ConditionScaleLine")
    )
    row.setdefault("ConditionRateValueUnit", owner.get("ConditionRateValueUnit", ""))
    if not row.get("ConditionScaleAmountCurrency"):
        row["ConditionScaleQuantityUnit"] = (
            row.get("ConditionScaleQuantityUnit") or owner.get("ConditionScaleQuantityUnit")
            or owner.get("ConditionQuantityUnit", "")
        )  # fmt: skip
    rate(row)
    stamps.stamp(context, SCALE, row, {})
    if parent is None:
        stamps.touch_owner(context, SCALE, row)


COMPLETE: dict[str, Callable[[Context, Node, Node | None], None]] = {RECORD: _record, PERIOD: _period, SCALE: _scale}


def changed(context: Context, entity: Entity, before: Row, fresh: Row) -> None:
    """What follows from a change that is about to be stored: room for a moved period, rates that go together."""
    if entity.name == PERIOD:
        tables.remove(context.tx.db, entity, before)
        periods.make_room(context, fresh)
    elif entity.name in (RECORD, SCALE) and fresh.get("ConditionRateValue") != before.get("ConditionRateValue"):
        rate(fresh)
        _together(context, entity.name, fresh)


def _together(context: Context, name: str, fresh: Row) -> None:
    """The lowest line of a scale and its record have one rate."""
    wanted = {"ConditionRecord": fresh["ConditionRecord"]}
    lines = context.find(context.model[SCALE], wanted)
    if not lines:
        return
    lowest = min(lines, key=lambda line: Decimal(line.get("ConditionScaleQuantity", "0")))
    other: Row | None = None
    if name == RECORD:
        other = lowest
    elif lowest["ConditionScaleLine"] == fresh["ConditionScaleLine"]:
        other = context.get(RECORD, **wanted)
    if other is None:
        return
    other["ConditionRateValue"] = fresh["ConditionRateValue"]
    rate(other)
    target = SCALE if name == RECORD else RECORD
    stamps.stamp(context, target, other, {})
    tables.put_many(context.tx.db, context.model[target], [other], replace=True)


def _check_record(row: Row) -> Iterator[Message]:
    for name in ("ConditionType", "ConditionTable"):
        if not row.get(name):
            yield Message("VK/012", f"Enter a value for '{name}'", name)
    unit = row.get("ConditionRateValueUnit", "")
    if unit != PERCENT and not re.fullmatch("[A-Z][A-Z0-9]{2,4}", unit):
        yield Message("VK/049", f"Currency '{unit}' is not defined", "ConditionRateValueUnit")
    if unit != PERCENT and not row.get("ConditionQuantityUnit"):
        yield Message("VK/013", "Enter a value for 'ConditionQuantityUnit'", "ConditionQuantityUnit")


def _check_period(row: Row) -> Iterator[Message]:
    if row["ConditionValidityStartDate"] > row["ConditionValidityEndDate"]:
        yield Message("VK/045", "The validity ends before it begins", "ConditionValidityEndDate")


CHECKS: dict[str, Callable[[Row], Iterator[Message]]] = {RECORD: _check_record, PERIOD: _check_period}
