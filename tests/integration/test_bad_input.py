"""Bad input through the real command: one clear message each, the right exit code, and nothing lost once it is healed.

What the command says is compared with `golden/<case>.txt`; ports, moments and numbers the systems hand out are normalised.
With L2C_WRITE_GOLDEN set the files are written instead, to be read before they are committed.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.control import Control
from tests.integration.world import COMMAND, FLOW, ROOT, SOURCE, TARGET, World, make_world

GOLDEN = Path(__file__).parent / "golden"
PARTNERS = 30
READ, WRITE = "mappings/s4hana/business_partner.read.yaml", "mappings/commerce/business_partner.unit.write.yaml"
FLOW_FILE = f"config/flows/{FLOW}.yaml"
SECRETS = ("sandbox-s4-secret", "wrong-s4-secret", "wrong-shop-secret", "Authorization", "Basic ", "Bearer ")
NORMAL = (
    (r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "MOMENT"),
    (r"\brun \d+", "run N"),
    (r"\b10000\d\d\b", "KEY"),
    (r"number '\d+'", "number 'N'"),
    (r"(?m)^ *\d+  ", "ID  "),
    (r"(?<=\S) {2,}", "  "),
)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


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


@dataclass(frozen=True)
class Installation:
    world: World
    shop_process: System

    def say(self, *words: str, connections: Mapping[str, Any] | None = None) -> Said:
        """Run the command; whatever it says holds no traceback and no secret."""
        env = {**self.world.env, **{name: json.dumps(value) for name, value in (connections or {}).items()}}
        done = subprocess.run([str(COMMAND), *words], env=env, capture_output=True, text=True, timeout=60, check=False)
        both = done.stdout + done.stderr
        assert "Traceback" not in both
        assert [secret for secret in SECRETS if secret in both] == []
        return Said(done.returncode, done.stdout, done.stderr)

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

    def runs(self) -> None:
        """The next capture and distribution complete, and the shop holds every customer; in this process, to be quick."""
        with self.world.hub() as hub:
            for summary in (hub.capture(FLOW, SOURCE), hub.distribute(FLOW, TARGET)):
                assert summary.status == "done"
                assert summary.sums_met
        assert self.missing() == set()

    @contextmanager
    def files(self) -> Iterator[Path]:
        """The home folder; afterwards config and mappings are those of the project again."""
        try:
            yield self.world.home
        finally:
            for part in ("config", "mappings"):
                shutil.rmtree(self.world.home / part)
                shutil.copytree(ROOT / part, self.world.home / part)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Both systems as processes and a first load; every test leaves them sound."""
    folder = tmp_path_factory.mktemp("bad")
    s4, shop = System("s4hana", folder / "s4", ("--partners", str(PARTNERS))), System("commerce", folder / "shop")
    try:
        for system in (s4, shop):
            system.start()
        world = make_world(folder, Control(s4.url), Control(shop.url), f"sqlite:///{folder / 'state.db'}")
        installation = Installation(world, shop)
        installation.runs()
        yield installation
    finally:
        for system in (s4, shop):
            system.stop()


def change(home: Path, path: str, *pairs: tuple[str, str]) -> None:
    text = (home / path).read_text()
    for old, new in pairs:
        assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    (home / path).write_text(text)


def assert_golden(case: str, text: str) -> None:
    for pattern, put in NORMAL:
        text = re.sub(pattern, put, text)
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("L2C_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


# Files that are wrong.


def test_two_bad_flows_are_both_named_and_the_good_one_still_runs(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        canonical = (home / f"mappings/canonical/{FLOW}.yaml").read_text()
        (home / "mappings/canonical/lead.yaml").write_text(canonical.replace(f"entity: {FLOW}", "entity: lead"))
        (home / "config/flows/lead.yaml").write_text(
            "flow: lead\ncapture:\n  s4hana: {shedule: '*/15 * * * *'}\nfirst: s4hana\ndistribute: {commerce: {}}\n"
        )
        (home / "config/flows/order.yaml").write_text("flow: order\ncapture: {s4hana: {}}\n  first: s4hana\n")
        said = loaded.say("status")
        assert said.code == 2
        assert_golden("two_bad_flows", said.err)
        assert loaded.say("capture", "lead").code == 2
        assert loaded.missing() == {number}
        for verb in ("capture", "distribute"):
            said = loaded.say(verb, FLOW)
            assert said.code == 0, said.err
            assert "sums meet" in said.out
    assert loaded.missing() == set()


def test_a_mapping_with_five_mistakes_names_all_five(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        change(
            home,
            WRITE,
            ("name: {expr: name,", "name: {exprs: name,"),
            ("vatID: vat_number", "vatID: vat_numbr"),
            ("district: district", "district: uper(district)"),
            ("town: first_of(city, po_box_city)", "town: first_of(city, po_box_city"),
            ("value_map: commerce_region}", "value_map: commerce_regon}"),
        )
        said = loaded.say("distribute", FLOW)
    assert said.code == 2
    assert len(said.err.splitlines()) == 5
    assert_golden("five_mistakes", said.err)
    assert loaded.missing() == {number}
    loaded.runs()


def test_an_unknown_system_in_a_flow_is_told_with_the_near_miss(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        change(home, FLOW_FILE, ("commerce: {}", "comerce: {}"))
        said = loaded.say("distribute", FLOW)
    assert said.code == 2
    assert_golden("unknown_system", said.err)
    assert loaded.missing() == {number}
    loaded.runs()


def test_a_hole_in_a_value_map_sets_the_record_aside_until_the_line_is_added(loaded: Installation):
    number = loaded.new_customer("LU")
    with loaded.files() as home:
        countries = home / "mappings/value_maps/country.yaml"
        countries.write_text("value_map: country\ndescription: Countries we deliver to.\nvalues:\n  DE: DE\n")
        change(home, READ, ("country: upper(Country)", "country: {expr: upper(Country), value_map: country}"))
        said = loaded.say("capture", FLOW)
        assert said.code == 1
        assert "dead letter 1" in said.out
        said = loaded.say("dead-letters")
        assert said.code == 1
        assert_golden("value_map_hole", said.out + said.err)
        assert loaded.missing() == {number}

        countries.write_text(countries.read_text() + "  LU: LU\n")
        assert loaded.say("redrive").code == 0
        assert loaded.say("capture", FLOW).code == 0
        said = loaded.say("distribute", FLOW)
        assert said.code == 0
        assert "written 1;" in said.out
        assert loaded.missing() == set()
        assert loaded.say("dead-letters").code == 0


# Systems that refuse, are away, or answer something else.


def test_a_wrong_password_of_the_source_is_refused(loaded: Installation):
    number = loaded.new_customer()
    wrong = {"url": loaded.world.s4.url, "user": "HUB_USER", "secret": "wrong-s4-secret"}
    said = loaded.say("capture", FLOW, connections={"L2C_CONNECTION_S4HANA": wrong})
    assert said.code == 3
    assert_golden("wrong_password_source", said.err)
    assert loaded.missing() == {number}
    loaded.runs()


def test_a_wrong_secret_of_the_target_is_refused(loaded: Installation):
    number = loaded.new_customer()
    wrong = {"url": loaded.world.shop.url, "user": "l2c-hub", "secret": "wrong-shop-secret"}
    loaded.capture()
    said = loaded.say("distribute", FLOW, connections={"L2C_CONNECTION_COMMERCE": wrong})
    assert said.code == 3
    assert_golden("wrong_password_target", said.err)
    assert loaded.missing() == {number}
    loaded.runs()


def test_a_target_that_is_down_gets_everything_when_it_is_back(loaded: Installation):
    number = loaded.new_customer()
    loaded.capture()
    loaded.shop_process.stop()
    try:
        said = loaded.say("distribute", FLOW)
    finally:
        loaded.shop_process.start()
    assert said.code == 3
    assert_golden("target_down", said.err)
    assert loaded.missing() == {number}
    loaded.runs()


@pytest.mark.parametrize(
    ("case", "kind", "options"),
    [
        ("html_login", "html_login", {}),
        ("cut_visible", "cut", {"length": True}),
        ("cut_invisible", "cut", {}),
    ],
)
def test_an_answer_that_is_no_answer_stops_the_run_and_loses_nothing(
    loaded: Installation, case: str, kind: str, options: dict[str, Any]
):
    number = loaded.new_customer()
    loaded.world.s4.fault(kind, method="GET", path=r"A_BusinessPartner\?", times=None, **options)
    try:
        said = loaded.say("capture", FLOW)
    finally:
        loaded.world.s4.heal()
    assert said.code == 3
    assert_golden(case, said.err)
    assert loaded.missing() == {number}
    loaded.runs()


def test_a_next_link_to_another_host_is_not_followed(loaded: Installation):
    number = loaded.new_customer()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        url = f"http://localhost:{stranger.getsockname()[1]}/next"
        loaded.world.s4.fault("foreign_next", method="GET", path=r"A_BusinessPartner\?", times=None, url=url)
        try:
            said = loaded.say("capture", FLOW)
        finally:
            loaded.world.s4.heal()
        with pytest.raises(BlockingIOError):  # nobody knocked
            stranger.accept()
    assert said.code == 3
    assert_golden("foreign_next", said.err)
    assert loaded.missing() == {number}
    loaded.runs()
