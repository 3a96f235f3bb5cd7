"""A create whose answer is lost, whose commit comes late or whose worker dies is done once: by S/4HANA's own records."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.s4hana.connector import S4HanaConnector
from l2c.contract import Outcome, Status
from l2c.distribute.settling import BlockSettlement
from l2c.errors import TransientError
from l2c.hub import Hub
from l2c.state import intents
from l2c.state.results import RunSummary
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

pytestmark = pytest.mark.slow

QUIET_S = 600.0  # max_processing_s of an S/4HANA that says nothing else
MARK = "BusinessPartnerIDByExtSystem"
COMPANY = {
    "kind": "company",
    "name": "Orgelbau Seifert KG",
    "vatID": "DE811234567",
    "address": {"streetname": "Pfeifenweg", "postalcode": "89073", "town": "Ulm", "country": "DE"},
}
CREATES = {"method": "POST", "path": "A_BusinessPartner([?]|$)"}


class Crash(BaseException):
    """A worker ends without a word."""


@dataclass
class Story:
    """Both systems in step, then one company registers."""

    world: World
    clock: Clock = field(default_factory=lambda: Clock(datetime.now(UTC)))
    before: set[str] = field(default_factory=set)
    uid: str = ""

    def begin(self) -> None:
        for _ in range(2):
            self.capture(SOURCE, TARGET)
            self.distribute(TARGET)
            self.distribute(SOURCE)
        self.before = set(dict(self.world.s4.records("A_BusinessPartner")))
        told = self.world.shop.tell("register", **COMPANY)
        self.uid = told["uid"]
        self.capture(TARGET)

    def capture(self, *systems: str) -> None:
        with self.world.hub(clock=self.clock) as hub:
            for system in systems:
                hub.capture(FLOW, system)

    def distribute(self, system: str = SOURCE) -> RunSummary:
        with self.world.hub(clock=self.clock) as hub:
            return hub.distribute(FLOW, system)

    def ask(self, question: Callable[[Hub], Any]) -> Any:
        with self.world.hub(clock=self.clock) as hub:
            return question(hub)

    def state(self) -> str:
        """The state of the company towards S/4HANA."""
        cells = self.ask(lambda hub: hub.status(FLOW))
        [cell] = [one for one in cells if (one.system, one.kind) == (SOURCE, "distribute")]
        names = ("waiting", "retrying", "in_doubt", "dead_letters")
        return next((name for name in names if getattr(cell, name)), "settled")

    def partners(self) -> list[str]:
        """The partners that came since."""
        return sorted(set(dict(self.world.s4.records("A_BusinessPartner"))) - self.before)

    def units(self, number: str) -> list[str]:
        return [key for key, row in self.world.shop.records("B2BUnit") if row["l2cPartnerNumber"] == number]

    def record_of(self, key: str) -> int:
        """The hub's number of the record that has this key."""
        [found] = {row.record for row in self.ask(lambda hub: hub.keys(FLOW, key=key))}
        return int(found)

    def intents(self) -> list[intents.Intent]:
        def read(hub: Hub) -> list[intents.Intent]:
            with hub._store.reading() as conn:
                return intents.intents_of(conn, FLOW, SOURCE)

        found: list[intents.Intent] = self.ask(read)
        return found

    def rest(self, *, rounds: int = 4) -> None:
        """Rounds until both agree; minutes lie between them."""
        for _ in range(rounds):
            self.clock.forward(minutes=2)
            self.capture(SOURCE, TARGET)
            self.distribute(SOURCE)
            self.distribute(TARGET)

    def is_one(self) -> None:
        """The company is one partner, which one unit knows, and nothing is left open."""
        self.rest()
        [number] = self.partners()
        assert self.units(number) == [self.uid]
        assert self.state() == "settled"
        assert self.intents() == []
        assert [letter.message for letter in self.ask(lambda hub: hub.dead_letters(FLOW))] == []
        found = self.ask(lambda hub: hub.reconcile(FLOW))
        assert found.ok, found.findings


@pytest.fixture
def story(start_world: StartWorld, sqlite_url: str) -> Story:
    told = Story(start_world(sqlite_url, partners=8, two_way=True))
    told.begin()
    return told


def lose_answer(story: Story) -> None:
    """The company is created, the hub does not hear of it."""
    story.world.s4.fault("after_commit", **CREATES)
    assert story.distribute().counts["in_doubt"] == 1


@pytest.mark.fault("T1")
def test_a_lost_answer_is_looked_up_after_the_quiet_period_and_the_partner_adopted(story: Story):
    lose_answer(story)
    [number] = story.partners()
    story.clock.forward(seconds=QUIET_S - 60)
    assert story.distribute().status == "nothing", "nobody looks before the quiet period is over"
    story.clock.forward(seconds=61)
    story.distribute()
    assert story.partners() == [number]
    story.is_one()


@pytest.mark.fault("T1")
def test_a_create_that_never_arrived_is_sent_again_after_the_quiet_period(story: Story):
    story.world.s4.fault("before_commit", **CREATES)
    assert story.distribute().counts["in_doubt"] == 1
    assert story.partners() == []
    story.clock.forward(seconds=QUIET_S + 1)
    assert story.distribute().counts["written"] == 1
    story.is_one()


@pytest.mark.fault("T2")
def test_a_late_commit_within_the_quiet_period_is_adopted(story: Story):
    story.world.s4.fault("late_commit", seconds=0.5, **CREATES)
    assert story.distribute().counts["in_doubt"] == 1
    assert story.partners() == []
    while story.world.s4.ask("stats")["late_pending"]:
        time.sleep(0.05)
    assert len(story.partners()) == 1
    story.clock.forward(seconds=QUIET_S + 1)
    story.distribute()
    story.is_one()


def test_a_partner_read_before_its_create_is_settled_is_known_by_its_mark(story: Story):
    lose_answer(story)
    story.capture(SOURCE)
    [number] = story.partners()
    assert story.record_of(number) == story.record_of(story.uid)
    story.clock.forward(seconds=QUIET_S + 1)
    story.distribute()
    story.is_one()


@pytest.mark.fault("C2")
def test_a_worker_that_dies_between_intent_and_send_leaves_a_create_that_is_done_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
):
    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(S4HanaConnector, "send", dies)
        with pytest.raises(Crash):
            story.distribute()
    assert [one.state for one in story.intents()] == ["open"]
    assert story.distribute().counts["in_doubt"] == 1
    assert story.partners() == []
    story.clock.forward(seconds=QUIET_S + 1)
    assert story.distribute().counts["written"] == 1
    story.is_one()


@pytest.mark.fault("C2", "T17")
def test_a_worker_that_dies_between_send_and_settling_leaves_a_create_that_is_adopted(
    story: Story, monkeypatch: pytest.MonkeyPatch
):
    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(BlockSettlement, "settle", dies)
        with pytest.raises(Crash):
            story.distribute()
    [number] = story.partners()
    assert story.distribute().counts["in_doubt"] == 1
    story.clock.forward(seconds=QUIET_S + 1)
    story.distribute()
    assert story.partners() == [number]
    story.is_one()


def test_two_hits_are_an_alarm_that_no_redrive_turns_into_a_third_partner(story: Story):
    lose_answer(story)
    [number] = story.partners()
    twin = story.world.s4.create("A_BusinessPartner", twin_of(story, number))
    story.clock.forward(seconds=QUIET_S + 1)
    story.capture(SOURCE)
    story.distribute(TARGET)
    story.distribute()
    [letter] = story.ask(lambda hub: hub.dead_letters(FLOW, SOURCE))
    assert letter.code == "two_hits"
    assert number in letter.message
    assert twin in letter.message
    assert story.units(number) == story.units(twin) == [], "which of them it is, nobody knows yet"
    assert story.ask(lambda hub: hub.redrive(FLOW, SOURCE)) == 1
    story.capture(TARGET)
    story.distribute()
    assert story.partners() == sorted((number, twin))
    assert [one.code for one in story.ask(lambda hub: hub.dead_letters(FLOW, SOURCE))] == ["two_hits"]
    story.world.s4.change("A_BusinessPartner", twin, **{MARK: "", "IsMarkedForArchiving": True})
    story.ask(lambda hub: hub.redrive(FLOW, SOURCE))
    story.capture(TARGET)
    story.rest()
    assert story.units(number) == [story.uid]
    assert story.ask(lambda hub: hub.dead_letters(FLOW, SOURCE)) == []


def test_somebody_says_which_of_two_hits_it_is(story: Story):
    lose_answer(story)
    [number] = story.partners()
    twin = story.world.s4.create("A_BusinessPartner", twin_of(story, number))
    story.clock.forward(seconds=QUIET_S + 1)
    story.capture(SOURCE)
    story.distribute()
    found = story.ask(lambda hub: hub.matches(FLOW, SOURCE))
    assert {one.key for one in found} == {number, twin}
    story.ask(lambda hub: hub.accept_match(FLOW, SOURCE, number, story.uid))
    story.ask(lambda hub: hub.reject_match(FLOW, SOURCE, twin))
    story.ask(lambda hub: hub.redrive(FLOW, SOURCE))
    story.rest()
    assert story.partners() == sorted((number, twin))
    assert story.units(number) == [story.uid]
    assert story.intents() == []
    assert story.ask(lambda hub: hub.dead_letters(FLOW)) == []
    assert story.ask(lambda hub: hub.matches(FLOW, SOURCE)) == []


def twin_of(story: Story, number: str) -> dict[str, Any]:
    row = story.world.s4.record("A_BusinessPartner", number) or {}
    return {name: row[name] for name in ("BusinessPartnerCategory", "OrganizationBPName1", MARK)}


def test_a_record_that_is_refused_while_its_create_is_in_doubt_is_not_created_twice(story: Story):
    lose_answer(story)
    place = {"owner": story.uid, "publicKey": "a key longer than twenty characters", "duplicate": False}
    address = story.world.shop.create("Address", {**place, "town": "Ulm", "country": "DE"})
    story.clock.forward(minutes=2)
    story.capture(TARGET)
    story.distribute()
    story.clock.forward(seconds=QUIET_S)
    story.distribute()
    story.world.shop.delete("Address", address)
    story.clock.forward(minutes=2)
    story.capture(TARGET)
    story.distribute()
    assert len(story.partners()) == 1
    story.is_one()


def test_a_unit_that_is_deleted_while_its_create_is_in_doubt_leaves_no_stranger(story: Story):
    lose_answer(story)
    [number] = story.partners()
    story.world.shop.delete("B2BUnit", story.uid)
    story.clock.forward(minutes=2)
    story.ask(lambda hub: hub.capture(FLOW, TARGET, kind="sweep"))
    story.distribute()
    story.clock.forward(seconds=QUIET_S)
    story.distribute()
    story.capture(SOURCE)
    assert story.record_of(number) == story.record_of(story.uid)
    story.rest()
    assert story.partners() == [number]
    assert len(story.units(number)) <= 1


@pytest.mark.parametrize("ends", ["answer lost", "worker dies"])
def test_the_quiet_period_begins_when_the_hub_stops_waiting(story: Story, monkeypatch: pytest.MonkeyPatch, ends: str):
    """A request that was long under way may be at work for the whole processing time after its end."""

    def slow(connector: S4HanaConnector, prepared: Any) -> list[Outcome]:
        story.clock.forward(seconds=400)
        if ends == "worker dies":
            raise Crash
        return [Outcome(Status.UNKNOWN, message="no answer in time") for _ in prepared]

    with monkeypatch.context() as patch:
        patch.setattr(S4HanaConnector, "send", slow)
        if ends == "worker dies":
            with pytest.raises(Crash):
                story.distribute()
            story.distribute()  # the next run sees what is left behind
        else:
            story.distribute()
    story.clock.forward(seconds=400)
    correct_address(story)
    story.capture(TARGET)
    story.distribute()
    assert story.partners() == [], "800 seconds after the intent, 400 after the end: it may still be at work"
    story.clock.forward(seconds=QUIET_S)
    story.distribute()
    story.is_one()


def correct_address(story: Story) -> None:
    unit = story.world.shop.record("B2BUnit", story.uid) or {}
    [place] = unit["addresses"]
    story.world.shop.change("Address", f"false/{place['publicKey']}", phone1="0731 99")


def test_a_correction_while_the_create_is_in_doubt_reaches_the_adopted_partner(story: Story):
    lose_answer(story)
    correct_address(story)
    story.clock.forward(seconds=QUIET_S + 1)
    story.capture(TARGET)
    story.distribute()
    story.is_one()
    [number] = story.partners()
    places = {
        row["AddressID"]
        for _, row in story.world.s4.records("A_BusinessPartnerAddress")
        if row["BusinessPartner"] == number
    }
    phones = [
        row["PhoneNumber"] for _, row in story.world.s4.records("A_AddressPhoneNumber") if row["AddressID"] in places
    ]
    assert phones == ["0731 99"]


def test_a_send_that_fails_before_anything_went_out_leaves_no_doubt(story: Story, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object) -> None:
        raise TransientError("s4hana: connection refused; nothing was sent", system=SOURCE)

    with monkeypatch.context() as patch:
        patch.setattr(S4HanaConnector, "send", away)
        with pytest.raises(TransientError):
            story.distribute()
    assert story.intents() == []
    assert story.distribute().counts["written"] == 1
    story.is_one()
