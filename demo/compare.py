"""Compares what S/4HANA holds with what stands in the shop, without a line of the hub: plain reading of both sides.

Each comparison yields differences in words. A difference that the systems' own rules explain (a field the shop has no place
for, a text longer than the shop's column) is not one; everything else is.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.sandboxes import Sandbox

PERSON, ORGANIZATION = "1", "2"
CUSTOMER_ROLES = {"FLCU00", "FLCU01"}
ACCOUNTS = {"B2BUnit": "l2cPartnerNumber", "Customer": "l2cPartnerNumber", "B2BCustomer": "sapBusinessPartnerID"}
Truth = Sequence[Mapping[str, Any]]  # who each unit of a prefilled shop really is, as the shop's generator knows


def customers(s4: Sandbox) -> dict[str, dict[str, Any]]:
    """The organizations of S/4HANA that are customers, by customer number; `barred` tells whether anything bars them."""
    return _customers(s4, ORGANIZATION)


def consumers(s4: Sandbox) -> dict[str, dict[str, Any]]:
    """The persons of S/4HANA that are customers and have an e-mail address, by customer number, `barred` as above."""
    themselves = {data["BusinessPartner"] for _, data in s4.records("A_BPAddressIndependentEmail")}
    reached = {data["AddressID"] for _, data in s4.records("A_AddressEmailAddress")}
    places = addresses(s4)
    return {
        number: data
        for number, data in _customers(s4, PERSON).items()
        if data["BusinessPartner"] in themselves
        or any(place["AddressID"] in reached for place in places.get(data["BusinessPartner"], ()))
    }


def _customers(s4: Sandbox, category: str) -> dict[str, dict[str, Any]]:
    with_role = {
        data["BusinessPartner"]
        for _, data in s4.records("A_BusinessPartnerRole")
        if data["BusinessPartnerRole"] in CUSTOMER_ROLES
    }
    barred = {
        data["Customer"]
        for _, data in s4.records("A_Customer")
        if data["OrderIsBlockedForCustomer"] or data["DeletionIndicator"]
    }
    return {
        data["Customer"]: {**data, "barred": data["Customer"] in barred or _barred(data)}
        for key, data in s4.records("A_BusinessPartner")
        if data["BusinessPartnerCategory"] == category and key in with_role and data["Customer"]
    }


def _barred(partner: Mapping[str, Any]) -> bool:
    return bool(partner["BusinessPartnerIsBlocked"] or partner["IsMarkedForArchiving"])


def addresses(s4: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """The addresses of S/4HANA by partner."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _, data in s4.records("A_BusinessPartnerAddress"):
        found.setdefault(data["BusinessPartner"], []).append(data)
    return found


def units(shop: Sandbox) -> dict[str, dict[str, Any]]:
    """The units of the shop by customer number, else by uid."""
    return {data["l2cCustomerNumber"] or key: data for key, data in shop.records("B2BUnit")}


def systems_differ(s4: Sandbox, shop: Sandbox, today: str, undecided: Truth = ()) -> list[str]:
    """What differs between the two systems: customers and accounts, barred and inactive, addresses valid on `today`.

    `undecided`: what the shop knows of units that may be one of several customers; they and those customers are left out.
    """
    apart = {name for one in undecided for name in (one["unit"], *one["candidates"])}
    accounts = {data["l2cCustomerNumber"]: data for _, data in shop.records("Customer")}
    sides = [
        ("unit", customers(s4), units(shop), lambda unit: not unit["active"]),
        ("consumer", consumers(s4), accounts, lambda account: account["loginDisabled"]),
    ]
    places, found = addresses(s4), []
    for word, wanted, there, closed in sides:
        found += [
            f"customer {number} is no {word} of the shop" for number in sorted(wanted.keys() - there.keys() - apart)
        ]
        found += [f"{word} {number} has no customer" for number in sorted(there.keys() - wanted.keys() - apart)]
        for number in sorted((wanted.keys() & there.keys()) - apart):
            partner, account = wanted[number], there[number]
            if bool(closed(account)) != partner["barred"]:
                found.append(f"customer {number}: barred {partner['barred']}, {word} closed {closed(account)}")
            valid = [place for place in places.get(partner["BusinessPartner"], []) if _valid(place, today)]
            found += _places_differ(number, valid, account["addresses"])
    return found


def linked(s4: Sandbox, shop: Sandbox, truth: Truth) -> tuple[set[str], list[str]]:
    """The units that carry the number of the partner they really are, and what is linked wrongly, in words."""
    numbers = {data["Customer"]: data["BusinessPartner"] for _, data in s4.records("A_BusinessPartner")}
    there = {key: data["l2cPartnerNumber"] for key, data in shop.records("B2BUnit")}
    right = {one["unit"] for one in truth if one["customer"] and there[one["unit"]] == numbers[one["customer"]]}
    wrong = [
        f"unit {one['unit']} carries partner {there[one['unit']]}"
        for one in truth
        if there[one["unit"]] and one["unit"] not in right
    ]
    return right, wrong


def doubled(s4: Sandbox, shop: Sandbox, truth: Truth) -> list[str]:
    """Who stands in a system twice, in words: one line for each record too many."""
    found = [
        f"{count - 1} × {name} {number} too many in the shop"
        for name, field in ACCOUNTS.items()
        for number, count in Counter(data[field] for _, data in shop.records(name)).items()
        if number and count > 1
    ]
    had = {name for one in truth for name in (one["customer"], *one["candidates"])}
    made = {entry["key"] for entry in shop.log("B2BUnit") if entry["action"] == "created"}
    found += [f"customer {number} had a unit and got a second one" for number in sorted(made & had)]
    made = {entry["key"] for entry in s4.log("A_BusinessPartner") if entry["action"] == "created"}
    born = [data for key, data in s4.records("A_BusinessPartner") if key in made]
    for what in (lambda one: one["BusinessPartnerIDByExtSystem"], lambda one: one["BusinessPartnerFullName"]):
        repeated = {text: count for text, count in Counter(map(what, born)).items() if text and count > 1}
        found += [f"{count - 1} × {text} too many in S/4HANA" for text, count in repeated.items()]
    return found


def _valid(place: Mapping[str, Any], today: str) -> bool:
    begin, end = place["ValidityStartDate"] or "0001-01-01", place["ValidityEndDate"] or "9999-12-31"
    return begin[:10] <= today <= end[:10]


def _places_differ(number: str, places: list[dict[str, Any]], shown: list[dict[str, Any]]) -> Iterator[str]:
    wanted = sorted(
        tuple(_text(place[name]) for name in ("StreetName", "HouseNumber", "CityName", "Country")) for place in places
    )
    there = sorted(
        tuple(_text(one[name]) for name in ("streetname", "streetnumber", "town", "country")) for one in shown
    )
    if wanted != there:
        yield f"customer {number}: addresses {wanted} in S/4HANA, {there} in the shop"


def csv_differs(folder: Path, shop: Sandbox, changed: Mapping[str, Mapping[str, str]]) -> tuple[int, list[str]]:
    """How many values of SAP's demonstration CSV were compared with the shop, and what differs.

    `changed` holds what the story itself changed: partner → column → new value.
    """
    partners, places = _rows(folder / "businessPartner.csv", "PARTNERID"), _rows(folder / "addresses.csv", "ADDRESSID")
    there = units(shop)
    compared = 0
    found: list[str] = []
    for number, row in partners.items():
        unit = there.pop(number, None)
        if row["PARTNERROLE"] != "1":
            if unit is not None:
                found.append(f"supplier {number} stands in the shop")
            continue
        if unit is None:
            found.append(f"customer {number} is not in the shop")
            continue
        new = changed.get(number, {})
        wanted = _wanted({**row, **new}, {**places[row["ADDRESSES.ADDRESSID"]], **new})
        shown = _shown(unit)
        compared += len(wanted)
        found += [
            f"customer {number}, {name}: '{wanted[name]}' in the CSV, '{shown[name]}' in the shop"
            for name in wanted
            if wanted[name] != shown[name]
        ]
    found += [f"unit {number} is in no CSV" for number in there]
    return compared, found


def _wanted(partner: Mapping[str, str], place: Mapping[str, str]) -> dict[str, str]:
    return {
        "name": " ".join(part for part in (partner["COMPANYNAME"], partner["LEGALFORM"]) if part),
        "active": partner.get("ACTIVE", "true"),
        "e-mail": partner["EMAILADDRESS"],
        "phone": partner["PHONENUMBER"],
        "fax": partner["FAXNUMBER"],
        "web": partner["WEBADDRESS"],
        "street": place["STREET"],
        "house number": place["BUILDING"],
        "postal code": place["POSTALCODE"],
        "town": place["CITY"],
        "country": place["COUNTRY"],
    }


def _shown(unit: Mapping[str, Any]) -> dict[str, str]:
    place: Mapping[str, Any] = next(iter(unit["addresses"]), {})
    return {
        "name": _text(unit["name"]),
        "active": "true" if unit["active"] else "false",
        "e-mail": _text(place.get("email")),
        "phone": _text(place.get("phone1")),
        "fax": _text(place.get("fax")),
        "web": _text(place.get("url")),
        "street": _text(place.get("streetname")),
        "house number": _text(place.get("streetnumber")),
        "postal code": _text(place.get("postalcode")),
        "town": _text(place.get("town")),
        "country": _text(place.get("country")),
    }


def _rows(path: Path, key: str) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return {row[key]: row for row in csv.DictReader(lines)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
