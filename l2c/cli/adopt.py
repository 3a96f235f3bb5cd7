"""Adopt: what was created since the copy was taken that the state store was restored from."""

from typing import TYPE_CHECKING

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import Flow, Json, System
from l2c.cli.progress import progress
from l2c.cli.session import known_flow, known_system, opened

if TYPE_CHECKING:
    from l2c.state.results import Adopted


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(adopt)


def adopt(flow: Flow, system: System, as_json: Json = False) -> None:
    """Adopt what a restored store does not know.

    After the state store was restored from an older copy: sweeps the flow's systems, looks in SYSTEM for every record that has
    no key there, and links what the hub created since the copy was taken. Pause the DAGs before; run it for every system the
    flow is distributed to.
    """
    with opened() as hub:
        names = known_flow(hub, flow), known_system(hub, system)
        with progress(f"adopt {flow} {system}") as tell:
            found = hub.adopt(*names, progress=tell)
    if as_json:
        output.say_json(found)
    else:
        _say(found)
    raise typer.Exit(FINDINGS if found.doubled else DONE)


def _say(found: "Adopted") -> None:
    output.say(
        f"{found.entity} in {found.system}: {output.number(found.asked)} records had no key there; "
        f"{output.number(found.linked)} found and linked, {output.number(found.doubled)} found more than once, "
        f"{output.number(found.absent)} not found"
    )
    if found.doubled:
        output.note("the next distribution names those found more than once; see l2c dead-letters list")
    output.note(f"next: l2c adopt for each other target of the flow, then l2c reconcile {found.entity}")
