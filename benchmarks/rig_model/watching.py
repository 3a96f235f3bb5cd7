"""Whether a text ever goes back to an older one: every text people type carries a number higher than all before."""

import re
from typing import Any, Protocol

from benchmarks.rig_model.owners import SOURCE, TARGET, Screens

OWNED = {
    TARGET: re.compile(r"^(?:Umbenannt|Neustadt|Zweigstelle) (\d+)$"),
    SOURCE: re.compile(r"^(?:Altstadt|Lager) (\d+)$"),
}
"""By the system looked at, what people type in the other one, which owns the text; what is typed over it here goes back."""


class Watched(Screens, Protocol):
    """Both systems."""


class Watch:
    """What stood where at the last look."""

    def __init__(self, world: Watched) -> None:
        self._world = world
        self._seen: dict[tuple[str, str, str], int] = {}

    def look(self) -> list[str]:
        """Texts of S/4HANA in the shop, and of the shop in S/4HANA, that are older than they were."""
        found = []
        for place, text in self._texts():
            number = OWNED[place[0]].match(text or "")
            if not number:
                continue
            now, before = int(number[1]), self._seen.get(place, 0)
            if now < before:
                found.append(f"I4: {place} went back from {before} to '{text}'")
            self._seen[place] = now
        return found

    def _texts(self) -> Any:
        for uid, unit in self._world.shop.records("B2BUnit"):
            yield (TARGET, uid, "name"), unit["name"]
            for row in unit["addresses"]:
                if "|" in row["publicKey"]:  # born in S/4HANA
                    yield (TARGET, uid, row["publicKey"]), row["town"]
        for key, row in self._world.s4.records("A_BusinessPartnerAddress"):
            if row["AddressIDByExternalSystem"]:  # born in the shop
                yield (SOURCE, key, "city"), row["CityName"]
