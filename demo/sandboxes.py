"""The two simulated systems: started as processes, looked at and changed through their control address."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.supervisor import Part, Supervisor

READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One simulated system and its control address."""

    name: str
    url: str
    control: str

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """One record as the system holds it; None when there is none."""
        answer = _ask("GET", f"{self.control}/record", params={"entity": entity, "key": key}, timeout=30)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every record of an entity, by key."""
        after = ""
        while True:
            params = {"entity": entity, "after": after, "limit": "500"}
            answer = _ask("GET", f"{self.control}/records", params=params, timeout=60)
            answer.raise_for_status()
            lines = [json.loads(line) for line in answer.content.splitlines() if line]
            if not lines:
                return
            yield from ((line["key"], line["data"]) for line in lines)
            after = lines[-1]["key"]

    def change(self, entity: str, key: str, **values: Any) -> None:
        """Change a record as a user of that system would."""
        self.tell("/change", {"entity": entity, "key": key, "set": values})

    def tell(self, path: str, body: Any) -> Any:
        """A POST below the control address; what it answers."""
        answer = _ask("POST", f"{self.control}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def ask(self, path: str) -> Any:
        """A GET below the control address, as JSON."""
        answer = _ask("GET", f"{self.control}{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def log(self, entity: str = "", *, after: int = 0, origin: str = "api") -> list[dict[str, Any]]:
        """The commit log behind a place; `origin` is `api` (the system's own interface), `user` or `all`."""
        found: list[dict[str, Any]] = []
        wanted = f"&entity={entity}" if entity else ""
        while True:
            entries = self.ask(f"/log?after={after}&origin={origin}&limit=1000{wanted}")["entries"]
            found += entries
            if not entries:
                return found
            after = int(entries[-1]["seq"])

    def writes(self) -> int:
        """How many writes came through the system's own interface so far."""
        written = self.ask("/stats")["writes"]
        return sum(int(count) for actions in written.values() for count in actions.values())

    def written(self, *entities: str) -> int:
        """How many writes of these entities came through the system's own interface so far."""
        written = self.ask("/stats")["writes"]
        return sum(int(count) for name in entities for count in written.get(name, {}).values())

    def faults(self) -> int:
        """How many of the faults it was told to make have happened so far."""
        return sum(int(count) for count in self.ask("/stats")["faults"].values())


def start(supervisor: Supervisor, name: str, data: Path, *options: str) -> Part:
    """Start one simulated system."""
    command = [sys.executable, "-m", "sandbox", name, "--data", str(data), *options]
    return supervisor.start(f"sandbox-{name}", command)


def ready(supervisor: Supervisor, name: str, part: Part) -> Sandbox:
    """Wait for its ready line."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        supervisor.check()
        for line in part.log.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                told = json.loads(line)
                return Sandbox(name, told["url"], told["control"])
        time.sleep(0.05)
    raise TimeoutError(f"the simulated system '{name}' did not get ready within {READY_S:.0f} s; see {part.log}")


def _ask(method: str, url: str, **options: Any) -> requests.Response:
    """One request on a connection of its own, whatever proxy the environment names."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, **options)
