"""Simulated systems as processes, their control addresses, and the hub's folder between them."""

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from benchmarks.home import ENTITY, ROOT, S4_SECRET, S4_USER, SHOP_SECRET, SHOP_USER, SOURCE, TARGET
from benchmarks.plants import System
from benchmarks.systems import running
from l2c.hub import Hub

PROCESSING_S = 5.0  # the quiet period of the rig
SETTINGS: dict[str, dict[str, Any]] = {
    SOURCE: {"deadline_s": 30.0, "overlap_s": 10},
    TARGET: {"deadline_s": 30.0, "overlap_s": 10},
}
OVERLAY = f"""\
flow: {ENTITY}
distribute:
  s4hana: {{page_size: 10, block: 100}}
  commerce: {{page_size: 20, block: 100}}
retries: {{attempts: 10, first_wait: PT1S, max_wait: PT5S}}
error_budget: {{share: 100, most: 100000}}
"""
PAGE = 1000


@dataclass(frozen=True)
class Control(System):
    """The control address of a simulated system, with its logs, its faults and its registrations."""

    def ask(self, path: str, **params: Any) -> Any:
        """What a GET answers."""
        return self._call(f"{path}?{urlencode(params)}" if params else path)

    def tell(self, path: str, **content: Any) -> Any:
        """What a POST answers."""
        return self._call(path, content)

    def log(self, *, after: int = 0, origin: str = "api", entity: str | None = None) -> list[dict[str, Any]]:
        """The commit log behind a number."""
        found: list[dict[str, Any]] = []
        more = {"entity": entity} if entity else {}
        while True:
            page = self.ask("log", after=after, origin=origin, limit=PAGE, **more)["entries"]
            found += page
            if len(page) < PAGE:
                return found
            after = page[-1]["seq"]

    def disarm(self) -> None:
        """Take every fault away."""
        request = urllib.request.Request(f"{self.url}/_control/faults", method="DELETE")
        with urllib.request.urlopen(request, timeout=60):
            pass

    def created(self, entity: str) -> int:
        """How many records of an entity were created through the API."""
        return int(self.ask("stats")["writes"].get(entity, {}).get("created", 0))


@dataclass(frozen=True)
class World:
    """The hub between two simulated systems."""

    folder: Path
    env: Mapping[str, str]
    s4: Control
    shop: Control

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """The façade, in this process."""
        with Hub.open(env=self.env) as hub:
            yield hub


@contextmanager
def sandbox(system: str, folder: Path, *options: str) -> Iterator[Control]:
    """A simulated system as a process."""
    with running(system, folder, *options) as url:
        yield Control(url)


def make_world(folder: Path, s4: Control, shop: Control, processing_s: float = PROCESSING_S) -> World:
    """The project's own configuration and mappings, with that quiet period."""
    home = folder / "home"
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, home / part)
    place = home / "config" / "systems.yaml"
    content = yaml.safe_load(place.read_text(encoding="utf-8"))
    for name, values in SETTINGS.items():
        content["systems"][name].setdefault("settings", {}).update(values)
    for system in content["systems"].values():
        system["breaker"] = {"failures": 1000}  # faults come on purpose and all the time
    content["systems"][SOURCE]["settings"]["max_processing_s"] = processing_s
    place.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    overlay = home / "overlay" / "flows"
    overlay.mkdir(parents=True)
    (overlay / f"{ENTITY}.yaml").write_text(OVERLAY, encoding="utf-8")
    connections = {
        "L2C_CONNECTION_S4HANA": {"url": s4.url, "user": S4_USER, "secret": S4_SECRET},
        "L2C_CONNECTION_COMMERCE": {"url": shop.url, "user": SHOP_USER, "secret": SHOP_SECRET},
    }
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("L2C_")},
        "L2C_HOME": str(home),
        "L2C_OVERLAY": "overlay",
        "L2C_DATABASE_URL": f"sqlite:///{folder / 'state.db'}",
        **{name: json.dumps(value) for name, value in connections.items()},
    }
    return World(folder, env, s4, shop)
