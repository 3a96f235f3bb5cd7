"""What leaves S/4HANA's customers leaves the shop right after one run: partners, addresses, the merged and the archived.

Each case twice where it can be: for a unit born in the shop and for one born in S/4HANA.
"""

from typing import Any

import pytest
from sqlalchemy import select

from l2c.state.keys import find_record
from l2c.state.store import Store
from l2c.state.tables import journal, record
from tests.integration.conftest import StartWorld
from tests.integration.people import COMPANY, CONTACT, PARTNER, RELATIONSHIP, Both
from tests.integration.world import FLOW, SOURCE, TARGET

ROLE, ADDRESS = "A_BusinessPartnerRole", "A_BusinessPartnerAddress"
BIRTHS = ("born in S/4HANA", "born in the shop")


@pytest.fixture
def both(start_world: StartWorld, sqlite_url: str) -> Both:
    """Both systems in step."""
    both = Both(start_world(sqlite_url, partners=5, two_way=True))
    both.settle()
    return both


@pytest.fixture(params=BIRTHS)
def partner(both: Both, request: pytest.FixtureRequest) -> str:
    """The number of a company that stands in both systems, every child of it seen by a watch."""
    return there(both, request.param)


def there(both: Both, born: str) -> str:
    if born == BIRTHS[0]:
        number = both.company()
        both.settle()
    else:
        uid = both.register("company", **COMPANY)["uid"]
        both.settle()
        number = both.world.shop.record("B2BUnit", uid)["l2cPartnerNumber"]
    both.see_children()
    both.settle()
    assert both.unit(number)["active"]
    return number


def consumer(both: Both, number: str) -> dict[str, Any]:
    """The consumer of a person."""
    [found] = [row for _, row in both.world.shop.records("Customer") if row["l2cPartnerNumber"] == number]
    return found


def lose_role(both: Both, number: str) -> None:
    for role in ("FLCU00", "FLCU01"):
        both.world.s4.delete(ROLE, f"{number}/{role}")


def gain_role(both: Both, number: str) -> None:
    for role in ("FLCU00", "FLCU01"):
        both.world.s4.create(ROLE, {"BusinessPartner": number, "BusinessPartnerRole": role})


def test_a_partner_that_loses_the_customer_role_is_blocked_until_it_comes_back(both: Both, partner: str):
    lose_role(both, partner)
    both.see_children()
    both.round(FLOW)
    assert not both.unit(partner)["active"]
    both.settle()
    assert not both.unit(partner)["active"]
    gain_role(both, partner)
    both.see_children()
    both.round(FLOW)
    assert both.unit(partner)["active"]
    before = both.world.shop.last_commit()
    both.settle()
    assert both.unit(partner)["active"]
    assert both.world.shop.log(after=before) == []


def test_an_address_that_goes_in_s4hana_goes_in_the_shop(both: Both, partner: str):
    values = {"BusinessPartner": partner, "CityName": "Kiel", "Country": "DE", "PostalCode": "24103"}
    key = both.world.s4.create(ADDRESS, values)
    both.see_children()
    both.round(FLOW)
    assert "Kiel" in [row["town"] for row in both.unit(partner)["addresses"]]
    both.world.s4.delete(ADDRESS, key)
    both.see_children()
    both.round(FLOW)
    assert "Kiel" not in [row["town"] for row in both.unit(partner)["addresses"]]
    both.settle()
    assert len(both.unit(partner)["addresses"]) == 1


def test_an_archived_partner_is_blocked(both: Both, partner: str):
    both.world.s4.tell("archive", key=partner)
    both.round(FLOW)
    assert not both.unit(partner)["active"]
    both.settle()
    assert not both.unit(partner)["active"]
    both.world.s4.change(PARTNER, partner, IsMarkedForArchiving=False)
    both.round(FLOW)
    assert both.unit(partner)["active"]


def test_of_merged_partners_one_active_customer_remains(both: Both, partner: str):
    winner = both.company("Nord Maschinenbau Holding GmbH")
    person = both.person("Max", "Huber")
    both.relationship(partner, person, "max@nord.example")
    both.settle()
    loser_unit, winner_unit = both.unit(partner)["uid"], both.unit(winner)["uid"]
    assert both.customers()["max@nord.example"]["defaultB2BUnit"] == loser_unit
    both.world.s4.tell("merge", loser=partner, winner=winner)
    both.round()
    assert not both.unit(partner)["active"]
    assert both.unit(winner)["active"]
    assert both.customers()["max@nord.example"]["defaultB2BUnit"] == winner_unit
    store = Store.open(both.world.env["L2C_DATABASE_URL"], clock=both.clock)
    try:
        with store.reading() as conn:
            loser, won = (find_record(conn, FLOW, SOURCE, "", number) for number in (partner, winner))
            kinds = select(journal.c.kind).where(journal.c.entity == FLOW, journal.c.record == loser)
            assert conn.execute(kinds.order_by(journal.c.seq)).scalars().all()[-1] == "merge"
            merged = select(record.c.merged_into).where(record.c.entity == FLOW, record.c.record == loser)
            assert conn.execute(merged).scalar_one() == won
    finally:
        store.close()
    both.settle()
    assert [
        row["uid"]
        for _, row in both.world.shop.records("B2BUnit")
        if row["uid"] in (loser_unit, winner_unit) and row["active"]
    ] == [winner_unit]


def test_a_merge_undone_in_s4hana_leaves_two_customers_again(both: Both, partner: str):
    winner = both.company("Nord Maschinenbau Holding GmbH")
    both.relationship(partner, both.person("Max", "Huber"), "max@nord.example")
    both.settle()
    loser_unit = both.unit(partner)["uid"]
    both.world.s4.tell("merge", loser=partner, winner=winner)
    both.settle()
    assert not both.unit(partner)["active"]
    both.world.s4.delete("A_BuPaIdentification", f"{partner}/ZMERGE/{winner}")
    both.world.s4.change(PARTNER, partner, IsMarkedForArchiving=False, BusinessPartnerIsBlocked=False)
    both.settle()
    assert both.unit(partner)["active"]
    assert both.unit(winner)["active"]
    assert both.customers()["max@nord.example"]["defaultB2BUnit"] == loser_unit
    both.world.s4.change(PARTNER, partner, OrganizationBPName1="Nord wieder allein GmbH")
    both.settle()
    assert both.unit(partner)["name"].startswith("Nord wieder allein GmbH")


def test_the_contact_of_a_merged_company_can_still_be_changed_in_the_shop(both: Both):
    loser, winner = both.company("Nord Werk GmbH"), both.company("Nord Holding GmbH")
    both.settle()
    answer = both.register("contact", unit=both.unit(loser)["uid"], email="eva@nord.example", last_name="Huber")
    both.settle()
    both.world.s4.tell("merge", loser=loser, winner=winner)
    both.settle()
    assert both.customer(answer["key"])["defaultB2BUnit"] == both.unit(winner)["uid"]
    both.world.shop.change("B2BCustomer", answer["key"], l2cPhone="040 7777")
    both.settle()
    [function] = [row for _, row in both.world.s4.records("A_BPContactToFuncAndDept")]
    assert function["PhoneNumber"] == "040 7777"
    assert both.customer(answer["key"])["defaultB2BUnit"] == both.unit(winner)["uid"]


@pytest.mark.parametrize("born", BIRTHS)
def test_a_consumer_who_leaves_cannot_sign_in_until_coming_back(both: Both, born: str):
    if born == BIRTHS[0]:
        number = both.consumer("Jan", "Beck", "jan@home.example")
        both.settle()
    else:
        home = {"streetname": "Weg", "postalcode": "20457", "town": "Hamburg", "country": "DE"}
        form = {"email": "jan@home.example", "first_name": "Jan", "last_name": "Beck", "address": home}
        both.register("consumer", **form)
        both.settle()
        [found] = [row for _, row in both.world.shop.records("Customer") if row["uid"] == "jan@home.example"]
        number = found["l2cPartnerNumber"]
    both.see_children()
    both.settle()
    assert not consumer(both, number)["loginDisabled"]
    lose_role(both, number)
    both.see_children()
    both.round(FLOW)
    assert consumer(both, number)["loginDisabled"]
    both.settle()
    gain_role(both, number)
    both.see_children()
    both.round(FLOW)
    assert not consumer(both, number)["loginDisabled"]
    both.settle()
    both.world.s4.tell("archive", key=number)
    both.round(FLOW)
    assert consumer(both, number)["loginDisabled"]
    both.settle()
    assert consumer(both, number)["loginDisabled"]


def test_a_unit_deleted_in_the_shop_comes_back_whole(both: Both, partner: str):
    before = both.unit(partner)
    both.world.shop.delete("B2BUnit", before["uid"])
    both.round(FLOW, kind="sweep")
    after = both.unit(partner)
    both.settle()
    after = both.unit(partner)
    same = ("uid", "name", "active", "vatID", "l2cPartnerNumber", "l2cCustomerNumber")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert [row["town"] for row in after["addresses"]] == [row["town"] for row in before["addresses"]]
    assert [entry for entry in both.world.s4.log() if entry["entity"] == PARTNER and entry["action"] == "created"][
        1:
    ] == []


def test_a_unit_deleted_before_it_reached_s4hana_is_gone(both: Both):
    answer = both.register("company", **COMPANY)
    with both.hub() as hub:
        hub.capture(FLOW, TARGET)
    both.clock.forward(minutes=2)
    both.world.shop.delete("B2BUnit", answer["uid"])
    both.round(FLOW, kind="sweep")
    both.settle()
    assert both.world.shop.record("B2BUnit", answer["uid"]) is None
    assert both.world.s4.log() == []


def test_a_contact_deleted_before_it_reached_s4hana_is_gone(both: Both):
    number = both.company()
    both.settle()
    form = {"email": "eva@nord.example", "last_name": "Huber"}
    answer = both.register("contact", unit=both.unit(number)["uid"], **form)
    with both.hub() as hub:
        hub.capture(CONTACT, TARGET)
    both.clock.forward(minutes=2)
    both.world.shop.delete("B2BCustomer", answer["key"])
    both.round(CONTACT, kind="sweep")
    both.settle()
    assert both.world.shop.record("B2BCustomer", answer["key"]) is None
    assert [row for _, row in both.world.s4.records(RELATIONSHIP)] == []
    assert both.world.s4.log() == []
