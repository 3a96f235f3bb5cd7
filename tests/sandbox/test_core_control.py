"""The control address: commit log, statistics, changes as a user makes them, the clock."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import orjson
import requests


def test_the_log_holds_every_change_made_through_the_api_in_order(s4, s4_process):
    after = s4_process.log_end()
    number = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"}])["BusinessPartner"]
    s4.call("PATCH", f"A_BusinessPartner('{number}')", json={"SearchTerm1": "B"}, headers={"If-Match": "*"})
    entries = s4_process.log(after)
    assert [(e["entity"], e["action"]) for e in entries] == [
        ("A_BusinessPartner", "created"),
        ("A_BusinessPartnerAddress", "created"),
        ("A_BuPaAddressUsage", "created"),
        ("A_BusinessPartner", "updated"),
    ]
    assert [e["seq"] for e in entries] == sorted(e["seq"] for e in entries)
    assert len({e["request_id"] for e in entries}) == 2
    assert all(len(e["payload_hash"]) == 64 for e in entries)


def test_the_log_is_read_in_blocks(s4, s4_process):
    after = s4_process.log_end()
    for _ in range(3):
        s4.new_partner()
    first = s4_process.ask("/log", after=after, limit=2)
    rest = s4_process.ask("/log", after=first["next"], limit=2)
    assert (len(first["entries"]), len(rest["entries"])) == (2, 1)
    assert s4_process.ask("/log", after=rest["next"])["next"] == rest["next"]


def test_a_request_id_of_the_client_stands_in_the_log(s4, s4_process):
    after = s4_process.log_end()
    content = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Id"}
    s4.post("A_BusinessPartner", content, headers={"X-Request-Id": "run-1/7"})
    assert s4_process.log(after)[0]["request_id"] == "run-1/7"


def test_a_refused_change_leaves_no_row_in_the_log(s4, s4_process):
    after = s4_process.log_end()
    address = [{"Country": "DE"}, {"Country": "ZX"}]
    answer = s4.post("A_BusinessPartner", {"BusinessPartnerCategory": "2", "to_BusinessPartnerAddress": address})
    assert answer.status_code == 400
    assert s4_process.log(after, origin="all") == []


def test_changes_of_a_user_are_marked_and_not_listed_with_those_of_the_api(s4, s4_process):
    after = s4_process.log_end()
    s4_process.tell("/change", entity="A_BusinessPartner", key="1000001", set={"SearchTerm1": "USER"})
    assert s4_process.log(after) == []
    assert [(e["key"], e["origin"]) for e in s4_process.log(after, origin="user")] == [("1000001", "user")]


def test_a_user_creates_and_deletes_records(s4, s4_process):
    values = {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": "Made",
        "to_BusinessPartnerAddress": [{"Country": "ZX"}],
    }
    key = s4_process.tell("/create", entity="A_BusinessPartner", set=values)["key"]
    assert s4.rows(f"A_BusinessPartner('{key}')/to_BusinessPartnerAddress")[0]["Country"] == "ZX"
    s4_process.tell("/delete", entity="A_BusinessPartner", key=key)
    assert s4.get(f"A_BusinessPartner('{key}')").status_code == 404
    assert s4.rows("A_BusinessPartnerAddress", filter=f"BusinessPartner eq '{key}'") == []


def test_records_come_in_key_order_from_behind_a_key(s4_process):
    def read(after: str) -> list[str]:
        params = {"entity": "A_BusinessPartner", "after": after, "limit": 2}
        answer = requests.get(s4_process.control + "/records", params=params, timeout=20)
        return [orjson.loads(line)["key"] for line in answer.content.splitlines()]

    assert read("") == ["1000000", "1000001"]
    assert read("1000001") == ["1000002", "1000003"]


def test_a_record_of_a_composite_key_is_read_in_full(s4, s4_process):
    key = s4_process.ask("/record", entity="A_BusinessPartner", key="1000000")["BusinessPartner"]
    address = s4.rows(f"A_BusinessPartner('{key}')/to_BusinessPartnerAddress")[0]
    stored = s4_process.ask("/record", entity="A_BusinessPartnerAddress", key=f"{key}/{address['AddressID']}")
    assert stored["CityName"] == address["CityName"]
    assert stored["POBoxLobbyName"] == ""


def test_wrong_calls_are_named(s4_process):
    def post(path: str, **content) -> tuple[int, str]:
        answer = requests.post(s4_process.control + path, json=content, timeout=20)
        return answer.status_code, answer.json()["error"]

    assert post("/change", entity="A_Partner", key="1", set={})[0] == 404
    assert post("/change", entity="A_BusinessPartner", key="nobody", set={}) == (
        404,
        "not found: A_BusinessPartner 'nobody'",
    )
    status, text = post("/change", entity="A_BusinessPartner", key="1000000", set={"Colour": "red"})
    assert (status, "Colour" in text) == (400, True)
    assert post("/settings", page_sise=3)[0] == 400
    assert post("/settings", page_size="three")[0] == 400
    assert requests.get(s4_process.control + "/nothing", timeout=20).status_code == 404


def test_statistics_count_by_method_path_and_status(s4, s4_process):
    requests.delete(s4_process.control + "/stats", timeout=20)
    s4.get("A_BusinessPartner('1000000')/to_BusinessPartnerAddress")
    s4.get("A_BusinessPartner('1000001')/to_BusinessPartnerAddress")
    s4.get("A_BusinessPartner('nobody')")
    assert s4_process.ask("/stats")["requests"] == {
        "GET A_BusinessPartner()/to_BusinessPartnerAddress 200": 2,
        "GET A_BusinessPartner() 404": 1,
    }


def test_statistics_count_committed_writes_by_entity_and_action(s4, s4_process):
    before = s4_process.ask("/stats")["writes"].get("A_BusinessPartner", {}).get("created", 0)
    s4.new_partner()
    s4.post("A_BusinessPartner", {"BusinessPartnerCategory": "9"})
    assert s4_process.ask("/stats")["writes"]["A_BusinessPartner"]["created"] == before + 1


def test_the_clock_moves_date_header_and_stamps(s4, s4_process):
    s4_process.tell("/clock", offset_s=-86_400)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    shown = parsedate_to_datetime(s4.get("A_BusinessPartner?$top=1").headers["Date"])
    assert abs((shown - yesterday).total_seconds()) < 5
    created = s4.new_partner()
    day = int(created["LastChangeDate"][6:-2]) / 1000
    assert datetime.fromtimestamp(day, UTC).date() in (yesterday.date(), shown.date())
