"""One mistake that meets everything stops the run: the dead letters are not filled, and nothing is lost."""

import pytest

from l2c.errors import TooManyFailures
from l2c.state.limits import Budget, Failures
from tests.faults.test_brakes import PARTNER, Desk, desk
from tests.integration.world import FLOW, SOURCE, TARGET

__all__ = ["desk"]

REFUSED = {
    "kind": "status",
    "status": 400,
    "times": None,
    "inner": True,
    "method": "POST",
    "body": '{"error": {"code": "invalid", "message": {"value": "Sales org 1010 unknown"}}}',
}


def letters(desk: Desk) -> list[str]:
    with desk.hub() as hub:
        return [letter.key for letter in hub.dead_letters(limit=None)]


@pytest.mark.fault("T12")
def test_a_target_that_refuses_everything_stops_the_run(desk: Desk):
    desk.rule(distribute={TARGET: {"page_size": 5}})
    desk.capture()
    desk.world.shop.fault(path="B2BUnits", **REFUSED)
    for _ in range(3):
        with pytest.raises(
            TooManyFailures, match=r"commerce: \d+ of \d+ records of business_partner fail with '.*: stopped"
        ):
            desk.distribute()
        assert letters(desk) == []
    cell = desk.cell("distribute")
    assert cell.last is not None
    assert "error_budget in config/flows/business_partner.yaml" in cell.last.message
    assert cell.retrying > 0
    desk.world.shop.heal()
    done = desk.distribute()
    assert (done.status, letters(desk)) == ("done", [])
    assert len(desk.numbers()) > 20


@pytest.mark.fault("T12")
def test_a_mapping_that_rejects_everything_sends_nothing(desk: Desk):
    path = desk.world.home / "mappings/commerce/business_partner.unit.write.yaml"
    good = path.read_text(encoding="utf-8")
    desk.capture()
    holes = good.replace("fields:\n", "value_maps: {no_name: {A: B}}\nfields:\n", 1)
    holes = holes.replace("{expr: name, required: true}", "{expr: name, value_map: no_name}", 1)
    path.write_text(holes, encoding="utf-8")
    before = desk.world.shop.last_commit()
    try:
        with pytest.raises(TooManyFailures, match="records of business_partner fail with"):
            desk.distribute()
    finally:
        path.write_text(good, encoding="utf-8")
    assert letters(desk) == []
    assert desk.world.shop.log(after=before) == []


@pytest.mark.fault("T12")
def test_a_read_mapping_that_rejects_everything_moves_no_cursor(desk: Desk):
    path = desk.world.home / "mappings/s4hana/business_partner.read.yaml"
    good = path.read_text(encoding="utf-8")
    assert "  number: BusinessPartner\n" in good
    path.write_text(
        good.replace("  number: BusinessPartner\n", "  number: {expr: SearchTerm2, required: true}\n"), encoding="utf-8"
    )
    try:
        with pytest.raises(TooManyFailures, match=r"s4hana: \d+ of \d+ records of business_partner fail with"):
            desk.capture()
    finally:
        path.write_text(good, encoding="utf-8")
    assert letters(desk) == []
    assert desk.capture().counts["journaled"] >= 40


def test_few_failures_are_set_aside_and_redriven_ones_do_not_count_again(desk: Desk):
    desk.rule(error_budget={"share": 1, "at_least": 4, "most": 4})
    numbers = desk.load()
    desk.world.shop.fault(path="B2BUnits", **REFUSED)
    for number in numbers[:4]:
        desk.world.s4.change(PARTNER, number, OrganizationBPName1=f"Neu {number} GmbH")
    desk.capture()
    assert desk.distribute().counts["dead_letter"] == 4
    assert len(letters(desk)) == 4
    with desk.hub() as hub:
        assert hub.redrive(FLOW, TARGET) == 4
    for number in numbers[4:8]:
        desk.world.s4.change(PARTNER, number, OrganizationBPName1=f"Neu {number} GmbH")
    desk.capture()
    assert desk.distribute().counts["dead_letter"] == 8, "the four of before are no news"
    assert len(letters(desk)) == 8


# The rule alone


def test_equal_failures_are_equal_whatever_numbers_and_values_they_name():
    failures = Failures(FLOW, SOURCE, Budget(share=20, at_least=20, most=50))
    failures.add(
        ("rejected", f"business_partner {number}: country: value 'X{number}' is not known") for number in range(93)
    )
    failures.handled = 100
    error = failures.error()
    assert error is not None
    assert "93 of 100 records of business_partner fail with 'business_partner 0: country" in str(error)
    assert str(error).count("stopped") == 1


@pytest.mark.parametrize(
    ("failed", "handled", "stops"),
    [(20, 20, False), (21, 100, True), (21, 200, False), (50, 100_000, False), (51, 100_000, True), (0, 0, False)],
)
def test_a_share_counts_above_a_least_number_and_a_most_whatever_the_share(failed: int, handled: int, stops: bool):
    failures = Failures(FLOW, SOURCE, Budget(share=20, at_least=20, most=50))
    failures.add([("400", "Sales org 1010 unknown")] * failed)
    failures.add([("400", f"reason {'abcdefghij'[number]}") for number in range(10)])
    failures.handled = handled
    assert (failures.error() is not None) is stops
