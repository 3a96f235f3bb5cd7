"""What the Hub page works out of the hub's cells."""

from datetime import UTC, datetime, timedelta

import pytest

from l2c.airflow.matrix import Refused, ago, matrix, sums
from l2c.state.messages import MessageRow
from l2c.state.results import Cell, RunSummary

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def ran(kind: str, *, status: str = "done", met: bool = True, message: str = "", **counts: int) -> RunSummary:
    started = NOW - timedelta(minutes=3)
    return RunSummary(7, "thing", kind, "x", status, counts, met, started, NOW - timedelta(minutes=2), message)


def test_entities_are_rows_and_systems_columns() -> None:
    cells = [
        Cell("order", "shop", "capture", None),
        Cell("thing", "erp", "capture", None),
        Cell("thing", "shop", "distribute", None),
        Cell("thing", "shop", "capture", None),
    ]
    shown = matrix(cells, NOW)
    assert shown.systems == ("erp", "shop")
    kinds = [(entity, [[half.dag_id for half in halves] for halves in fields]) for entity, fields in shown.rows]
    assert kinds == [
        ("order", [[], ["order.capture.shop"]]),
        ("thing", [["thing.capture.erp"], ["thing.capture.shop", "thing.distribute.shop"]]),
    ]


def test_the_sum_of_a_run_leaves_out_what_is_zero() -> None:
    assert sums(ran("capture", read=1000, journaled=800, filtered=200, unchanged=0)) == (
        "1,000 read = 800 journaled + 200 filtered"
    )
    assert sums(ran("distribute", due=3, written=2, in_doubt=1)) == "3 due = 2 written + 1 in doubt"
    assert sums(ran("distribute")) == "0 due"


@pytest.mark.parametrize(
    ("cell", "tone", "status"),
    [
        (Cell("thing", "x", "capture", None), "idle", "Not run yet"),
        (Cell("thing", "x", "capture", ran("capture")), "good", "Done"),
        (Cell("thing", "x", "capture", ran("capture", status="running")), "info", "Running"),
        (Cell("thing", "x", "capture", ran("capture", status="failed", met=False)), "bad", "Failed"),
        (Cell("thing", "x", "capture", ran("capture", status="postponed")), "warn", "Postponed"),
        (Cell("thing", "x", "distribute", ran("distribute", status="braked")), "bad", "Braked"),
        (Cell("thing", "x", "distribute", ran("distribute"), breaker="away: 503"), "warn", "Done"),
        (Cell("thing", "x", "distribute", ran("distribute"), to_decide=1), "warn", "Done"),
        (Cell("thing", "x", "distribute", ran("distribute"), dead_letters=1), "warn", "Done"),
        (Cell("thing", "x", "distribute", ran("distribute"), behind=5), "good", "Done"),
    ],
)
def test_the_colour_tells_how_it_stands(cell: Cell, tone: str, status: str) -> None:
    half = matrix([cell], NOW).rows[0][1][0][0]
    assert (half.tone, half.status) == (tone, status)


def test_only_what_is_open_gets_a_number() -> None:
    cell = Cell("thing", "x", "distribute", ran("distribute"), waiting=2, dead_letters=1, pending=4)
    chips = matrix([cell], NOW).rows[0][1][0][0].chips
    assert [(chip.count, chip.label) for chip in chips] == [(1, "dead letter"), (2, "waiting"), (4, "pending resend")]


def test_the_reason_of_a_failed_run_is_shown() -> None:
    cell = Cell("thing", "x", "capture", ran("capture", status="failed", message="erp refused the user"), note="look")
    assert matrix([cell], NOW).rows[0][1][0][0].note == "erp refused the user · look"


def test_totals_add_up_over_all_cells() -> None:
    cells = [
        Cell("thing", "x", "capture", ran("capture", status="failed", met=False), dead_letters=1),
        Cell("thing", "y", "distribute", ran("distribute"), dead_letters=2, waiting=5, behind=7),
    ]
    totals = {chip.label: (chip.count, chip.tone) for chip in matrix(cells, NOW).totals}
    assert totals["last runs failed"] == (1, "bad")
    assert totals["dead letters"] == (3, "bad")
    assert totals["waiting"] == (5, "warn")
    assert totals["in doubt"] == (0, "good")
    assert totals["changes under way"] == (7, "info")


def test_what_a_system_sent_and_is_not_worked_off_stands_at_its_name() -> None:
    row = MessageRow(7, "crm", None, NOW, "failed", "the body is not JSON", 3)
    shown = matrix([Cell("thing", "x", "capture", None)], NOW, messages={"crm": {"failed": 1, "new": 2}}, refused=[row])
    assert shown.systems == ("crm", "x")
    assert [(chip.count, chip.label, chip.tone) for chip in shown.messages["crm"]] == [
        (1, "message failed", "bad"),
        (2, "messages to be worked off", "info"),
    ]
    assert shown.refused == (Refused("crm", 7, "2026-03-02 08:00:00 UTC", "the body is not JSON"),)
    assert (shown.totals[-1].count, shown.totals[-1].label, shown.totals[-1].tone) == (1, "messages failed", "bad")
    assert matrix([], NOW).totals[-1].label == "changes under way"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (40, "40 s ago"),
        (150, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (432_000, "5 days ago"),
    ],
)
def test_an_age_is_told_roughly(seconds: int, text: str) -> None:
    assert ago(timedelta(seconds=seconds)) == text


def test_a_system_that_is_kept_apart_is_a_total_and_its_reason_stands_with_each_flow() -> None:
    cells = [
        Cell("thing", "erp", "capture", ran("capture"), breaker="stopped: its login was refused 2 times"),
        Cell(
            "thing", "erp", "distribute", ran("distribute", status="braked"), breaker="stopped: its login was refused"
        ),
        Cell("thing", "shop", "distribute", ran("distribute")),
    ]
    shown = matrix(cells, NOW)
    totals = {chip.label: (chip.count, chip.tone) for chip in shown.totals}
    assert totals["system kept apart"] == (1, "bad")
    assert totals["last runs failed"] == (1, "bad")
    assert "stopped: its login was refused 2 times" in shown.rows[0][1][0][0].note
    calm = {chip.label for chip in matrix(cells[2:], NOW).totals}
    assert "system kept apart" not in calm
