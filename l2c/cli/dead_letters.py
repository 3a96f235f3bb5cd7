"""Dead letters: records set aside, their reason, and a second try."""

from typing import Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import AnyFlow, AnySystem, Json, Reveal
from l2c.cli.session import known_names, opened

Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]
Key = Annotated[str | None, typer.Option("--key", help="Only the record with this native key.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command("dead-letters")(dead_letters)
    app.command()(redrive)


def dead_letters(
    flow: AnyFlow = None, system: AnySystem = None, limit: Limit = 100, reveal: Reveal = False, as_json: Json = False
) -> None:
    """Records set aside, with their reasons.

    Personal data in a system's own words is masked unless --reveal.
    """
    with opened() as hub:
        known_names(hub, flow, system)
        found = hub.dead_letters(flow, system, limit=limit, reveal=reveal)
    if as_json:
        output.say_json(found)
    elif found:
        columns = ("id", "flow", "system", "direction", "key", "since", "attempts", "code", "message")
        output.table(
            columns,
            [(d.id, d.entity, d.system, d.direction, d.key, d.since, d.attempts, d.code, d.message) for d in found],
        )
        output.note(
            "after the repair: l2c redrive" + (f" {flow}" if flow else "") + (f" {system}" if flow and system else "")
        )
    else:
        output.say("no dead letters")
    raise typer.Exit(FINDINGS if found else DONE)


def redrive(flow: AnyFlow = None, system: AnySystem = None, key: Key = None, as_json: Json = False) -> None:
    """Give dead letters another try.

    The next capture or distribution takes them up.
    """
    with opened() as hub:
        known_names(hub, flow, system)
        count = hub.redrive(flow, system, key=key)
    if as_json:
        output.say_json({"redriven": count})
    else:
        output.say(f"{output.number(count)} dead letters are due again with the next run")
