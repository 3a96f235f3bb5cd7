"""Periods of condition records: of one access key, a day belongs to one record only, the newest that claims it."""

from datetime import date, timedelta

from sandbox.s4hana import tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.sales import stamps
from sandbox.s4hana.tables import Row

SET = "A_SlsPrcgCndnRecdValidity"
FOREVER = "9999-12-31T00:00:00"
NARROW = ("ConditionType", "SalesOrganization", "DistributionChannel", "Material", "Customer")
"""Fields of the access key by which others with the same are looked for."""
APART = frozenset(
    {"ConditionRecord", "ConditionValidityEndDate", "ConditionValidityStartDate", "ConditionReleaseStatus", "ETag"}
)
"""What of a period does not belong to its access key."""


def make_room(context: Context, row: Row) -> None:
    """Shorten, split or remove the periods of other records that the days of `row` are taken from."""
    entity = context.model[SET]
    for other in context.find(entity, {name: row.get(name, "") for name in NARROW}):
        if _access(other) != _access(row) or not _overlap(other, row):
            continue
        tables.remove(context.tx.db, entity, other)
        context.tx.log(SET, tables.key_text(entity, other), "deleted")
        for rest in _rests(other, row):
            stamps.stamp(context, SET, rest, {})
            tables.put_many(context.tx.db, entity, [rest], replace=True)
            context.tx.log(SET, tables.key_text(entity, rest), "created", rest)
        stamps.touch_owner(context, SET, other)


def _access(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in APART and value not in ("", "0", None)}


def _overlap(one: Row, other: Row) -> bool:
    begins = max(one["ConditionValidityStartDate"], other["ConditionValidityStartDate"])
    return bool(begins <= min(one["ConditionValidityEndDate"], other["ConditionValidityEndDate"]))


def _rests(old: Row, new: Row) -> list[Row]:
    """What stays of an old period beside a new one: a part before it, a part behind it."""
    rests = []
    if old["ConditionValidityStartDate"] < new["ConditionValidityStartDate"]:
        rests.append({**old, "ConditionValidityEndDate": shifted(new["ConditionValidityStartDate"], -1)})
    if old["ConditionValidityEndDate"] > new["ConditionValidityEndDate"]:
        rests.append({**old, "ConditionValidityStartDate": shifted(new["ConditionValidityEndDate"], 1)})
    return rests


def shifted(day: str, days: int) -> str:
    """A stored date some days later."""
    return f"{date.fromisoformat(day[:10]) + timedelta(days=days)}T00:00:00"
