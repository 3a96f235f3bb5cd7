"""Patterns users write, run by RE2: time grows with the length of the text, whatever the pattern."""

from typing import Any

import re2

from l2c.mapping.values import Unfit

MAX_PATTERN = 500
MAX_MATCHED = 1_000


def compile_pattern(text: str) -> Any:
    """A pattern as RE2 knows it; ValueError that says what of it RE2 does not have, or that it is too large."""
    if len(text) > MAX_PATTERN:
        raise ValueError(f"pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        what = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"not a pattern of RE2 ({what}); look-around and back references do not exist there") from None


def matches(value: Any, pattern: Any) -> bool:
    r"""Whether the whole text fits a pattern of RE2: `matches(vat, 'DE[0-9]{9}')`; an empty text does not."""
    if value is None or value == "":
        return False
    if value.__class__ is not str:
        raise Unfit("matches() needs text", value)
    if len(value) > MAX_MATCHED:
        raise Unfit(f"matches() takes texts of at most {MAX_MATCHED} characters")
    return pattern.fullmatch(value) is not None
