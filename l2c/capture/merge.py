"""The rule of edits: what a system shows against what it showed last."""

from collections.abc import Callable, Mapping
from typing import Any


def merge(
    head: Mapping[str, Any], view: Mapping[str, Any] | None, shown: Mapping[str, Any], owned: Callable[[str], bool]
) -> tuple[dict[str, Any], bool]:
    """The new head after what a system shows, and whether it edited a field it does not own.

    An edit is a difference to the system's last view; a field the system does not show is left alone.
    """
    new: dict[str, Any] = {}
    foreign = False
    for field, value in shown.items():
        if view is not None and field in view and view[field] == value and field in head:
            new[field] = head[field]
        elif owned(field) or field not in head:
            new[field] = value
        else:
            new[field] = head[field]
            foreign = foreign or head[field] != value
    for field, value in head.items():
        if field not in new:
            new[field] = value
    return new, foreign
