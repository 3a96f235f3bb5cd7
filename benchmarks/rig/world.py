"""Both simulated systems, the project's own configuration between them, and processes that work for the hub."""

import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.home import ROOT, S4_SECRET, S4_USER, SHOP_SECRET, SHOP_USER
from benchmarks.registrations.systems import Control, sandbox
from l2c.hub import Hub

FLOW, CONTACT = "business_partner", "contact"
SOURCE, TARGET = "s4hana", "commerce"
FLOWS = (FLOW, CONTACT)
BREAKER = {"failures": 1000, "wait": "PT1S", "longest_wait": "PT2S"}
SOON = {"attempts": 50, "first_wait": "PT1S", "max_wait": "PT4S"}


@dataclass(frozen=True)
class Sizes:
    """How much is read, written and settled at once."""

    page: int = 200
    writes: int = 50
    block: int = 100


@dataclass(frozen=True)
class Rig:
    """The hub between two simulated systems; `env` is what its processes find in their environment."""

    folder: Path
    env: Mapping[str, str]
    s4: Control
    shop: Control
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def quiet_s(self) -> float:
        """The quiet period."""
        return self.seconds["processing"]

    @property
    def lease_s(self) -> float:
        """How long a lease lasts without a sign of life."""
        return self.seconds["lease"]

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """The façade, in this process."""
        with Hub.open(env=self.env) as hub:
            yield hub

    def with_store(self, name: str) -> "Rig":
        """The same systems, an empty state store."""
        return replace(self, env={**self.env, "L2C_DATABASE_URL": f"sqlite:///{self.folder / name}.db"})

    def sized(self, sizes: Sizes) -> "Rig":
        """The same with other sizes."""
        home = Path(self.env["L2C_HOME"])
        name = f"sized-{sizes.page}-{sizes.writes}-{sizes.block}"
        for flow in FLOWS:
            _overlay(home / name / "flows" / f"{flow}.yaml", flow, sizes)
        return replace(self, env={**self.env, "L2C_OVERLAY": name})


@contextmanager
def started(
    folder: Path,
    *,
    partners: int,
    sizes: Sizes = Sizes(),  # frozen
    processing_s: float = 3.0,
    lease_s: float = 360.0,
    seed: int = 7,
) -> Iterator[Rig]:
    """Systems as processes and the hub's folder; `processing_s`: how long a lost create counts as possibly at work."""
    options = ("--partners", str(partners), "--seed", str(seed))
    with sandbox(SOURCE, folder / "s4", *options) as s4, sandbox(TARGET, folder / "shop") as shop:
        home = folder / "home"
        for part in ("config", "mappings"):
            shutil.copytree(ROOT / part, home / part)
        _systems(home / "config" / "systems.yaml", processing_s)
        seconds = {"processing": processing_s, "lease": lease_s}
        yield Rig(folder, _environment(folder, home, (s4, shop), lease_s), s4, shop, seconds).sized(sizes)


def _systems(place: Path, processing_s: float) -> None:
    content = yaml.safe_load(place.read_text(encoding="utf-8"))
    for system in content["systems"].values():
        system["breaker"] = dict(BREAKER)
        system.setdefault("settings", {}).update(deadline_s=30.0, overlap_s=10)
    content["systems"][SOURCE]["settings"]["max_processing_s"] = processing_s
    place.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _overlay(place: Path, flow: str, sizes: Sizes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    writing = {"page_size": sizes.writes, "block": sizes.block}
    content: dict[str, Any] = {
        "flow": flow,
        "capture": {SOURCE: {"page_size": sizes.page}, TARGET: {"page_size": sizes.page}},
        "distribute": {SOURCE: writing, TARGET: dict(writing)},
        "retries": dict(SOON),
    }
    place.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _environment(folder: Path, home: Path, systems: tuple[Control, Control], lease_s: float) -> dict[str, str]:
    s4, shop = systems
    connections = {
        "L2C_CONNECTION_S4HANA": {"url": s4.url, "user": S4_USER, "secret": S4_SECRET},
        "L2C_CONNECTION_COMMERCE": {"url": shop.url, "user": SHOP_USER, "secret": SHOP_SECRET},
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("L2C_")},
        "L2C_HOME": str(home),
        "L2C_DATABASE_URL": f"sqlite:///{folder / 'state'}.db",
        "L2C_LEASE_S": str(lease_s),
        **{name: json.dumps(value) for name, value in connections.items()},
    }


def fork(work: Callable[[], int], log: Path, env: Mapping[str, str]) -> int:
    """A child of this process that does that work with that environment; its pid.

    This process must have no connection open: a child would share it.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(env)
        code = work()
    except SystemExit as ending:
        code = int(ending.code or 0)
    except BaseException:  # noqa: BLE001  # a child must not come back into its parent's program
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def ended(pid: int, within_s: float = 120.0) -> int:
    """Wait for a child; its exit code, or minus the signal that ended it."""
    deadline = time.monotonic() + within_s
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGUSR1)  # a worker writes down where it stands
            time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"a worker was not through after {within_s} seconds")
        time.sleep(0.002)
