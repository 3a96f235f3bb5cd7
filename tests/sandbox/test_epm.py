"""SAP's demonstration partners in the shape of S/4HANA, compared with their CSV files by other code."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from sandbox.epm import partners

from .test_generator import METADATA, misfits

FOLDER = Path(__file__).resolve().parents[2].parent / "shared/data/epm"
HEAD = (
    "PARTNERID,PARTNERROLE,EMAILADDRESS,PHONENUMBER,FAXNUMBER,WEBADDRESS,ADDRESSES.ADDRESSID,COMPANYNAME,LEGALFORM,"
    "HISTORY.CREATEDBY.EMPLOYEEID,HISTORY.CREATEDAT,HISTORY.CHANGEDBY.EMPLOYEEID,HISTORY.CHANGEDAT,CURRENCY\n"
)
ADDRESS_HEAD = "ADDRESSID,CITY,POSTALCODE,STREET,BUILDING,COUNTRY,REGION,VALIDITY.STARTDATE,VALIDITY.ENDDATE\n"
ADDRESS = "9,Köln,00185,Große Straße,1a,DE,EMEA,2000-01-01,9999-12-31\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "addresses.csv").write_text(ADDRESS_HEAD + ADDRESS, encoding="utf-8")

    def write(*rows, encoding="utf-8-sig"):
        text = HEAD + "".join(f"{row}\n" for row in rows)
        (tmp_path / "businessPartner.csv").write_text(text, encoding=encoding)
        return tmp_path

    return write


def row(role="1", fax="", address="9"):
    return f"100,{role},a@b.example,0221,{fax},http://b.example,{address},Bäcker,GmbH,33,2012-10-03,34,2012-10-04,EUR"


def real():
    if not FOLDER.exists():
        pytest.skip(f"{FOLDER} is not there")
    return list(partners(FOLDER))


def test_a_byte_order_mark_is_no_part_of_the_first_column(folder):
    with_mark = list(partners(folder(row())))
    assert with_mark[0]["BusinessPartner"] == "100"
    assert with_mark == list(partners(folder(row(), encoding="utf-8")))


def test_role_1_becomes_a_customer_and_role_2_a_supplier(folder):
    customer, supplier = partners(folder(row("1"), row("2")))
    assert (customer["Customer"], customer["Supplier"]) == ("100", "")
    assert [role["BusinessPartnerRole"] for role in customer["to_BusinessPartnerRole"]] == ["FLCU00", "FLCU01"]
    assert customer["to_Customer"]["to_CustomerSalesArea"][0]["Currency"] == "EUR"
    assert (supplier["Customer"], supplier["Supplier"]) == ("", "100")
    assert "to_Customer" not in supplier
    assert supplier["to_Supplier"]["SupplierName"] == "Bäcker GmbH"


def test_values_stay_as_they_are_and_the_territory_is_no_region(folder):
    (partner,) = partners(folder(row()))
    (address,) = partner["to_BusinessPartnerAddress"]
    assert (address["PostalCode"], address["CityName"], address["HouseNumber"]) == ("00185", "Köln", "1a")
    assert address["Region"] == ""
    assert partner["to_Customer"]["to_CustomerSalesArea"][0]["SalesDistrict"] == "EMEA"
    assert (partner["CreatedByUser"], partner["LastChangedByUser"]) == ("33", "34")


def test_fax_and_web_address_keep_their_place(folder):
    (partner,) = partners(folder(row(fax="0229")))
    (address,) = partner["to_BusinessPartnerAddress"]
    assert [fax["FaxNumber"] for fax in address["to_FaxNumber"]] == ["0229"]
    assert [web["WebsiteURL"] for web in address["to_URLAddress"]] == ["http://b.example"]
    (partner,) = partners(folder(row()))
    assert partner["to_BusinessPartnerAddress"][0]["to_FaxNumber"] == []


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (row(role="3"), "partner 100 has the unknown role '3'"),
        (row(address="7"), "partner 100 names the missing address '7'"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(folder, made, message):
    with pytest.raises(ValueError, match=message):
        list(partners(folder(made)))


def test_a_missing_column_is_named(folder):
    path = folder(row())
    (path / "businessPartner.csv").write_text("PARTNERID,PARTNERROLE\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"businessPartner\.csv: missing columns EMAILADDRESS"):
        list(partners(path))


def test_the_demonstration_data_have_45_partners_in_18_countries():
    found = real()
    countries = Counter(partner["to_BusinessPartnerAddress"][0]["Country"] for partner in found)
    assert len(found) == 45
    assert len(countries) == 18
    assert Counter(bool(partner["Customer"]) for partner in found) == {True: 39, False: 6}


def test_all_orders_of_the_demonstration_data_belong_to_customers():
    customers = {partner["Customer"] for partner in real()}
    with (FOLDER / "salesOrder.csv").open(encoding="utf-8-sig", newline="") as lines:
        buyers = {row["PARTNER.PARTNERID"] for row in csv.DictReader(lines)}
    assert buyers
    assert buyers <= customers


def test_every_value_of_the_files_is_found_again_in_the_partner():
    """Only the columns named here are left out, because the business partner of S/4HANA has no field for them."""
    without_field = {"PARTNERROLE", "ADDRESSTYPE", "LATITUDE", "LONGITUDE"}
    with (FOLDER / "addresses.csv").open(encoding="utf-8-sig") if FOLDER.exists() else pytest.skip("no data") as lines:
        addresses = {line["ADDRESSID"]: line for line in csv.DictReader(lines)}
    with (FOLDER / "businessPartner.csv").open(encoding="utf-8-sig") as lines:
        rows = {line["PARTNERID"]: line for line in csv.DictReader(lines)}
    for partner in real():
        kept = repr(partner)
        line = rows[partner["BusinessPartner"]]
        address = addresses[line["ADDRESSES.ADDRESSID"]]
        left_out = without_field | ({"REGION"} if partner["Supplier"] else set())
        for column, value in [*line.items(), *address.items()]:
            assert column in left_out or value in kept, (column, value)


def test_every_field_of_the_demonstration_data_fits_the_real_metadata():
    if not METADATA.exists():
        pytest.skip(f"{METADATA} is not there")
    compared, wrong = misfits(real(), METADATA)
    assert wrong == []
    assert len(compared) >= 60
