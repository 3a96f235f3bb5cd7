"""The story: who registers in the shop becomes one partner, who changes a phone number changes it there, whatever happens.

Everything is judged from the two systems alone; the hub is only asked for the state it shows of a record.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from sqlalchemy import select

from benchmarks.home import ENTITY, SOURCE, TARGET
from benchmarks.onpremise.overtake import overtake
from benchmarks.onpremise.systems import OnPremise
from benchmarks.registrations.truth import Found, Registered, check, standing
from l2c.hub import Hub
from l2c.state.store import Store
from l2c.state.tables import distribution

PARTNER = "A_BusinessPartner"
NEVER, REFUSED, OVERTAKEN = 0.05, 0.04, 0.05  # shares of the partners
LATE_S = (
    2.0  # how much later than its message may be at work a late confirmation comes, and a stuck message is processed
)
ROUNDS = 40


@dataclass
class Visitor:
    """Somebody who registered, and what must stand of them in S/4HANA."""

    registered: Registered
    kind: str  # usual, never (no confirmation ever) or refused
    phone: str = ""


@dataclass
class Played:
    """What stands, what befell messages and confirmations, and what the hub made of it."""

    found: Found = field(default_factory=Found)
    wrong: list[str] = field(default_factory=list)
    befell: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    in_doubt_settled: int = 0
    held: int = 0
    states: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Story:
    """Plays with one installation."""

    def __init__(self, place: OnPremise, count: int) -> None:
        self.place = place
        self.count = count
        self.visitors: list[Visitor] = []
        self.played = Played()
        self._doubts: set[int] = set()

    def play(self) -> Played:
        """First loads, registrations, changes, and the check."""
        begun = time.monotonic()
        before, made = self._loads()
        self._registrations()
        self._repairs()
        self._changes()
        self._stuck()
        self.played.found = check(
            self.place.s4, self.place.shop, [one.registered for one in self.visitors], before=before, made=made
        )
        self._phones()
        self._states()
        self.played.seconds = round(time.monotonic() - begun, 1)
        return self.played

    def _loads(self) -> tuple[set[str], int]:
        with self.place.world.hub() as hub:
            for _ in range(2):
                for system in (SOURCE, TARGET):
                    hub.capture(ENTITY, system)
                for system in (TARGET, SOURCE):
                    hub.distribute(ENTITY, system)
        s4 = self.place.s4
        return standing(s4, PARTNER), sum(entry["action"] == "created" for entry in s4.log(entity=PARTNER))

    def _registrations(self) -> None:
        """Everybody registers; confirmations are lost, doubled, out of order, and of some partners never sent."""
        self.visitors = [self._register(number) for number in range(self.count)]
        trouble = {"confirm_lost": 0.15, "confirm_doubled": 0.2, "confirm_out_of_order": 0.3, "soap_jitter_s": 1.0}
        self.place.set(**trouble, confirm_never="Stumm")
        self._until_quiet()

    def _register(self, number: int) -> Visitor:
        share = number / self.count
        kind = "never" if share < NEVER else "refused" if share < NEVER + REFUSED else "usual"
        word = {"never": "Stumm", "refused": "Eigensinn", "usual": "Werkstatt"}[kind]
        name, mail = f"{word} {number:05} KG", f"info@{word.lower()}{number:05}.example"
        place = {"streetname": "Pfeifenweg", "streetnumber": str(number % 90 + 1), "country": "DE"}
        place |= {"postalcode": "8907" if kind == "refused" else "89073", "town": "Ulm"}
        vat = f"DE{820_000_000 + number}"
        told = self.place.shop.tell("register", kind="company", name=name, vatID=vat, l2cEmail=mail, address=place)
        return Visitor(Registered(told["uid"], "B2BUnit", name, mail, vat, told["addresses"][0]), kind)

    def _repairs(self) -> None:
        """Each refused one is a dead letter in SAP's words; somebody corrects the address in the shop."""
        refused = [one for one in self.visitors if one.kind == "refused"]
        with self.place.world.hub() as hub:
            letters = {letter.key: letter.message for letter in hub.dead_letters(ENTITY, limit=None)}
        said = {text for one in self.place.s4.ask("confirmations", limit=1000)["confirmations"] for text in _notes(one)}
        for one in refused:
            words = letters.pop(one.registered.uid, "")
            self.played.refused += bool(words)
            if words.partition(f": {SOURCE}: ")[2].partition("; correct it in ")[0] not in said:
                self.played.wrong.append(f"{one.registered.name}: dead letter '{words}' is not what SAP said")
            self.place.shop.change("Address", one.registered.address, postalcode="89073")
        self.played.wrong += [f"dead letter of {key}: {text}" for key, text in letters.items()]
        self._until_quiet()

    def _changes(self) -> None:
        """Two phone numbers each, the second while the first is under way, late confirmations, and overtaken messages."""
        self.place.set(
            confirm_late_s=self.place.processing_s + LATE_S,
            confirm_lost=0.1,
            confirm_doubled=0.2,
            confirm_never="Stumm",
        )
        with self.place.world.hub() as hub:
            self._call(self.visitors, "1")
            hub.capture(ENTITY, TARGET)
            self._overtaking(hub)
            self._call(self.visitors[::2], "2")
            hub.capture(ENTITY, TARGET)
            self.played.held = hub.distribute(ENTITY, SOURCE).counts.get("awaiting_confirmation", 0)
        self._until_quiet()

    def _stuck(self) -> None:
        """Messages wait longer than they may: what is sent in their place passes them, and they are confirmed after it."""
        self.place.set(soap_delay_s=self.place.processing_s + LATE_S)
        with self.place.world.hub() as hub:
            self._call(self.visitors[: max(2, self.count // 10)], "3")
            hub.capture(ENTITY, TARGET)
            hub.distribute(ENTITY, SOURCE)
        self.place.set()
        self._until_quiet()

    def _call(self, visitors: Sequence[Visitor], wave: str) -> None:
        for number, one in enumerate(visitors):
            one.phone = f"0731 {wave}{number:05}"
            self.place.shop.change("Address", one.registered.address, phone1=one.phone)

    def _overtaking(self, hub: Hub) -> None:
        """While the hub's messages wait to be processed, those of another process about some partners pass them."""
        self.place.s4.tell("settings", soap_delay_s=2.0)
        hub.distribute(ENTITY, SOURCE)
        self.place.s4.tell("settings", soap_delay_s=0.0)
        numbers = _numbers(self.place)
        for one in self.visitors[-max(1, int(OVERTAKEN * self.count)) :]:
            overtake(self.place.s4.url, numbers[one.registered.name])
        self.place.s4.tell("settings", soap_delay_s=0.2)

    def _until_quiet(self) -> None:
        """Rounds until nothing is written, open or under way."""
        with self.place.world.hub() as hub:
            for _ in range(ROUNDS):
                for system in (SOURCE, TARGET):
                    hub.capture(ENTITY, system)
                self._doubts |= _unanswered(self.place)
                written = sum(hub.distribute(ENTITY, system).counts.get("written", 0) for system in (TARGET, SOURCE))
                cells = hub.status(ENTITY)
                doubtful = sum(cell.in_doubt + cell.awaiting_confirmation for cell in cells)
                under_way = self.place.s4.ask("confirmations", limit=1)["requests_waiting"]
                idle = not any(cell.retrying or cell.waiting or cell.behind or cell.inbox for cell in cells)
                if not written and not doubtful and idle and not under_way:
                    return
                time.sleep(1)
        self.played.wrong.append(f"not quiet after {ROUNDS} rounds: {cells}")

    def _phones(self) -> None:
        s4, numbers = self.place.s4, _numbers(self.place)
        places = {row["BusinessPartner"]: row["AddressID"] for _, row in s4.records("A_BusinessPartnerAddress")}
        phones: dict[str, list[str]] = {}
        for _, row in s4.records("A_AddressPhoneNumber"):
            if row["PhoneNumberType"] == "1":
                phones.setdefault(row["AddressID"], []).append(row["PhoneNumber"])
        for one in self.visitors:
            shown = phones.get(places[numbers[one.registered.name]], []) if one.registered.name in numbers else []
            if shown != [one.phone]:
                self.played.wrong.append(f"{one.registered.name}: phone {shown}, must be {one.phone}")

    def _states(self) -> None:
        place, played = self.place, self.played
        with place.world.hub() as hub:
            for one in self.visitors:
                view = hub.show(ENTITY, one.registered.uid)
                targets = view.targets if view is not None else ()
                played.states.update(target.status for target in targets if target.target == SOURCE)
            played.messages.update(row.state for row in hub.messages(SOURCE, limit=None))
            letters = hub.dead_letters(ENTITY, limit=None)
        played.wrong += [f"dead letter of {letter.key}: {letter.message}" for letter in letters]
        played.in_doubt_settled = len(self._doubts)
        stats = place.s4.ask("stats")
        played.befell = Counter({**stats["faults"], **stats["events"]})


def _unanswered(place: OnPremise) -> set[int]:
    """The records whose message was not answered in its time: they are looked up next."""
    store = Store.open(place.world.env["L2C_DATABASE_URL"])
    try:
        with store.reading() as conn:
            d = distribution.c
            over = (d.target == SOURCE, d.status == "awaiting_confirmation", d.due_at <= store.now())
            return set(conn.execute(select(d.record).where(*over)).scalars())
    finally:
        store.close()


def _numbers(place: OnPremise) -> dict[str, str]:
    """The partners of S/4HANA by name."""
    return {row["OrganizationBPName1"]: key for key, row in place.s4.records(PARTNER)}


def _notes(confirmation: dict[str, Any]) -> list[str]:
    """What a confirmation's log says of each partner, as one text."""
    messages = ET.fromstring(confirmation["body"]).iter("BusinessPartnerSUITEReplicateConfirmationMessage")
    found = []
    for message in messages:
        errors = [item for item in message.iter("Item") if item.findtext("SeverityCode") == "3"]
        found.append("; ".join(dict.fromkeys(" ".join((item.findtext("Note") or "").split()) for item in errors)))
    return found
