"""Condition records of the simulated S/4HANA over HTTP, and the prices they make."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

LATER = "ConditionValidityEndDate=datetime'9999-12-31T00%3A00%3A00'"
AREA = {"SalesOrganization": "1010", "DistributionChannel": "10"}


@pytest.fixture(scope="module")
def s4_process(start):
    return start("s4hana", "--partners", "80", "--products", "60", "--conditions", "400")


@pytest.fixture
def api(s4, s4_process):
    """The same client, speaking to the condition records."""
    s4.root = f"{s4_process.url}/sap/opu/odata/sap/API_SLSPRICINGCONDITIONRECORD_SRV"
    return s4


@pytest.fixture(scope="module")
def material(s4_process) -> str:
    """A pump of its own, without a price."""
    area = {"ProductSalesOrg": "1010", "ProductDistributionChnl": "10"}
    content = {
        "Product": "ZP-1",
        "ProductType": "FERT",
        "BaseUnit": "EA",
        "to_SalesDelivery": [area],
        "to_ProductUnitsOfMeasure": [{"AlternativeUnit": "CS", "QuantityNumerator": "12", "QuantityDenominator": "1"}],
    }
    return s4_process.tell("/create", entity="A_Product", set=content)["key"]


@pytest.fixture(scope="module")
def buyer(s4_process) -> dict[str, Any]:
    """A customer in sales area 1010/10/00 with price group Z1."""
    customer = s4_process.tell(
        "/create",
        entity="A_BusinessPartner",
        set={
            "BusinessPartnerCategory": "2",
            "OrganizationBPName1": "Käufer AG",
            "to_Customer": {
                "to_CustomerSalesArea": [{**AREA, "Division": "00", "Currency": "EUR", "CustomerPriceGroup": "Z1"}]
            },
        },
    )["key"]
    return {"customer": customer}


def record(kind: str, table: str, rate: str, *, unit: str = "EUR", scales: tuple = (), **keys: str) -> dict[str, Any]:
    begins, ends = keys.pop("begins", "2024-01-01"), keys.pop("ends", "9999-12-31")
    made = {
        "ConditionType": kind,
        "ConditionTable": table,
        "ConditionRateValue": rate,
        "ConditionRateValueUnit": unit,
        "to_SlsPrcgCndnRecdValidity": [
            {
                "ConditionValidityStartDate": f"{begins}T00:00:00",
                "ConditionValidityEndDate": f"{ends}T00:00:00",
                **AREA,
                **keys,
            }
        ],
    }
    if unit != "%":
        made |= {"ConditionQuantity": "1", "ConditionQuantityUnit": "EA"}
    if scales:
        made["to_SlsPrcgCndnRecordScale"] = [{"ConditionScaleQuantity": q, "ConditionRateValue": r} for q, r in scales]
    return made


def create(api, content: dict[str, Any]) -> str:
    answer = api.post("A_SlsPrcgConditionRecord", content)
    assert answer.status_code == 201, answer.text
    return answer.json()["d"]["ConditionRecord"]


def errors(answer) -> list[str]:
    return [detail["message"] for detail in answer.json()["error"]["innererror"]["errordetails"]]


def periods(api, number: str) -> list[tuple[str, str]]:
    rows = api.rows(f"A_SlsPrcgConditionRecord('{number}')/to_SlsPrcgCndnRecdValidity")
    found = [(day(row["ConditionValidityStartDate"]), day(row["ConditionValidityEndDate"])) for row in rows]
    return sorted(found)


def day(ticks: str) -> str:
    milliseconds = int(ticks.removeprefix("/Date(").removesuffix(")/"))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).date().isoformat()


def test_a_record_is_created_deep_with_periods_and_scales(api, material):
    content = record("PPR0", "304", "12.5", Material=material, scales=(("1", "12.5"), ("10", "11")))
    answer = api.post("A_SlsPrcgConditionRecord", content)
    made = answer.json()["d"]
    assert (answer.status_code, len(made["ConditionRecord"])) == (201, 10)
    path = f"A_SlsPrcgConditionRecord('{made['ConditionRecord']}')"
    read = api.record(f"{path}?$expand=to_SlsPrcgCndnRecdValidity,to_SlsPrcgCndnRecordScale")
    assert (read["ConditionRateValue"], read["ConditionRateAmount"]) == ("12.50", "12.500000000")
    assert (read["ConditionSequentialNumber"], read["PricingScaleType"], read["ConditionApplication"]) == (
        "1",
        "A",
        "V",
    )
    period = read["to_SlsPrcgCndnRecdValidity"]["results"][0]
    assert (period["Material"], period["ConditionType"], period["SalesDocumentItem"]) == (material, "PPR0", "0")
    lines = read["to_SlsPrcgCndnRecordScale"]["results"]
    assert [(line["ConditionScaleLine"], line["ConditionScaleQuantityUnit"]) for line in lines] == [
        ("1", "EA"),
        ("2", "EA"),
    ]
    assert read["LastChangeDateTime"] is not None


def test_periods_are_not_created_alone_and_a_record_not_without_one(api):
    assert api.post("A_SlsPrcgCndnRecdValidity", {}).status_code == 405
    answer = api.post("A_SlsPrcgConditionRecord", {"ConditionRateValue": "1", "ConditionRateValueUnit": "EUR"})
    assert errors(answer)[0] == "A condition record needs a validity period"
    assert "Enter a value for 'ConditionType'" in errors(answer)


def test_only_some_fields_of_a_record_may_change(api, material):
    number = create(api, record("PPR0", "304", "20", Material=material))
    path, tag = f"A_SlsPrcgConditionRecord('{number}')", {"If-Match": "*"}
    refused = api.call("PATCH", path, json={"ConditionRateValueUnit": "USD", "ConditionTable": "305"}, headers=tag)
    assert refused.status_code == 400
    assert [message.split("'")[1] for message in errors(refused)] == ["ConditionRateValueUnit", "ConditionTable"]
    assert api.call("PATCH", path, json={"ConditionRateValue": "21"}).status_code == 428
    before = api.record(path)
    assert api.call("PATCH", path, json={"ConditionRateValue": "21"}, headers=tag).status_code == 204
    now = api.record(path)
    assert (now["ConditionRateValue"], now["ConditionRateAmount"]) == ("21.00", "21.000000000")
    assert now["LastChangeDateTime"] > before["LastChangeDateTime"]
    assert now["ETag"] != before["ETag"]
    period = f"A_SlsPrcgCndnRecdValidity(ConditionRecord='{number}',{LATER})"
    assert api.call("PATCH", period, json={"Material": "X"}, headers=tag).status_code == 400


def test_the_end_of_a_period_may_move_although_it_is_part_of_the_key(api, material):
    number = create(api, record("PPR0", "306", "20", Material=material, PriceListType="01"))
    period = f"A_SlsPrcgCndnRecdValidity(ConditionRecord='{number}',{LATER})"
    change = {"ConditionValidityEndDate": "2026-06-30T00:00:00"}
    assert api.call("PATCH", period, json=change, headers={"If-Match": "*"}).status_code == 204
    assert api.get(period).status_code == 404
    assert periods(api, number) == [("2024-01-01", "2026-06-30")]
    assert day(api.record(f"A_SlsPrcgConditionRecord('{number}')")["ConditionValidityEndDate"]) == "2026-06-30"


def test_a_new_record_takes_its_days_from_the_ones_before(api, material):
    keys = {"Material": material, "CustomerPriceGroup": "C9"}
    old = create(api, record("PPR0", "032", "10", **keys))
    inner = create(api, record("PPR0", "032", "9", begins="2026-03-01", ends="2026-03-31", **keys))
    assert periods(api, old) == [("2024-01-01", "2026-02-28"), ("2026-04-01", "9999-12-31")]
    late = create(api, record("PPR0", "032", "8", begins="2026-03-15", **keys))
    assert periods(api, old) == [("2024-01-01", "2026-02-28")]
    assert periods(api, inner) == [("2026-03-01", "2026-03-14")]
    assert periods(api, late) == [("2026-03-15", "9999-12-31")]
    other = create(api, record("PPR0", "032", "8", **{**keys, "CustomerPriceGroup": "C8"}))
    assert periods(api, other) == [("2024-01-01", "9999-12-31")]
    assert periods(api, late) == [("2026-03-15", "9999-12-31")]


def test_a_record_and_the_first_line_of_its_scale_have_one_rate(api, material):
    keys = {"Material": material, "CustomerPriceGroup": "C7", "scales": (("1", "10"), ("10", "9"))}
    number = create(api, record("PPR0", "032", "10", **keys))
    path, tag = f"A_SlsPrcgConditionRecord('{number}')", {"If-Match": "*"}
    assert api.call("PATCH", path, json={"ConditionRateValue": "10.5"}, headers=tag).status_code == 204
    lines = api.rows(f"{path}/to_SlsPrcgCndnRecordScale")
    assert [line["ConditionRateValue"] for line in lines] == ["10.50", "9.00"]
    line = lines[0]["__metadata"]["uri"]
    assert api.call("PATCH", line, json={"ConditionRateValue": "11"}, headers=tag).status_code == 204
    assert api.record(path)["ConditionRateValue"] == "11.00"


def test_a_deleted_record_goes_with_what_is_below_it(api, material):
    number = create(api, record("PPR0", "032", "10", Material=material, CustomerPriceGroup="C6", scales=(("1", "10"),)))
    path = f"A_SlsPrcgConditionRecord('{number}')"
    assert api.call("DELETE", path, headers={"If-Match": "*"}).status_code == 204
    for name in ("A_SlsPrcgCndnRecdValidity", "A_SlsPrcgCndnRecordScale"):
        assert api.rows(name, filter=f"ConditionRecord eq '{number}'") == []


def test_prices_follow_the_records(api, s4_process, material, buyer):
    def net(**options: str) -> str | None:
        found = s4_process.ask("/price", material=material, **{"date": "2026-05-05", **buyer, **options})
        return found.get("net")

    listed = create(api, record("PPR0", "304", "100", Material=material, scales=(("1", "100"), ("10", "95"))))
    assert (net(), net(quantity="10"), net(quantity="1", unit="CS")) == ("100.00", "950.00", "1140.00")
    create(api, record("K004", "304", "-5", unit="%", Material=material))
    group = create(api, record("PPR0", "032", "90", Material=material, CustomerPriceGroup="Z1"))
    assert net() == "85.50"
    customer = buyer["customer"]
    create(api, record("PPR0", "305", "80", Material=material, Customer=customer, begins="2026-06-01"))
    create(api, record("K007", "007", "-10", unit="%", Customer=customer, ends="2026-05-31"))
    assert (net(), net(date="2026-06-01")) == ("76.50", "76.00")
    s4_process.tell("/settings", discount_base="remaining")
    assert net() == "76.95"
    s4_process.tell("/settings", discount_base="gross")
    flag = {"ConditionIsDeleted": True}
    path = f"A_SlsPrcgConditionRecord('{group}')"
    assert api.call("PATCH", path, json=flag, headers={"If-Match": "*"}).status_code == 204
    assert net() == "85.00"
    s4_process.tell("/change", entity="A_SlsPrcgConditionRecord", key=listed, set=flag)
    assert net() is None
    assert s4_process.ask("/price", material=material, date="2026-06-01", **buyer)["conditions"][0]["table"] == "305"


def test_the_day_of_a_price_is_the_systems_own_when_none_is_named(api, s4_process, material):
    product = s4_process.tell(
        "/create", entity="A_Product", set={"Product": "ZP-2", "ProductType": "FERT", "BaseUnit": "EA"}
    )["key"]
    today = s4_process.ask("/clock")["now"][:10]
    create(api, record("PPR0", "304", "5", Material=product, ends=today))
    assert s4_process.ask("/price", material=product)["net"] == "5.00"
    s4_process.tell("/clock", offset_s=86_400)
    assert s4_process.ask("/price", material=product)["found"] is False


def test_many_prices_are_told_at_once_and_what_is_wrong_with_one_in_its_place(s4_process, s4):
    s4.root = s4.root.replace("API_BUSINESS_PARTNER", "API_PRODUCT_SRV")
    numbers = [row["Product"] for row in s4.rows("A_Product", filter="BaseUnit eq 'PC'", top="20")]
    items = [{"material": number, "quantity": q} for number in numbers for q in ("1", "10", "200")]
    found = s4_process.tell("/prices", items=[*items, {"material": "NONE"}, {"material": numbers[0], "quantity": "x"}])[
        "items"
    ]
    assert len(found) == len(items) + 2
    assert "not found: A_Product" in found[-2]["error"]
    assert found[-1]["error"] == "quantity 'x' is no number"
    priced = [item for item in found if item.get("found")]
    assert len(priced) > 30
    assert all(item["currency"] == "EUR" for item in priced)
    one = s4_process.ask("/price", **items[1])
    assert one == found[1]


def test_no_day_has_two_records_after_many_new_periods(api, s4_process, material):
    source = random.Random(3)
    for _ in range(40):
        begins = f"{source.randint(2025, 2027)}-{source.randint(1, 12):02d}-01"
        ends = source.choice(("9999-12-31", f"2028-{source.randint(1, 12):02d}-15", f"{begins[:8]}20"))
        content = record("PPR0", "032", "10", Material=material, CustomerPriceGroup="C5", begins=begins, ends=ends)
        s4_process.tell("/create", entity="A_SlsPrcgConditionRecord", set=content)
    rows = api.rows("A_SlsPrcgCndnRecdValidity", filter=f"Material eq '{material}' and CustomerPriceGroup eq 'C5'")
    spans = sorted((day(row["ConditionValidityStartDate"]), day(row["ConditionValidityEndDate"])) for row in rows)
    assert len(spans) > 5
    assert all(begins <= ends for begins, ends in spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


def test_a_price_follows_its_customers_group(api, s4_process, material, buyer):
    product = s4_process.tell(
        "/create", entity="A_Product", set={"Product": "ZP-3", "ProductType": "FERT", "BaseUnit": "EA"}
    )["key"]
    create(api, record("PPR0", "032", "9", Material=product, CustomerPriceGroup="Z2"))
    create(api, record("PPR0", "306", "8", Material=product, PriceListType="77", TransactionCurrency="EUR"))
    asked = {"material": product, "date": "2026-12-01", **buyer}
    area = f"{buyer['customer']}/1010/10/00"
    found = []
    for change in ({}, {"PriceListType": "77"}, {"CustomerPriceGroup": "Z2"}):
        s4_process.tell("/change", entity="A_CustomerSalesArea", key=area, set=change)
        found.append(s4_process.ask("/price", **asked).get("gross"))
    s4_process.tell(
        "/change", entity="A_CustomerSalesArea", key=area, set={"CustomerPriceGroup": "Z1", "PriceListType": ""}
    )
    assert found == [None, "8.00", "9.00"]


def test_generated_records_hold_together(api):
    records = {row["ConditionRecord"]: row for row in api.rows("A_SlsPrcgConditionRecord", top="400")}
    assert len(records) >= 400
    rows = api.rows("A_SlsPrcgCndnRecdValidity", top="1000")
    assert {row["ConditionRecord"] for row in rows} >= set(records)
    claimed: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    names = ("ConditionType", "SalesOrganization", "Material", "Customer", "CustomerPriceGroup", "PriceListType")
    for row in rows:
        span = (day(row["ConditionValidityStartDate"]), day(row["ConditionValidityEndDate"]))
        claimed.setdefault(tuple(row[name] for name in names), []).append(span)
    for spans in claimed.values():
        spans.sort()
        assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
    assert any(len(spans) > 1 for spans in claimed.values())
    assert {row["ConditionType"] for row in rows} >= {"PPR0", "PR00", "K004", "K005", "K032"}
