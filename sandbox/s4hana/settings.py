"""Settings of the simulated S/4HANA that the control address can change while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

CHOICES = {"skiptoken": ("key", "offset"), "discount_base": ("gross", "remaining")}


class Adjustable:
    """Base of the dataclasses of settings: takes new values by name."""

    __slots__ = ()

    def known(self) -> dict[str, type]:
        """Names and types of the settings."""
        return {f.name: type(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]

    def update(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Take new values, answer all; raises ValueError for an unknown name or a value that cannot be."""
        known = self.known()
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting '{name}'; known: {', '.join(known)}")
            if not isinstance(value, known[name]) and not (known[name] is float and isinstance(value, int)):
                raise ValueError(f"setting '{name}' must be {known[name].__name__}, not {value!r}")
        self.check(values)
        for name, value in values.items():
            setattr(self, name, known[name](value))
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise ValueError for a value of the right type that cannot be."""
        for name, choices in CHOICES.items():
            if name in values and values[name] not in choices:
                raise ValueError(f"setting '{name}' must be one of {', '.join(choices)}, not {values[name]!r}")


@dataclass(slots=True)
class Settings(Adjustable):
    """What a test may want to be different.

    `page_size`: rows a page, 0 for no paging by the server. `expand_page_size`: members of an expanded collection before
    it is continued by an inner `__next`, 0 for all. `skiptoken`: `key` (stable under changes) or `offset` (pages shift).
    `csrf_life_s`, `csrf_max_uses` (0: any number): life of a token. `client_required`: whether `sap-client` must be sent.
    `max_url`: longest request target in bytes. `max_batch_parts`, `max_changes`: parts of a `$batch` and changes in a
    changeset, 0 for any number. `discount_base`: what the percentages of an order's discounts are of, the `gross` price each,
    or what the ones before left (`remaining`).
    """

    page_size: int = 1000
    expand_page_size: int = 0
    skiptoken: str = "key"
    csrf_life_s: float = 1800.0
    csrf_max_uses: int = 0
    client_required: bool = False
    max_url: int = 8192
    max_batch_parts: int = 1000
    max_changes: int = 0
    discount_base: str = "gross"


def for_profile(profile: str) -> Settings:
    """The public cloud pages by 1,000; an own installation pages only what is large, and wants to know the client."""
    return Settings() if profile == "cloud" else Settings(page_size=5000, client_required=True)
