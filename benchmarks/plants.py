"""Differences planted between two systems that agree: what a reconciliation has to find, and what it must not report.

Everything is done as users and accidents would do it, at the control addresses of the simulated systems and, for a lost key
mapping, in the state store; not a line of the hub is used.
"""

import json
import random
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PARTNER, UNIT, ADDRESS = "A_BusinessPartner", "B2BUnit", "Address"
SOURCE, TARGET = "s4hana", "commerce"
LONG_AGO = {"LastChangeDate": "2020-02-02T00:00:00", "LastChangeTime": "02:02:02"}


@dataclass(frozen=True)
class System:
    """The control address of a simulated system."""

    url: str

    def change(self, entity: str, key: str, **values: Any) -> None:
        self._call("change", {"entity": entity, "key": key, "set": values})

    def create(self, entity: str, values: Mapping[str, Any]) -> str:
        return str(self._call("create", {"entity": entity, "set": dict(values)})["key"])

    def delete(self, entity: str, key: str) -> None:
        self._call("delete", {"entity": entity, "key": key})

    def record(self, entity: str, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call(f"record?{urlencode({'entity': entity, 'key': key})}")
        return found

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        after = ""
        while True:
            query = urlencode({"entity": entity, "after": after, "limit": 1000})
            with urllib.request.urlopen(f"{self.url}/_control/records?{query}", timeout=120) as answer:
                lines = answer.read().decode().splitlines()
            if not lines:
                return
            for line in lines:
                found = json.loads(line)
                yield found["key"], found["data"]
                after = found["key"]

    def _call(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/_control/{path}", data=data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@dataclass(frozen=True)
class Planted:
    """One difference: in which system it shows under which key, in which class, and a field that must be named."""

    kind: str
    verdict: str
    system: str
    key: str
    field: str = ""


@dataclass
class Garden:
    """Where differences are planted; each takes a unit of its own, in an order drawn from a seed."""

    s4: System
    shop: System
    database: Path
    units: list[tuple[str, str]]  # unit and its partner, active with addresses
    planted: list[Planted]

    def take(self) -> tuple[str, str]:
        return self.units.pop()


def garden(s4: System, shop: System, database: Path, seed: int) -> Garden:
    """All units that are active and have addresses, shuffled."""
    partners = {data["Customer"]: key for key, data in s4.records(PARTNER) if data["Customer"]}
    units = [(key, partners[key]) for key, data in shop.records(UNIT) if data["active"] and data["addresses"]]
    random.Random(seed).shuffle(units)
    return Garden(s4, shop, database, units, [])


def before(found: Garden, number: int) -> None:
    """What has to go through the hub first: records it will set aside. Capture and distribute afterwards."""
    for _ in range(number):
        unit, partner = found.take()
        found.s4.change(PARTNER, partner, OrganizationBPName1="", OrganizationBPName2="")
        found.planted.append(Planted("dead_letter", "dead_letter", TARGET, unit))


def after(found: Garden, number: int) -> None:
    """Everything else: `number` of each kind."""
    for kind in (_field, _deleted, _made, _address, _flipped, _missed, _lost_key):
        for turn in range(number):
            kind(found, turn)


def moving(found: Garden, number: int) -> None:
    """Changes the hub has yet to see: nothing to report."""
    for _ in range(number):
        _, partner = found.take()
        found.s4.change(PARTNER, partner, OrganizationBPName1="Changed a moment ago")


def _field(found: Garden, turn: int) -> None:
    unit, _ = found.take()
    name = ("name", "vatID", "l2cEmail")[turn % 3]
    found.shop.change(UNIT, unit, **{name: "XX123456"})
    found.planted.append(Planted("field_changed", "unexplained", TARGET, unit, name))


def _deleted(found: Garden, _: int) -> None:
    unit, _ = found.take()
    found.shop.delete(UNIT, unit)
    found.planted.append(Planted("unit_deleted", "missing_right", TARGET, unit))


def _made(found: Garden, turn: int) -> None:
    unit = found.shop.create(UNIT, {"uid": f"MADE-{turn}", "name": "Made in the shop", "active": True})
    found.planted.append(Planted("unit_created", "missing_left", TARGET, unit))


def _address(found: Garden, turn: int) -> None:
    unit, _ = found.take()
    change: Callable[[Garden, str], Planted] = (_address_changed, _address_removed, _address_added)[turn % 3]
    found.planted.append(change(found, unit))


def _address_changed(found: Garden, unit: str) -> Planted:
    found.shop.change(ADDRESS, _address_key(found, unit), town="Elsewhere")
    return Planted("address", "unexplained", TARGET, unit, "addresses.town")


def _address_removed(found: Garden, unit: str) -> Planted:
    found.shop.delete(ADDRESS, _address_key(found, unit))
    return Planted("address", "unexplained", TARGET, unit, "addresses")


def _address_added(found: Garden, unit: str) -> Planted:
    """Under `children: ours` it belongs to the shop: the hub would never take it away."""
    place = {"owner": unit, "streetname": "Side street", "town": "Bonn", "country": "DE"}
    found.shop.create(ADDRESS, place)
    return Planted("address", "equal_but_owned", TARGET, unit, "addresses")


def _address_key(found: Garden, unit: str) -> str:
    return f"false/{found.shop.record(UNIT, unit)['addresses'][0]['publicKey']}"


def _flipped(found: Garden, _: int) -> None:
    unit, _ = found.take()
    found.shop.change(UNIT, unit, active=False)
    found.planted.append(Planted("blocked_flipped", "unexplained", TARGET, unit, "active"))


def _missed(found: Garden, _: int) -> None:
    _, partner = found.take()
    found.s4.change(PARTNER, partner, OrganizationBPName1="Renamed long ago", **LONG_AGO)
    found.planted.append(Planted("source_changed", "unexplained", SOURCE, partner, "name"))


def _lost_key(found: Garden, turn: int) -> None:
    unit, partner = found.take()
    system, key = ((TARGET, unit), (SOURCE, partner))[turn % 2]
    with sqlite3.connect(found.database) as conn:
        where = "DELETE FROM key_mapping WHERE system = ? AND path = '' AND native_key = ?"
        if conn.execute(where, (system, key)).rowcount != 1:
            raise ValueError(f"{system} {key}: no key mapping to lose")
    conn.close()
    found.planted.append(Planted("key_lost", "unexplained", system, key))


def judged(
    answer: Mapping[str, Any], planted: list[Planted], earlier: Mapping[str, Any]
) -> tuple[dict[str, int], list[str], list[str]]:
    """Of a reconciliation's answer: planted differences found by kind, those not found, and what was reported besides.

    `earlier`: the answer before anything was planted; records set aside then are no surprise.
    """
    set_aside = {_place(one) for one in earlier["findings"] if one["verdict"] == "dead_letter"}
    listed = {_place(one): one for one in answer["findings"] if _place(one) not in set_aside}
    found: dict[str, int] = {}
    lost = []
    for one in planted:
        hit = listed.pop((one.system, one.key, one.verdict), None)
        if hit is None or (one.field and one.field not in hit["fields"]):
            lost.append(f"{one.kind} {one.system} {one.key}: {hit['fields'] if hit else 'not there'}")
        else:
            found[one.kind] = found.get(one.kind, 0) + 1
    false = [
        f"{one['verdict']} {one['system']} {one['key']} {one['fields']}: {one['reason']}" for one in listed.values()
    ]
    return found, lost, false


def _place(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    return finding["system"], finding["key"], finding["verdict"]
