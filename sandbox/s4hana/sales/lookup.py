"""Condition records from the store, as the pricing takes them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from sandbox.s4hana import tables
from sandbox.s4hana.filters import bind, expression
from sandbox.s4hana.model import Model
from sandbox.s4hana.sales.pricing import AREA, Condition, Enquiry
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import strip

KEYS = ("Customer", "Material", "CustomerPriceGroup", "PriceListType", *AREA)
RECORD, PERIOD, SCALE = "A_SlsPrcgConditionRecord", "A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale"


@dataclass(slots=True)
class Lookup:
    """Reads what prices stand on; what was read once is kept for as long as this object lives (one request)."""

    db: sqlite3.Connection
    model: Model
    _found: dict[tuple[str, ...], list[Condition]] = field(default_factory=dict)
    _units: dict[str, dict[str, Fraction]] = field(default_factory=dict)
    _areas: dict[tuple[str, ...], Row] = field(default_factory=dict)

    def enquiry(self, wanted: Mapping[str, Any], today: date) -> Enquiry:
        """An enquiry as the control address takes it; raises KeyError for what does not exist."""
        material = self.number("A_Product", "Product", wanted["material"])
        customer = self.number("A_Customer", "Customer", wanted.get("customer", ""))
        product = self._row("A_Product", Product=material)
        area = {
            "SalesOrganization": str(wanted.get("sales_organization", "1010")),
            "DistributionChannel": str(wanted.get("distribution_channel", "10")),
        }
        fields = {**area, "Material": material}
        if customer:
            terms = self._terms(customer, area, str(wanted.get("division", "00")))
            groups = {name: terms.get(name, "") for name in ("CustomerPriceGroup", "PriceListType")}
            fields |= {"Customer": customer, **groups}
        day = date.fromisoformat(wanted["date"]) if wanted.get("date") else today
        unit = str(wanted.get("unit") or product.get("BaseUnit", ""))
        return Enquiry(day, _quantity(wanted), unit, fields, self._conversions(material))

    def number(self, entity: str, name: str, text: str) -> str:
        """A number in external form."""
        return strip(self.model[entity].properties[name], str(text))

    def candidates(self, enquiry: Enquiry) -> list[Condition]:
        """Every condition that names the material, or the customer or its price group without a material."""
        fields = enquiry.fields
        wanted: list[dict[str, str]] = [{"Material": fields["Material"]}]
        if customer := fields.get("Customer"):
            wanted.append({"Material": "", "Customer": customer})
        if group := fields.get("CustomerPriceGroup"):
            wanted.append({"Material": "", "Customer": "", "CustomerPriceGroup": group})
        return [condition for key in wanted for condition in self._periods(key)]

    def _terms(self, customer: str, area: Mapping[str, str], division: str) -> Row:
        key = (customer, *area.values(), division)
        if key not in self._areas:
            self._areas[key] = self._row("A_CustomerSalesArea", Customer=customer, **area, Division=division)
        return self._areas[key]

    def _row(self, entity: str, **key: str) -> Row:
        row = tables.get(self.db, self.model[entity], key)
        if row is None:
            raise KeyError(f"{entity} '{'/'.join(key.values())}'")
        return row

    def _conversions(self, material: str) -> dict[str, Fraction]:
        """How many base units one of each unit of a product is."""
        if material not in self._units:
            rows = self._select("A_ProductUnitsOfMeasure", {"Product": material})
            self._units[material] = {
                row["AlternativeUnit"]: Fraction(row["QuantityNumerator"]) / Fraction(row["QuantityDenominator"])
                for row in rows
            }
        return self._units[material]

    def _periods(self, key: Mapping[str, str]) -> list[Condition]:
        name = tuple(key.values())
        if name not in self._found:
            found = (self._condition(row) for row in self._select(PERIOD, key))
            self._found[name] = [condition for condition in found if condition is not None]
        return self._found[name]

    def _condition(self, period: Row) -> Condition | None:
        """A period with its record; None when the record is deleted or not released."""
        number = period["ConditionRecord"]
        record = tables.get(self.db, self.model[RECORD], {"ConditionRecord": number})
        if record is None or record.get("ConditionIsDeleted") or record.get("ConditionReleaseStatus"):
            return None
        lines = self._select(SCALE, {"ConditionRecord": number}) if record.get("PricingScaleType") else []
        quantity = Decimal(record.get("ConditionQuantity", "0"))
        return Condition(
            record=number,
            type=record["ConditionType"],
            table=record.get("ConditionTable", ""),
            keys={name: period[name] for name in KEYS if period.get(name)},
            rate=Decimal(record.get("ConditionRateValue", "0")),
            unit=record.get("ConditionRateValueUnit", ""),
            per=quantity or Decimal(1),
            per_unit=record.get("ConditionQuantityUnit", ""),
            begins=date.fromisoformat(period["ConditionValidityStartDate"][:10]),
            ends=date.fromisoformat(period["ConditionValidityEndDate"][:10]),
            scales=[
                (Decimal(line.get("ConditionScaleQuantity", "0")), Decimal(line.get("ConditionRateValue", "0")))
                for line in lines
            ],
            scale_unit=lines[0].get("ConditionScaleQuantityUnit", "") if lines else "",
        )

    def _select(self, name: str, key: Mapping[str, str]) -> list[Row]:
        entity = self.model[name]
        props = [entity.properties[field] for field in key]
        where = " AND ".join(f"{expression(prop)} = ?" for prop in props)
        values = [bind(prop, key[prop.name]) for prop in props]
        order = ", ".join(f'"{prop.name}"' for prop in entity.key)
        rows = self.db.execute(f'SELECT data FROM "{name}" WHERE {where} ORDER BY {order}', values).fetchall()
        return [tables.decode(data) for (data,) in rows]


def _quantity(wanted: Mapping[str, Any]) -> Decimal:
    text = str(wanted.get("quantity", "1"))
    try:
        quantity = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"quantity '{text}' is no number") from error
    if not quantity.is_finite() or quantity <= 0:
        raise ValueError(f"quantity must be above 0, not {quantity}")
    return quantity
