"""The end of the story: nothing is written any more, both systems agree, and every figure of the report is filled."""

from datetime import UTC, datetime

from demo import compare
from demo.airflow import BY_ITSELF
from demo.both_ways import numbers
from demo.cast import Story
from demo.stage import ENTITY, READ, TARGET, Stage

ROUNDS = 2  # what was written comes back by the first, and what that might have caused by the second


def outcome(story: Story) -> None:
    """Where everything stands at the end."""
    _echoes(story)
    stage = story.stage
    stage.screen.title("Where everything stands")
    cells, runs = stage.cells(), stage.airflow.runs()
    failed = [run for run in runs if run.state == "failed"]
    twice = compare.doubled(stage.s4, stage.shop, story.truth)
    stage.figures.update(
        sums_met=all(one.sums_met for one in stage.summaries.values()),
        dead_letters_open=sum(cell.dead_letters for cell in cells),
        scheduled_runs=sum(1 for run in runs if run.run_type in BY_ITSELF),
        manual_runs=sum(1 for run in runs if run.run_type not in BY_ITSELF),
        registered=sum(1 for number in numbers(story).values() if stage.s4.record("A_BusinessPartner", number)),
        doubled=len(twice),
    )
    figures = stage.figures
    stage.expect(bool(figures["sums_met"]), f"sums met in each of {len(stage.summaries)} runs of the hub seen")
    stage.expect(figures["dead_letters_open"] == 0, f"{figures['dead_letters_open']} dead letters open")
    stage.expect(
        not failed and figures["manual_runs"] == 0,
        f"{figures['scheduled_runs']} runs by schedule or asset, {figures['manual_runs']} by hand, {len(failed)} failed"
        + "".join(f"; see {stage.airflow.log_of(run)}" for run in failed[:3]),
    )
    stage.expect(stage.airflow.import_errors() == 0, "every DAG file loads")
    stage.expect(
        figures["registered"] == len(story.registered),
        f"{figures['registered']} of {len(story.registered)} who registered are partners of S/4HANA",
    )
    stage.expect(not twice, f"{len(twice)} created twice")
    states = _states(stage)
    told = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    stage.expect("unknown" not in states, f"every partner has ended: {told}")
    _compare(story, twice)


def _echoes(story: Story) -> None:
    """Whatever is written once nobody changes anything is an echo of what the hub wrote itself."""
    stage = story.stage
    stage.screen.title("Nobody changes anything any more")
    stage.wait("the last changes are distributed", stage.quiet)
    before = stage.writes()
    for _ in range(ROUNDS):
        stage.run_all(READ)
        stage.wait("whatever that found is distributed", stage.quiet)
    stage.figures["echo_writes"] = stage.writes() - before
    story.told = stage.sums(story.told)
    stage.expect(
        stage.figures["echo_writes"] == 0, f"{stage.figures['echo_writes']} writes in both systems: nothing echoes"
    )


def _compare(story: Story, found: list[str]) -> None:
    stage = story.stage
    today = datetime.now(UTC).date().isoformat()
    differ = compare.systems_differ(stage.s4, stage.shop, today, story.undecided)
    stage.expect(not differ, f"S/4HANA and shop compared without the hub: {len(differ)} unexplained differences")
    found = found + differ
    if story.seed is not None:
        compared, more = compare.csv_differs(story.seed, stage.shop, story.changed)
        stage.figures.update(compared_values=compared, unexplained_differences=len(more))
        stage.expect(
            not more and compared > 0,
            f"CSV and shop: {compared:,} values compared, {len(more)} unexplained differences",
        )
        found = found + more
    stage.figures["unexplained"] = 0
    for flow in stage.hub.project.flow_names:
        found = found + _reconcile(stage, flow)
    for line in found[:20]:
        stage.screen.say(line)


def _reconcile(stage: Stage, flow: str) -> list[str]:
    """`l2c reconcile`: both systems read live, every record in one class; what nobody can answer for, in words."""
    seen = stage.hub.reconcile(flow)
    wrong = sum(seen.records[name] for name in ("missing_left", "missing_right", "unexplained"))
    stage.figures["unexplained"] += wrong
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in seen.records.items() if count)
    stage.expect(seen.ok, f"l2c reconcile {flow}: {told or 'no record'}; {wrong} unexplained")
    return [f"{one.verdict} {one.system} {one.key} {', '.join(one.fields)} {one.reason}" for one in seen.findings]


def _states(stage: Stage) -> dict[str, int]:
    """How many partners of S/4HANA have ended in which state."""
    letters = {letter.key for letter in stage.hub.dead_letters(ENTITY, limit=None)}
    counts: dict[str, int] = {}
    for key, _ in stage.s4.records("A_BusinessPartner"):
        view = stage.hub.show(ENTITY, key)
        # a unit to one write mapping, nothing to the others
        ended = {target.status for target in view.targets if target.target == TARGET} if view else {"unknown"}
        state = "dead letter" if key in letters else min(ended - {"filtered"}, default="filtered")
        counts[state] = counts.get(state, 0) + 1
    return counts
