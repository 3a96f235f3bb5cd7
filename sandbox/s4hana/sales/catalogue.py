"""A catalogue of pumps: families with accessories, spare parts, services and sets, drawn from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sandbox.s4hana.tables import Row

AREAS = (("1010", "10", "1010", "DE", "MWST"), ("1710", "10", "1710", "US", "UTXJ"))
"""Sales organization, channel, plant, country and tax category of each of the two sales areas."""
SIZES = ("25-125", "32-160", "40-160", "50-200", "65-200", "80-250", "100-315")
POWERS = ("0.75", "1.5", "2.2", "4.0", "7.5", "11", "15", "22")
FIRST_DAY = datetime(2024, 1, 8, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of product: type, group, base unit, range of list prices, further unit (numerator, denominator), names."""

    prefix: str
    type: str
    group: str
    unit: str
    prices: tuple[int, int]
    other: tuple[str, int, int] | None
    names: tuple[tuple[str, str, str], ...]
    category: str = "NORM"
    weight: tuple[int, int] | None = None


KINDS = (
    Kind("PU", "FERT", "PUMPS", "EA", (380, 14_000), None, (
        ("Centrifugal pump", "Kreiselpumpe", "Pompe centrifuge"),
        ("Submersible pump", "Tauchpumpe", "Pompe submersible"),
        ("Booster pump", "Druckerhöhungspumpe", "Surpresseur"),
        ("Dosing pump", "Dosierpumpe", "Pompe doseuse"),
    ), weight=(9, 420)),
    Kind("AC", "HAWA", "PUMPACC", "PC", (12, 900), None, (
        ("Float switch", "Schwimmerschalter", "Flotteur"),
        ("Pressure gauge", "Manometer", "Manomètre"),
        ("Frequency converter", "Frequenzumrichter", "Variateur"),
        ("Check valve", "Rückschlagklappe", "Clapet anti-retour"),
    ), weight=(1, 25)),
    Kind("HO", "HAWA", "PUMPACC", "M", (4, 60), ("PC", 25, 1), (
        ("Pressure hose", "Druckschlauch", "Tuyau de refoulement"),
        ("Motor cable", "Motorkabel", "Câble moteur"),
    )),
    Kind("SP", "ERSA", "PUMPSPARE", "PC", (3, 700), ("KG", 4, 1), (
        ("Mechanical seal", "Gleitringdichtung", "Garniture mécanique"),
        ("Impeller", "Laufrad", "Roue"),
        ("Ball bearing", "Kugellager", "Roulement à billes"),
        ("O-ring set", "O-Ring-Satz", "Jeu de joints toriques"),
        ("Shaft sleeve", "Wellenhülse", "Chemise d'arbre"),
    )),
    Kind("GR", "ERSA", "PUMPSPARE", "KG", (8, 45), ("PC", 5, 1), (("Bearing grease", "Lagerfett", "Graisse"),)),
    Kind("SV", "DIEN", "SERVICES", "H", (65, 190), None, (
        ("Commissioning", "Inbetriebnahme", "Mise en service"),
        ("Maintenance", "Wartung", "Maintenance"),
        ("Pump overhaul", "Pumpenrevision", "Révision de pompe"),
    ), category="LEIS"),
    Kind("SET", "FERT", "PUMPSETS", "EA", (900, 19_000), None, (
        ("Pump set with controls", "Pumpenset mit Steuerung", "Ensemble pompe et commande"),
        ("Pressure booster set", "Druckerhöhungsanlage", "Groupe de surpression"),
    ), category="LUMF", weight=(30, 600)),
)  # fmt: skip
SHARES = (30, 20, 5, 30, 3, 5, 7)
"""Of a hundred products, how many are of each kind."""
STOCKED = ("FERT", "HAWA", "ERSA")


@dataclass(slots=True)
class Product:
    """A product and what the price conditions and the stock need to know of it."""

    number: str
    kind: Kind
    list_price: Decimal
    areas: tuple[tuple[str, str, str, str, str], ...]
    rows: dict[str, list[Row]]


def products(seed: int, count: int) -> Iterator[Product]:
    """Products in the order of their numbers; the first of a larger catalogue are the same as those of a smaller one."""
    source = random.Random(f"catalogue {seed}")
    order = [kind for kind, share in zip(KINDS, SHARES, strict=True) for _ in range(share)]
    random.Random("kinds").shuffle(order)
    for index in range(count):
        yield _product(source, order[index % len(order)], index)


def _product(source: random.Random, kind: Kind, index: int) -> Product:
    roll = source.random
    number = f"{kind.prefix}-{10_001 + index}"
    names = kind.names[int(roll() * len(kind.names))]
    size = SIZES[int(roll() * len(SIZES))]
    power = POWERS[int(roll() * len(POWERS))]
    low, high = kind.prices
    cents = int((low + (high - low) * roll() ** 2) * 100)
    areas = AREAS if (where := roll()) < 0.7 else AREAS[:1] if where < 0.9 else AREAS[1:]
    tail = f"{size} {power} kW" if kind.category in ("NORM", "LUMF") and kind.prefix in ("PU", "SET") else size
    texts = [(language, f"{name} {tail}") for language, name in zip(("EN", "DE", "FR"), names, strict=True)]
    if roll() > 0.6:
        texts.pop()
    rows = {
        "A_Product": [_head(source, kind, number, index)],
        "A_ProductDescription": [
            {"Product": number, "Language": language, "ProductDescription": text[:40]} for language, text in texts
        ],
        "A_ProductBasicText": [
            {"Product": number, "Language": language, "LongText": f"{text} ({number}, {kind.unit})"}
            for language, text in texts[:2]
            if kind.prefix in ("PU", "SET")
        ],
        "A_ProductSalesDelivery": [_sales(source, kind, number, area) for area in areas],
        "A_ProductSalesTax": [
            {"Product": number, "Country": country, "TaxCategory": category, "TaxClassification": "1"}
            for *_, country, category in areas
        ],
        "A_ProductPlant": [_plant(kind, number, area[2]) for area in areas],
        "A_ProductUnitsOfMeasure": _units(kind, number, article_number(index) if kind.type in STOCKED else ""),
    }
    return Product(number, kind, Decimal(cents) / 100, areas, rows)


def _head(source: random.Random, kind: Kind, number: str, index: int) -> Row:
    roll = source.random
    made = FIRST_DAY + timedelta(hours=index % 8_000, minutes=index % 60)
    changed = made + timedelta(days=int(roll() * 400), seconds=int(roll() * 40_000))
    weight = kind.weight and kind.weight[0] + int(roll() * (kind.weight[1] - kind.weight[0]))
    status = roll()
    row: Row = {
        "Product": number,
        "ProductType": kind.type,
        "CreationDate": f"{made:%Y-%m-%d}T00:00:00",
        "CreatedByUser": "SANDBOX",
        "LastChangeDate": f"{changed:%Y-%m-%d}T00:00:00",
        "LastChangedByUser": "SANDBOX",
        "LastChangeDateTime": f"{changed:%Y-%m-%dT%H:%M:%S}.{index % 10_000_000:07d}",
        "ProductGroup": kind.group,
        "BaseUnit": kind.unit,
        "ItemCategoryGroup": kind.category,
        "Division": "00",
        "IndustrySector": "M",
        "ProductHierarchy": f"00100{KINDS.index(kind) + 1:05d}",
        "CountryOfOrigin": "DE",
    }
    if kind.type in STOCKED:
        row["ProductStandardID"], row["InternationalArticleNumberCat"] = article_number(index), "IE"
    if status < 0.01:
        row["IsMarkedForDeletion"] = True
    elif status < 0.03:
        row["CrossPlantStatus"], row["CrossPlantStatusValidityDate"] = "01", f"{changed:%Y-%m-%d}T00:00:00"
    if weight:
        row["GrossWeight"], row["NetWeight"], row["WeightUnit"] = f"{weight * 1.1:.3f}", f"{weight}.000", "KG"
    return row


def _sales(source: random.Random, kind: Kind, number: str, area: tuple[str, str, str, str, str]) -> Row:
    organization, channel, plant, *_ = area
    row: Row = {
        "Product": number,
        "ProductSalesOrg": organization,
        "ProductDistributionChnl": channel,
        "SupplyingPlant": plant,
        "ItemCategoryGroup": kind.category,
        "BaseUnit": kind.unit,
        "AccountDetnProductGroup": "02" if kind.type == "DIEN" else "03",
        "CashDiscountIsDeductible": True,
    }
    roll = source.random()
    if roll < 0.02:
        row["ProductSalesStatus"] = "01"
    elif roll < 0.10:
        row["MinimumOrderQuantity"] = "5.000"
    return row


def _plant(kind: Kind, number: str, plant: str) -> Row:
    return {
        "Product": number,
        "Plant": plant,
        "AvailabilityCheckType": "KP" if kind.type == "DIEN" else "SR",
        "MRPType": "ND" if kind.type == "DIEN" else "PD",
        "ProcurementType": "E" if kind.type == "FERT" else "F",
        "BaseUnit": kind.unit,
    }


def article_number(index: int) -> str:
    """An international article number of thirteen digits, the last one checks the others."""
    digits = f"40{index + 1:010d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"


def _units(kind: Kind, number: str, article: str) -> list[Row]:
    """The base unit with the article number, and the further one with how many base units it is, numerator by denominator."""
    units = [(kind.unit, 1, 1), *([kind.other] if kind.other else [])]
    rows: list[Row] = [
        {
            "Product": number,
            "AlternativeUnit": unit,
            "QuantityNumerator": str(numerator),
            "QuantityDenominator": str(denominator),
            "BaseUnit": kind.unit,
        }
        for unit, numerator, denominator in units
    ]
    if article:
        rows[0]["GlobalTradeItemNumber"], rows[0]["GlobalTradeItemNumberCategory"] = article, "IE"
    return rows
