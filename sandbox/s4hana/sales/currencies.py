"""Decimals of currencies, and amounts rounded to them."""

from decimal import Decimal
from fractions import Fraction

_WITHOUT = (
    "ADP AFA BEF BIF BYB BYR CLP COP DJF ECS ESP GNF GRD HUF IDR ISK ITL JPY KMF KRW LAK LUF MGF MZM PTE PYG ROL RWF TJR TMM"
    " TPE TRL TWD UGX VND VUV XAF XOF XPF"
)
DECIMALS = {
    **dict.fromkeys(_WITHOUT.split(), 0),
    **dict.fromkeys(("BHD", "DEM3", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("AU5", "USDN"), 5),
}
"""Decimals of the currencies that have other than two. Some have cents on paper, and in SAP's tables none (HUF, TWD, IDR)."""


def decimals(currency: str) -> int:
    """How many decimals amounts of a currency have."""
    return DECIMALS.get(currency, 2)


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
