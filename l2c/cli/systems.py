"""Systems: does one answer, what does it offer, what does it hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, NOT_NOW, exit_code, messages, worst
from l2c.cli.options import AnySystem, Entity, Json, Reveal, System
from l2c.cli.session import known_system, opened
from l2c.errors import HubError

if TYPE_CHECKING:
    from l2c.contract import FieldSchema, Health, Record
    from l2c.hub import Hub

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="CURSOR", help="Only what changed at or after this cursor of the system."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many records.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command()(check)
    app.command()(describe)
    app.command()(read)


def check(system: AnySystem = None, as_json: Json = False) -> None:
    """Does each system answer?

    And does it accept the credentials of its connection?
    """
    with opened() as hub:
        names = [known_system(hub, system)] if system else list(hub.project.systems)
        found = [_checked(hub, name) for name in names]
    if as_json:
        output.say_json([{"system": name, **output.plain(health)} for name, health, _ in found])
    else:
        output.table(
            ("system", "state", "latency", "clock", "message"), [_row(name, health) for name, health, _ in found]
        )
    raise typer.Exit(worst([code for _, _, code in found]))


def _checked(hub: "Hub", name: str) -> "tuple[str, Health, int]":
    from l2c.contract import Health

    try:
        health = hub.check(name)
    except HubError as error:  # one system that cannot even be called must not hide the others
        return name, Health(ok=False, message="; ".join(messages(error))), exit_code(error)
    return name, health, DONE if health.ok else NOT_NOW


def _row(name: str, health: "Health") -> tuple[object, ...]:
    clock = "" if health.clock_skew_s is None else f"{health.clock_skew_s:+.0f} s"
    latency = f"{health.latency_ms:.0f} ms" if health.latency_ms else ""
    return name, "ok" if health.ok else "failed", latency, clock, health.message.removeprefix(f"{name}: ")


def describe(system: System, entity: Entity, as_json: Json = False) -> None:
    """The fields of a native entity.

    Taken from the system's own metadata where it has one.
    """
    with opened() as hub:
        schema = hub.describe(known_system(hub, system), entity)
    if as_json:
        output.say_json(schema)
        return
    parent = f", parent {schema.parent}" if schema.parent else ""
    output.say(
        f"{system} {entity}: key {schema.key}, delta {schema.delta}, safe by {schema.safe_by}{parent}, known from {schema.evidence}"
    )
    columns = ("field", "type", "length", "empty", "create", "change", "filter", "label")
    output.table(columns, [_field_row(path, each) for path, each in schema.fields.items()])


def _field_row(path: str, field: "FieldSchema") -> tuple[object, ...]:
    length = field.length if field.precision is None else f"{field.precision},{field.scale or 0}"
    kind = f"{field.type} []" if field.many else field.type
    return path, kind, length, field.nullable, field.creatable, field.updatable, field.filterable, field.label


def read(
    system: System,
    entity: Entity,
    since: Since = None,
    limit: Limit = None,
    reveal: Reveal = False,
    as_json: Json = False,
) -> None:
    """Records as their system shows them.

    Only the shape of their values (Xxxxx 99) unless --reveal; with --json one JSON object a line.
    """
    with opened() as hub:
        for record in hub.read(known_system(hub, system), entity, since=since, limit=limit):
            _say_record(record, reveal=reveal, as_json=as_json)


def _say_record(record: "Record", *, reveal: bool, as_json: bool) -> None:
    data = record.data if reveal else output.masked(record.data)
    if as_json:
        output.say_json({**output.plain(record), "data": output.plain(data)}, indent=None)
        return
    state = " deleted" if record.deleted else ""
    output.say(f"{record.key}  changed {output.moment(record.changed_at)}{state}")
    output.say_values(data)
