"""The control address of a simulated system, by nothing but the standard library."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

PAGE = 1000


@dataclass(frozen=True)
class Control:
    """Speaks to one simulated system as its users and its administrator would."""

    url: str

    def ask(self, path: str, **params: Any) -> Any:
        """A GET below the control address, as JSON."""
        return json.loads(self._call("GET", path, params))

    def tell(self, path: str, **content: Any) -> Any:
        """A POST below the control address."""
        return json.loads(self._call("POST", path, {}, json.dumps(content).encode()))

    def change(self, entity: str, key: str, **values: Any) -> None:
        """Change fields of one record as a user at the screen does."""
        self.tell("change", entity=entity, key=key, set=values)

    def create(self, entity: str, values: Mapping[str, Any]) -> str:
        """Create one record; its key."""
        return str(self.tell("create", entity=entity, set=dict(values))["key"])

    def delete(self, entity: str, key: str) -> None:
        """Delete one record."""
        self.tell("delete", entity=entity, key=key)

    def fault(self, kind: str, *, method: str = "", path: str = "", inner: bool = False, **content: Any) -> None:
        """Arm a scripted fault."""
        self.tell("faults", match={"method": method, "path": path, "inner": inner}, kind=kind, **content)

    def heal(self) -> None:
        """Take every fault away."""
        self._call("DELETE", "faults", {})

    def record(self, entity: str, key: str) -> dict[str, Any] | None:
        """The stored state of one record, None where there is none."""
        try:
            found: dict[str, Any] = self.ask("record", entity=entity, key=key)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                raise
        return found

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and state of every record, in key order."""
        after = ""
        while True:
            lines = self._call("GET", "records", {"entity": entity, "after": after, "limit": PAGE}).splitlines()
            for line in lines:
                found = json.loads(line)
                yield found["key"], found["data"]
                after = found["key"]
            if len(lines) < PAGE:
                return

    def log(self, *, after: int = 0, origin: str = "api", entity: str | None = None) -> list[dict[str, Any]]:
        """The commit log behind a number; `origin` is api, user, load or all."""
        found: list[dict[str, Any]] = []
        more = {"entity": entity} if entity else {}
        while True:
            page = self.ask("log", after=after, origin=origin, limit=PAGE, **more)["entries"]
            found += page
            if len(page) < PAGE:
                return found
            after = page[-1]["seq"]

    def last_commit(self) -> int:
        """The number of the newest commit, whoever made it."""
        entries = self.log(origin="all")
        return int(entries[-1]["seq"]) if entries else 0

    def requests(self) -> dict[str, int]:
        """How many requests of each kind were answered."""
        found: dict[str, int] = self.ask("stats")["requests"]
        return found

    def _call(self, method: str, path: str, params: Mapping[str, Any], body: bytes | None = None) -> str:
        query = f"?{urlencode(params)}" if params else ""
        request = urllib.request.Request(f"{self.url}/_control/{path}{query}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text: str = answer.read().decode()
        return text
