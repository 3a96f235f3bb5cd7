"""The lists below a partner, as one would write them by hand: addresses with what hangs on them, sales areas, tax numbers.

Its functions are long because calls cost: one straight line an element is what a careful programmer ends up with.
"""

from typing import Any

from benchmarks.hand_checks import Mistakes, check_letters, check_texts, dates, day, in_order, letters
from benchmarks.hand_lines import default_line, emails_of, faxes_of, phones_of, preferred, websites_of

GERMAN = ("SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH")
AUSTRIAN = ("B", "K", "NOE", "OOE", "S", "ST", "T", "V", "W")
REGIONS = {f"DE-{n:02d}": f"DE-{name}" for n, name in enumerate(GERMAN, 1)} | {
    f"AT-{name}": f"AT-{n}" for n, name in enumerate(AUSTRIAN, 1)
}


def address_of(a: dict[str, Any]) -> dict[str, Any]:
    country, region, language = a["Country"], a["Region"], a["Language"]
    number = a["AddressIDByExternalSystem"]
    if not number or (number.isdigit() and len(number) <= 10):
        number = a["AddressID"]
    if not number or len(number) > 255 or not country:
        raise Mistakes
    if region:
        region = f"{country}-{region}"
        region = REGIONS.get(region, region)
        if len(region) > 6:
            raise Mistakes
    country = country.upper()
    if country not in letters:
        check_letters(country, 2, lower=False)
    if language:
        language = language.lower()
        if language not in letters:
            check_letters(language, 2, lower=True)
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
        (
            number or "",
            uuid or "",
            external or "",
            care_of or "",
            street or "",
            house or "",
            supplement or "",
            street_2 or "",
            street_3 or "",
            street_4 or "",
            street_5 or "",
            district or "",
            postal_code or "",
            city or "",
            county or "",
            region or "",
            box or "",
            box_code or "",
            box_city or "",
            zone or "",
        )
    )
    check_texts(texts)
    usages = [usage["AddressUsage"] for usage in a["to_AddressUsage"] or () if usage["AddressUsage"]]
    for usage in usages:
        if len(usage) > 10:
            raise Mistakes
        check_texts(usage)
    start, end = a["ValidityStartDate"], a["ValidityEndDate"]
    emails, phones = emails_of(a["to_EmailAddress"]), phones_of(a["to_PhoneNumber"])
    mobiles, faxes, websites = (
        phones_of(a["to_MobilePhoneNumber"]),
        faxes_of(a["to_FaxNumber"]),
        websites_of(a["to_URLAddress"]),
    )
    return {
        "number": number,
        "uuid": uuid or None,
        "external_number": external or None,
        "valid_from": dates[start] if start in dates else day(start),
        "valid_to": dates[end] if end in dates else day(end),
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
        "phone": default_line(phones) if phones else None,
        "mobile": default_line(mobiles) if mobiles else None,
        "fax": default_line(faxes) if faxes else None,
        "email": preferred(emails, "address") if emails else None,
        "website": preferred(websites, "url") if websites else None,
        "emails": in_order(emails, "position"),
        "phones": in_order(phones, "position"),
        "mobiles": in_order(mobiles, "position"),
        "faxes": in_order(faxes, "position"),
        "websites": in_order(websites, "position"),
    }


def sales_area_of(s: dict[str, Any]) -> dict[str, Any]:
    organization, channel, division = s["SalesOrganization"], s["DistributionChannel"], s["Division"]
    area = "/".join(filter(None, (organization, channel, division)))
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
    if currency and currency not in letters:
        check_letters(currency, 3, lower=False)
    texts = "".join(
        (
            area or "",
            terms or "",
            group or "",
            price or "",
            price_list or "",
            procedure or "",
            incoterms or "",
            location or "",
            shipping or "",
            priority or "",
            district or "",
            office or "",
            sales_group or "",
            order_block or "",
            delivery_block or "",
            billing_block or "",
        )
    )
    check_texts(texts)
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


def tax_number_of(tax: dict[str, Any]) -> dict[str, Any]:
    kind, number = tax["BPTaxType"], tax["BPTaxNumber"] or tax["BPTaxLongNumber"]
    if not kind or len(kind) > 4 or (number and len(number) > 60):
        raise Mistakes
    check_texts(kind + number if number else kind)
    return {"type": kind, "number": number or None}
