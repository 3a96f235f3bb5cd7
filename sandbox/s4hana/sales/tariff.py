"""Condition records for a catalogue: list, group and customer prices, discounts, with periods and scales, drawn from a seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.s4hana.sales.catalogue import Product
from sandbox.s4hana.sales.pricing import DISCOUNT_KEYS
from sandbox.s4hana.tables import Row

CURRENCIES = {"1010": "EUR", "1710": "USD"}
PRICE_TYPES = {"1010": "PPR0", "1710": "PR00"}
GROUPS = ("C1", "C2", "C3")
LISTS = ("01", "02")
KINDS = ("032", "305", "306", "K004", "K032", "K005", "K007", "K020")
REACHED = (18, 34, 40, 64, 82, 94, 99, 100)
"""Shares of the kinds in a hundred, summed up."""
ALWAYS = ("2024-01-01", "9999-12-31")
SPLIT = (("2024-01-01", "2025-12-31"), ("2026-01-01", "9999-12-31"))
CENT = Decimal("0.01")
FIRST = 1
TRIES = 20
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer in one sales area."""

    number: str
    organization: str


@dataclass(slots=True)
class Records:
    """What was made so far: rows of the three sets."""

    record: list[Row] = field(default_factory=list)
    period: list[Row] = field(default_factory=list)
    scale: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """One condition record before it has a number."""

    type: str
    table: str
    organization: str
    keys: Row
    rate: Decimal
    unit: str
    per: int = 0
    per_unit: str = ""


def records(seed: int, catalogue: Sequence[Product], buyers: Sequence[Buyer], count: int) -> Records:
    """`count` condition records: first the list price of every product, one a sales area, then a mixture of the rest."""
    source, made = random.Random(f"tariff {seed}"), Records()
    for draft, span in _wanted(source, catalogue, buyers):
        if len(made.record) >= count:
            break
        _add(source, made, draft, span)
    return made


def _wanted(
    source: random.Random, catalogue: Sequence[Product], buyers: Sequence[Buyer]
) -> Iterator[tuple[_Draft, tuple[str, str]]]:
    """Drafts without end, as long as new ones are found; a key comes once, or twice with a price before and after."""
    for product in catalogue:
        for organization, *_ in product.areas:
            yield _list_price(source, product, organization), ALWAYS
    taken: set[Key] = set()
    misses = 0
    while catalogue and misses < 1000:
        draft = _further(source, catalogue, buyers)
        key = (draft.type, draft.table, draft.organization, *map(str, draft.keys.values())) if draft else ()
        if draft is None or key in taken:
            misses += 1
            continue
        misses = 0
        taken.add(key)
        if source.random() < 0.15:
            yield draft, SPLIT[0]
            draft.rate = _money(draft.rate * Decimal("1.04")) if draft.per else draft.rate - 1
            yield draft, SPLIT[1]
        else:
            yield draft, ALWAYS


def _list_price(source: random.Random, product: Product, organization: str) -> _Draft:
    price = product.list_price if organization == "1010" else _money(product.list_price * Decimal("1.12"))
    return _price(source, product, organization, "304", price, {})


def _further(source: random.Random, catalogue: Sequence[Product], buyers: Sequence[Buyer]) -> _Draft | None:
    kind = source.choices(KINDS, cum_weights=REACHED)[0]
    product = catalogue[int(source.random() * len(catalogue))]
    organization = product.areas[int(source.random() * len(product.areas))][0]
    of_customer = kind in ("305", "K005", "K007")
    # a few customers have most of the special prices, as it is with key accounts
    buyer = buyers[int(source.random() ** 3 * len(buyers))] if of_customer and buyers else None
    if of_customer and (buyer is None or (kind != "K007" and buyer.organization != organization)):
        return None
    group = GROUPS[int(source.random() * len(GROUPS))]
    fields = {
        "Customer": buyer.number if buyer else "",
        "CustomerPriceGroup": group,
        "PriceListType": LISTS[int(source.random() * len(LISTS))],
        "Material": product.number,
    }
    if not kind.startswith("K"):
        part = {"305": "Customer", "032": "CustomerPriceGroup", "306": "PriceListType"}[kind]
        price = _money(product.list_price * Decimal(80 + int(source.random() * 19)) / 100)
        return _price(source, product, organization, kind, price, {part: fields[part]})
    table, names = DISCOUNT_KEYS[kind]
    rate = -Decimal(10 + int(source.random() * 140)) / 10
    where = buyer.organization if buyer and kind == "K007" else organization
    return _Draft(kind, table, where, {name: fields[name] for name in names}, rate, "%")


def _price(source: random.Random, product: Product, organization: str, table: str, price: Decimal, keys: Row) -> _Draft:
    """A price by the base unit, now and then for 100 of them or by the further unit."""
    per, unit, roll = 1, product.kind.unit, source.random()
    if product.kind.type == "ERSA" and roll < 0.08:
        per, price = 100, price * 100
    elif product.kind.other and roll < 0.12:
        unit, numerator, denominator = product.kind.other
        price = _money(price * numerator / denominator)
    currency = CURRENCIES[organization]
    fields = {**keys, "Material": product.number}
    if table == "306":
        fields["TransactionCurrency"] = currency
    return _Draft(PRICE_TYPES[organization], table, organization, fields, price, currency, per, unit)


def _money(amount: Decimal) -> Decimal:
    return max(amount.quantize(CENT, ROUND_HALF_UP), CENT)


def _add(source: random.Random, made: Records, draft: _Draft, span: tuple[str, str]) -> None:
    """Number a draft and write it as record, period and scale lines."""
    index = len(made.record) + FIRST
    number = f"{index:010d}"
    changed = datetime(2024, 1, 10, tzinfo=UTC) + timedelta(minutes=index * 7 % 900_000)
    record = _row(draft, number, span, changed)
    tag = {"ETag": record["ETag"]}
    if source.random() < 0.02 and draft.table != "304":
        record["ConditionIsDeleted"] = True
    if draft.per == 1 and source.random() < 0.3:
        record["PricingScaleType"], record["ConditionScaleQuantityUnit"] = "A", draft.per_unit
        made.scale.extend(_lines(source, number, draft, tag))
    made.record.append(record)
    dates = {name: record[name] for name in ("ConditionValidityEndDate", "ConditionValidityStartDate")}
    named = {"ConditionApplication": "V", "ConditionType": draft.type}
    area = {"SalesOrganization": draft.organization, "DistributionChannel": "10"}
    made.period.append({"ConditionRecord": number, **dates, **named, **area, **draft.keys, **tag})


def _row(draft: _Draft, number: str, span: tuple[str, str], changed: datetime) -> Row:
    percent = draft.unit == "%"
    row: Row = {
        "ConditionRecord": number,
        "ConditionSequentialNumber": "1",
        "ConditionTable": draft.table,
        "ConditionApplication": "V",
        "ConditionType": draft.type,
        "ConditionValidityEndDate": f"{span[1]}T00:00:00",
        "ConditionValidityStartDate": f"{span[0]}T00:00:00",
        "CreatedByUser": "SANDBOX",
        "CreationDate": f"{changed:%Y-%m-%d}T00:00:00",
        "ConditionCalculationType": "A" if percent else "C",
        "ConditionRateValue": f"{draft.rate:.3f}" if percent else f"{draft.rate:.2f}",
        "ConditionRateValueUnit": draft.unit,
        "LastChangeDateTime": f"{changed:%Y-%m-%dT%H:%M:%S}.{int(number) % 10_000_000:07d}",
        "ETag": f"{changed:%Y%m%d%H%M%S}",
    }
    if percent:
        row["ConditionRateRatio"], row["ConditionRateRatioUnit"] = f"{draft.rate:.9f}", "%"
    else:
        row["ConditionRateAmount"], row["ConditionCurrency"] = f"{draft.rate:.9f}", draft.unit
        row["ConditionQuantity"], row["ConditionQuantityUnit"] = str(draft.per), draft.per_unit
    return row


def _lines(source: random.Random, number: str, draft: _Draft, tag: Row) -> Iterator[Row]:
    """Three or four lines, the more the cheaper; the first has the record's own rate."""
    steps = (1, 10, 50, 200)[: 3 + int(source.random() * 2)]
    for line, quantity in enumerate(steps, 1):
        rate = _money(draft.rate * (104 - 4 * line) / 100)
        yield {
            "ConditionRecord": number, "ConditionSequentialNumber": "1", "ConditionScaleLine": str(line),
            "ConditionScaleQuantity": f"{quantity}.000", "ConditionScaleQuantityUnit": draft.per_unit,
            "ConditionRateValue": f"{rate:.2f}", "ConditionRateValueUnit": draft.unit,
            "ConditionRateAmount": f"{rate:.9f}", "ConditionCurrency": draft.unit, **tag,
        }  # fmt: skip
