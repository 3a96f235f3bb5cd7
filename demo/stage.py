"""What the story is played on: the systems, Airflow, the hub's own state, and what has been seen so far."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from demo.airflow import Airflow, Run
from demo.sandboxes import Sandbox
from demo.screen import Bar, Screen
from demo.supervisor import Supervisor
from l2c.airflow.matrix import sums
from l2c.hub import Hub
from l2c.state.results import Cell, RunSummary

ENTITY, CONTACT = "business_partner", "contact"
SOURCE, TARGET = "s4hana", "commerce"
POLL_S = 0.4
ENDED = ("done", "failed", "nothing")
READ, WRITE = ("capture", "watch"), ("distribute",)


class StoryFailed(Exception):
    """Something did not happen that should have."""


@dataclass(slots=True)
class Stage:
    """Everything a step of the story needs; `figures` end up in the report, `inbox_login` is what lets the shop send to the hub."""

    screen: Screen
    supervisor: Supervisor
    airflow: Airflow
    s4: Sandbox
    shop: Sandbox
    hub: Hub
    inbox_login: Mapping[str, str]
    figures: dict[str, int | float | bool] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    summaries: dict[int, RunSummary] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """How the flows stand, with every finished run taken note of."""
        cells = self.hub.status()
        for cell in cells:
            if cell.last is not None and cell.last.status in ENDED:
                self.summaries[cell.last.run] = cell.last
        return cells

    def has(self, flow: str) -> bool:
        """Whether this flow is configured."""
        return flow in self.hub.project.flow_names

    def quiet(self) -> bool:
        """Whether everything was read once, what was found has been distributed, and nothing is to be tried again."""
        cells = self.cells()
        read = {(run.entity, run.system) for run in self.summaries.values() if run.kind == "capture"}
        return all(
            (cell.entity, cell.system) in read and not cell.inbox
            if cell.kind == "capture"
            else (cell.last is None or cell.last.status in ENDED)
            and not (cell.behind or cell.retrying or cell.in_doubt)
            for cell in cells
        )

    def writes(self) -> int:
        """How many writes came through the interfaces of both systems so far."""
        return self.s4.writes() + self.shop.writes()

    def open_matches(self) -> set[str]:
        """Keys of the shop's records that may be one of several partners, as the hub lists them."""
        return {one.key for one in self.hub.matches(ENTITY, TARGET, limit=None)}

    def run_all(self, kinds: Iterable[str]) -> None:
        """Wait until each DAG of these kinds has begun and ended a run from now on."""
        since = datetime.now(UTC)
        self.wait(f"{' and '.join(kinds)} run once more", lambda: self._ran_since(kinds, since))

    def wait(
        self,
        what: str,
        done: Callable[[], bool],
        *,
        timeout: float = 240.0,
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
        """Print the sums of every run after run `since` that found or did something; the number of the last one."""
        self.cells()
        for number in sorted(number for number in self.summaries if number > since):
            run = self.summaries[number]
            if run.sums_met and not _moved(run):
                continue
            met = "the sums met" if run.sums_met else "THE SUMS DIFFER"
            self.screen.say(f"run {number}, {run.entity} {run.kind} {run.system}: {sums(run)}; {met}")
        return max(self.summaries, default=0)

    def _ran_since(self, kinds: Iterable[str], since: datetime) -> bool:
        """Whether each DAG of these kinds has begun and ended a run since then."""
        wanted = {
            f"{cell.entity}.{kind}.{cell.system}"
            for cell in self.cells()
            for kind in kinds
            if kind == cell.kind or (kind == "watch" and self._watches(cell))
        }

        def counts(run: Run) -> bool:
            return run.state == "success" and run.start is not None and run.start > since

        return wanted <= {run.dag_id for run in self.airflow.runs() if counts(run)}

    def _watches(self, cell: Cell) -> bool:
        capture = self.hub.project.flow(cell.entity).active_capture().get(cell.system)
        return cell.kind == "capture" and capture is not None and any(one.every for one in capture.watch.values())

    def _why(self) -> str:
        failed = [run for run in self.airflow.runs() if run.state == "failed"]
        told = [
            f"{cell.entity} {cell.kind} {cell.system}: {cell.last.message}"
            for cell in self.cells()
            if cell.last and cell.last.message
        ]
        logs = [f"failed: {self.airflow.log_of(run)}" for run in failed[-3:]]
        return "".join(f"\n  {line}" for line in (*told, *logs))


def _moved(run: RunSummary) -> bool:
    return any(count for name, count in run.counts.items() if name not in ("read", "due", "unchanged"))
