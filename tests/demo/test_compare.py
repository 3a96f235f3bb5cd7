"""The demo's comparison finds what differs: it is not made of the hub, and it can fail."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo import compare

PARTNERS = (
    "PARTNERID,PARTNERROLE,EMAILADDRESS,PHONENUMBER,FAXNUMBER,WEBADDRESS,ADDRESSES.ADDRESSID,COMPANYNAME,LEGALFORM\n"
    "100,1,a@example.com,123,,http://example.com,7,Müller,GmbH\n"
    "200,2,b@example.com,456,,,8,Supply,Inc.\n"
)
ADDRESSES = (
    "ADDRESSID,CITY,POSTALCODE,STREET,BUILDING,COUNTRY\n7,Köln,00501,Ringstraße,2,DE\n8,Boston,02108,Elm Street,1,US\n"
)


class Shop:
    """The records of a shop, as its control address would list them."""

    def __init__(self, *units: dict[str, Any]) -> None:
        self._units = units

    def records(self, entity: str):
        assert entity == "B2BUnit"
        return ((unit["l2cCustomerNumber"], unit) for unit in self._units)


@dataclass
class System:
    """A system's records by entity, and the keys created through its interface."""

    held: dict[str, dict[str, dict[str, Any]]]
    made: dict[str, list[str]] = field(default_factory=dict)

    def records(self, entity: str):
        return iter(self.held.get(entity, {}).items())

    def log(self, entity: str) -> list[dict[str, Any]]:
        return [{"key": key, "action": "created"} for key in self.made.get(entity, [])]


def partner(number: str, mark: str = "", name: str = "") -> dict[str, Any]:
    ours = {"BusinessPartnerIDByExtSystem": mark, "BusinessPartnerFullName": name}
    return {"BusinessPartner": number, "Customer": f"C{number}", **ours}


def systems(*numbers: str | None) -> tuple[System, System]:
    """Partners 1 and 2 of S/4HANA, and a shop whose units u1, u2 … carry these numbers of partners."""
    s4 = System({"A_BusinessPartner": {number: partner(number) for number in "12"}})
    units = {f"u{place}": {"l2cPartnerNumber": number} for place, number in enumerate(numbers, 1)}
    return s4, System({"B2BUnit": units})


TRUTH = [
    {"unit": "u1", "customer": "C1", "rule": "vat", "candidates": []},
    {"unit": "u2", "customer": None, "rule": "ambiguous", "candidates": ["C2"]},
]


def unit(number: str = "100", **changes: Any) -> dict[str, Any]:
    place = {
        "streetname": "Ringstraße",
        "streetnumber": "2",
        "postalcode": "00501",
        "town": "Köln",
        "country": "DE",
        "email": "a@example.com",
        "phone1": "123",
        "fax": None,
        "url": "http://example.com",
    }
    place.update({name: value for name, value in changes.items() if name in place})
    others = {name: value for name, value in changes.items() if name not in place}
    return {"l2cCustomerNumber": number, "name": "Müller GmbH", "active": True, "addresses": [place], **others}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "businessPartner.csv").write_text(PARTNERS, encoding="utf-8-sig")
    (tmp_path / "addresses.csv").write_text(ADDRESSES, encoding="utf-8")
    return tmp_path


def test_an_equal_shop_has_no_difference(folder) -> None:
    assert compare.csv_differs(folder, Shop(unit()), {}) == (11, [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"town": "Koeln"}, "customer 100, town: 'Köln' in the CSV, 'Koeln' in the shop"),
        ({"postalcode": "501"}, "customer 100, postal code: '00501' in the CSV, '501' in the shop"),
        ({"active": False}, "customer 100, active: 'true' in the CSV, 'false' in the shop"),
        ({"fax": "9"}, "customer 100, fax: '' in the CSV, '9' in the shop"),
        ({"addresses": []}, "customer 100, street: 'Ringstraße' in the CSV, '' in the shop"),
    ],
)
def test_a_value_that_differs_is_named(folder, changes, said: str) -> None:
    assert said in compare.csv_differs(folder, Shop(unit(**changes)), {})[1]


def test_a_missing_customer_a_supplier_and_a_stranger_are_named(folder) -> None:
    _, found = compare.csv_differs(folder, Shop(unit("200"), unit("300")), {})
    assert found == ["customer 100 is not in the shop", "supplier 200 stands in the shop", "unit 300 is in no CSV"]


def test_what_the_story_changed_is_expected(folder) -> None:
    changed = {"100": {"STREET": "Neue Gasse", "ACTIVE": "false"}}
    assert compare.csv_differs(folder, Shop(unit(streetname="Neue Gasse", active=False)), changed)[1] == []
    assert len(compare.csv_differs(folder, Shop(unit()), changed)[1]) == 2


def test_a_unit_that_carries_its_own_partner_is_linked_rightly() -> None:
    assert compare.linked(*systems("1", None), TRUTH) == ({"u1"}, [])


def test_a_unit_that_carries_another_partner_is_told() -> None:
    assert compare.linked(*systems("2", "2"), TRUTH) == (
        set(),
        ["unit u1 carries partner 2", "unit u2 carries partner 2"],
    )


def test_nobody_is_doubled_in_systems_that_agree() -> None:
    assert compare.doubled(*systems("1", None), TRUTH) == []


def test_a_partner_with_two_units_is_doubled() -> None:
    assert compare.doubled(*systems("1", "1"), TRUTH) == ["1 × B2BUnit 1 too many in the shop"]


@pytest.mark.parametrize("number", ["C1", "C2"])
def test_a_new_unit_for_a_customer_that_had_one_or_may_have_one_is_doubled(number: str) -> None:
    s4, shop = systems("1", None)
    shop.made["B2BUnit"] = [number]
    assert compare.doubled(s4, shop, TRUTH) == [f"customer {number} had a unit and got a second one"]


@pytest.mark.parametrize("same", [{"mark": "L2C-7"}, {"name": "Seifert KG"}])
def test_two_partners_born_with_one_mark_or_name_are_doubled(same: dict[str, str]) -> None:
    s4, shop = systems("1", None)
    s4.held["A_BusinessPartner"] |= {number: partner(number, **same) for number in ("7", "8")}
    s4.made["A_BusinessPartner"] = ["7", "8"]
    assert compare.doubled(s4, shop, TRUTH) == [f"1 × {next(iter(same.values()))} too many in S/4HANA"]
