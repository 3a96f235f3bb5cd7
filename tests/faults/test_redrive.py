"""A dead letter that is redriven is read and mapped again: what it failed with then never overwrites what is newer now."""

from typing import Any

import pytest

from tests.faults.test_brakes import PARTNER, Desk, desk
from tests.faults.test_error_budget import REFUSED
from tests.integration.world import FLOW, SOURCE, TARGET

__all__ = ["desk"]


def unit(desk: Desk, number: str) -> dict[str, Any]:
    [found] = [row for _, row in desk.world.shop.records("B2BUnit") if row["l2cPartnerNumber"] == number]
    return found


def rename(desk: Desk, number: str, name: str) -> None:
    desk.world.s4.change(PARTNER, number, OrganizationBPName1=name, OrganizationBPName2="")


def set_aside(desk: Desk, number: str, name: str) -> None:
    """A name the shop refuses."""
    rename(desk, number, name)
    desk.capture()
    desk.world.shop.fault(path="B2BUnits", **REFUSED)
    assert desk.distribute().counts["dead_letter"] == 1
    desk.world.shop.heal()


def redrive(desk: Desk) -> int:
    with desk.hub() as hub:
        return hub.redrive(FLOW)


@pytest.mark.fault("T16")
def test_a_redriven_record_is_sent_as_it_is_now(desk: Desk):
    number = desk.load()[0]
    set_aside(desk, number, "Alt GmbH")
    rename(desk, number, "Neu GmbH")  # nothing has read it since
    assert redrive(desk) == 1
    desk.capture()
    assert desk.distribute().counts["written"] == 1
    assert unit(desk, number)["name"] == "Neu GmbH"
    names = [entry.get("set", {}).get("name") for entry in desk.world.shop.log()]
    assert "Alt GmbH" not in names


@pytest.mark.fault("T16")
def test_a_dead_letter_overtaken_by_a_newer_change_is_done_with(desk: Desk):
    number = desk.load()[0]
    set_aside(desk, number, "Alt GmbH")
    rename(desk, number, "Neu GmbH")
    desk.capture()
    assert desk.distribute().counts["written"] == 1
    with desk.hub() as hub:
        assert hub.dead_letters(FLOW) == []
    assert redrive(desk) == 0
    desk.capture()
    desk.distribute()
    assert unit(desk, number)["name"] == "Neu GmbH"


@pytest.mark.fault("T16")
def test_a_redrive_before_the_source_is_read_sends_nothing_older_than_the_target_has(desk: Desk):
    number = desk.load()[0]
    rename(desk, number, "Eins GmbH")
    desk.capture()
    desk.distribute()
    set_aside(desk, number, "Zwei GmbH")
    redrive(desk)
    desk.distribute()  # the journal's head, not the letter of an earlier one
    assert unit(desk, number)["name"] == "Zwei GmbH"
    rename(desk, number, "Drei GmbH")
    desk.capture()
    desk.distribute()
    assert unit(desk, number)["name"] == "Drei GmbH"
    assert redrive(desk) == 0


@pytest.mark.fault("T16")
def test_a_record_that_could_not_be_read_is_fetched_and_mapped_again(desk: Desk):
    number = desk.load()[0]
    path = desk.world.home / "mappings/s4hana/business_partner.read.yaml"
    good = path.read_text(encoding="utf-8")
    line = next(one for one in good.splitlines(keepends=True) if one.startswith("  number: "))
    path.write_text(
        good.replace(
            line, "  number: {expr: BusinessPartner if SearchTerm1 != 'HOLE' else SearchTerm2, required: true}\n"
        )
    )
    desk.world.s4.change(PARTNER, number, SearchTerm1="HOLE", SearchTerm2="")
    assert desk.capture().counts["dead_letter"] == 1
    desk.world.s4.change(PARTNER, number, OrganizationBPName1="Neu GmbH", OrganizationBPName2="")
    path.write_text(good, encoding="utf-8")
    assert redrive(desk) == 1
    desk.capture()
    desk.distribute()
    assert unit(desk, number)["name"] == "Neu GmbH"
    with desk.hub() as hub:
        assert hub.dead_letters(FLOW, SOURCE) == hub.dead_letters(FLOW, TARGET) == []
