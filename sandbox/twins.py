"""Customers that share one VAT number: what no rule of matching can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Partner = dict[str, Any]


def vat_record(partner: Partner) -> Partner | None:
    """The entry of `to_BusinessPartnerTax` with a VAT number (category `XX0`), or None."""
    return next((tax for tax in partner["to_BusinessPartnerTax"] if tax["BPTaxType"].endswith("0")), None)


def is_customer_organization(partner: Partner) -> bool:
    """Whether the shop would know this partner as a unit."""
    return partner["BusinessPartnerCategory"] == "2" and bool(partner["Customer"])


def paired(partners: Iterable[Partner], pairs: int) -> Iterator[Partner]:
    """The same partners, the first `pairs` pairs of customer organizations of one country with one VAT number each.

    Which they are depends on the partners alone. Raises ValueError at the end when there were too few.
    """
    waiting: dict[str, str] = {}
    left = pairs
    for partner in partners:
        tax = vat_record(partner) if left and is_customer_organization(partner) else None
        if tax is not None:
            kind = tax["BPTaxType"]
            if kind in waiting:
                tax["BPTaxNumber"] = waiting.pop(kind)
                left -= 1
            else:
                waiting[kind] = tax["BPTaxNumber"]
        yield partner
    if left:
        raise ValueError(f"{pairs} pairs of twins asked for, but the partners allow only {pairs - left}")
