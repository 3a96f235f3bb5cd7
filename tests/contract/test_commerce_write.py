"""What the Commerce connector writes, seen in the simulated shop."""

import pytest
from pydantic import SecretStr

from connectors.commerce import CommerceConnector, CommerceSettings
from l2c.contract import Change, Connection, Record, Status, System
from l2c.errors import AuthError, ProtocolError, TransientError
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import Sandbox, started


@pytest.fixture(scope="module")
def running():
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as sandbox:
        yield sandbox


@pytest.fixture
def shop(running: Sandbox):
    """The shop without units and faults."""
    for key in running.records("B2BUnit"):
        running.tell("delete", entity="B2BUnit", key=key)
    yield running
    running.tell("settings", batch_limit=200)
    running.disarm()


@pytest.fixture
def connector(shop: Sandbox):
    made = connect(shop)
    yield made
    made.close()


def connect(shop: Sandbox, **settings) -> CommerceConnector:
    system = System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET)))
    return CommerceConnector(system, CommerceSettings(**{"attempts": 1, **settings}))


def address(key: str, town: str = "Köln", **more):
    return {"publicKey": key, "duplicate": False, "town": town, "country": {"isocode": "DE"}, **more}


def unit(key: str, *addresses, **more):
    return {"uid": key, "name": f"unit {key}", "addresses": list(addresses), **more}


def put(connector: CommerceConnector, *changes: Change):
    return list(connector.send(connector.prepare("B2BUnit", changes)))


def create(connector: CommerceConnector, key: str, *addresses, **more):
    return put(connector, Change(Record(key, unit(key, *addresses, **more))))[0]


def towns(shop: Sandbox, key: str) -> list[str]:
    return sorted(found["town"] for found in shop.ask("record", entity="B2BUnit", key=key)["addresses"])


def inner(shop: Sandbox, kind: str, *, skip: int = 0, times: int | None = 1, **more) -> None:
    shop.tell("faults", match={"inner": True, "method": "POST", "skip": skip}, kind=kind, times=times, **more)


def test_a_unit_lands_with_its_addresses_and_references(shop, connector):
    outcome = create(connector, "4711", address("4711|1", region={"isocode": "DE-BW", "country": {"isocode": "DE"}}))
    assert (outcome.status, outcome.native_key) == (Status.CREATED, "4711")
    found = shop.ask("record", entity="B2BUnit", key="4711")
    assert found["addresses"][0]["region"] == "DE-BW"
    assert found["addresses"][0]["country"] == "DE"


def test_a_second_write_updates_and_keeps_what_it_does_not_name(shop, connector):
    create(connector, "1", address("1|1"), vatID="DE1")
    outcome = put(connector, Change(Record("1", {"name": "new"}), before=unit("1", address("1|1"))))[0]
    assert outcome.status is Status.UPDATED
    found = shop.ask("record", entity="B2BUnit", key="1")
    assert (found["name"], found["vatID"], len(found["addresses"])) == ("new", "DE1", 1)


@pytest.mark.fault("T15")
def test_none_clears_a_field(shop, connector):
    create(connector, "1", vatID="DE1")
    put(connector, Change(Record("1", {"vatID": None})))
    assert shop.ask("record", entity="B2BUnit", key="1")["vatID"] is None


def test_a_blocked_unit_is_a_field_like_any_other(shop, connector):
    create(connector, "1")
    put(connector, Change(Record("1", {"uid": "1", "active": False})))
    assert shop.ask("record", entity="B2BUnit", key="1")["active"] is False


def test_the_known_key_wins_over_the_mapped_one(shop, connector):
    create(connector, "born in the shop")
    outcome = put(connector, Change(Record("born in the shop", unit("4711", l2cCustomerNumber="4711"))))[0]
    assert outcome.native_key == "born in the shop"
    assert list(shop.records("B2BUnit")) == ["born in the shop"]
    assert shop.ask("record", entity="B2BUnit", key="born in the shop")["l2cCustomerNumber"] == "4711"


def test_an_element_that_went_is_removed_and_a_foreign_one_stays(shop, connector):
    old, kept = address("1|1", "Ulm"), address("1|2", "Bonn")
    create(connector, "1", old, kept)
    shop.tell("create", entity="Address", set={"owner": "1", "town": "theirs"})
    change = Change(Record("1", unit("1", kept)), before=unit("1", old, kept))
    assert put(connector, change)[0].status is Status.UPDATED
    assert towns(shop, "1") == ["Bonn", "theirs"]


def test_the_last_element_can_go(shop, connector):
    create(connector, "1", address("1|1"))
    for empty in ([], None):
        change = Change(Record("1", {**unit("1"), "addresses": empty}), before=unit("1", address("1|1")))
        assert put(connector, change)[0].status is Status.UPDATED
        assert towns(shop, "1") == []


def test_a_removal_is_found_by_the_key_attributes_that_are_known(shop, connector):
    create(connector, "1", address("1|1", "Ulm"), address("1|2", "Bonn"))
    before = {"addresses": [{"publicKey": "1|1"}, {"publicKey": "1|2"}]}
    change = Change(Record("1", {"uid": "1", "addresses": [{"publicKey": "1|2", "duplicate": False}]}), before=before)
    requests = connector.prepare("B2BUnit", [change])[0].requests
    assert [request.method for request in requests] == ["DELETE", "POST"]
    assert requests[0].path == "Addresses('false%7C1%257C1')"


def test_a_flag_alone_removes_nothing(shop, connector):
    create(connector, "1", address("1|1"), address("1|2"))
    change = Change(Record("1", {"uid": "1", "addresses": []}), before={"addresses": [{"duplicate": False}]})
    assert [request.method for request in connector.prepare("B2BUnit", [change])[0].requests] == ["POST"]


def test_an_address_that_loses_its_region_loses_it_in_the_shop(shop, connector):
    region = {"isocode": "DE-BW", "country": {"isocode": "DE"}}
    old, kept = address("1|1", region=region, streetname="Hauptstraße"), address("1|2", "Bonn", region=region)
    create(connector, "1", old, kept)
    new = {"publicKey": "1|1", "duplicate": False, "town": "Wien", "country": {"isocode": "AT"}, "region": None}
    change = Change(Record("1", unit("1", kept, new)), before=unit("1", old, kept))
    assert put(connector, change)[0].status is Status.UPDATED
    found = {one["town"]: one for one in shop.ask("record", entity="B2BUnit", key="1")["addresses"]}
    assert {town: one["region"] for town, one in found.items()} == {"Wien": None, "Bonn": "DE-BW"}
    assert found["Wien"]["streetname"] == "Hauptstraße", "what the change does not name is kept"


def test_a_reference_of_the_unit_itself_cannot_be_cleared_and_says_so(connector):
    change = Change(Record("1", {"uid": "1", "userPriceGroup": None}), before={"userPriceGroup": {"code": "g"}})
    outcome = put(connector, change)[0]
    assert (outcome.status, outcome.code) == (Status.REJECTED, "cannot_clear")


def test_a_key_with_a_bar_is_encoded_twice(shop, connector):
    create(connector, "1", address("1|1"))
    change = Change(Record("1", unit("1")), before=unit("1", address("1|1")))
    assert connector.prepare("B2BUnit", [change])[0].requests[0].path == "Addresses('false%7C1%257C1')"


def test_an_element_already_gone_needs_no_request(shop, connector):
    create(connector, "1", address("1|1"))
    change = Change(Record("1", unit("1")), before=unit("1", address("1|1"), address("1|9")))
    ready = connector.prepare("B2BUnit", [change])
    assert [request.method for request in ready[0].requests] == ["DELETE", "POST"]


@pytest.mark.fault("T7", "T13")
def test_an_element_that_goes_in_between_is_a_conflict_and_undoes_the_write(shop, connector):
    create(connector, "1", address("1|1"))
    change = Change(Record("1", {"uid": "1", "name": "new", "addresses": []}), before=unit("1", address("1|1")))
    ready = connector.prepare("B2BUnit", [change])
    shop.tell("delete", entity="Address", key="false/1|1")
    assert connector.send(ready)[0].status is Status.CONFLICT
    assert shop.ask("record", entity="B2BUnit", key="1")["name"] == "unit 1"
    assert put(connector, change)[0].status is Status.UPDATED


def test_only_changes_that_take_something_away_read_the_shop(shop, connector):
    create(connector, "1", address("1|1"))
    before = dict(shop.ask("stats")["requests"])
    same = Change(Record("1", unit("1", address("1|1"))), before=unit("1", address("1|1")))
    silent = Change(Record("1", {"name": "n"}), before=unit("1", address("1|1")))
    connector.prepare("B2BUnit", [same, silent, Change(Record("2", unit("2")))])
    assert shop.ask("stats")["requests"] == before


def test_a_link_cannot_be_taken_away_and_says_so(connector):
    change = Change(Record("1", {"uid": "1", "groups": []}), before={"groups": [{"uid": "b2bgroup"}]})
    outcome = put(connector, change)[0]
    assert (outcome.status, outcome.code) == (Status.REJECTED, "cannot_remove")


def test_a_deleted_record_is_deleted_with_what_is_part_of_it(shop, connector):
    create(connector, "1|x", address("1|1"))
    gone = Change(Record("1|x", {}, deleted=True))
    assert put(connector, gone)[0].status is Status.DELETED
    assert shop.records("B2BUnit") == {}
    assert shop.records("Address") == {}
    assert put(connector, gone)[0].status is Status.DELETED, "what is not there is deleted"


def test_one_that_was_deleted_in_between_counts_as_deleted(shop, connector):
    create(connector, "1")
    ready = connector.prepare("B2BUnit", [Change(Record("1", {}, deleted=True))])
    shop.tell("delete", entity="B2BUnit", key="1")
    assert connector.send(ready)[0].status is Status.DELETED


def test_a_refusal_keeps_the_words_of_the_shop(connector):
    outcome = create(connector, "1", address("1|1", country={"isocode": "XX"}))
    assert (outcome.status, outcome.code) == (Status.REJECTED, "missing_nav_property")
    assert outcome.message.startswith("Item referenced by attribute [country] in [Address] item does not exist")


def test_a_record_without_key_is_rejected_before_anything_is_sent(shop, connector):
    good, bad = Change(Record("1", unit("1"))), Change(Record("", {"uid": "", "name": "n"}))
    outcomes = put(connector, bad, good, bad)
    assert [outcome.status for outcome in outcomes] == [Status.REJECTED, Status.CREATED, Status.REJECTED]
    assert outcomes[0].code == "missing_key"


def test_nothing_to_send_asks_for_nothing(shop, connector):
    before = dict(shop.ask("stats")["requests"])
    assert list(connector.send([])) == []
    assert put(connector, Change(Record("", {})))[0].status is Status.REJECTED
    asked = shop.ask("stats")["requests"]
    assert {name: count for name, count in asked.items() if "batch" in name} == {
        name: count for name, count in before.items() if "batch" in name
    }


def test_changes_go_in_batches_of_the_configured_size(shop):
    connector = connect(shop, batch_size=4)
    before = shop.ask("stats")["requests"].get("POST $batch 202", 0)
    outcomes = put(connector, *(Change(Record(f"{number}", unit(f"{number}"))) for number in range(10)))
    assert [outcome.native_key for outcome in outcomes] == [f"{number}" for number in range(10)]
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert shop.ask("stats")["requests"]["POST $batch 202"] == before + 3


@pytest.mark.fault("T4")
def test_a_part_missing_from_the_answer_is_unknown_and_its_neighbours_are_not(shop, connector):
    connector.describe("B2BUnit")
    inner(shop, "after_commit", skip=1)
    outcomes = put(connector, *(Change(Record(key, unit(key))) for key in "123"))
    assert [outcome.status for outcome in outcomes] == [Status.CREATED, Status.UNKNOWN, Status.CREATED]
    assert set(shop.records("B2BUnit")) == {"1", "2", "3"}


def test_a_part_that_broke_in_the_shop_is_failed(shop, connector):
    inner(shop, "lock")
    outcomes = put(connector, *(Change(Record(key, unit(key))) for key in "12"))
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.CREATED]
    assert "deadlock" in outcomes[0].message


def test_rights_that_fail_every_record_are_an_auth_error(shop, connector):
    inner(shop, "status", status=403, times=None, text="The user lacks create privileges")
    with pytest.raises(AuthError, match="every record refused: The user lacks create privileges"):
        put(connector, *(Change(Record(key, unit(key))) for key in "12"))


def test_a_batch_the_shop_refuses_as_a_whole_is_no_fault_of_its_records(shop, connector):
    shop.tell("settings", batch_limit=2)
    with pytest.raises(ProtocolError, match="batch_limit_exceeded"):
        put(connector, *(Change(Record(key, unit(key))) for key in "123"))
    assert shop.records("B2BUnit") == {}


def test_what_follows_a_batch_that_could_not_be_sent_is_failed(shop):
    connector = connect(shop, batch_size=2)
    connector.describe("B2BUnit")
    match = {"method": "POST", "path": shop.service, "skip": 1}
    shop.tell("faults", match=match, kind="status", status=429, headers={"Retry-After": "40"}, times=None)
    outcomes = put(connector, *(Change(Record(key, unit(key))) for key in "12345"))
    assert [outcome.status for outcome in outcomes] == [Status.CREATED] * 2 + [Status.FAILED] * 3
    assert {outcome.retry_after for outcome in outcomes[2:]} == {40.0}


def test_a_shop_that_is_away_from_the_start_raises(shop, connector):
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "POST", "path": shop.service}, kind="status", status=429, times=None)
    with pytest.raises(TransientError):
        create(connector, "1")


def test_a_lost_answer_is_unknown_for_every_record_of_its_batch(shop, connector):
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "POST", "path": shop.service}, kind="after_commit", times=1)
    outcomes = put(connector, *(Change(Record(key, unit(key))) for key in "12"))
    assert [outcome.status for outcome in outcomes] == [Status.UNKNOWN] * 2
    assert connector.find("B2BUnit", ["1", "2", "3"]) == {"1": ["1"], "2": ["2"], "3": []}


def test_an_answer_cut_short_leaves_the_rest_unknown(shop, connector):
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "POST", "path": shop.service}, kind="cut", bytes=600, length=True, times=1)
    outcomes = put(connector, *(Change(Record(key, unit(key))) for key in "123"))
    assert outcomes[-1].status is Status.UNKNOWN
    assert set(shop.records("B2BUnit")) == {"1", "2", "3"}
