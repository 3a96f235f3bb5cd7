"""Lost creates nothing can be looked up about: what they are, and what became of them."""

from enum import StrEnum
from typing import Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import AnyFlow, AnySystem, Json
from l2c.cli.session import known_names, opened
from l2c.errors import ConfigError


class Answer(StrEnum):
    """What became of it."""

    SENT = "sent"
    NOT_SENT = "not-sent"


RecordKey = Annotated[
    str | None,
    typer.Argument(metavar="[KEY]", help="The record: a native key in any system, or the hub's number: '#12'."),
]
What = Annotated[
    Answer | None, typer.Argument(metavar="[ANSWER]", help="Whether its create arrived: sent, or not-sent.")
]
As = Annotated[str | None, typer.Option("--as", metavar="KEY", help="The native key it arrived as.")]
Reason = Annotated[str, typer.Option("--reason", help="How you know; kept in the audit log.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(decide)


def decide(
    flow: AnyFlow = None,
    system: AnySystem = None,
    key: RecordKey = None,
    answer: What = None,
    native_key: As = None,
    reason: Reason = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Say whether a lost create arrived.

    Without a key: those that only somebody can tell about.
    """
    with opened() as hub:
        known_names(hub, flow, system)
        if key is None or flow is None or system is None:
            found = hub.decisions(flow, system, limit=limit)
        else:
            if answer is None:
                raise ConfigError(f"{flow} '{key}': say whether it is in {system}: sent --as KEY, or not-sent")
            if answer is Answer.NOT_SENT and native_key is not None:
                raise ConfigError("not-sent and --as exclude each other: what was not sent has no key there")
            sent = answer is Answer.SENT
            number = hub.decide(flow, system, key, sent=sent, native_key=native_key, reason=reason)
            _say_decided(flow, system, number, as_json=as_json)
            return
    if as_json:
        output.say_json(found)
    elif found:
        columns = ("flow", "system", "record", "key", "since", "look after", "message")
        output.table(
            columns, [(d.entity, d.system, f"#{d.record}", d.key, d.since, d.look_after, d.message) for d in found]
        )
    else:
        output.say("nothing to decide")
    raise typer.Exit(FINDINGS if found else DONE)


def _say_decided(flow: str, system: str, number: int, *, as_json: bool) -> None:
    if as_json:
        output.say_json({"entity": flow, "system": system, "record": number})
    else:
        output.say(f"{flow} #{number}: decided; the next distribution to {system} goes on with it")
