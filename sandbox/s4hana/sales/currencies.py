"""Decimals of currencies, and amounts rounded to them."""

from decimal import Decimal
from fractions import Fraction

WITHOUT = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
WHOLE_IN_SAP = frozenset({"HUF", "TWD", "IDR", "COP", "LAK"})
"""Currencies that have cents on paper, which nobody pays and SAP's tables leave out."""


def decimals(currency: str) -> int:
    """How many decimals amounts of a currency have."""
    if currency in WITHOUT or currency in WHOLE_IN_SAP:
        return 0
    return 3 if currency in THREE else 2


def rounded(amount: Fraction, currency: str) -> Decimal:
    """An exact amount in the decimals of its currency; half a unit goes away from zero."""
    digits = decimals(currency)
    units, rest = divmod(abs(amount) * 10**digits, 1)
    whole = int(units) + (rest >= Fraction(1, 2))
    return Decimal(-whole if amount < 0 else whole).scaleb(-digits)


def shown(value: Decimal, currency: str) -> str:
    """A rate as S/4HANA shows it: with the decimals of its currency, or as exact as it is where it has more."""
    digits = decimals(currency)
    exponent = value.normalize().as_tuple().exponent
    return f"{value:.{max(digits, -exponent if isinstance(exponent, int) else 0)}f}"
