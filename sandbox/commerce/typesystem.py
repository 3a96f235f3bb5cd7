"""The part of the Commerce type system that is simulated: types with their attributes, shared by all integration objects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an attribute holds."""

    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    DATE = "Edm.DateTime"
    LOCALIZED = "localized"
    REFERENCE = "reference"
    CHILDREN = "children"
    LINKS = "links"


SIMPLE = (Kind.STRING, Kind.BOOLEAN, Kind.DATE, Kind.LOCALIZED)
MANY = (Kind.CHILDREN, Kind.LINKS)
ANY = "Item"
"""The target of a reference that may lead to an item of any of the `OWNERS`."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a type. CHILDREN are items that name their owner and die with it (partOf), LINKS a relation."""

    name: str
    kind: Kind = Kind.STRING
    target: str = ""
    optional: bool = True
    read_only: bool = False
    length: int | None = 255

    def takes(self, kind: str) -> bool:
        """Whether a reference may lead to an item of this type."""
        return kind in OWNERS if self.target == ANY else kind == self.target


def _strings(names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in names.split())


def _booleans(names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, Kind.BOOLEAN) for name in names.split())


def _code(name: str) -> tuple[Attribute, ...]:
    """The only attribute of a type that is a list of codes."""
    return (Attribute(name, optional=False),)


STAMP = "modifiedtime"
MODIFIED = Attribute(STAMP, Kind.DATE, read_only=True)
ADDRESSES = Attribute("addresses", Kind.CHILDREN, "Address")
_PERSON = (
    Attribute("title", Kind.REFERENCE, "Title"),
    Attribute("sessionLanguage", Kind.REFERENCE, "Language"),
    Attribute("groups", Kind.LINKS, "UserGroup"),
    ADDRESSES,
    MODIFIED,
)
TYPES: dict[str, tuple[Attribute, ...]] = {
    "Country": _code("isocode"),
    "Region": (Attribute("isocode", optional=False), Attribute("country", Kind.REFERENCE, "Country", optional=False)),
    "Language": _code("isocode"),
    "Title": _code("code"),
    "Gender": _code("code"),
    "UserGroup": _code("uid"),
    "UserPriceGroup": _code("code"),
    "UserDiscountGroup": _code("code"),
    "Address": (
        Attribute("duplicate", Kind.BOOLEAN),
        *_strings(
            "publicKey sapCustomerID sapMessageFunction sapAddressUsage sapAddressUUID sapAddressUsageCounter company"
            " firstname lastname department streetname streetnumber postalcode pobox town district phone1 cellphone fax"
            " email url"
        ),
        *_booleans("shippingAddress billingAddress contactAddress"),
        Attribute("dateOfBirth", Kind.DATE),
        Attribute("title", Kind.REFERENCE, "Title"),
        Attribute("gender", Kind.REFERENCE, "Gender"),
        Attribute("region", Kind.REFERENCE, "Region"),
        Attribute("country", Kind.REFERENCE, "Country"),
        Attribute("owner", Kind.REFERENCE, ANY, optional=False),
        MODIFIED,
    ),
    "B2BUnit": (
        Attribute("uid", optional=False),
        *_strings("name vatID l2cPartnerNumber l2cCustomerNumber l2cSegment l2cEmail"),
        Attribute("description", length=None),
        *_booleans("active buyer"),
        Attribute("locName", Kind.LOCALIZED),
        Attribute("groups", Kind.LINKS, "UserGroup"),
        Attribute("userPriceGroup", Kind.REFERENCE, "UserPriceGroup"),
        Attribute("userDiscountGroup", Kind.REFERENCE, "UserDiscountGroup"),
        ADDRESSES,
        MODIFIED,
    ),
    "B2BCustomer": (
        Attribute("customerID"),
        Attribute("uid", optional=False),
        Attribute("email", optional=False),
        *_strings("name sapBusinessPartnerID l2cPhone l2cMobile l2cFunction l2cDepartment"),
        *_booleans("sapIsReplicated loginDisabled"),
        Attribute("defaultB2BUnit", Kind.REFERENCE, "B2BUnit"),
        *_PERSON,
    ),
    "Customer": (
        Attribute("uid", optional=False),
        *_strings("customerID name l2cFirstName l2cLastName l2cEmail l2cPartnerNumber l2cCustomerNumber"),
        *_booleans("sapIsReplicated loginDisabled"),
        *_PERSON,
    ),
}
"""In the order in which their tables can be created: a type stands behind those it refers to, owners apart."""

KEYS = {
    "Region": ("isocode", "country"),
    "Address": ("duplicate", "publicKey"),
    "B2BCustomer": ("customerID", "uid"),
    **dict.fromkeys(("UserGroup", "B2BUnit", "Customer"), ("uid",)),
    **dict.fromkeys(("Country", "Language"), ("isocode",)),
    **dict.fromkeys(("Title", "Gender", "UserPriceGroup", "UserDiscountGroup"), ("code",)),
}
"""What makes an item unique for commit log and control address, in the order of the key's text."""

OWNERS = ("B2BUnit", "Customer", "B2BCustomer")
"""Types whose items may own addresses."""

DEFAULTS: dict[str, dict[str, bool]] = {
    "Address": {"duplicate": False, "shippingAddress": False, "billingAddress": False, "contactAddress": False},
    "B2BUnit": {"active": True, "buyer": False},
    "B2BCustomer": {"loginDisabled": False, "sapIsReplicated": False},
    "Customer": {"loginDisabled": False, "sapIsReplicated": False},
}
"""Initial values that the type system gives to a new item where the payload is silent."""

READ_ONLY_TYPES = frozenset(
    {"Country", "Region", "Language", "Title", "Gender", "UserGroup", "UserPriceGroup", "UserDiscountGroup"}
)
"""Types for which the API user has no access right but to read."""

LANGUAGES = ("en", "de", "fr", "it", "ja")
DEFAULT_LANGUAGE = "en"
