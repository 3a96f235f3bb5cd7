"""The main job on SAP's own demonstration partners: 18 countries, umlauts, fax and web fields, missing regions."""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.checker import check
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, ROOT, SOURCE, TARGET

EPM = ROOT.parent / "shared" / "data" / "epm"
CUSTOMER = "1"
PARTNER_FIELDS = {"EMAILADDRESS": "email", "PHONENUMBER": "phone1", "FAXNUMBER": "fax", "WEBADDRESS": "url"}
PLACE_FIELDS = {
    "STREET": "streetname",
    "BUILDING": "streetnumber",
    "POSTALCODE": "postalcode",
    "CITY": "town",
    "COUNTRY": "country",
}


def rows(name: str) -> list[dict[str, str]]:
    with (EPM / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def compared(unit: Mapping[str, Any], partner: Mapping[str, str], place: Mapping[str, str]) -> dict[str, tuple]:
    """Each value of the CSV beside the shop's, by a name for the message."""
    shown = unit["addresses"][0] if len(unit["addresses"]) == 1 else {}
    name = " ".join(part for part in (partner["COMPANYNAME"], partner["LEGALFORM"]) if part)
    pairs = {
        "uid": (partner["PARTNERID"], unit["uid"]),
        "name": (name, unit["name"]),
        "customer number": (partner["PARTNERID"], unit["l2cCustomerNumber"]),
        "active": (True, unit["active"]),
        "addresses": (1, len(unit["addresses"])),
    }
    pairs.update({column: (partner[column], shown.get(name) or "") for column, name in PARTNER_FIELDS.items()})
    pairs.update({column: (place[column], shown.get(name) or "") for column, name in PLACE_FIELDS.items()})
    return pairs


@pytest.mark.skipif(
    not EPM.is_dir(), reason=f"SAP's demonstration data is not at {Path('..', 'shared', 'data', 'epm')}"
)
def test_saps_demonstration_customers_stand_in_the_shop_as_the_csv_names_them(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, epm=EPM)
    partners = {row["PARTNERID"]: row for row in rows("businessPartner.csv")}
    places = {row["ADDRESSID"]: row for row in rows("addresses.csv")}
    with world.hub() as hub:
        captured = hub.capture(FLOW, SOURCE)
        distributed = hub.distribute(FLOW, TARGET)
        cells = {cell.kind: cell for cell in hub.status(FLOW)}
        numbered = {row.native_key for row in hub.keys(FLOW, system=SOURCE, limit=None) if row.path == ""}

    # every partner ends in a named state
    assert captured.sums_met
    assert distributed.sums_met
    assert captured.counts["read"] == captured.counts["journaled"] == len(partners)
    assert numbered == partners.keys()
    customers = {number for number, row in partners.items() if row["PARTNERROLE"] == CUSTOMER}
    assert distributed.counts["due"] == len(partners)
    assert distributed.counts["written"] == len(customers)
    assert distributed.counts["filtered"] == len(partners) - len(customers)
    assert all(cell.dead_letters == cell.waiting == cell.retrying == 0 for cell in cells.values())

    # an independent comparison of CSV and shop
    units = dict(world.shop.records("B2BUnit"))
    assert units.keys() == customers
    differences, values, countries = [], 0, Counter()
    for number in sorted(customers):
        partner = partners[number]
        place = places[partner["ADDRESSES.ADDRESSID"]]
        countries[place["COUNTRY"]] += 1
        pairs = compared(units[number], partner, place)
        values += len(pairs)
        differences += [f"{number} {name}: {a!r} → {b!r}" for name, (a, b) in pairs.items() if a != b]
    print(f"{len(customers)} customers in {len(countries)} countries, {values} values compared")
    assert differences == []
    assert check(world.s4, world.shop).differences == []

    # and nothing is written a second time
    before = world.shop.last_commit()
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
        hub.distribute(FLOW, TARGET)
    assert world.shop.last_commit() == before
