"""Settings of the replication: how late requests are processed, where confirmations go and what befalls them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.s4hana.settings import Adjustable

PROBABILITIES = ("confirm_lost", "confirm_doubled", "confirm_out_of_order")


@dataclass(slots=True)
class ReplicationSettings(Adjustable):
    """What a test may want to be different; times in seconds, probabilities from 0 to 1.

    `soap_delay_s`: how long a request waits before it is processed, `soap_jitter_s`: up to how much longer, by chance, so
    that requests overtake each other. `soap_absent`: `keep` or `clear` a field that is absent from a node that is sent.
    `confirm_url`, `confirm_user`, `confirm_password`: where confirmations go; without an address they are kept.
    `confirm_late_s`: how long a confirmation waits. `confirm_lost`, `confirm_doubled`, `confirm_out_of_order`:
    probabilities. `confirm_never`: partners whose name this expression is found in are never confirmed; empty: none.
    `confirm_seed` seeds the chances, which start anew whenever it is set.
    """

    soap_delay_s: float = 0.2
    soap_jitter_s: float = 0.0
    soap_absent: str = "keep"
    confirm_url: str = ""
    confirm_user: str = ""
    confirm_password: str = ""
    confirm_late_s: float = 0.0
    confirm_lost: float = 0.0
    confirm_doubled: float = 0.0
    confirm_out_of_order: float = 0.0
    confirm_never: str = ""
    confirm_seed: int = 0

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise ValueError for a value of the right type that cannot be."""
        for name in PROBABILITIES:
            if not 0 <= values.get(name, 0) <= 1:
                raise ValueError(f"setting '{name}' must be from 0 to 1, not {values[name]}")
        for name in ("soap_delay_s", "soap_jitter_s", "confirm_late_s"):
            if values.get(name, 0) < 0:
                raise ValueError(f"setting '{name}' must not be negative")
        if values.get("soap_absent", "keep") not in ("keep", "clear"):
            raise ValueError(f"setting 'soap_absent' must be one of keep, clear, not '{values['soap_absent']}'")
        try:
            re.compile(values.get("confirm_never", ""))
        except re.error as error:
            raise ValueError(f"setting 'confirm_never' is no regular expression: {error}") from error
