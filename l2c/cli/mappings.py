"""Mappings: put the newest version of a write mapping in force for a target."""

from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE
from l2c.cli.options import Flow, Json, System
from l2c.cli.session import distribute_systems, opened

if TYPE_CHECKING:
    from l2c.state.results import ResendPlan

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command()(resend)


def resend(flow: Flow, system: System, yes: Yes = False, as_json: Json = False) -> None:
    """Put a changed write mapping in force.

    Every record of the target becomes due again; the number is shown and asked about first.
    """
    with opened() as hub:
        distribute_systems(hub, flow, system)
        plan = hub.resend(flow, system, yes=yes)
        if not plan.done and plan.in_force != plan.current and not as_json:
            output.say(_counted(plan))
            if not _agreed(plan, flow, system):
                raise typer.Exit(DONE)
            plan = hub.resend(flow, system, yes=True)
    if as_json:
        output.say_json(plan)
    elif plan.done:
        due = f"{output.number(plan.pending)} records are due with the next distribution"
        output.say(f"{plan.mapping}: version {plan.current} is in force; {due}")
    else:
        output.say(f"{plan.mapping}: version {plan.current} is in force already; nothing to resend")


def _counted(plan: "ResendPlan") -> str:
    versions = f"version {plan.in_force} is in force, {plan.current} waits"
    return f"{plan.mapping}: {versions}; {output.number(plan.pending)} records would be looked at again"


def _agreed(plan: "ResendPlan", flow: str, system: str) -> bool:
    if output.asks():
        return typer.confirm(f"Resend {output.number(plan.pending)} records to {system}?", err=True)
    output.note(f"to do it: l2c resend {flow} {system} --yes")
    return False
