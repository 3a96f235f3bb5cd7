"""Makes the DAGs: for each flow one per system and direction, and those that look after the hub.

A flow that does not load becomes a placeholder DAG and takes nothing else with it. Every DAG is built with
`auto_register=False`: Airflow would otherwise keep one that was thrown away because it is not valid.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable, TriggerRule, task

from l2c.airflow import tasks
from l2c.airflow.alerts import alert_callback
from l2c.airflow.bells import bells_of, inbox_bell, journal_bell
from l2c.airflow.doc import doc_md
from l2c.airflow.retry import HubRetryPolicy
from l2c.airflow.schedules import bell_or_time, common_timetable, timetable
from l2c.config import CaptureConfig, FlowConfig, Project, Retries
from l2c.errors import HubError

OWNER = "lead-to-cash"
# A capture and a distribution start as soon as their flow appears; sweeps, watches and maintenance wait for their time.
AT_ONCE = datetime(2026, 1, 1, tzinfo=UTC)
STEP_TIMEOUT = timedelta(minutes=15)
RUN_TIMEOUT = timedelta(hours=12)  # a first load of a million records is one run
MOST_PARTITIONS = 16
CONFIG_ERROR = "config-error"


@dataclass(frozen=True, slots=True)
class _Work:
    """What one DAG does."""

    kind: str
    entity: str
    system: str
    watch: Mapping[str, str | None] = field(default_factory=dict)
    zone: str = "UTC"

    @property
    def dag_id(self) -> str:
        return f"{self.entity}.{self.kind}.{self.system}"


def replication_dags(project: Project | None = None) -> dict[str, DAG]:
    """The DAGs of every flow under L2C_HOME, by id."""
    home = project or Project.from_env()
    try:
        names = home.flow_names
    except HubError as error:
        return _by_id([_placeholder("hub", error)])
    return _by_id([dag for name in names for dag in _flow_or_placeholder(home, name)])


def maintenance_dags(*, redrive: str, purge: str, keep_days: int) -> dict[str, DAG]:
    """`hub.redrive` makes dead letters due again, `hub.purge` deletes what is older than `keep_days`; times are crons in UTC."""
    dags = [
        _maintenance("redrive", redrive, "Make every open dead letter due again.", tasks.redrive, {}),
        _maintenance(
            "purge", purge, f"Delete what is no longer needed after {keep_days} days.", tasks.purge, {"days": keep_days}
        ),
    ]
    return _by_id(dags)


def _by_id(dags: Sequence[DAG]) -> dict[str, DAG]:
    return {dag.dag_id: dag for dag in dags}


def _flow_or_placeholder(project: Project, name: str) -> list[DAG]:
    try:
        dags = list(_flow(project, project.flow(name)))
        for dag in dags:
            dag.validate()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one flow, the others go on
        return [_placeholder(name, error)]
    return dags


def _flow(project: Project, flow: FlowConfig) -> Iterator[DAG]:
    for system, capture in flow.active_capture().items():
        yield from _captures(project, flow, system, capture)
    for system, distribute in flow.active_distribute().items():
        work = _Work("distribute", flow.flow, system)
        schedule = bell_or_time(journal_bell(flow.flow), distribute.schedule, flow.zone_of(distribute))
        yield _dag(project, flow, work, schedule=schedule, start_date=AT_ONCE)


def _captures(project: Project, flow: FlowConfig, system: str, capture: CaptureConfig) -> Iterator[DAG]:
    zone, entity = flow.zone_of(capture), flow.flow
    woken = bell_or_time(inbox_bell(entity, system), capture.schedule, zone)
    yield _dag(project, flow, _Work("capture", entity, system), schedule=woken, start_date=AT_ONCE)
    if capture.sweep is not None:
        yield _dag(project, flow, _Work("sweep", entity, system), schedule=timetable(capture.sweep, zone))
    if capture.watch:
        work = _Work("watch", entity, system, {name: one.cron for name, one in capture.watch.items()}, zone)
        yield _dag(project, flow, work, schedule=common_timetable(capture.watch.values(), zone))


def _dag(project: Project, flow: FlowConfig, work: _Work, *, schedule: Any, start_date: datetime | None = None) -> DAG:
    direction = "write" if work.kind == "distribute" else "read"
    dag = DAG(
        dag_id=work.dag_id,
        schedule=schedule,
        start_date=start_date,
        catchup=False,
        max_active_runs=1,
        auto_register=False,
        tags=["l2c", work.entity, work.kind, work.system],
        description=flow.description or f"{work.kind} {work.entity}: {work.system}",
        doc_md=doc_md(project, work.entity, work.system, direction),
        default_args=_task_defaults(flow.retries, alert_callback(flow.flow, flow.alert)),
    )
    # A watch journals nothing itself: it names the records that the next capture fetches.
    with dag:
        _three_tasks(work, [] if work.kind == "watch" else [bells_of(work.entity)])
    return dag


def _three_tasks(work: _Work, outlets: list[AssetAlias]) -> None:
    """`plan → run (once for each partition) → settle`; when plan finds nothing, the two others are skipped.

    A failed partition does not keep settle from closing the run. Each may ring: the distributions need not wait for the
    capture to be settled.
    """
    planned = task(task_id="plan", execution_timeout=STEP_TIMEOUT, outlets=outlets)(tasks.plan)(
        work.kind, work.entity, work.system, dict(work.watch), work.zone
    )
    # Watches of one system share a lease, so they take turns.
    at_once = 1 if work.watch else MOST_PARTITIONS
    ran = task(task_id="run", execution_timeout=RUN_TIMEOUT, max_active_tis_per_dagrun=at_once, outlets=outlets)(
        tasks.run
    ).expand_kwargs(planned)
    settled = task(
        task_id="settle", execution_timeout=STEP_TIMEOUT, outlets=outlets, trigger_rule=TriggerRule.NONE_SKIPPED
    )(tasks.settle)(planned)
    ran >> settled


def _task_defaults(retries: Retries, alert: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    return {
        "owner": OWNER,
        "retries": retries.attempts - 1,
        "retry_delay": retries.first_wait,
        "retry_exponential_backoff": True,
        "max_retry_delay": retries.max_wait,
        "retry_policy": HubRetryPolicy(),
        "on_failure_callback": alert,
    }


def _placeholder(name: str, error: Exception) -> DAG:
    """Stands where a flow's DAGs would be; runs once, so that it is seen failing with every mistake."""
    text = error.message if isinstance(error, HubError) else f"config/flows/{name}.yaml: {error}"
    dag = DAG(
        dag_id=f"{name}.config_error",
        schedule="@once",
        start_date=AT_ONCE,
        catchup=False,
        auto_register=False,
        tags=["l2c", name, CONFIG_ERROR],
        description=f"config/flows/{name}.yaml does not load",
        doc_md=f"The flow `{name}` does not load:\n\n```\n{text}\n```",
        default_args={"owner": OWNER, "retries": 0, "on_failure_callback": alert_callback(name, ())},
    )
    with dag:
        task(task_id="load_flow")(tasks.refuse)(text)
    return dag


def _maintenance(name: str, cron: str, description: str, body: Callable[..., Any], arguments: dict[str, Any]) -> DAG:
    dag = DAG(
        dag_id=f"hub.{name}",
        schedule=CronTriggerTimetable(cron, timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        auto_register=False,
        tags=["l2c", "maintenance"],
        description=description,
        default_args=_task_defaults(Retries.model_validate({}), alert_callback("hub", ())),
    )
    with dag:
        task(task_id=name, execution_timeout=RUN_TIMEOUT)(body)(**arguments)
    return dag
