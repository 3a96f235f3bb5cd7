"""Systems as the hub treats them: whether requests go out, and letting them out again."""

from typing import Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.groups import noun
from l2c.cli.options import Json, System
from l2c.cli.session import known_system, opened

Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    group = noun(app, "systems", "Whether requests go out to the systems.")
    group.command("list")(list_systems)
    group.command("reopen")(reopen)


def list_systems(as_json: Json = False) -> None:
    """Whether requests go out to each system, and if not, why and until when."""
    with opened() as hub:
        found = hub.systems()
    if as_json:
        output.say_json(found)
    else:
        columns = ("system", "requests", "rate", "since", "until", "reason")
        output.table(columns, [(s.system, WORDS[s.state], _rate(s.rate), s.since, s.until, s.reason) for s in found])
    raise typer.Exit(FINDINGS if any(one.state != "closed" for one in found) else DONE)


WORDS = {"closed": "go out", "open": "away", "locked": "stopped"}


def _rate(rate: float | None) -> str:
    return f"{rate:g}/s" if rate is not None else ""


def reopen(system: System, reason: Reason = "", as_json: Json = False) -> None:
    """Let requests go out to a system again.

    After its login was repaired, or when it is known to be back. The next run tries it.
    """
    with opened() as hub:
        opened_again = hub.reopen(known_system(hub, system), reason)
    if as_json:
        output.say_json({"system": system, "reopened": opened_again})
    else:
        output.say(f"{system}: requests go out {'again' if opened_again else 'already'}")
