"""What is shipped: a wheel built by the locked build backend, with nothing from outside."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_wheel_ships_both_packages_with_their_types_and_data(tmp_path):
    pytest.importorskip("hatchling", reason="the build backend is not installed: make setup")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as shipped:
        names = set(shipped.namelist())
    assert {"l2c/py.typed", "connectors/py.typed", "l2c/cli/__init__.py", "connectors/s4hana/connector.py"} <= names
    assert [name for name in names if name.startswith("connectors/commerce/impex/")]
    assert not [name for name in names if name.startswith(("tests/", "sandbox/", "demo/"))]
