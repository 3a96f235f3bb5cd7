"""A business partner of a request brought into the system: found, created, changed or taken away."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.s4hana import checks, tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.create import create_record
from sandbox.s4hana.errors import Message, ODataError
from sandbox.s4hana.soap import address, fields, partner
from sandbox.s4hana.soap.lists import keyed, save, settle
from sandbox.s4hana.soap.partner import GONE, action_of, complete, listed
from sandbox.s4hana.soap.tree import Tree
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import strip

SCHEMA = """
CREATE TABLE IF NOT EXISTS soap_ordinal (
    sender TEXT NOT NULL, partner TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (sender, partner)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS soap_key (
    sender TEXT NOT NULL, number TEXT NOT NULL, partner TEXT NOT NULL, PRIMARY KEY (sender, number)) WITHOUT ROWID;
"""
LISTS: tuple[tuple[str, str, str, fields.Table], ...] = (
    ("Role", "role", "A_BusinessPartnerRole", fields.ROLE),
    ("Identification", "identification", "A_BuPaIdentification", fields.IDENTIFICATION),
)
CUSTOMER_LISTS: tuple[tuple[str, str, str, fields.Table], ...] = (
    ("AccountingInformation", "accountingInformation", "A_CustomerCompany", fields.COMPANY),
    ("SalesArrangement", "salesArrangement", "A_CustomerSalesArea", fields.SALES_AREA),
    ("TaxGrouping", "taxGrouping", "A_CustomerTaxGrouping", fields.TAX_GROUPING),
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a partner: the stored row if there is one, and whether the message was overtaken or changed nothing."""

    row: Row | None
    words: Message
    category: str = ""


class Apply:
    """Brings the partners of one sender into the system, inside an open transaction.

    `clear`: a field absent from a node that is sent is cleared, otherwise it is kept.
    """

    def __init__(self, context: Context, sender: str, *, clear: bool) -> None:
        self.context = context
        self.sender = sender
        self.clear = clear
        self.partners = context.model["A_BusinessPartner"]

    def run(self, node: Tree) -> Applied:
        """Do what the action code says; raises ODataError with everything that is wrong."""
        row = self._locate(node)
        late = self._overtaken(node, row)
        if late is not None:
            return late
        action = action_of(node)
        self._check(action, node, row)
        if action == "06" or (action == "05" and row is None):
            return Applied(row, Message("MDG_BS_BP/004", "Business partner was not changed", severity="info"))
        if action in GONE and row is not None:
            fresh, words = (
                save(self.context, self.partners, row, {"IsMarkedForArchiving": True}),
                "marked for archiving",
            )
        elif row is None:
            fresh, words = self._create(node), "created"
        else:
            fresh, words = self._update(row, node), "changed"
        self._remember(node, fresh["BusinessPartner"])
        text = f"Business partner {fresh['BusinessPartner']} was {words}"
        return Applied(fresh, Message("MDG_BS_BP/001", text, severity="info"))

    # finding

    def _locate(self, node: Tree) -> Row | None:
        """By the receiver's own id or number, the shared id, or the sender's number met before: in this order."""
        found = None
        for name in ("ReceiverUUID", "ReceiverInternalID", "UUID", "InternalID"):
            value = node.get(name)
            row = self._by(name, value) if value else None
            if row is not None and found is not None and row["BusinessPartner"] != found["BusinessPartner"]:
                numbers = f"{found['BusinessPartner']} and {row['BusinessPartner']}"
                self.context.complain(
                    "MDG_BS_BP/020", f"The keys of the message mean business partners {numbers}", name
                )
                raise ODataError(400, self.context.found)
            found = found or row
            if row is None and value and name.startswith("Receiver"):
                self.context.complain("R1/120", f"Business partner '{value}' does not exist", name)
                raise ODataError(400, self.context.found)
        return found

    def _by(self, name: str, value: str) -> Row | None:
        if name.endswith("UUID"):
            found = self.context.find(self.partners, {"BusinessPartnerUUID": value.lower()})
            return found[0] if found else None
        number = strip(self.partners.properties["BusinessPartner"], value)
        if name == "InternalID":
            number = self._own_number(number)
        return tables.get(self.context.tx.db, self.partners, {"BusinessPartner": number}) if number else None

    def _own_number(self, number: str) -> str:
        sql = "SELECT partner FROM soap_key WHERE sender = ? AND number = ?"
        found = self.context.tx.db.execute(sql, (self.sender, number)).fetchone()
        return "" if found is None else str(found[0])

    def _overtaken(self, node: Tree, row: Row | None) -> Applied | None:
        given = node.get("@changeOrdinalNumberValue")
        if row is None or not given:
            return None
        sql = "SELECT last FROM soap_ordinal WHERE sender = ? AND partner = ?"
        found = self.context.tx.db.execute(sql, (self.sender, row["BusinessPartner"])).fetchone()
        if found is None or int(given) >= found[0]:
            return None
        text = (
            f"Change {given} of business partner {row['BusinessPartner']} was overtaken by change {found[0]}"
            " and is not processed"
        )
        return Applied(row, Message("MDG_BS_BP/011", text, severity="warning"), "CON.LRC")

    def _check(self, action: str, node: Tree, row: Row | None) -> None:
        if action == "01" and row is not None:
            text = f"Business partner {row['BusinessPartner']} already exists"
            raise ODataError(400, [Message("R1/152", text, "actionCode")])
        if action in ("02", "03") and row is None:
            given = node.get("InternalID") or node.get("UUID") or ""
            raise ODataError(400, [Message("R1/120", f"Business partner '{given}' does not exist", "UUID")])

    def _remember(self, node: Tree, number: str) -> None:
        db: sqlite3.Connection = self.context.tx.db
        if node.get("@changeOrdinalNumberValue"):
            ordinal = int(node["@changeOrdinalNumberValue"])
            db.execute("INSERT OR REPLACE INTO soap_ordinal VALUES (?, ?, ?)", (self.sender, number, ordinal))
        if node.get("InternalID"):
            given = strip(self.partners.properties["BusinessPartner"], node["InternalID"])
            db.execute("INSERT OR REPLACE INTO soap_key VALUES (?, ?, ?)", (self.sender, given, number))

    # creating and changing

    def _create(self, node: Tree) -> Row:
        body = partner.new_partner(self.context.model, node)
        if body.get("BusinessPartnerGrouping") in checks.EXTERNAL and node.get("InternalID"):
            body["BusinessPartner"] = node["InternalID"]
        row = create_record(self.context, self.partners, body).row
        return self.context.get("A_BusinessPartner", BusinessPartner=row["BusinessPartner"]) or row

    def _update(self, row: Row, node: Tree) -> Row:
        model, key = self.context.model, {"BusinessPartner": row["BusinessPartner"]}
        own = partner.own_fields(model, node, row.get("BusinessPartnerCategory", ""), clear=self.clear)
        row = save(self.context, self.partners, row, own)
        for name, flag, entity, table in LISTS:
            self._list(node, name, complete(node, flag), entity, key, self._taker(entity, table))
        self._list(
            node, "TaxNumber", complete(node, "taxNumber"), "A_BusinessPartnerTaxNumber", key, partner.tax_number
        )
        address.settle_addresses(self.context, row, node, clear=self.clear)
        address.settle_own_email(self.context, row, node)
        # a role may have brought a customer
        row = self.context.get("A_BusinessPartner", **key) or row
        if "Customer" in node:
            self._customer(row, node["Customer"])
        return self.context.get("A_BusinessPartner", **key) or row

    def _taker(self, entity: str, table: fields.Table) -> Callable[[Tree], dict[str, Any]]:
        return lambda item: fields.take(item, table, self.context.model[entity], clear=self.clear)

    def _list(
        self, node: Tree, name: str, whole: bool, entity: str, key: Row, take: Callable[[Tree], dict[str, Any]]
    ) -> None:
        """One list of elements with keys of their own."""
        found = self.context.model[entity]
        existing = self.context.find(found, key)
        wanted = keyed(found, existing, [(action_of(item), take(item)) for item in listed(node, name)])
        met = [item.row for item in wanted if item.row is not None]
        settle(self.context, found, key, wanted, leftover=[r for r in existing if r not in met] if whole else ())

    def _customer(self, row: Row, node: Tree) -> None:
        context, model = self.context, self.context.model
        if not row.get("Customer"):
            role = {"BusinessPartnerRole": "FLCU00"}
            create_record(context, model["A_BusinessPartnerRole"], role, {"BusinessPartner": row["BusinessPartner"]})
            row = context.get("A_BusinessPartner", BusinessPartner=row["BusinessPartner"]) or row
        key = {"Customer": row["Customer"]}
        stored = context.get("A_Customer", **key)
        if stored is not None:
            body = fields.take(node, fields.CUSTOMER, model["A_Customer"], clear=self.clear)
            save(context, model["A_Customer"], stored, body)
        for name, flag, entity, table in CUSTOMER_LISTS:
            self._list(node, name, complete(node, flag), entity, key, self._taker(entity, table))
        take = self._taker("A_CustomerSalesAreaTax", fields.TAX)
        for area in context.find(model["A_CustomerSalesArea"], key):
            names = ("Customer", "SalesOrganization", "DistributionChannel", "Division")
            within = {name: area[name] for name in names}
            whole = complete(node, "taxClassification")
            self._list(node, "TaxClassification", whole, "A_CustomerSalesAreaTax", within, take)
