"""The page `docs/how-to/add-a-field.md` is done as it stands: its lines go into the files, its calls are made."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.integration.checker import check, customers_of
from tests.integration.world import FLOW, SOURCE, TARGET, World

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "add-a-field.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTNERS = 1300  # more than a thousand of them are customers that stand in the shop
FEW = 40
S4_FIELD, SHOP_FIELD = "YY1_Segment_bus", "l2cSegment"


@pytest.fixture
def loaded(start_world, sqlite_url):
    """Partners that were replicated before anybody thought of the field."""

    def start(partners: int) -> World:
        made = start_world(sqlite_url, partners=partners)
        made.load()
        return made

    return start


def add_lines(world: World, block: str) -> str:
    """Put the lines of a block below the `fields:` of the file its first line names."""
    name, fields, *lines = block.splitlines()
    assert fields == "fields:"
    path = world.home / name.removeprefix("# ")
    text = path.read_text(encoding="utf-8")
    assert text.count("\nfields:\n") == 1
    path.write_text(text.replace("\nfields:\n", "\n".join(["\nfields:", *lines, ""])), encoding="utf-8")
    return name


def segments(world: World) -> tuple[dict[str, str], dict[str, str]]:
    """The segment of each customer in S/4HANA and of each unit in the shop, by customer number."""
    source = {number: partner[S4_FIELD] for number, partner in customers_of(world.s4).items()}
    target = {key: unit[SHOP_FIELD] for key, unit in world.shop.records("B2BUnit") if key in source}
    return source, target


def test_a_field_travels_by_the_lines_of_the_page_alone(loaded):
    world = loaded(PARTNERS)
    source, before = segments(world)
    assert set(before.values()) == {None}
    assert all(source.values()), "the generated data gives every customer a segment"
    stamps, written = world.s4.last_commit(), world.shop.last_commit()
    units = [key for key, _ in world.shop.records("B2BUnit")]

    shown: dict[str, str] = {}
    for kind, block in BLOCK.findall(PAGE):
        if kind == "yaml":
            add_lines(world, block)
            continue
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ l2c "))
            if "--yes" in words:
                assert world.shop.last_commit() == written, "nothing was written before it was confirmed"
            shown[" ".join(words)] = world.run(*words)

    assert any("--yes" in call for call in shown)
    assert f"{PARTNERS:,} records would be looked at again" in shown[f"resend {FLOW} {TARGET}"]
    assert f"{PARTNERS:,} records are due" in shown[f"resend {FLOW} {TARGET} --yes"]
    assert world.s4.last_commit() == stamps, "not one partner was changed in S/4HANA"
    source, after = segments(world)
    assert after == source
    assert len(after) >= 1000
    assert [key for key, _ in world.shop.records("B2BUnit")] == units, "no unit came or went"
    commits = world.shop.log(after=written, entity="B2BUnit")
    assert {entry["action"] for entry in commits} == {"updated"}
    assert len(commits) == len({entry["key"] for entry in commits}) == len(after), "each unit was written once"
    assert check(world.s4, world.shop).differences == []
    with world.hub() as hub:
        assert hub.distribute(FLOW, TARGET).status == "nothing"
        assert hub.capture(FLOW, SOURCE, kind="sweep").counts["unchanged"] == PARTNERS


def test_until_it_is_confirmed_the_old_mapping_stays_in_force(loaded):
    world = loaded(FEW)
    for kind, block in BLOCK.findall(PAGE):
        if kind == "yaml":
            add_lines(world, block)
    written = world.shop.last_commit()
    world.run("capture", FLOW, "--sweep")
    world.run("resend", FLOW, TARGET)
    told = json.loads(world.run("distribute", FLOW, "--json"))
    (counts,) = (run["counts"] for run in told)
    assert counts.get("written", 0) == 0
    assert counts["due"] > 0, "the new values were looked at"
    assert world.shop.last_commit() == written
    assert set(segments(world)[1].values()) == {None}
    (cell,) = (cell for cell in json.loads(world.run("status", FLOW, "--json")) if cell["system"] == TARGET)
    assert cell["pending"] == FEW
    told = f"write mapping changed: l2c resend {FLOW} {TARGET} shows {FEW} records, with --yes they are due again"
    assert cell["note"] == told


def test_a_wrong_line_is_named_with_its_place(start_world, sqlite_url):
    world = start_world(sqlite_url, partners=1)
    for kind, block in BLOCK.findall(PAGE):
        if kind == "yaml":
            add_lines(world, block.replace(S4_FIELD, "YY1_Segment_bsu").replace(SHOP_FIELD, "l2cSegmnet"))
    found = world.run("lint", FLOW, expect=1)
    assert re.search(
        rf"s4hana/business_partner\.read\.yaml:\d+:\d+: .*YY1_Segment_bsu.*did you mean '{S4_FIELD}'", found
    )
    assert re.search(rf"unit\.write\.yaml:\d+:\d+: .*l2cSegmnet.*did you mean '{SHOP_FIELD}'", found)
