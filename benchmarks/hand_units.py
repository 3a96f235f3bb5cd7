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
    return {
        "uid": number,
        "name": name,
        "active": record["active"],
        "vatID": record["vat_number"],
        "l2cPartnerNumber": record["number"],
        "l2cCustomerNumber": number,
        "l2cEmail": record["email"],
        "addresses": [
            made for address in addresses if (made := _unit_address(address, number, name, day, again)) is not None
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


def _unit_address(a: dict[str, Any], customer: str, name: str, day: str, again: list[str]) -> dict[str, Any] | None:
    number, house, supplement = a["number"], a["house_number"], a["house_number_supplement"]
    region, country, box, code, city = a["region"], a["country"], a["po_box"], a["postal_code"], a["city"]
    ours = len(number) <= 10 and number.isdigit()
    if ours:
        if not _valid(a["valid_from"], a["valid_to"], day, again):
            return None
        usages = a["usages"]
        everything = not usages or "XXDEFAULT" in usages
        own = {
            "publicKey": f"{customer}|{number}",
            "duplicate": False,
            "sapCustomerID": customer,
            "company": name,
            "billingAddress": everything or "BILL_TO" in usages,
            "shippingAddress": everything or "SHIP_TO" in usages,
        }
        if box:
            code, city = code or a["po_box_postal_code"], city or a["po_box_city"]
    else:
        own = {"publicKey": number.removeprefix("="), "duplicate": False}
    return {
        **own,
        "streetname": a["street"],
        "streetnumber": (f"{house} {supplement}" if supplement else house) if house else None,
        "district": a["district"],
        "postalcode": code,
        "town": city,
        "pobox": box,
        "country": {"isocode": country} if country else None,
        "region": {"isocode": region, "country": {"isocode": country}} if region in SHOP_REGIONS else None,
        "phone1": a["phone"],
        "cellphone": a["mobile"],
        "fax": a["fax"],
        "email": a["email"],
        "url": a["website"],
    }
