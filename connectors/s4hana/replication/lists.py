"""The lists of a replication message: the navigation they come from, the element they become, what tells elements apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.s4hana.replication.fields import (
    ADDRESS,
    COMPANY,
    EMAIL,
    FAX,
    IDENTIFICATION,
    PHONE,
    ROLE,
    SALES_AREA,
    SALES_TAX,
    TAX,
    USAGE,
    WEB,
    Fields,
)

Node = dict[str, Any]
_NUMBER = ("PhoneNumber", "PhoneNumberExtension")


def _as_it_is(made: Node) -> Node:
    return made


@dataclass(frozen=True, slots=True)
class ListNode:
    """One list: `path` is its element below the node around it.

    `given` are keys the receiver gives, `natural` what tells elements apart without them; `flag` is the field that marks
    an element as gone where none is removed; `usage` is the element that says which is the default, in a list whose
    elements are known by their values alone; `finish` makes of the fields what the element wants.
    """

    navigation: str
    path: str
    fields: Fields
    natural: tuple[str, ...]
    given: tuple[str, ...] = ()
    flag: str = ""
    usage: str = ""
    below: tuple["ListNode", ...] = ()
    finish: Callable[[Node], Node] = _as_it_is


def _communication(
    navigation: str,
    path: str,
    fields: Fields,
    natural: tuple[str, ...],
    code: str,
    *,
    above: str = "Address",
    **constants: Any,
) -> ListNode:
    """Numbers and addresses: that one is the default is said by a usage with its code; one that is not has none."""
    usage = f"{path}Usage"

    def finish(made: Node) -> Node:
        found = {name: value for name, value in made.items() if name != usage}
        if made.get(usage, {}).get("DefaultIndicator"):
            found[usage] = {"Usage": {"Code": code}, "DefaultIndicator": True}
        return {**found, **constants}

    return ListNode(navigation, f"{above}.{path}", fields, natural, usage=usage, finish=finish)


def _address(made: Node) -> Node:
    """The address itself is there even where nothing is known of it."""
    made.setdefault("Address", {})
    return made


def _tax_number(made: Node) -> Node:
    """`DE0` is number 0 of DE; the number stands twice, cut to 20 characters and whole, with its kind as scheme."""
    kind, number = str(made.get("type") or ""), str(made.get("long") or made.get("number") or "")
    found = {"CountryCode": kind[:2], "TaxIdentificationNumberTypeCode": kind[2:]}
    short, long = ({"_value_1": text, "schemeID": kind} for text in (number[:20], number))
    return {**found, "PartyTaxID": short, "LONG_PartyTaxID": long}


ADDRESSES = ListNode(
    "to_BusinessPartnerAddress",
    "AddressInformation",
    ADDRESS,
    ("AddressIDByExternalSystem",),
    given=("AddressID",),
    finish=_address,
    below=(
        ListNode("to_AddressUsage", "AddressUsage", USAGE, ("AddressUsage",)),
        _communication("to_EmailAddress", "Email", EMAIL, ("EmailAddress",), "AD_DEFAULT"),
        _communication("to_FaxNumber", "Facsimile", FAX, ("FaxNumber", "FaxNumberExtension"), "AD_DEFAULT"),
        _communication("to_PhoneNumber", "Telephone", PHONE, _NUMBER, "AD_NMBDEFA", MobilePhoneNumberIndicator=False),
        _communication(
            "to_MobilePhoneNumber", "Telephone", PHONE, _NUMBER, "AD_MBDEFAU", MobilePhoneNumberIndicator=True
        ),
        _communication("to_URLAddress", "Web", WEB, ("WebsiteURL",), "AD_DEFAULT", URITypeCode="HPG"),
    ),
)
PARTNER_LISTS = (
    ADDRESSES,
    _communication(
        "to_AddressIndependentEmail",
        "Email",
        EMAIL,
        ("EmailAddress",),
        "AD_DEFAULT",
        above="AddressIndependentCommInfo",
    ),
    ListNode("to_BusinessPartnerRole", "Role", ROLE, ("BusinessPartnerRole",)),
    ListNode(
        "to_BuPaIdentification", "Identification", IDENTIFICATION, ("BPIdentificationType", "BPIdentificationNumber")
    ),
    ListNode("to_BusinessPartnerTax", "TaxNumber", TAX, ("BPTaxType",), finish=_tax_number),
)
SALES_TAXES = ListNode("to_SalesAreaTax", "TaxClassification", SALES_TAX, ("DepartureCountry", "CustomerTaxCategory"))
SALES_AREAS = ListNode(
    "to_CustomerSalesArea",
    "SalesArrangement",
    SALES_AREA,
    ("SalesOrganization", "DistributionChannel", "Division"),
    flag="DeletionIndicator",
)
COMPANIES = ListNode("to_CustomerCompany", "AccountingInformation", COMPANY, ("CompanyCode",), flag="DeletionIndicator")
CUSTOMER_LISTS = (COMPANIES, SALES_AREAS)

# the attribute that says a list is whole: the receiver then removes what is not in it
COMPLETE = {
    "to_BusinessPartnerAddress": "addressInformationListCompleteTransmissionIndicator",
    "to_BusinessPartnerRole": "roleListCompleteTransmissionIndicator",
    "to_BuPaIdentification": "identificationListCompleteTransmissionIndicator",
    "to_BusinessPartnerTax": "taxNumberListCompleteTransmissionIndicator",
    "to_CustomerSalesArea": "salesArrangementListCompleteTransmissionIndicator",
    "to_CustomerCompany": "accountingInformationListCompleteTransmissionIndicator",
}
