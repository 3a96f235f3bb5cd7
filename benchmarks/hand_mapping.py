"""What a careful programmer would write by hand instead of the two mapping files: same records in and out, same checks.

`read` turns a partner of S/4HANA into the canonical record, `write` a canonical record into a B2B unit. Written for speed: local
names, no table walking, one look at all texts of a record together. It rejects the records the mappings reject, but says
less of why.
"""

from datetime import date, timedelta
from typing import Any

from l2c.errors import RecordRejected

CATEGORIES = {"1": "person", "2": "organization", "3": "group"}
ROLES = {
    "FLCU00": "customer", "FLCU01": "customer", "FLVN00": "supplier", "FLVN01": "supplier",
    "BUP001": "contact", "BUP002": "prospect",
}  # fmt: skip
GERMAN = ("SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH")
AUSTRIAN = ("B", "K", "NOE", "OOE", "S", "ST", "T", "V", "W")
REGIONS = {f"DE-{n:02d}": f"DE-{name}" for n, name in enumerate(GERMAN, 1)} | {
    f"AT-{name}": f"AT-{n}" for n, name in enumerate(AUSTRIAN, 1)
}
VAT_COUNTRIES = "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK"
VAT_TYPES = {f"{country}0": rank for rank, country in enumerate(VAT_COUNTRIES.split())}
SHOP_REGIONS = frozenset(
    f"{country}-{name}"
    for country, names in {
        "DE": "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH",
        "AT": "1 2 3 4 5 6 7 8 9",
        "CH": "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH",
        "US": "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR"
        " PA RI SC SD TN TX UT VA VT WA WI WV WY",
        "JP": " ".join(f"{number:02d}" for number in range(1, 48)),
    }.items()
    for name in names.split()
)
INITIAL = ("0000-00-00", "00000000", "0001-01-01")
FOREVER = "9999-12-31"
_dates: dict[str | None, str | None] = {}
_letters: set[str] = set()


class Mistakes(Exception):
    """The record has at least one mistake; the slow way finds them all."""


def read(record: dict[str, Any]) -> dict[str, Any]:
    """The canonical record of a partner; raises RecordRejected."""
    try:
        return _partner(record)
    except (Mistakes, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordRejected([("", f"rejected ({type(error).__name__})")]) from None


def _partner(r: dict[str, Any]) -> dict[str, Any]:
    number = r["BusinessPartner"]
    if not number or len(number) > 10:
        raise Mistakes
    name_1, name_2 = r["OrganizationBPName1"], r["OrganizationBPName2"]
    name_3, name_4 = r["OrganizationBPName3"], r["OrganizationBPName4"]
    first_name, middle_name, last_name = r["FirstName"], r["MiddleName"], r["LastName"]
    group_1, group_2 = r["GroupBusinessPartnerName1"], r["GroupBusinessPartnerName2"]
    name = (
        " ".join([part for part in (name_1, name_2, name_3, name_4) if part])
        or " ".join([part for part in (first_name, middle_name, last_name) if part])
        or " ".join([part for part in (group_1, group_2) if part])
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
        if language not in _letters:
            _check_letters(language, 2, lower=True)
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
        [
            text
            for text in (
                number, uuid, external, customer_number, supplier_number, grouping, kind, name, name_1, name_2, name_3, name_4,
                form, title, first_name, middle_name, last_name, second_last, legal_form, industry, term_1, term_2, partner,
                order_block, delivery_block, billing_block, account_group, customer_class, vat_number,
            )
            if text
        ]
    )  # fmt: skip
    _check_texts(texts)
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
        "trading_partner": partner or None,
        "founded_on": _dates[founded] if founded in _dates else _day(founded),
        "liquidated_on": _dates[liquidated] if liquidated in _dates else _day(liquidated),
        "created_on": _dates[created] if created in _dates else _day(created),
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
        "tax_numbers": _in_order([_tax_number(tax) for tax in taxes or ()], "type"),
        "addresses": _in_order([_address(address) for address in r["to_BusinessPartnerAddress"] or ()], "number"),
        "sales_areas": _in_order([_sales_area(area) for area in areas or ()], "area"),
    }


def _vat_number(taxes: list[dict[str, Any]] | None) -> str | None:
    found, best = None, len(VAT_TYPES)
    for tax in taxes or ():
        rank = VAT_TYPES.get(tax["BPTaxType"], best)
        if rank < best and tax["BPTaxNumber"]:
            found, best = tax["BPTaxNumber"], rank
    return found


def _tax_number(tax: dict[str, Any]) -> dict[str, Any]:
    kind, number = tax["BPTaxType"], tax["BPTaxNumber"] or tax["BPTaxLongNumber"]
    if not kind or len(kind) > 4 or (number and len(number) > 60):
        raise Mistakes
    _check_texts(kind + number if number else kind)
    return {"type": kind, "number": number or None}


def _address(a: dict[str, Any]) -> dict[str, Any]:
    number, country, region, language = a["AddressID"], a["Country"], a["Region"], a["Language"]
    if not number or len(number) > 10 or not country:
        raise Mistakes
    if region:
        region = f"{country}-{region}"
        region = REGIONS.get(region, region)
        if len(region) > 6:
            raise Mistakes
    country = country.upper()
    if country not in _letters:
        _check_letters(country, 2, lower=False)
    if language:
        language = language.lower()
        if language not in _letters:
            _check_letters(language, 2, lower=True)
    uuid, external, care_of, street = a["AddressUUID"], a["AddressIDByExternalSystem"], a["CareOfName"], a["StreetName"]
    house, supplement = a["HouseNumber"], a["HouseNumberSupplementText"]
    street_2, street_3 = a["StreetPrefixName"], a["AdditionalStreetPrefixName"]
    street_4, street_5 = a["StreetSuffixName"], a["AdditionalStreetSuffixName"]
    district, postal_code, city, county = a["District"], a["PostalCode"], a["CityName"], a["County"]
    box, box_code, box_city, zone = a["POBox"], a["POBoxPostalCode"], a["POBoxDeviatingCityName"], a["AddressTimeZone"]
    if (
        (uuid and len(uuid) > 36)
        or (external and len(external) > 20)
        or (care_of and len(care_of) > 40)
        or (street and len(street) > 60)
        or (house and len(house) > 10)
        or (supplement and len(supplement) > 10)
        or (street_2 and len(street_2) > 40)
        or (street_3 and len(street_3) > 40)
        or (street_4 and len(street_4) > 40)
        or (street_5 and len(street_5) > 40)
        or (district and len(district) > 40)
        or (postal_code and len(postal_code) > 10)
        or (city and len(city) > 40)
        or (county and len(county) > 40)
        or (box and len(box) > 10)
        or (box_code and len(box_code) > 10)
        or (box_city and len(box_city) > 40)
        or (zone and len(zone) > 6)
    ):
        raise Mistakes
    texts = "".join(
        [
            text
            for text in (
                number, uuid, external, care_of, street, house, supplement, street_2, street_3, street_4, street_5, district,
                postal_code, city, county, region, box, box_code, box_city, zone,
            )
            if text
        ]
    )  # fmt: skip
    _check_texts(texts)
    usages = [usage["AddressUsage"] for usage in a["to_AddressUsage"] or () if usage["AddressUsage"]]
    for usage in usages:
        if len(usage) > 10:
            raise Mistakes
        _check_texts(usage)
    start, end = a["ValidityStartDate"], a["ValidityEndDate"]
    return {
        "number": number,
        "uuid": uuid or None,
        "external_number": external or None,
        "valid_from": _dates[start] if start in _dates else _day(start),
        "valid_to": _dates[end] if end in _dates else _day(end),
        "usages": sorted(set(usages)) if len(usages) > 1 else usages,
        "care_of": care_of or None,
        "street": street or None,
        "house_number": house or None,
        "house_number_supplement": supplement or None,
        "street_2": street_2 or None,
        "street_3": street_3 or None,
        "street_4": street_4 or None,
        "street_5": street_5 or None,
        "district": district or None,
        "postal_code": postal_code or None,
        "city": city or None,
        "county": county or None,
        "region": region or None,
        "country": country,
        "po_box": box or None,
        "po_box_postal_code": box_code or None,
        "po_box_city": box_city or None,
        "language": language or None,
        "time_zone": zone or None,
        "emails": _in_order([_email(e) for e in a["to_EmailAddress"] or ()], "position"),
        "phones": _in_order([_phone(p) for p in a["to_PhoneNumber"] or ()], "position"),
        "mobiles": _in_order([_phone(p) for p in a["to_MobilePhoneNumber"] or ()], "position"),
        "faxes": _in_order([_fax(f) for f in a["to_FaxNumber"] or ()], "position"),
        "websites": _in_order([_website(w) for w in a["to_URLAddress"] or ()], "position"),
    }


def _email(e: dict[str, Any]) -> dict[str, Any]:
    position, address, default = e["OrdinalNumber"], e["EmailAddress"], e["IsDefaultEmailAddress"]
    if not position or len(position) > 3 or (address and len(address) > 241):
        raise Mistakes
    if default is not True and default is not False and default is not None:
        raise Mistakes
    _check_texts(position + address if address else position)
    return {"position": position, "address": address or None, "default": default}


def _phone(p: dict[str, Any]) -> dict[str, Any]:
    return _line(
        p["OrdinalNumber"],
        p["DestinationLocationCountry"],
        p["PhoneNumber"],
        p["PhoneNumberExtension"],
        p["IsDefaultPhoneNumber"],
    )


def _fax(f: dict[str, Any]) -> dict[str, Any]:
    return _line(f["OrdinalNumber"], f["FaxCountry"], f["FaxNumber"], f["FaxNumberExtension"], f["IsDefaultFaxNumber"])


def _line(position: Any, country: Any, number: Any, extension: Any, default: Any) -> dict[str, Any]:
    if not position or len(position) > 3 or (number and len(number) > 30) or (extension and len(extension) > 10):
        raise Mistakes
    if country and country not in _letters:
        _check_letters(country, 2, lower=False)
    if default is not True and default is not False and default is not None:
        raise Mistakes
    _check_texts(f"{position}{number or ''}{extension or ''}")
    return {
        "position": position,
        "country": country or None,
        "number": number or None,
        "extension": extension or None,
        "default": default,
    }


def _website(w: dict[str, Any]) -> dict[str, Any]:
    position, url, default = w["OrdinalNumber"], w["WebsiteURL"], w["IsDefaultURLAddress"]
    if not position or len(position) > 3 or (url and len(url) > 2048):
        raise Mistakes
    if default is not True and default is not False and default is not None:
        raise Mistakes
    _check_texts(position + url if url else position)
    return {"position": position, "url": url or None, "default": default}


def _sales_area(s: dict[str, Any]) -> dict[str, Any]:
    organization, channel, division = s["SalesOrganization"], s["DistributionChannel"], s["Division"]
    area = "/".join([part for part in (organization, channel, division) if part])
    currency, terms, group, price = (
        s["Currency"],
        s["CustomerPaymentTerms"],
        s["CustomerGroup"],
        s["CustomerPriceGroup"],
    )
    price_list, procedure = s["PriceListType"], s["CustomerPricingProcedure"]
    incoterms, location = s["IncotermsClassification"], s["IncotermsLocation1"]
    shipping, priority, district = s["ShippingCondition"], s["DeliveryPriority"], s["SalesDistrict"]
    office, sales_group = s["SalesOffice"], s["SalesGroup"]
    order_block, delivery_block = s["OrderIsBlockedForCustomer"], s["DeliveryIsBlockedForCustomer"]
    billing_block, deleted = s["BillingIsBlockedForCustomer"], s["DeletionIndicator"]
    if (
        not area
        or len(area) > 10
        or (organization and len(organization) > 4)
        or (channel and len(channel) > 2)
        or (division and len(division) > 2)
        or (terms and len(terms) > 4)
        or (group and len(group) > 2)
        or (price and len(price) > 2)
        or (price_list and len(price_list) > 2)
        or (procedure and len(procedure) > 2)
        or (incoterms and len(incoterms) > 3)
        or (location and len(location) > 70)
        or (shipping and len(shipping) > 2)
        or (priority and len(priority) > 2)
        or (district and len(district) > 6)
        or (office and len(office) > 4)
        or (sales_group and len(sales_group) > 3)
        or (order_block and len(order_block) > 2)
        or (delivery_block and len(delivery_block) > 2)
        or (billing_block and len(billing_block) > 2)
        or (deleted is not True and deleted is not False and deleted is not None)
    ):
        raise Mistakes
    if currency and currency not in _letters:
        _check_letters(currency, 3, lower=False)
    texts = "".join(
        [
            text
            for text in (
                area, terms, group, price, price_list, procedure, incoterms, location, shipping, priority, district, office,
                sales_group, order_block, delivery_block, billing_block,
            )
            if text
        ]
    )  # fmt: skip
    _check_texts(texts)
    return {
        "area": area,
        "sales_organization": organization or None,
        "distribution_channel": channel or None,
        "division": division or None,
        "currency": currency or None,
        "payment_terms": terms or None,
        "customer_group": group or None,
        "price_group": price or None,
        "price_list": price_list or None,
        "pricing_procedure": procedure or None,
        "incoterms": incoterms or None,
        "incoterms_location": location or None,
        "shipping_condition": shipping or None,
        "delivery_priority": priority or None,
        "sales_district": district or None,
        "sales_office": office or None,
        "sales_group": sales_group or None,
        "order_block": order_block or None,
        "delivery_block": delivery_block or None,
        "billing_block": billing_block or None,
        "deleted": deleted,
    }


def _check_texts(texts: str) -> None:
    """No NUL and no half characters, byte order marks or characters of two UTF-16 units, which need a closer look."""
    if "\0" in texts:
        raise Mistakes
    if not texts.isascii():
        texts.encode()
        if max(texts) > "\uffff" or "\ufeff" in texts:
            raise Mistakes


def _check_letters(code: str, size: int, *, lower: bool) -> None:
    if (
        len(code) != size
        or not code.isascii()
        or not code.isalpha()
        or not (code.islower() if lower else code.isupper())
    ):
        raise Mistakes
    _letters.add(code)


def _day(value: str | None) -> str | None:
    day = None
    if value and value[:10] not in INITIAL and value not in INITIAL:
        day = f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 else value[:10]
        date.fromisoformat(day)
    if len(_dates) >= 10_000:
        _dates.clear()
    _dates[value] = day
    return day


def _in_order(elements: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    if len(elements) < 2:
        return elements
    if len({element[key] for element in elements}) != len(elements):
        raise Mistakes
    return sorted(elements, key=lambda element: (len(element[key]), element[key]))


def write(record: dict[str, Any], today: date) -> dict[str, Any]:
    """The unit of a canonical partner, {} for one that is no customer organization; raises RecordRejected."""
    if record["category"] != "organization" or "customer" not in (record["roles"] or ()):
        return {}
    number, name, addresses = record["customer_number"], record["name"], record["addresses"] or ()
    if number is None or name is None:
        raise RecordRejected([("uid" if number is None else "name", "empty, but required")])
    day = today.isoformat()
    again: list[str] = []
    blocked = record["blocked"] or record["archived"] or record["customer_deleted"] or record["order_block"]
    return {
        "uid": number,
        "name": name,
        "active": not blocked,
        "vatID": record["vat_number"],
        "l2cCustomerNumber": number,
        "l2cEmail": _preferred([email for address in addresses for email in address["emails"] or ()], "address"),
        "addresses": [
            _unit_address(address, number, name)
            for address in addresses
            if _valid(address["valid_from"], address["valid_to"], day, again)
        ],
    }


def _valid(start: str | None, end: str | None, day: str, again: list[str]) -> bool:
    """Whether a period holds the day; notes the next day on which that changes."""
    if start and start > day:
        again.append(start)
        return False
    if end and end < FOREVER and end >= day:
        again.append((date.fromisoformat(end) + timedelta(1)).isoformat())
    return not end or day <= end


def _preferred(elements: list[dict[str, Any]] | None, field: str) -> Any:
    """The value of the first element that is the default, else of the first that has one."""
    best = None
    for element in elements or ():
        value = element[field]
        if value is None:
            continue
        if element["default"] is True:
            return value
        if best is None:
            best = value
    return best


def _unit_address(a: dict[str, Any], number: str, name: str) -> dict[str, Any]:
    house, supplement, region, country = a["house_number"], a["house_number_supplement"], a["region"], a["country"]
    phone, extension = _preferred(a["phones"], "number"), _preferred(a["phones"], "extension")
    usages = a["usages"]
    everything = not usages or "XXDEFAULT" in usages
    return {
        "publicKey": f"{number}|{a['number']}",
        "duplicate": False,
        "sapCustomerID": number,
        "company": name,
        "streetname": a["street"],
        "streetnumber": f"{house} {supplement}" if house and supplement else house or supplement,
        "district": a["district"],
        "postalcode": a["postal_code"] or a["po_box_postal_code"],
        "town": a["city"] or a["po_box_city"],
        "pobox": a["po_box"],
        "country": {"isocode": country} if country else None,
        "region": {"isocode": region, "country": {"isocode": country}} if region in SHOP_REGIONS else None,
        "phone1": f"{phone}-{extension}" if phone and extension else phone or extension,
        "cellphone": _preferred(a["mobiles"], "number"),
        "fax": _preferred(a["faxes"], "number"),
        "email": _preferred(a["emails"], "address"),
        "url": _preferred(a["websites"], "url"),
        "billingAddress": everything or "BILL_TO" in usages,
        "shippingAddress": everything or "SHIP_TO" in usages,
    }
