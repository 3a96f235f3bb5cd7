"""From a message to the capture that fetches: real HTTP, Airflow's own tables, the simulated systems."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import delete, func, select, update

from tests.dags.sender import install
from tests.dags.served import served

ROOT = Path(__file__).parents[2]
CAPTURE = "business_partner.capture.s4hana"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def s4(start_sandbox, monkeypatch, tmp_path) -> Any:
    """The simulated S/4HANA, and a home folder in which it may send to the hub."""
    install(tmp_path / "sender", monkeypatch)
    sandbox = start_sandbox("s4hana", partners=12)
    home = tmp_path / "home"
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, home / part)
    systems = home / "config" / "systems.yaml"
    text = systems.read_text(encoding="utf-8")
    assert "    connection: s4hana " in text
    text = text.replace("    connection: s4hana ", "    inbox: {connection: s4hana_inbox}\n    connection: s4hana ", 1)
    systems.write_text(text, encoding="utf-8")
    reach = {"host": sandbox.url, "login": "HUB_USER", "password": "sandbox-s4-secret"}
    monkeypatch.setenv("AIRFLOW_CONN_S4HANA", json.dumps({"conn_type": "sap_s4hana", **reach}))
    sends = {"conn_type": "generic", "login": "SENDER", "password": "a long password"}
    monkeypatch.setenv("AIRFLOW_CONN_S4HANA_INBOX", json.dumps(sends))
    monkeypatch.setenv("L2C_HOME", str(home))
    monkeypatch.delenv("L2C_OVERLAY", raising=False)
    monkeypatch.setenv("L2C_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    return sandbox


@pytest.fixture
def listening(s4, airflow_database, dag_bag) -> None:
    """Airflow knows the capture, and what it listens to."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.dag import DagModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    DagBundlesManager().sync_bundles_to_db()
    with create_session() as session:
        lazy = LazyDeserializedDAG.from_dag(dag_bag().dags[CAPTURE])
        SerializedDAG.bulk_write_to_db("dags-folder", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="dags-folder", session=session)
        session.execute(update(DagModel).where(DagModel.dag_id == CAPTURE).values(is_paused=False))


@pytest.fixture
def url(listening) -> Iterator[str]:
    from l2c.airflow.page import build_app

    with served(build_app()) as address:
        yield f"{address}/inbox/s4hana"


def send(url: str, number: str, *keys: str) -> int:
    body = {"id": number, "keys": [["A_BusinessPartner", key] for key in keys]}
    return requests.post(url, json=body, auth=("SENDER", "a long password"), timeout=30).status_code


def queued() -> int:
    """How many runs of the capture are asked for."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session

    with create_session() as session:
        query = select(func.count()).select_from(AssetDagRunQueue).where(AssetDagRunQueue.target_dag_id == CAPTURE)
        return int(session.scalar(query))


def forget() -> None:
    """As the scheduler does when it creates the run."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue))


def inbox_size() -> int:
    from l2c.airflow.runtime import open_hub

    with open_hub() as hub:
        return hub.status("business_partner")[0].inbox


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def quiet(listening) -> Iterator[None]:
    """Without runs asked for by an earlier test."""
    forget()
    yield
    forget()


def partner(s4: Any) -> str:
    return s4.control("GET", "/records?entity=A_BusinessPartner&limit=1")[0]["key"]


def test_a_message_asks_for_one_run_of_the_capture_it_concerns(url: str, s4) -> None:
    assert queued() == 0
    assert send(url, "m-1", partner(s4)) == 201
    until(lambda: queued() == 1)
    assert inbox_size() == 1


def test_a_repeated_message_wakes_nobody(url: str, s4) -> None:
    from l2c.airflow.runtime import open_hub

    send(url, "m-1", partner(s4))
    until(lambda: queued() == 1)
    forget()
    with open_hub() as hub:
        assert hub.capture("business_partner", "s4hana").counts["read"] >= 12
    assert send(url, "m-1", partner(s4)) == 201
    with open_hub() as hub:
        until(lambda: hub.messages()[0].state == "done")
    assert (queued(), inbox_size()) == (0, 0)


def test_a_burst_of_messages_asks_for_one_run(url: str, s4) -> None:
    keys = [row["key"] for row in s4.control("GET", "/records?entity=A_BusinessPartner&limit=12")]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: send(url, f"b-{number}", keys[number % len(keys)]), range(100)))
    assert told == [201] * 100
    until(lambda: inbox_size() == len(keys) and queued() == 1)
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        assert int(session.scalar(select(func.count()).select_from(AssetEvent))) < 60  # rung in rounds, not for each


def test_a_message_left_by_a_process_that_died_is_fetched_by_the_next_capture(listening, s4) -> None:
    from l2c.airflow import tasks
    from l2c.airflow.runtime import open_hub

    with open_hub() as hub:
        hub.capture("business_partner", "s4hana")
        key = partner(s4)
        body = json.dumps({"id": "m-1", "keys": [["A_BusinessPartner", key]]}).encode()
        hub.receive("s4hana", {}, body)  # and here the process ends
    with open_hub() as hub:
        assert hub.open_messages() == {"s4hana": {"new": 1}}
    shares = tasks.plan("capture", "business_partner", "s4hana")
    counts = [tasks.run(**share) for share in shares]
    assert sum(one["read"] for one in counts) >= 1
    with open_hub() as hub:
        assert hub.messages()[0].state == "done"
        assert (hub.open_messages(), inbox_size()) == ({}, 0)


def test_messages_found_by_plan_and_run_ring_for_the_other_captures_they_concern(listening, s4) -> None:
    from airflow.sdk.execution_time.context import OutletEventAccessors

    from l2c.airflow import tasks
    from l2c.airflow.bells import bells_of
    from l2c.airflow.runtime import open_hub

    alias = bells_of("business_partner")

    def left(number: str, *entities: str) -> None:
        """Stored, and the process that received it ends before it is understood."""
        with open_hub() as hub:
            body = {"id": number, "keys": [[entity, partner(s4)] for entity in entities]}
            hub.receive("s4hana", {}, json.dumps(body).encode())

    def rung(step: Callable[..., Any], *words: Any, **fields: Any) -> tuple[Any, list[str]]:
        """What the task gives back, and the bells it rings through its outlet."""
        events = OutletEventAccessors()
        done = step(*words, outlet_events=events, outlets=[alias], **fields)
        return done, [event.dest_asset_key.name for event in events[alias].asset_alias_events]

    left("m-1", "A_BusinessPartner", "A_BusinessPartnerContact")
    [share], bells = rung(tasks.plan, "capture", "business_partner", "s4hana")
    assert bells == ["contact.inbox.s4hana"], "its own keys this capture fetches itself"
    counts, bells = rung(tasks.run, **share)
    assert counts["journaled"] > 0
    assert bells == ["business_partner"]
    tasks.settle([share])
    [share], bells = rung(tasks.plan, "distribute", "business_partner", "s4hana")
    assert bells == [], "who was rung for once is not rung for again"
    left("m-2", "A_BusinessPartner", "A_BusinessPartnerContact")
    _, bells = rung(tasks.run, **share)  # a distribution looks once more what came: it may confirm what was written
    assert bells == ["business_partner.inbox.s4hana", "contact.inbox.s4hana"]
    tasks.settle([share])
    with open_hub() as hub:
        assert [message.state for message in hub.messages()] == ["done", "done"]
        assert (hub.status("contact")[0].inbox, inbox_size()) == (1, 1)


def test_a_bell_without_a_listener_is_told_and_harms_nothing(listening) -> None:
    from l2c.airflow.intake import ring

    assert ring("business_partner", "s4hana")
    assert not ring("business_partner", "nobody")
