"""The mark of a create, as it fits SAP's field for a partner's number in an external system."""

import hashlib

from connectors.s4hana.entities import MARK_LENGTH


def mark_text(mark: str) -> str:
    """The mark in capitals, as the field stores it; one that is longer than 20 becomes a hash of that length."""
    text = mark.upper()
    if len(text) <= MARK_LENGTH:
        return text
    return hashlib.sha256(mark.encode()).hexdigest()[:MARK_LENGTH].upper()
