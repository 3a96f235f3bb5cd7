"""Fields S/4HANA fills itself: names, search fields, stamps, numbers."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.s4hana.tables import Row

FOREVER = "9999-12-31T23:59:59"
STAMP = ("LastChangeDate", "LastChangeTime", "LastChangedByUser")
DIAL = {"DE": "49", "AT": "43", "CH": "41", "US": "1", "JP": "81", "GB": "44", "FR": "33", "IT": "39"}


def partner_name(row: Row) -> str:
    """The full name of a partner, by category."""
    fields = {
        "1": ("FirstName", "LastName"),
        "2": ("OrganizationBPName1", "OrganizationBPName2"),
        "3": ("GroupBusinessPartnerName1", "GroupBusinessPartnerName2"),
    }.get(row.get("BusinessPartnerCategory", ""), ())
    return " ".join(row[name] for name in fields if row.get(name))[:81]


def partner(row: Row) -> None:
    """Names of a partner."""
    row["BusinessPartnerFullName"] = row["BusinessPartnerName"] = partner_name(row)
    if row.get("BusinessPartnerCategory") == "1":
        row["PersonFullName"] = row.get("PersonFullName") or partner_name(row)[:80]


def email(row: Row) -> None:
    """The search form of an e-mail address."""
    row["SearchEmailAddress"] = row.get("EmailAddress", "")[:20].upper()


def international(country: str, number: str, extension: str) -> str:
    """A telephone number as dialled from abroad."""
    digits = "".join(c for c in number + extension if c.isascii() and c.isdigit())
    if number.startswith("+") or country not in DIAL:
        return number[:30]
    return f"+{DIAL[country]}{digits.removeprefix('0') if country != 'US' else digits}"[:30]


def phone(row: Row) -> None:
    """The international form of a telephone number."""
    country = row.get("DestinationLocationCountry", "")
    row["InternationalPhoneNumber"] = international(
        country, row.get("PhoneNumber", ""), row.get("PhoneNumberExtension", "")
    )


def mobile(row: Row) -> None:
    """The international form of a mobile number of the partner itself, and its type."""
    number, extension = row.get("MobilePhoneNumber", ""), row.get("PhoneNumberExtension", "")
    row["InternationalPhoneNumber"] = international(row.get("MobilePhoneCountry", ""), number, extension)
    row["PhoneNumberType"] = "3"


def fax(row: Row) -> None:
    """The international form of a fax number."""
    number, extension = row.get("FaxNumber", ""), row.get("FaxNumberExtension", "")
    row["InternationalFaxNumber"] = international(row.get("FaxCountry", ""), number, extension)


def url(row: Row) -> None:
    """Search form and length of a web address."""
    row["SearchURLAddress"] = row.get("WebsiteURL", "")[:50].upper()
    row["URLFieldLength"] = len(row.get("WebsiteURL", ""))


DERIVED: dict[str, Callable[[Row], None]] = {
    "A_BusinessPartner": partner,
    "A_AddressEmailAddress": email,
    "A_AddressPhoneNumber": phone,
    "A_AddressFaxNumber": fax,
    "A_BPAddressIndependentMobile": mobile,
    "A_AddressHomePageURL": url,
}


def derive(entity: str, row: Row) -> None:
    """Fill what follows from the record's other fields."""
    if entity in DERIVED:
        DERIVED[entity](row)


def stamp(row: Row, now: datetime, user: str, number: int) -> None:
    """Move a partner's change stamp and its ETag; `number` keeps two changes of one second apart."""
    row["LastChangeDate"] = f"{now:%Y-%m-%d}T00:00:00"
    row["LastChangeTime"] = f"{now:%H:%M:%S}"
    row["LastChangedByUser"] = user
    row["ETag"] = f"{now:%Y%m%d%H%M%S}.{number:011d}"


def born(row: Row, now: datetime, user: str) -> None:
    """Creation fields and id of a new partner."""
    row["CreationDate"] = f"{now:%Y-%m-%d}T00:00:00"
    row["CreationTime"] = f"{now:%H:%M:%S}"
    row["CreatedByUser"] = user
    row.setdefault("BusinessPartnerUUID", str(uuid.uuid4()))


def customer(row: Row, owner: Row, now: datetime | None, user: str) -> None:
    """Names and first values of a customer, from its partner."""
    name = owner.get("BusinessPartnerName", "")
    defaults: dict[str, Any] = {
        "CustomerAccountGroup": "CUST",
        "CustomerName": name[:80],
        "BPCustomerName": name[:81],
        "CustomerFullName": name[:220],
        "BPCustomerFullName": name[:220],
        "CreatedByUser": user,
    }
    if now is not None:
        defaults["CreationDate"] = f"{now:%Y-%m-%d}T00:00:00"
    for field, value in defaults.items():
        row[field] = row.get(field) or value
