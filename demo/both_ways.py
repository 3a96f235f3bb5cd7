"""What happens in the shop and reaches S/4HANA, or goes back: edits, registrations, a lost answer, a merge."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demo.cast import Story
from demo.stage import CONTACT, TARGET

OBJECTS = ("L2CB2BUnit", "L2CB2BCustomer", "L2CCustomer")
PLACE = {"streetname": "Pfeifenweg", "streetnumber": "4", "postalcode": "89073", "town": "Ulm", "country": "DE"}
YARD = {"streetname": "Am Nordkai", "streetnumber": "12", "postalcode": "20457", "town": "Hamburg", "country": "DE"}
PHONE = "040 5550 1234"
COMPANY, LOST = "Orgelbau Seifert KG", "Glashaus Wendland GmbH"


def shop_edits(story: Story) -> None:
    """An address added and a phone changed in the shop reach S/4HANA; a name that S/4HANA owns goes back."""
    stage, shop = story.stage, story.stage.shop
    grows, calls, renamed = (story.partner(number) for number in (3, 4, 5))
    stage.screen.title("People edit in the shop: an address is added, a phone number and a name are changed")
    new = {**YARD, "owner": grows["uid"], "publicKey": "8899000000001", "duplicate": False}
    shop.tell("/create", {"entity": "Address", "set": new})
    home = story.unit(calls)["addresses"][0]
    shop.change("Address", f"{str(home['duplicate']).lower()}/{home['publicKey']}", phone1=PHONE)
    before, mark = story.unit(renamed)["name"], _end(shop.log(origin="all"))
    written = _end(stage.s4.log(origin="all"))
    shop.change("B2BUnit", renamed["uid"], name="Not for the shop to say")
    took = stage.wait("the new address arrives in S/4HANA", lambda: "Am Nordkai" in _streets(story, grows))
    stage.screen.good(f"{grows['BusinessPartnerFullName']}: the address in Hamburg is in S/4HANA after {took:.0f} s")
    took += stage.wait("the new phone number arrives in S/4HANA", lambda: PHONE in _phones(story, calls))
    stage.screen.good(f"{calls['BusinessPartnerFullName']}: the phone number is in S/4HANA after {took:.0f} s")
    took += stage.wait("the name goes back", lambda: story.unit(renamed)["name"] == before)
    story.told = stage.sums(story.told)
    back = {entry["key"] for entry in shop.log("B2BUnit", after=mark) if entry["key"] == renamed["uid"]}
    touched = [
        one for one in stage.s4.log("A_BusinessPartner", after=written) if one["key"] == renamed["BusinessPartner"]
    ]
    stage.figures["returned_to_owner"] = len(back)
    stage.expect(
        len(back) == 1 and not touched, f"{before}: S/4HANA owns the name, the shop has it back after {took:.0f} s"
    )


def registrations(story: Story) -> None:
    """A company with its contact person and a consumer register; webhooks tell the hub, S/4HANA's numbers come back."""
    stage = story.stage
    contacts = stage.has(CONTACT)
    who = "A company, its contact person and a consumer" if contacts else "A company and a consumer"
    stage.screen.title(f"{who} register in the shop; webhooks tell the hub")
    if not contacts:
        stage.screen.say("there is no flow 'contact': nobody registers as a contact person")
    inbox = {"url": f"{stage.airflow.url}/hub/inbox/{TARGET}", **stage.inbox_login}
    stage.shop.tell("/settings", {"webhooks": [{"object": name, **inbox} for name in OBJECTS]})
    before = _messages(story)
    form: dict[str, Any] = {"kind": "company", "name": COMPANY, "vatID": "DE811234567", "address": PLACE}
    if contacts:
        form["contact"] = {"email": "eva.seifert@orgelbau-seifert.example", "first_name": "Eva", "last_name": "Seifert"}
    _register(story, form)
    _register(
        story,
        {
            "kind": "consumer",
            "email": "jan.beck@home.example",
            "first_name": "Jan",
            "last_name": "Beck",
            "address": PLACE,
        },
    )
    stage.wait("everybody has a number of S/4HANA", lambda: all(numbers(story).values()))
    story.told = stage.sums(story.told)
    for name, number in numbers(story).items():
        stage.screen.good(f"{name}: partner {number} of S/4HANA {_seconds(story, name, number)}")
    told = _messages(story) - before
    stage.expect(told > 0 and not stage.hub.messages(state="failed"), f"{told} webhooks came in, all were understood")


def lost_answer(story: Story) -> None:
    """S/4HANA creates a partner and its answer is lost: the hub looks before it would create it again."""
    stage = story.stage
    stage.screen.title(f"{LOST} registers, and S/4HANA's answer is lost after it has created the partner")
    fault = {"match": {"method": "POST", "body": LOST}, "kind": "after_commit", "times": 1}
    stage.s4.tell("/faults", fault)
    before = stage.s4.faults()
    _register(story, {"kind": "company", "name": LOST, "vatID": "DE812345678", "address": PLACE})
    took = stage.wait("the answer gets lost", lambda: stage.s4.faults() > before)
    stage.screen.say(f"after {took:.0f} s the partner is there, and the hub does not know it")
    took = stage.wait("the hub finds its partner again", lambda: bool(numbers(story)[LOST]))
    story.told = stage.sums(story.told)
    there = [data for _, data in stage.s4.records("A_BusinessPartner") if data["OrganizationBPName1"] == LOST]
    stage.expect(len(there) == 1, f"{LOST}: {len(there)} partner in S/4HANA, found again after {took:.0f} s")


def merge(story: Story) -> None:
    """Two partners turn out to be one customer: only the one that stays may buy."""
    stage, loser, winner = story.stage, story.partner(6), story.partner(7)
    names = f"{loser['BusinessPartnerFullName']} becomes {winner['BusinessPartnerFullName']}"
    stage.screen.title(f"Two partners are merged in S/4HANA: {names}")
    stage.s4.tell("/merge", {"loser": loser["BusinessPartner"], "winner": winner["BusinessPartner"]})
    took = stage.wait("the loser's unit becomes inactive", lambda: story.unit(loser)["active"] is False)
    story.told = stage.sums(story.told)
    active = [one["uid"] for one in (loser, winner) if story.unit(one)["active"]]
    stage.expect(
        active == [winner["uid"]], f"after {took:.0f} s unit {loser['uid']} is blocked, {winner['uid']} stays active"
    )


def _register(story: Story, form: Mapping[str, Any]) -> None:
    """Take note of who registered: the company or consumer, and the contact person that comes along."""
    told = story.stage.shop.tell("/register", form)
    name = form.get("name") or f"{form['first_name']} {form['last_name']}"
    story.registered[name] = told
    if "contact" in told:
        story.registered[f"{form['contact']['first_name']} {form['contact']['last_name']}"] = told["contact"]


def numbers(story: Story) -> dict[str, str]:
    """The S/4HANA number the shop shows for everybody who registered; '' where there is none yet."""
    found = {}
    for name, told in story.registered.items():
        data = story.stage.shop.record(told["entity"], told["key"]) or {}
        found[name] = data.get("l2cPartnerNumber") or data.get("sapBusinessPartnerID") or ""
    return found


def _seconds(story: Story, name: str, number: str) -> str:
    """How long after the registration the partner was created, by the commit logs of both systems."""
    told = story.registered[name]
    born = _created(story.stage.shop.log(told["entity"], origin="all"), told["key"])
    there = _created(story.stage.s4.log("A_BusinessPartner"), number)
    return f"{(there - born).total_seconds():.1f} s after the registration" if born and there else ""


def _created(entries: list[dict[str, Any]], key: str) -> datetime | None:
    moments = [entry["at"] for entry in entries if entry["key"] == key and entry["action"] == "created"]
    return datetime.fromisoformat(moments[0]) if moments else None


def _messages(story: Story) -> int:
    return len(story.stage.hub.messages(TARGET, state="done", limit=None))


def _streets(story: Story, partner: Mapping[str, Any]) -> set[str]:
    rows = story.stage.s4.records("A_BusinessPartnerAddress")
    return {data["StreetName"] for _, data in rows if data["BusinessPartner"] == partner["BusinessPartner"]}


def _phones(story: Story, partner: Mapping[str, Any]) -> set[str]:
    rows = story.stage.s4.records("A_AddressPhoneNumber")
    return {data["PhoneNumber"] for _, data in rows if data["AddressID"] == partner["place"]["AddressID"]}


def _end(entries: list[dict[str, Any]]) -> int:
    return int(entries[-1]["seq"]) if entries else 0
