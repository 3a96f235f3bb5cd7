"""Who registered in the shop, and what must stand in both systems then: by the control addresses alone, not a line of the hub.

A registration is one partner in S/4HANA if exactly one partner carries its name, its VAT number or its e-mail address, if
S/4HANA's own log created no partner besides, and if no mark stands twice. The shop must show the number of just that partner.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.registrations.systems import Control

STREETS = ("Pfeifenweg", "Am Anger", "Kaiserstraße", "Hafenstraße", "Rosengasse", "Gießereiweg")
TOWNS = (("89073", "Ulm"), ("99084", "Erfurt"), ("20457", "Hamburg"), ("79098", "Freiburg"), ("04109", "Leipzig"))
CORRECTED = 0.1  # share of registrations after which somebody corrects an address
BURST = 6  # how many register without a pause, on average
PACE = 30  # registrations a second, on average, if the machine lets them
MARK = "BusinessPartnerIDByExtSystem"


@dataclass(frozen=True)
class Registered:
    """One who registered: a company (has a VAT number) or a consumer; `uid` and `address` are keys the shop gave."""

    uid: str
    entity: str
    name: str
    mail: str
    vat: str | None
    address: str


class Visitors(threading.Thread):
    """People at the storefront: they register in bursts, and some correct their address right after that."""

    def __init__(self, shop: Control, count: int, chance: random.Random) -> None:
        super().__init__(name="visitors", daemon=True)
        self._shop = shop
        self._count = count
        self._chance = chance
        self.registered: list[Registered] = []
        self.corrected = 0

    def run(self) -> None:
        """Register them all."""
        for number in range(self._count):
            self.registered.append(_register(self._shop, number))
            if self._chance.random() < CORRECTED:
                self._correct(self._chance.choice(self.registered[-20:]))
            if self._chance.random() < 1 / BURST:
                time.sleep(self._chance.uniform(0, 2 * BURST / PACE))

    def _correct(self, one: Registered) -> None:
        """Another phone number, typed while the partner is created, or before, or after."""
        self.corrected += 1
        self._shop.change("Address", one.address, phone1=f"0731 {self.corrected:05}")


def _register(shop: Control, number: int) -> Registered:
    """A company or, every third time, a consumer of its own name registers."""
    code, town = TOWNS[number % len(TOWNS)]
    place = {"streetname": STREETS[number % len(STREETS)], "streetnumber": str(number % 90 + 1)}
    place |= {"postalcode": code, "town": town, "country": "DE"}
    if number % 3 == 2:
        first, last, mail = "Jan", f"Anmelder{number:05}", f"anmelder{number:05}@example.com"
        told = shop.tell("register", kind="consumer", first_name=first, last_name=last, email=mail, address=place)
        return Registered(told["uid"], "Customer", f"{first} {last}", mail, None, told["addresses"][0])
    name, mail, vat = f"Werkstatt {number:05} KG", f"info@werkstatt{number:05}.example", f"DE{810_000_000 + number}"
    told = shop.tell("register", kind="company", name=name, vatID=vat, l2cEmail=mail, address=place)
    return Registered(told["uid"], "B2BUnit", name, mail, vat, told["addresses"][0])


@dataclass
class Found:
    """What stands in both systems; every list empty: each registration is one partner, and the shop knows which."""

    partners: int = 0
    created: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    numberless: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def mistakes(self) -> list[str]:
        """Everything that is not as it must be."""
        return [*self.lost, *self.doubled, *self.numberless, *self.wrong]


def standing(system: Control, *entities: str) -> set[str]:
    """The keys of all records of these entities."""
    return {key for entity in entities for key, _ in system.records(entity)}


def check(s4: Control, shop: Control, registered: Iterable[Registered], *, before: set[str], made: int) -> Found:
    """Compare what stands with who registered; `before`: partners that stood there
    already, `made`: how many of them S/4HANA's log knows as created through the API.
    """
    partners = {key: row for key, row in s4.records("A_BusinessPartner") if key not in before}
    by_name, by_vat, by_mail = _names(partners), _vats(s4, partners), _mails(s4, partners)
    shown = {("B2BUnit", row["uid"]): row for _, row in shop.records("B2BUnit")}
    shown |= {("Customer", row["uid"]): row for _, row in shop.records("Customer")}
    found = Found(partners=len(partners), created=_created(s4) - made)
    known: set[str] = set()
    for one in registered:
        hits = by_name[one.name] | by_mail[one.mail.lower()] | (by_vat[one.vat] if one.vat else set())
        known |= hits
        if not hits:
            found.lost.append(f"{one.name} is no partner")
        elif len(hits) > 1:
            found.doubled.append(f"{one.name} is {', '.join(sorted(hits))}")
        else:
            _compare(one, partners[next(iter(hits))], shown.get((one.entity, one.uid)), found)
    found.doubled += [f"partner {key} is nobody who registered" for key in sorted(set(partners) - known)]
    found.doubled += _marked_twice(partners)
    return found


def _compare(one: Registered, partner: Mapping[str, Any], shown: Mapping[str, Any] | None, found: Found) -> None:
    wanted = (partner["BusinessPartner"], partner["Customer"])
    if shown is None:
        found.wrong.append(f"{one.name} does not stand in the shop any more")
    elif not shown["l2cPartnerNumber"]:
        found.numberless.append(f"{one.name} does not know its number {wanted[0]}")
    elif (shown["l2cPartnerNumber"], shown["l2cCustomerNumber"]) != wanted:
        found.wrong.append(f"{one.name} has {shown['l2cPartnerNumber']} in the shop, is {wanted}")
    if not partner[MARK]:
        found.wrong.append(f"{one.name} carries no mark")


def _created(s4: Control) -> int:
    return sum(entry["action"] == "created" for entry in s4.log(entity="A_BusinessPartner"))


def _names(partners: Mapping[str, Mapping[str, Any]]) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, row in partners.items():
        person = f"{row['FirstName'] or ''} {row['LastName'] or ''}".strip()
        found[row["OrganizationBPName1"] or person].add(key)
    return found


def _vats(s4: Control, partners: Mapping[str, Any]) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, row in s4.records("A_BusinessPartnerTaxNumber"):
        if row["BusinessPartner"] in partners:
            found[row["BPTaxNumber"]].add(row["BusinessPartner"])
    return found


def _mails(s4: Control, partners: Mapping[str, Any]) -> defaultdict[str, set[str]]:
    places = {row["AddressID"]: row["BusinessPartner"] for _, row in s4.records("A_BusinessPartnerAddress")}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, row in s4.records("A_AddressEmailAddress"):
        owner = places.get(row["AddressID"])
        if owner in partners:
            found[row["EmailAddress"].lower()].add(str(owner))
    for _, row in s4.records("A_BPAddressIndependentEmail"):
        if row["BusinessPartner"] in partners:
            found[row["EmailAddress"].lower()].add(row["BusinessPartner"])
    return found


def _marked_twice(partners: Mapping[str, Mapping[str, Any]]) -> list[str]:
    carriers: defaultdict[str, list[str]] = defaultdict(list)
    for key, row in partners.items():
        if row[MARK]:
            carriers[row[MARK]].append(key)
    return [f"mark {mark} is carried by {', '.join(keys)}" for mark, keys in carriers.items() if len(keys) > 1]
