"""What the demo prints: bars and colours on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

EVERY_S = 5.0


class Screen:
    """Prints the story; every line begins with the seconds since the start."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.live = sys.stdout.isatty()
        self.console = Console(highlight=False, soft_wrap=True, no_color=None if self.live else True)

    def title(self, text: str) -> None:
        """A new step of the story."""
        self.console.print()
        self._line(text, style="bold")

    def say(self, text: str) -> None:
        """A line below a step."""
        self._line(f"  {text}")

    def good(self, text: str) -> None:
        """Something that came out as expected."""
        self._line(f"  ✓ {text}", style="green")

    def bad(self, text: str) -> None:
        """Something that did not."""
        self._line(f"  ✗ {text}", style="red")

    def plain(self, text: str) -> None:
        """A line without time."""
        self.console.print(escape(text))

    @contextmanager
    def waiting(self, what: str, total: int | None = None) -> Iterator["Bar"]:
        """Shows how far something is until the block ends."""
        if not self.live:
            yield Bar(self, what, total)
            return
        columns = [SpinnerColumn(), TextColumn("  {task.description}")]
        if total is not None:
            columns += [BarColumn(), MofNCompleteColumn()]
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as progress:
            task = progress.add_task(escape(what), total=total)
            yield Bar(self, what, total, lambda done: progress.update(task, completed=done))

    def _line(self, text: str, style: str | None = None) -> None:
        self.console.print(f"{time.time() - self.started:6.1f} s  {escape(text)}", style=style)


class Bar:
    """Takes note of progress; without a terminal it prints a line now and then, when something moved."""

    def __init__(self, screen: Screen, what: str, total: int | None, update: object = None) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._update = update
        self._next = time.monotonic() + EVERY_S
        self._last: int | None = None

    def at(self, done: int) -> None:
        """So many are done."""
        if callable(self._update):
            self._update(done)
        elif time.monotonic() >= self._next and done != self._last:
            self._next = time.monotonic() + EVERY_S
            self._last = done
            of = f" of {self._total:,}" if self._total is not None else ""
            self._screen.say(f"{self._what}: {done:,}{of}")
