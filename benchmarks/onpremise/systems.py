"""S/4HANA as it stands on premise, the shop, the hub between them, and its inbox as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.home import ROOT, SOURCE
from benchmarks.registrations.systems import Control, World, make_world, sandbox

LOGIN = {"user": "S4_SENDER", "secret": "what S/4HANA proves itself with"}
PROCESSING_S = 6.0  # how long a message may be at work before it is looked up
MESSAGE = 5  # partners in one envelope: so that something befalls enough of them
QUIETLY = {
    "soap_delay_s": 0.2,
    "soap_jitter_s": 0.0,
    "confirm_lost": 0.0,
    "confirm_doubled": 0.0,
    "confirm_out_of_order": 0.0,
    "confirm_late_s": 0.0,
    "confirm_never": "",
}


@dataclass(frozen=True)
class OnPremise:
    """The installation, and the address of the hub's inbox for S/4HANA."""

    world: World
    inbox: str
    processing_s: float = PROCESSING_S

    @property
    def s4(self) -> Control:
        """S/4HANA's control address."""
        return self.world.s4

    @property
    def shop(self) -> Control:
        """The shop's control address."""
        return self.world.shop

    def set(self, **settings: Any) -> None:
        """What befalls messages from now on; everything not named goes well."""
        self.s4.tell("settings", **{**QUIETLY, **settings})


@contextmanager
def receiver(env: dict[str, str]) -> Iterator[str]:
    """The hub's inbox as a process; its address without the system."""
    command = [sys.executable, "-m", "benchmarks.onpremise.receiver"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise SystemExit("the inbox did not start")
        yield str(json.loads(line)["url"])
    finally:
        process.communicate(timeout=30)


@contextmanager
def installation(folder: Path, *, partners: int, processing_s: float = PROCESSING_S) -> Iterator[OnPremise]:
    """All of it, running; S/4HANA sends its confirmations to the inbox."""
    with ExitStack() as stack:
        options = ("--partners", str(partners), "--profile", "onpremise")
        s4 = stack.enter_context(sandbox("s4hana", folder / "s4", *options))
        shop = stack.enter_context(sandbox("commerce", folder / "shop"))
        world = make_world(folder, s4, shop)
        _on_premise(world, processing_s)
        world = replace(world, env={**world.env, "L2C_CONNECTION_S4HANA_INBOX": json.dumps(LOGIN)})
        url = stack.enter_context(receiver(dict(world.env)))
        made = OnPremise(world, f"{url}/{SOURCE}", processing_s)
        made.set(confirm_url=made.inbox, confirm_user=LOGIN["user"], confirm_password=LOGIN["secret"], confirm_seed=1)
        yield made


def _on_premise(world: World, processing_s: float) -> None:
    place = Path(world.env["L2C_HOME"]) / "config" / "systems.yaml"
    content = yaml.safe_load(place.read_text(encoding="utf-8"))
    system = content["systems"][SOURCE]
    system |= {"profile": "onpremise", "inbox": {"connection": "s4hana_inbox"}}
    system["settings"] |= {"max_processing_s": processing_s, "replication_batch": MESSAGE}
    place.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
