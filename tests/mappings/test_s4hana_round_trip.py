"""What is written to S/4HANA reads back as it was, and would not be written again: for random records, seeds printed."""

import random
from datetime import date
from pathlib import Path

import pytest

from l2c.config import Project
from l2c.mapping import Env, load_mapper

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "partner_grouping": "BP02", "sales_area": "1010/10/00", "currency": "EUR", "company_code": "1010",
    "reconciliation_account": "12100000", "tax_country": "DE", "tax_category": "TTX1", "tax_classification": "1",
}  # fmt: skip
ENV = Env(settings=SETTINGS, today=date(2026, 11, 24), resolve=lambda _, key: key)
BIRTH = {"BusinessPartnerCategory", "BusinessPartnerGrouping", "SearchTerm1", "to_Customer"}
OF_PARTNER = ("category", "roles", "name", "language", "email", "vat_number", "form_of_address")
OF_PERSON = ("first_name", "middle_name", "last_name", "academic_title")
OF_CONTACT = (
    "company", "form_of_address", "academic_title", "first_name", "last_name", "language", "email", "phone", "mobile", "function",
    "department",
)  # fmt: skip
ONE = {"to_Customer", "to_ContactRelationship", "Person"}
TEXTS = (
    "care_of",
    "street",
    "house_number_supplement",
    "street_2",
    "street_3",
    "street_4",
    "street_5",
    "district",
    "city",
    "county",
)
WORDS = [
    "Maschinenbau",
    "Österreicher",
    "Söhne",
    "&",
    "GmbH",
    "北京",
    "O'Neil",
    "Straße",
    "Ü",
    "Werk/Zeug",
    "von",
    "der",
    "Höhe",
]
REGIONS = {
    "DE": ["DE-BY", "DE-SH", "DE-BE"],
    "AT": ["AT-9", "AT-3"],
    "CH": ["CH-ZH"],
    "US": ["US-CA"],
    "JP": ["JP-13"],
    "GB": [],
}
PREFIXES = ["DE", "ATU", "EL", "CHE", "GB"]


@pytest.fixture(scope="module")
def mappers():
    project = Project(ROOT)
    return {
        (entity, way): load_mapper(project, f"mappings/s4hana/{entity}.{way}.yaml")
        for entity in ("business_partner", "contact")
        for way in ("read", "write")
    }


class Maker:
    """Random canonical records as a shop may show them, within what S/4HANA has room for."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = 8_900_000_000_000

    def maybe(self, value):
        return value if self.random.random() < 0.6 else None

    def text(self, length):
        words = self.random.choices(WORDS, k=self.random.randint(1, 4))
        while len(" ".join(words)) > length:
            words.pop()
        return " ".join(words) or "Ü"

    def line(self):
        number = f"{self.random.randint(1, 9999)} {self.random.randint(1, 10**7)}"
        if self.random.random() < 0.1:
            number = f"{number} " + "1" * (29 - len(number))  # no room for an extension in the same field
            return f"{number}-{self.random.randint(1, 10**6)}"
        return f"{number}-{self.random.randint(1, 999)}" if self.random.random() < 0.3 else number

    def address(self):
        self.number += 1
        country = self.random.choice(list(REGIONS))
        key = self.random.choice(
            [str(self.number), f"={self.number % 1000}{self.number % 7}", f"KEY-{self.number % 10**9}"]
        )
        return {
            "number": key,
            **{name: self.maybe(self.text(10 if name == "house_number_supplement" else 40)) for name in TEXTS},
            "house_number": self.maybe(str(self.random.randint(1, 300))),
            "postal_code": self.maybe(f"{self.random.randint(0, 99999):05d}"),
            "region": self.maybe(self.random.choice(REGIONS[country])) if REGIONS[country] else None,
            "country": country,
            "po_box": self.maybe("4711"),
            "po_box_postal_code": self.maybe("12345"),
            "po_box_city": self.maybe("Ulm"),
            "language": self.maybe(self.random.choice(["de", "en"])),
            "time_zone": self.maybe("CET"),
            "phone": self.maybe(self.line()),
            "mobile": self.maybe(self.line()),
            "fax": self.maybe(self.line()),
            "email": self.maybe(f"box{self.number}@firm.example"),
            "website": self.maybe(f"https://www{self.number}.example/ä?b=1"),
        }

    def partner(self):
        person = self.random.random() < 0.4
        first, last = self.text(40), self.text(40)
        name = f"{first} {last}" if person else " ".join(self.text(40) for _ in range(self.random.randint(1, 3)))
        prefix = self.random.choice(PREFIXES)
        return {
            "number": None,
            "category": "person" if person else "organization",
            "roles": ["customer"],
            "name": name,
            **dict.fromkeys(("name_1", "name_2", "name_3", "name_4", "middle_name", "academic_title")),
            "form_of_address": self.maybe("0001"),
            "first_name": first if person else None,
            "last_name": last if person else None,
            "language": self.maybe("de"),
            "email": self.maybe("own@firm.example"),
            "vat_number": self.maybe(f"{prefix}{self.random.randint(10**7, 10**8)}"),
            "addresses": sorted((self.address() for _ in range(self.random.randint(0, 4))), key=in_order),
        }

    def contact(self):
        return {
            "company": "#12",
            "form_of_address": self.maybe("0002"),
            "academic_title": self.maybe("0001"),
            "first_name": self.maybe(self.text(40)),
            "last_name": self.text(40),
            "language": self.maybe("en"),
            "email": self.maybe("anna@firm.example"),
            "phone": self.maybe(self.line()),
            "mobile": self.maybe(self.line()),
            "function": self.maybe("0003"),
            "department": self.maybe("0002"),
        }


def in_order(address):
    return len(address["number"]), address["number"]


def shown(native, mapper, numbers):
    """A written record as S/4HANA shows it: nothing is an empty text, what was given is kept, numbers are given."""
    found = spread(native, tree_of(mapper.fields))
    found.update(
        BusinessPartner=next(numbers),
        Customer=next(numbers),
        BusinessPartnerIsBlocked=False,
        IsMarkedForArchiving=False,
    )
    for one in found.get("to_BusinessPartnerAddress", []):
        one["AddressID"] = next(numbers)
        for name in ("to_EmailAddress", "to_PhoneNumber", "to_MobilePhoneNumber", "to_FaxNumber", "to_URLAddress"):
            for place, element in enumerate(one[name], 1):
                element["OrdinalNumber"] = str(place)
    return found


def tree_of(paths):
    tree = {}
    for path in sorted(paths):
        here = tree
        for step in path.split("."):
            here = here.setdefault(step, {})
    return tree


def spread(native, tree):
    """The fields a read asks for, those that were written filled."""
    found = {}
    for name, below in tree.items():
        value = native.get(name)
        if isinstance(value, list):
            found[name] = [spread(element, below) for element in value]
        elif isinstance(value, dict):
            found[name] = spread(value, below)
        elif below:
            found[name] = None if name in ONE else []
        else:
            found[name] = (
                value
                if value is not None
                else None
                if "Date" in name or "Is" in name or name == "DeletionIndicator"
                else ""
            )
    return found


def counted():
    number = 1_000_000
    while True:
        number += 1
        yield str(number)


def test_partners_read_back_as_they_were_written_and_are_not_written_again(mappers):
    read, write = mappers["business_partner", "read"], mappers["business_partner", "write"]
    numbers = counted()
    for seed in range(600):
        head = Maker(seed).partner()
        native = write.map(head, ENV).data
        view = read.map(shown(native, read, numbers), Env(settings=SETTINGS)).data
        names = (*OF_PARTNER, *(OF_PERSON if head["category"] == "person" else ()))
        assert {name: view[name] for name in names} == {name: head[name] for name in names}, f"seed {seed}"
        kept = [
            {name: one[name] for name in other} for one, other in zip(view["addresses"], head["addresses"], strict=True)
        ]
        assert kept == head["addresses"], f"seed {seed}"
        again = write.map({**head, "number": view["number"]}, ENV).data
        assert write.map(view, ENV).data == again, f"seed {seed}"
        assert {name: native[name] for name in native if name not in BIRTH} == again, f"seed {seed}"


def test_contacts_read_back_as_they_were_written_and_are_not_written_again(mappers):
    read, write = mappers["contact", "read"], mappers["contact", "write"]
    for seed in range(600):
        head = Maker(seed).contact()
        native = write.map(head, ENV).data
        found = spread(native, tree_of(read.fields))
        found |= {"Contact": "1/2/3", "BusinessPartnerCompany": head["company"]}
        view = read.map(found, ENV).data
        assert {name: view[name] for name in OF_CONTACT} == {name: head[name] for name in OF_CONTACT}, f"seed {seed}"
        assert write.map(view, ENV).data == native, f"seed {seed}"
