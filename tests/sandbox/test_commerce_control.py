"""The simulated shop behind its API: what its users do, its commit log, its state on disk."""

import os
import signal

import pytest

from .commerce_shop import address, refused, started, unit


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        yield running


def test_a_shop_user_changes_a_unit_and_the_api_shows_it(shop):
    shop.post("B2BUnits", unit("C1", l2cCustomerNumber="900"))
    before = shop.entity("B2BUnits('C1')")["modifiedtime"]
    last = shop.last()
    shop.control("POST", "/change", {"entity": "B2BUnit", "key": "C1", "set": {"name": "by hand", "active": False}})
    entity = shop.entity("B2BUnits('C1')")
    assert (entity["name"], entity["active"]) == ("by hand", False)
    assert entity["modifiedtime"] > before
    (entry,) = shop.log(last, origin="all")
    assert (entry["entity"], entry["key"], entry["action"], entry["origin"]) == ("B2BUnit", "C1", "updated", "user")
    assert entry["mark"] == "900"


def test_a_shop_user_creates_a_unit_with_addresses(shop):
    home = {"country": "CH", "region": "CH-ZH", "town": "Zürich", "email": "a@b.example"}
    made = shop.control("POST", "/create", {"entity": "B2BUnit", "set": {"uid": "born-here", "addresses": [home]}})
    assert made["key"] == "born-here"
    entity = shop.entity("B2BUnits('born-here')?$expand=addresses/region,addresses/owner")
    (found,) = entity["addresses"]["results"]
    assert (entity["active"], entity["l2cCustomerNumber"]) == (True, None)
    assert (found["region"]["isocode"], found["owner"]["uid"], found["duplicate"]) == ("CH-ZH", "born-here", False)
    assert len(found["publicKey"]) == 13
    assert found["publicKey"].isdigit()


def test_a_shop_user_changes_only_an_address_and_the_unit_keeps_its_stamp(shop):
    shop.post("B2BUnits", unit("C3", address("C3a", town="Köln")))
    before = shop.entity("B2BUnits('C3')")["modifiedtime"]
    shop.control("POST", "/change", {"entity": "Address", "key": "false/C3a", "set": {"town": "Bonn", "country": "AT"}})
    assert shop.entity("B2BUnits('C3')")["modifiedtime"] == before
    assert shop.record("Address", "false/C3a")["country"] == "AT"


def test_a_change_that_changes_nothing_leaves_no_trace(shop):
    shop.post("B2BUnits", unit("C4"))
    last = shop.last()
    shop.control("POST", "/change", {"entity": "B2BUnit", "key": "C4", "set": {"name": "Unit C4"}})
    assert shop.log(last, origin="all") == []


def test_a_shop_user_deletes_a_unit_with_its_addresses(shop):
    shop.post("B2BUnits", unit("C5", address("C5a")))
    shop.control("POST", "/delete", {"entity": "B2BUnit", "key": "C5"})
    refused(shop.get("B2BUnits('C5')"), 404, "not_found")
    refused(shop.get("Addresses('false%7CC5a')"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "payload", "status"),
    [
        ("/change", {"entity": "B2BUnit", "key": "nobody", "set": {"name": "x"}}, 404),
        ("/change", {"entity": "B2BUnit", "key": "C1", "set": {"city": "x"}}, 400),
        ("/change", {"entity": "B2BUnit", "key": "C1", "set": {"modifiedtime": "x"}}, 400),
        ("/change", {"entity": "B2BUnit", "key": "C1", "set": {"active": "no"}}, 400),
        ("/change", {"entity": "Customers", "key": "C1", "set": {}}, 404),
        ("/create", {"entity": "Address", "set": {"town": "x"}}, 400),
        ("/create", {"entity": "Address", "set": {"owner": "nobody"}}, 404),
        ("/settings", {"page_size": 5}, 400),
    ],
)
def test_a_wrong_call_of_the_control_address_is_answered_clearly(shop, path, payload, status):
    answer = shop.session.post(shop.control_url + path, json=payload, timeout=10)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_records_come_in_key_order_and_in_full(shop):
    for uid in ("R1", "R2", "R3"):
        shop.post("B2BUnits", unit(uid, address(f"{uid}a", "DE", "DE-BY")))
    answer = shop.session.get(f"{shop.control_url}/records?entity=B2BUnit&after=R1&limit=2", timeout=10)
    lines = [line for line in answer.text.splitlines() if line]
    assert len(lines) == 2
    assert '"key":"R2"' in lines[0]
    assert '"region":"DE-BY"' in lines[0]
    addresses = shop.session.get(f"{shop.control_url}/records?entity=Address&after=false/R1a&limit=1", timeout=10)
    assert '"key":"false/R2a"' in addresses.text


def test_the_commit_log_names_what_the_api_created_changed_and_deleted(shop):
    last = shop.last()
    shop.post("B2BUnits", unit("C6", address("C6a")))
    shop.post("B2BUnits", unit("C6", address("C6a", town="Ulm")))
    shop.call("DELETE", "B2BUnits('C6')")
    found = [(entry["entity"], entry["key"], entry["action"]) for entry in shop.log(last)]
    assert found == [
        ("B2BUnit", "C6", "created"),
        ("Address", "false/C6a", "created"),
        ("Address", "false/C6a", "updated"),
        ("Address", "false/C6a", "deleted"),
        ("B2BUnit", "C6", "deleted"),
    ]


def test_a_lock_is_a_server_error_and_stores_nothing(shop):
    shop.fault(kind="lock", match={"method": "POST", "path": "B2BUnits"})
    refused(shop.post("B2BUnits", unit("C7")), 500, "internal_error")
    refused(shop.get("B2BUnits('C7')"), 404, "not_found")


def test_a_scripted_status_comes_in_the_shops_own_error_shape(shop):
    shop.fault(kind="status", status=429, headers={"Retry-After": "3"}, match={"path": "B2BUnits"})
    answer = shop.get("B2BUnits")
    assert answer.headers["Retry-After"] == "3"
    assert answer.status_code == 429
    assert answer.json()["error"]["message"]["value"]


def test_requests_are_counted_by_entity_set(shop):
    shop.control("DELETE", "/stats")
    shop.get("B2BUnits?$top=1")
    shop.post("B2BUnits", unit("C8"))
    shop.post("B2BUnits", {"name": "x"})
    counted = shop.control("GET", "/stats")["requests"]
    assert counted["GET B2BUnits 200"] == 1
    assert counted["POST B2BUnits 201"] == 1
    assert sum(count for name, count in counted.items() if name.endswith(" 400")) == 1


def test_the_state_outlives_a_killed_process(tmp_path):
    with started(tmp_path) as shop:
        shop.post("B2BUnits", unit("K1", address("K1a", "JP", "JP-13")))
        os.kill(shop.pid, signal.SIGKILL)
    with started(tmp_path) as shop:
        assert shop.record("B2BUnit", "K1")["addresses"][0]["region"] == "JP-13"
        assert int(shop.get("Countries/$count").text) == 249
        assert len(shop.log()) == 2
