"""Flows: check their files, run them, see how they stand."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS, exit_code, messages, worst
from l2c.cli.options import AnyFlow, AnySystem, Flow, Json
from l2c.cli.progress import progress
from l2c.cli.session import capture_systems, distribute_systems, known_flow, opened
from l2c.errors import ConfigError, HubError

POSTPONED, BRAKED = "postponed", "braked"  # as runs end; the state store is not imported for `l2c --help`

if TYPE_CHECKING:
    from l2c.state.results import Cell, Progress, RunSummary

Offline = Annotated[bool, typer.Option("--offline", help="Check the files alone, ask no system for its schema.")]
Sweep = Annotated[bool, typer.Option("--sweep", help="Read everything and compare, instead of what changed.")]
Watch = Annotated[
    str | None, typer.Option("--watch", metavar="SET", help="Compare one flat child set: A_BusinessPartnerAddress.")
]

Allow = Annotated[
    int,
    typer.Option("--allow-deletes", metavar="N", min=0, help="Let this run delete or block so many records; audited."),
]

STATUS_COLUMNS = (
    *("flow", "system", "direction", "last run", "ended", "result", "sums", "inbox", "undecided", "behind", "pending"),
    *("waiting", "retrying", "in doubt", "to decide", "to confirm", "dead letters", "system"),
    "note",
)


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    for verb in (lint, capture, distribute, status):
        app.command()(verb)


def lint(flow: AnyFlow = None, offline: Offline = False, as_json: Json = False) -> None:
    """Check flow and mapping files.

    Against each other and, unless --offline, against the live schemas of both sides.
    """
    with opened() as hub:
        if flow is not None:
            known_flow(hub, flow)
        findings = hub.lint(flow, live=not offline)
    if as_json:
        output.say_json(findings)
    else:
        for each in findings:
            output.say(f"warning: {each}" if each.severity == "warning" else str(each))
        output.note(f"findings: {len(findings)}" if findings else "no findings")
    raise typer.Exit(FINDINGS if findings else DONE)


def capture(
    flow: Flow,
    system: AnySystem = None,
    sweep: Sweep = False,
    watch: Watch = None,
    allow_deletes: Allow = 0,
    as_json: Json = False,
) -> None:
    """Read what changed into the journal.

    Only real changes are appended; the next run resumes where this one ended.
    """
    if sweep and watch:
        raise ConfigError("--sweep and --watch exclude each other: a sweep compares everything already")
    kind = "sweep" if sweep else "watch" if watch else "capture"
    with opened() as hub:
        names = capture_systems(hub, flow, system)
        titles = {name: f"{kind} {flow} from {name}" for name in names}

        def run(name: str, tell: "Progress") -> "RunSummary":
            return hub.capture(flow, name, kind=kind, watch=watch, allow_deletes=allow_deletes, progress=tell)

        code = _each(titles, run, as_json)
    raise typer.Exit(code)


def distribute(flow: Flow, system: AnySystem = None, allow_deletes: Allow = 0, as_json: Json = False) -> None:
    """Write journal changes to the targets.

    And what is due again: woken, returned, its time come.
    """
    with opened() as hub:
        titles = {name: f"distribute {flow} to {name}" for name in distribute_systems(hub, flow, system)}

        def run(name: str, tell: "Progress") -> "RunSummary":
            return hub.distribute(flow, name, allow_deletes=allow_deletes, progress=tell)

        code = _each(titles, run, as_json)
    raise typer.Exit(code)


def _each(titles: Mapping[str, str], run: "Callable[[str, Progress], RunSummary]", as_json: bool) -> int:
    """Run for every system, also after one that failed: a system that is away holds back nobody else."""
    done: list[RunSummary] = []
    codes: list[int] = []
    for system, title in titles.items():
        try:
            with progress(title) as tell:
                summary = run(system, tell)
        except HubError as error:
            codes.append(exit_code(error))
            for line in messages(error):
                output.note(line)
            continue
        done.append(summary)
        codes.append(_code(summary))
        if not as_json:
            output.say(f"{title}: {_told(summary)}")
    if as_json:
        output.say_json(done)
    return worst(codes)


def _code(summary: "RunSummary") -> int:
    settled = summary.status != "failed" and summary.sums_met and not summary.counts.get("dead_letter")
    return DONE if settled else FINDINGS


def _told(summary: "RunSummary") -> str:
    if summary.status == "nothing":
        return "nothing new, nothing due"
    sums = "sums meet" if summary.sums_met else "SUMS DO NOT MEET"
    message = f" ({summary.message})" if summary.message else ""
    return f"run {summary.run} {summary.status}: {output.counts(summary.counts)}; {sums}{message}"


def status(flow: AnyFlow = None, as_json: Json = False) -> None:
    """How every flow stands in every system.

    Last run, whether its sums met, what waits, what is set aside.
    """
    cells: list[Cell] = []
    codes: list[int] = []
    with opened() as hub:
        for name in [known_flow(hub, flow)] if flow is not None else hub.project.flow_names:
            try:
                cells += hub.status(name)
            except HubError as error:  # a flow that does not load must not hide the others
                codes.append(exit_code(error))
                for line in messages(error):
                    output.note(line)
    if as_json:
        output.say_json(cells)
    else:
        output.table(STATUS_COLUMNS, [_status_row(cell) for cell in cells])
    raise typer.Exit(worst([*codes, *(FINDINGS for cell in cells if _wants_attention(cell))]))


def _status_row(cell: "Cell") -> tuple[object, ...]:
    last = cell.last
    run = (last.run, last.ended, last.status, last.sums_met) if last else (None, None, "never ran", None)
    inlet = (cell.inbox or None, cell.undecided or None, cell.behind or None, cell.pending or None)
    waits = (cell.waiting, cell.retrying, cell.in_doubt, cell.to_decide, cell.awaiting_confirmation, cell.dead_letters)
    return (
        cell.entity,
        cell.system,
        cell.kind,
        *run,
        *inlet,
        *(count or None for count in waits),
        cell.breaker,
        _note(cell),
    )


def _note(cell: "Cell") -> str:
    stopped = cell.last.message if cell.last is not None and cell.last.status in (POSTPONED, BRAKED) else ""
    return "; ".join(filter(None, (stopped, cell.note)))


def _wants_attention(cell: "Cell") -> bool:
    failed = cell.last is not None and (cell.last.status in ("failed", BRAKED) or not cell.last.sums_met)
    return failed or cell.dead_letters > 0 or cell.to_decide > 0 or bool(cell.breaker)
