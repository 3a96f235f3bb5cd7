"""Change stamps of products and condition records, which changes of what belongs to them move as well."""

from sandbox.s4hana import tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.tables import Row

OWNERS = {
    **dict.fromkeys(
        (
            "A_ProductDescription", "A_ProductBasicText", "A_ProductSales", "A_ProductSalesDelivery", "A_ProductSalesTax",
            "A_ProductPlant", "A_ProductUnitsOfMeasure", "A_ProductUnitsOfMeasureEAN",
        ),
        ("A_Product", "Product"),
    ),
    **dict.fromkeys(
        ("A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale"), ("A_SlsPrcgConditionRecord", "ConditionRecord")
    ),
}  # fmt: skip
"""The set whose stamp a change of a record moves, and the field that names its record."""
STAMPED = ("A_Product", "A_SlsPrcgConditionRecord")
TAGGED = ("A_SlsPrcgConditionRecord", "A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale", "A_CustomerMaterial")
"""Sets with an ETag field of their own."""
GIVEN = ("LastChangeDateTime", "LastChangeDate", "LastChangedByUser")


def instant(context: Context) -> str:
    """Now, with seven decimals of a second; the last one keeps two changes of one microsecond apart."""
    now, number = context.now, context.tx.next_number("etag")
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}{number % 10}"


def stamp(context: Context, entity: str, row: Row, given: Row) -> None:
    """Move a record's own stamp and ETag; a user at the control address may name another stamp (`given`)."""
    moment = instant(context)
    if entity in STAMPED:
        row["LastChangeDateTime"] = moment
    if entity == "A_Product":
        row["LastChangeDate"] = context.today()
        row["LastChangedByUser"] = context.user
    if entity in TAGGED:
        short = entity == "A_CustomerMaterial"
        row["ETag"] = f"{context.tx.next_number('etag'):010d}"[-10:] if short else moment
    row.update({name: given[name] for name in GIVEN if name in given and name in row and not context.strict})


def touch_owner(context: Context, entity: str, row: Row) -> None:
    """Move the stamp of the record that this one belongs to, if it has one; not logged, for nobody wrote it."""
    if entity not in OWNERS:
        return
    name, field = OWNERS[entity]
    owner = context.get(name, **{field: row[field]})
    if owner is None:
        return
    stamp(context, name, owner, {})
    if entity == "A_SlsPrcgCndnRecdValidity":
        span(context, owner)
    tables.put_many(context.tx.db, context.model[name], [owner], replace=True)


def span(context: Context, record: Row) -> None:
    """Let a condition record show from when to when its periods reach."""
    number = {"ConditionRecord": record["ConditionRecord"]}
    periods = context.find(context.model["A_SlsPrcgCndnRecdValidity"], number)
    if periods:
        record["ConditionValidityStartDate"] = min(p["ConditionValidityStartDate"] for p in periods)
        record["ConditionValidityEndDate"] = max(p["ConditionValidityEndDate"] for p in periods)
