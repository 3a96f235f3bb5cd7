"""Prices of items, each case calculated by hand."""

import csv
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from sandbox.s4hana.sales.currencies import decimals, rounded, shown
from sandbox.s4hana.sales.pricing import Condition, Enquiry, per_unit, price

TABLE = Path(__file__).parents[3] / "shared/data/epm/TCURX.csv"
AREA = {"SalesOrganization": "1010", "DistributionChannel": "10"}
BUYER = {**AREA, "Material": "M", "Customer": "7", "CustomerPriceGroup": "C1", "PriceListType": "01"}


def condition(
    table: str, rate: str, *, kind: str = "PPR0", unit: str = "EUR", record: str = "1", **options
) -> Condition:
    named = {
        "304": ("Material",), "305": ("Customer", "Material"), "032": ("CustomerPriceGroup", "Material"),
        "306": ("PriceListType", "Material"), "007": ("Customer",), "020": ("CustomerPriceGroup",),
    }[table]  # fmt: skip
    keys = {**AREA, **{name: BUYER[name] for name in named}, **options.pop("keys", {})}
    return Condition(record, kind, table, keys, Decimal(rate), unit, **options)


def enquiry(quantity: str = "1", *, unit: str = "PC", day: date = date(2026, 3, 1), **fields: str) -> Enquiry:
    units = {"PC": Fraction(1), "KG": Fraction(4), "CS": Fraction(12)}
    return Enquiry(day, Decimal(quantity), unit, {**BUYER, **fields}, units)


def net(asked: Enquiry, *conditions: Condition, **options: bool) -> str:
    found = price(asked, conditions, **options)
    return "none" if found is None else f"{found.net} {found.currency}"


def test_the_most_special_price_is_taken():
    everything = {
        "304": condition("304", "100", record="1"),
        "306": condition("306", "95", record="2"),
        "032": condition("032", "90", record="3"),
        "305": condition("305", "80", record="4"),
    }
    assert net(enquiry(), *everything.values()) == "80.00 EUR"
    del everything["305"]
    assert net(enquiry(), *everything.values()) == "90.00 EUR"
    del everything["032"]
    assert net(enquiry(), *everything.values()) == "95.00 EUR"
    del everything["306"]
    assert net(enquiry(), *everything.values()) == "100.00 EUR"
    assert net(enquiry()) == "none"


@pytest.mark.parametrize("field", ["SalesOrganization", "DistributionChannel", "Material"])
def test_a_price_of_another_area_or_material_does_not_hold(field):
    assert net(enquiry(**{field: "X"}), condition("304", "100")) == "none"


def test_a_buyer_without_a_group_gets_the_list_price():
    asked = enquiry(CustomerPriceGroup="", PriceListType="", Customer="")
    conditions = (condition("304", "100"), condition("032", "90"), condition("306", "95"), condition("305", "80"))
    assert net(asked, *conditions) == "100.00 EUR"


def test_a_period_holds_on_its_first_and_its_last_day():
    held = condition("304", "100", begins=date(2026, 3, 1), ends=date(2026, 3, 31))
    days = (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1))
    assert [net(enquiry(day=day), held) for day in days] == ["none", "100.00 EUR", "100.00 EUR", "none"]


def test_scale_lines_hold_from_their_quantity_on():
    scaled = condition(
        "304", "10", scales=[(Decimal(1), Decimal(10)), (Decimal(10), Decimal(9)), (Decimal(50), Decimal(8))]
    )
    assert [net(enquiry(q), scaled) for q in ("1", "9.999", "10", "49", "50")] == [
        "10.00 EUR", "99.99 EUR", "90.00 EUR", "441.00 EUR", "400.00 EUR",
    ]  # fmt: skip


def test_a_quantity_below_the_first_line_costs_the_records_own_rate():
    scaled = condition("304", "11", scales=[(Decimal(10), Decimal(9))])
    assert net(enquiry("9"), scaled) == "99.00 EUR"


def test_scales_count_in_their_own_unit():
    # 2 cases are 24 pieces, which are 6 kilograms
    scaled = condition("304", "10", scales=[(Decimal(6), Decimal(9))], scale_unit="KG", per_unit="PC")
    assert net(enquiry("2", unit="CS"), scaled) == "216.00 EUR"
    assert net(enquiry("23", unit="PC"), scaled) == "230.00 EUR"


def test_a_price_for_a_hundred_in_another_unit():
    # 3 cases are 36 pieces; 100 pieces cost 12.35: 4.446
    assert net(enquiry("3", unit="CS"), condition("304", "12.35", per=Decimal(100), per_unit="PC")) == "4.45 EUR"
    # 7 pieces are 7/4 kilograms at 9.99 each: 17.4825
    assert net(enquiry("7"), condition("304", "9.99", per_unit="KG")) == "17.48 EUR"


def test_a_unit_without_conversion_is_named():
    with pytest.raises(ValueError, match="unit 'M' has no conversion"):
        price(enquiry(), [condition("304", "1", per_unit="M")])


DISCOUNTS = (
    condition("304", "19.99"),
    condition("304", "-3.5", kind="K004", unit="%", record="2"),
    condition("305", "-2", kind="K005", unit="%", record="3"),
    condition("007", "-10", kind="K007", unit="%", record="4"),
)


def test_every_discount_is_rounded_by_itself():
    # 59.97 gross: 2.09895, 1.1994 and 5.997 become 2.10, 1.20 and 6.00
    found = price(enquiry("3"), DISCOUNTS)
    assert found is not None
    assert [str(step.amount) for step in found.steps] == ["59.97", "-2.10", "-1.20", "-6.00"]
    assert (str(found.gross), str(found.net), str(per_unit(found, Decimal(3)))) == ("59.97", "50.67", "16.89")


def test_discounts_may_be_of_what_is_left():
    # 59.97 - 2.10 = 57.87, - 1.16 (1.1574) = 56.71, - 5.67 (5.671) = 51.04
    assert net(enquiry("3"), *DISCOUNTS, remaining=True) == "51.04 EUR"


def test_discounts_of_a_group_and_their_scales():
    conditions = (
        condition("304", "10"),
        condition("020", "-1", kind="K020", unit="%", record="2"),
        condition("032", "-5", kind="K032", unit="%", record="3", scales=[(Decimal(10), Decimal(-8))]),
    )
    assert net(enquiry("9"), *conditions) == "84.60 EUR"  # 90 - 0.90 - 4.50
    assert net(enquiry("10"), *conditions) == "91.00 EUR"  # 100 - 1 - 8
    assert net(enquiry("10", CustomerPriceGroup="C2"), *conditions) == "100.00 EUR"


def test_a_discount_alone_is_no_price():
    assert net(enquiry(), *DISCOUNTS[1:]) == "none"


def test_the_decimals_are_those_of_the_currency():
    assert net(enquiry("1"), condition("304", "100.5", unit="JPY")) == "101 JPY"
    assert net(enquiry("1", unit="PC"), condition("304", "0.0005", unit="BHD")) == "0.001 BHD"
    assert net(enquiry("1"), condition("304", "0.49", unit="HUF")) == "0 HUF"


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("0.005", "EUR", "0.01"), ("-0.005", "EUR", "-0.01"), ("0.00499", "EUR", "0.00"), ("2.5", "JPY", "3"),
     ("1.0005", "KWD", "1.001"), ("1234567.895", "USD", "1234567.90")],
)  # fmt: skip
def test_half_a_unit_goes_away_from_zero(amount, currency, expected):
    assert str(rounded(Fraction(amount), currency)) == expected


def test_a_rate_is_shown_in_the_decimals_of_its_currency_or_more_exactly():
    assert [shown(Decimal(v), c) for v, c in (("1000", "EUR"), ("5", "JPY"), ("0.125", "EUR"))] == [
        "1000.00",
        "5",
        "0.125",
    ]


def test_the_decimals_are_those_of_saps_own_table():
    if not TABLE.exists():
        pytest.skip("SAP's table of currency decimals is not next to the checkout")
    rows = [row for row in csv.reader(TABLE.read_text(encoding="utf-8-sig").splitlines()) if row[0][0].isalpha()]
    theirs = {name: int(number) for name, number in rows if number.isdigit()}
    assert len(theirs) > 40
    assert {name: decimals(name) for name in theirs} == theirs
