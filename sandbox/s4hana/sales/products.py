"""Products and customer materials: what the system fills in, and what it refuses."""

import re
from collections.abc import Callable, Iterator

from sandbox.s4hana import tables
from sandbox.s4hana.context import Context
from sandbox.s4hana.errors import Message
from sandbox.s4hana.payload import Node
from sandbox.s4hana.sales import stamps
from sandbox.s4hana.tables import Row

FIRST_PRODUCT = 900_001
TYPES = frozenset({"FERT", "HALB", "HAWA", "ERSA", "ROH", "VERP", "DIEN", "SERV", "KMAT", "NLAG"})
UNITS = frozenset({"EA", "PC", "H", "M", "KG", "G", "L", "M2", "M3", "DAY", "CS", "CT", "PAL", "ROL", "BT", "TO", "MM"})
PLANTS = frozenset({"1010", "1710"})
CHILDREN = {
    "A_Product": (
        "to_Description", "to_ProductBasicText", "to_ProductSales", "to_ProductSalesTax", "to_SalesDelivery", "to_Plant",
        "to_ProductUnitsOfMeasure",
    ),
    "A_ProductUnitsOfMeasure": ("to_InternationalArticleNumber",),
}  # fmt: skip
REPEATABLE = ("A_ProductSalesTax",)
"""Sets that are all key: a deep insert may name one record several times, once for each sales area."""


def _product(context: Context, node: Node, _: Node | None) -> None:
    row = node.row
    row["Product"] = row.get("Product") or str(context.tx.next_number("product", FIRST_PRODUCT))
    row["CreationDate"] = context.today()
    row["CreatedByUser"] = context.user
    stamps.stamp(context, "A_Product", row, node.given)
    units = node.children.setdefault("to_ProductUnitsOfMeasure", [])
    base = row.get("BaseUnit")
    if base and not any(unit.row.get("AlternativeUnit") == base for unit in units):
        fields = {"AlternativeUnit": base, "QuantityNumerator": "1", "QuantityDenominator": "1"}
        units.append(Node(context.model["A_ProductUnitsOfMeasure"], fields, dict(fields)))


def _under_product(context: Context, node: Node, parent: Node | None) -> None:
    """What belongs to a product: the product must be there, and its base unit is shown."""
    row = node.row
    owner = parent.row if parent and parent.entity.name == "A_Product" else _existing(context, row, "Product")
    if "BaseUnit" in node.entity.properties and owner.get("BaseUnit"):
        row["BaseUnit"] = owner["BaseUnit"]
    if parent is None and owner:
        stamps.touch_owner(context, node.entity.name, row)


def _existing(context: Context, row: Row, field: str) -> Row:
    number = row.get(field) or ""
    found = context.get("A_Product", Product=number) if number else None
    if found is None:
        context.complain("M3/305", f"Material '{number}' does not exist", field)
    return found or {}


def _customer_material(context: Context, node: Node, _: Node | None) -> None:
    row = node.row
    product = _existing(context, row, "Material")
    number = row.get("Customer") or ""
    if not number or context.get("A_Customer", Customer=number) is None:
        context.complain("F2/153", f"Customer '{number}' does not exist", "Customer")
    if product.get("BaseUnit"):
        row["BaseUnit"] = product["BaseUnit"]
    stamps.stamp(context, "A_CustomerMaterial", row, node.given)


def _stock(context: Context, node: Node, _: Node | None) -> None:
    """A user posts stock; what of the key stays open is empty."""
    unit = _existing(context, node.row, "Material").get("BaseUnit", "")
    node.row["MaterialBaseUnit"] = unit
    for prop in node.entity.key:
        if node.row.get(prop.name) is None and prop.name != "Material":
            node.row[prop.name] = "0" if prop.digits else ""
    node.row["InventoryStockType"] = node.row.get("InventoryStockType") or "01"
    if not context.found:
        material = {"Material": node.row["Material"], "MaterialBaseUnit": unit}
        tables.put_many(context.tx.db, context.model["A_MaterialStock"], [material], replace=True)


def _plain(_: Context, __: Node, ___: Node | None) -> None:
    """Nothing is filled in."""


COMPLETE: dict[str, Callable[[Context, Node, Node | None], None]] = {
    "A_Product": _product,
    **{name: _under_product for name, owner in stamps.OWNERS.items() if owner[0] == "A_Product"},
    "A_CustomerMaterial": _customer_material,
    "A_MatlStkInAcctMod": _stock,
    "A_MaterialStock": _plain,
}


def _check_product(row: Row) -> Iterator[Message]:
    if row.get("ProductType", "") not in TYPES:
        yield Message("M3/001", f"Material type '{row.get('ProductType', '')}' is not defined", "ProductType")
    yield from _unit(row, "BaseUnit", required=True)
    yield from _unit(row, "WeightUnit")


def _unit(row: Row, field: str, *, required: bool = False) -> Iterator[Message]:
    unit = row.get(field, "")
    if (unit or required) and unit not in UNITS:
        yield Message("M3/026", f"Unit of measure '{unit}' is not defined", field)


def _check_text(row: Row) -> Iterator[Message]:
    if not re.fullmatch("[A-Z]{2}", row["Language"]):
        yield Message("M3/109", f"Language '{row['Language']}' is not defined", "Language")


def _check_area(row: Row) -> Iterator[Message]:
    area = f"{row['ProductSalesOrg']} {row['ProductDistributionChnl']}"
    if not re.fullmatch(r"[0-8]\d{3} \d\d", area):
        yield Message(
            "M3/136", f"Sales organization and distribution channel {area} are not defined", "ProductSalesOrg"
        )
    yield from _unit(row, "SalesMeasureUnit")


def _check_plant(row: Row) -> Iterator[Message]:
    if row["Plant"] not in PLANTS:
        yield Message("M3/190", f"Plant '{row['Plant']}' is not defined", "Plant")


def _check_unit(row: Row) -> Iterator[Message]:
    yield from _unit(row, "AlternativeUnit", required=True)
    for field in ("QuantityNumerator", "QuantityDenominator"):
        if not row.get(field) or row[field].strip("0.") == "":
            yield Message("M3/354", f"Enter a value above 0 for '{field}'", field)


CHECKS: dict[str, Callable[[Row], Iterator[Message]]] = {
    "A_Product": _check_product,
    "A_ProductDescription": _check_text,
    "A_ProductBasicText": _check_text,
    "A_ProductSalesDelivery": _check_area,
    "A_ProductPlant": _check_plant,
    "A_ProductUnitsOfMeasure": _check_unit,
}
