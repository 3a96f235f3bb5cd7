"""The bodies of the tasks: open the hub, do one step, close it. What travels between them is ids and counts only."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any

import structlog
from airflow.sdk import Asset, AssetAlias, get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from l2c.airflow.bells import inbox_bell, journal_bell
from l2c.airflow.runtime import open_hub
from l2c.airflow.schedules import due
from l2c.errors import ConfigError, HubError, Postponed
from l2c.state.results import CAPTURE, RunSummary

log = structlog.get_logger(__name__)

PROGRESS_EVERY_S = 10.0


def plan(
    kind: str,
    entity: str,
    system: str,
    watch: Mapping[str, str | None] | None = None,
    zone: str = "UTC",
    outlet_events: Any = None,
    outlets: Any = None,
) -> list[dict[str, Any]]:
    """One `{run, partition}` for each share of the work; an empty list skips the tasks that follow.

    `watch` names the flat child sets of a watch run with their crons, read in `zone`: each set that is due becomes a run of
    the hub by itself. Rings for the captures that messages found on the way ask for.
    """
    shares: list[dict[str, Any]] = []
    sources: Sequence[str | None] = _due_now(watch, zone) if watch else (None,)
    with _Readable("plan", kind=kind, entity=entity, system=system), open_hub() as hub:
        for source in sources:
            planned = hub.plan(kind, entity, system, watch=source)
            if planned.run is not None:
                shares += [{"run": planned.run, "partition": partition} for partition in planned.partitions]
        asked = hub.asked(system) - ({entity} if kind == CAPTURE else set())
    _ring([inbox_bell(other, system) for other in sorted(asked)], outlet_events, outlets)
    log.info("planned", kind=kind, entity=entity, system=system, shares=len(shares))
    return shares


def _due_now(watch: Mapping[str, str | None], zone: str) -> list[str]:
    context = get_current_context()
    dag_run = context["dag_run"]
    if dag_run.run_type != "scheduled":
        return list(watch)
    before = context.get("prev_data_interval_end_success") or None  # a proxy, which is never None itself
    return due(watch, zone, since=before, until=dag_run.run_after)


def run(run: int, partition: str, outlet_events: Any = None, outlets: Any = None) -> dict[str, int]:
    """Work through one partition of a planned run; the counts by end state.

    Rings the entity's bell when something was journaled, and for the captures that messages found on the way ask for.
    """
    with _Readable("run", run=run), open_hub() as hub:
        counts = dict(hub.run(run, partition, progress=_Progress(run)))
        done = hub.run_summary(run)
        bells = [inbox_bell(other, done.system) for other in sorted(hub.asked(done.system))]
    log.info("ran", run=run, **counts)
    if counts.get("journaled"):
        bells.append(journal_bell(done.entity))
    _ring(bells, outlet_events, outlets, run=run, journaled=counts.get("journaled", 0))
    return counts


def settle(
    shares: Sequence[Mapping[str, Any]] | None, outlet_events: Any = None, outlets: Any = None
) -> dict[str, int]:
    """Check the sums of the planned runs and close them; ring for what waited for them.

    Runs after failed partitions too, so that no run stays open; `shares` is None when planning failed.
    """
    if shares is None:
        raise AirflowFailException(
            "planning failed: there is no run to settle; the reason is in the log of the task 'plan'"
        )
    with _Readable("settle"), open_hub() as hub:
        summaries = _settle_each(hub, sorted({int(share["run"]) for share in shares}))
        woken = _woken(hub, summaries[0]) if outlets and summaries else []
    _ring(woken, outlet_events, outlets, runs=[one.run for one in summaries])
    return _total(summaries)


def redrive() -> int:
    """Make every open dead letter due again, and let every failed message be understood anew; the dead letters' number."""
    with _Readable("redrive"), open_hub() as hub:
        count = hub.redrive()
        messages = hub.redrive_messages()
    log.info("redriven", dead_letters=count, messages=messages)
    return count


def purge(days: int) -> dict[str, int]:
    """Delete what the hub no longer needs and is older than `days`; the rows deleted by table."""
    with _Readable("purge"), open_hub() as hub:
        counts = dict(hub.purge(timedelta(days=days)))
    log.info("purged", days=days, **counts)
    return counts


def refuse(mistakes: str) -> None:
    """Fail with the mistakes of a flow that does not load."""
    with _Readable("load"):
        raise ConfigError(mistakes.splitlines())


def _settle_each(hub: Any, runs: Sequence[int]) -> list[RunSummary]:
    """Settle every run, then raise the first error: one whose sums differ must not leave its neighbours open."""
    summaries: list[RunSummary] = []
    errors: list[HubError] = []
    for number in runs:
        try:
            summary = hub.settle(number)
        except HubError as error:
            errors.append(error)
            continue
        summaries.append(summary)
        log.info("settled", run=number, status=summary.status, sums_met=summary.sums_met, **summary.counts)
    if errors:
        for other in errors[1:]:
            log.error("failed", step="settle", error=type(other).__name__, message=other.message)
        raise errors[0]
    return summaries


def _woken(hub: Any, done: RunSummary) -> list[Asset]:
    """The bells of what waited for this run: records for a key, and loads and distributions for a first load."""
    bells = [journal_bell(entity) for entity in hub.woken(done)]
    if done.kind == CAPTURE:
        bells += [inbox_bell(entity, system) for entity, system in hub.held(done.entity, done.system)]
    return bells


def _ring(bells: Sequence[Asset], outlet_events: Any, outlets: Any, **told: Any) -> None:
    """Ring these bells once the task has succeeded; its outlet stands for all of them."""
    for alias in outlets or ():
        if isinstance(alias, AssetAlias):
            for bell in bells:
                outlet_events[alias].add(bell, extra=told)


def _total(summaries: Sequence[RunSummary]) -> dict[str, int]:
    total: dict[str, int] = {}
    for summary in summaries:
        for name, count in summary.counts.items():
            total[name] = total.get(name, 0) + count
    return total


class _Readable:
    """Writes the error's own line to the task log, and cuts the traceback down to this task.

    An error of the hub says where, what and what to do; the frames below it belong to the debug log. A task whose system is
    to be left in peace for a while is skipped.
    """

    def __init__(self, step: str, **fields: Any) -> None:
        self._step = step
        self._fields = fields

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        """Tell the error and raise it again without what lies below."""
        if isinstance(error, Postponed):  # not a failure: the first run after that time goes on
            log.warning("postponed", step=self._step, message=error.message, **self._fields)
            raise AirflowSkipException(error.message) from None
        if isinstance(error, HubError):
            log.debug("traceback", step=self._step, exc_info=(type(error), error, trace))
            log.error("failed", step=self._step, error=type(error).__name__, message=error.message, **self._fields)
            raise error.with_traceback(None) from None


class _Progress:
    """Writes the counts so far to the task log, now and then."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._next = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, counts: Mapping[str, int]) -> None:
        """Take note of the counts so far."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_EVERY_S
            log.info("progress", run=self._run, **counts)
