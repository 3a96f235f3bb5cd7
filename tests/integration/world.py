"""A whole installation for a test: both simulated systems as processes, a folder with the project's own files, the command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from l2c.hub import Hub
from tests.integration.control import Control

ROOT = Path(__file__).parents[2]
FLOW, SOURCE, TARGET = "business_partner", "s4hana", "commerce"
ADDRESSES = "A_BusinessPartnerAddress"
COMMAND = Path(sys.executable).parent / "l2c"
OVERLAY = "overlay"


@dataclass
class World:
    """Where everything is; `s4` and `shop` speak to the control addresses."""

    home: Path
    s4: Control
    shop: Control
    env: Mapping[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @contextmanager
    def hub(self, **options: Any):
        """The façade, opened anew as each process would."""
        hub = Hub.open(env=self.env, **options)
        try:
            yield hub
        finally:
            hub.close()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A real worker process: the installed command."""
        process = subprocess.Popen(
            [str(COMMAND), *words], env=dict(self.env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.processes.append(process)
        return process

    def run(self, *words: str, expect: int = 0) -> str:
        """The command to its end; its output."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == expect, f"l2c {' '.join(words)} ended with {process.returncode}:\n{output}"
        return output

    def load(self) -> None:
        """First load: capture and distribution, in this process."""
        with self.hub() as hub:
            hub.capture(FLOW, SOURCE)
            hub.distribute(FLOW, TARGET)

    def close(self) -> None:
        """End what is left of the worker processes."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=10)
            if process.stdout is not None:
                process.stdout.close()


def make_world(
    folder: Path, s4: Control, shop: Control, database_url: str, *, overlay: str = "", two_way: bool = False
) -> World:
    """A copy of the project's own config and mappings; `overlay` is a flow file laid over that of the project.

    Unless `two_way`, the flow goes from S/4HANA to the shop alone: the shop is not read, S/4HANA not written.
    """
    home = folder / "home"
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, home / part)
    if not two_way:
        flow = home / "config/flows" / f"{FLOW}.yaml"
        flow.write_text(one_way(flow.read_text(encoding="utf-8")), encoding="utf-8")
    connections = {
        "L2C_CONNECTION_S4HANA": {"url": s4.url, "user": "HUB_USER", "secret": "sandbox-s4-secret"},
        "L2C_CONNECTION_COMMERCE": {"url": shop.url, "user": "l2c-hub", "secret": "sandbox"},
    }
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("L2C_")},
        "L2C_HOME": str(home),
        "L2C_DATABASE_URL": database_url,
        **{name: json.dumps(value) for name, value in connections.items()},
    }
    if overlay:
        place = home / OVERLAY / "flows"
        place.mkdir(parents=True)
        (place / f"{FLOW}.yaml").write_text(overlay)
        env["L2C_OVERLAY"] = OVERLAY
    return World(home, s4, shop, env)


def one_way(flow: str) -> str:
    """The project's flow without what makes it two-way."""
    content = yaml.safe_load(flow)
    del content["capture"][TARGET], content["distribute"][SOURCE]
    content["owners"] = {"*": SOURCE}
    return yaml.safe_dump(content, sort_keys=False)
