"""Keys: which native keys belong to one record, and links made by hand."""

import csv
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.groups import noun
from l2c.cli.options import Flow, Json, NativeKey, OfRecord, System
from l2c.cli.session import known_flow, known_names, opened

if TYPE_CHECKING:
    from l2c.state.results import KeyImport

OfSystem = Annotated[str | None, typer.Option("--system", help="Only keys of this system.")]
OfSystems = Annotated[list[str] | None, typer.Option("--system", help="Only this system; may be given several times.")]
Key = Annotated[str | None, typer.Option("--key", help="Only the record with this native key, in whatever system.")]
OtherKey = Annotated[
    str, typer.Argument(metavar="OTHER", help="The native key to exchange it with, in the same system.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]
File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="CSV: the first line names systems, each other line the keys of one record."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Link what the file says, not only check it.")]


def register(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    group = noun(app, "keys", "The native keys of records.")
    group.command("list")(list_keys)
    group.command("export")(export_keys)
    group.command("import")(import_keys)
    group.command("link")(link_key)
    group.command("move")(move_key)
    group.command("swap")(swap_keys)


def list_keys(flow: Flow, system: OfSystem = None, key: Key = None, limit: Limit = 100, as_json: Json = False) -> None:
    """The native keys of records.

    Which keys in which systems belong to one record. `list` may be left out.
    """
    with opened() as hub:
        known_names(hub, flow, system)
        found = hub.keys(flow, system=system, key=key, limit=limit)
    if as_json:
        output.say_json(found)
    elif found:
        output.table(
            ("record", "system", "path", "key", "element"),
            [(f"#{k.record}", k.system, k.path, k.native_key, k.element) for k in found],
        )
    else:
        output.say("no keys")


def export_keys(flow: Flow, system: OfSystems = None, as_json: Json = False) -> None:
    """All keys as CSV, as import takes it.

    A column for each system, a line for each record; with --json one JSON object a line.
    """
    with opened() as hub:
        rows = hub.export_keys(known_flow(hub, flow), system or ())
        try:
            if as_json:
                head = next(rows)
                for row in rows:
                    output.say_json({name: key for name, key in zip(head, row, strict=True) if key}, indent=None)
            else:
                csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has enough; nothing is to be said at the end of the process either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def import_keys(flow: Flow, file: File, yes: Yes = False, as_json: Json = False) -> None:
    """Link keys known from elsewhere.

    The file is checked as a whole, also against both systems; without --yes nothing is linked. What is linked before the first
    load of a system needs no match rule.
    """
    with opened() as hub:
        done = hub.import_keys(known_flow(hub, flow), file, yes=yes)
    if as_json:
        output.say_json(done)
        return
    output.say(_told(done))
    if not done.done and any(done.links.values()):
        output.note(f"to do it: l2c keys import {flow} {file} --yes")


def link_key(flow: Flow, system: System, key: NativeKey, record: OfRecord, as_json: Json = False) -> None:
    """Link a key to a record by hand.

    The key must exist in its system and the record have none there; the next capture and distribution settle what follows.
    """
    with opened() as hub:
        number = hub.link_key(known_flow(hub, flow), system, key, record)
    _say(number, f"'{key}' of {system} is linked to #{number}", as_json)


def move_key(flow: Flow, system: System, key: NativeKey, record: OfRecord, as_json: Json = False) -> None:
    """Give a key to another record.

    For a link that is wrong; the next capture and distribution settle what follows. A record that is left without any key
    becomes a part of the other one.
    """
    with opened() as hub:
        number = hub.move_key(known_flow(hub, flow), system, key, record)
    _say(number, f"'{key}' of {system} belongs to #{number} now", as_json)


def swap_keys(flow: Flow, system: System, key: NativeKey, other: OtherKey, as_json: Json = False) -> None:
    """Exchange two keys that were linked crosswise.

    Each record gets the key of the other one in that system, at once; the next capture and distribution settle what follows.
    """
    with opened() as hub:
        first, second = hub.swap_keys(known_flow(hub, flow), system, key, other)
    if as_json:
        output.say_json({key: first, other: second})
    else:
        output.say(f"'{key}' of {system} belongs to #{first} now, '{other}' to #{second}")


def _say(number: int, text: str, as_json: bool) -> None:
    if as_json:
        output.say_json({"record": number})
    else:
        output.say(text)


def _told(done: "KeyImport") -> str:
    links = ", ".join(f"{output.number(count)} in {system}" for system, count in done.links.items() if count)
    verb = "linked" if done.done else "to link"
    lines, present = output.number(done.rows), output.number(done.present)
    return f"{lines} records, {present} keys are linked already; {verb}: {links or 'nothing'}"
