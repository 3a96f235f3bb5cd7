"""The entities of API_BUSINESS_PARTNER the connector knows: keys, parents, child lists. Source: the service's metadata."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from l2c.errors import ConfigError
from l2c.http import join_key

PARTNER = "A_BusinessPartner"
CONTACT = "A_BusinessPartnerContact"
CONTACT_KEY = "Contact"
MARK = "BusinessPartnerIDByExtSystem"
MARK_LENGTH = 20
STAMP = ("LastChangeDate", "LastChangeTime")

# never requested: bank details and payment cards are no business of a replication of partners
FORBIDDEN = frozenset(
    {"A_BusinessPartnerBank", "A_BusinessPartnerPaymentCard", "to_BusinessPartnerBank", "to_PaymentCard"}
)


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a child set without its partner's number finds it: the set that knows both, and the field they share."""

    entity: str
    field: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity set: its key, and for a child set the field with the key of the record it belongs to.

    `lookup`, `joined`: the set itself has no such field; the connector adds it to every record it reads, looked up or joined
    from these fields.
    """

    name: str
    keys: tuple[str, ...]
    parent: str | None = None
    lookup: Lookup | None = None
    joined: tuple[str, ...] = ()

    @property
    def adds_parent(self) -> bool:
        """Whether the connector adds the field with the parent's key."""
        return self.lookup is not None or bool(self.joined)


def joined(entity: Entity, data: Mapping[str, Any]) -> str:
    """The key of the record one of `entity` belongs to, made of its own fields."""
    return join_key([str(data[name]) for name in entity.joined])


def _known(*entities: Entity) -> Mapping[str, Entity]:
    return MappingProxyType({entity.name: entity for entity in entities})


_BY_ADDRESS = Lookup("A_BusinessPartnerAddress", "AddressID")
_BY_CUSTOMER = Lookup(PARTNER, "Customer")
_RELATIONSHIP = ("RelationshipNumber", "BusinessPartnerCompany", "BusinessPartnerPerson")
_DATED = (*_RELATIONSHIP, "ValidityEndDate")
_COMMUNICATION = ("AddressID", "Person", "OrdinalNumber")

ENTITIES = _known(
    Entity(PARTNER, ("BusinessPartner",)),
    Entity("A_BusinessPartnerAddress", ("BusinessPartner", "AddressID"), "BusinessPartner"),
    Entity("A_BusinessPartnerRole", ("BusinessPartner", "BusinessPartnerRole"), "BusinessPartner"),
    Entity(
        "A_BuPaIdentification", ("BusinessPartner", "BPIdentificationType", "BPIdentificationNumber"), "BusinessPartner"
    ),
    Entity("A_BusinessPartnerTaxNumber", ("BusinessPartner", "BPTaxType"), "BusinessPartner"),
    Entity("A_BPAddressIndependentEmail", ("BusinessPartner", *_COMMUNICATION), "BusinessPartner"),
    Entity("A_AddressEmailAddress", _COMMUNICATION, "BusinessPartner", _BY_ADDRESS),
    Entity("A_AddressPhoneNumber", _COMMUNICATION, "BusinessPartner", _BY_ADDRESS),
    Entity("A_AddressFaxNumber", _COMMUNICATION, "BusinessPartner", _BY_ADDRESS),
    Entity("A_Customer", ("Customer",), "BusinessPartner", _BY_CUSTOMER),
    Entity(
        "A_CustomerSalesArea",
        ("Customer", "SalesOrganization", "DistributionChannel", "Division"),
        "BusinessPartner",
        _BY_CUSTOMER,
    ),
    Entity(CONTACT, _DATED, CONTACT_KEY, joined=_RELATIONSHIP),
    Entity("A_BPContactToFuncAndDept", _DATED, CONTACT_KEY, joined=_RELATIONSHIP),
    Entity("A_BPContactToAddress", (*_DATED, "AddressID"), CONTACT_KEY, joined=_RELATIONSHIP),
)


def entity_of(name: str, *, system: str) -> Entity:
    """The entity of a name; ConfigError with the near miss when the connector does not know it."""
    found = ENTITIES.get(name)
    if found is not None:
        return found
    if name in FORBIDDEN:
        raise ConfigError(f"system '{system}': entity '{name}' is never read: bank and card data", system=system)
    near = difflib.get_close_matches(name, ENTITIES, n=1, cutoff=0.4)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(ENTITIES)}"
    raise ConfigError(f"system '{system}': unknown entity '{name}'{hint}", system=system, entity=name)


@dataclass(frozen=True, slots=True)
class ChildList:
    """A list below a partner as it is written: its set, what tells two elements apart, who gives the key.

    `natural` recognises an element that does not name its key yet; `flag` is the field that marks an element as gone where
    the API cannot delete it; `replace`: an element that takes the place of a removed one keeps its number; `numbered`: the
    natural key of an element born in the system is the number the system gave it.
    """

    navigation: str
    entity: str
    keys: tuple[str, ...]
    natural: tuple[str, ...] = ()
    flag: str | None = None
    replace: bool = False
    numbered: bool = False
    below: tuple["ChildList", ...] = ()


def _communication(navigation: str, entity: str, *natural: str) -> ChildList:
    return ChildList(navigation, entity, ("Person", "OrdinalNumber"), natural, replace=True)


ADDRESSES = ChildList(
    "to_BusinessPartnerAddress",
    "A_BusinessPartnerAddress",
    ("AddressID",),
    ("AddressIDByExternalSystem",),
    numbered=True,
    below=(
        _communication("to_EmailAddress", "A_AddressEmailAddress", "EmailAddress"),
        _communication("to_PhoneNumber", "A_AddressPhoneNumber", "PhoneNumber", "PhoneNumberExtension"),
        _communication("to_MobilePhoneNumber", "A_AddressPhoneNumber", "PhoneNumber", "PhoneNumberExtension"),
        _communication("to_FaxNumber", "A_AddressFaxNumber", "FaxNumber", "FaxNumberExtension"),
        _communication("to_URLAddress", "A_AddressHomePageURL", "WebsiteURL"),
    ),
)
OWN_EMAIL = _communication("to_AddressIndependentEmail", "A_BPAddressIndependentEmail", "EmailAddress")
OWN_MOBILE = _communication(
    "to_AddressIndependentMobile", "A_BPAddressIndependentMobile", "MobilePhoneNumber", "PhoneNumberExtension"
)
PARTNER_LISTS = (
    ADDRESSES,
    OWN_EMAIL,
    OWN_MOBILE,
    ChildList("to_BusinessPartnerRole", "A_BusinessPartnerRole", ("BusinessPartnerRole",)),
    ChildList("to_BusinessPartnerTax", "A_BusinessPartnerTaxNumber", ("BPTaxType",)),
)
CUSTOMER = "to_Customer"
CUSTOMER_LISTS = (
    ChildList(
        "to_CustomerSalesArea",
        "A_CustomerSalesArea",
        ("SalesOrganization", "DistributionChannel", "Division"),
        flag="DeletionIndicator",
    ),
)


FLAGS = MappingProxyType({child.navigation: (child.flag,) for child in CUSTOMER_LISTS if child.flag})


def alpha(value: str, length: int = 10) -> str:
    """SAP's internal form of a number: digits alone are padded with zeros, anything else stays (compare by this)."""
    return value.zfill(length) if value.isascii() and value.isdigit() else value
