"""The on-premise profile end to end: partners written by messages, confirmed later by messages to the hub's real inbox."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.home import ENTITY, SOURCE, TARGET
from benchmarks.onpremise.__main__ import mistakes
from benchmarks.onpremise.overtake import overtake
from benchmarks.onpremise.play import Story
from benchmarks.onpremise.systems import LOGIN, OnPremise, installation
from l2c.hub import Hub
from l2c.state.results import TargetState

PARTNERS = 60
SOAP = "businesspartnersuitebulkreplic"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnPremise]:
    """Both systems in step, and the inbox; a message may be at work for three seconds."""
    with installation(tmp_path_factory.mktemp("onpremise"), partners=5, processing_s=3.0) as made:
        with made.world.hub() as hub:
            for _ in range(2):
                for system in (SOURCE, TARGET):
                    hub.capture(ENTITY, system)
                for system in (TARGET, SOURCE):
                    hub.distribute(ENTITY, system)
        yield made


@pytest.fixture
def hub(place: OnPremise) -> Iterator[Hub]:
    place.set()
    with place.world.hub() as opened:
        yield opened
    place.s4.disarm()


class Company:
    """Somebody who registers in the shop."""

    def __init__(self, place: OnPremise, name: str, postalcode: str = "89073") -> None:
        self.place, self.name = place, name
        address = {"streetname": "Pfeifenweg", "streetnumber": "4", "postalcode": postalcode, "town": "Ulm"}
        told = place.shop.tell("register", kind="company", name=name, address={**address, "country": "DE"})
        self.uid, self.address = told["uid"], told["addresses"][0]

    def call(self, phone: str) -> None:
        self.place.shop.change("Address", self.address, phone1=phone)

    def partners(self) -> list[str]:
        rows = self.place.s4.records("A_BusinessPartner")
        return [key for key, row in rows if row["OrganizationBPName1"] == self.name]

    def phones(self) -> list[str]:
        [number] = self.partners()
        places = {
            row["AddressID"]
            for _, row in self.place.s4.records("A_BusinessPartnerAddress")
            if row["BusinessPartner"] == number
        }
        rows = self.place.s4.records("A_AddressPhoneNumber")
        return [row["PhoneNumber"] for _, row in rows if row["AddressID"] in places]

    def unit(self) -> dict[str, Any]:
        return self.place.shop.record("B2BUnit", self.uid)

    def state(self, hub: Hub) -> TargetState:
        view = hub.show(ENTITY, self.uid)
        assert view is not None
        [found] = [target for target in view.targets if target.target == SOURCE]
        return found

    def comes_to(self, hub: Hub, *statuses: str) -> TargetState:
        """Its state once the inbox has made it one of these."""
        deadline = time.monotonic() + 15
        while (state := self.state(hub)).status not in statuses:
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        return state


def send(hub: Hub) -> dict[str, int]:
    """What the shop shows goes to S/4HANA."""
    hub.capture(ENTITY, TARGET)
    return dict(hub.distribute(ENTITY, SOURCE).counts)


def settle(hub: Hub, company: Company) -> None:
    """Rounds until the company's record has its state and both systems are read."""
    for _ in range(15):
        for system in (SOURCE, TARGET):
            hub.capture(ENTITY, system)
        for system in (TARGET, SOURCE):
            hub.distribute(ENTITY, system)
        if company.state(hub).status in ("written", "unchanged") and company.unit()["l2cPartnerNumber"]:
            return
        time.sleep(0.5)
    raise AssertionError(company.state(hub))


def settled(place: OnPremise, hub: Hub, name: str) -> Company:
    """A company both systems know."""
    company = Company(place, name)
    send(hub)
    company.comes_to(hub, "written")
    settle(hub, company)
    return company


def messages_sent(place: OnPremise) -> int:
    return sum(count for name, count in place.s4.ask("stats")["requests"].items() if SOAP in name)


def test_a_registration_awaits_its_confirmation_and_is_written_with_it(place: OnPremise, hub: Hub) -> None:
    company = Company(place, "Orgelbau Seifert KG")
    assert send(hub)["awaiting_confirmation"] == 1
    company.comes_to(hub, "written")
    settle(hub, company)
    assert [company.unit()["l2cPartnerNumber"]] == company.partners()


def test_what_sap_refuses_is_set_aside_in_its_own_words(place: OnPremise, hub: Hub) -> None:
    company = Company(place, "Eigensinn OHG", postalcode="1")
    send(hub)
    company.comes_to(hub, "dead_letter")
    [letter] = [letter for letter in hub.dead_letters(ENTITY) if letter.key == company.uid]
    told = "".join(one["body"] for one in place.s4.ask("confirmations", limit=1000)["confirmations"])
    words, _, todo = letter.message.removeprefix(f"{ENTITY} {company.uid}: {SOURCE}: ").partition("; correct it in ")
    assert f"<Note>{words}</Note>" in told
    assert "Postal code" in words
    assert todo.endswith(f"l2c redrive {ENTITY} {SOURCE}")
    place.shop.change("Address", company.address, postalcode="89073")
    send(hub)
    company.comes_to(hub, "written")
    assert [letter for letter in hub.dead_letters(ENTITY) if letter.key == company.uid] == []
    assert len(company.partners()) == 1
    settle(hub, company)


def test_a_confirmation_that_never_comes_ends_in_doubt_and_is_looked_up(place: OnPremise, hub: Hub) -> None:
    place.set(confirm_never="Stumm")
    company = Company(place, "Stumm und Söhne")
    send(hub)
    sent = messages_sent(place)
    assert hub.distribute(ENTITY, SOURCE).status == "nothing"
    time.sleep(place.processing_s)
    assert hub.distribute(ENTITY, SOURCE).counts["in_doubt"] == 1
    settle(hub, company)
    assert messages_sent(place) == sent, "it was there, so nothing was sent again"
    assert [company.unit()["l2cPartnerNumber"]] == company.partners()


def test_a_message_that_got_lost_on_its_way_is_sent_again_when_its_time_is_over(place: OnPremise, hub: Hub) -> None:
    place.set(soap_delay_s=place.processing_s + 2)  # as good as lost: what is sent instead overtakes it
    company = Company(place, "Spätkauf am Anger")
    send(hub)
    place.set()
    time.sleep(place.processing_s)
    assert company.partners() == []
    assert hub.distribute(ENTITY, SOURCE).counts["awaiting_confirmation"] == 1
    company.comes_to(hub, "written")
    deadline = time.monotonic() + 10
    while place.s4.ask("confirmations", limit=1)["requests_waiting"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    settle(hub, company)
    assert len(company.partners()) == 1


def test_an_answer_that_was_lost_is_settled_by_the_confirmation(place: OnPremise, hub: Hub) -> None:
    place.s4.tell("faults", match={"method": "POST", "path": SOAP}, kind="after_commit", times=1)
    company = Company(place, "Funkstille GmbH")
    assert send(hub)["in_doubt"] == 1
    company.comes_to(hub, "written")
    settle(hub, company)
    assert len(company.partners()) == 1


@pytest.mark.parametrize("lost", [False, True])
def test_one_message_of_a_record_is_under_way_at_a_time_and_the_later_edit_stands(
    place: OnPremise, hub: Hub, lost: bool
) -> None:
    company = settled(place, hub, f"Wechselfreude {lost}")
    place.set(soap_delay_s=1.0, confirm_lost=1.0 if lost else 0.0)
    company.call("0731 1111")
    assert send(hub)["awaiting_confirmation"] == 1
    sent = messages_sent(place)
    company.call("0731 2222")
    assert send(hub)["awaiting_confirmation"] == 1
    assert messages_sent(place) == sent
    deadline = time.monotonic() + 10
    while company.phones() != ["0731 1111"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    place.set()
    if lost:
        hub.capture(ENTITY, SOURCE, kind="sweep")  # S/4HANA shows what was written: that is no edit of its own
    else:
        company.comes_to(hub, "written")
    for _ in range(20):
        settle(hub, company)
        if company.phones() == ["0731 2222"]:
            break
        time.sleep(0.5)
    assert company.phones() == ["0731 2222"]
    settle(hub, company)
    assert place.shop.record("Address", company.address)["phone1"] == "0731 2222"


def test_a_message_that_was_overtaken_is_read_first_and_written_again(place: OnPremise, hub: Hub) -> None:
    company = settled(place, hub, "Überholspur AG")
    place.set(soap_delay_s=1.5)
    company.call("0731 3333")
    send(hub)
    place.set(soap_delay_s=0.0)
    overtake(place.s4.url, company.partners()[0])
    state = company.comes_to(hub, "retrying")
    assert "was overtaken by change" in state.message
    assert company.phones() == []
    time.sleep(1.5)
    for _ in range(20):
        settle(hub, company)
        if company.phones():
            break
        time.sleep(0.5)
    assert company.phones() == ["0731 3333"]


def test_partners_s4hana_replicates_are_captured(place: OnPremise, hub: Hub) -> None:
    unit = next(unit for _, unit in place.shop.records("B2BUnit") if unit["l2cPartnerNumber"] and unit["addresses"])
    number, address = unit["l2cPartnerNumber"], unit["addresses"][0]["publicKey"].rpartition("|")[2]
    place.s4.change("A_BusinessPartnerAddress", f"{number}/{address}", HouseNumber="77b")
    assert hub.capture(ENTITY, SOURCE).counts.get("journaled", 0) == 0, (
        "a changed address leaves the partner's stamp alone"
    )
    answer = place.s4.tell("replicate", keys=[number], url=place.inbox, user=LOGIN["user"], password=LOGIN["secret"])
    assert answer["status"] == 202
    deadline = time.monotonic() + 10
    while (newest := hub.messages(SOURCE, limit=1)[0]).detail != f"{ENTITY}: 1 to fetch":
        assert time.monotonic() < deadline, newest
        time.sleep(0.05)
    assert newest.state == "done"
    assert hub.capture(ENTITY, SOURCE).counts["journaled"] == 1
    hub.distribute(ENTITY, TARGET)
    shown = place.shop.record("B2BUnit", unit["uid"])["addresses"]
    assert "77b" in {row["streetnumber"] for row in shown}


def test_a_stranger_who_sends_a_confirmation_is_kept_out(place: OnPremise, hub: Hub) -> None:
    before = len(hub.messages(SOURCE, limit=None))
    number = next(key for key, _ in place.s4.records("A_BusinessPartner"))
    answer = place.s4.tell("replicate", keys=[number], url=place.inbox, user=LOGIN["user"], password="guessed")
    assert answer["status"] == 401
    assert len(hub.messages(SOURCE, limit=None)) == before


def test_lost_late_doubled_and_overtaken_confirmations_lose_nobody_and_double_nobody(tmp_path) -> None:
    with installation(tmp_path, partners=5, processing_s=3.0) as place:
        played = Story(place, PARTNERS).play()
    assert mistakes(played, PARTNERS) == []
