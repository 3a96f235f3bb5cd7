"""Both simulated systems in step, and a screen: what the command says is compared with golden files.

Ports, moments and numbers the systems hand out are normalised. With L2C_WRITE_GOLDEN set the files are written instead, to
be read before they are committed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.checker import check
from tests.integration.control import Control
from tests.integration.world import COMMAND, FLOW, ROOT, SOURCE, TARGET, World, make_world

GOLDEN = Path(__file__).parent / "golden"
RECORDS = r"A_BusinessPartner\?"  # the pages of records, not the metadata
SECRETS = ("sandbox-s4-secret", "wrong-s4-secret", "wrong-shop-secret", "Authorization", "Basic ", "Bearer ")
NORMAL = (
    (r"(?<=\S) {2,}", "  "),
    (r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "MOMENT"),
    (r"\b10000\d\d\b", "KEY"),
    (r"\brun \d+", "run N"),
    (r"(capture|distribute)  \d+  MOMENT", r"\1  N  MOMENT"),
    (r"read \d+, ", "read N, "),
    (r", unchanged \d+", ""),
    (r"number '\d+'", "number 'N'"),
    (r"(?m)^ *\d+  ", "ID  "),
    (r"(read\.yaml):\d+\]", r"\1:LINE]"),
)


def compare(text: str, path: Path) -> None:
    """A text, normalised, is what the golden file holds."""
    for pattern, put in NORMAL:
        text = re.sub(pattern, put, text)
    if os.environ.get("L2C_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def change(home: Path, path: str, *pairs: tuple[str, str]) -> None:
    """Replace each text, which a file below the home folder holds once, by another."""
    text = (home / path).read_text()
    for old, new in pairs:
        assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    (home / path).write_text(text)


@contextmanager
def running(folder: Path, *options: str, two_way: bool = False) -> Iterator["Installation"]:
    """Both systems as processes, S/4HANA with these options, and a home folder."""
    s4, shop = System("s4hana", folder / "s4", options), System("commerce", folder / "shop")
    try:
        for system in (s4, shop):
            system.start()
        url = f"sqlite:///{folder / 'state.db'}"
        yield Installation(make_world(folder, Control(s4.url), Control(shop.url), url, two_way=two_way), shop)
    finally:
        for system in (s4, shop):
            system.stop()


@dataclass
class System:
    """A simulated system that can go away and come back at the same address with the same data."""

    name: str
    folder: Path
    options: tuple[str, ...] = ()
    url: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "sandbox", self.name, "--port", port, "--data", str(self.folder)]
        self.process = subprocess.Popen([*command, *self.options], cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=10)
            self.process = None


@dataclass
class Installation:
    """Both systems in step; `said` is what the command told so far, as a person sees it on a screen."""

    world: World
    shop_process: System
    said: list[str] = field(default_factory=list)

    def say(self, *words: str, expect: int) -> str:
        """Run the command; whatever it says holds no traceback and no secret, and what stops a run goes to stderr."""
        command = [str(COMMAND), *words]
        done = subprocess.run(
            command, env=dict(self.world.env), capture_output=True, text=True, timeout=60, check=False
        )
        both = done.stdout + done.stderr
        assert done.returncode == expect, both
        assert "Traceback" not in both
        assert [secret for secret in SECRETS if secret in both] == []
        if words[0] in {"capture", "distribute"} and expect > 1:
            assert done.stdout == ""
        self.said.append(f"$ l2c {' '.join(words)}\n{both}exit code {expect}\n")
        return both

    def golden(self, case: str, folder: Path = GOLDEN) -> None:
        """What was said since the test began is what the case's file holds."""
        compare("\n".join(self.said), folder / f"{case}.txt")

    def new_customer(self, country: str = "DE") -> str:
        """A user of S/4HANA creates a customer; its number."""
        role, place = {"BusinessPartnerRole": "FLCU01"}, {"Country": country, "CityName": "Mersch"}
        values = {"BusinessPartnerCategory": "2", "BusinessPartnerGrouping": "BP02", "OrganizationBPName1": "Neu GmbH"}
        values = {**values, "to_BusinessPartnerRole": [role], "to_BusinessPartnerAddress": [place]}
        return self.world.s4.create("A_BusinessPartner", values)

    def capture(self) -> None:
        """What is new stands in the journal and is not yet in the shop."""
        with self.world.hub() as hub:
            assert hub.capture(FLOW, SOURCE).counts["journaled"]

    def missing(self) -> set[str]:
        """Customers of S/4HANA without a unit; nothing else is in the shop, and nothing twice."""
        partners = [data for _, data in self.world.s4.records("A_BusinessPartner")]
        customers = {each["Customer"] for each in partners if each["BusinessPartnerCategory"] == "2"} - {"", None}
        units = [data["l2cCustomerNumber"] for _, data in self.world.shop.records("B2BUnit")]
        assert len(units) == len(set(units))
        assert set(units) <= customers
        return customers - set(units)

    def settles(self) -> None:
        """The next run of both halves repairs everything: both systems agree, by a comparison that is not the hub's."""
        with self.world.hub() as hub:
            for summary in (hub.capture(FLOW, SOURCE), hub.distribute(FLOW, TARGET)):
                assert summary.status in {"done", "nothing"}
                assert summary.sums_met
            assert hub.dead_letters() == []
            assert {cell.last.status if cell.last else None for cell in hub.status(FLOW)} == {"done"}
        assert self.missing() == set()
        assert check(self.world.s4, self.world.shop).differences == []

    @contextmanager
    def files(self) -> Iterator[Path]:
        """The home folder; afterwards config and mappings are what they were."""
        home = self.world.home
        kept = home.with_name("kept")
        shutil.copytree(home, kept)
        try:
            yield home
        finally:
            shutil.rmtree(home)
            kept.rename(home)

    @contextmanager
    def connected(self, system: str, **changes: str) -> Iterator[None]:
        """A connection that is not the right one."""
        right, name = self.world.env, f"L2C_CONNECTION_{system.upper()}"
        self.world.env = {**right, name: json.dumps({**json.loads(right[name]), **changes})}
        try:
            yield
        finally:
            self.world.env = right

    @contextmanager
    def fault(self, kind: str, **options: Any) -> Iterator[None]:
        """S/4HANA answers every page of partners in this way."""
        self.world.s4.fault(kind, method="GET", path=RECORDS, times=None, **options)
        try:
            yield
        finally:
            self.world.s4.heal()
