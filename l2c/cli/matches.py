"""Matches: records met in a second system that may be ones the hub knows, and the decision."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from l2c.cli import output
from l2c.cli.groups import noun
from l2c.cli.options import Flow, Json, NativeKey, OfRecord, Reveal, System
from l2c.cli.session import known_flow, known_names, opened

if TYPE_CHECKING:
    from l2c.state.results import Match

OfSystem = Annotated[str | None, typer.Option("--system", help="Only what was met in this system.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]


def register(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    group = noun(app, "matches", "First meetings nobody has decided yet.")
    group.command("list")(list_matches)
    group.command("show")(show_match)
    group.command("accept")(accept_match)
    group.command("reject")(reject_match)


def list_matches(
    flow: Flow, system: OfSystem = None, limit: Limit = 100, reveal: Reveal = False, as_json: Json = False
) -> None:
    """Undecided first meetings.

    A line for each record it may be, with that one's keys and the fields in which they differ; `list` may be left out.
    Personal data is masked unless --reveal.
    """
    with opened() as hub:
        known_names(hub, flow, system)
        found = hub.matches(flow, system, limit=limit + 1, reveal=reveal)
    listed, more = found[:limit], len(found) > limit
    if as_json:
        output.say_json(listed)
    elif listed:
        columns = ("system", "key", "since", "rule", "values", "record", "keys", "differs in")
        output.table(columns, [row for match in listed for row in _rows(match)])
    else:
        output.say("no undecided matches")
    if more:
        output.note("more are not listed; see --limit")
    elif listed and not as_json:
        output.note(f"to decide: l2c matches accept {flow} SYSTEM KEY RECORD, or: l2c matches reject {flow} SYSTEM KEY")


def show_match(flow: Flow, system: System, key: NativeKey, reveal: Reveal = False, as_json: Json = False) -> None:
    """One undecided match, side by side.

    What the system shows beside each record it may be. Personal data is masked unless --reveal.
    """
    with opened() as hub:
        match = hub.match(known_flow(hub, flow), system, key, reveal=reveal)
    if as_json:
        output.say_json(match)
        return
    output.table(("", system, *(f"#{one.record}" for one in match.records)), list(_side_by_side(match)))


def accept_match(flow: Flow, system: System, key: NativeKey, record: OfRecord, as_json: Json = False) -> None:
    """Decide: it is this record.

    The next capture links the two; what waited for the decision goes on with the next distribution.
    """
    with opened() as hub:
        number = hub.accept_match(known_flow(hub, flow), system, key, record)
    if as_json:
        output.say_json({"record": number})
    else:
        output.say(f"'{key}' of {system} is #{number}; the next capture of {system} links them")


def reject_match(flow: Flow, system: System, key: NativeKey, as_json: Json = False) -> None:
    """Decide: it is a record of its own.

    The next capture takes it up as a new one.
    """
    with opened() as hub:
        hub.reject_match(known_flow(hub, flow), system, key)
    if as_json:
        output.say_json({"record": None})
    else:
        output.say(f"'{key}' of {system} is a record of its own; the next capture of {system} takes it up")


def _rows(match: "Match") -> Iterator[tuple[object, ...]]:
    values = ", ".join(f"{path}: {_at(match.data, path.split('.'))}" for path in match.rule.split(","))
    for one in match.records:
        keys = ", ".join(f"{system} {key}" for system, key in one.keys.items())
        yield (
            *(match.system, match.key, match.since, match.rule, values),
            *(f"#{one.record}", keys, ", ".join(one.differs)),
        )


def _side_by_side(match: "Match") -> Iterator[tuple[object, ...]]:
    systems = dict.fromkeys(system for one in match.records for system in one.keys)
    for system in systems:
        yield (
            f"key in {system}",
            match.key if system == match.system else None,
            *(one.keys.get(system) for one in match.records),
        )
    for name, value in match.data.items():
        yield name, _text(value), *(_text(one.data.get(name)) for one in match.records)


def _at(data: Any, path: list[str]) -> str:
    """The values at a path, of every element of a list."""
    if isinstance(data, list):
        return " / ".join(dict.fromkeys(_at(element, path) for element in data))
    if path and isinstance(data, Mapping):
        return _at(data.get(path[0]), path[1:])
    return _text(data)


def _text(value: Any) -> str:
    """A value on one line; elements of lists apart by bars."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " | ".join(_text(element) for element in value)
    if isinstance(value, Mapping):
        return ", ".join(_text(inner) for inner in value.values() if inner not in (None, "", []))
    return str(value).lower() if isinstance(value, bool) else str(value)
