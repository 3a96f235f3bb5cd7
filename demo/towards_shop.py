"""What S/4HANA has and the shop gets: first load, a run that writes nothing, an address, a blocked partner, a bad record."""

from collections.abc import Mapping
from typing import Any

from demo import compare
from demo.airflow import BY_ITSELF
from demo.cast import Story
from demo.stage import ENTITY, READ, SOURCE, WRITE, Stage

FIRST_LOAD_S = 300.0
ACCOUNTS = ("B2BUnit", "Customer")


def first_load(story: Story) -> None:
    """Every partner is read once; who is known to the shop is linked, the other customers arrive there."""
    stage = story.stage
    stage.screen.title(
        "First load: the scheduler reads both systems, links who is known to both, and writes to the shop"
    )
    story.truth = stage.shop.ask("/truth")["units"]
    apart = {name for one in story.undecided for name in one["candidates"]}
    wanted = (compare.customers(stage.s4).keys() | compare.consumers(stage.s4).keys()) - apart
    stage.wait(
        f"{len(wanted):,} customers of S/4HANA arrive in the shop",
        stage.quiet,
        timeout=FIRST_LOAD_S,
        bar=lambda bar: bar.at(stage.shop.written(*ACCOUNTS)),
        total=len(wanted),
    )
    partners = sum(1 for _ in stage.s4.records("A_BusinessPartner"))
    captures = [
        one for one in stage.summaries.values() if (one.entity, one.kind, one.system) == (ENTITY, "capture", "s4hana")
    ]
    written = {(one["entity"], one["key"]) for one in stage.shop.log() if one["entity"] in ACCOUNTS}
    stage.figures.update(
        partners_read=max((one.counts.get("read", 0) for one in captures), default=0),
        partners_written=len(written),
        seconds_to_first_green_run=_first_green_run(story),
    )
    story.told = stage.sums(story.told)
    first = stage.figures["seconds_to_first_green_run"]
    stage.expect(stage.figures["partners_read"] == partners, f"{partners:,} partners read")
    stage.expect(len(written) == len(wanted), f"{len(written):,} of {len(wanted):,} customers stand in the shop")
    stage.expect(0 < first <= 120, f"first green run {first:.1f} s after the start, by the scheduler")
    _meeting(story)


def _meeting(story: Story) -> None:
    """Whom the hub recognised; the shop's generator knows who everybody really is."""
    stage = story.stage
    right, wrong = compare.linked(stage.s4, stage.shop, story.truth)
    listed = stage.open_matches()
    sure, undecided = ({one["unit"] for one in group} for group in (_known(story), story.undecided))
    stage.figures.update(matched=len(right), ambiguous=len(listed))
    if not story.truth:
        return
    stage.expect(
        right == sure and not wrong,
        f"{len(right)} of {len(sure)} units that were there before are linked to their partner, {len(wrong)} to another",
    )
    stage.expect(
        listed == undecided,
        f"{len(listed)} could be one of several: they wait for a person (l2c matches list {ENTITY})",
    )
    twice = compare.doubled(stage.s4, stage.shop, story.truth)
    stage.expect(not twice, f"{len(twice)} created twice")


def _known(story: Story) -> list[dict[str, Any]]:
    return [one for one in story.truth if one["customer"]]


def _first_green_run(story: Story) -> float:
    green = [
        run for run in story.stage.airflow.runs() if run.state == "success" and run.run_type in BY_ITSELF and run.end
    ]
    return round(min((run.end.timestamp() for run in green if run.end), default=story.started) - story.started, 1)


def second_run(story: Story) -> None:
    """Nothing changed, so nothing is written."""
    stage = story.stage
    stage.screen.title("Second run: nothing has changed in either system")
    before = stage.writes()
    for kinds in (READ, WRITE):
        stage.run_all(kinds)
    stage.figures["second_run_writes"] = stage.writes() - before
    story.told = stage.sums(story.told)
    stage.expect(
        stage.figures["second_run_writes"] == 0, f"{stage.figures['second_run_writes']} writes in both systems"
    )


def address(story: Story) -> None:
    """A changed address does not move its partner's change stamp; the watch finds it."""
    stage, partner = story.stage, story.partner(0)
    stage.screen.title(f"An address moves: {partner['BusinessPartnerFullName']} in S/4HANA")
    stamp = _stamp(stage, partner)
    story.place(partner, StreetName="Neue Gasse", HouseNumber="7a")
    story.changed.setdefault(partner["BusinessPartner"], {}).update(STREET="Neue Gasse", BUILDING="7a")
    stage.expect(_stamp(stage, partner) == stamp, f"the partner's change stamp stays {' '.join(map(str, stamp))}")
    took = stage.wait(
        "the new address arrives in the shop",
        lambda: any(one["streetname"] == "Neue Gasse" for one in story.unit(partner).get("addresses", ())),
    )
    story.told = stage.sums(story.told)
    stage.screen.good(f"the shop shows Neue Gasse 7a after {took:.0f} s, though no change stamp moved")


def block(story: Story) -> None:
    """A blocked partner becomes an inactive unit."""
    stage, partner = story.stage, story.partner(1)
    stage.screen.title(f"A partner is blocked: {partner['BusinessPartnerFullName']} in S/4HANA")
    stage.s4.change("A_BusinessPartner", partner["BusinessPartner"], BusinessPartnerIsBlocked=True)
    story.changed.setdefault(partner["BusinessPartner"], {}).update(ACTIVE="false")
    took = stage.wait("the unit becomes inactive", lambda: story.unit(partner).get("active") is False)
    story.told = stage.sums(story.told)
    stage.screen.good(f"unit {partner['uid']} is inactive after {took:.0f} s")


def bad_record(story: Story) -> None:
    """A record that cannot pass becomes a dead letter; it is repaired where it is wrong, and redriven."""
    stage, partner = story.stage, story.partner(2)
    number, name = partner["BusinessPartner"], partner["BusinessPartnerFullName"]
    stage.screen.title(f"A bad record: the country of {name} becomes '??' in S/4HANA")
    good = partner["place"]["Country"]
    story.place(partner, Country="??", StreetName="Hauptstraße")
    stage.wait("the record is set aside", lambda: bool(stage.hub.dead_letters(ENTITY)))
    letter = stage.hub.dead_letters(ENTITY)[0]
    story.told = stage.sums(story.told)
    stage.expect(letter.key == number, f"dead letter {letter.system} {letter.key}: {letter.message}")
    unit = story.unit(partner)
    stage.expect(
        all(one["country"] == good for one in unit["addresses"]),
        f"the shop still shows the last good state, country {good}",
    )
    stage.screen.title(f"Repaired in S/4HANA and redriven: l2c redrive {ENTITY} {SOURCE} --key {number}")
    story.place(partner, Country=good)
    story.changed.setdefault(number, {}).update(STREET="Hauptstraße")
    redriven = stage.hub.redrive(ENTITY, letter.system, key=letter.key)
    took = stage.wait(
        "the repaired record arrives in the shop",
        lambda: (
            any(one["streetname"] == "Hauptstraße" for one in story.unit(partner).get("addresses", ()))
            and not stage.hub.dead_letters(ENTITY)
        ),
    )
    stage.figures["redriven"] = redriven
    story.told = stage.sums(story.told)
    stage.expect(redriven == 1, f"{redriven} redriven, written after {took:.0f} s")


def _stamp(stage: Stage, partner: Mapping[str, Any]) -> tuple[Any, Any]:
    found = stage.s4.record("A_BusinessPartner", partner["BusinessPartner"]) or {}
    return found.get("LastChangeDate"), found.get("LastChangeTime")
