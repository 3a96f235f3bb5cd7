"""Integration objects: named windows on the types, `InboundB2BUnit` and `L2CB2BUnit` two on the same units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.commerce.typesystem import KEYS, TYPES, Attribute, Kind


@dataclass(frozen=True, slots=True)
class Use:
    """An attribute as one integration object shows it; `returns` is the item of a reference that may lead to several."""

    attribute: Attribute
    unique: bool = False
    auto_create: bool = False
    returns: str = ""

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.attribute.name

    @property
    def kind(self) -> Kind:
        """What the attribute holds."""
        return self.attribute.kind

    @property
    def target(self) -> str:
        """The item a reference or a collection leads to."""
        return self.returns or self.attribute.target


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
                for segment, path in self.key_paths(self.items[use.target]):
                    yield segment, (use.name, *path)
            else:
                yield f"{item.type}_{use.name}", (use.name,)


def _item(kind: str, names: str) -> Item:
    """An item from a list of names; `!` marks a unique attribute, `+` an autocreated one, `:Type` the item returned."""
    attributes = {attribute.name: attribute for attribute in TYPES[kind]}
    uses = {}
    for word in names.split():
        name, _, returns = word.partition(":")
        bare = name.rstrip("!+")
        uses[bare] = Use(attributes[bare], "!" in name, "+" in name, returns)
    return Item(kind, uses)


_UNIT = "uid! active description buyer name locName groups userPriceGroup addresses+ userDiscountGroup"
_ADDRESS = (
    "postalcode streetnumber shippingAddress sapCustomerID pobox duplicate! phone1 cellphone town district publicKey!"
    " company sapMessageFunction streetname sapAddressUsage sapAddressUUID fax sapAddressUsageCounter billingAddress"
    " region country"
)
_B2B_CUSTOMER = (
    "customerID! email name uid! sapIsReplicated sapBusinessPartnerID loginDisabled defaultB2BUnit sessionLanguage groups"
    " addresses+ title"
)
_CUSTOMER = (
    "uid! customerID name l2cFirstName l2cLastName l2cEmail l2cPartnerNumber l2cCustomerNumber sapIsReplicated"
    " loginDisabled sessionLanguage title addresses+ modifiedtime"
)
_REGION, _COUNTRY, _GROUP = (
    _item("Region", "isocode! country!"),
    _item("Country", "isocode!"),
    _item("UserGroup", "uid!"),
)
_TITLE, _LANGUAGE = _item("Title", "code!"), _item("Language", "isocode!")
_PRICES = (_item("UserDiscountGroup", "code!"), _item("UserPriceGroup", "code!"))
_OF_UNIT = (*_PRICES, _REGION, _COUNTRY, _GROUP)
_OF_B2B_CUSTOMER = (
    _item("B2BUnit", "uid!"),
    _item(
        "Address",
        "dateOfBirth contactAddress firstname lastname duplicate cellphone phone1 publicKey! department fax title gender",
    ),
    _LANGUAGE,
    _TITLE,
    _item("Gender", "code!"),
    _GROUP,
)


def _object(code: str, *items: Item) -> IntegrationObject:
    return IntegrationObject(code, {item.type: item for item in items})


OBJECTS = {
    made.code: made
    for made in (
        _object("InboundB2BUnit", _item("B2BUnit", _UNIT), _item("Address", _ADDRESS), *_OF_UNIT),
        _object(
            "L2CB2BUnit",
            _item("B2BUnit", f"{_UNIT} vatID l2cPartnerNumber l2cCustomerNumber l2cSegment l2cEmail modifiedtime"),
            _item("Address", f"{_ADDRESS} email url owner:B2BUnit modifiedtime"),
            *_OF_UNIT,
        ),
        _object("InboundB2BCustomer", _item("B2BCustomer", _B2B_CUSTOMER), *_OF_B2B_CUSTOMER),
        _object(
            "L2CB2BCustomer",
            _item("B2BCustomer", f"{_B2B_CUSTOMER} l2cPhone l2cMobile l2cFunction l2cDepartment modifiedtime"),
            *_OF_B2B_CUSTOMER,
        ),
        _object(
            "L2CCustomer",
            _item("Customer", _CUSTOMER),
            _item("Address", f"{_ADDRESS} firstname lastname title email url owner:Customer modifiedtime"),
            _REGION,
            _COUNTRY,
            _LANGUAGE,
            _TITLE,
        ),
    )
}
"""SAP's own integration objects, and the hub's, which add what the hub needs beyond them."""

FULL = IntegrationObject(
    "",
    {
        kind: Item(kind, {made.name: Use(made, made.name in KEYS[kind]) for made in attributes})
        for kind, attributes in TYPES.items()
    },
)
"""Every attribute of every type: the measure for what a user can change. It is not served."""
