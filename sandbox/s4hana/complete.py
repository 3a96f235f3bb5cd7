"""What the system fills in when a record is created: numbers, validity, owners, defaults."""

import uuid
from collections.abc import Callable

from sandbox.s4hana import checks, contacts, derive, tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.payload import Node
from sandbox.s4hana.sales import conditions, products
from sandbox.s4hana.tables import Row

FIRST_PARTNER, FIRST_ADDRESS, FIRST_PERSON = 1_000_000, 20_001, 500_000_000
DEFAULT_FLAGS = {
    "A_AddressEmailAddress": "IsDefaultEmailAddress",
    "A_AddressPhoneNumber": "IsDefaultPhoneNumber",
    "A_AddressFaxNumber": "IsDefaultFaxNumber",
    "A_AddressHomePageURL": "IsDefaultURLAddress",
}
INDEPENDENT = {
    "A_BPAddressIndependentEmail": "IsDefaultEmailAddress",
    "A_BPAddressIndependentMobile": "IsDefaultPhoneNumber",
}
"""What a partner has beside its addresses, all under one address number of its own; with the field of the default."""


def complete(context: Context, node: Node, parent: Node | None) -> None:
    """Fill in what the system knows better than the caller."""
    COMPLETE[node.entity.name](context, node, parent)


def _partner(context: Context, node: Node, _: Node | None) -> None:
    row = node.row
    number = row.get("BusinessPartner")
    grouping = row.setdefault("BusinessPartnerGrouping", "BPEE" if number else "BP02")
    if number and context.strict and grouping in checks.INTERNAL:
        text = f"Grouping '{grouping}' assigns numbers itself, '{number}' cannot be given"
        context.complain("R1/230", text, "BusinessPartner")
    elif not number and grouping in checks.EXTERNAL:
        context.complain("R1/231", f"Grouping '{grouping}' needs a number from outside", "BusinessPartner")
    row["BusinessPartner"] = number or str(context.tx.next_number("partner", FIRST_PARTNER))
    context.born.add(row["BusinessPartner"])
    if row.get("BusinessPartnerCategory") == "1":
        row.setdefault("PersonNumber", str(context.tx.next_number("person", FIRST_PERSON)))
    derive.born(row, context.now, context.user)
    context.stamp(row, node.given)


def _under_partner(context: Context, node: Node, _: Node | None) -> None:
    context.partner(node.row)


def _under_customer(context: Context, node: Node, _: Node | None) -> None:
    number = node.row.get("Customer") or ""
    if not number or context.get("A_Customer", Customer=number) is None:
        context.complain("F2/153", f"Customer '{number}' does not exist", "Customer")


def _under_sales_area(context: Context, node: Node, _: Node | None) -> None:
    names = ("Customer", "SalesOrganization", "DistributionChannel", "Division")
    key = {name: node.row.get(name) or "" for name in names}
    if context.get("A_CustomerSalesArea", **key) is None:
        text = "Sales area {SalesOrganization} {DistributionChannel} {Division} of customer '{Customer}' does not exist"
        context.complain("F2/164", text.format(**key), "SalesOrganization")


def _role(context: Context, node: Node, _: Node | None) -> None:
    context.partner(node.row)
    node.row.setdefault("ValidFrom", context.today())
    node.row.setdefault("ValidTo", derive.FOREVER)


def _address(context: Context, node: Node, _: Node | None) -> None:
    row = node.row
    owner = context.partner(row)
    if context.strict or not row.get("AddressID"):
        row["AddressID"] = str(context.tx.next_number("address", FIRST_ADDRESS))
    row.setdefault("AddressUUID", str(uuid.uuid4()))
    row.setdefault("ValidityStartDate", context.today())
    row.setdefault("ValidityEndDate", derive.FOREVER)
    row["FullName"] = owner.get("BusinessPartnerName", "")[:80]
    row["Person"] = owner.get("PersonNumber", "")


def _usage(context: Context, node: Node, parent: Node | None) -> None:
    context.partner(node.row)
    source = parent.row if parent else {}
    node.row.setdefault("ValidityStartDate", source.get("ValidityStartDate", context.today()))
    node.row.setdefault("ValidityEndDate", source.get("ValidityEndDate", derive.FOREVER))


def _communication(context: Context, node: Node, parent: Node | None) -> None:
    """E-mail, telephone, fax and web of an address: the person's number, the next ordinal, the first one is the default."""
    row, entity = node.row, node.entity
    number = row.get("AddressID") or ""
    address = parent.row if parent else address_of(context, number)
    if address is None:
        context.complain("AM/115", f"Address '{number}' does not exist", "AddressID")
        return
    row.setdefault("Person", address.get("Person", ""))
    owner = {"AddressID": number, "Person": row["Person"]}
    row["OrdinalNumber"] = row.get("OrdinalNumber") or str(context.next_part(entity, owner, "OrdinalNumber"))
    row.setdefault(DEFAULT_FLAGS[entity.name], context.count(entity, owner) == 0)
    if entity.name == "A_AddressHomePageURL":
        row.setdefault("ValidityStartDate", "0001-01-01T00:00:00")
    if entity.name == "A_AddressPhoneNumber":
        row.setdefault("PhoneNumberType", "3" if node.via == "to_MobilePhoneNumber" else "1")


def _independent(context: Context, node: Node, _: Node | None) -> None:
    """E-mail and mobile of the partner itself: one address number for all of them, given with the first."""
    row, entity = node.row, node.entity
    person = context.partner(row).get("PersonNumber", "")
    partner = {"BusinessPartner": row.get("BusinessPartner") or ""}
    others = [other for name in INDEPENDENT for other in context.find(context.model[name], partner)]
    number = others[0]["AddressID"] if others else str(context.tx.next_number("address", FIRST_ADDRESS))
    owner = {**partner, "AddressID": number, "Person": person}
    row.update(owner)
    row["OrdinalNumber"] = row.get("OrdinalNumber") or str(context.next_part(entity, owner, "OrdinalNumber"))
    row.setdefault(INDEPENDENT[entity.name], context.count(entity, owner) == 0)


def address_of(context: Context, number: str) -> Row | None:
    """The address of a number, whatever its partner."""
    found = context.find(context.model["A_BusinessPartnerAddress"], {"AddressID": number})
    return found[0] if found else None


def _bank(context: Context, node: Node, _: Node | None) -> None:
    context.partner(node.row)
    number = node.row.get("BusinessPartner") or ""
    following = context.next_part(node.entity, {"BusinessPartner": number}, "BankIdentification")
    node.row.setdefault("BankIdentification", f"{following:04d}")


def _customer(context: Context, node: Node, parent: Node | None) -> None:
    """A customer takes its partner's number and name, and its partner remembers it: that moves the partner's stamp."""
    row = node.row
    if parent is None:
        context.complain("F2/001", "A customer is created with its business partner only", "Customer")
        return
    owner = parent.row
    row["Customer"] = row.get("Customer") or owner["BusinessPartner"]
    derive.customer(row, owner, context.now, context.user)
    if owner.get("Customer") == row["Customer"]:
        return
    owner["Customer"] = row["Customer"]
    if owner["BusinessPartner"] not in context.born:
        context.stamp(owner, {})
        context.tx.log("A_BusinessPartner", owner["BusinessPartner"], "updated", {"Customer": row["Customer"]})
    tables.put_many(context.tx.db, context.model["A_BusinessPartner"], [owner], replace=True)


COMPLETE: dict[str, Callable[[Context, Node, Node | None], None]] = {
    "A_BusinessPartner": _partner,
    "A_BusinessPartnerAddress": _address,
    "A_BusinessPartnerRole": _role,
    "A_BuPaAddressUsage": _usage,
    "A_BusinessPartnerContact": contacts.contact,
    "A_BPContactToAddress": contacts.workplace,
    "A_BPContactToFuncAndDept": contacts.function,
    "A_BusinessPartnerBank": _bank,
    "A_Customer": _customer,
    "A_CustomerSalesArea": _under_customer,
    "A_CustomerSalesAreaTax": _under_sales_area,
    "A_CustomerCompany": _under_customer,
    "A_CustomerTaxGrouping": _under_customer,
    "A_BusinessPartnerTaxNumber": _under_partner,
    "A_BuPaIdentification": _under_partner,
    **dict.fromkeys(DEFAULT_FLAGS, _communication),
    **dict.fromkeys(INDEPENDENT, _independent),
    **products.COMPLETE,
    **conditions.COMPLETE,
}
