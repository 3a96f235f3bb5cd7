"""The demo ends everything it started, and nothing else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from demo.supervisor import PartEnded, StillRunning, Supervisor, end_leftovers

PATIENT = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
# a child in a session of its own, as a part may start them
PARENT = (
    f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {PATIENT!r}], start_new_session=True);"
    "print('ready', flush=True); time.sleep(60)"
)


def eventually(holds: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def supervisor(tmp_path: Path):
    made = Supervisor(tmp_path, os.environ)
    yield made
    made.stop(grace=0.2)


def start(supervisor: Supervisor, code: str):
    part = supervisor.start(f"part{len(supervisor.parts)}", [sys.executable, "-c", code])
    if "ready" in code:
        assert eventually(lambda: "ready" in part.log.read_text())
    return part


def test_parts_end_when_the_demo_ends(supervisor) -> None:
    parts = [start(supervisor, PATIENT) for _ in range(2)]
    assert len(supervisor.left()) == 2
    supervisor.stop()
    assert supervisor.left() == []
    assert all(part.process.poll() is not None for part in parts)


def test_a_part_that_ignores_sigterm_is_killed(supervisor) -> None:
    part = start(supervisor, STUBBORN)
    supervisor.stop(grace=0.3)
    assert part.process.poll() == -9


def test_a_child_in_another_session_is_found_and_ended(supervisor) -> None:
    start(supervisor, PARENT)
    assert eventually(lambda: len(supervisor.left()) == 2)
    supervisor.stop(grace=0.3)
    assert supervisor.left() == []


def test_a_part_that_ends_early_is_told_with_the_end_of_its_log(supervisor) -> None:
    part = start(supervisor, "print('no such port'); raise SystemExit(3)")
    part.process.wait(timeout=10)
    with pytest.raises(PartEnded, match=r"(?s)part0 ended with code 3.*no such port"):
        supervisor.check()


def test_processes_a_killed_demo_left_are_ended(supervisor, tmp_path) -> None:
    part = start(supervisor, PATIENT)
    content = json.loads(supervisor.record.read_text())
    supervisor.record.write_text(json.dumps(content | {"demo": [999_999_999, 0.0]}))
    assert end_leftovers(supervisor.record) == 1
    assert part.process.wait(timeout=10) < 0
    assert not supervisor.record.exists()


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path) -> None:
    other = subprocess.Popen([sys.executable, "-c", PATIENT], start_new_session=True)
    try:
        record = tmp_path / "processes.json"
        started = psutil.Process(other.pid).create_time()
        record.write_text(json.dumps({"demo": [999_999_999, 0.0], "parts": [[other.pid, started - 100]]}))
        assert end_leftovers(record) == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_demo_at_work_is_not_disturbed(supervisor) -> None:
    start(supervisor, PATIENT)
    with pytest.raises(StillRunning, match=f"process {os.getpid()}"):
        end_leftovers(supervisor.record)
    assert len(supervisor.left()) == 1
