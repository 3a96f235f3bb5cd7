"""Reads: the shape of answers, filters, order, pages, expanded children."""

import random
import re
from datetime import UTC, datetime

import pytest

from sandbox.s4hana.model import load

FULL = "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerRole,to_Customer/to_CustomerSalesArea"


def test_values_have_the_forms_of_odata_v2(s4):
    record = s4.record("A_BusinessPartner('1000000')")
    assert record["CreationDate"].startswith("/Date(")
    assert record["CreationDate"].endswith("000)/")
    assert record["LastChangeTime"].startswith("PT")
    assert record["BirthDate"] is None
    assert record["SearchTerm2"] == ""
    assert record["BusinessPartnerIsBlocked"] in (True, False)
    assert record["__metadata"]["type"] == "API_BUSINESS_PARTNER.A_BusinessPartnerType"
    assert record["to_Customer"]["__deferred"]["uri"].endswith("A_BusinessPartner('1000000')/to_Customer")
    address = s4.rows("A_BusinessPartner('1000000')/to_BusinessPartnerAddress")[0]
    assert address["ValidityEndDate"] == "/Date(253402300799000+0000)/"
    area = s4.rows("A_CustomerSalesArea", top="1")[0]
    assert (area["MaxNmbrOfPartialDelivery"], area["ProofOfDeliveryTimeValue"]) == ("0", "0.00")


def test_every_field_of_the_type_is_in_the_answer(s4):
    record = s4.record("A_BusinessPartner('1000000')")
    entity = load()["A_BusinessPartner"]
    assert set(record) == {"__metadata", *entity.properties, *entity.navigations}


def test_without_json_in_accept_or_format_the_answer_is_atom(s4):
    plain = s4.get("A_BusinessPartner?$top=1", headers={"Accept": "*/*"})
    assert plain.headers["Content-Type"].startswith("application/atom+xml")
    assert b"<d:BusinessPartner>1000000</d:BusinessPartner>" in plain.content
    forced = s4.get("A_BusinessPartner?$top=1&$format=json", headers={"Accept": "*/*"})
    assert forced.json()["d"]["results"][0]["BusinessPartner"] == "1000000"
    broken = s4.get("A_Partner", headers={"Accept": "*/*"})
    assert (broken.status_code, broken.headers["Content-Type"]) == (404, "application/xml;charset=utf-8")


def test_numbers_are_found_with_and_without_leading_zeros(s4):
    assert s4.record("A_BusinessPartner('0001000003')")["BusinessPartner"] == "1000003"
    assert len(s4.rows("A_BusinessPartner", filter="BusinessPartner eq '0001000003'")) == 1


def test_numbers_compare_in_their_internal_form(s4, s4_process):
    values = {"BusinessPartner": "77", "BusinessPartnerCategory": "2", "OrganizationBPName1": "Short number"}
    s4_process.tell("/create", entity="A_BusinessPartner", set=values)
    assert s4.rows("A_BusinessPartner", top="1")[0]["BusinessPartner"] == "77"
    assert s4.rows("A_BusinessPartner", filter="BusinessPartner lt '1000000'")[0]["BusinessPartner"] == "77"
    s4_process.tell("/delete", entity="A_BusinessPartner", key="77")


def test_keys_with_quotes_and_slashes_are_read(s4, s4_process):
    for number in ("A/B", "O'NEIL", "ÄÖ ß|%"):
        values = {"BusinessPartner": number, "BusinessPartnerCategory": "2", "OrganizationBPName1": number}
        s4_process.tell("/create", entity="A_BusinessPartner", set=values)
        uri = s4.rows("A_BusinessPartner", filter=f"BusinessPartner eq '{number.replace(chr(39), chr(39) * 2)}'")[0]
        assert s4.record(uri["__metadata"]["uri"])["BusinessPartner"] == number
    assert s4.record("A_BusinessPartner('A%2FB')")["OrganizationBPName1"] == "A/B"


@pytest.mark.parametrize(
    ("expression", "keep"),
    [
        ("BusinessPartnerCategory eq '1'", lambda r: r["BusinessPartnerCategory"] == "1"),
        ("BusinessPartnerCategory ne '2'", lambda r: r["BusinessPartnerCategory"] != "2"),
        ("BusinessPartnerIsBlocked eq true", lambda r: r["BusinessPartnerIsBlocked"]),
        ("not (BusinessPartnerIsBlocked eq true)", lambda r: not r["BusinessPartnerIsBlocked"]),
        ("BirthDate eq null", lambda r: r["BirthDate"] is None),
        ("SearchTerm2 eq ''", lambda r: r["SearchTerm2"] == ""),
        ("substringof('GmbH',OrganizationBPName1)", lambda r: "GmbH" in r["OrganizationBPName1"]),
        ("substringof('GmbH',OrganizationBPName1) eq false", lambda r: "GmbH" not in r["OrganizationBPName1"]),
        ("startswith(BusinessPartner,'10000')", lambda r: r["BusinessPartner"].startswith("10000")),
        ("endswith(BusinessPartner,'7')", lambda r: r["BusinessPartner"].endswith("7")),
        (
            "(BusinessPartnerCategory eq '1' or BusinessPartnerCategory eq '3') and CorrespondenceLanguage eq 'DE'",
            lambda r: r["BusinessPartnerCategory"] in "13" and r["CorrespondenceLanguage"] == "DE",
        ),
        (
            "BusinessPartnerCategory eq '1' or BusinessPartnerCategory eq '3' and CorrespondenceLanguage eq 'DE'",
            lambda r: (
                r["BusinessPartnerCategory"] == "1"
                or (r["BusinessPartnerCategory"] == "3" and r["CorrespondenceLanguage"] == "DE")
            ),
        ),
    ],
)
def test_a_filter_selects_what_it_says(s4, expression, keep):
    everything = s4.rows("A_BusinessPartner")
    wanted = [row["BusinessPartner"] for row in everything if keep(row)]
    assert [row["BusinessPartner"] for row in s4.rows("A_BusinessPartner", filter=expression)] == wanted


def test_the_two_fields_of_the_change_stamp_select_to_the_second(s4):
    rows = s4.rows(
        "A_BusinessPartner", select="BusinessPartner,LastChangeDate,LastChangeTime", orderby="LastChangeDate"
    )
    middle = random.Random(4).choice(rows)
    uuid = s4.rows("A_BusinessPartner", filter=f"BusinessPartner eq '{middle['BusinessPartner']}'")[0][
        "BusinessPartnerUUID"
    ]
    assert len(s4.rows("A_BusinessPartner", filter=f"BusinessPartnerUUID eq guid'{uuid}'")) == 1

    def stamp(row: dict) -> tuple[int, str]:
        return int(row["LastChangeDate"][6:-2]), row["LastChangeTime"]

    at = stamp(middle)
    day = s4_date(at[0])
    text = (
        f"LastChangeDate gt datetime'{day}' or (LastChangeDate eq datetime'{day}' and LastChangeTime ge time'{at[1]}')"
    )
    found = s4.rows("A_BusinessPartner", filter=text, orderby="LastChangeDate,LastChangeTime")
    assert sorted(stamp(r) for r in found) == sorted(stamp(r) for r in rows if stamp(r) >= at)
    assert [stamp(r) for r in found] == sorted(stamp(r) for r in found)


def s4_date(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}"


@pytest.mark.parametrize(
    "expression",
    [
        "LastChangeDate ge datetime'2020-01-01T00:00:00' and LastChangeDate lt datetime'2022-01-01T00:00:00'",
        "LastChangeDate eq datetime'2020-01-01T00:00:00' or LastChangeDate gt datetime'2024-01-01T00:00:00'",
        "LastChangeDate gt datetime'2024-01-01T00:00:00' or BusinessPartnerCategory eq '1'",
        "not (LastChangeDate ge datetime'2020-01-01T00:00:00')",
        "LastChangeDate ge datetime'2022-01-01T00:00:00' and (LastChangeDate ge datetime'2020-01-01T00:00:00')",
    ],
)
def test_bounds_of_dates_neither_hide_nor_add_records(s4, expression):
    everything = s4.rows("A_BusinessPartner", select="BusinessPartner,LastChangeDate,BusinessPartnerCategory")
    python = re.sub(
        r"datetime'(\S+)'", lambda m: repr(int(datetime.fromisoformat(m[1] + "+00:00").timestamp())), expression
    )
    for word, sign in ((" eq ", " == "), (" ge ", " >= "), (" gt ", " > "), (" lt ", " < ")):
        python = python.replace(word, sign)

    def keep(row: dict) -> bool:
        day = int(row["LastChangeDate"][6:-2]) // 1000
        return eval(python, {}, {"LastChangeDate": day, "BusinessPartnerCategory": row["BusinessPartnerCategory"]})

    wanted = [row["BusinessPartner"] for row in everything if keep(row)]
    assert [row["BusinessPartner"] for row in s4.rows("A_BusinessPartner", filter=expression)] == wanted
    assert 0 < len(wanted) < len(everything)


def test_offset_dates_and_numbers_are_filtered(s4):
    future = s4.rows("A_BusinessPartnerAddress", filter="ValidityStartDate gt datetimeoffset'2030-01-01T00:00:00Z'")
    assert all(int(row["ValidityStartDate"][6:].split("+")[0]) > 1893456000000 for row in future)
    assert s4.rows("A_CustomerSalesArea", filter="ProofOfDeliveryTimeValue gt 0.5M") == []
    assert len(s4.rows("A_CustomerSalesArea", filter="ProofOfDeliveryTimeValue eq 0M", top="3")) == 3


@pytest.mark.parametrize(
    "expression",
    [
        "Colour eq 'red'",
        "SearchTerm1 eq",
        "SearchTerm1 like 'A'",
        "(SearchTerm1 eq 'A'",
        "LastChangeDate gt '2024-01-01'",
        "LastChangeDate gt datetime'2024-13-01T00:00:00'",
        "LastChangeTime ge datetime'2024-01-01T00:00:00'",
        "BusinessPartnerIsBlocked eq 1",
        "SearchTerm1 eq 5",
        "startswith(BusinessPartnerIsBlocked,'t')",
        "SearchTerm1 eq 'A' '",
        "'A' eq 'A'",
        "to_Customer/Customer eq '1'",
        "(" * 101 + "SearchTerm1 eq 'A'" + ")" * 101,
        "not " * 101 + "SearchTerm1 eq 'A'",
    ],
)
def test_a_wrong_filter_is_a_400(s4, expression):
    answer = s4.get("A_BusinessPartner", params={"$filter": expression})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]["value"]


@pytest.mark.parametrize(
    "query", ["$select=Colour", "$expand=to_Colour", "$orderby=Colour", "$top=-1", "$skip=x", "$apply=x"]
)
def test_a_wrong_query_option_is_a_400(s4, query):
    assert s4.get(f"A_BusinessPartner?{query}").status_code == 400


def test_select_shows_only_what_was_asked_for(s4):
    row = s4.rows("A_BusinessPartner", select="BusinessPartner,to_Customer/Customer", expand="to_Customer", top="1")[0]
    assert set(row) == {"__metadata", "BusinessPartner", "to_Customer"}
    assert set(row["to_Customer"]) == {"__metadata", "Customer"}


def test_expand_goes_several_levels_down(s4):
    row = s4.rows("A_BusinessPartner", expand=FULL, filter="BusinessPartner eq '1000000'")[0]
    address = row["to_BusinessPartnerAddress"]["results"][0]
    assert address["to_EmailAddress"]["results"][0]["AddressID"] == address["AddressID"]
    assert "__deferred" in address["to_PhoneNumber"]
    assert row["to_Customer"]["to_CustomerSalesArea"]["results"][0]["Customer"] == row["Customer"]


def test_expanded_children_are_the_ones_the_navigation_shows(s4):
    for row in s4.rows("A_BusinessPartner", expand=FULL, top="30"):
        key = row["BusinessPartner"]
        for name in ("to_BusinessPartnerAddress", "to_BusinessPartnerRole"):
            alone = [item["__metadata"]["id"] for item in s4.rows(f"A_BusinessPartner('{key}')/{name}")]
            assert [item["__metadata"]["id"] for item in row[name]["results"]] == alone


def test_a_partner_without_customer_has_null_when_expanded_and_404_when_navigated(s4):
    row = s4.rows("A_BusinessPartner", expand="to_Customer", filter="Customer eq ''", top="1")[0]
    assert row["to_Customer"] is None
    assert s4.get(f"A_BusinessPartner('{row['BusinessPartner']}')/to_Customer").status_code == 404


def test_navigation_chains_counts_and_single_properties_are_read(s4):
    areas = s4.rows("A_BusinessPartner('1000000')/to_Customer/to_CustomerSalesArea")
    assert s4.get("A_BusinessPartner('1000000')/to_Customer/to_CustomerSalesArea/$count").text == str(len(areas))
    assert (
        s4.get("A_BusinessPartner('1000000')/Customer/$value").text
        == s4.record("A_BusinessPartner('1000000')")["Customer"]
    )
    uri = areas[0]["__metadata"]["uri"]
    assert s4.record(uri)["SalesOrganization"] == areas[0]["SalesOrganization"]


def test_count_and_inlinecount_know_the_whole(s4):
    number = int(s4.get("A_BusinessPartner/$count").text)
    content = s4.get("A_BusinessPartner?$top=3&$inlinecount=allpages").json()["d"]
    assert (content["__count"], len(content["results"])) == (str(number), 3)
    persons = s4.rows("A_BusinessPartner", filter="BusinessPartnerCategory eq '1'")
    answer = s4.get("A_BusinessPartner/$count", params={"$filter": "BusinessPartnerCategory eq '1'"})
    assert answer.text == str(len(persons))


def test_unknown_sets_keys_and_segments_are_404(s4):
    for path in ("A_Partner", "A_BusinessPartner('nobody')", "A_BusinessPartner('1000000')/to_Nowhere"):
        answer = s4.get(path)
        assert (answer.status_code, "error" in answer.json()) == (404, True)
    assert s4.get("A_BusinessPartnerAddress('1000000')").status_code == 400


def test_bank_data_are_there_to_be_left_alone(s4):
    assert s4.rows("A_BusinessPartnerBank", top="1")[0]["BankAccount"] != ""


# pages


def walk(s4, path: str) -> tuple[list[str], list[int]]:
    keys, sizes = [], []
    following = f"{s4.root}/{path}"
    while following:
        content = s4.get(following).json()["d"]
        keys += [row["__metadata"]["id"] for row in content["results"]]
        sizes.append(len(content["results"]))
        following = content.get("__next")
    return keys, sizes


@pytest.mark.parametrize("mode", ["key", "offset"])
@pytest.mark.parametrize(
    "query", ["", "$orderby=LastChangeDate desc,LastChangeTime", "$orderby=BirthDate desc", "$orderby=BirthDate"]
)
def test_pages_hold_every_record_once_whatever_the_order(s4, s4_process, mode, query):
    number = int(s4.get("A_BusinessPartner/$count").text)
    whole = [row["__metadata"]["id"] for row in s4.get(f"A_BusinessPartner?{query}").json()["d"]["results"]]
    s4_process.tell("/settings", page_size=7, skiptoken=mode)
    keys, sizes = walk(s4, f"A_BusinessPartner?{query}")
    assert keys == whole
    assert (len(set(keys)), set(sizes[:-1])) == (number, {7})


def test_top_counts_over_pages_and_other_options_stay_in_the_link(s4, s4_process):
    s4_process.tell("/settings", page_size=4)
    keys, sizes = walk(
        s4, "A_BusinessPartner?$top=10&$select=BusinessPartner&$filter=BusinessPartnerCategory%20eq%20'2'"
    )
    assert (len(keys), sizes) == (10, [4, 4, 2])
    following = s4.get("A_BusinessPartner?$top=10&$select=BusinessPartner").json()["d"]["__next"]
    assert "$select=BusinessPartner" in following
    assert "$top" not in following


def test_offset_pages_shift_when_a_record_goes_and_key_pages_do_not(s4, s4_process):
    def lost(mode: str) -> set[str]:
        made = [s4.new_partner(SearchTerm2=mode)["BusinessPartner"] for _ in range(9)]
        s4_process.tell("/settings", page_size=3, skiptoken=mode)
        content = s4.get("A_BusinessPartner", params={"$filter": f"SearchTerm2 eq '{mode.upper()}'"}).json()["d"]
        s4_process.tell("/delete", entity="A_BusinessPartner", key=made[0])
        seen = {row["BusinessPartner"] for row in content["results"]}
        while content.get("__next"):
            content = s4.get(content["__next"]).json()["d"]
            seen |= {row["BusinessPartner"] for row in content["results"]}
        return set(made) - seen

    assert lost("key") == set()
    assert len(lost("offset")) == 1


def test_expanded_collections_can_be_cut_and_continued(s4, s4_process):
    number = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"} for _ in range(5)])["BusinessPartner"]
    s4_process.tell("/settings", expand_page_size=2)
    row = s4.record(f"A_BusinessPartner('{number}')?$expand=to_BusinessPartnerAddress")
    first = row["to_BusinessPartnerAddress"]
    rest = s4.get(first["__next"]).json()["d"]
    assert (len(first["results"]), len(rest["results"])) == (2, 3)


def test_a_garbled_skiptoken_is_a_400(s4):
    assert s4.get("A_BusinessPartner?$skiptoken=abc").status_code == 400


def test_a_long_address_is_refused(s4):
    text = " or ".join(f"BusinessPartner eq '{n}'" for n in range(1000000, 1000400))
    assert s4.get("A_BusinessPartner", params={"$filter": text}).status_code == 414
