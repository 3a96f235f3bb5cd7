"""A pytest plugin that writes how each test ended into the file that L2C_FAULT_RESULTS names.

`PYTHONPATH=tests/faults L2C_FAULT_RESULTS=build/fault-results.json pytest -p fault_results -m fault`
"""

import json
import os
from pathlib import Path

import pytest

VARIABLE = "L2C_FAULT_RESULTS"


class Results:
    """The worst outcome of each test function, all its parameters together."""

    ORDER = ("failed", "skipped", "passed")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.split("[", 1)[0]
        known = self.outcomes.get(name, report.outcome)
        self.outcomes[name] = min(known, report.outcome, key=self.ORDER.index)

    def pytest_sessionfinish(self) -> None:
        """A run of some tests leaves what is known of the others."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.path.write_text(json.dumps(known | self.outcomes, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.get(VARIABLE)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results(Path(path).absolute()), "fault-results")
