"""A real API server of Airflow, two simulated systems, a hub that has run once, and Debian's chromium."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_S = 90.0


@dataclass(frozen=True)
class Server:
    """Airflow's API server with the hub's plugin."""

    url: str
    passwords: dict[str, str]
    s4: str  # address of the simulated S/4HANA

    def ask(
        self, path: str, user: str | None = None, method: str = "GET", content: Any = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of a request, as a user or as nobody."""
        data = json.dumps(content).encode() if content is not None else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        if user is not None:
            request.add_header("Authorization", f"Bearer {self.token(user)}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    def token(self, user: str) -> str:
        body = json.dumps({"username": user, "password": self.passwords[user]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/auth/token", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer)["access_token"])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Airflow's API server over a hub that has captured and distributed a dozen partners."""
    folder = tmp_path_factory.mktemp("browser")
    with ExitStack() as stack:
        env = _filled_hub(folder, stack)
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        passwords = {user: secrets.token_urlsafe(9) for user in ("ann", "uma", "op", "admin")}
        (folder / "passwords.json").write_text(json.dumps(passwords))
        env |= {
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ann:viewer,uma:user,op:op,admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        }
        create = [sys.executable, "-c", "from airflow.utils.db import initdb; initdb()"]
        subprocess.run(create, env=env, check=True, capture_output=True, timeout=120)
        log = stack.enter_context((folder / "api-server.log").open("wb"))
        command = [sys.executable, "-m", "airflow", "api-server"]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        stack.callback(_end, process)
        _await(f"{url}/api/v2/version", process, folder / "api-server.log")
        yield Server(url, passwords, env["L2C_TEST_S4"])


def _filled_hub(folder: Path, stack: ExitStack) -> dict[str, str]:
    """Run the whole job once, in this process; the environment in which the hub finds its result."""
    from l2c.hub import Hub

    s4 = _sandbox(folder, stack, "s4hana", "--partners", "12")
    shop = _sandbox(folder, stack, "commerce")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "L2C_"))}
    env |= {
        "L2C_HOME": str(ROOT),
        "L2C_DATABASE_URL": f"sqlite:///{folder / 'state.db'}",
        "L2C_CONNECTION_S4HANA": s4.replace("://", "://HUB_USER:sandbox-s4-secret@"),
        "L2C_CONNECTION_COMMERCE": shop.replace("://", "://l2c-hub:sandbox@"),
        "L2C_TEST_S4": s4,
    }
    with Hub.open(env=env) as hub:
        hub.capture("business_partner", "s4hana")
        hub.distribute("business_partner", "commerce")
    return env


def _sandbox(folder: Path, stack: ExitStack, system: str, *options: str) -> str:
    command = [sys.executable, "-m", "sandbox", system, "--data", str(folder / system), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    stack.callback(_end, process)
    assert process.stdout is not None
    stack.enter_context(process.stdout)
    return str(json.loads(process.stdout.readline())["url"])


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            continue


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Airflow's API server did not get ready:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's chromium, driven by playwright."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
