"""Reconcile: what the systems really hold, compared through the mappings."""

from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import Flow, Json
from l2c.cli.progress import progress
from l2c.cli.session import known_names, opened
from l2c.errors import ConfigError

if TYPE_CHECKING:
    from l2c.reconcile import Reconciled

OfSystem = Annotated[str | None, typer.Option("--system", help="Compare only this system with the journal.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="List at most so many records.")]
Show = Annotated[
    list[str] | None,
    typer.Option(
        "--show",
        metavar="CLASS",
        help="List records of this class too, such as dead_letter; may be given several times.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(reconcile)


def reconcile(
    flow: Flow, system: OfSystem = None, limit: Limit = 100, show: Show = None, as_json: Json = False
) -> None:
    """Compare what the systems really hold.

    Every system is read once, whole and live, and compared through the mappings; every record ends in one class. Lists what is
    missing or unexplained, by key and field, never by value; the exit code is 0 when there is nothing of that kind.
    """
    from l2c.reconcile import CLASSES

    wanted = show or []
    for name in wanted:
        if name not in CLASSES:
            raise ConfigError(f"--show: unknown class '{name}'; known: {', '.join(CLASSES)}")
    with opened() as hub:
        known_names(hub, flow, system)
        with progress(f"reconcile {flow}") as tell:
            found = hub.reconcile(flow, system=system, limit=limit, show=wanted, progress=tell)
    if as_json:
        output.say_json({"ok": found.ok, **output.plain(found)})
    else:
        _say(found)
    raise typer.Exit(DONE if found.ok else FINDINGS)


def _say(found: "Reconciled") -> None:
    systems = list(found.systems)
    rows = [
        (name, *(found.systems[system][name] for system in systems), count) for name, count in found.records.items()
    ]
    output.table(("class", *systems, "records"), rows)
    if found.findings:
        output.say()
        output.table(
            ("class", "system", "record", "key", "fields", "reason"),
            [
                (
                    one.verdict,
                    one.system,
                    f"#{one.record}" if one.record is not None else None,
                    one.key,
                    ", ".join(one.fields),
                    one.reason,
                )
                for one in found.findings
            ],
        )
    if found.unlisted:
        output.note(f"{output.number(found.unlisted)} more are not listed; see --limit")
    output.note(
        f"{output.number(found.read)} records read, {output.number(found.looked_twice)} looked at twice, "
        f"{found.seconds:.1f} s, peak memory {found.peak_rss_mb:.0f} MB"
    )
