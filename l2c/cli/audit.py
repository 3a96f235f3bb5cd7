"""The audit log: what people did, and whether anybody changed it afterwards."""

from typing import Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.groups import noun
from l2c.cli.options import Json
from l2c.cli.session import opened
from l2c.errors import ConfigError

SHORTEST = 8
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many, the newest first.")]
Head = Annotated[
    str, typer.Option("--head", metavar="HASH", help="A hash noted earlier: it must still be in the chain.")
]


def register(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    group = noun(app, "audit", "What people did: redrives, links, decisions.")
    group.command("list")(list_entries)
    group.command("verify")(verify)


def list_entries(limit: Limit = 100, as_json: Json = False) -> None:
    """The newest entries.

    Who did what, and when.
    """
    with opened() as hub:
        found = hub.audit(limit=limit).newest
    if as_json:
        output.say_json(found)
    elif found:
        rows = [(e.id, output.moment(e.at), e.who, e.what, e.entity, e.system, e.detail) for e in found]
        output.table(("entry", "at", "who", "what", "flow", "system", "detail"), rows)
    else:
        output.say("no entries")


def verify(head: Head = "", as_json: Json = False) -> None:
    """Whether the log is whole.

    Every entry carries a hash over itself and the one before: one that was changed, put elsewhere or taken away shows. Note
    the hash it prints outside the hub: given as --head later, it proves that nothing up to there was rewritten.
    """
    if head and (len(head) < SHORTEST or any(c not in "0123456789abcdefABCDEF" for c in head)):
        raise ConfigError(f"--head: at least {SHORTEST} hexadecimal digits of a hash that 'l2c audit verify' printed")
    with opened() as hub:
        found = hub.audit(head=head)
    if as_json:
        output.say_json(
            {"ok": found.ok, "entries": found.entries, "head": found.head, "findings": list(found.findings)}
        )
    else:
        for line in found.findings:
            output.say(line)
        state = "whole" if found.ok else "NOT whole"
        output.say(f"{output.number(found.entries)} entries, {state}; newest hash {found.head or '-'}")
    raise typer.Exit(DONE if found.ok else FINDINGS)
