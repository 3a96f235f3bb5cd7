"""What the story is played on: the systems, Airflow, the hub's own state, and what has been seen so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.airflow import Airflow
from demo.sandboxes import Sandbox
from demo.screen import Bar, Screen
from demo.supervisor import Supervisor
from l2c.airflow.matrix import sums
from l2c.hub import Hub
from l2c.state.results import Cell, RunSummary

ENTITY, SOURCE, TARGET = "business_partner", "s4hana", "commerce"
POLL_S = 0.4
ENDED = ("done", "failed", "nothing")


class StoryFailed(Exception):
    """Something did not happen that should have."""


@dataclass(slots=True)
class Stage:
    """Everything a step of the story needs; `figures` end up in the report."""

    screen: Screen
    supervisor: Supervisor
    airflow: Airflow
    s4: Sandbox
    shop: Sandbox
    hub: Hub
    figures: dict[str, int | float | bool] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    summaries: dict[int, RunSummary] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """How the flow stands, with every finished run taken note of."""
        cells = self.hub.status(ENTITY)
        for cell in cells:
            if cell.last is not None and cell.last.status in ENDED:
                self.summaries[cell.last.run] = cell.last
        return cells

    def cell(self, kind: str) -> Cell:
        """One direction of the flow."""
        return next(cell for cell in self.cells() if cell.kind == kind)

    def quiet(self) -> bool:
        """Whether every change in the journal has been distributed and no distribution is under way."""
        cell = self.cell("distribute")
        return cell.behind == 0 and cell.last is not None and cell.last.status in ENDED

    def wait(
        self,
        what: str,
        done: Callable[[], bool],
        *,
        timeout: float = 120.0,
        bar: Callable[[Bar], None] | None = None,
        total: int | None = None,
    ) -> float:
        """Wait until something is so; the seconds it took. Raises StoryFailed after `timeout` seconds."""
        begun = time.monotonic()
        with self.screen.waiting(what, total) as shown:
            while not done():
                if time.monotonic() - begun > timeout:
                    raise StoryFailed(f"waited {timeout:.0f} s in vain: {what}{self._why()}")
                self.supervisor.check()
                self.cells()
                if bar is not None:
                    bar(shown)
                time.sleep(POLL_S)
        return time.monotonic() - begun

    def expect(self, holds: bool, text: str) -> None:
        """A line of the story that must be true."""
        if holds:
            self.screen.good(text)
        else:
            self.screen.bad(text)
            self.broken.append(text)

    def sums(self, since: int = 0) -> int:
        """Print the sums of every run after run `since`; the number of the last one."""
        self.cells()
        shown = sorted(number for number in self.summaries if number > since)
        for number in shown:
            run = self.summaries[number]
            met = "the sums met" if run.sums_met else "THE SUMS DIFFER"
            self.screen.say(f"run {number}, {run.kind} {run.system}: {sums(run)}; {met}")
        return max(self.summaries, default=0)

    def _why(self) -> str:
        failed = [run for run in self.airflow.runs() if run.state == "failed"]
        told = [f"{cell.kind}: {cell.last.message}" for cell in self.cells() if cell.last and cell.last.message]
        logs = [f"failed: {self.airflow.log_of(run)}" for run in failed[-3:]]
        return "".join(f"\n  {line}" for line in (*told, *logs))
