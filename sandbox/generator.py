"""Business partners as S/4HANA would hold them: seeded, streaming, plausible for five countries.

A partner is one nested dictionary with the native names of `API_BUSINESS_PARTNER`: fields of `A_BusinessPartner`, and
its children under their navigation names. Children carry their own key fields. Dates are text: `YYYY-MM-DD` where the
service has a day, `YYYY-MM-DDTHH:MM:SSZ` where it has a point in time, `HH:MM:SS` for a time of day. The n-th partner of
a seed is the same whatever the count.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from sandbox import taxnumbers as tax
from sandbox.names import COUNTRIES, KANJI_FAMILY, KANJI_STREETS, KANJI_TRADES, SEGMENTS, City, Country

FIRST_NUMBER = 1_000_000
OTHER_NUMBERS = 17_100_000
"""Customer numbers that differ from the partner's own start here."""
FIRST_ADDRESS = 20_001
OWN_ADDRESSES = 50_000_000  # behind the numbers of addresses: those of what partners have beside them
FOREVER = "9999-12-31T23:59:59Z"
CUSTOMER, SUPPLIER, PROSPECT, CONTACT = ("FLCU00", "FLCU01"), ("FLVN00", "FLVN01"), ("BUP002",), ("BUP001",)
DAYS = tuple((date(2014, 1, 1) + timedelta(n)).isoformat() for n in range(4199))
"""Creation and change days: 2014-01-01 to 2025-06-30."""
EXPIRED = tuple(f"{year}-12-31T23:59:59Z" for year in range(2016, 2025))
PLAIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", " ": "-", "/": "-"}
    | dict(zip("éèëÉōŌūāàáñíúç", "eeeEoOuaaaniuc", strict=True))
    | dict.fromkeys("'.,&()", "")
)
_THRESHOLDS = tuple(accumulate(country.weight / 100 for country in COUNTRIES))


def partners(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` partners: about 80 % customer organizations, 8 % persons, 7 % suppliers, 3 % prospects, 2 % groups."""
    maker = _Maker(seed)
    for number in range(FIRST_NUMBER, FIRST_NUMBER + count):
        yield maker.partner(number)


class _Maker:
    """The random source and the running address number of one generation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.roll = self.random.random
        self.bits = self.random.getrandbits
        self.address_number = FIRST_ADDRESS

    def partner(self, number: int) -> dict[str, Any]:
        roll = self.roll
        country = COUNTRIES[min(bisect(_THRESHOLDS, roll()), len(COUNTRIES) - 1)]
        city = self.one(country.cities)
        kind = roll()
        if kind < 0.90:
            partner, slug = self.organization(number, country, city)
            roles = CUSTOMER if kind < 0.80 else SUPPLIER if kind < 0.87 else PROSPECT
        elif kind < 0.98:
            partner, slug = self.person(number, country)
            roles = CUSTOMER if kind < 0.96 else CONTACT
        else:
            partner, slug = self.group(number, country)
            roles = CUSTOMER if kind < 0.99 else PROSPECT
        self.complete(partner, country, roles)
        self.children(partner, country, city, slug)
        return partner

    def one(self, choices: Any) -> Any:
        return choices[int(self.roll() * len(choices))]

    def organization(self, number: int, country: Country, city: City) -> tuple[dict[str, Any], str]:
        roll = self.roll
        trade_at, family_at = int(roll() * len(country.trades)), int(roll() * len(country.family))
        trade, family = country.trades[trade_at], country.family[family_at]
        legal, form = self.one(country.legal)
        style = roll()
        base = f"{family} {trade}"
        if style >= 0.8:
            base = f"{family} & {self.one(country.family)} {trade}"
        elif style >= 0.55:
            base = f"{trade} {city.name}"
        if country.code == "JP" and style < 0.35:
            name = f"株式会社{KANJI_FAMILY[family_at]}{KANJI_TRADES[trade_at]}"
        else:
            name = f"{base} {legal}"
        first, second = (name, "") if len(name) <= 40 else _split(name)
        partner = _partner(number, "2", name, country)
        partner["OrganizationBPName1"] = first
        partner["OrganizationBPName2"] = second
        partner["LegalForm"] = form
        partner["FormOfAddress"] = "0003"
        return partner, f"{base.translate(PLAIN).lower()}-{number % 9973}"

    def person(self, number: int, country: Country) -> tuple[dict[str, Any], str]:
        female = self.roll() < 0.5
        first, last = self.one(country.women if female else country.men), self.one(country.family)
        partner = _partner(number, "1", f"{first} {last}", country)
        partner["FirstName"] = first
        partner["LastName"] = last
        partner["IsFemale"] = female
        partner["IsMale"] = not female
        partner["IsNaturalPerson"] = "X"
        partner["FormOfAddress"] = "0001" if female else "0002"
        partner["PersonFullName"] = f"{first} {last}"
        partner["PersonNumber"] = str(number + 500_000_000)
        return partner, f"{first}-{last}".translate(PLAIN).lower()

    def group(self, number: int, country: Country) -> tuple[dict[str, Any], str]:
        last = self.one(country.family)
        name = f"{'Eheleute' if country.language == 'DE' else 'Family'} {last}"
        partner = _partner(number, "3", name, country)
        partner["GroupBusinessPartnerName1"] = name
        return partner, name.translate(PLAIN).lower()

    def complete(self, partner: dict[str, Any], country: Country, roles: tuple[str, ...]) -> None:
        """Stamps, numbers and roles."""
        roll = self.roll
        number = partner["BusinessPartner"]
        created = int(roll() * len(DAYS))
        changed = created + int(roll() * (len(DAYS) - created))
        seconds, later = int(roll() * 86_400), int(roll() * 86_400)
        partner["CreationDate"], partner["CreationTime"] = DAYS[created], _time(min(seconds, later))
        partner["LastChangeDate"], partner["LastChangeTime"] = DAYS[changed], _time(max(seconds, later))
        partner["BusinessPartnerUUID"] = self.uuid()
        partner["BusinessPartnerIsBlocked"] = roll() < 0.03
        partner["YY1_Segment_bus"] = self.one(SEGMENTS)
        begin = f"{DAYS[created]}T00:00:00Z"
        partner["to_BusinessPartnerRole"] = [
            {"BusinessPartner": number, "BusinessPartnerRole": role, "ValidFrom": begin, "ValidTo": FOREVER}
            for role in roles
        ]
        own = number if roll() < 0.9 else str(OTHER_NUMBERS + int(number) - FIRST_NUMBER)
        if roles[0] == "FLCU00":
            partner["Customer"] = own
            partner["to_Customer"] = self.customer(own, partner, country)
        elif roles[0] == "FLVN00":
            partner["Supplier"] = own
            partner["to_Supplier"] = {
                "Supplier": own, "SupplierAccountGroup": "SUPL", "SupplierName": partner["BusinessPartnerName"][:80],
                "CreationDate": DAYS[created], "CreatedByUser": "SANDBOX",
            }  # fmt: skip

    def customer(self, number: str, partner: dict[str, Any], country: Country) -> dict[str, Any]:
        roll = self.roll
        channels = ("10",) if roll() < 0.85 else ("10", "20")
        return {
            "Customer": number,
            "CustomerAccountGroup": "CUST",
            "CustomerName": partner["BusinessPartnerName"][:80],
            "CreationDate": partner["CreationDate"],
            "CreatedByUser": "SANDBOX",
            "OrderIsBlockedForCustomer": "01" if roll() < 0.01 else "",
            "DeliveryIsBlocked": "01" if roll() < 0.01 else "",
            "BillingIsBlockedForCustomer": "",
            "DeletionIndicator": False,
            "to_CustomerSalesArea": [
                {
                    "Customer": number,
                    "SalesOrganization": country.sales_org,
                    "DistributionChannel": channel,
                    "Division": "00",
                    "Currency": country.currency,
                    "CustomerPaymentTerms": self.one(("0001", "0002", "NT30", "NT60")),
                    "CustomerPriceGroup": self.one(("C1", "C2", "C3")),
                    "CustomerPricingProcedure": "01",
                    "IncotermsClassification": self.one(("EXW", "FCA", "DAP", "CIP")),
                    "ShippingCondition": "01",
                    "DeliveryPriority": "02",
                    "OrderIsBlockedForCustomer": "",
                    "DeletionIndicator": False,
                }
                for channel in channels
            ],
        }

    def children(self, partner: dict[str, Any], country: Country, city: City, slug: str) -> None:
        """Addresses, tax numbers, bank details."""
        roll = self.roll
        kanji = ord(partner["BusinessPartnerName"][0]) > 0x3000
        addresses = [self.address(partner, country, city, slug, kanji)]
        more = roll()
        if more < 0.30:
            addresses.append(self.address(partner, country, self.one(country.cities), slug, kanji, usage="SHIP_TO"))
        if more < 0.06:
            addresses.append(self.address(partner, country, self.one(country.cities), slug, kanji, usage="BILL_TO"))
        partner["to_BusinessPartnerAddress"] = addresses
        own = addresses[0]["to_EmailAddress"]
        partner["to_AddressIndependentEmail"] = [_own_email(partner, addresses[0], own[0])] if own else []
        number = partner["BusinessPartner"]
        partner["to_BusinessPartnerTax"] = []
        if partner["BusinessPartnerCategory"] == "2" and roll() < 0.96:
            partner["to_BusinessPartnerTax"] = [tax.tax_record(number, country.code, self.bits(40))]
        partner["to_BusinessPartnerBank"] = (
            [tax.bank_record(number, country.code, self.bits(64))] if roll() < 0.6 else []
        )

    def address(
        self, partner: dict[str, Any], country: Country, city: City, slug: str, kanji: bool, *, usage: str = "XXDEFAULT"
    ) -> dict[str, Any]:
        number, identity = partner["BusinessPartner"], str(self.address_number)
        self.address_number += 1
        begin, end = self.validity(partner, usage)
        person = partner.get("PersonNumber", "")
        dates = {"ValidityStartDate": begin, "ValidityEndDate": end}
        place = self.place(country, city, kanji)
        made = {
            "BusinessPartner": number,
            "AddressID": identity,
            "AddressUUID": self.uuid(),
            **dates,
            **place,
            "Language": country.language,
            "FullName": partner["BusinessPartnerName"][:80],
            "to_EmailAddress": [],
            "to_PhoneNumber": [_phone(identity, person, country, f"{city.area} 555{int(self.roll() * 10_000):04d}")],
            "to_AddressUsage": [
                {
                    "BusinessPartner": number,
                    "AddressID": identity,
                    "AddressUsage": usage,
                    **dates,
                    "StandardUsage": False,
                }
            ],
        }
        if self.roll() < 0.93:
            box = "info" if usage == "XXDEFAULT" else usage.lower().replace("_", "-")
            made["to_EmailAddress"] = [_email(identity, person, f"{box}@{slug}.example")]
        return made

    def validity(self, partner: dict[str, Any], usage: str) -> tuple[str, str]:
        """The first address is valid for ever; of the others a fifth has expired and a few are not valid yet."""
        kind = self.roll() if usage != "XXDEFAULT" else 1.0
        if kind < 0.2:
            return "2014-01-01T00:00:00Z", self.one(EXPIRED)
        return ("2031-01-01T00:00:00Z" if kind < 0.23 else f"{partner['CreationDate']}T00:00:00Z"), FOREVER

    def place(self, country: Country, city: City, kanji: bool) -> dict[str, str]:
        street, house = int(self.roll() * len(country.streets)), int(self.roll() * 140) + 1
        letter = "abc"[house % 3] if house % 11 == 0 and country.language == "DE" else ""
        made = {
            "Country": country.code,
            "Region": city.region,
            "PostalCode": self.one(city.codes),
            "CityName": city.native if kanji else city.name,
            "StreetName": KANJI_STREETS[street] if kanji else country.streets[street],
            "HouseNumber": f"{house}{letter}",
        }
        if self.roll() < 0.04:
            made["POBox"] = str(100_000 + house)
        return made

    def uuid(self) -> str:
        text = f"{self.bits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _partner(number: int, category: str, name: str, country: Country) -> dict[str, Any]:
    return {
        "BusinessPartner": str(number),
        "Customer": "",
        "Supplier": "",
        "BusinessPartnerCategory": category,
        "BusinessPartnerFullName": name[:81],
        "BusinessPartnerGrouping": "BP02",
        "BusinessPartnerName": name[:81],
        "CorrespondenceLanguage": country.language,
        "Language": country.language,
        "CreatedByUser": "SANDBOX",
        "LastChangedByUser": "SANDBOX",
        "SearchTerm1": name[:20].upper()[:20],
        "IsMarkedForArchiving": False,
    }


def _split(name: str) -> tuple[str, str]:
    """Break a long name at a blank, as people do who fill two fields of 40 characters."""
    at = name.rfind(" ", 0, 41)
    return name[:at], name[at + 1 : at + 41]


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _phone(address: str, person: str, country: Country, line: str) -> dict[str, Any]:
    return {
        "AddressID": address, "Person": person, "OrdinalNumber": "1", "DestinationLocationCountry": country.code,
        "IsDefaultPhoneNumber": True, "PhoneNumber": line, "PhoneNumberType": "1",
        "InternationalPhoneNumber": f"+{country.dial}{line.replace(' ', '')}",
    }  # fmt: skip


def _own_email(partner: dict[str, Any], address: dict[str, Any], email: dict[str, Any]) -> dict[str, Any]:
    """The e-mail address of the partner itself, the one of its first address; its address number is the partner's own."""
    return {
        "BusinessPartner": partner["BusinessPartner"], "AddressID": str(int(address["AddressID"]) + OWN_ADDRESSES),
        "Person": email["Person"], "OrdinalNumber": "1", "IsDefaultEmailAddress": True, "EmailAddress": email["EmailAddress"],
    }  # fmt: skip


def _email(address: str, person: str, text: str) -> dict[str, Any]:
    return {
        "AddressID": address, "Person": person, "OrdinalNumber": "1", "IsDefaultEmailAddress": True, "EmailAddress": text,
        "SearchEmailAddress": text[:20].upper(),
    }  # fmt: skip
