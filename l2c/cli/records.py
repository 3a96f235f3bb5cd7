"""Records: what one holds, which keys it has, how it stands."""

from typing import TYPE_CHECKING, Annotated

import typer

from l2c.cli import output
from l2c.cli.errors import DONE, FINDINGS
from l2c.cli.options import Flow, Json, Reveal
from l2c.cli.session import known_flow, opened

if TYPE_CHECKING:
    from l2c.state.results import RecordView

RecordKey = Annotated[
    str, typer.Argument(metavar="KEY", help="A native key in any system, or the hub's own number: '#12'.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this noun."""
    app.command()(show)


def show(flow: Flow, key: RecordKey, reveal: Reveal = False, as_json: Json = False) -> None:
    """One record: data, keys, targets.

    Personal data is masked unless --reveal.
    """
    with opened() as hub:
        view = hub.show(known_flow(hub, flow), key, reveal=reveal)
    if view is None:
        output.note(f"{flow}: no record has the key '{key}' in any system; 'l2c keys {flow}' lists them")
        raise typer.Exit(FINDINGS)
    if as_json:
        output.say_json(view)
    else:
        _say(view)
    raise typer.Exit(DONE)


def _say(view: "RecordView") -> None:
    state = ", deleted" if view.deleted else ""
    output.say(f"{view.entity} #{view.record}, born in {view.origin}, journal {view.head_seq}{state}")
    output.say_values(view.data)
    output.say()
    output.table(("system", "path", "key"), [(k.system, k.path, k.native_key) for k in view.keys])
    if view.targets:
        output.say()
        columns = ("target", "mapping", "state", "journal", "settled", "attempts", "due", "code", "message")
        rows = [
            (t.target, t.mapping, t.status, str(t.seq), t.settled, t.attempts, t.due_at, t.code, t.message)
            for t in view.targets
        ]
        output.table(columns, rows)
