"""What S/4HANA refuses: the business checks behind a create or change through the API."""

import re
from collections.abc import Callable, Iterator

from sandbox.s4hana.context import Context
from sandbox.s4hana.errors import Message
from sandbox.s4hana.sales import conditions, products
from sandbox.s4hana.tables import Row

ROLES = frozenset({"000000", "BUP001", "BUP002", "BUP003", "FLCU00", "FLCU01", "FLVN00", "FLVN01", "UKM000"})
INTERNAL, EXTERNAL = frozenset({"BP01", "BP02"}), frozenset({"BPAB", "BPEE"})
NAMES = {"1": "LastName", "2": "OrganizationBPName1", "3": "GroupBusinessPartnerName1"}
POSTAL = {"DE": r"\d{5}", "AT": r"\d{4}", "CH": r"\d{4}", "US": r"\d{5}(-\d{4})?", "JP": r"\d{3}-?\d{4}"}
_CODES = (
    "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CK"
    " CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN"
    " GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC"
    " LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU"
    " NZ OM PA PE PF PG PH PK PL PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TC"
    " TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WS XK YE ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())


def messages(entity: str, row: Row) -> list[Message]:
    """Everything that is wrong with a record from the business' point of view."""
    check = CHECKS.get(entity)
    return list(check(row)) if check else []


def _partner(row: Row) -> Iterator[Message]:
    category = row.get("BusinessPartnerCategory", "")
    if category not in NAMES:
        yield Message("R1/131", f"Business partner category '{category}' is not defined", "BusinessPartnerCategory")
    elif not row.get(NAMES[category]):
        yield Message("R1/102", f"Enter a value for '{NAMES[category]}'", NAMES[category])
    grouping = row.get("BusinessPartnerGrouping", "")
    if grouping not in INTERNAL | EXTERNAL:
        yield Message("R1/228", f"Grouping '{grouping}' does not exist", "BusinessPartnerGrouping")
    for name in ("CorrespondenceLanguage", "Language"):
        language = row.get(name, "")
        if language and not re.fullmatch("[A-Z]{2}", language):
            yield Message("R1/109", f"Language '{language}' is not defined", name)


def _address(row: Row) -> Iterator[Message]:
    country, code = row.get("Country", ""), row.get("PostalCode", "")
    if not country:
        yield Message("AM/211", "Enter a country/region", "Country")
    elif country not in COUNTRIES:
        yield Message("AM/212", f"Country/region '{country}' is not defined", "Country")
    if code and country in POSTAL and not re.fullmatch(POSTAL[country], code):
        yield Message("AM/220", f"Postal code '{code}' does not have the form used in '{country}'", "PostalCode")


def _email(row: Row) -> Iterator[Message]:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", row.get("EmailAddress", "")):
        yield Message("AM/865", f"E-mail address '{row.get('EmailAddress', '')}' is not valid", "EmailAddress")


def _role(row: Row) -> Iterator[Message]:
    if row["BusinessPartnerRole"] not in ROLES:
        yield Message("R11/657", f"Role '{row['BusinessPartnerRole']}' does not exist", "BusinessPartnerRole")


def _tax(row: Row) -> Iterator[Message]:
    if not re.fullmatch(r"[A-Z]{2}\d", row["BPTaxType"]):
        yield Message("FTBUPA/012", f"Tax number category '{row['BPTaxType']}' is not defined", "BPTaxType")
    if not row.get("BPTaxNumber") and not row.get("BPTaxLongNumber"):
        yield Message("FTBUPA/013", "Enter a tax number", "BPTaxNumber")


def _sales_area(row: Row) -> Iterator[Message]:
    area = f"{row['SalesOrganization']} {row['DistributionChannel']} {row['Division']}"
    if not re.fullmatch(r"[0-8]\d{3} \d\d \d\d", area):
        yield Message("F2/163", f"Sales area {area} is not defined", "SalesOrganization")
    yield from _currency(row)


def _currency(row: Row) -> Iterator[Message]:
    currency = row.get("Currency", "")
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        yield Message("F2/172", f"Currency '{currency}' is not defined", "Currency")


def _company(row: Row) -> Iterator[Message]:
    if not re.fullmatch(r"[0-8]\d{3}", row["CompanyCode"]):
        yield Message("F2/118", f"Company code '{row['CompanyCode']}' is not defined", "CompanyCode")
    account = row.get("ReconciliationAccount", "")
    if not account:
        yield Message("F2/270", "Enter a value for 'ReconciliationAccount'", "ReconciliationAccount")
    elif not account.isdigit():
        text = f"G/L account '{account}' is not defined in company code '{row['CompanyCode']}'"
        yield Message("F2/271", text, "ReconciliationAccount")


def _sales_area_tax(row: Row) -> Iterator[Message]:
    if row["DepartureCountry"] not in COUNTRIES:
        yield Message("F2/175", f"Country/region '{row['DepartureCountry']}' is not defined", "DepartureCountry")
    if not re.fullmatch("[A-Z0-9]{4}", row["CustomerTaxCategory"]):
        text = f"Tax category '{row['CustomerTaxCategory']}' is not defined"
        yield Message("F2/176", text, "CustomerTaxCategory")


def _contact(row: Row) -> Iterator[Message]:
    category = row.get("RelationshipCategory", "")
    if category != "BUR001":
        yield Message("R1/260", f"Relationship category '{category}' is not defined here", "RelationshipCategory")
    if row.get("ValidityStartDate", "") > row["ValidityEndDate"]:
        yield Message("R1/263", "The validity ends before it begins", "ValidityEndDate")


CHECKS: dict[str, Callable[[Row], Iterator[Message]]] = {
    "A_BusinessPartner": _partner,
    "A_BusinessPartnerAddress": _address,
    "A_AddressEmailAddress": _email,
    "A_BPAddressIndependentEmail": _email,
    "A_BusinessPartnerRole": _role,
    "A_BusinessPartnerTaxNumber": _tax,
    "A_CustomerSalesArea": _sales_area,
    "A_CustomerSalesAreaTax": _sales_area_tax,
    "A_CustomerCompany": _company,
    "A_BusinessPartnerContact": _contact,
    **products.CHECKS,
    **conditions.CHECKS,
}


def unique(context: Context, entity: str, row: Row) -> None:
    """Refuse a key of another system that a different address of the same partner has."""
    key = row.get("AddressIDByExternalSystem")
    if entity != "A_BusinessPartnerAddress" or not key:
        return
    for other in context.find(context.model[entity], {"AddressIDByExternalSystem": key}):
        if other["BusinessPartner"] == row["BusinessPartner"] and other["AddressID"] != row["AddressID"]:
            text = f"External address number '{key}' is used by address '{other['AddressID']}' already"
            context.complain("R1/340", text, "AddressIDByExternalSystem")


def warnings(entity: str, row: Row) -> list[Message]:
    """What S/4HANA remarks without refusing."""
    if entity == "A_BusinessPartnerAddress" and row.get("Country") == "US" and not row.get("Region"):
        return [Message("AM/216", "Enter a region for country/region 'US'", "Region", "warning")]
    return []
