"""Simulated systems as processes, for benchmarks and rigs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.home import ROOT


@contextmanager
def running(system: str, folder: Path, *options: str) -> Iterator[str]:
    """A simulated system that keeps its state in `folder`; its address. It has ended when this ends."""
    command = [sys.executable, "-m", "sandbox", system, "--port", "0", "--data", str(folder), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise SystemExit(f"the simulated system '{system}' did not start")
        yield str(json.loads(line)["url"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()
