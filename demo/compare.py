"""Compares what S/4HANA holds with what stands in the shop, without a line of the hub: plain reading of both sides.

Each comparison yields differences in words. A difference that the systems' own rules explain (a field the shop has no place
for, a text longer than the shop's column) is not one; everything else is.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.sandboxes import Sandbox

ORGANIZATION = "2"
CUSTOMER_ROLES = {"FLCU00", "FLCU01"}


def customers(s4: Sandbox) -> dict[str, dict[str, Any]]:
    """The organizations of S/4HANA that are customers, by customer number; `barred` tells whether anything bars them."""
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
        if data["BusinessPartnerCategory"] == ORGANIZATION and key in with_role and data["Customer"]
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
    """The units of the shop by customer number."""
    return {data["l2cCustomerNumber"] or key: data for key, data in shop.records("B2BUnit")}


def systems_differ(s4: Sandbox, shop: Sandbox, today: str) -> list[str]:
    """What differs between the two systems: customers and units, blocked and inactive, addresses valid on `today`."""
    wanted, there, places = customers(s4), units(shop), addresses(s4)
    found = [f"customer {number} is not in the shop" for number in sorted(wanted.keys() - there.keys())]
    found += [f"unit {number} has no customer" for number in sorted(there.keys() - wanted.keys())]
    for number in sorted(wanted.keys() & there.keys()):
        partner, unit = wanted[number], there[number]
        if bool(unit["active"]) == partner["barred"]:
            found.append(f"customer {number}: barred {partner['barred']}, unit active {unit['active']}")
        valid = [place for place in places.get(partner["BusinessPartner"], []) if _valid(place, today)]
        found += _places_differ(number, valid, unit["addresses"])
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
