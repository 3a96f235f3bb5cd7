"""Whom the story is about: customers that both systems know, picked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo import compare
from demo.stage import Stage


@dataclass(slots=True)
class Story:
    """What the steps have in common: whom they chose, what they changed, whom they registered.

    `truth`: who each unit of a prefilled shop really is. `changed`: partner → column of SAP's CSV → new value. `registered`:
    what the shop answered, by name of who registered.
    """

    stage: Stage
    started: float
    seed: Path | None
    truth: list[dict[str, Any]] = field(default_factory=list)
    told: int = 0
    chosen: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def undecided(self) -> list[dict[str, Any]]:
        """The units that may be one of several customers."""
        return [one for one in self.truth if one["rule"] == "ambiguous"]

    def partner(self, number: int) -> dict[str, Any]:
        """The n-th partner the story changes: a customer organization with one and the same address in both systems."""
        if not self.chosen:
            places, there = compare.addresses(self.stage.s4), compare.units(self.stage.shop)
            customers = compare.customers(self.stage.s4)
            prefilled = {one["customer"] for one in self.truth}
            self.chosen = [
                {**partner, "place": places[partner["BusinessPartner"]][0], "uid": there[customer]["uid"]}
                for customer, partner in sorted(customers.items(), key=lambda one: (one[0] not in prefilled, one[0]))
                if len(places.get(partner["BusinessPartner"], [])) == 1
                and not partner["barred"]
                and customer in there
                and len(there[customer]["addresses"]) == 1
            ]
        return self.chosen[number]

    def unit(self, partner: Mapping[str, Any]) -> dict[str, Any]:
        """The partner's unit in the shop."""
        return self.stage.shop.record("B2BUnit", partner["uid"]) or {}

    def place(self, partner: Mapping[str, Any], **values: str) -> None:
        """Change the partner's address in S/4HANA."""
        key = f"{partner['BusinessPartner']}/{partner['place']['AddressID']}"
        self.stage.s4.change("A_BusinessPartnerAddress", key, **values)
