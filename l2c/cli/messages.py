"""Messages: what systems sent to the hub, and what became of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import AnySystem, Json
from l2c.cli.session import known_names, opened
from l2c.errors import ConfigError

if TYPE_CHECKING:
    from l2c.state.messages import MessageRow

STATES = ("new", "done", "failed")  # as messages end; the state store is not imported for `l2c --help`
COLUMNS = ("id", "system", "received", "age", "state", "message id", "bytes", "detail")

State = Annotated[str | None, typer.Option("--state", metavar="STATE", help="Only new, done or failed ones.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many, the newest first.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command()(messages)


def messages(system: AnySystem = None, state: State = None, limit: Limit = 100, as_json: Json = False) -> None:
    """Messages systems sent to the hub.

    With what became of each, never with what it says; status counts the writes that await a confirmation.
    """
    if state is not None and state not in STATES:
        raise ConfigError(f"--state: '{state}' is none of {', '.join(STATES)}")
    with opened() as hub:
        known_names(hub, None, system)
        found = hub.messages(system, state=state, limit=limit)
        now = hub.now()
    ages = [round((now - row.received).total_seconds()) for row in found]
    if as_json:
        output.say_json(
            [{**output.plain(row), "age_s": age} for row, age in zip(found, ages, strict=True)],
        )
    elif found:
        output.table(COLUMNS, [_row(row, age) for row, age in zip(found, ages, strict=True)])
    else:
        output.say("no messages")
    raise typer.Exit(FINDINGS if any(row.state == "failed" for row in found) else DONE)


def _row(row: "MessageRow", age: int) -> tuple[object, ...]:
    return row.id, row.system, row.received, _age(age), row.state, row.message_id, row.size, row.detail


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
