"""The story: first load, a second run that writes nothing, an address, a blocked partner, a bad record and its repair.

Nothing here starts a DAG: people change data in the simulated S/4HANA, Airflow's scheduler does the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo import compare
from demo.airflow import BY_ITSELF, Run
from demo.stage import ENTITY, SOURCE, TARGET, Stage

FIRST_LOAD_S = 180.0


@dataclass(slots=True)
class Story:
    """What the steps have in common: whom they chose, what they changed."""

    stage: Stage
    started: float
    seed: Path | None
    told: int = 0
    chosen: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, dict[str, str]] = field(default_factory=dict)

    def partner(self, number: int) -> dict[str, Any]:
        """The n-th partner the story changes: a customer organization with exactly one address."""
        if not self.chosen:
            places = compare.addresses(self.stage.s4)
            customers = compare.customers(self.stage.s4).values()
            self.chosen = [
                {**one, "place": places[one["BusinessPartner"]][0]}
                for one in sorted(customers, key=lambda one: str(one["BusinessPartner"]))
                if len(places.get(one["BusinessPartner"], [])) == 1 and not one["BusinessPartnerIsBlocked"]
            ]
        return self.chosen[number]

    def unit(self, partner: Mapping[str, Any]) -> dict[str, Any]:
        """The partner's unit in the shop."""
        return self.stage.shop.record("B2BUnit", partner["Customer"]) or {}

    def place(self, partner: Mapping[str, Any], **values: str) -> None:
        """Change the partner's address in S/4HANA."""
        key = f"{partner['BusinessPartner']}/{partner['place']['AddressID']}"
        self.stage.s4.change("A_BusinessPartnerAddress", key, **values)


def steps() -> dict[str, Callable[[Story], None]]:
    """The steps by name, in their order."""
    return {
        "first-load": first_load,
        "second-run": second_run,
        "address": address,
        "block": block,
        "bad-record": bad_record,
    }


def first_load(story: Story) -> None:
    """Every partner is read once; the customers among them arrive in the shop."""
    stage = story.stage
    stage.screen.title("First load: the scheduler captures S/4HANA and distributes to the shop")
    wanted = compare.customers(stage.s4)
    stage.wait(
        f"{len(wanted):,} customers arrive in the shop",
        lambda: stage.shop.created("B2BUnit") >= len(wanted) and stage.quiet(),
        timeout=FIRST_LOAD_S,
        bar=lambda bar: bar.at(stage.shop.created("B2BUnit")),
        total=len(wanted),
    )
    green = [run for run in stage.airflow.runs() if run.state == "success" and run.run_type in BY_ITSELF and run.end]
    first = min((run.end.timestamp() for run in green if run.end), default=0.0) - story.started
    partners = sum(1 for _ in stage.s4.records("A_BusinessPartner"))
    read = max((one.counts.get("read", 0) for one in stage.summaries.values() if one.kind == "capture"), default=0)
    stage.figures.update(
        partners_read=read,
        partners_written=len(compare.units(stage.shop)),
        seconds_to_first_green_run=round(first, 1),
    )
    story.told = stage.sums(story.told)
    stage.expect(read == partners, f"{read:,} of {partners:,} partners read")
    stage.expect(stage.figures["partners_written"] == len(wanted), f"{len(wanted):,} customers stand in the shop")
    stage.expect(0 < first <= 120, f"first green run {first:.1f} s after the start, by the scheduler")


def second_run(story: Story) -> None:
    """Nothing changed, so nothing is written."""
    stage = story.stage
    stage.screen.title("Second run: nothing has changed in S/4HANA")
    before, since = stage.shop.writes(), datetime.now(UTC)
    kinds = ("capture", "watch", "distribute")
    stage.wait(
        "capture, watch and distribute run once more", lambda: all(_ran_since(stage, kind, since) for kind in kinds)
    )
    stage.figures["second_run_writes"] = stage.shop.writes() - before
    story.told = stage.sums(story.told)
    stage.expect(stage.figures["second_run_writes"] == 0, f"{stage.figures['second_run_writes']} writes in the shop")


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
    stage.screen.good(f"unit {partner['Customer']} is inactive after {took:.0f} s")


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


def outcome(story: Story) -> None:
    """Where everything stands at the end; fills the rest of the figures."""
    stage = story.stage
    stage.screen.title("Where everything stands")
    stage.wait("the last changes are distributed", stage.quiet)
    cells, runs = stage.cells(), stage.airflow.runs()
    failed = [run for run in runs if run.state == "failed"]
    stage.figures.update(
        sums_met=all(one.sums_met for one in stage.summaries.values()),
        dead_letters_open=sum(cell.dead_letters for cell in cells),
        scheduled_runs=sum(1 for run in runs if run.run_type in BY_ITSELF),
        manual_runs=sum(1 for run in runs if run.run_type not in BY_ITSELF),
    )
    story.told = stage.sums(story.told)
    stage.expect(bool(stage.figures["sums_met"]), f"sums met in each of {len(stage.summaries)} runs of the hub seen")
    stage.expect(stage.figures["dead_letters_open"] == 0, f"{stage.figures['dead_letters_open']} dead letters open")
    stage.expect(
        not failed and stage.figures["manual_runs"] == 0,
        f"{stage.figures['scheduled_runs']} runs by schedule or asset, {stage.figures['manual_runs']} by hand, {len(failed)} failed"
        + "".join(f"; see {stage.airflow.log_of(run)}" for run in failed[:3]),
    )
    stage.expect(stage.airflow.import_errors() == 0, "every DAG file loads")
    states = _states(stage)
    told = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    stage.expect(None not in states and "unknown" not in states, f"every partner has ended: {told}")
    _compare(story)


def _compare(story: Story) -> None:
    stage = story.stage
    found = compare.systems_differ(stage.s4, stage.shop, datetime.now(UTC).date().isoformat())
    stage.expect(not found, f"S/4HANA and shop compared without the hub: {len(found)} unexplained differences")
    if story.seed is not None:
        compared, more = compare.csv_differs(story.seed, stage.shop, story.changed)
        stage.figures.update(compared_values=compared, unexplained_differences=len(more))
        stage.expect(
            not more and compared > 0,
            f"CSV and shop: {compared:,} values compared, {len(more)} unexplained differences",
        )
        found += more
    for line in found[:20]:
        stage.screen.say(line)


def _states(stage: Stage) -> dict[str, int]:
    """How many partners of S/4HANA have ended in which state."""
    letters = {letter.key for letter in stage.hub.dead_letters(ENTITY, limit=None)}
    counts: dict[str, int] = {}
    for key, _ in stage.s4.records("A_BusinessPartner"):
        view = stage.hub.show(ENTITY, key)
        targets = [target.status for target in view.targets if target.target == TARGET] if view else []
        state = "dead letter" if key in letters else targets[0] if targets else "unknown"
        counts[state] = counts.get(state, 0) + 1
    return counts


def _stamp(stage: Stage, partner: Mapping[str, Any]) -> tuple[Any, Any]:
    found = stage.s4.record("A_BusinessPartner", partner["BusinessPartner"]) or {}
    return found.get("LastChangeDate"), found.get("LastChangeTime")


def _ran_since(stage: Stage, kind: str, since: datetime) -> bool:
    def counts(run: Run) -> bool:
        return f".{kind}." in run.dag_id and run.state == "success" and run.start is not None and run.start > since

    return any(counts(run) for run in stage.airflow.runs())
