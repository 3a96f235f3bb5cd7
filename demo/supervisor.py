"""Starts processes, each in a session of its own, and ends every one of them: SIGTERM first, SIGKILL for what stays.

The processes are written down (pid and start time), so that the next demo can end what a killed one left behind without
touching anything else. They also carry a mark in their environment, by which whatever they started is counted at the end.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

MARK = "L2C_DEMO_MARK"
SAME_START_S = 2.0


class StillRunning(Exception):
    """Another demo is at work in the same folder."""


class PartEnded(Exception):
    """A process ended that should still be running; the message shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 15) -> str:
        """The last lines it wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Supervisor:
    """Holds the processes of one demo; use as a context manager, leaving it ends them all."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.record = folder / "processes.json"
        self.mark = f"{os.getpid()}-{time.time_ns()}"
        self.env = {**env, MARK: self.mark}
        self.parts: list[Part] = []

    def start(self, name: str, command: Sequence[str | Path], extra_env: Mapping[str, str] | None = None) -> Part:
        """Start a process whose output goes to `<name>.log`."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(word) for word in command],
                env={**self.env, **(extra_env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        part = Part(name, process, log)
        self.parts.append(part)
        self._write_down()
        return part

    def check(self) -> None:
        """Raise PartEnded when a part that should run has ended."""
        for part in self.parts:
            code = part.process.poll()
            if code is not None:
                raise PartEnded(f"{part.name} ended with code {code}; the end of {part.log}:\n{part.tail()}")

    def finish(self, part: Part, timeout: float) -> None:
        """Wait for a part that ends by itself; raises PartEnded when it fails."""
        code = part.process.wait(timeout)
        self.parts.remove(part)
        if code != 0:
            raise PartEnded(f"{part.name} failed with code {code}; the end of {part.log}:\n{part.tail()}")

    def stop(self, grace: float = 8.0) -> None:
        """End all parts and whatever they started; the one started last first: it still needs the others to end well."""
        for some in (self.parts[-1:], self.parts[:-1]):
            for part in some:
                _signal_group(part.process.pid, signal.SIGTERM)
            self._wait_ended(some, grace)
        for part in self.parts:
            _signal_group(part.process.pid, signal.SIGKILL)
        strays = self.left()
        for process in strays:
            _kill(process)
        self._wait_ended(self.parts, grace)
        psutil.wait_procs(strays, timeout=grace)  # a killed process is there until the system has cleared it away
        self.record.unlink(missing_ok=True)

    def _wait_ended(self, parts: Sequence[Part], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(part.process.poll() is None for part in parts) and time.monotonic() < deadline:
            time.sleep(0.05)

    def left(self) -> list[psutil.Process]:
        """Processes alive that carry this demo's mark, this one apart."""
        return [process for process in psutil.process_iter() if process.pid != os.getpid() and self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark
        except (psutil.Error, OSError):
            return False

    def _write_down(self) -> None:
        parts = [[part.process.pid, _started(part.process.pid)] for part in self.parts]
        content = {"demo": [os.getpid(), _started(os.getpid())], "parts": parts}
        self.record.write_text(json.dumps(content), encoding="utf-8")

    def __enter__(self) -> Self:
        """The supervisor itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every part."""
        self.stop()


def end_leftovers(record: Path) -> int:
    """End the processes a killed demo wrote down, and their groups; the number ended. A pid used anew is left alone.

    Raises StillRunning when that demo is alive.
    """
    if not record.exists():
        return 0
    content = json.loads(record.read_text(encoding="utf-8"))
    if _is_same(*content["demo"]):
        raise StillRunning(f"a demo is running here already, process {content['demo'][0]}")
    ended = [pid for pid, start in content["parts"] if _is_same(pid, start)]
    for pid in ended:
        _signal_group(pid, signal.SIGTERM)
    _wait_gone(ended, 10.0)
    for pid in ended:
        _signal_group(pid, signal.SIGKILL)
    record.unlink(missing_ok=True)
    return len(ended)


def _is_same(pid: int, start: float | None) -> bool:
    now = _started(pid)
    return now is not None and start is not None and abs(now - start) < SAME_START_S


def _started(pid: int) -> float | None:
    """When a process began, None for one that is gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _wait_gone(pids: Iterable[int], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group a part leads; none left is what was wanted."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
