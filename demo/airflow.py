"""A real Airflow of four parts on loopback, and a reader of its REST API."""

import base64
import json
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from demo.supervisor import Supervisor

USUAL_PORT = 8080
PARTS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    # Without the switch a log server would listen on every interface of the machine.
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
}
BY_ITSELF = ("scheduled", "asset_triggered", "asset_materialization")


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run as the REST API tells it."""

    dag_id: str
    run_type: str
    state: str
    start: datetime | None
    end: datetime | None


class Airflow:
    """The four parts, and one session against the API."""

    def __init__(self, supervisor: Supervisor, root: Path, folder: Path) -> None:
        self.supervisor = supervisor
        self.root = root
        self.home = folder / "airflow"
        self.port = free_port(USUAL_PORT)
        self.url = f"http://127.0.0.1:{self.port}"
        self.passwords = {user: secrets.token_urlsafe(9) for user in ("admin", "viewer")}
        # Each part would make up its own, and then refuse the others' tokens.
        self._secrets = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        self._session = requests.Session()
        self._session.trust_env = False
        self._token_until = 0.0

    def env(self) -> dict[str, str]:
        """The environment of every part."""
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.root / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.root / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            # A run passes through the scheduler a dozen times on its way; asleep for a second each time it would add up.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **self._secrets,
        }

    def prepare(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Create the tables and the connections; the passwords file lies there before the API server looks for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        passwords = self.home / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps(self.passwords), encoding="utf-8")
        command = [sys.executable, "-m", "demo.prepare", json.dumps(connections)]
        self.supervisor.finish(self.supervisor.start("prepare", command, self.env()), timeout=120)

    def start(self) -> None:
        """Start the four parts."""
        for name, arguments in PARTS.items():
            self.supervisor.start(name, [sys.executable, "-m", "airflow", *arguments], self.env())

    def healthy(self) -> bool:
        """Whether every part has reported in."""
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
            parts: dict[str, dict[str, Any]] = answer.json()
        except (requests.RequestException, ValueError):
            return False
        names = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all(parts.get(name, {}).get("status") == "healthy" for name in names)

    def runs(self) -> list[Run]:
        """Every DAG run so far."""
        found: list[Run] = []
        while True:
            page = self._get("dags/~/dagRuns", limit=100, offset=len(found), order_by="id")
            found += [
                Run(row["dag_id"], row["run_type"], row["state"], _moment(row["start_date"]), _moment(row["end_date"]))
                for row in page["dag_runs"]
            ]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found

    def import_errors(self) -> int:
        """How many DAG files do not load."""
        return int(self._get("importErrors", limit=1)["total_entries"])

    def log_of(self, run: Run) -> str:
        """Where a person reads about that run."""
        return f"{self.url}/dags/{run.dag_id}"

    def _get(self, path: str, **params: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}"}
        answer = self._session.get(f"{self.url}/api/v2/{path}", params=params, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _token(self) -> str:
        if time.monotonic() >= self._token_until:
            login = {"username": "admin", "password": self.passwords["admin"]}
            answer = self._session.post(f"{self.url}/auth/token", json=login, timeout=30)
            answer.raise_for_status()
            self._kept = str(answer.json()["access_token"])
            self._token_until = time.monotonic() + 3600
        return self._kept


def free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 where it is free, else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
