"""The write mapping by hand: a B2B unit of a canonical partner."""

from datetime import date, timedelta
from typing import Any

from l2c.errors import RecordRejected

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
FOREVER = "9999-12-31"


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
