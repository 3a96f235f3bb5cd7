"""The command itself: its verbs, and how any mistake becomes one line and an exit code."""

import logging
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from l2c.cli import (
    adopt,
    audit,
    dead_letters,
    decide,
    flows,
    gates,
    keys,
    mappings,
    matches,
    messages,
    reconcile,
    records,
    state,
    systems,
)
from l2c.cli.errors import INTERNAL, exit_code
from l2c.cli.errors import messages as lines_of
from l2c.errors import HubError

DEBUG = "--debug"
EPILOG = (
    "Exit codes: 0 done, 1 done with dead letters or findings, 2 wrong call or configuration, "
    "3 a system or another process is in the way."
)

app = typer.Typer(
    name="l2c",
    help="Lead-to-Cash Hub: replicates business records between systems.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help comes up in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for noun in (
    systems,
    gates,
    flows,
    reconcile,
    adopt,
    matches,
    dead_letters,
    decide,
    messages,
    mappings,
    keys,
    records,
    audit,
    state,
):
    noun.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"l2c {version('lead-to-cash-hub')}")
        raise typer.Exit


Debug = Annotated[bool, typer.Option(DEBUG, help="Log what happens, show tracebacks; may stand anywhere.")]
Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
]


@app.callback()
def _root(debug: Debug = False, version: Version = False) -> None:  # noqa: ARG001 - its callback has acted by now
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code; nothing raised reaches the user unless `--debug` is given."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in words
    try:
        app(args=[DEBUG] * debug + [word for word in words if word != DEBUG], prog_name="l2c")
    except HubError as error:
        _explain(error, debug)
        sys.exit(exit_code(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence: a defect of ours must not print records or secrets
        at = traceback.extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__
        typer.echo(f"internal error: {kind} at {Path(at.filename).name}:{at.lineno}; repeat with {DEBUG}", err=True)
        if debug:
            traceback.print_exc()
        sys.exit(INTERNAL)


def _explain(error: HubError, debug: bool) -> None:
    for line in lines_of(error):
        typer.echo(line, err=True)
    if debug:
        traceback.print_exc()
