"""The flow's DAGs at work: real tasks, real systems on loopback, a real state store."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CAPTURE, SHOP, WATCH, DISTRIBUTE = (
    "business_partner.capture.s4hana",
    "business_partner.capture.commerce",
    "business_partner.watch.s4hana",
    "business_partner.distribute.commerce",
)
# Airflow and its libraries warn of one another; here it is not our code that warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
RunDag = Callable[[str], dict[str, str]]


@pytest.fixture
def systems(start_sandbox, monkeypatch, tmp_path) -> dict[str, Any]:
    """Both simulated systems, reachable through Airflow's connections; the project is the one of this folder."""
    s4, shop = start_sandbox("s4hana", partners=30), start_sandbox("commerce")
    logins = {
        "s4hana": {"host": s4.url, "login": "HUB_USER", "password": "sandbox-s4-secret"},
        "commerce": {"host": shop.url, "login": "l2c-hub", "password": "sandbox"},
    }
    for name, fields in logins.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": f"sap_{name}", **fields}))
    monkeypatch.setenv("L2C_HOME", str(ROOT))
    monkeypatch.delenv("L2C_OVERLAY", raising=False)
    monkeypatch.setenv("L2C_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    return {"s4hana": s4, "commerce": shop}


@pytest.fixture
def run_dag(systems, airflow_database, dag_bag) -> RunDag:
    """Runs a DAG of the project in this process; the state of the run and of each task."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    def run(dag_id: str) -> dict[str, str]:
        dag = dag_bag().dags[dag_id]
        for task in dag.tasks:
            if task.is_mapped:
                task.partial_kwargs["retries"] = 0
            else:
                task.retries = 0
        DagBundlesManager().sync_bundles_to_db()
        with create_session() as session:
            lazy = LazyDeserializedDAG.from_dag(dag)
            SerializedDAG.bulk_write_to_db("dags-folder", None, [lazy], session=session)
            SerializedDagModel.write_dag(lazy, bundle_name="dags-folder", session=session)
        done = dag.test(logical_date=datetime.now(UTC))
        states = {instance.task_id: str(instance.state) for instance in done.get_task_instances()}
        return {"": str(done.state), **states}

    return run


def bells() -> list[str]:
    """The bells that have rung so far, by task and name of the bell, in order."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent.source_task_id, AssetModel.name).join(
            AssetModel, AssetModel.id == AssetEvent.asset_id
        )
        return [f"{task}: {name}" for task, name in session.execute(query.order_by(AssetEvent.id))]


def rung() -> int:
    """How often a bell has rung."""
    return len(bells())


def handed_on() -> list[tuple[str, Any]]:
    """What tasks handed to one another through Airflow's own database: task and value."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.execute(select(XComModel.task_id, XComModel.value)).all()
    return [(task, json.loads(value) if isinstance(value, str) else value) for task, value in rows]


def leaves(value: Any) -> list[Any]:
    """Every key and value of nested lists and objects."""
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in (name, *leaves(inner))]
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


ALL_DONE = {"": "success", "plan": "success", "run": "success", "settle": "success"}


@pytest.mark.fault("X8")
def test_partners_travel_from_one_system_to_the_other(run_dag: RunDag, systems) -> None:
    before = rung()
    assert run_dag(CAPTURE) == ALL_DONE
    told = ["run: business_partner", "settle: business_partner.inbox.commerce", "settle: contact.inbox.s4hana"]
    assert [bells()[before], *sorted(bells()[before + 1 :])] == told, (
        "the journal, and the first loads that waited for this"
    )
    assert run_dag("contact.capture.s4hana")["run"] == "success"
    # nothing is written to the shop before the hub has seen whom it knows already
    assert run_dag(DISTRIBUTE) == ALL_DONE | {"run": "skipped", "settle": "skipped"}
    before = rung()
    assert run_dag(SHOP) == ALL_DONE  # nothing is there, but now contacts may be read, and partners written
    told = ["settle: business_partner", "settle: contact.inbox.commerce"]
    assert sorted(bells()[before:]) == told, "nothing was journaled, but the distributions had waited for this load"
    assert run_dag("contact.capture.commerce")["run"] == "success"
    assert run_dag(DISTRIBUTE) == ALL_DONE
    units = systems["commerce"].control("GET", "/records?entity=B2BUnit")
    assert 15 <= len(units) <= 30

    assert run_dag("business_partner.distribute.s4hana") == ALL_DONE

    # nothing new: the capture's bell stays silent, the distribution does not even start
    before = rung()
    assert run_dag(CAPTURE) == ALL_DONE
    assert rung() == before
    assert run_dag(DISTRIBUTE) == ALL_DONE | {"run": "skipped", "settle": "skipped"}

    # Airflow's database holds numbers of runs and counts by state, never a record, a key or a login
    handed = handed_on()
    assert {"plan", "run"} <= {task for task, _ in handed}
    words = [leaf for _, value in handed for leaf in leaves(value) if not isinstance(leaf, int | None)]
    assert not [word for word in words if not re.fullmatch(r"[a-z_]{1,30}", word)]
    assert max(len(json.dumps(value)) for _, value in handed) < 500


def test_a_changed_address_is_found_by_the_watch(run_dag: RunDag, systems) -> None:
    run_dag(CAPTURE)
    run_dag("contact.capture.s4hana")
    key = systems["s4hana"].control("GET", "/records?entity=A_BusinessPartnerAddress&limit=1")[0]["key"]
    change = {"entity": "A_BusinessPartnerAddress", "key": key, "set": {"StreetName": "Neue Gasse"}}
    systems["s4hana"].control("POST", "/change", change)
    before = rung()
    done = run_dag(WATCH)
    assert (done[""], done["run"]) == ("success", "success")
    assert rung() == before  # the watch only asks for the partner; the capture fetches and journals it
    assert run_dag(CAPTURE) == ALL_DONE
    told = ["run: business_partner", "settle: business_partner.inbox.commerce"]
    assert bells()[before:] == told, "and the shop, which was not loaded yet"


def test_a_refused_login_fails_the_run_at_once_and_closes_it(run_dag: RunDag, systems, monkeypatch, capfd) -> None:
    from l2c.airflow.runtime import open_hub

    bad = {"conn_type": "sap_s4hana", "host": systems["s4hana"].url, "login": "HUB_USER", "password": "wrong-secret"}
    monkeypatch.setenv("AIRFLOW_CONN_S4HANA", json.dumps(bad))
    capfd.readouterr()
    done = run_dag(CAPTURE)
    assert (done[""], done["run"], done["settle"]) == ("failed", "failed", "failed")
    log = capfd.readouterr().out
    told = [line for line in log.splitlines() if "error=AuthError" in line]
    assert any("s4hana" in line and "step=run" in line for line in told)
    assert "connectors/s4hana" not in log  # the line says it all: no frames of the connector below it
    assert "wrong-secret" not in log
    with open_hub() as hub:
        last = next(cell.last for cell in hub.status("business_partner") if cell.kind == "capture")
    assert last is not None
    assert last.status == "failed"


def test_a_system_that_asks_to_wait_for_long_postpones_the_run_without_a_failure(run_dag: RunDag, systems) -> None:
    from l2c.airflow.runtime import open_hub

    busy = {"kind": "status", "status": 429, "headers": {"Retry-After": "1800"}, "match": {"path": "A_BusinessPartner"}}
    systems["s4hana"].control("POST", "/faults", busy)
    done = run_dag(CAPTURE)
    assert (done[""], done["run"]) == ("success", "skipped")
    with open_hub() as hub:
        last = next(cell.last for cell in hub.status("business_partner") if cell.kind == "capture")
    assert last is not None
    assert last.status == "postponed"
    assert "it asked to wait 1800 seconds" in last.message


def test_a_bad_record_is_set_aside_repaired_and_redriven_by_the_dag(run_dag: RunDag, systems) -> None:
    from l2c.airflow.runtime import open_hub

    def letters() -> list[str]:
        with open_hub() as hub:
            return [letter.key for letter in hub.dead_letters("business_partner")]

    def country(value: str) -> None:
        change = {"entity": "A_BusinessPartnerAddress", "key": place["key"], "set": {"Country": value}}
        systems["s4hana"].control("POST", "/change", change)

    place = systems["s4hana"].control("GET", "/records?entity=A_BusinessPartnerAddress&limit=1")[0]
    country("??")
    assert run_dag(CAPTURE) == ALL_DONE
    assert letters() == [place["data"]["BusinessPartner"]]
    country(place["data"]["Country"])
    assert run_dag("hub.redrive") == {"": "success", "redrive": "success"}
    assert run_dag(CAPTURE) == ALL_DONE
    assert letters() == []


def test_a_sweep_and_a_purge_run_like_the_others(run_dag: RunDag, systems) -> None:
    run_dag(CAPTURE)
    run_dag("contact.capture.s4hana")
    assert run_dag("business_partner.sweep.s4hana") == ALL_DONE
    assert run_dag("hub.purge") == {"": "success", "purge": "success"}


def test_a_partner_that_arrives_wakes_the_contacts_that_waited_for_it(run_dag: RunDag, systems) -> None:
    from l2c.airflow.runtime import open_hub

    def waiting() -> int:
        with open_hub() as hub:
            return sum(cell.waiting for cell in hub.status("contact"))

    for dag in (CAPTURE, SHOP, "contact.capture.s4hana", "contact.capture.commerce", DISTRIBUTE):
        run_dag(dag)
    form = {"kind": "company", "name": "Orgelbau Seifert KG", "address": {"town": "Ulm", "country": "DE"}}
    form["address"]["postalcode"] = "89073"
    form["contact"] = {"email": "eva@seifert.example", "last_name": "Seifert"}
    systems["commerce"].control("POST", "/register", form)
    assert run_dag("contact.capture.commerce")["settle"] == "success"
    assert run_dag("contact.distribute.s4hana") == ALL_DONE
    assert waiting() == 1
    before = rung()
    assert run_dag(SHOP) == ALL_DONE
    assert sorted(bells()[before:]) == ["run: business_partner", "settle: contact"]
    assert run_dag("contact.distribute.s4hana") == ALL_DONE
    assert waiting() == 1
    before = rung()
    assert run_dag("business_partner.distribute.s4hana") == ALL_DONE
    told = ["settle: business_partner", "settle: contact"]
    assert sorted(bells()[before:]) == told, (
        "the contacts, and the shop to which partners have not been distributed yet"
    )
    assert run_dag("contact.distribute.s4hana") == ALL_DONE
    assert waiting() == 0
    assert len(systems["s4hana"].control("GET", "/records?entity=A_BusinessPartnerContact")) == 1
