"""First data: nested partners, as generator and demonstration data yield them, straight into the tables."""

import uuid
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from sandbox.core import Store, Transaction
from sandbox.s4hana import complete, contacts, derive, tables
from sandbox.s4hana.model import Entity, Model
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import parse_moment, parse_time, strip

BLOCK = 2000
RANGES = (
    ("partner", "BusinessPartner"),
    ("address", "AddressID"),
    ("person", "PersonNumber"),
    ("relationship", "RelationshipNumber"),
)
"""Number ranges and the fields whose highest value they begin behind."""
NAMESPACE = uuid.UUID("6f2f7d2e-2f0a-4a51-9a39-0c5b8c3c1a77")
CONVERT: dict[str, Callable[[str], str]] = {
    "DateTime": parse_moment,
    "DateTimeOffset": parse_moment,
    "Time": parse_time,
}


class Loader:
    """Fills an empty store; no row of the commit log is written, because no client did this."""

    def __init__(self, model: Model, store: Store) -> None:
        self.model = model
        self.store = store
        self.highest = {"partner": 0, "address": 0, "person": 0, "relationship": 0}
        self._convert = {
            name: [(p.name, CONVERT[p.type]) for p in entity.properties.values() if p.type in CONVERT]
            for name, entity in model.items()
        }
        self._alpha = {name: [p for p in entity.properties.values() if p.alpha] for name, entity in model.items()}

    def load(self, partners: Iterable[dict[str, Any]]) -> int:
        """Store all partners; answers how many. Unknown fields and navigations are left out."""
        number = 0
        source = iter(partners)
        while block := list(islice(source, BLOCK)):
            rows: dict[str, list[Row]] = {name: [] for name in self.model}
            for partner in block:
                self._flatten(self.model["A_BusinessPartner"], partner, {}, rows)
            with self.store.write("load", "load") as tx:
                for name, found in rows.items():
                    tables.put_many(tx.db, self.model[name], found, replace=True)
            number += len(block)
        self.store.script(tables.index_schema(self.model))
        with self.store.write("load", "load") as tx:
            self._ranges(tx)
            contacts.after_load(tx.db, self.model)
        return number

    def _ranges(self, tx: Transaction) -> None:
        """Let the number ranges begin behind what is there."""
        firsts = {"partner": complete.FIRST_PARTNER, "address": complete.FIRST_ADDRESS, "person": complete.FIRST_PERSON}
        for name, highest in self.highest.items():
            last = max(highest, firsts.get(name, 1) - 1)
            tx.db.execute("INSERT OR REPLACE INTO number_range VALUES (?, ?)", (name, last))

    def _flatten(self, entity: Entity, record: dict[str, Any], parent: Row, rows: dict[str, list[Row]]) -> None:
        properties, navigations = entity.properties, entity.navigations
        row = {name: value for name, value in record.items() if name in properties and value is not None}
        for name, form in self._convert[entity.name]:
            if row.get(name):
                row[name] = form(row[name])
            else:
                row.pop(name, None)
        for prop in self._alpha[entity.name]:
            if prop.name in row:
                row[prop.name] = strip(prop, row[prop.name])
        self._fill(entity, row, parent)
        rows[entity.name].append(row)
        for name in navigations.keys() & record.keys():
            value = record[name]
            for child in value if isinstance(value, list) else [value] if value else []:
                keys = {theirs: row[own] for own, theirs in navigations[name].joins if row.get(own)}
                self._flatten(self.model[navigations[name].target], {**child, **keys}, row, rows)

    def _fill(self, entity: Entity, row: Row, parent: Row) -> None:
        name = entity.name
        if name == "A_BusinessPartner":
            self._partner(row)
        elif name == "A_BusinessPartnerAddress":
            self._address(row, parent)
        elif name == "A_Customer":
            derive.customer(row, parent, None, "SANDBOX")
        elif name in complete.DEFAULT_FLAGS:
            row.setdefault("Person", parent.get("Person", ""))
            row.setdefault("OrdinalNumber", "1")
            row.setdefault(complete.DEFAULT_FLAGS[name], row["OrdinalNumber"] == "1")
            if name == "A_AddressHomePageURL":
                row.setdefault("ValidityStartDate", "0001-01-01T00:00:00")
            derive.derive(name, row)
        elif name in complete.INDEPENDENT:
            self._independent(name, row, parent)
        elif name == "A_BusinessPartnerContact":
            self._contact(row)
        elif name == "A_BuPaAddressUsage":
            row.setdefault("ValidityEndDate", derive.FOREVER)
        self._note(row)

    def _partner(self, row: Row) -> None:
        derive.partner(row)
        if "BusinessPartnerUUID" not in row:
            row["BusinessPartnerUUID"] = str(uuid.uuid5(NAMESPACE, row["BusinessPartner"]))
        row.setdefault("CreationDate", "2024-01-01T00:00:00")
        row.setdefault("CreationTime", "00:00:00")
        row.setdefault("LastChangeDate", row["CreationDate"])
        row.setdefault("LastChangeTime", row["CreationTime"])
        digits = (row["LastChangeDate"][:10] + row["LastChangeTime"]).replace("-", "").replace(":", "")
        row["ETag"] = f"{digits}.{0:011d}"

    def _address(self, row: Row, parent: Row) -> None:
        if "AddressID" not in row:
            self.highest["address"] = max(self.highest["address"] + 1, complete.FIRST_ADDRESS)
            row["AddressID"] = str(self.highest["address"])
        if "AddressUUID" not in row:
            row["AddressUUID"] = str(uuid.uuid5(NAMESPACE, f"address {row['AddressID']}"))
        row.setdefault("FullName", parent.get("BusinessPartnerName", "")[:80])
        row.setdefault("Person", parent.get("PersonNumber", ""))

    def _independent(self, name: str, row: Row, parent: Row) -> None:
        if "AddressID" not in row:
            self.highest["address"] = max(self.highest["address"] + 1, complete.FIRST_ADDRESS)
            row["AddressID"] = str(self.highest["address"])
        row.setdefault("Person", parent.get("PersonNumber", ""))
        row.setdefault("OrdinalNumber", "1")
        row.setdefault(complete.INDEPENDENT[name], row["OrdinalNumber"] == "1")
        derive.derive(name, row)

    def _contact(self, row: Row) -> None:
        if "RelationshipNumber" not in row:
            self.highest["relationship"] += 1
            row["RelationshipNumber"] = str(self.highest["relationship"])
        row.setdefault("ValidityStartDate", "2024-01-01T00:00:00")
        row.setdefault("ValidityEndDate", contacts.FOREVER)
        row.setdefault("RelationshipCategory", contacts.CATEGORY)

    def _note(self, row: Row) -> None:
        """Remember the highest numbers seen, for the ranges."""
        for name, field in RANGES:
            value = row.get(field, "")
            if value.isdigit() and int(value) > self.highest[name]:
                self.highest[name] = int(value)
