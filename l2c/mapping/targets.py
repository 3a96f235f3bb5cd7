"""What a target field demands: which literals fit it, and what is left to check record by record."""

import json
from typing import Any

from l2c.config import FieldConfig, near_miss
from l2c.contract import FieldSchema
from l2c.mapping.rules import Check
from l2c.mapping.scopes import Info
from l2c.mapping.typed import Typed
from l2c.mapping.values import MAX_TEXT, careful_letters, is_date, utf16_length

WHOLE = ("Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64")
FRACTIONS = ("Edm.Decimal", "Edm.Double", "Edm.Single")
_FITS = {
    "Edm.String": {"text", "date"},
    "Edm.Guid": {"text"},
    "Edm.Boolean": {"boolean"},
    "Edm.DateTime": {"date", "text"},
    "Edm.DateTimeOffset": {"date", "text"},
}
_CANONICAL_FITS = {"boolean": {"boolean"}, "date": {"date", "text"}, "number": {"number", "decimal", "text"}}


def said(value: Any) -> str:
    """A literal as it stands in YAML."""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"


def literal_problem(value: Any, info: Info) -> str:
    """Why a literal does not fit a target field, '' if it does."""
    if value is None:
        return ""
    config = info.config
    if config is not None and config.values:
        return (
            "" if value in config.values else f"is not one of {', '.join(config.values)}{_close(value, config.values)}"
        )
    expected: Any = {"boolean": bool, "number": int, "text": str, "date": str, "decimal": (int, str)}.get(info.kind)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)):
        return f"is not {info.kind}"
    if info.kind == "date" and not is_date(value):
        return "is not a date as YYYY-MM-DD"
    if config is not None and config.type in ("country", "currency", "language"):
        return _letters_problem(value, config.type)
    if isinstance(value, str) and info.length is not None and utf16_length(value) > info.length:
        return f"is longer than {info.length}"
    return ""


def _close(value: Any, values: tuple[str, ...]) -> str:
    hint = near_miss(str(value), values, most=0)
    return hint if "mean" in hint else ""


def _letters_problem(value: Any, kind: str) -> str:
    try:
        careful_letters(value, kind)
    except ValueError as error:
        return f"does not fit: {error}"
    return ""


def canonical_problem(made: Typed, info: Info) -> str:
    """Why a kind of value can never be a canonical field, '' if it can."""
    if made.kind in ("any", "null", "list"):
        return ""
    kind = "number" if info.kind == "decimal" else info.kind
    fits = _CANONICAL_FITS.get(kind, {"text", "date"})
    return "" if made.kind in fits else f"is {info.kind}, but the rule gives {made.kind}"


def canonical_check(made: Typed, config: FieldConfig) -> Check:
    """What a canonical field of this type demands of every value; nothing where the expression guarantees it."""
    kind = config.type or "text"
    if kind == "code" and config.values:
        return Check("code", values=config.values)
    if kind in ("country", "currency", "language"):
        return Check("letters", letters=kind)
    if kind == "boolean":
        computed = made.kind == "boolean" and not made.plain
        return Check() if computed else Check("boolean")
    if kind == "integer":
        return Check("whole")
    if kind in ("decimal", "amount", "quantity"):
        return Check("decimal", decimals=config.decimals)
    if kind == "date":
        return Check() if made.kind == "date" and made.clean else Check("date")
    return Check("timestamp") if kind == "timestamp" else Check("text", config.length or MAX_TEXT)


def native_problem(made: Typed, schema: FieldSchema) -> str:
    """Why a kind of value can never be a native field, '' if it can."""
    fits = _FITS.get(schema.type, {"number", "decimal", "text", "date"})
    return (
        "" if made.kind in fits | {"null", "any"} else f"is {schema.type}, but the rule gives {made.kind}; convert it"
    )


def native_check(made: Typed, schema: FieldSchema, *, trusted: bool) -> Check:
    """What the target's own description limits; what the canonical side guarantees is not checked again."""
    safe = trusted and made.kind in ("text", "date")
    if schema.type in ("Edm.String", "Edm.Guid"):
        if safe and (schema.length is None or (made.length is not None and made.length <= schema.length)):
            return Check()
        return Check("text", schema.length or MAX_TEXT, safe=safe)
    if schema.type == "Edm.Boolean":
        return Check() if made.kind == "boolean" else Check("boolean")
    if schema.type in WHOLE:
        return Check("whole")
    if schema.type in FRACTIONS:
        return Check("decimal", decimals=schema.scale, digits=schema.precision)
    return Check()


def plain_check(made: Typed) -> Check:
    """Without a description of the target: computed numbers become text without exponent, the rest stays as it is."""
    return Check("decimal") if made.kind in ("number", "decimal") and not made.plain else Check()
