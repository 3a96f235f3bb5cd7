"""Progress of a long step: a moving bar for a person, a line now and then for a log."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from l2c.cli import output
from l2c.state.results import Progress

LINE_EVERY_S = 5.0


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """What the step calls with its counts so far; everything goes to standard error."""
    if output.on_terminal():
        with _bar(title) as update:
            yield update
    else:
        yield _lines(title)


def _lines(title: str) -> Progress:
    last = monotonic()

    def update(counts: Mapping[str, int]) -> None:
        nonlocal last
        if monotonic() - last >= LINE_EVERY_S:
            last = monotonic()
            output.note(f"{title}: {output.counts(counts)} so far")

    return update


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(file=sys.stderr)  # rich itself heeds NO_COLOR
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, counts="")
        yield lambda counts: bar.update(task, counts=output.counts(counts))
