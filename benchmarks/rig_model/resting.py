"""Where partners begin, in step on both sides, and what does not stand as the owners' rules say in the end."""

from typing import Any

from benchmarks.rig_model.owners import SOURCE, TARGET, History, Screens, Users


def begin(world: Screens) -> list[History]:
    """The histories of all units, from what both systems show when they are in step."""
    partners = dict(world.s4.records("A_BusinessPartner"))
    sides = dict(world.s4.records("A_Customer"))
    places: dict[str, dict[str, dict[str, Any]]] = {}
    boxed = set()  # with a post office box the shop's town and postal code may be the box's: they are not read back
    for _, row in world.s4.records("A_BusinessPartnerAddress"):
        if row["POBox"]:
            boxed.add(row["BusinessPartner"])
        place = {"born": SOURCE, "city": row["CityName"], "phones": None}
        places.setdefault(row["BusinessPartner"], {})[row["AddressID"]] = place
    found = []
    for uid, unit in world.shop.records("B2BUnit"):
        number = unit["l2cPartnerNumber"]
        row = partners[number]
        side = sides[row["Customer"]]
        if side["OrderIsBlockedForCustomer"] or side["DeletionIndicator"]:
            continue
        if row["IsMarkedForArchiving"] or len(unit["addresses"]) != len(places[number]) or number in boxed:
            continue
        name = " ".join(part for n in "1234" if (part := row[f"OrganizationBPName{n}"]))
        found.append(History(number, uid, name, row["BusinessPartnerIsBlocked"], places[number]))
    return found


def mistakes(world: Screens, histories: list[History], users: Users) -> list[str]:
    """What does not stand as it must, on either side."""
    users.look()
    partners = dict(world.s4.records("A_BusinessPartner"))
    found: list[str] = []
    for one in histories:
        unit, row = users.units[one.unit], partners[one.number]
        name = " ".join(part for n in "1234" if (part := row[f"OrganizationBPName{n}"]))
        for system, shown in ((SOURCE, name), (TARGET, unit["name"])):
            if shown != one.name:
                found.append(f"{one.number}: name in {system} is '{shown}', must be '{one.name}'")
        if unit["active"] == one.barred or row["BusinessPartnerIsBlocked"] != one.barred:
            found.append(
                f"{one.number}: barred {row['BusinessPartnerIsBlocked']}, unit active {unit['active']}, must be {one.barred}"
            )
        there = {
            SOURCE: {
                row["AddressIDByExternalSystem"] or row["AddressID"]: row for row in users.s4_places.get(one.number, [])
            },
            TARGET: {row["publicKey"].rpartition("|")[2]: row for row in unit["addresses"]},
        }
        for system, city in ((SOURCE, "CityName"), (TARGET, "town")):
            cities = {key: row[city] for key, row in there[system].items()}
            wanted = {key: place["city"] for key, place in one.places.items()}
            if cities != wanted:
                found.append(f"{one.number}: addresses in {system} {cities}, must be {wanted}")
        found += _phones(one, there, users)
    return found


def _phones(one: History, there: dict[str, dict[str, dict[str, Any]]], users: Users) -> list[str]:
    found = []
    for key, place in one.places.items():
        if place["phones"] is None or key not in there[SOURCE] or key not in there[TARGET]:
            continue
        rows = [row for row in users.phones(there[SOURCE][key]["AddressID"]) if row["PhoneNumberType"] == "1"]
        shown = {SOURCE: rows[0]["PhoneNumber"] if rows else "", TARGET: there[TARGET][key]["phone1"] or ""}
        if shown[SOURCE] != shown[TARGET] or shown[TARGET] not in place["phones"]:
            found.append(f"{one.number}: phone of {key} {shown}, must be one of {place['phones']}")
    return found
