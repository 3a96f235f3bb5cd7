"""SAP's demonstration business (Enterprise Procurement Model) as business partners of S/4HANA.

`partners` reads `businessPartner.csv` and `addresses.csv` and yields the same nested dictionaries as the generator.
Every value that `API_BUSINESS_PARTNER` has a field for is kept as it is, flaws included (lost leading zeros of postal
codes, states inside city names). What changes its place, and what has none:

* partner role 1 is the customer (all sales orders of the model belong to such partners), 2 the supplier;
* the legal form is text, so it becomes the second name field; `LegalForm` holds a two-character code;
* `EMEA`, `AMER`, `APJ`, `AFR` are sales territories and longer than a region code: they become the sales district of
  customers, and the address has no region;
* the currency belongs to the customer's sales area or the supplier's purchasing organization;
* coordinates, the address type and the territory of a supplier have no field. Addresses that no partner names belong
  to the model's employees and are left out.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CUSTOMER, SUPPLIER = "1", "2"
PARTNER_COLUMNS = (
    "PARTNERID", "PARTNERROLE", "EMAILADDRESS", "PHONENUMBER", "FAXNUMBER", "WEBADDRESS", "ADDRESSES.ADDRESSID", "COMPANYNAME",
    "LEGALFORM", "HISTORY.CREATEDBY.EMPLOYEEID", "HISTORY.CREATEDAT", "HISTORY.CHANGEDBY.EMPLOYEEID", "HISTORY.CHANGEDAT",
    "CURRENCY",
)  # fmt: skip
ADDRESS_COLUMNS = (
    "ADDRESSID", "CITY", "POSTALCODE", "STREET", "BUILDING", "COUNTRY", "REGION", "VALIDITY.STARTDATE", "VALIDITY.ENDDATE",
)  # fmt: skip
Row = dict[str, str]


def partners(folder: Path) -> Iterator[dict[str, Any]]:
    """The partners of the CSV files in `folder`, in their order.

    Raises FileNotFoundError for a missing file, ValueError for a missing column, an unknown role or an address that is
    named but not there.
    """
    addresses = {row["ADDRESSID"]: row for row in _rows(folder / "addresses.csv", ADDRESS_COLUMNS)}
    for row in _rows(folder / "businessPartner.csv", PARTNER_COLUMNS):
        yield _partner(row, addresses)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """Rows of a CSV file, with or without a byte order mark."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path.name}: missing columns {', '.join(missing)}")
        yield from reader


def _partner(row: Row, addresses: dict[str, Row]) -> dict[str, Any]:
    number, role = row["PARTNERID"], row["PARTNERROLE"]
    if role not in (CUSTOMER, SUPPLIER):
        raise ValueError(
            f"businessPartner.csv: partner {number} has the unknown role {role!r} (1 customer, 2 supplier)"
        )
    address = addresses.get(row["ADDRESSES.ADDRESSID"])
    if address is None:
        raise ValueError(
            f"businessPartner.csv: partner {number} names the missing address {row['ADDRESSES.ADDRESSID']!r}"
        )
    name = " ".join(filter(None, (row["COMPANYNAME"], row["LEGALFORM"])))
    begin, end = f"{address['VALIDITY.STARTDATE']}T00:00:00Z", f"{address['VALIDITY.ENDDATE']}T23:59:59Z"
    codes = ("FLCU00", "FLCU01") if role == CUSTOMER else ("FLVN00", "FLVN01")
    return {
        **_general(row, name),
        "Customer": number if role == CUSTOMER else "",
        "Supplier": number if role == SUPPLIER else "",
        "to_BusinessPartnerRole": [
            {"BusinessPartner": number, "BusinessPartnerRole": code, "ValidFrom": begin, "ValidTo": end}
            for code in codes
        ],
        "to_AddressIndependentEmail": [{"EmailAddress": row["EMAILADDRESS"]}] if row["EMAILADDRESS"] else [],
        "to_BusinessPartnerAddress": [_address(row, address, name, begin, end)],
        "to_BusinessPartnerTax": [],
        "to_BusinessPartnerBank": [],
        **(_customer(row, address, name) if role == CUSTOMER else _supplier(row, name)),
    }


def _general(row: Row, name: str) -> dict[str, Any]:
    return {
        "BusinessPartner": row["PARTNERID"],
        "BusinessPartnerCategory": "2",
        "BusinessPartnerFullName": name,
        "BusinessPartnerGrouping": "BP02",
        "BusinessPartnerName": name,
        "OrganizationBPName1": row["COMPANYNAME"],
        "OrganizationBPName2": row["LEGALFORM"],
        "SearchTerm1": row["COMPANYNAME"].upper()[:20],
        "CreatedByUser": row["HISTORY.CREATEDBY.EMPLOYEEID"],
        "CreationDate": row["HISTORY.CREATEDAT"],
        "CreationTime": "00:00:00",
        "LastChangedByUser": row["HISTORY.CHANGEDBY.EMPLOYEEID"],
        "LastChangeDate": row["HISTORY.CHANGEDAT"],
        "LastChangeTime": "00:00:00",
        "BusinessPartnerIsBlocked": False,
        "IsMarkedForArchiving": False,
        "YY1_Segment_bus": "",
    }


def _customer(row: Row, address: Row, name: str) -> dict[str, Any]:
    number = row["PARTNERID"]
    area = {
        "Customer": number,
        "SalesOrganization": "1010",
        "DistributionChannel": "10",
        "Division": "00",
        "Currency": row["CURRENCY"],
        "SalesDistrict": address["REGION"],
    }
    customer = {
        "Customer": number,
        "CustomerAccountGroup": "CUST",
        "CustomerName": name,
        "CreationDate": row["HISTORY.CREATEDAT"],
        "CreatedByUser": row["HISTORY.CREATEDBY.EMPLOYEEID"],
        "to_CustomerSalesArea": [area],
    }
    return {"to_Customer": customer}


def _supplier(row: Row, name: str) -> dict[str, Any]:
    supplier = {
        "Supplier": row["PARTNERID"],
        "SupplierAccountGroup": "SUPL",
        "SupplierName": name,
        "CreationDate": row["HISTORY.CREATEDAT"],
        "CreatedByUser": row["HISTORY.CREATEDBY.EMPLOYEEID"],
        "to_SupplierPurchasingOrg": [
            {"Supplier": row["PARTNERID"], "PurchasingOrganization": "1010", "PurchaseOrderCurrency": row["CURRENCY"]}
        ],
    }
    return {"to_Supplier": supplier}


def _address(row: Row, address: Row, name: str, begin: str, end: str) -> dict[str, Any]:
    identity, number = address["ADDRESSID"], row["PARTNERID"]
    key = {"AddressID": identity, "Person": "", "OrdinalNumber": "1"}
    country = address["COUNTRY"]
    phone = {"DestinationLocationCountry": country, "IsDefaultPhoneNumber": True, "PhoneNumberType": "1"}
    web = {"ValidityStartDate": address["VALIDITY.STARTDATE"], "IsDefaultURLAddress": True}
    usage = {"AddressUsage": "XXDEFAULT", "ValidityStartDate": begin, "ValidityEndDate": end, "StandardUsage": False}
    return {
        "BusinessPartner": number,
        "AddressID": identity,
        "ValidityStartDate": begin,
        "ValidityEndDate": end,
        "Country": country,
        "Region": "",
        "PostalCode": address["POSTALCODE"],
        "CityName": address["CITY"],
        "StreetName": address["STREET"],
        "HouseNumber": address["BUILDING"],
        "FullName": name,
        "to_EmailAddress": _entry(row["EMAILADDRESS"], "EmailAddress", key, {"IsDefaultEmailAddress": True}),
        "to_PhoneNumber": _entry(row["PHONENUMBER"], "PhoneNumber", key, phone),
        "to_FaxNumber": _entry(row["FAXNUMBER"], "FaxNumber", key, {"FaxCountry": country, "IsDefaultFaxNumber": True}),
        "to_URLAddress": _entry(row["WEBADDRESS"], "WebsiteURL", key, web),
        "to_AddressUsage": [{"BusinessPartner": number, "AddressID": identity, **usage}],
    }


def _entry(value: str, field: str, key: dict[str, str], more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**key, **more, field: value}] if value else []
