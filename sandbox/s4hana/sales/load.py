"""First data of what is sold, straight into the tables of a new store; no row of the commit log is written."""

import random
from collections.abc import Iterator, Sequence

from sandbox.core import Store
from sandbox.s4hana import tables
from sandbox.s4hana.model import Model
from sandbox.s4hana.sales import tariff
from sandbox.s4hana.sales.catalogue import STOCKED, Product, products
from sandbox.s4hana.sales.tariff import Buyer
from sandbox.s4hana.tables import Row

LOCATIONS = {"1010": ("101A", "101B"), "1710": ("171A", "171B")}
OPEN = {"Supplier": "", "Customer": "", "WBSElementInternalID": "0", "SDDocument": "", "SDDocumentItem": "0"}
SETS = (
    "A_Product", "A_SlsPrcgConditionRecord", "A_SlsPrcgCndnRecdValidity", "A_CustomerMaterial",
)  # fmt: skip
"""Sets that get indexes after the load."""


def load_catalogue(store: Store, model: Model, seed: int, *, products: int, conditions: int) -> None:
    """Generate products with units and texts, their prices, stock, and customers' own numbers for them."""
    if products:
        _load(store, model, seed, (products, conditions))
    store.script(tables.index_schema({name: model[name] for name in SETS}))
    store.set_meta("catalogue", f"{products} {conditions}")


def _load(store: Store, model: Model, seed: int, counts: tuple[int, int]) -> None:
    catalogue = list(products(seed, counts[0]))
    buyers = _buyers(store)
    made = tariff.records(seed, catalogue, buyers, counts[1])
    rows: dict[str, list[Row]] = {}
    for product in catalogue:
        for name, found in product.rows.items():
            rows.setdefault(name, []).extend(found)
    rows["A_MatlStkInAcctMod"] = list(_stock(seed, catalogue))
    units = {product.number: product.kind.unit for product in catalogue}
    stocked = dict.fromkeys(row["Material"] for row in rows["A_MatlStkInAcctMod"])
    rows["A_MaterialStock"] = [{"Material": number, "MaterialBaseUnit": units[number]} for number in stocked]
    rows["A_CustomerMaterial"] = list(_customer_materials(seed, catalogue, buyers))
    rows["A_SlsPrcgConditionRecord"] = made.record
    rows["A_SlsPrcgCndnRecdValidity"] = made.period
    rows["A_SlsPrcgCndnRecordScale"] = made.scale
    with store.write("load", "load") as tx:
        for name, found in rows.items():
            tables.put_new(tx.db, model[name], found)
        tx.db.execute("INSERT OR REPLACE INTO number_range VALUES ('condition', ?)", (max(len(made.record), 10_000),))


def _buyers(store: Store) -> list[Buyer]:
    """Customers by their sales areas of channel 10."""
    sql = (
        'SELECT data FROM "A_CustomerSalesArea" WHERE "DistributionChannel" = \'10\''
        ' ORDER BY "Customer", "SalesOrganization", "Division"'
    )
    with store.read() as db:
        found = [tables.decode(data) for (data,) in db.execute(sql)]
    return [Buyer(row["Customer"], row["SalesOrganization"]) for row in found]


def _stock(seed: int, catalogue: Sequence[Product]) -> Iterator[Row]:
    """Stock of what is kept in stock; some of it is blocked, some belongs to a sales order, some places are empty."""
    source = random.Random(f"stock {seed}")
    roll = source.random
    for product in (p for p in catalogue if p.kind.type in STOCKED and p.kind.category != "LUMF"):
        for _, _, plant, *_ in product.areas:
            for place in LOCATIONS[plant][: 1 + (roll() < 0.3)]:
                yield _amount(product, plant, place, roll())
                if roll() < 0.06:
                    yield _amount(product, plant, place, roll(), InventoryStockType="07")
                if roll() < 0.02:
                    order = {"InventorySpecialStockType": "E", "SDDocument": str(1 + int(roll() * 900)),
                             "SDDocumentItem": "10"}  # fmt: skip
                    yield _amount(product, plant, place, roll(), **order)


def _amount(product: Product, plant: str, place: str, share: float, **key: str) -> Row:
    """One line of stock; the quantity is shown without zeros behind the point."""
    quantity = "0" if share < 0.06 else str(int(share * share * 400) + 1)
    if quantity != "0" and product.kind.unit in ("KG", "M"):
        quantity += ".5"
    return {
        "Material": product.number, "Plant": plant, "StorageLocation": place,
        "Batch": "0000000001" if product.kind.unit == "KG" else "", **OPEN, "InventorySpecialStockType": "",
        "InventoryStockType": "01", **key, "MaterialBaseUnit": product.kind.unit,
        "MatlWrhsStkQtyInMatlBaseUnit": quantity,
    }  # fmt: skip


def _customer_materials(seed: int, catalogue: Sequence[Product], buyers: Sequence[Buyer]) -> Iterator[Row]:
    """One for ten products, by customers who buy in the product's sales organization."""
    source = random.Random(f"customer materials {seed}")
    for index, product in enumerate(catalogue[::10]):
        organization = product.areas[0][0]
        fitting = (
            [b for b in (source.choice(buyers) for _ in range(5)) if b.organization == organization] if buyers else []
        )
        if fitting:
            yield {
                "SalesOrganization": organization, "DistributionChannel": "10", "Customer": fitting[0].number,
                "Material": product.number, "MaterialByCustomer": f"{4711 + index}-{product.kind.prefix}",
                "MaterialDescriptionByCustomer": product.rows["A_ProductDescription"][0]["ProductDescription"],
                "BaseUnit": product.kind.unit, "ETag": f"{index + 1:010d}",
            }  # fmt: skip
