"""Mappings: put the newest versions of the write mappings in force for a target."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.options import Flow, Json, System
from l2c.cli.session import known_names, opened

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
        known_names(hub, flow, system)
        plans = hub.resend(flow, system, yes=yes)
        if not as_json and not yes and any(_waits(plan) for plan in plans):
            for plan in plans:
                output.say(_told(plan))
            if not _agreed(plans, flow, system):
                return
            plans = hub.resend(flow, system, yes=True)
    if as_json:
        output.say_json(plans)
        return
    for plan in plans:
        output.say(_told(plan))


def _waits(plan: "ResendPlan") -> bool:
    return not plan.done and plan.in_force != plan.current


def _told(plan: "ResendPlan") -> str:
    records = f"{output.number(plan.pending)} records"
    if plan.done:
        return f"{plan.mapping}: version {plan.current} is in force; {records} are due with the next distribution"
    if _waits(plan):
        versions = f"version {plan.in_force} is in force, {plan.current} waits"
        return f"{plan.mapping}: {versions}; {records} would be looked at again"
    return f"{plan.mapping}: version {plan.current} is in force already; nothing to resend"


def _agreed(plans: Sequence["ResendPlan"], flow: str, system: str) -> bool:
    if output.asks():
        total = sum(plan.pending for plan in plans if _waits(plan))
        return typer.confirm(f"Resend {output.number(total)} records to {system}?", err=True)
    output.note(f"to do it: l2c resend {flow} {system} --yes")
    return False
