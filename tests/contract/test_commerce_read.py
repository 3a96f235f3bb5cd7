"""What the Commerce connector reads and describes, from the simulated shop."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from connectors.commerce import CommerceConnector, CommerceSettings
from connectors.commerce.cursors import Cursor, Place, cursor_of, resume_at
from l2c.contract import Connection, System
from l2c.errors import AuthError, ConfigError, ProtocolError, TransientError
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import Sandbox, started

FIELDS = ("uid", "name", "l2cCustomerNumber", "addresses.town", "addresses.country.isocode")


@pytest.fixture(scope="module")
def running():
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as sandbox:
        yield sandbox


@pytest.fixture
def shop(running: Sandbox):
    """The shop with exactly five units, U1 to U5, and no fault."""
    for key in running.records("B2BUnit"):
        running.tell("delete", entity="B2BUnit", key=key)
    for number in range(1, 6):
        address = {"publicKey": f"{number}|1", "town": "Köln", "country": "DE"}
        values = {"uid": f"U{number}", "name": f"unit {number}", "l2cCustomerNumber": f"{number:010}"}
        running.tell("create", entity="B2BUnit", set={**values, "addresses": [address]})
    yield running
    running.tell("clock", offset_s=0)
    running.tell("settings", page_max=1000, page_default=10)
    running.disarm()


def connect(shop: Sandbox, **settings) -> CommerceConnector:
    system = System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET)))
    return CommerceConnector(system, CommerceSettings(**settings))


def read(connector: CommerceConnector, since: str | None = None, size: int = 2, **options):
    pages = [
        (list(page.records), page.cursor) for page in connector.read("B2BUnit", since=since, page_size=size, **options)
    ]
    return [record.key for records, _ in pages for record in records], pages[-1][1], pages


def test_a_record_shows_nested_objects_and_nothing_of_the_wire_format(shop):
    records = [
        r for page in connect(shop).read("B2BUnit", since=None, page_size=9, fields=FIELDS) for r in page.records
    ]
    first = records[0]
    assert first.key == "U1"
    assert first.data["l2cCustomerNumber"] == "0000000001"
    assert [(a["town"], a["country"]["isocode"]) for a in first.data["addresses"]] == [("Köln", "DE")]
    assert first.data["active"] is True
    assert first.changed_at is not None
    assert first.changed_at.tzinfo is UTC
    assert first.data["modifiedtime"][:19] == first.changed_at.isoformat()[:19]
    assert {"__metadata", "groups", "localizedAttributes"}.isdisjoint(first.data)


def test_the_customer_number_is_not_taken_from_the_uid(shop):
    shop.tell("create", entity="B2BUnit", set={"uid": "born in the shop", "name": "n"})
    found = {r.key: r for r in connect(shop).fetch("B2BUnit", ["born in the shop"], fields=FIELDS)}
    assert found["born in the shop"].data["l2cCustomerNumber"] is None


def test_only_what_the_mapping_uses_is_expanded(shop):
    fetched = connect(shop).fetch("B2BUnit", ["U1"], fields=("uid", "name"))
    assert "addresses" not in next(iter(fetched)).data
    fetched = connect(shop).fetch("B2BUnit", ["U1"], fields=("uid", "addresses.town"))
    assert "country" not in next(iter(fetched)).data["addresses"][0]
    assert "country" in next(iter(connect(shop).fetch("B2BUnit", ["U1"]))).data["addresses"][0]


@pytest.mark.fault("W1", "W3")
def test_a_delta_shows_what_changed_after_the_overlap_only(shop):
    connector = connect(shop, overlap_s=60)
    everything, cursor, _ = read(connector)
    assert everything == ["U1", "U2", "U3", "U4", "U5"]
    # a unit comes twice where its address was stored a moment after it: each of both stamps is a place of its own
    again = list(dict.fromkeys(read(connector, cursor)[0]))
    assert again == everything, "within the overlap all is shown again"
    shop.tell("clock", offset_s=120)
    shop.tell("change", entity="B2BUnit", key="U2", set={"name": "changed"})
    _, later, _ = read(connector, cursor)
    shop.tell("clock", offset_s=600)
    shop.tell("change", entity="B2BUnit", key="U4", set={"name": "changed"})
    assert read(connector, later)[0] == ["U2", "U4"], (
        "the last read may have come too early for stamps of its own minute"
    )
    _, quiet, _ = read(connector, later)
    shop.tell("clock", offset_s=1200)
    _, quiet, _ = read(connector, quiet)
    assert read(connector, quiet)[0] == [], "what is settled is not read for ever"


def test_without_overlap_a_read_goes_on_behind_the_last_record():
    cursor = Cursor(Place(5_000, "U1"), asked=9_000)
    assert resume_at(cursor, 1) == Place(5_000, "U1")
    assert resume_at(cursor, 4) == Place(5_000, "")
    assert resume_at(cursor, 8) == Place(1_000, "")
    assert cursor_of(str(cursor), "here") == cursor


def later(shop: Sandbox, seconds: int) -> None:
    shop.tell("clock", offset_s=seconds)


def settled(shop: Sandbox, connector: CommerceConnector) -> str:
    """A cursor behind everything there is, overlap included; the shop's clock is at 600 s from now on."""
    _, cursor, _ = read(connector)
    later(shop, 300)
    _, cursor, _ = read(connector, cursor)
    later(shop, 600)
    assert read(connector, cursor)[0] == []
    return cursor


def test_a_unit_of_which_only_an_address_changed_is_shown(shop):
    connector = connect(shop)
    cursor = settled(shop, connector)
    shop.tell("change", entity="Address", key="false/2|1", set={"phone1": "221 1"})
    shop.tell("create", entity="Address", set={"owner": "U4", "publicKey": "new", "country": "DE", "town": "Ulm"})
    keys, after, pages = read(connector, cursor, fields=FIELDS)
    assert keys == ["U2", "U4"]
    second, fourth = (record for records, _ in pages for record in records)
    assert sorted(one["town"] for one in fourth.data["addresses"]) == ["Köln", "Ulm"]
    assert [second.changed_at, fourth.changed_at] == sorted([second.changed_at, fourth.changed_at])
    for record in (second, fourth):
        own = datetime.fromisoformat(record.data["modifiedtime"]).replace(tzinfo=UTC)
        assert record.changed_at - own > timedelta(seconds=500), "the change is as old as the address's, not the unit's"
    later(shop, 900)
    _, after, _ = read(connector, after)
    later(shop, 1200)
    assert read(connector, after)[0] == [], "what is settled is not read for ever"


def test_a_unit_saved_after_its_address_is_shown_once_and_in_order(shop):
    connector = connect(shop)
    cursor = settled(shop, connector)
    shop.tell("change", entity="Address", key="false/1|1", set={"town": "Bonn"})
    shop.tell("change", entity="B2BUnit", key="U3", set={"name": "third"})
    shop.tell("change", entity="Address", key="false/5|1", set={"town": "Ulm"})
    shop.tell("change", entity="B2BUnit", key="U1", set={"name": "first"})
    keys, _, pages = read(connector, cursor, size=10)
    assert keys == ["U3", "U5", "U1"]
    stamps = [record.changed_at for records, _ in pages for record in records]
    assert stamps == sorted(stamps)


@pytest.mark.fault("R4")
def test_a_delta_of_addresses_resumes_at_every_page_and_loses_nothing(shop):
    connector = connect(shop, overlap_s=0)
    cursor = settled(shop, connector)
    for number in (3, 1, 5, 2):
        shop.tell("change", entity="Address", key=f"false/{number}|1", set={"town": "Bonn"})
        shop.tell("change", entity="B2BUnit", key=f"U{6 - number}", set={"name": f"after {number}"})
    _, _, pages = read(connector, cursor, size=1)
    for number, (_, place) in enumerate(pages):
        rest = {record.key for records, _ in pages[number + 1 :] for record in records}
        assert rest <= set(read(connector, place, size=1)[0])


def test_addresses_of_others_and_unused_addresses_show_no_unit(shop):
    connector = connect(shop)
    cursor = settled(shop, connector)
    home = {"country": "DE", "town": "Ulm"}
    shop.tell("register", kind="consumer", email="anna@mail.example", first_name="A", last_name="B", address=home)
    assert read(connector, cursor, fields=FIELDS)[0] == []
    shop.tell("change", entity="Address", key="false/2|1", set={"town": "Bonn"})
    assert read(connector, cursor, fields=("uid", "name"))[0] == [], "the mapping uses no address"
    shop.tell("delete", entity="Customer", key="anna@mail.example")


def test_a_cursor_of_an_earlier_release_goes_on(shop):
    connector = connect(shop)
    cursor = settled(shop, connector)
    shop.tell("change", entity="Address", key="false/2|1", set={"town": "Bonn"})
    old = json.dumps(json.loads(cursor)[:3])
    assert read(connector, old)[0] == ["U2"]


def test_a_read_can_end_at_a_cursor(shop):
    connector = connect(shop)
    _, _, pages = read(connector)
    assert read(connector, until=pages[1][1])[0] == ["U1", "U2", "U3", "U4"]
    again = read(connector, since=pages[0][1], until=pages[1][1])[0]
    assert list(dict.fromkeys(again)) == ["U1", "U2", "U3", "U4"], (
        "one may come twice, when its time is at a page's edge"
    )


@pytest.mark.fault("R2")
def test_a_shop_that_gives_fewer_rows_than_asked_loses_nothing(shop):
    shop.tell("settings", page_max=2)
    keys, _, pages = read(connect(shop), size=4)
    assert keys == ["U1", "U2", "U3", "U4", "U5"]
    assert [len(records) for records, _ in pages] == [2, 2, 1]


def test_pages_larger_than_the_shop_allows_are_not_asked_for(shop):
    assert read(connect(shop), size=5000)[0] == ["U1", "U2", "U3", "U4", "U5"]


@pytest.mark.fault("D6")
@pytest.mark.parametrize("key", ["A/B", "O'Neill", "Müller & Söhne", "a|b", "100 %", "x+y=z"])
def test_any_text_can_be_a_key(shop, key):
    shop.tell("create", entity="B2BUnit", set={"uid": key, "name": "odd"})
    connector = connect(shop)
    found = {record.key: record for record in connector.fetch("B2BUnit", [key, "not there"])}
    assert found[key].data["name"] == "odd"
    assert found["not there"].deleted
    assert connector.find("B2BUnit", [key, "not there"]) == {key: [key], "not there": []}
    assert key in read(connector, size=1)[0]


@pytest.mark.fault("R9", "R18")
def test_fetch_takes_more_keys_than_one_address_can_hold(shop):
    keys = [f"U{number}" for number in range(1, 6)] + [f"missing {number:050}" for number in range(150)]
    found = list(connect(shop).fetch("B2BUnit", keys))
    assert len(found) == 155
    assert sorted(record.key for record in found if not record.deleted) == ["U1", "U2", "U3", "U4", "U5"]


def test_describe_knows_dotted_paths_from_the_metadata(shop):
    schema = connect(shop, batch_size=50).describe("B2BUnit")
    assert (schema.key, schema.delta, schema.safe_by, schema.batch) == ("uid", "stamp", "key", 50)
    assert schema.fields["addresses"].many
    assert schema.fields["addresses.country.isocode"].type == "Edm.String"
    assert not schema.fields["uid"].nullable
    assert schema.fields["modifiedtime"].type == "Edm.DateTime"
    assert "l2cCustomerNumber" in schema.fields


def test_metadata_are_read_once(shop):
    before = shop.ask("stats")["requests"].get("GET $metadata 200", 0)
    connector = connect(shop)
    for _ in range(3):
        connector.describe("B2BUnit")
        read(connector)
    assert shop.ask("stats")["requests"]["GET $metadata 200"] == before + 1


def test_a_cursor_of_another_system_is_refused(shop):
    with pytest.raises(ConfigError, match="is no cursor of a Commerce system"):
        next(iter(connect(shop).read("B2BUnit", since="2026-01-01|1", page_size=1)))


def test_there_are_no_partitions(shop):
    with pytest.raises(ConfigError, match="no partition"):
        next(iter(connect(shop).read("B2BUnit", since=None, partition="1", page_size=1)))


def test_an_integration_object_that_is_not_imported_is_named(shop):
    connector = connect(shop, b2b_unit_object="L2CMissing")
    with pytest.raises(ConfigError, match=r"'L2CMissing' is not served \(404\): import the hub's ImpEx files"):
        connector.describe("B2BUnit")
    assert "L2CMissing" in connector.check().message


def test_an_object_without_a_change_stamp_is_refused(shop):
    with pytest.raises(ConfigError, match="'InboundB2BUnit' does not show 'B2BUnits' with 'modifiedtime'"):
        connect(shop, b2b_unit_object="InboundB2BUnit").describe("B2BUnit")


@pytest.mark.fault("W5")
def test_check_says_how_far_the_clocks_are_apart(shop):
    shop.tell("clock", offset_s=90)
    health = connect(shop).check()
    assert health.ok
    assert 85 < (health.clock_skew_s or 0) < 95
    assert health.latency_ms > 0


def test_a_token_that_expired_is_renewed(shop):
    connector = connect(shop)
    read(connector)
    shop.tell("settings", revoke_tokens=True)
    assert read(connector)[0] == ["U1", "U2", "U3", "U4", "U5"]


@pytest.mark.fault("R12")
def test_a_sign_in_page_is_an_auth_error(shop):
    connector = connect(shop)
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "GET", "path": shop.service}, kind="html_login", times=1)
    with pytest.raises(AuthError, match="HTML page titled 'Anmeldung'"):
        read(connector)


@pytest.mark.fault("R5")
def test_a_link_to_another_host_is_not_followed(shop):
    connector = connect(shop)
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "GET", "path": shop.service}, kind="foreign_next", times=1)
    with pytest.raises(ProtocolError, match="next link"):
        read(connector)


@pytest.mark.fault("R14")
def test_an_answer_cut_short_is_transient(shop):
    connector = connect(shop, attempts=1)
    connector.describe("B2BUnit")
    shop.tell("faults", match={"method": "GET", "path": shop.service}, kind="cut", bytes=200, times=1)
    with pytest.raises(TransientError):
        read(connector)


def test_a_shop_that_wants_basic_gets_no_token_request(shop):
    before = shop.ask("stats")["requests"].get("POST token 200", 0)
    health = connect(shop, login="basic").check()
    assert not health.ok
    assert "401 credentials refused" in health.message
    assert shop.ask("stats")["requests"].get("POST token 200", 0) == before


def test_the_token_url_of_the_connection_wins(shop):
    system = System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET), token_url=f"{shop.url}/elsewhere"))
    assert "elsewhere" in CommerceConnector(system, CommerceSettings()).check().message


class OtherSettings(BaseModel):
    pass


def test_settings_are_checked():
    with pytest.raises(ValidationError, match="less than or equal to 200"):
        CommerceSettings(batch_size=201)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CommerceSettings(batchsize=1)
    with pytest.raises(ConfigError, match="settings of another kind"):
        CommerceConnector(System("shop", Connection("http://127.0.0.1:1")), OtherSettings())
