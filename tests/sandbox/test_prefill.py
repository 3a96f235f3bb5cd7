"""The units a shop has before it meets S/4HANA, against what the simulated S/4HANA itself holds."""

import json
import time
from collections import Counter, defaultdict

import pytest
import requests

from sandbox.generator import partners
from sandbox.prefill import Plan, own_uid, units
from sandbox.twins import is_customer_organization, paired, vat_record

from .commerce_shop import started

PARTNERS, UNITS, TWINS, CASES = 600, 300, 4, 7
OPTIONS = ("--seed", "11", "--partners", str(PARTNERS), "--twins", str(TWINS))


def records(control, entity):
    answer = requests.get(f"{control}/records", params={"entity": entity, "limit": 100_000}, timeout=30)
    return {line["key"]: line["data"] for line in map(json.loads, answer.text.splitlines())}


@pytest.fixture(scope="module")
def s4(start):
    """Customer organizations of the simulated S/4HANA: customer number, VAT number, country, street, name."""
    control = start("s4hana", *OPTIONS).control
    vats = {
        tax["BusinessPartner"]: tax["BPTaxNumber"]
        for tax in records(control, "A_BusinessPartnerTaxNumber").values()
        if tax["BPTaxType"].endswith("0")
    }
    homes = {}
    for home in records(control, "A_BusinessPartnerAddress").values():
        first = homes.setdefault(home["BusinessPartner"], home)
        if int(home["AddressID"]) < int(first["AddressID"]):
            homes[home["BusinessPartner"]] = home
    return {
        partner["Customer"]: {**partner, "vat": vats.get(number), "home": homes[number]}
        for number, partner in records(control, "A_BusinessPartner").items()
        if partner["Customer"] and partner["BusinessPartnerCategory"] == "2"
    }


@pytest.fixture(scope="module")
def shop():
    ambiguous = ("--prefill", str(UNITS), "--ambiguous", str(CASES), "--strangers", "3")
    with started(None, *OPTIONS, *ambiguous) as running:
        yield running


@pytest.fixture(scope="module")
def truth(shop):
    return shop.control("GET", "/truth")


@pytest.fixture(scope="module")
def stock(shop):
    return records(shop.control_url, "B2BUnit")


def of_rule(truth, rule):
    return [entry for entry in truth["units"] if entry["rule"] == rule]


def test_there_are_as_many_units_of_each_rule_as_asked_for(truth, stock):
    pairs = CASES // 2
    doubled = CASES - pairs
    assert truth["sums"] == {
        "customer_number": UNITS - 9 - 2 * doubled - pairs,
        "vat": 9,
        "ambiguous": 2 * doubled + pairs,
        "none": 3,
        "cases": CASES,
    }
    assert set(stock) == {entry["unit"] for entry in truth["units"]}
    assert len(stock) == UNITS + 3


def test_units_have_uids_and_public_keys_of_their_own_and_no_number_but_the_customer_number(stock, s4):
    for uid, unit in stock.items():
        assert uid not in s4
        assert unit["l2cPartnerNumber"] is None
        (home,) = unit["addresses"]
        assert home["publicKey"].isdigit()
        assert home["sapCustomerID"] is None
    keys = [home["publicKey"] for unit in stock.values() for home in unit["addresses"]]
    assert len(set(keys)) == len(keys)


def test_most_units_carry_the_number_of_the_customer_they_are(truth, stock, s4):
    seen = Counter()
    for entry in of_rule(truth, "customer_number"):
        unit, partner = stock[entry["unit"]], s4[entry["customer"]]
        assert unit["l2cCustomerNumber"] == entry["customer"]
        assert unit["vatID"] in (None, partner["vat"])
        home, there = unit["addresses"][0], partner["home"]
        assert (home["town"], home["country"]) == (there["CityName"], there["Country"])
        seen["street"] += home["streetname"] == there["StreetName"]
        seen["name"] += unit["name"] == partner["BusinessPartnerFullName"]
        seen["vat"] += unit["vatID"] is not None
    total = truth["sums"]["customer_number"]
    assert all(total * 0.5 < seen[name] < total for name in ("street", "name", "vat"))
    assert len({entry["customer"] for entry in of_rule(truth, "customer_number")}) == total


def test_units_of_the_second_rule_have_a_vat_number_that_only_one_customer_and_one_unit_has(truth, stock, s4):
    held, shown = Counter(partner["vat"] for partner in s4.values()), Counter(unit["vatID"] for unit in stock.values())
    for entry in of_rule(truth, "vat"):
        unit, partner = stock[entry["unit"]], s4[entry["customer"]]
        assert unit["l2cCustomerNumber"] is None
        assert unit["vatID"] == partner["vat"]
        assert (held[unit["vatID"]], shown[unit["vatID"]]) == (1, 1)
        assert unit["addresses"][0]["country"] == partner["home"]["Country"]


def test_ambiguous_units_fit_two_customers_or_share_one_with_another_unit(truth, stock, s4):
    cases = defaultdict(list)
    for entry in of_rule(truth, "ambiguous"):
        assert entry["customer"] is None
        assert stock[entry["unit"]]["l2cCustomerNumber"] is None
        cases[entry["case"]].append(entry)
    forms = Counter()
    for entries in cases.values():
        (vat,) = {stock[entry["unit"]]["vatID"] for entry in entries}
        (candidates,) = {tuple(entry["candidates"]) for entry in entries}
        holders = {customer for customer, partner in s4.items() if partner["vat"] == vat}
        assert holders == set(candidates)
        forms[len(entries), len(holders)] += 1
    assert forms == {(2, 1): CASES - 3, (1, 2): 3}
    certain = {entry["customer"] for entry in truth["units"]}
    assert not certain & {customer for entries in cases.values() for customer in entries[0]["candidates"]}


def test_strangers_are_no_customer_of_s4hana(truth, stock, s4):
    vats = {partner["vat"] for partner in s4.values()} - {None}
    for entry in of_rule(truth, "none"):
        unit = stock[entry["unit"]]
        assert entry["customer"] is None
        assert unit["l2cCustomerNumber"] is None
        assert unit["vatID"] not in vats


def test_the_shops_first_data_are_nobodys_writes_and_older_than_today(shop):
    assert shop.log(origin="all") == []
    found = shop.results("B2BUnits?$orderby=modifiedtime desc&$top=1")
    assert int(found[0]["modifiedtime"][6:-2]) < (time.time() - 80_000) * 1000


def test_the_same_plan_makes_the_same_shop_and_another_seed_another():
    plan = Plan(5, 200, 100, ambiguous=3, twins=2)
    assert list(units(plan)) == list(units(plan))
    assert list(units(plan)) != list(units(Plan(6, 200, 100, ambiguous=3, twins=2)))


def test_a_continued_shop_is_not_filled_again(tmp_path):
    options = ("--prefill", "20", "--partners", "100")
    with started(tmp_path, *options) as shop:
        (gone, *_) = [entry["unit"] for entry in shop.control("GET", "/truth")["units"]]
        shop.control("POST", "/delete", {"entity": "B2BUnit", "key": gone})
    with started(tmp_path, *options) as shop:
        assert int(shop.get("B2BUnits/$count").text) == 19
        assert len(shop.control("GET", "/truth")["units"]) == 20


@pytest.mark.parametrize("plan", [Plan(7, 50, 100), Plan(7, 100, 20, twins=60), Plan(7, 100, 70, second_rule=69)])
def test_too_few_partners_for_a_plan_are_named(plan):
    with pytest.raises(ValueError, match=r"needed|asked for"):
        list(units(plan))


def test_twins_are_pairs_of_customers_of_one_country_and_all_others_stay_as_they_were():
    made, plain = list(paired(partners(3, 400), 5)), list(partners(3, 400))
    by_vat = defaultdict(list)
    for partner in made:
        if vat_record(partner):
            by_vat[vat_record(partner)["BPTaxNumber"]].append(partner)
    pairs = [group for group in by_vat.values() if len(group) > 1]
    assert [len(pair) for pair in pairs] == [2] * 5
    for pair in pairs:
        assert all(is_customer_organization(partner) for partner in pair)
        assert len({partner["to_BusinessPartnerAddress"][0]["Country"] for partner in pair}) == 1
    assert sum(one != other for one, other in zip(made, plain, strict=True)) == 5
    assert made[:100] == list(paired(partners(3, 100), 5))


def test_no_twins_are_made_unless_asked_for():
    assert list(paired(partners(3, 50), 0)) == list(partners(3, 50))


@pytest.mark.parametrize(
    ("name", "uid"),
    [("Müller & Söhne GmbH", "mueller-soehne-gmbh-7"), ("株式会社佐藤製作所", "unit-7"), ("A" * 80, "a" * 30 + "-7")],
)
def test_a_uid_is_made_of_plain_letters(name, uid):
    assert own_uid(name, 7) == uid


def test_ten_thousand_units_are_there_within_seconds():
    begin = time.monotonic()
    with started(None, "--prefill", "10000", "--partners", "14000", "--twins", "50") as shop:
        assert time.monotonic() - begin < 15
        sums = shop.control("GET", "/truth")["sums"]
    assert (sums["vat"], sums["cases"]) == (300, 100)
    assert sum(sums[rule] for rule in ("customer_number", "vat", "ambiguous")) == 10_000
