"""What a careful programmer would write by hand instead of the two mapping files: same records in and out, same checks.

`read` turns a partner of S/4HANA into the canonical record, `write` a canonical record into a B2B unit. Written for speed: local
names, no table walking, one look at all texts of a record together, few calls (so one function is long). It rejects the records
the mappings reject, but says less of why.
"""

from typing import Any

from benchmarks.hand_checks import Mistakes, check_letters, check_texts, dates, day, in_order, letters
from benchmarks.hand_lists import address_of, sales_area_of, tax_number_of
from benchmarks.hand_units import write
from l2c.errors import RecordRejected

__all__ = ["read", "write"]

CATEGORIES = {"1": "person", "2": "organization", "3": "group"}
ROLES = {
    "FLCU00": "customer", "FLCU01": "customer", "FLVN00": "supplier", "FLVN01": "supplier",
    "BUP001": "contact", "BUP002": "prospect",
}  # fmt: skip
VAT_COUNTRIES = "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK"
MERGED = "ZMERGE"
VAT_TYPES = {f"{country}0": rank for rank, country in enumerate(VAT_COUNTRIES.split())}


def read(record: dict[str, Any]) -> dict[str, Any]:
    """The canonical record of a partner; raises RecordRejected."""
    try:
        merged_into(record)
        return _partner(record)
    except (Mistakes, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordRejected([("", f"rejected ({type(error).__name__})")]) from None


def merged_into(r: dict[str, Any]) -> str | None:
    """The number of the partner an archived one was merged into."""
    if r["IsMarkedForArchiving"]:
        for one in r["to_BuPaIdentification"] or ():
            if one["BPIdentificationType"] == MERGED and one["BPIdentificationNumber"]:
                number: str = one["BPIdentificationNumber"]
                return (number.lstrip("0") or "0") if number.isdigit() else number
    return None


def _partner(r: dict[str, Any]) -> dict[str, Any]:
    number = r["BusinessPartner"]
    if not number or len(number) > 10:
        raise Mistakes
    name_1, name_2 = r["OrganizationBPName1"], r["OrganizationBPName2"]
    name_3, name_4 = r["OrganizationBPName3"], r["OrganizationBPName4"]
    first_name, middle_name, last_name = r["FirstName"], r["MiddleName"], r["LastName"]
    group_1, group_2 = r["GroupBusinessPartnerName1"], r["GroupBusinessPartnerName2"]
    name = (
        " ".join(filter(None, (name_1, name_2, name_3, name_4)))
        or " ".join(filter(None, (first_name, middle_name, last_name)))
        or " ".join(filter(None, (group_1, group_2)))
        or None
    )
    customer = r["to_Customer"]
    if customer:
        order_block, delivery_block = customer["OrderIsBlockedForCustomer"], customer["DeliveryIsBlocked"]
        billing_block, posting_blocked = customer["BillingIsBlockedForCustomer"], customer["PostingIsBlocked"]
        customer_deleted, account_group = customer["DeletionIndicator"], customer["CustomerAccountGroup"]
        customer_class, vat_number = customer["CustomerClassification"], customer["VATRegistration"]
        areas = customer["to_CustomerSalesArea"]
    else:
        order_block = delivery_block = billing_block = posting_blocked = customer_deleted = None
        account_group = customer_class = vat_number = areas = None
    taxes = r["to_BusinessPartnerTax"]
    if not vat_number:
        vat_number = _vat_number(taxes)
    roles = {ROLES.get(role["BusinessPartnerRole"], "other") for role in r["to_BusinessPartnerRole"] or ()}
    language = r["CorrespondenceLanguage"] or r["Language"]
    if language:
        language = language.lower()
        if language not in letters:
            check_letters(language, 2, lower=True)
    blocked, archived = r["BusinessPartnerIsBlocked"], r["IsMarkedForArchiving"]
    for flag in (blocked, archived, posting_blocked, customer_deleted):
        if flag is not True and flag is not False and flag is not None:
            raise Mistakes
    uuid, external, customer_number = r["BusinessPartnerUUID"], r["BusinessPartnerIDByExtSystem"], r["Customer"]
    supplier_number, grouping, kind = r["Supplier"], r["BusinessPartnerGrouping"], r["BusinessPartnerType"]
    form, title, second_last = r["FormOfAddress"], r["AcademicTitle"], r["AdditionalLastName"]
    legal_form, industry, partner = r["LegalForm"], r["Industry"], r["TradingPartner"]
    term_1, term_2 = r["SearchTerm1"], r["SearchTerm2"]
    name_1, name_2 = name_1 or group_1, name_2 or group_2
    if (
        (uuid and len(uuid) > 36)
        or (external and len(external) > 20)
        or (customer_number and len(customer_number) > 10)
        or (supplier_number and len(supplier_number) > 10)
        or (grouping and len(grouping) > 4)
        or (kind and len(kind) > 4)
        or (name and len(name) > 255)
        or (name_1 and len(name_1) > 40)
        or (name_2 and len(name_2) > 40)
        or (name_3 and len(name_3) > 40)
        or (name_4 and len(name_4) > 40)
        or (form and len(form) > 4)
        or (title and len(title) > 4)
        or (first_name and len(first_name) > 40)
        or (middle_name and len(middle_name) > 40)
        or (last_name and len(last_name) > 40)
        or (second_last and len(second_last) > 40)
        or (legal_form and len(legal_form) > 2)
        or (industry and len(industry) > 10)
        or (term_1 and len(term_1) > 20)
        or (term_2 and len(term_2) > 20)
        or (partner and len(partner) > 6)
        or (order_block and len(order_block) > 2)
        or (delivery_block and len(delivery_block) > 2)
        or (billing_block and len(billing_block) > 2)
        or (account_group and len(account_group) > 4)
        or (customer_class and len(customer_class) > 2)
        or (vat_number and len(vat_number) > 20)
    ):
        raise Mistakes
    texts = "".join(
        (
            number or "",
            uuid or "",
            external or "",
            customer_number or "",
            supplier_number or "",
            grouping or "",
            kind or "",
            name or "",
            name_1 or "",
            name_2 or "",
            name_3 or "",
            name_4 or "",
            form or "",
            title or "",
            first_name or "",
            middle_name or "",
            last_name or "",
            second_last or "",
            legal_form or "",
            industry or "",
            term_1 or "",
            term_2 or "",
            partner or "",
            order_block or "",
            delivery_block or "",
            billing_block or "",
            account_group or "",
            customer_class or "",
            vat_number or "",
        )
    )
    check_texts(texts)
    addresses = [address_of(address) for address in r["to_BusinessPartnerAddress"] or ()]
    founded, liquidated, created = r["OrganizationFoundationDate"], r["OrganizationLiquidationDate"], r["CreationDate"]
    return {
        "number": number,
        "uuid": uuid or None,
        "external_number": external or None,
        "customer_number": customer_number or None,
        "supplier_number": supplier_number or None,
        "category": CATEGORIES[r["BusinessPartnerCategory"]],
        "grouping": grouping or None,
        "partner_type": kind or None,
        "roles": sorted(roles),
        "name": name,
        "name_1": name_1 or None,
        "name_2": name_2 or None,
        "name_3": name_3 or None,
        "name_4": name_4 or None,
        "form_of_address": form or None,
        "academic_title": title or None,
        "first_name": first_name or None,
        "middle_name": middle_name or None,
        "last_name": last_name or None,
        "second_last_name": second_last or None,
        "legal_form": legal_form or None,
        "industry": industry or None,
        "search_term_1": term_1 or None,
        "search_term_2": term_2 or None,
        "language": language or None,
        "email": _email(r["to_AddressIndependentEmail"]),
        "trading_partner": partner or None,
        "founded_on": dates[founded] if founded in dates else day(founded),
        "liquidated_on": dates[liquidated] if liquidated in dates else day(liquidated),
        "created_on": dates[created] if created in dates else day(created),
        "active": not (blocked or archived or customer_deleted) and not order_block,
        "blocked": blocked,
        "archived": archived,
        "order_block": order_block or None,
        "delivery_block": delivery_block or None,
        "billing_block": billing_block or None,
        "posting_blocked": posting_blocked,
        "customer_deleted": customer_deleted,
        "account_group": account_group or None,
        "customer_class": customer_class or None,
        "vat_number": vat_number or None,
        "tax_numbers": in_order([tax_number_of(tax) for tax in taxes or ()], "type"),
        "addresses": in_order(addresses, "number"),
        "sales_areas": in_order([sales_area_of(area) for area in areas or ()], "area"),
    }


def _email(emails: list[dict[str, Any]] | None) -> str | None:
    best = None
    for email in emails or ():
        text = email["EmailAddress"]
        if text:
            if email["IsDefaultEmailAddress"] is True:
                return text  # type: ignore[no-any-return]
            best = best or text
    return best


def _vat_number(taxes: list[dict[str, Any]] | None) -> str | None:
    found, best = None, len(VAT_TYPES)
    for tax in taxes or ():
        rank = VAT_TYPES.get(tax["BPTaxType"], best)
        if rank < best and tax["BPTaxNumber"]:
            found, best = tax["BPTaxNumber"], rank
    return found
