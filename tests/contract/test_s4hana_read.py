"""The S/4HANA connector reading the simulated system, in both profiles."""

import json
import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Connection, Partitions, System
from l2c.errors import AuthError, ConfigError, ProtocolError, TransientError

PARTNER = "A_BusinessPartner"
ADDRESS = "A_BusinessPartnerAddress"
FIELDS = (
    "BusinessPartner",
    "Customer",
    "BusinessPartnerCategory",
    "OrganizationBPName1",
    "BusinessPartnerIsBlocked",
    "to_BusinessPartnerRole",
    "to_BusinessPartnerRole.BusinessPartnerRole",
    "to_BusinessPartnerAddress.AddressID",
    "to_BusinessPartnerAddress.ValidityStartDate",
    "to_BusinessPartnerAddress.CityName",
    "to_BusinessPartnerAddress.to_EmailAddress.EmailAddress",
    "to_BusinessPartnerTax.BPTaxNumber",
    "to_Customer.CustomerName",
    "to_Customer.to_CustomerSalesArea.SalesOrganization",
    "YY1_Segment_bus",
)


@pytest.fixture(params=["cloud", "onpremise"])
def profile(request):
    return request.param


one_profile = pytest.mark.parametrize("profile", ["cloud"], indirect=True)
"""For what does not depend on the profile."""


@pytest.fixture
def sandbox(start_sandbox, profile):
    return start_sandbox("s4hana", partners=57, profile=profile)


@pytest.fixture
def connector_for(sandbox, profile):
    made = []

    def build(*, user="HUB_USER", secret="sandbox-s4-secret", url=None, **settings):
        system = System("erp", Connection(url or sandbox.url, user, SecretStr(secret)), profile=profile)
        made.append(S4HanaConnector(system, Settings(**{"client": "100", "deadline_s": 5, **settings})))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def connector(connector_for):
    return connector_for()


def records(connector, entity=PARTNER, since=None, size=10, fields=FIELDS, **options):
    pages = connector.read(entity, since=since, page_size=size, fields=fields, **options)
    return [record for page in pages for record in page.records]


def last_cursor(connector, since=None, entity=PARTNER):
    return [page.cursor for page in connector.read(entity, since=since, page_size=100)][-1]


def stored(sandbox, entity=PARTNER):
    return [row["key"] for row in sandbox.control("GET", f"/records?entity={entity}&limit=10000")]


@pytest.mark.parametrize("size", [1, 10, 57, 1000])
def test_a_first_load_reads_every_partner_once_in_key_order(connector, sandbox, size):
    assert [record.key for record in records(connector, size=size)] == stored(sandbox)


def test_records_are_plain_values(connector):
    found = {record.key: record for record in records(connector)}
    record = next(r for r in found.values() if r.data["to_Customer"] and r.data["to_BusinessPartnerAddress"])
    text = json.dumps(record.data)
    for wrapper in ("results", "__metadata", "__deferred", "/Date("):
        assert wrapper not in text
    address = record.data["to_BusinessPartnerAddress"][0]
    assert datetime.fromisoformat(address["ValidityStartDate"]).tzinfo is not None
    assert address["ValidityStartDate"].endswith("Z")
    assert isinstance(address["to_EmailAddress"], list)
    assert record.data["to_BusinessPartnerRole"][0].keys() == {"BusinessPartnerRole"}
    assert record.data["to_Customer"]["to_CustomerSalesArea"][0].keys() == {"SalesOrganization"}
    assert record.etag.startswith('W/"')
    assert record.changed_at.tzinfo is UTC


def test_without_fields_a_partner_is_read_flat(connector):
    record = records(connector, fields=())[0]
    assert not [name for name in record.data if name.startswith("to_")]
    assert {"LastChangeDate", "CreationDate", "BusinessPartnerUUID"} <= record.data.keys()


@one_profile
def test_describe_knows_every_field_that_is_read(connector):
    def paths(data, prefix=""):
        for name, value in data.items():
            yield prefix + name
            for element in value if isinstance(value, list) else [value]:
                if isinstance(element, dict):
                    yield from paths(element, f"{prefix}{name}.")

    for entity, fields in ((PARTNER, FIELDS), (PARTNER, ()), (ADDRESS, ()), ("A_CustomerSalesArea", ())):
        known = connector.describe(entity).fields.keys()
        assert {path for record in records(connector, entity, fields=fields) for path in paths(record.data)} <= known


def test_describe_tells_lengths_flags_and_lists(connector):
    schema = connector.describe(PARTNER)
    assert (schema.key, schema.delta, schema.safe_by, schema.batch) == ("BusinessPartner", "stamp", "lookup", 100)
    assert schema.fields["OrganizationBPName1"].length == 40
    assert not schema.fields["Customer"].creatable
    assert schema.fields["to_BusinessPartnerAddress"].many
    assert not schema.fields["to_Customer"].many
    assert schema.fields["to_BusinessPartnerAddress.to_EmailAddress.EmailAddress"].length == 241
    assert connector.describe(ADDRESS).parent == "BusinessPartner"
    assert connector.describe("A_CustomerSalesArea").key == "Customer/SalesOrganization/DistributionChannel/Division"


def test_resuming_from_any_pages_cursor_loses_nothing(connector, sandbox):
    cursors = [page.cursor for page in connector.read(PARTNER, since=None, page_size=10)]
    everything = stored(sandbox)
    for number, cursor in enumerate(cursors[:-1], start=1):
        resumed = [record.key for record in records(connector, since=cursor)]
        assert everything[: number * 10] + resumed == everything
    for key in everything[::2]:
        sandbox.control("POST", "/change", {"entity": PARTNER, "key": key, "set": {"SearchTerm1": "NEW"}})
    changed = set(everything[::2])
    pages = [
        (page.cursor, {record.key for record in page.records})
        for page in connector.read(PARTNER, since=cursors[-1], page_size=4)
    ]
    seen = set()
    for cursor, keys in pages:
        seen |= keys
        assert changed <= seen | {record.key for record in records(connector, since=cursor, size=4)}


@pytest.mark.fault("R1", "W2")
def test_what_changes_during_the_first_load_comes_with_the_delta(connector, sandbox):
    first = stored(sandbox)[0]
    cursor = None
    for number, page in enumerate(connector.read(PARTNER, since=None, page_size=10)):
        list(page.records)
        if number == 2:
            change = {"entity": PARTNER, "key": first, "set": {"OrganizationBPName1": "Behind the reader"}}
            sandbox.control("POST", "/change", change)
        cursor = page.cursor
    changed = {record.key: record.data["OrganizationBPName1"] for record in records(connector, since=cursor)}
    assert changed[first] == "Behind the reader"


def test_a_second_run_with_nothing_new_is_one_request(connector, sandbox):
    cursor = last_cursor(connector)
    sandbox.control("DELETE", "/stats")
    assert records(connector, since=cursor) == []
    assert sandbox.control("GET", "/stats")["requests"] == {"GET A_BusinessPartner 200": 1}


@pytest.mark.fault("R2")
def test_server_caps_of_every_kind_lose_nothing(connector, sandbox):
    for size, asked in ((7, 100), (7, 10), (1, 3), (0, 100)):
        for kind in ("key", "offset"):
            sandbox.control("POST", "/settings", {"page_size": size, "skiptoken": kind})
            assert [record.key for record in records(connector, size=asked)] == stored(sandbox), (size, asked, kind)


def test_a_changed_address_does_not_move_its_partner_but_shows_in_the_flat_set(connector, sandbox):
    cursor = last_cursor(connector)
    key = stored(sandbox, ADDRESS)[0]
    before = {record.key: record.data for record in records(connector, ADDRESS, fields=("CityName",))}
    sandbox.control("POST", "/change", {"entity": ADDRESS, "key": key, "set": {"CityName": "Elsewhere"}})
    assert records(connector, since=cursor) == []
    after = {record.key: record.data for record in records(connector, ADDRESS, fields=("CityName",))}
    assert [name for name, data in after.items() if data != before[name]] == [key]
    assert after[key]["BusinessPartner"] == key.partition("/")[0]


@pytest.mark.parametrize(
    "entity",
    [
        ADDRESS,
        "A_BusinessPartnerRole",
        "A_BusinessPartnerTaxNumber",
        "A_AddressEmailAddress",
        "A_AddressPhoneNumber",
        "A_AddressFaxNumber",
        "A_Customer",
        "A_CustomerSalesArea",
    ],
)
def test_a_child_set_is_read_whole_and_names_the_partner(connector, sandbox, entity):
    found = records(connector, entity, size=20, fields=())
    assert sorted(record.key for record in found) == sorted(stored(sandbox, entity))
    partners = set(stored(sandbox))
    assert {record.data[connector.describe(entity).parent] for record in found} <= partners
    assert records(connector, entity, since=last_cursor(connector, entity=entity), fields=()) == found


def test_partitions_cover_every_partner_once_and_share_their_cursor(connector, sandbox):
    assert isinstance(connector, Partitions)
    for n in (1, 2, 4, 100):
        parts = connector.partitions(PARTNER, n)
        keys = [[record.key for record in records(connector, partition=part)] for part in parts]
        assert sorted(key for part in keys for key in part) == sorted(stored(sandbox))
        assert n == 1 or max(map(len, keys)) <= 57 // n + 2
    first, second = connector.partitions(PARTNER, 2)
    ends = {
        list(connector.read(PARTNER, since=None, partition=part, page_size=9))[-1].cursor for part in (first, second)
    }
    assert len(ends) == 1


@pytest.mark.fault("R9")
def test_fetch_finds_what_is_there_and_tells_what_is_gone(connector, sandbox):
    keys = stored(sandbox)
    asked = [keys[0], keys[1].zfill(10), "9999999999", "NOT'HERE", keys[0]]
    found = list(connector.fetch(PARTNER, asked, fields=FIELDS))
    assert sorted(record.key for record in found if not record.deleted) == sorted(keys[:2])
    assert sorted(record.key for record in found if record.deleted) == ["9999999999", "NOT'HERE"]
    sandbox.control("POST", "/delete", {"entity": PARTNER, "key": keys[0]})
    assert [record.deleted for record in connector.fetch(PARTNER, [keys[0]])] == [True]


@one_profile
def test_fetch_of_a_child_goes_by_its_whole_key(connector, sandbox):
    keys = stored(sandbox, ADDRESS)[:3]
    found = list(connector.fetch(ADDRESS, [*keys, "1/1"]))
    assert sorted(record.key for record in found if not record.deleted) == sorted(keys)
    assert [record.key for record in found if record.deleted] == ["1/1"]


@pytest.mark.fault("R18")
def test_long_key_lists_are_cut_to_short_addresses(connector_for, sandbox):
    sandbox.control("POST", "/settings", {"max_url": 2000})
    connector = connector_for(max_url=1900)
    keys = [*stored(sandbox), *(f"{number}" for number in range(500))]
    found = list(connector.fetch(PARTNER, keys, fields=["OrganizationBPName1"]))
    assert len(found) == len(keys)
    assert sum(record.deleted for record in found) == 500


@one_profile
def test_bank_data_are_never_asked_for(connector, sandbox):
    assert not [path for path in connector.describe(PARTNER).fields if "to_BusinessPartnerBank" in path]
    for call in (
        lambda: connector.read(PARTNER, since=None, page_size=5, fields=["to_BusinessPartnerBank.IBAN"]),
        lambda: connector.read("A_BusinessPartnerBank", since=None, page_size=5),
        lambda: connector.describe("A_BusinessPartnerBank"),
        lambda: list(connector.fetch(PARTNER, ["1"], fields=["to_BusinessPartnerBank"])),
    ):
        with pytest.raises(ConfigError, match="is never read: bank and card data"):
            call()
    records(connector)
    assert not [name for name in sandbox.control("GET", "/stats")["requests"] if "Bank" in name]


def test_an_unknown_entity_names_the_near_miss(connector):
    for call in (
        connector.describe,
        lambda name: connector.read(name, since=None, page_size=1),
        lambda name: connector.fetch(name, ["1"]),
        lambda name: connector.prepare(name, []),
        lambda name: connector.find(name, ["1"]),
        lambda name: connector.partitions(name, 1),
    ):
        with pytest.raises(ConfigError, match=r"unknown entity 'A_BusinesPartner'; did you mean 'A_BusinessPartner'\?"):
            call("A_BusinesPartner")


@one_profile
@pytest.mark.parametrize("text", ["yesterday", "{", '{"u": 5}', "[]", ""])
def test_a_cursor_that_is_none_is_a_config_error(connector, text):
    with pytest.raises(ConfigError, match="is neither a cursor nor a moment"):
        connector.read(PARTNER, since=text, page_size=5)


@pytest.mark.fault("W5")
@one_profile
def test_check_measures_the_clock_and_the_way(connector, sandbox):
    health = connector.check()
    assert health.ok
    assert abs(health.clock_skew_s) < 2
    assert health.latency_ms > 0
    sandbox.control("POST", "/clock", {"offset_s": 600})
    assert abs(connector.check().clock_skew_s - 600) < 2


def test_check_never_raises(connector_for, sandbox):
    refused = connector_for(secret="wrong-one").check()
    assert (refused.ok, "401" in refused.message, "wrong-one" in refused.message) == (False, True, False)
    sandbox.control("POST", "/faults", {"kind": "html_login"})
    assert "HTML page titled 'Anmeldung': sign-in failed" in connector_for().check().message
    sandbox.stop()
    assert "connection refused" in connector_for().check().message


def arm(sandbox, kind, **options):
    sandbox.control("POST", "/faults", {"kind": kind, "match": {"path": "A_BusinessPartner"}, "times": None, **options})


@pytest.mark.fault("R5", "R12", "R14")
@one_profile
@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("status", {"status": 503, "headers": {"Retry-After": "77"}}, TransientError, "503"),
        ("status", {"status": 429, "headers": {"Retry-After": "77"}}, TransientError, "429"),
        ("status", {"status": 500}, TransientError, "500"),
        ("status", {"status": 403}, AuthError, "403 not allowed"),
        ("before_commit", {}, TransientError, "without an answer"),
        ("html_login", {}, AuthError, "expected JSON, got an HTML page titled 'Anmeldung'"),
        ("cut", {"bytes": 300}, TransientError, "ends before its JSON does|cut short"),
        ("cut", {"bytes": 300, "length": True}, TransientError, "cut short"),
        ("foreign_next", {}, ProtocolError, "the next link points to 'http://foreign.invalid'.*not followed"),
        ("gzip_bomb", {"bytes": 100_000_000}, ProtocolError, "larger than"),
    ],
)
def test_a_broken_system_is_one_clear_error_and_the_next_run_repairs(connector, sandbox, kind, options, error, words):
    arm(sandbox, kind, **options)
    with pytest.raises(error, match=words) as caught:
        records(connector)
    assert "sandbox-s4-secret" not in str(caught.value)
    assert (
        not isinstance(caught.value, TransientError) or options.get("headers") is None or caught.value.retry_after == 77
    )
    sandbox.control("DELETE", "/faults")
    assert [record.key for record in records(connector)] == stored(sandbox)


@one_profile
def test_a_dripping_system_ends_at_the_deadline(connector_for, sandbox):
    connector = connector_for(deadline_s=0.4)
    arm(sandbox, "drip", bytes=5, seconds=0.05)
    started = time.monotonic()
    with pytest.raises(TransientError, match="in time"):
        records(connector)
    assert time.monotonic() - started < 6


def test_one_bad_moment_is_not_noticed(connector, sandbox):
    sandbox.control("POST", "/faults", {"kind": "status", "status": 503, "times": 2})
    assert [record.key for record in records(connector)] == stored(sandbox)


@pytest.mark.fault("R3")
@one_profile
def test_a_page_the_system_repeats_ends_the_read(connector, sandbox):
    arm(sandbox, "repeat_page", times=1)
    with pytest.raises(ProtocolError, match="the source repeats a page"):
        records(connector)


@pytest.mark.fault("R7")
def test_a_nested_list_the_system_cut_is_an_error(connector, sandbox):
    sandbox.control("POST", "/settings", {"expand_page_size": 1})
    with pytest.raises(ProtocolError, match="cut the nested list"):
        records(connector)
