"""Compares what S/4HANA holds with what stands in the shop, by the control addresses alone: not a line of the hub.

Every customer organization of S/4HANA must stand in the shop exactly once, with the addresses valid today and its active
flag; nothing else may stand there active; and the shop's commit log must not create anything twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

PERSON, ORGANIZATION = "1", "2"
CUSTOMER_ROLES = {"FLCU00", "FLCU01"}
PLACE = {  # S/4HANA's field → the shop's attribute
    "StreetName": "streetname",
    "HouseNumber": "streetnumber",
    "PostalCode": "postalcode",
    "CityName": "town",
    "Country": "country",
}


class System(Protocol):
    """The control address of a simulated system."""

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and state of every record."""
        ...

    def log(self, *, after: int = 0, origin: str = "api", entity: str | None = None) -> list[dict[str, Any]]:
        """The commit log behind a number."""
        ...


@dataclass
class Found:
    """What a comparison found, in words; all lists empty: the systems agree."""

    customers: int = 0
    addresses: int = 0
    commits: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # persons whose address to sign in with is another one's already
    held: list[str] = field(default_factory=list)  # partners not in the shop that share a tax number with another one

    @property
    def differences(self) -> list[str]:
        """Everything that is not as it must be."""
        return [*self.lost, *self.doubled, *self.wrong, *self.stray]


def check(s4: System, shop: System, *, today: str | None = None) -> Found:
    """Compare both systems as they stand; `today` is a day as ISO text in the shop's time zone (UTC)."""
    day = today or datetime.now(UTC).date().isoformat()
    customers, places, sides = customers_of(s4), addresses_of(s4), dict(s4.records("A_Customer"))
    units = dict(shop.records("B2BUnit"))
    found = Found(customers=len(customers))
    numbers = Counter(number for unit in units.values() if (number := unit["l2cCustomerNumber"]))
    found.doubled += [f"customer {number} stands {count} times" for number, count in numbers.items() if count > 1]
    by_number = {unit["l2cCustomerNumber"]: unit for unit in units.values()}
    shared = _sharing_tax_numbers(s4)
    for number, partner in customers.items():
        unit = by_number.pop(number, None)
        if unit is None:
            alone = partner["BusinessPartner"] not in shared
            (found.lost if alone else found.held).append(f"customer {number} is not in the shop")
            continue
        valid = [place for place in places.get(partner["BusinessPartner"], ()) if _valid(place, day)]
        found.addresses += len(valid)
        found.wrong += _differences(number, partner | {"customer": sides.get(number, {})}, valid, unit)
    _consumers(s4, shop, found)
    found.stray += [f"unit {number} has no customer" for number, unit in by_number.items() if unit["active"]]
    found.commits = len(shop.log(origin="api"))
    found.doubled += created_twice(shop.log(origin="all"))  # what users delete may be created again
    return found


def _sharing_tax_numbers(s4: System) -> set[str]:
    """Partners that have a tax number another one has too: who of them is whom, a person decides."""
    owners: dict[str, set[str]] = {}
    for _, row in s4.records("A_BusinessPartnerTaxNumber"):
        owners.setdefault(row["BPTaxNumber"], set()).add(row["BusinessPartner"])
    return {partner for sharing in owners.values() if len(sharing) > 1 for partner in sharing}


def _consumers(s4: System, shop: System, found: Found) -> None:
    """Consumers without their person, and persons without their consumer; of those who share an address one signs in."""
    persons, mails = consumers_of(s4), _mails(s4)
    rows = [row for _, row in shop.records("Customer")]
    there = Counter(row["l2cCustomerNumber"] for row in rows)
    owners = {row["uid"].lower(): row["l2cCustomerNumber"] for row in rows}
    found.stray += [f"consumer {number} stands {count} times" for number, count in there.items() if count > 1]
    found.stray += [f"consumer {number} has no person" for number in there if number not in persons]
    for number, person in persons.items():
        if number not in there:
            shared = any(owners.get(mail) in persons for mail in mails[person["BusinessPartner"]])
            (found.taken if shared else found.stray).append(f"person {number} is no consumer")


def customers_of(s4: System) -> dict[str, dict[str, Any]]:
    """The organizations of S/4HANA that are customers, by customer number."""
    return _customers(s4, ORGANIZATION)


def consumers_of(s4: System) -> dict[str, dict[str, Any]]:
    """The persons of S/4HANA that are customers and have an e-mail address to sign in with, by customer number."""
    mails = _mails(s4)
    return {number: row for number, row in _customers(s4, PERSON).items() if row["BusinessPartner"] in mails}


def _mails(s4: System) -> dict[str, set[str]]:
    """The e-mail addresses of partners, their own and those of their addresses, in small letters."""
    owners = {row["AddressID"]: row["BusinessPartner"] for _, row in s4.records("A_BusinessPartnerAddress")}
    found: dict[str, set[str]] = {}
    for _, row in s4.records("A_AddressEmailAddress"):
        if row["EmailAddress"] and row["AddressID"] in owners:
            found.setdefault(owners[row["AddressID"]], set()).add(row["EmailAddress"].lower())
    for _, row in s4.records("A_BPAddressIndependentEmail"):
        if row["EmailAddress"]:
            found.setdefault(row["BusinessPartner"], set()).add(row["EmailAddress"].lower())
    return found


def _customers(s4: System, category: str) -> dict[str, dict[str, Any]]:
    having = {
        row["BusinessPartner"]
        for _, row in s4.records("A_BusinessPartnerRole")
        if row["BusinessPartnerRole"] in CUSTOMER_ROLES
    }
    return {
        row["Customer"]: row
        for key, row in s4.records("A_BusinessPartner")
        if row["BusinessPartnerCategory"] == category and row["Customer"] and key in having
    }


def addresses_of(s4: System) -> dict[str, list[dict[str, Any]]]:
    """The addresses of S/4HANA by partner."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _, row in s4.records("A_BusinessPartnerAddress"):
        found.setdefault(row["BusinessPartner"], []).append(row)
    return found


def may_order(partner: Mapping[str, Any], customer: Mapping[str, Any]) -> bool:
    """Whether nothing bars the partner: neither blocked nor archived nor, as a customer, blocked for orders or deleted."""
    barred = partner["BusinessPartnerIsBlocked"] or partner["IsMarkedForArchiving"]
    return not (barred or customer.get("OrderIsBlockedForCustomer") or customer.get("DeletionIndicator"))


def created_twice(log: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a commit log creates although it stands there already."""
    standing: set[tuple[str, str]] = set()
    twice = []
    for entry in log:
        thing = (entry["entity"], entry["key"])
        if entry["action"] == "created":
            if thing in standing:
                twice.append(f"{thing[0]} {thing[1]} was created twice")
            standing.add(thing)
        elif entry["action"] == "deleted":
            standing.discard(thing)
    return twice


def _valid(place: Mapping[str, Any], day: str) -> bool:
    begin, end = place["ValidityStartDate"] or "0001-01-01", place["ValidityEndDate"] or "9999-12-31"
    return bool(begin[:10] <= day <= end[:10])


def _differences(
    number: str, partner: Mapping[str, Any], places: Iterable[Mapping[str, Any]], unit: Mapping[str, Any]
) -> list[str]:
    found = []
    if bool(unit["active"]) != may_order(partner, partner["customer"]):
        found.append(f"customer {number}: may order {not unit['active']}, unit active {unit['active']}")
    name = " ".join(part for n in "1234" if (part := partner[f"OrganizationBPName{n}"]))
    if unit["name"] != name:
        found.append(f"customer {number}: name '{name}', in the shop '{unit['name']}'")
    wanted = sorted(tuple(_text(place[name]) for name in PLACE) for place in places)
    there = sorted(tuple(_text(place[name]) for name in PLACE.values()) for place in unit["addresses"])
    if wanted != there:
        found.append(f"customer {number}: addresses {wanted}, in the shop {there}")
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
