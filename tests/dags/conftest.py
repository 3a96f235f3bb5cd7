"""Airflow for tests: a home of its own, set before airflow is first imported."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="l2caf"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
)

SYSTEMS = """\
systems:
  s4hana: {kind: s4hana, connection: s4hana, profile: cloud, time_zone: Europe/Berlin}
  commerce: {kind: commerce, connection: commerce}
"""
FLOW = """\
flow: thing
capture:
  s4hana:
    schedule: "*/15 * * * *"
    sweep: "0 2 * * *"
    watch: {A_ThingPart: "5 * * * *", A_ThingText: "35 * * * *"}
distribute:
  commerce: {}
retries: {attempts: 4, first_wait: PT20S, max_wait: PT10M}
alert: [integration-team]
"""
ENTITY = """\
entity: thing
fields:
  number: {type: text, length: 10}
"""


class Home:
    """A project folder that tests write into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A small project of its own under L2C_HOME: one flow `thing`, two systems."""
    made = Home(tmp_path / "home")
    made.write("config/systems.yaml", SYSTEMS)
    made.write("config/flows/thing.yaml", FLOW)
    made.write("mappings/canonical/thing.yaml", ENTITY)
    monkeypatch.setenv("L2C_HOME", str(made.folder))
    monkeypatch.delenv("L2C_OVERLAY", raising=False)
    monkeypatch.setenv("L2C_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    return made


@pytest.fixture
def dag_bag() -> Callable[[], Any]:
    """Loads dags/ as Airflow does, anew each time it is called."""

    def load() -> Any:
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(dag_folder=str(ROOT / "dags"))

    return load


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables, in the SQLite file of this session."""
    from airflow.utils.db import initdb

    initdb()
