"""Flows become DAGs; a broken one takes nothing with it."""

from datetime import timedelta
from typing import Any

import pytest

THING = {"thing.capture.s4hana", "thing.sweep.s4hana", "thing.watch.s4hana", "thing.distribute.commerce"}
HUB = {"hub.redrive", "hub.purge"}


def schedule_of(dag: Any) -> str:
    """The schedule as Airflow's scheduler reads it back."""
    from airflow.serialization.serialized_objects import DagSerialization

    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    return f"{type(timetable).__name__}: {timetable.summary}"


def test_every_flow_gets_its_dags(home, dag_bag) -> None:
    bag = dag_bag()
    assert bag.import_errors == {}
    assert set(bag.dags) == THING | HUB


def test_a_dag_plans_runs_each_partition_and_settles(home, dag_bag) -> None:
    dag = dag_bag().dags["thing.capture.s4hana"]
    assert [task.task_id for task in dag.topological_sort()] == ["plan", "run", "settle"]
    assert dag.get_task("run").is_mapped
    assert dag.get_task("settle").upstream_task_ids == {"plan", "run"}


def test_dags_neither_catch_up_nor_overlap(home, dag_bag) -> None:
    for dag in dag_bag().dags.values():
        assert (dag.catchup, dag.max_active_runs) == (False, 1), dag.dag_id


def test_every_task_but_those_of_a_watch_may_ring(home, dag_bag) -> None:
    outlets = {
        dag.dag_id: [asset.name for task in dag.tasks for asset in task.outlets]
        for dag in dag_bag().dags.values()
        if dag.dag_id in THING
    }
    assert outlets == {
        "thing.capture.s4hana": ["thing.bells"] * 3,
        "thing.sweep.s4hana": ["thing.bells"] * 3,
        "thing.watch.s4hana": [],
        "thing.distribute.commerce": ["thing.bells"] * 3,
    }


def test_schedules_are_those_of_the_flow(home, dag_bag) -> None:
    dags = dag_bag().dags
    assert {name: schedule_of(dags[name]) for name in THING} == {
        "thing.capture.s4hana": "AssetOrTimeSchedule: Asset or */15 * * * *",
        "thing.sweep.s4hana": "CronTriggerTimetable: 0 2 * * *",
        "thing.watch.s4hana": "MultipleCronTriggerTimetable: 35 * * * *, 5 * * * *",
        "thing.distribute.commerce": "AssetOrTimeSchedule: Asset or */10 * * * *",
    }


def test_a_capture_also_listens_to_what_its_system_sends(home, dag_bag) -> None:
    dags = dag_bag().dags
    heard = {
        name: dags[name].schedule.asset_condition.objects
        for name in ("thing.capture.s4hana", "thing.distribute.commerce")
    }
    uris = {name: [asset.uri for asset in assets] for name, assets in heard.items()}
    assert uris == {
        "thing.capture.s4hana": ["l2c://inbox/thing/s4hana"],
        "thing.distribute.commerce": ["l2c://journal/thing"],
    }


def test_a_distribution_may_have_its_own_cron_and_time_zone(home, dag_bag) -> None:
    home.change("config/flows/thing.yaml", "commerce: {}", 'commerce: {schedule: "0 6 * * 1-5", timezone: Asia/Tokyo}')
    dag = dag_bag().dags["thing.distribute.commerce"]
    assert schedule_of(dag) == "AssetOrTimeSchedule: Asset or 0 6 * * 1-5"
    assert str(dag.schedule.timetable.timezone) == "Asia/Tokyo"


def test_a_schedule_may_be_a_distance(home, dag_bag) -> None:
    home.change("config/flows/thing.yaml", 'schedule: "*/15 * * * *"', "schedule: {every: PT10S}")
    assert schedule_of(dag_bag().dags["thing.capture.s4hana"]) == "AssetOrTimeSchedule: Asset or 0:00:10"


def test_several_watches_share_a_dag_and_its_plan_names_them_all(home, dag_bag) -> None:
    plan = dag_bag().dags["thing.watch.s4hana"].get_task("plan")
    assert plan.op_args == (
        "watch",
        "thing",
        "s4hana",
        {"A_ThingPart": "5 * * * *", "A_ThingText": "35 * * * *"},
        "UTC",
    )


def test_the_docs_of_a_dag_are_the_yaml_it_was_made_from(home, dag_bag) -> None:
    home.write("mappings/commerce/thing.write.yaml", "mapping: commerce.thing.write  # how it is written\n")
    home.write("mappings/s4hana/thing.read.yaml", "mapping: s4hana.thing.read  # how it is read\n")
    dags = dag_bag().dags
    assert "alert: [integration-team]" in dags["thing.distribute.commerce"].doc_md
    assert "how it is written" in dags["thing.distribute.commerce"].doc_md
    assert "how it is read" not in dags["thing.distribute.commerce"].doc_md
    assert "how it is read" in dags["thing.capture.s4hana"].doc_md


def test_tasks_take_the_retries_of_the_flow(home, dag_bag) -> None:
    task = dag_bag().dags["thing.distribute.commerce"].get_task("run")
    assert (task.retries, task.retry_delay, task.max_retry_delay) == (3, timedelta(seconds=20), timedelta(minutes=10))
    assert task.retry_exponential_backoff
    assert task.execution_timeout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flow: thing", "flow: [thing", "config/flows/bad.yaml"),
        ("*/15 * * * *", "99 * * * *", "99"),
        ("s4hana:", "s4hanna:", "unknown system 's4hanna'; did you mean 's4hana'?"),
    ],
)
def test_a_broken_flow_becomes_a_placeholder_and_the_others_stay(home, dag_bag, old: str, new: str, said: str) -> None:
    text = (home.folder / "config/flows/thing.yaml").read_text().replace("flow: thing", "flow: bad").replace(old, new)
    home.write("config/flows/bad.yaml", text.replace("flow: bad", new.replace("thing", "bad")) if "[" in new else text)
    home.write("mappings/canonical/bad.yaml", "entity: bad\nfields:\n  number: {type: text, length: 10}\n")
    bag = dag_bag()
    assert bag.import_errors == {}
    assert set(bag.dags) == THING | HUB | {"bad.config_error"}
    placeholder = bag.dags["bad.config_error"]
    assert "config-error" in placeholder.tags
    assert said in placeholder.doc_md
    assert [task.task_id for task in placeholder.tasks] == ["load_flow"]


def test_the_placeholder_fails_with_every_mistake(home, dag_bag) -> None:
    from l2c.errors import ConfigError

    home.change("config/flows/thing.yaml", "alert: [integration-team]", "alerts: []\nretry: {}")
    task = dag_bag().dags["thing.config_error"].get_task("load_flow")
    with pytest.raises(ConfigError) as raised:
        task.python_callable(*task.op_args)
    assert len(raised.value.mistakes) == 2
    assert "config/flows/thing.yaml:10:1: unknown key 'alerts'; did you mean 'alert'?" in raised.value.mistakes


def test_broken_systems_leave_a_placeholder_for_each_flow(home, dag_bag) -> None:
    home.write("config/systems.yaml", "systems: 7\n")
    bag = dag_bag()
    assert bag.import_errors == {}
    assert set(bag.dags) == {"thing.config_error"} | HUB


def test_a_system_switched_off_takes_its_dags_away_and_nothing_else(home, dag_bag) -> None:
    home.change("config/systems.yaml", "connection: commerce}", "connection: commerce, enabled: false}")
    bag = dag_bag()
    assert bag.import_errors == {}
    assert set(bag.dags) == HUB | {name for name in THING if not name.endswith("commerce")}


def test_dags_survive_the_way_to_the_scheduler(home, dag_bag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dag_bag().dags.values():
        back = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert back.task_dict.keys() == dag.task_dict.keys()
