"""The price of one item from condition records: access sequence, scales, discounts, rounding; no store, no clock.

Amounts are `Decimal` in the decimals of their currency, rounded half up. Between a record's rate and the amount everything
is calculated in fractions, so that no unit conversion loses anything on the way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sandbox.s4hana.sales.currencies import rounded

BASE = ("PPR0", "PR00")
"""Condition types of the price, which exclude each other."""
DISCOUNTS = ("K004", "K005", "K007", "K020", "K032")
SEQUENCE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("305", ("Customer", "Material")),
    ("032", ("CustomerPriceGroup", "Material")),
    ("306", ("PriceListType", "Material")),
    ("304", ("Material",)),
)
"""Where a price is looked for, the most special first: condition table, and the fields that must agree."""
DISCOUNT_KEYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "K004": ("304", ("Material",)),
    "K005": ("305", ("Customer", "Material")),
    "K007": ("007", ("Customer",)),
    "K020": ("020", ("CustomerPriceGroup",)),
    "K032": ("032", ("CustomerPriceGroup", "Material")),
}
AREA = ("SalesOrganization", "DistributionChannel")
PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Condition:
    """One period of one condition record that may apply.

    `keys` are the fields that are set in the period; `rate` is an amount per `per` `per_unit`, or a percentage (negative:
    a discount); `scales` are pairs of the quantity (in `scale_unit`) from which a rate holds, and that rate.
    """

    record: str
    type: str
    table: str
    keys: Mapping[str, str]
    rate: Decimal
    unit: str
    per: Decimal = Decimal(1)
    per_unit: str = ""
    begins: date = date.min
    ends: date = date.max
    scales: Sequence[tuple[Decimal, Decimal]] = ()
    scale_unit: str = ""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What a price is wanted for.

    `fields` are the values the accesses ask for (material, customer, price group, price list, sales area), `units` how
    many base units one of each unit is.
    """

    day: date
    quantity: Decimal
    unit: str
    fields: Mapping[str, str]
    units: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One condition in the result: the rate that was taken, and what it makes of the item."""

    condition: Condition
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """An item's price: `gross` by the base condition, `net` after the discounts, both for the whole quantity."""

    currency: str
    gross: Decimal
    net: Decimal
    steps: tuple[Step, ...]


def price(enquiry: Enquiry, conditions: Iterable[Condition], *, remaining: bool = False) -> Price | None:
    """Price an item, or None where no price holds.

    Percentages are of the gross price, or with `remaining` of what the discounts before them left. Raises ValueError for a
    unit that has no conversion.
    """
    valid = [c for c in conditions if c.begins <= enquiry.day <= c.ends and _in_area(c, enquiry)]
    base = next(_bases(enquiry, valid), None)
    if base is None:
        return None
    rate = rate_of(enquiry, base)
    gross = rounded(Fraction(rate) / Fraction(base.per) * _converted(enquiry, base.per_unit), base.unit)
    steps, net = [Step(base, rate, gross)], gross
    for discount in _discounts(enquiry, valid):
        taken = rate_of(enquiry, discount)
        amount = _discounted(enquiry, discount, taken, net if remaining else gross, base.unit)
        steps.append(Step(discount, taken, amount))
        net += amount
    return Price(base.unit, gross, net, tuple(steps))


def _bases(enquiry: Enquiry, conditions: Sequence[Condition]) -> Iterator[Condition]:
    for table, names in SEQUENCE:
        for kind in BASE:
            yield from _found(enquiry, conditions, kind, table, names)


def _discounts(enquiry: Enquiry, conditions: Sequence[Condition]) -> Iterator[Condition]:
    """Of every type the one that holds."""
    for kind in DISCOUNTS:
        table, names = DISCOUNT_KEYS[kind]
        found = next(_found(enquiry, conditions, kind, table, names), None)
        if found is not None:
            yield found


def _found(
    enquiry: Enquiry, conditions: Sequence[Condition], kind: str, table: str, names: tuple[str, ...]
) -> Iterator[Condition]:
    """Conditions of one access; of several the one with the highest number first."""
    wanted = {name: enquiry.fields.get(name, "") for name in names}
    if not all(wanted.values()):
        return

    def agrees(condition: Condition) -> bool:
        of_access = condition.type == kind and condition.table == table
        return of_access and all(condition.keys.get(name) == value for name, value in wanted.items())

    yield from sorted(filter(agrees, conditions), key=lambda c: c.record, reverse=True)


def _in_area(condition: Condition, enquiry: Enquiry) -> bool:
    return all(condition.keys.get(name, "") == enquiry.fields.get(name, "") for name in AREA)


def rate_of(enquiry: Enquiry, condition: Condition) -> Decimal:
    """The rate of the highest scale line the quantity reaches, else the record's own."""
    rate, reached = condition.rate, Decimal(-1)
    if condition.scales:
        quantity = _converted(enquiry, condition.scale_unit)
        for begins, line in condition.scales:
            if reached < begins <= quantity:
                rate, reached = line, begins
    return rate


def _discounted(enquiry: Enquiry, condition: Condition, rate: Decimal, basis: Decimal, currency: str) -> Decimal:
    if condition.unit == PERCENT:
        return rounded(Fraction(basis) * Fraction(rate) / 100, currency)
    return rounded(Fraction(rate) / Fraction(condition.per) * _converted(enquiry, condition.per_unit), currency)


def _converted(enquiry: Enquiry, unit: str) -> Fraction:
    """The quantity in another unit."""
    quantity = Fraction(enquiry.quantity)
    if unit in ("", enquiry.unit):
        return quantity
    for name in (enquiry.unit, unit):
        if name not in enquiry.units:
            raise ValueError(f"unit '{name}' has no conversion; known: {', '.join(sorted(enquiry.units))}")
    return quantity * enquiry.units[enquiry.unit] / enquiry.units[unit]


def per_unit(found: Price, quantity: Decimal) -> Decimal:
    """The net price of one of the units asked for, rounded."""
    return rounded(Fraction(found.net) / Fraction(quantity), found.currency)
