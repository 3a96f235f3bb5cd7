"""Contact persons: a relationship of a company and a person with its dates, workplace addresses and function.

A contact has no change stamp of its own and moves nobody else's. Its workplace address shows the fields of one of the
company's addresses and follows it; telephone and e-mail of the workplace are the person's at that address.
"""

import sqlite3

from sandbox.s4hana import tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.model import Entity, Model
from sandbox.s4hana.payload import Node
from sandbox.s4hana.tables import Row

CATEGORY = "BUR001"
ROLE = "BUP001"
FOREVER = "9999-12-31T00:00:00"
KEY = ("RelationshipNumber", "BusinessPartnerCompany", "BusinessPartnerPerson", "ValidityEndDate")


def contact(context: Context, node: Node, _: Node | None) -> None:
    """Number, dates and kind of a relationship; refuses unknown or unfit partners, and a second one at the same time."""
    row = node.row
    company = context.partner(row, "BusinessPartnerCompany")
    person = context.partner(row, "BusinessPartnerPerson")
    row["RelationshipNumber"] = row.get("RelationshipNumber") or str(context.tx.next_number("relationship"))
    row["ValidityStartDate"] = row.get("ValidityStartDate") or context.today()
    row["ValidityEndDate"] = row.get("ValidityEndDate") or FOREVER
    row["RelationshipCategory"] = row.get("RelationshipCategory") or CATEGORY
    if not company or not person:
        return
    if person.get("BusinessPartnerCategory") != "1":
        text = f"Business partner '{person['BusinessPartner']}' is not a person"
        context.complain("R1/261", text, "BusinessPartnerPerson")
    if company["BusinessPartner"] == person["BusinessPartner"]:
        context.complain("R1/262", "A business partner cannot be its own contact person", "BusinessPartnerPerson")
    _refuse_second(context, row)


def _refuse_second(context: Context, row: Row) -> None:
    wanted = {name: row[name] for name in ("BusinessPartnerCompany", "BusinessPartnerPerson", "RelationshipCategory")}
    for other in context.find(context.model["A_BusinessPartnerContact"], wanted):
        begin, end = other.get("ValidityStartDate") or "", other["ValidityEndDate"]
        if begin <= row["ValidityEndDate"] and row["ValidityStartDate"] <= end:
            text = (
                f"Relationship {CATEGORY} of business partners '{row['BusinessPartnerCompany']}' and"
                f" '{row['BusinessPartnerPerson']}' already exists in this period"
            )
            context.complain("R1/266", text, "BusinessPartnerPerson")
            return


def workplace(context: Context, node: Node, _: Node | None) -> None:
    """The fields of a workplace address: those of the company's address it names."""
    row = node.row
    if not _has_contact(context, row):
        return
    key = {"BusinessPartner": row["BusinessPartnerCompany"], "AddressID": row.get("AddressID") or ""}
    address = context.get("A_BusinessPartnerAddress", **key)
    if address is None:
        text = f"Address '{key['AddressID']}' of business partner '{key['BusinessPartner']}' does not exist"
        context.complain("AM/115", text, "AddressID")
        return
    person = context.get("A_BusinessPartner", BusinessPartner=row["BusinessPartnerPerson"]) or {}
    _show(context.model, row, address, person.get("PersonNumber", ""))


def function(context: Context, node: Node, parent: Node | None) -> None:
    """Function and department of a contact."""
    if _has_contact(context, node.row):
        node.row.setdefault("RelationshipCategory", parent.row["RelationshipCategory"] if parent else CATEGORY)


def _has_contact(context: Context, row: Row) -> bool:
    key = {name: row.get(name) or "" for name in KEY}
    if context.get("A_BusinessPartnerContact", **key) is not None:
        return True
    text = f"Relationship '{key['RelationshipNumber']}' does not exist"
    context.complain("R1/264", text, "RelationshipNumber")
    return False


def _show(model: Model, row: Row, address: Row, person: str) -> None:
    shown = model["A_BusinessPartnerAddress"].properties
    for name, prop in model["A_BPContactToAddress"].properties.items():
        if name in shown and not prop.key and not prop.creatable:
            row[name] = address.get(name, prop.unset)
    row["AddressNumber"], row["Person"] = address["AddressID"], person


def follow(context: Context, address: Row) -> None:
    """Let the workplace addresses show what an address of the company has become."""
    entity = context.model["A_BPContactToAddress"]
    rows = context.find(entity, {"AddressID": address["AddressID"]})
    for row in rows:
        _show(context.model, row, address, row.get("Person", ""))
    tables.put_many(context.tx.db, entity, rows, replace=True)


def after_load(db: sqlite3.Connection, model: Model) -> None:
    """Complete loaded contacts: a function for each, and workplaces, whatever the order company and person came in."""
    functions = model["A_BPContactToFuncAndDept"]
    missing = [
        {**{name: row[name] for name in KEY}, "RelationshipCategory": CATEGORY}
        for row in _all(db, model["A_BusinessPartnerContact"])
        if tables.get(db, functions, row) is None
    ]
    tables.put_many(db, functions, missing, replace=False)
    entity, found = model["A_BPContactToAddress"], []
    for row in _all(db, entity):
        key = {"BusinessPartner": row["BusinessPartnerCompany"], "AddressID": row["AddressID"]}
        address = tables.get(db, model["A_BusinessPartnerAddress"], key)
        person = tables.get(db, model["A_BusinessPartner"], {"BusinessPartner": row["BusinessPartnerPerson"]})
        if address is not None and person is not None:
            _show(model, row, address, person.get("PersonNumber", ""))
            found.append(row)
    tables.put_many(db, entity, found, replace=True)


def _all(db: sqlite3.Connection, entity: Entity) -> list[Row]:
    return [tables.decode(data) for (data,) in db.execute(f'SELECT data FROM "{entity.name}"').fetchall()]
