"""What users of both systems do to a partner, and what the owners' rules say must stand in the end: not a line of the hub."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

SOURCE, TARGET = "s4hana", "commerce"


class Screen(Protocol):
    """One system as the people at its screens have it."""

    def change(self, entity: str, key: str, **values: Any) -> None:
        """Change fields of one record."""
        ...

    def create(self, entity: str, values: Mapping[str, Any]) -> str:
        """Create one record; its key."""
        ...

    def delete(self, entity: str, key: str) -> None:
        """Delete one record."""
        ...

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """The state of one record."""
        ...

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and state of every record."""
        ...


class Screens(Protocol):
    """Both systems."""

    @property
    def s4(self) -> Screen:
        """S/4HANA."""
        ...

    @property
    def shop(self) -> Screen:
        """The shop."""
        ...


@dataclass
class History:
    """One partner, its unit, and what must stand there in the end; a set of phones: edits of one round may win either way."""

    number: str
    unit: str
    name: str
    barred: bool
    places: dict[str, dict[str, Any]]  # by the key its system of birth gave: born, city, phones


class Users:
    """People at the screens of both systems."""

    def __init__(self, world: Screens, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.count = 0

    def fresh(self, word: str) -> str:
        self.count += 1
        return f"{word} {self.count}"

    def act(self, one: History, round_: int) -> None:
        """One edit by somebody, read in that round: where S/4HANA's stamp does not move, an edit is as old as its reading."""
        acts: list[Callable[[History, int], None]] = [
            self.rename_in_s4,
            self.rename_in_shop,
            self.block_in_s4,
            self.block_in_shop,
            self.call_in_s4,
            self.call_in_shop,
            self.move_in_s4,
            self.move_in_shop,
            self.add_in_s4,
            self.add_in_shop,
            self.remove_in_s4,
            self.remove_in_shop,
        ]
        self.random.choice(acts)(one, round_)

    def rename_in_s4(self, one: History, _: int) -> None:
        one.name = self.fresh("Umbenannt")
        values = {"OrganizationBPName1": one.name} | {f"OrganizationBPName{n}": "" for n in "234"}
        self.world.s4.change("A_BusinessPartner", one.number, **values)

    def rename_in_shop(self, one: History, _: int) -> None:
        self.world.shop.change("B2BUnit", one.unit, name=self.fresh("Nicht erlaubt"))

    def block_in_s4(self, one: History, _: int) -> None:
        one.barred = not one.barred
        self.world.s4.change("A_BusinessPartner", one.number, BusinessPartnerIsBlocked=one.barred)

    def block_in_shop(self, one: History, _: int) -> None:
        unit = self.world.shop.record("B2BUnit", one.unit) or {}
        self.world.shop.change("B2BUnit", one.unit, active=not unit["active"])

    def call_in_s4(self, one: History, round_: int) -> None:
        """A phone number S/4HANA shows for an address."""
        for key, place in self.there_in_s4(one):
            number = self._phone()
            found = [row for row in self.phones(place["AddressID"]) if row["PhoneNumberType"] == "1"]
            if found:
                row = found[0]
                where = "/".join((row["AddressID"], row["Person"], row["OrdinalNumber"]))
                self.world.s4.change("A_AddressPhoneNumber", where, PhoneNumber=number, PhoneNumberExtension="")
                self._called(one, key, number, round_)
                return

    def call_in_shop(self, one: History, round_: int) -> None:
        for key, row in self.there_in_shop(one):
            number = self._phone()
            self.world.shop.change("Address", f"{str(row['duplicate']).lower()}/{row['publicKey']}", phone1=number)
            self._called(one, key, number, round_)
            return

    def move_in_s4(self, one: History, _: int) -> None:
        for key, place in self.there_in_s4(one):
            city = self.fresh("Neustadt")
            self.world.s4.change("A_BusinessPartnerAddress", f"{one.number}/{place['AddressID']}", CityName=city)
            if one.places[key]["born"] == SOURCE:
                one.places[key]["city"] = city
            return

    def move_in_shop(self, one: History, _: int) -> None:
        for key, row in self.there_in_shop(one):
            town = self.fresh("Altstadt")
            self.world.shop.change("Address", f"{str(row['duplicate']).lower()}/{row['publicKey']}", town=town)
            if one.places[key]["born"] == TARGET:
                one.places[key]["city"] = town
            return

    def add_in_s4(self, one: History, _: int) -> None:
        city = self.fresh("Zweigstelle")
        values = {"BusinessPartner": one.number, "CityName": city, "Country": "DE", "PostalCode": "10115"}
        key = self.world.s4.create("A_BusinessPartnerAddress", values).split("/")[1]
        one.places[key] = {"born": SOURCE, "city": city, "phones": {""}}

    def add_in_shop(self, one: History, _: int) -> None:
        city, key = self.fresh("Lager"), f"88{self.count:09d}"
        values = {"owner": one.unit, "publicKey": key, "duplicate": False, "town": city, "country": "DE"}
        values |= {"postalcode": "20095", "streetname": "Kai"}
        self.world.shop.create("Address", values)
        one.places[key] = {"born": TARGET, "city": city, "phones": {""}}

    def remove_in_s4(self, one: History, _: int) -> None:
        for key, place in reversed(self.there_in_s4(one)):
            if len(self.there_in_s4(one)) > 1:
                self.world.s4.delete("A_BusinessPartnerAddress", f"{one.number}/{place['AddressID']}")
                self._removed(one, key, SOURCE)
            return

    def remove_in_shop(self, one: History, _: int) -> None:
        for key, row in reversed(self.there_in_shop(one)):
            self.world.shop.delete("Address", f"{str(row['duplicate']).lower()}/{row['publicKey']}")
            self._removed(one, key, TARGET)
            return

    def _removed(self, one: History, key: str, system: str) -> None:
        if one.places[key]["born"] == system:
            del one.places[key]
        else:
            one.places[key]["phones"] = None  # comes back as it was last read: a phone typed since went with it

    def _phone(self) -> str:
        self.count += 1
        return f"030 {self.count:07d}"

    @staticmethod
    def _called(one: History, key: str, number: str, round_: int) -> None:
        place = one.places[key]
        if place.get("round") == round_ and place["phones"] is not None:
            place["phones"].add(number)  # two people in one round: either may be the younger one as the systems tell
        else:
            place["phones"], place["round"] = {number}, round_

    # What stands where, looked at once before the edits of a moment: each partner is edited once in it

    def look(self) -> None:
        self.s4_places: dict[str, list[dict[str, Any]]] = {}
        for _, row in self.world.s4.records("A_BusinessPartnerAddress"):
            self.s4_places.setdefault(row["BusinessPartner"], []).append(row)
        self.s4_phones: dict[str, list[dict[str, Any]]] = {}
        for _, row in self.world.s4.records("A_AddressPhoneNumber"):
            self.s4_phones.setdefault(row["AddressID"], []).append(row)
        self.units = dict(self.world.shop.records("B2BUnit"))

    def there_in_s4(self, one: History) -> list[tuple[str, dict[str, Any]]]:
        keyed = [(row["AddressIDByExternalSystem"] or row["AddressID"], row) for row in self.s4_places[one.number]]
        return [(key, row) for key, row in keyed if key in one.places]

    def there_in_shop(self, one: History) -> list[tuple[str, dict[str, Any]]]:
        keyed = [(row["publicKey"].rpartition("|")[2], row) for row in self.units[one.unit]["addresses"]]
        return [(key, row) for key, row in keyed if key in one.places]

    def phones(self, address: str) -> list[dict[str, Any]]:
        return self.s4_phones.get(address, [])
