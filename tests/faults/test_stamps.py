"""Change stamps that lie: clocks set back, stamps of the future, sources without a clock, changes that show late."""

import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.commerce import CommerceConnector, CommerceSettings
from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Connection, Connector, System
from l2c.state.results import RunSummary
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import Sandbox, started
from tests.faults.test_brakes import PARTNER, Desk, desk
from tests.integration.world import FLOW, SOURCE

__all__ = ["desk"]
HOUR = 3600


class Source:
    """A simulated system whose clock can be moved, and one native entity of it."""

    def __init__(self, sandbox: Sandbox, entity: str, field: str) -> None:
        self.sandbox, self.entity, self.field = sandbox, entity, field
        self.count, self.day, self.text = 0, 0, ""

    def at(self, offset_s: float) -> None:
        self.sandbox.tell("clock", offset_s=self.day * 24 * HOUR + offset_s)

    def change(self, key: str) -> None:
        self.count += 1
        self.text = f"Day {self.day} {self.count}"  # a change that changes nothing moves no stamp
        self.sandbox.tell("change", entity=self.entity, key=key, set={self.field: self.text})

    def connector(self, *, hub_ahead: timedelta = timedelta(), **settings: int) -> Connector:
        def clock() -> datetime:
            return datetime.now(UTC) + hub_ahead

        if self.entity == PARTNER:
            connection = Connection(self.sandbox.url, "HUB_USER", SecretStr("sandbox-s4-secret"))
            return S4HanaConnector(System("source", connection, clock=clock), Settings(client="100", **settings))
        connection = Connection(self.sandbox.url, CLIENT, SecretStr(SECRET))
        return CommerceConnector(System("source", connection, clock=clock), CommerceSettings(**settings))

    def read(self, connector: Connector, since: str | None, size: int = 100) -> tuple[list[str], str | None]:
        """Keys in the order they came, and the cursor behind them."""
        keys: list[str] = []
        for page in connector.read(self.entity, since=since, page_size=size, fields=(self.field,)):
            keys += [record.key for record in page.records]
            since = page.cursor or since
        return keys, since

    def settled(self, connector: Connector, day: int) -> str | None:
        """A cursor behind everything, the overlap included; the source's clock is at three hours of a day from then on."""
        self.day = day
        self.at(0)
        _, cursor = self.read(connector, None)
        for hours in (1, 2, 3):
            self.at(hours * HOUR)
            keys, cursor = self.read(connector, cursor)
        assert keys == []
        return cursor


@pytest.fixture(scope="module")
def s4hana() -> Iterator[Sandbox]:
    with started("s4hana", "--partners", "20", service="API_BUSINESS_PARTNER") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def commerce() -> Iterator[Sandbox]:
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as sandbox:
        for number in range(1, 9):
            sandbox.tell("create", entity="B2BUnit", set={"uid": f"U{number}", "name": f"unit {number}"})
        yield sandbox


@pytest.fixture(params=["s4hana", "commerce"])
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    sandbox: Sandbox = request.getfixturevalue(request.param)
    entity, field = {"s4hana": (PARTNER, "SearchTerm1"), "commerce": ("B2BUnit", "name")}[request.param]
    yield Source(sandbox, entity, field)
    sandbox.disarm()
    sandbox.tell("clock", offset_s=0)


def keys_of(source: Source) -> list[str]:
    return list(source.sandbox.records(source.entity))[:6]


@pytest.mark.fault("W5")
def test_what_changes_long_before_the_first_read_after_a_clock_was_set_back_is_found(source: Source):
    connector, (key, other, *_) = source.connector(), keys_of(source)
    cursor = source.settled(connector, day=1)
    source.at(2 * HOUR)
    source.change(key)
    source.at(2 * HOUR + 50 * 60)
    found, cursor = source.read(connector, cursor)
    assert key in found
    source.at(2 * HOUR + 55 * 60)
    source.change(other)
    source.at(3 * HOUR + 60)
    assert other in source.read(connector, cursor)[0]


@pytest.mark.fault("W6")
def test_a_stamp_of_the_future_is_told_with_its_key_and_hides_nothing(source: Source, caplog: pytest.LogCaptureFixture):
    connector, (key, other, *_) = source.connector(), keys_of(source)
    cursor = source.settled(connector, day=2)
    source.at(400 * 24 * HOUR)
    source.change(key)
    source.at(3 * HOUR + 600)
    with caplog.at_level(logging.WARNING):
        found, cursor = source.read(connector, cursor)
    assert key in found
    [told] = [record.getMessage() for record in caplog.records if "ahead of the system's clock" in record.getMessage()]
    assert told.startswith("source: ")
    assert f"'{key}'" in told
    source.at(3 * HOUR + 1200)
    source.change(other)
    assert other in source.read(connector, cursor)[0]
    source.change(key)  # its stamp is as it should be again
    source.at(5 * HOUR)
    _, cursor = source.read(connector, cursor)
    caplog.clear()
    source.read(connector, cursor)
    assert caplog.records == []


@pytest.mark.fault("W5")
@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(minutes=-10)])
def test_the_hubs_own_clock_is_no_bound_even_where_the_source_tells_none(source: Source, ahead: timedelta):
    connector, (key, *_) = source.connector(hub_ahead=ahead), keys_of(source)
    source.sandbox.tell("faults", match={"method": "GET"}, kind="headers", headers={"Date": ""}, times=None)
    _, cursor = source.read(connector, None)
    source.change(key)
    assert key in source.read(connector, cursor)[0]


@pytest.mark.fault("W2")
def test_a_read_of_a_system_that_never_rests_ends_and_the_next_one_goes_on(commerce: Sandbox):
    source = Source(commerce, "B2BUnit", "name")
    connector, keys = source.connector(), keys_of(source)
    cursor, pages = source.settled(connector, day=3), 0
    for key in keys:
        source.change(key)
    for page in connector.read("B2BUnit", since=cursor, page_size=2, fields=("name",)):
        assert list(page.records)
        cursor, pages = page.cursor, pages + 1
        source.at(3 * HOUR + pages * 120)
        for key in keys[:4]:  # they move on behind the reader
            source.change(key)
        assert pages < 20, "the read does not end"
    late = keys[0]
    source.change(late)
    found = {
        record.key: record.data["name"]
        for page in connector.read("B2BUnit", since=cursor, page_size=100, fields=("name",))
        for record in page.records
    }
    assert found[late] == source.text
    assert set(keys[:4]) <= set(found)


@pytest.mark.fault("R4")
def test_more_units_of_one_stamp_than_a_page_holds_are_read_once_each(commerce: Sandbox):
    source = Source(commerce, "B2BUnit", "name")
    commerce.tell("settings", page_max=2)
    try:
        keys, _ = source.read(source.connector(), None, size=2)
    finally:
        commerce.tell("settings", page_max=1000)
    assert sorted(keys) == sorted(commerce.records("B2BUnit"))


# through the whole hub


def name_in_the_shop(desk: Desk, number: str) -> str:
    desk.distribute()
    [found] = [row for _, row in desk.world.shop.records("B2BUnit") if row["l2cPartnerNumber"] == number]
    return str(found["name"])


@pytest.mark.fault("W3")
def test_a_change_that_shows_long_after_its_stamp_is_found_by_the_sweep(desk: Desk):
    number = desk.load()[0]
    control = desk.world.s4
    for hours in (48, 72):
        control.tell("clock", offset_s=hours * HOUR)
        desk.capture()
    control.tell("clock", offset_s=-HOUR)  # a transaction that began before the first load, visible only now
    control.change(PARTNER, number, OrganizationBPName1="Spät GmbH", OrganizationBPName2="")
    control.tell("clock", offset_s=73 * HOUR)
    assert desk.capture().counts.get("journaled", 0) == 0, "no overlap reaches back so far"
    assert desk.capture(kind="sweep").counts["journaled"] == 1
    assert name_in_the_shop(desk, number) == "Spät GmbH"


@pytest.mark.fault("R8", "W1")
def test_a_sweep_never_undoes_a_delta_that_was_quicker(desk: Desk):
    """The sweep has read the page before the change; the delta settles the change before the sweep comes to it."""
    desk.load()
    desk.rule(capture={SOURCE: {"schedule": "*/15 * * * *", "page_size": 10}})
    numbers = [key for key, _ in desk.world.s4.records(PARTNER)]
    last = next(number for number in reversed(numbers[:20]) if number in desk.numbers())
    desk.world.s4.fault("delay", method="GET", path="A_BusinessPartner\\?", seconds=0.2, times=None)
    runs: list[RunSummary] = []

    def meanwhile(counts: Mapping[str, int]) -> None:
        if counts.get("read") != 10 or runs:
            return
        threading.Event().wait(1.0)  # the next page is read ahead, with the old name
        desk.world.s4.heal()
        desk.world.s4.change(PARTNER, last, OrganizationBPName1="Neu GmbH", OrganizationBPName2="")
        runs.append(desk.capture())

    with desk.hub() as hub:
        swept = hub.capture(FLOW, SOURCE, kind="sweep", progress=meanwhile)
    assert runs[0].counts["journaled"] == 1
    assert swept.sums_met
    assert swept.counts["to_fetch_again"] >= 1
    assert name_in_the_shop(desk, last) == "Neu GmbH"
