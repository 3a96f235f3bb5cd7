"""Bad input of every kind: one clear message each (golden files), nothing lost, repaired by the next run.

Everything runs through the installed command against both simulated systems as processes.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.integration.checker import check
from tests.integration.control import Control
from tests.integration.world import FLOW, SOURCE, TARGET, World, make_world

PARTNERS = 40
READ_MAPPING = "mappings/s4hana/business_partner.read.yaml"
WRITE_MAPPING = "mappings/commerce/business_partner.unit.write.yaml"
RECORDS = r"A_BusinessPartner\?"  # the pages of records, not the metadata


@pytest.fixture
def shop(start_sandbox, tmp_path):
    """The shop on a port and data of its own, so that it can be taken away and brought back."""
    port = free_port()
    return lambda: start_sandbox("commerce", data=tmp_path / "shop", port=port)


@pytest.fixture
def world(start_sandbox, shop, sqlite_url, tmp_path):
    source, target = start_sandbox("s4hana", partners=PARTNERS), shop()
    made = make_world(tmp_path, Control(source.url), Control(target.url), sqlite_url)
    made.target = target
    yield made
    made.close()


def edit(world: World, name: str, *changes: tuple[str, str]) -> str:
    """Replace texts that stand exactly once in a file; returns the file as it was."""
    path = world.home / name
    text = before = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return before


def write(world: World, name: str, text: str) -> None:
    (world.home / name).write_text(text, encoding="utf-8")


def connect(world: World, system: str, **changes: str) -> None:
    variable = f"L2C_CONNECTION_{system.upper()}"
    world.env = {**world.env, variable: json.dumps({**json.loads(world.env[variable]), **changes})}


def settled(world: World) -> None:
    """The next run of both halves repairs everything: both systems agree, by a comparison that is not the hub's."""
    with world.hub() as hub:
        runs = [hub.capture(FLOW, SOURCE), hub.distribute(FLOW, TARGET)]
        letters, cells = hub.dead_letters(), hub.status()
    assert check(world.s4, world.shop).differences == []
    assert letters == []
    assert all(run.sums_met for run in runs)
    assert all(cell.last is not None and cell.last.status == "done" for cell in cells)


def test_two_bad_flows(world, call, golden):
    write(world, "config/flows/price.yaml", "flow: price\ncapture:\n\ts4hana: {}\n")
    write(
        world,
        "config/flows/contact.yaml",
        """\
flow: contact
capture:
  s4hana: {schedule: "*/75 * * * *", swep: "0 2 * * *"}
owners: {phone: newest}
retries: {attempts: 0, first_wait: 30s}
distribute: {commerce: {page_size: many}}
""",
    )
    write(world, "mappings/canonical/contact.yaml", "entity: contact\nfields: {number: {type: text}}\n")
    golden(call(world, "lint", "--offline", expect=1), call(world, "status", expect=2))
    assert "sums meet" in world.run("capture", FLOW), "the sound flow goes on"
    assert "sums meet" in world.run("distribute", FLOW)
    for name in ("price", "contact"):
        (world.home / f"config/flows/{name}.yaml").unlink()
    settled(world)


def test_a_mapping_with_five_mistakes(world, call, golden):
    before = edit(
        world,
        WRITE_MAPPING,
        ("customer_number, required", "custmer_number, required"),
        ("vatID: vat_number", "vatID: vat_number.upper()"),
        ("valid_from, valid_to)", "valid_from, valid_too)"),
        ("fax: preferred(", "fax: prefered("),
        ("value_map: commerce_region", "value_map: comerce_region"),
    )
    golden(call(world, "lint", expect=1), call(world, "distribute", FLOW, expect=2))
    write(world, WRITE_MAPPING, before)
    settled(world)


def test_a_hole_in_a_value_map(world, call, golden):
    before = edit(world, READ_MAPPING, ('{"1": person, "2"', '{"2"'))
    golden(
        call(world, "capture", FLOW, expect=1),
        call(world, "dead-letters", expect=1),
        call(world, "distribute", FLOW),
        call(world, "status", expect=1),
    )
    write(world, READ_MAPPING, before)
    redriven = json.loads(world.run("redrive", FLOW, "--json"))["redriven"]
    assert redriven > 0
    settled(world)
    assert len({row["record"] for row in json.loads(world.run("keys", FLOW, "--limit", "1000", "--json"))}) == PARTNERS


def test_a_wrong_password(world, call, golden):
    right = world.env
    connect(world, "s4hana", secret="wrong-secret")
    connect(world, "commerce", secret="wrong-secret")
    shown = [call(world, "check", expect=3), call(world, "capture", FLOW, expect=3)]
    world.env = right
    world.run("capture", FLOW)
    connect(world, "commerce", secret="wrong-secret")
    shown.append(call(world, "distribute", FLOW, expect=3))
    golden(*shown)
    assert not [text for text in shown if "wrong-secret" in text or "sandbox-s4-secret" in text]
    world.env = right
    settled(world)


def test_a_target_that_is_down(world, shop, call, golden):
    world.run("capture", FLOW)
    world.target.stop()
    golden(call(world, "distribute", FLOW, expect=3), call(world, "check", TARGET, expect=3))
    assert "done" in world.run("capture", FLOW), "the source is read all the same"
    shop()
    settled(world)


def test_a_login_page_instead_of_json(world, call, golden):
    world.s4.fault("html_login", method="GET", path=RECORDS, times=None)
    golden(call(world, "capture", FLOW, expect=3))
    world.s4.heal()
    settled(world)


def test_a_body_that_is_cut_short(world, call, golden):
    world.s4.fault("cut", method="GET", path=RECORDS, bytes=5000, times=None)
    golden(call(world, "capture", FLOW, expect=3))
    world.s4.heal()
    settled(world)


def test_a_next_link_to_a_foreign_host(world, call, golden):
    world.s4.fault("foreign_next", method="GET", path=RECORDS, times=None)
    golden(call(world, "capture", FLOW, expect=3))
    world.s4.heal()
    settled(world)


def test_an_unknown_system_in_a_flow(world, call, golden):
    before = edit(world, f"config/flows/{FLOW}.yaml", ("  commerce: {}", "  comerce: {}"))
    golden(
        call(world, "lint", "--offline", expect=1),
        call(world, "capture", FLOW, SOURCE, expect=2),
        call(world, "distribute", FLOW, "comerce", expect=2),
    )
    write(world, f"config/flows/{FLOW}.yaml", before)
    settled(world)


def test_every_golden_file_belongs_to_a_test():
    here = Path(__file__)
    names = {path.stem for path in (here.parent / "golden").glob("*.txt")}
    assert names == {name.removeprefix("test_") for name in globals() if name.startswith("test_")} - {
        "every_golden_file_belongs_to_a_test"
    }
