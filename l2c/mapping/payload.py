"""Canonical records as bytes: the same record is always the same bytes, hashed and kept as they are."""

import hashlib
from decimal import Decimal
from typing import Any

import orjson

from l2c.errors import RecordRejected


def encode(data: dict[str, Any]) -> bytes:
    """Canonical JSON: keys sorted, decimals as plain text; raises RecordRejected when a text cannot be written."""
    try:
        return orjson.dumps(data, default=_plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise RecordRejected([("", f"cannot be written as JSON: {error}")]) from None


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is not part of canonical records")


def decode(payload: bytes) -> dict[str, Any]:
    """The record of a payload."""
    found: dict[str, Any] = orjson.loads(payload)
    return found


def digest(payload: bytes) -> bytes:
    """The 16 byte hash of a payload."""
    return hashlib.sha256(payload).digest()[:16]  # most processors help with this one
