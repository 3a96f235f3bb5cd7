"""The part of the Commerce type system that is simulated, and the integration objects that expose it.

Types are shared: `InboundB2BUnit` and `L2CB2BUnit` are two windows on the same units and addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a type. CHILDREN are items that name their owner and die with it (partOf), LINKS a relation."""

    name: str
    kind: Kind = Kind.STRING
    target: str = ""
    optional: bool = True
    read_only: bool = False
    length: int | None = 255


def _strings(names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in names.split())


def _booleans(names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, Kind.BOOLEAN) for name in names.split())


MODIFIED = Attribute("modifiedtime", Kind.DATE, read_only=True)
TYPES: dict[str, tuple[Attribute, ...]] = {
    "Country": (Attribute("isocode", optional=False),),
    "Region": (Attribute("isocode", optional=False), Attribute("country", Kind.REFERENCE, "Country", optional=False)),
    "UserGroup": (Attribute("uid", optional=False),),
    "UserPriceGroup": (Attribute("code", optional=False),),
    "UserDiscountGroup": (Attribute("code", optional=False),),
    "Address": (
        *_strings(
            "publicKey sapCustomerID sapMessageFunction sapAddressUsage sapAddressUUID sapAddressUsageCounter company"
            " streetname streetnumber postalcode pobox town district phone1 cellphone fax email url"
        ),
        *_booleans("duplicate shippingAddress billingAddress"),
        Attribute("region", Kind.REFERENCE, "Region"),
        Attribute("country", Kind.REFERENCE, "Country"),
        Attribute("owner", Kind.REFERENCE, "B2BUnit", optional=False),
        MODIFIED,
    ),
    "B2BUnit": (
        Attribute("uid", optional=False),
        *_strings("name vatID l2cCustomerNumber l2cSegment l2cEmail"),
        Attribute("description", length=None),
        *_booleans("active buyer"),
        Attribute("locName", Kind.LOCALIZED),
        Attribute("groups", Kind.LINKS, "UserGroup"),
        Attribute("userPriceGroup", Kind.REFERENCE, "UserPriceGroup"),
        Attribute("userDiscountGroup", Kind.REFERENCE, "UserDiscountGroup"),
        Attribute("addresses", Kind.CHILDREN, "Address"),
        MODIFIED,
    ),
}
"""In the order in which their tables can be created: a type stands behind those it refers to, owners apart."""

DEFAULTS: dict[str, dict[str, bool]] = {
    "Address": {"duplicate": False, "shippingAddress": False, "billingAddress": False},
    "B2BUnit": {"active": True, "buyer": False},
}
"""Initial values that the type system gives to a new item where the payload is silent."""

READ_ONLY_TYPES = frozenset({"Country", "Region", "UserGroup", "UserPriceGroup", "UserDiscountGroup"})
"""Types for which the API user has no access right but to read."""

LANGUAGES = ("en", "de", "fr", "it", "ja")
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Use:
    """An attribute as one integration object shows it."""

    attribute: Attribute
    unique: bool = False
    auto_create: bool = False

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.attribute.name

    @property
    def kind(self) -> Kind:
        """What the attribute holds."""
        return self.attribute.kind


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an integration object: the type it stands for and the attributes it shows."""

    type: str
    uses: dict[str, Use]

    @property
    def keys(self) -> tuple[Use, ...]:
        """The attributes that make the item unique."""
        return tuple(use for use in self.uses.values() if use.unique)

    @property
    def localized(self) -> tuple[Use, ...]:
        """The attributes with a value for each language."""
        return tuple(use for use in self.uses.values() if use.kind is Kind.LOCALIZED)

    @property
    def entity_set(self) -> str:
        """The name of the entity set: the plural of the type."""
        if self.type.endswith("ss"):
            return f"{self.type}es"
        return f"{self.type[:-1]}ies" if self.type.endswith("y") else f"{self.type}s"


@dataclass(frozen=True, slots=True)
class IntegrationObject:
    """A named set of items, the first of them the root."""

    code: str
    items: dict[str, Item]

    def by_set(self, name: str) -> Item | None:
        """The item behind an entity set."""
        return next((item for item in self.items.values() if item.entity_set == name), None)

    def alias(self, item: Item) -> tuple[str, ...]:
        """The segments `Type_attribute` of the integration key, in their order: sorted as bytes."""
        return tuple(sorted(name for name, _ in self.key_paths(item)))

    def key_paths(self, item: Item) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each segment of the integration key with the attributes that lead to its value."""
        for use in item.keys:
            if use.kind is Kind.REFERENCE:
                for segment, path in self.key_paths(self.items[use.attribute.target]):
                    yield segment, (use.name, *path)
            else:
                yield f"{item.type}_{use.name}", (use.name,)


def _item(kind: str, names: str) -> Item:
    """An item from a list of names; `!` marks a unique attribute, `+` an autocreated one."""
    attributes = {attribute.name: attribute for attribute in TYPES[kind]}
    uses = [(name.rstrip("!+"), "!" in name, "+" in name) for name in names.split()]
    return Item(kind, {name: Use(attributes[name], unique, auto) for name, unique, auto in uses})


_UNIT = "uid! active description buyer name locName groups userPriceGroup addresses+ userDiscountGroup"
_ADDRESS = (
    "postalcode streetnumber shippingAddress sapCustomerID pobox duplicate! phone1 cellphone town district publicKey!"
    " company sapMessageFunction streetname sapAddressUsage sapAddressUUID fax sapAddressUsageCounter billingAddress"
    " region country"
)
_OTHERS = (
    _item("UserDiscountGroup", "code!"),
    _item("UserPriceGroup", "code!"),
    _item("Region", "isocode! country!"),
    _item("Country", "isocode!"),
    _item("UserGroup", "uid!"),
)


def _object(code: str, *items: Item) -> IntegrationObject:
    return IntegrationObject(code, {item.type: item for item in items})


OBJECTS = {
    made.code: made
    for made in (
        _object("InboundB2BUnit", _item("B2BUnit", _UNIT), _item("Address", _ADDRESS), *_OTHERS),
        _object(
            "L2CB2BUnit",
            _item("B2BUnit", f"{_UNIT} vatID l2cCustomerNumber l2cSegment l2cEmail modifiedtime"),
            _item("Address", f"{_ADDRESS} email url owner modifiedtime"),
            *_OTHERS,
        ),
    )
}
"""SAP's own integration object, and the hub's, which adds what the hub needs beyond it."""
