"""The current state of partners as a request, as this system sends it to others when one of its partners changes."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from sandbox.core import Transaction
from sandbox.s4hana import tables
from sandbox.s4hana.model import Model
from sandbox.s4hana.soap import fields
from sandbox.s4hana.soap.confirmation import header
from sandbox.s4hana.soap.fields import padded, plant, show
from sandbox.s4hana.soap.tree import Tree
from sandbox.s4hana.tables import Row

COMPLETE = "true"
"""Lists are sent whole, so that a receiver may take away what is not in them."""


def request(model: Model, tx: Transaction, keys: Sequence[str], now: datetime) -> Tree:
    """One message with all the partners; KeyError for a number that is not there."""
    return {
        "MessageHeader": header(now),
        "BusinessPartnerSUITEReplicateRequestMessage": [
            {"MessageHeader": header(now), "BusinessPartner": _Sender(model, tx.db).partner(tx, key)} for key in keys
        ],
    }


class _Sender:
    """Reads partners with what belongs to them."""

    def __init__(self, model: Model, db: sqlite3.Connection) -> None:
        self.model = model
        self.db = db

    def partner(self, tx: Transaction, key: str) -> Tree:
        entity = self.model["A_BusinessPartner"]
        row = tables.get(self.db, entity, tables.parse_key(entity, key))
        if row is None:
            raise KeyError(f"A_BusinessPartner '{key}'")
        node: Tree = {
            "@actionCode": "04",
            "@changeOrdinalNumberValue": str(tx.next_number(f"soap change {row['BusinessPartner']}")),
            "@addressInformationListCompleteTransmissionIndicator": COMPLETE,
            "@roleListCompleteTransmissionIndicator": COMPLETE,
            "@identificationListCompleteTransmissionIndicator": COMPLETE,
            "@taxNumberListCompleteTransmissionIndicator": COMPLETE,
            "UUID": row["BusinessPartnerUUID"],
            "InternalID": padded(entity, "BusinessPartner", row["BusinessPartner"]),
            "CategoryCode": row["BusinessPartnerCategory"],
            "NumberRangeIntervalBusinessPartnerGroupCode": row["BusinessPartnerGrouping"],
            "Common": [self._common(row)],
            "Role": self._list(row, "to_BusinessPartnerRole", fields.ROLE),
            "Identification": self._list(row, "to_BuPaIdentification", fields.IDENTIFICATION),
            "TaxNumber": [_tax(tax) for tax in self._rows(row, "to_BusinessPartnerTax")],
            "AddressInformation": [self._address(a) for a in self._rows(row, "to_BusinessPartnerAddress")],
        }
        if row.get("BusinessPartnerIDByExtSystem"):
            node["ExternalID"] = row["BusinessPartnerIDByExtSystem"]
        if row.get("Customer"):
            node["Customer"] = self._customer(row)
        return node

    def _rows(self, row: Row, navigation: str, entity: str = "A_BusinessPartner") -> list[Row]:
        link = self.model[entity].navigations[navigation]
        return tables.related(self.db, self.model[link.target], link, row)

    def _list(self, row: Row, navigation: str, table: fields.Table, entity: str = "A_BusinessPartner") -> list[Tree]:
        target = self.model[self.model[entity].navigations[navigation].target]
        return [_dated(show(child, table, target)) for child in self._rows(row, navigation, entity)]

    def _common(self, row: Row) -> Tree:
        entity = self.model["A_BusinessPartner"]
        node = show(row, fields.COMMON, entity)
        show(row, fields.BY_CATEGORY.get(row["BusinessPartnerCategory"], {}), entity, node)
        if row["BusinessPartnerCategory"] == "1":
            gender = next((code for code, name in fields.GENDERS.items() if row.get(name)), None)
            if gender is not None:
                plant(node, "Person/GenderCode", gender)
        return node

    def _address(self, row: Row) -> Tree:
        entity = "A_BusinessPartnerAddress"
        node = _dated(show(row, fields.ADDRESS, self.model[entity]))
        postal = show(row, fields.POSTAL, self.model[entity])
        phones = [*self._rows(row, "to_PhoneNumber", entity), *self._rows(row, "to_MobilePhoneNumber", entity)]
        node["UUID"] = row["AddressUUID"]
        node["@addressUsageListCompleteTransmissionIndicator"] = COMPLETE
        node["AddressUsage"] = self._list(row, "to_AddressUsage", fields.USAGE, entity)
        names = ("email", "facsimile", "telephone", "web")
        node["Address"] = {
            **node.get("Address", {}),
            **{f"@{name}ListCompleteTransmissionIndicator": COMPLETE for name in names},
            "PostalAddress": [postal],
            "Email": self._ordered(self._rows(row, "to_EmailAddress", entity), "A_AddressEmailAddress", fields.EMAIL),
            "Telephone": self._telephones(phones),
            "Facsimile": self._ordered(self._rows(row, "to_FaxNumber", entity), "A_AddressFaxNumber", fields.FAX),
            "Web": self._ordered(self._rows(row, "to_URLAddress", entity), "A_AddressHomePageURL", fields.WEB),
        }
        return node

    def _telephones(self, rows: list[Row]) -> list[Tree]:
        entity = self.model["A_AddressPhoneNumber"]
        nodes = []
        for row in _default_first(rows):
            node = show(row, fields.PHONE, entity)
            node["MobilePhoneNumberIndicator"] = str(row.get("PhoneNumberType") == "3").lower()
            nodes.append(node)
        return nodes

    def _ordered(self, rows: list[Row], entity: str, table: fields.Table) -> list[Tree]:
        return [show(row, table, self.model[entity]) for row in _default_first(rows)]

    def _customer(self, row: Row) -> Tree:
        entity = self.model["A_Customer"]
        stored = tables.get(self.db, entity, {"Customer": row["Customer"]}) or {"Customer": row["Customer"]}
        node = show(stored, fields.CUSTOMER, entity)
        names = ("accountingInformation", "salesArrangement", "taxClassification", "taxGrouping")
        node |= {f"@{name}ListCompleteTransmissionIndicator": COMPLETE for name in names}
        node["InternalID"] = padded(entity, "Customer", row["Customer"])
        node["AccountingInformation"] = self._list(stored, "to_CustomerCompany", fields.COMPANY, "A_Customer")
        node["SalesArrangement"] = self._list(stored, "to_CustomerSalesArea", fields.SALES_AREA, "A_Customer")
        node["TaxGrouping"] = self._list(stored, "to_CustomerTaxGrouping", fields.TAX_GROUPING, "A_Customer")
        taxes: dict[tuple[str, str], Tree] = {}
        for area in self._rows(stored, "to_CustomerSalesArea", "A_Customer"):
            for tax in self._list(area, "to_SalesAreaTax", fields.TAX, "A_CustomerSalesArea"):
                taxes.setdefault((tax["TaxCountryCode"], tax["TaxTypeCode"]), tax)
        node["TaxClassification"] = list(taxes.values())
        return node


def _default_first(rows: list[Row]) -> list[Row]:
    flags = ("IsDefaultEmailAddress", "IsDefaultPhoneNumber", "IsDefaultFaxNumber", "IsDefaultURLAddress")
    return sorted(rows, key=lambda row: (not any(row.get(flag) for flag in flags), int(row["OrdinalNumber"])))


def _dated(node: Tree) -> Tree:
    """A period has both dates or is left out."""
    if node.get("ValidityPeriod") and len(node["ValidityPeriod"]) < 2:
        del node["ValidityPeriod"]
    return node


def _tax(row: Row) -> Tree:
    """A tax number; the short field holds the beginning of what only fits into the long one."""
    number, kind = row.get("BPTaxNumber") or row.get("BPTaxLongNumber", ""), row["BPTaxType"]
    return {
        "CountryCode": kind[:2],
        "TaxIdentificationNumberTypeCode": kind[2:],
        "PartyTaxID": number[:20],
        "PartyTaxID@schemeID": kind,
        "LONG_PartyTaxID": number,
        "LONG_PartyTaxID@schemeID": kind,
    }
