"""Bad input through the real command: one clear message each, the right exit code, and nothing lost once it is healed."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.installation import GOLDEN, Installation, change, running
from tests.integration.world import FLOW, SOURCE, TARGET

PARTNERS = 30
READ, WRITE = "mappings/s4hana/business_partner.read.yaml", "mappings/commerce/business_partner.unit.write.yaml"
FLOW_FILE = f"config/flows/{FLOW}.yaml"
FLOW_TEXT = """\
flow: business_partner
capture:
  s4hana: {schedule: "*/15 * * * *"}
first: s4hana
match: [[customer_number]]
owners: {"*": s4hana}
distribute:
  commerce: {}
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Both systems as processes and a first load; every test leaves them sound."""
    with running(tmp_path_factory.mktemp("bad"), "--partners", str(PARTNERS)) as made:
        (made.world.home / FLOW_FILE).write_text(FLOW_TEXT)
        made.settles()
        yield made


@pytest.fixture
def loaded(installation: Installation) -> Installation:
    """With a screen that shows nothing yet."""
    installation.said.clear()
    return installation


# Files that are wrong.


def test_bad_flows_are_all_named_and_the_good_one_still_runs(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        (home / "mappings/canonical/lead.yaml").write_text("entity: lead\nfields: {number: {type: text}}\n")
        (home / "config/flows/lead.yaml").write_text(
            """\
flow: lead
capture:
  s4hana: {schedule: "*/75 * * * *", swep: "0 2 * * *"}
  commerce: {shedule: "*/15 * * * *"}
first: s4hana
owners: {phone: newest}
retries: {attempts: 0, first_wait: 30s}
distribute: {commerce: {page_size: many}}
"""
        )
        (home / "config/flows/price.yaml").write_text("flow: price\ncapture:\n\ts4hana: {}\n")
        (home / "config/flows/order.yaml").write_text("flow: order\ncapture: {s4hana: {}}\n  first: s4hana\n")
        loaded.say("lint", "--offline", expect=1)
        loaded.say("status", expect=2)
        loaded.say("capture", "lead", expect=2)
        loaded.golden("bad_flows")
        assert loaded.missing() == {number}
        for verb in ("capture", "distribute"):
            assert "sums meet" in loaded.say(verb, FLOW, expect=0)
    assert loaded.missing() == set()
    loaded.settles()


def test_every_mistake_of_a_mapping_is_named_at_once(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        change(
            home,
            WRITE,
            ("name: {expr: name,", "name: {exprs: name,"),
            ("vatID: vat_number", "vatID: vat_numbr"),
            ("l2cEmail: email", "l2cEmail: email.lower()"),
            ("streetname: street\n", "streetname: first_of(street\n"),
            ("district: district", "district: uper(district)"),
            ("pobox: po_box", "pobox: po_bx"),
            ("value_map: commerce_region}", "value_map: commerce_regon}"),
        )
        loaded.say("lint", expect=1)
        assert len(loaded.say("distribute", FLOW, expect=2).splitlines()) == 7
    loaded.golden("mapping_mistakes")
    assert loaded.missing() == {number}
    loaded.settles()


def test_an_unknown_system_in_a_flow_is_told_with_the_near_miss(loaded: Installation):
    number = loaded.new_customer()
    with loaded.files() as home:
        change(home, FLOW_FILE, ("commerce: {}", "comerce: {}"))
        loaded.say("lint", "--offline", expect=1)
        loaded.say("capture", FLOW, SOURCE, expect=2)
        loaded.say("distribute", FLOW, expect=2)
        loaded.say("distribute", FLOW, "comerce", expect=2)
    loaded.golden("unknown_system")
    assert loaded.missing() == {number}
    loaded.settles()


@pytest.mark.fault("D8", "S3")
@pytest.mark.parametrize(
    ("where", "path", "before", "hole", "country"),
    [
        ("own", READ, "value_maps:\n", "value_maps:\n  country:\n", "LU"),
        ("file", "mappings/value_maps/country.yaml", "", "value_map: country\ndescription: Ours.\nvalues:\n", "BE"),
    ],
)
def test_a_hole_in_a_value_map_sets_the_record_aside_until_the_line_is_added(
    loaded: Installation, where: str, path: str, before: str, hole: str, country: str
):
    number, sound = loaded.new_customer(country), loaded.new_customer("DE")
    known = "".join(f"    {code}: {code}\n" for code in ("DE", "LU", "BE") if code != country)
    with loaded.files() as home:
        change(home, READ, ("country: upper(Country)", "country: {expr: upper(Country), value_map: country}"))
        if not before:
            (home / path).touch()
        change(home, path, (before, hole + known))
        loaded.say("capture", FLOW, expect=1)
        loaded.say("dead-letters", expect=1)
        loaded.say("distribute", FLOW, expect=0)
        loaded.say("status", expect=1)
        loaded.golden(f"value_map_hole_{where}")
        assert loaded.missing() == {number}, f"{sound} went on"

        change(home, path, (known, f"{known}    {country}: {country}\n"))
        assert json.loads(loaded.say("redrive", FLOW, "--json", expect=0))["redriven"] == 1
        loaded.say("capture", FLOW, expect=0)
        assert "written 1;" in loaded.say("distribute", FLOW, expect=0)
        loaded.say("dead-letters", expect=0)
        rows = json.loads(loaded.say("keys", FLOW, "--limit", "1000", "--json", expect=0))
        assert len({row["record"] for row in rows}) == len(list(loaded.world.s4.records("A_BusinessPartner")))
        loaded.settles()


# Systems that refuse, are away, or answer something else.


def test_a_wrong_password_is_refused_by_both_systems(loaded: Installation):
    number = loaded.new_customer()
    with loaded.connected(SOURCE, secret="wrong-s4-secret"), loaded.connected(TARGET, secret="wrong-shop-secret"):
        loaded.say("check", expect=3)
        loaded.say("capture", FLOW, expect=3)
    loaded.say(
        "capture", FLOW, expect=3
    )  # refused twice: nothing is sent until somebody says that the login is repaired
    loaded.say("systems", "reopen", SOURCE, expect=0)
    loaded.capture()
    with loaded.connected(TARGET, secret="wrong-shop-secret"):
        loaded.say("distribute", FLOW, expect=3)
    loaded.say("systems", "reopen", TARGET, expect=0)
    loaded.golden("wrong_password")
    assert loaded.missing() == {number}
    loaded.settles()


def test_a_target_that_is_down_gets_everything_when_it_is_back(loaded: Installation):
    numbers = {loaded.new_customer()}
    loaded.capture()
    loaded.shop_process.stop()
    try:
        loaded.say("distribute", FLOW, expect=3)
        loaded.say("check", TARGET, expect=3)
        loaded.golden("target_down")
        numbers.add(loaded.new_customer())
        assert "journaled 1" in loaded.say("capture", FLOW, expect=0), "the source is read all the same"
    finally:
        loaded.shop_process.start()
    assert loaded.missing() == numbers
    loaded.settles()


@pytest.mark.fault("R12", "R14")
@pytest.mark.parametrize(
    ("case", "kind", "options"),
    [
        ("html_login", "html_login", {}),
        ("cut_visible", "cut", {"length": True, "bytes": 5000}),
        ("cut_invisible", "cut", {"bytes": 5000}),
    ],
)
def test_an_answer_that_is_no_answer_stops_the_run_and_loses_nothing(
    loaded: Installation, case: str, kind: str, options: dict[str, Any]
):
    number = loaded.new_customer()
    with loaded.fault(kind, **options):
        loaded.say("capture", FLOW, expect=3)
    loaded.golden(case)
    assert loaded.missing() == {number}
    loaded.settles()


def test_a_next_link_to_another_host_is_not_followed(loaded: Installation):
    number = loaded.new_customer()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        with loaded.fault("foreign_next", url=f"http://localhost:{stranger.getsockname()[1]}/next"):
            loaded.say("capture", FLOW, expect=3)
        with pytest.raises(BlockingIOError):  # nobody knocked
            stranger.accept()
    loaded.golden("foreign_next")
    assert loaded.missing() == {number}
    loaded.settles()


def test_every_golden_file_belongs_to_a_case():
    text = Path(__file__).read_text()
    cases = {*re.findall(r'golden\("(\w+)"\)', text), *re.findall(r'\("(\w+)", "(?:cut|html_login)", ', text)}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*cases, "value_map_hole_own", "value_map_hole_file"}
