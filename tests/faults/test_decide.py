"""A create whose answer is lost, in a system where nothing can be looked up: the hub stops and asks, and does what it is told."""

from dataclasses import replace

import pytest

from connectors.s4hana.connector import S4HanaConnector
from l2c.contract import EntitySchema
from l2c.errors import ConfigError
from l2c.state.results import Decision
from tests.faults.test_single_effect import CREATES, QUIET_S, Story, lose_answer
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET


@pytest.fixture
def story(start_world: StartWorld, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    """An S/4HANA whose partners cannot be searched by a mark, with a mapping that knows it."""
    describe = S4HanaConnector.describe

    def without_marks(connector: S4HanaConnector, entity: str) -> EntitySchema:
        return replace(describe(connector, entity), safe_by="none")

    monkeypatch.setattr(S4HanaConnector, "describe", without_marks)
    told = Story(start_world(sqlite_url, partners=4, two_way=True))
    write = told.world.home / "mappings/s4hana/business_partner.write.yaml"
    lines = write.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = ["on_unknown: ask\n" if line.startswith("safe_by:") else line for line in lines]
    assert kept != lines
    write.write_text("".join(kept), encoding="utf-8")
    told.begin()
    return told


def asked(story: Story) -> list[Decision]:
    found: list[Decision] = story.ask(lambda hub: hub.decisions())
    return found


def cell(story: Story):
    cells = story.ask(lambda hub: hub.status(FLOW))
    return next(one for one in cells if (one.system, one.kind) == (SOURCE, "distribute"))


@pytest.mark.fault("T3")
def test_a_lost_create_stays_in_doubt_until_somebody_says_that_it_arrived(story: Story):
    lose_answer(story)
    [number] = story.partners()
    [one] = asked(story)
    assert (one.entity, one.system, one.key, one.code) == (FLOW, SOURCE, story.uid, "ask")
    assert f"l2c decide {FLOW} {SOURCE} '#{one.record}' sent --as KEY, or not-sent" in one.message
    for _ in range(3):  # neither time nor edits nor a redrive send it again
        story.clock.forward(seconds=QUIET_S)
        unit = story.world.shop.record("B2BUnit", story.uid) or {}
        [place] = unit["addresses"]
        story.world.shop.change("Address", f"false/{place['publicKey']}", phone1=f"0731 {story.clock().minute}")
        story.capture(TARGET)
        story.distribute()
        story.ask(lambda hub: hub.redrive(FLOW))
    assert story.partners() == [number]
    assert story.state() == "in_doubt"
    assert cell(story).to_decide == 1
    assert f"l2c decide {FLOW} {SOURCE}" in cell(story).note
    story.ask(lambda hub: hub.decide(FLOW, SOURCE, story.uid, sent=True, native_key=number, reason="seen in BP"))
    assert asked(story) == []
    story.is_one()
    assert story.partners() == [number]
    written = [(entry.what, entry.detail) for entry in story.ask(lambda hub: hub.audit(limit=20).newest)]
    assert ("decide", f"#{one.record}: sent as '{number}'; seen in BP") in written


@pytest.mark.fault("T3")
def test_one_that_did_not_arrive_is_sent_again_once_somebody_says_so(story: Story):
    story.world.s4.fault("before_commit", **CREATES)
    story.distribute()
    record = asked(story)[0].record
    with pytest.raises(ConfigError, match="may be at work until"):
        story.ask(lambda hub: hub.decide(FLOW, SOURCE, story.uid, sent=False, reason="not there"))
    story.clock.forward(seconds=QUIET_S + 1)
    assert story.distribute().status == "nothing"
    story.ask(lambda hub: hub.decide(FLOW, SOURCE, f"#{record}", sent=False, reason="not there"))
    assert story.distribute().counts["written"] == 1
    story.is_one()


def test_a_decision_that_cannot_be_right_is_refused(story: Story):
    lose_answer(story)
    [number] = story.partners()
    other = min(story.before)

    def refused(match: str, key: str = story.uid, **answer: object) -> None:
        with pytest.raises(ConfigError, match=match):
            story.ask(lambda hub: hub.decide(FLOW, SOURCE, key, **{"sent": True, "reason": "seen", **answer}))

    refused("say how you know, by --reason", native_key=number, reason=" ")
    refused("say which record of 's4hana' it became")
    refused("'s4hana' has no A_BusinessPartner '4711'", native_key="4711")
    refused(rf"'{other}' belongs to record #", native_key=other)
    refused("there is no lost create to decide", key="nobody", native_key=number)
    assert len(asked(story)) == 1


@pytest.mark.fault("T3")
def test_a_mapping_that_does_not_say_so_sends_nothing_to_such_a_system(story: Story):
    write = story.world.home / "mappings/s4hana/business_partner.write.yaml"
    write.write_text(write.read_text(encoding="utf-8").replace("on_unknown: ask\n", ""), encoding="utf-8")
    story.ask(lambda hub: hub.resend(FLOW, SOURCE, yes=True))
    with pytest.raises(ConfigError, match=r"a lost answer of A_BusinessPartner cannot be looked up in 's4hana'; write"):
        story.distribute()
    assert story.partners() == []


def test_the_command_lists_and_decides(story: Story):
    lose_answer(story)
    [number] = story.partners()
    story.clock.forward(seconds=QUIET_S + 1)
    assert story.uid in story.world.run("decide", expect=1)
    assert "say whether it is in s4hana" in story.world.run("decide", FLOW, SOURCE, story.uid, expect=2)
    wrong = story.world.run("decide", FLOW, SOURCE, story.uid, "not-sent", "--as", number, expect=2)
    assert "exclude each other" in wrong
    said = ("sent", "--as", number, "--reason", "seen in BP")
    assert "goes on with it" in story.world.run("decide", FLOW, SOURCE, story.uid, *said)
    assert "nothing to decide" in story.world.run("decide", FLOW)
