"""docker-compose.yml keeps to the compose specification and holds no secret."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PARTS = {"api-server", "scheduler", "dag-processor", "triggerer"}


def services() -> dict:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def check(path: Path) -> subprocess.CompletedProcess:
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_file_keeps_to_the_compose_specification(tmp_path) -> None:
    assert check(COMPOSE).returncode == 0, check(COMPOSE).stdout
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("    command: api-server", "    comand: api-server"))
    assert check(wrong).returncode == 1


def test_every_part_of_airflow_waits_for_the_migration() -> None:
    for name in PARTS:
        assert services()[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name


def test_every_secret_comes_from_outside_and_has_no_default() -> None:
    named = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert not re.search(r"\$\{\w+:?-", COMPOSE.read_text())
    assert len(re.findall(r"\$\{\w+:\?", COMPOSE.read_text())) == len(re.findall(r"\$\{", COMPOSE.read_text()))
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "docker/env.example").read_text(), re.MULTILINE))
    assert named == set(example)
    assert {name: value for name, value in example.items() if value} == {"AIRFLOW_BASE_URL": "http://localhost:8080"}


def test_only_the_web_interface_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published == {"api-server": ["127.0.0.1:8080:8080"]}


def test_no_log_server_is_started() -> None:
    for name in ("scheduler", "triggerer"):
        assert "--skip-serve-logs" in services()[name]["command"]


def test_airflow_and_hub_have_databases_of_their_own() -> None:
    env = services()["scheduler"]["environment"]
    assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres/airflow")
    assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert env["L2C_DATABASE_URL"].endswith("@postgres/l2c")
