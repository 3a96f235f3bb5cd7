"""Changing and deleting records."""

from collections.abc import Mapping
from typing import Any

from sandbox.s4hana import checks, contacts, derive, tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.create import mark_of
from sandbox.s4hana.errors import ODataError
from sandbox.s4hana.model import Entity
from sandbox.s4hana.payload import read_fields
from sandbox.s4hana.sales import conditions, products, stamps
from sandbox.s4hana.tables import Row

CHILDREN = {
    "A_BusinessPartner": (
        "to_AddressIndependentEmail",
        "to_AddressIndependentMobile",
        "to_BusinessPartnerAddress",
        "to_BusinessPartnerRole",
        "to_BusinessPartnerTax",
        "to_BuPaIdentification",
        "to_BusinessPartnerBank",
        "to_BusinessPartnerContact",
        "to_Customer",
    ),
    "A_BusinessPartnerAddress": (
        "to_AddressUsage",
        "to_EmailAddress",
        "to_PhoneNumber",
        "to_MobilePhoneNumber",
        "to_FaxNumber",
        "to_URLAddress",
    ),
    "A_BusinessPartnerContact": ("to_ContactAddress", "to_ContactRelationship"),
    "A_BPContactToAddress": (
        "to_EmailAddress",
        "to_PhoneNumber",
        "to_MobilePhoneNumber",
        "to_FaxNumber",
        "to_URLAddress",
    ),
    "A_Customer": ("to_CustomerSalesArea", "to_CustomerCompany", "to_CustomerTaxGrouping"),
    "A_CustomerSalesArea": ("to_SalesAreaTax",),
    **products.CHILDREN,
    **conditions.CHILDREN,
}
"""What goes when its owner goes."""


def change_record(context: Context, entity: Entity, row: Row, content: Any, *, whole: bool = False) -> Row:
    """Change fields of a stored record; `whole`: fields the body does not name are cleared (PUT).

    Only a change of a partner's own fields moves its change stamp: a changed address, e-mail or sales area leaves it
    alone. The stamps of products and condition records move with what belongs to them. A change that changes nothing moves
    none.
    """
    body: Mapping[str, Any] = content if isinstance(content, dict) else {}
    given = read_fields(entity, body, updating=True, strict=context.guarded, found=context.found)
    movable = conditions.MOVABLE.get(entity.name, frozenset())
    for prop in entity.key:
        if prop.name in movable:
            continue
        if prop.name in given and given.pop(prop.name) != row[prop.name]:
            context.complain("R1/200", f"Key '{prop.name}' cannot be changed", prop.name)
    if context.strict:
        context.found += conditions.refusals(entity, row, given)
    if context.found:
        raise ODataError(400, context.found)
    fresh = {**_kept(entity, row), **given} if whole else {**row, **given}
    derive.derive(entity.name, fresh)
    if context.strict:
        context.found += checks.messages(entity.name, fresh)
    checks.unique(context, entity.name, fresh)
    if context.found:
        raise ODataError(400, context.found)
    context.warnings += checks.warnings(entity.name, fresh)
    differs = _differs(entity, row, fresh)
    if differs and entity.name == "A_BusinessPartner":
        context.stamp(fresh, given)
    elif differs:
        conditions.changed(context, entity, row, fresh)
        stamps.stamp(context, entity.name, fresh, given)
    tables.put_many(context.tx.db, entity, [fresh], replace=True)
    if entity.name == "A_BusinessPartnerAddress":
        contacts.follow(context, fresh)
    if differs:
        stamps.touch_owner(context, entity.name, fresh)
    context.tx.log(entity.name, tables.key_text(entity, fresh), "updated", given, mark=mark_of(entity, fresh))
    return fresh


def _kept(entity: Entity, row: Row) -> Row:
    return {
        name: value
        for name, value in row.items()
        if entity.properties[name].key or not entity.properties[name].updatable
    }


def _differs(entity: Entity, before: Row, after: Row) -> bool:
    return any(before.get(name, prop.unset) != after.get(name, prop.unset) for name, prop in entity.properties.items())


def delete_record(context: Context, entity: Entity, row: Row) -> None:
    """Delete a record with everything below it."""
    for name in CHILDREN.get(entity.name, ()):
        navigation = entity.navigations[name]
        # a partner that is no customer has nothing there; the person of an organization's address is empty
        if not row.get(navigation.joins[0][0]):
            continue
        target = context.model[navigation.target]
        for child in tables.related(context.tx.db, target, navigation, row):
            delete_record(context, target, child)
    for name, wanted in _dependents(entity, row):
        for other in context.find(context.model[name], wanted):
            delete_record(context, context.model[name], other)
    tables.remove(context.tx.db, entity, row)
    stamps.touch_owner(context, entity.name, row)
    context.tx.log(entity.name, tables.key_text(entity, row), "deleted")


def _dependents(entity: Entity, row: Row) -> list[tuple[str, Row]]:
    """What refers to a record without being below it: the contacts a person is, the workplaces at an address."""
    if entity.name == "A_BusinessPartner":
        return [("A_BusinessPartnerContact", {"BusinessPartnerPerson": row["BusinessPartner"]})]
    if entity.name == "A_BusinessPartnerAddress":
        return [("A_BPContactToAddress", {"AddressID": row["AddressID"]})]
    return []
