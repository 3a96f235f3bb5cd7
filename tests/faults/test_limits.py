"""A system that is away, asks to wait, refuses its login or wants few requests is left in peace, by all processes alike."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from l2c.errors import AuthError, HubError, Postponed, TransientError
from l2c.hub import Hub
from l2c.state.gate import Rules, SystemGate
from l2c.state.results import Cell
from l2c.state.store import Store
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

DOWN = {"kind": "status", "status": 503, "times": None, "path": "^/(sap|odata2webservices|authorizationserver)"}


@dataclass
class Desk:
    """An installation whose time passes only where the hub waits or the test says so."""

    world: World
    clock: Clock = field(default_factory=lambda: Clock(datetime.now(UTC).replace(microsecond=0)))
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.forward(seconds=seconds)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        with self.world.hub(clock=self.clock, sleep=self.sleep) as hub:
            yield hub

    def capture(self) -> str:
        """A capture by a process of its own; how it ended."""
        with self.hub() as hub:
            return hub.capture(FLOW, SOURCE).status

    def cell(self, kind: str = "capture", system: str = SOURCE) -> Cell:
        with self.hub() as hub:
            [found] = [one for one in hub.status(FLOW) if (one.kind, one.system) == (kind, system)]
        return found

    def asked(self) -> int:
        """How many requests S/4HANA has seen."""
        return sum(self.world.s4.requests().values())


@pytest.fixture
def desk(start_world: StartWorld, sqlite_url: str) -> Desk:
    return Desk(start_world(sqlite_url, partners=6))


@pytest.mark.fault("T10")
def test_a_system_that_is_away_is_left_in_peace_and_tried_by_one_request(desk: Desk):
    desk.capture()
    partner = next(key for key, _ in desk.world.s4.records("A_BusinessPartner"))
    desk.world.s4.change("A_BusinessPartner", partner, SearchTerm1="KIEL")
    desk.world.s4.fault(**DOWN)
    for _ in range(4):  # each asks three times
        with pytest.raises(TransientError):
            desk.capture()
    cell = desk.cell()
    assert cell.last is not None
    assert cell.last.status == "postponed"
    assert cell.breaker.startswith("away: 10 requests in a row failed, the last since it answers 503; tried again ")
    asked = desk.asked()
    with pytest.raises(Postponed, match=r"s4hana: postponed until .* UTC: 10 requests in a row failed"):
        desk.capture()
    assert desk.asked() == asked, "nothing is sent while the breaker is open"
    until = []
    for _ in range(3):  # ten minutes and more of 503
        with desk.hub() as hub:
            [state] = [one for one in hub.systems() if one.system == SOURCE]
        assert state.until is not None
        until.append(state.until)
        desk.clock.moment = state.until
        with pytest.raises(Postponed):
            desk.capture()
    apart = [later - earlier for earlier, later in pairwise(until)]
    for found, wanted in zip(apart, (2, 4), strict=True):  # and the fractions of seconds a try takes
        assert timedelta(minutes=wanted) <= found < timedelta(minutes=wanted, seconds=5)
    desk.world.s4.heal()
    desk.clock.forward(minutes=15)
    with desk.hub() as hub:
        done = hub.capture(FLOW, SOURCE)
    assert (done.status, done.counts["journaled"]) == ("done", 1), "the mark stayed where it was"
    assert desk.cell().breaker == ""


@pytest.mark.fault("T10")
def test_the_breaker_of_the_target_counts_no_attempt_of_a_record(desk: Desk):
    desk.capture()
    desk.world.shop.fault(**DOWN)
    for _ in range(8):
        with desk.hub() as hub, pytest.raises(TransientError):
            hub.distribute(FLOW, TARGET)
        desk.clock.forward(minutes=16)
    assert desk.cell("distribute", TARGET).dead_letters == 0
    desk.world.shop.heal()
    desk.clock.forward(minutes=16)
    with desk.hub() as hub:
        assert hub.distribute(FLOW, TARGET).status == "done"
    assert len(list(desk.world.shop.records("B2BUnit"))) > 0


@pytest.mark.fault("A3")
def test_a_refused_login_stops_every_run_until_somebody_acts(desk: Desk):
    wrong = {"url": desk.world.s4.url, "user": "HUB_USER", "secret": "old-password-9"}
    good = desk.world.env["L2C_CONNECTION_S4HANA"]
    desk.world.env = {**desk.world.env, "L2C_CONNECTION_S4HANA": json.dumps(wrong)}
    for _ in range(2):
        with pytest.raises(AuthError, match="credentials refused"):
            desk.capture()
    asked = desk.asked()
    for _ in range(3):
        with pytest.raises(AuthError, match=r"stopped, so that its user is not locked; .* l2c systems reopen s4hana"):
            desk.capture()
    assert desk.asked() == asked
    assert "old-password-9" not in desk.cell().breaker
    assert desk.cell().breaker.startswith("stopped: its login was refused 2 times; correct the connection")
    assert "stopped" in desk.world.run("systems", "list", expect=1)
    desk.world.env = {**desk.world.env, "L2C_CONNECTION_S4HANA": good}
    desk.world.run("systems", "reopen", SOURCE, "--reason", "new password")
    assert desk.capture() == "done"
    assert "go out already" in desk.world.run("systems", "reopen", SOURCE)


@pytest.mark.fault("A3")
def test_a_sign_in_page_in_place_of_data_is_a_refused_login(desk: Desk):
    desk.world.s4.fault("html_login", path="^/sap", times=None)
    for _ in range(2):
        with pytest.raises(HubError):
            desk.capture()
    asked = desk.asked()
    with pytest.raises(AuthError, match="stopped, so that its user is not locked"):
        desk.capture()
    assert desk.asked() == asked


def asks(desk: Desk, value: str | None) -> None:
    """S/4HANA answers 429 once, with this Retry-After."""
    headers = {"Retry-After": value} if value is not None else {}
    desk.world.s4.fault("status", path="A_BusinessPartner[?]", status=429, headers=headers)


@pytest.mark.fault("T9")
def test_a_wait_the_system_asks_for_is_kept_in_every_form(desk: Desk):
    desk.capture()
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    for value, least, most in (("20", 20, 20), (moment, 35, 41), ("-5", 0, 0), ("300", 300, 300), (None, 0.1, 0.4)):
        desk.waits.clear()
        asks(desk, value)
        assert desk.capture() == "done"
        assert least <= sum(desk.waits) <= most, value
        desk.clock.forward(minutes=10)


@pytest.mark.fault("T9")
def test_a_longer_wait_than_a_run_has_postpones_all_runs_until_then(desk: Desk):
    asks(desk, "999999")
    with pytest.raises(Postponed, match=r"postponed until .*: it asked to wait 3600 seconds"):
        desk.capture()
    last = desk.cell().last
    assert last is not None
    assert last.status == "postponed"
    asked = desk.asked()
    desk.clock.forward(minutes=30)
    output = desk.world.run("capture", FLOW, SOURCE, expect=3)
    assert "postponed until" in output, "another process knows"
    assert desk.asked() == asked
    assert desk.waits == []
    desk.clock.forward(minutes=31)
    assert desk.capture() == "done"


@pytest.mark.fault("T9")
def test_waits_of_one_run_have_an_end(desk: Desk):
    desk.world.s4.fault("status", path="A_BusinessPartner[?]", status=429, headers={"Retry-After": "200"}, times=None)
    with pytest.raises(Postponed, match="this run has waited 200 seconds for it"):
        desk.capture()
    assert sum(desk.waits) == 200


# one rate for all


def gates(database_url: str, clock: Clock, number: int, rate: float) -> Iterator[SystemGate]:
    """Gates of as many processes, each with its own access to the state store."""

    def sleep(seconds: float) -> None:
        clock.forward(seconds=seconds)

    for _ in range(number):
        yield SystemGate(Store.open(database_url, clock=clock), "shop", Rules(rate=rate), sleep)


@pytest.mark.fault("T9")
def test_processes_share_one_rate(database_url: str, clock: Clock, store: Store):
    each = list(gates(database_url, clock, 3, rate=20))
    begun, passed = clock(), []
    for number in range(120):
        each[number % 3].enter()
        passed.append((clock() - begun).total_seconds())
    seconds = range(int(passed[-1]) + 1)
    most = max(sum(second <= moment < second + 1 for moment in passed) for second in seconds)
    assert most <= 20 + 3 * 5, "a second's worth, and what the three took ahead"
    assert passed[-1] >= 120 / 20 - 1
    with store.reading() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM gate").scalar() == 1
    for gate in each:
        gate._store.close()


def test_turns_are_taken_from_the_store_in_chunks(database_url: str, clock: Clock):
    from sqlalchemy import event

    [gate] = gates(database_url, clock, 1, rate=100)
    writes: list[str] = []
    event.listen(
        gate._store.engine,
        "before_cursor_execute",
        lambda *given: writes.append(given[2]) if given[2].startswith("UPDATE") else None,
    )
    for _ in range(200):
        gate.enter()
    assert len(writes) <= 200 / 25 + 1
    gate._store.close()


def test_a_process_that_was_slow_does_not_catch_up_with_a_burst(database_url: str, clock: Clock):
    [gate] = gates(database_url, clock, 1, rate=20)
    gate.enter()
    clock.forward(seconds=60)
    begun = clock()
    for _ in range(21):
        gate.enter()
    assert (clock() - begun).total_seconds() >= 0.9
    gate._store.close()
