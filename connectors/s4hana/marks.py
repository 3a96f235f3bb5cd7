"""The mark of a create, as it fits SAP's field for a partner's number in an external system; and who carries it."""

import hashlib
from collections.abc import Sequence

from connectors.s4hana.entities import MARK, MARK_LENGTH, PARTNER
from connectors.s4hana.service import Service
from l2c.http import decode


def mark_text(mark: str) -> str:
    """The mark in capitals, as the field stores it; one that is longer than 20 becomes a hash of that length."""
    text = mark.upper()
    if len(text) <= MARK_LENGTH:
        return text
    return hashlib.sha256(mark.encode()).hexdigest()[:MARK_LENGTH].upper()


def marked(service: Service, marks: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The numbers of the partners that carry each mark."""
    written = {mark: mark_text(mark) for mark in marks}
    found: dict[str, list[str]] = {text: [] for text in written.values()}
    options = {"$select": ["BusinessPartner", MARK]}
    for page in service.by_values(PARTNER, [MARK], {text: (text,) for text in found}, options):
        for raw in page.records:
            data = decode(raw)
            found.setdefault(str(data[MARK]).upper(), []).append(data["BusinessPartner"])
    return {mark: tuple(found[text]) for mark, text in written.items()}
