"""The state store: what is old enough goes."""

from datetime import timedelta
from typing import Annotated

import typer

from l2c.cli import output
from l2c.cli.options import Json
from l2c.cli.session import opened
from l2c.errors import ConfigError

Age = Annotated[str, typer.Option("--older-than", metavar="DURATION", help="An ISO 8601 duration: P90D, PT12H.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command()(purge)


def purge(older_than: Age, as_json: Json = False) -> None:
    """Remove old history.

    Only what nothing needs any more; the newest state of every record stays.
    """
    age = _duration(older_than)
    with opened() as hub:
        removed = hub.purge(age)
    if as_json:
        output.say_json(removed)
    else:
        output.say(f"removed: {output.counts(removed)}")


def _duration(text: str) -> timedelta:
    from l2c.config import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--older-than: {error}") from None
