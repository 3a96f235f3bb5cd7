"""A simulated system in a process of its own, and the strings of its control address."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from l2c.contract.conformance import Fault, Operation

HOME = Path(__file__).parents[3]
WRITES = ("POST", "PATCH", "PUT", "MERGE", "DELETE")
BUSY_FOR_S = 30
LATE_S = 1.5
WAIT_S = 0.5  # what a connector under test waits for an answer
FAULTS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.TIMEOUT: {"kind": "delay", "seconds": LATE_S, "times": None},
    Fault.BUSY: {"kind": "status", "status": 429, "headers": {"Retry-After": str(BUSY_FOR_S)}, "times": None},
    Fault.SERVER_ERROR: {"kind": "status", "status": 500, "times": None},
    Fault.LOST: {"kind": "after_commit", "times": 1},
}


@dataclass
class Sandbox:
    """A running simulated system; `service` is the beginning of the paths its faults hit."""

    url: str
    control: str
    service: str
    heals_at: float = 0.0

    def ask(self, path: str, **params: Any) -> Any:
        """What the control address answers to a GET; None where it has nothing."""
        answer = requests.get(f"{self.control}/{path}", params=params, timeout=10)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def tell(self, path: str, **content: Any) -> Any:
        """Post to the control address."""
        answer = requests.post(f"{self.control}/{path}", json=content, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def records(self, entity: str) -> dict[str, dict[str, Any]]:
        """State of every record of an entity, by key."""
        answer = requests.get(f"{self.control}/records", params={"entity": entity, "limit": 10_000}, timeout=10)
        answer.raise_for_status()
        lines = [json.loads(line) for line in answer.text.splitlines()]
        return {line["key"]: line["data"] for line in lines}

    def arm(self, fault: Fault, operation: Operation) -> None:
        """Put a fault in force for every request of this kind below the service."""
        for method in ("GET",) if operation is Operation.READ else WRITES:
            self.tell("faults", match={"method": method, "path": self.service}, **FAULTS[fault])
        if fault is Fault.TIMEOUT:
            self.heals_at = time.monotonic() + LATE_S

    def disarm(self) -> None:
        """Take every fault away; after a delay only when what was delayed is over."""
        requests.delete(f"{self.control}/faults", timeout=10).raise_for_status()
        if self.heals_at:
            time.sleep(max(self.heals_at - time.monotonic(), 0) + 0.3)
            self.heals_at = 0.0


@contextmanager
def started(system: str, *options: str, service: str) -> Iterator[Sandbox]:
    """A fresh simulated system, ended afterwards."""
    command = [sys.executable, "-m", "sandbox", system, "--port", "0", *options]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Sandbox(ready["url"], ready["control"], service)
        finally:
            process.terminate()
            process.wait(10)
