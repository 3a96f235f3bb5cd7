"""Customers that stand in both systems before the hub comes: who is who, what people decide, keys known from elsewhere."""

import csv
import io
import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.systems import running
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.control import Control
from tests.integration.world import FLOW, SOURCE, TARGET, World, make_world

SEED, CUSTOMERS, PARTNERS, TWINS, CASES = 7, 500, 800, 4, 8
PARTNER, UNIT = "A_BusinessPartner", "B2BUnit"
WHERE = ("streetname", "streetnumber", "postalcode", "town", "pobox", "country")


def start(start_world: StartWorld, database_url: str, customers: int, partners: int, cases: int) -> World:
    common = {"seed": SEED, "partners": partners, "twins": TWINS}
    shop = {**common, "prefill": customers, "ambiguous": cases}
    return start_world(database_url, two_way=True, shop_options=shop, **common)


def rounds(world: World, clock: Clock, times: int = 2) -> list[dict[str, Any]]:
    """Both systems are read and written; the counts of the last round."""
    done: list[dict[str, Any]] = []
    for _ in range(times):
        with world.hub(clock=clock) as hub:
            runs = [hub.capture(FLOW, SOURCE), hub.capture(FLOW, TARGET)]
            runs += [hub.distribute(FLOW, TARGET), hub.distribute(FLOW, SOURCE)]
        done = [dict(run.counts) for run in runs]
        clock.forward(minutes=2)
    return done


def created(world: World) -> tuple[list[str], list[str]]:
    """What was created through the interfaces: partners, units."""
    partners = [one["key"] for one in world.s4.log(entity=PARTNER) if one["action"] == "created"]
    return partners, [one["key"] for one in world.shop.log(entity=UNIT) if one["action"] == "created"]


def truth_of(world: World) -> list[dict[str, Any]]:
    return list(world.shop.ask("truth")["units"])


def partner_numbers(world: World) -> dict[str, str]:
    return {data["Customer"]: number for number, data in world.s4.records(PARTNER) if data["Customer"]}


def matches(world: World, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.run("matches", "list", FLOW, "--json", "--limit", "1000", *words))
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC) + timedelta(minutes=10))  # after what the systems in step have seen


@pytest.fixture(scope="module")
def in_step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both systems and the state store after two rounds: sixty customers in both, eight ambiguous cases; a folder."""
    folder = tmp_path_factory.mktemp("in-step")
    common = ["--seed", str(SEED), "--partners", "200", "--twins", str(TWINS)]
    with (
        running(SOURCE, folder / SOURCE, *common) as s4,
        running(TARGET, folder / TARGET, *common, "--prefill", "60", "--ambiguous", str(CASES)) as shop,
    ):
        url = f"sqlite:///{folder / 'state.db'}"
        world = make_world(folder, Control(s4), Control(shop), url, two_way=True)
        rounds(world, Clock(datetime.now(UTC)))
    return folder


@pytest.fixture
def small(in_step: Path, start_world: StartWorld, tmp_path: Path) -> World:
    """A copy of the systems in step."""
    shutil.copytree(in_step, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("home"))
    shop = {"data": tmp_path / TARGET}
    return start_world(f"sqlite:///{tmp_path / 'state.db'}", two_way=True, shop_options=shop, data=tmp_path / SOURCE)


@pytest.mark.slow
def test_customers_of_both_systems_find_each_other_and_none_is_doubled(
    start_world: StartWorld, sqlite_url: str, clock: Clock
):
    world = start(start_world, sqlite_url, CUSTOMERS, PARTNERS, CASES)
    truth, numbers = truth_of(world), partner_numbers(world)
    rules = Counter(one["rule"] for one in truth)
    assert rules["vat"] >= 10
    before = {key: len(unit["addresses"]) for key, unit in world.shop.records(UNIT)}
    rounds(world, clock)
    units = dict(world.shop.records(UNIT))
    for one in truth:
        wanted = numbers[one["customer"]] if one["customer"] is not None else None
        assert units[one["unit"]]["l2cPartnerNumber"] == wanted, one
    partners, made = created(world)
    known = {name for one in truth for name in (one["customer"], *one["candidates"]) if name is not None}
    assert partners == []
    assert [key for key in made if units[key]["l2cCustomerNumber"] in known] == []
    listed = {one["key"]: one for one in matches(world)}
    assert set(listed) == {one["unit"] for one in truth if one["rule"] == "ambiguous"}
    for one in truth:
        if one["rule"] == "ambiguous":
            possible = {record["keys"][SOURCE] for record in listed[one["unit"]]["records"]}
            assert {numbers[name] for name in one["candidates"]} <= possible
    for key in before:  # an address that stands in both systems is one address
        places = Counter(tuple(one[name] for name in WHERE) for one in units[key]["addresses"])
        assert max(places.values()) == 1, key
    assert all(not counts.get("written") for counts in rounds(world, clock, 1)), "nothing is left to be written"


def test_addresses_that_are_the_same_are_not_added_to_the_partner(small: World, clock: Clock):
    assert clock
    same = {one["unit"]: one["customer"] for one in truth_of(small) if one["customer"] is not None}
    numbers, units = partner_numbers(small), dict(small.shop.records(UNIT))
    streets = Counter(
        (data["BusinessPartner"], data["StreetName"], data["HouseNumber"], data["PostalCode"])
        for _, data in small.s4.records("A_BusinessPartnerAddress")
    )
    assert len(same) > 40
    for key, customer in same.items():
        for one in units[key]["addresses"]:
            place = (numbers[customer], one["streetname"], one["streetnumber"], one["postalcode"])
            assert streets[place] == 1, place


@pytest.mark.fault("D13")
def test_status_and_list_tell_what_is_undecided(small: World):
    undecided = [one["unit"] for one in truth_of(small) if one["rule"] == "ambiguous"]
    cells = {(one["system"], one["kind"]): one for one in json.loads(small.run("status", FLOW, "--json"))}
    assert cells[TARGET, "capture"]["undecided"] == len(undecided)
    assert cells[SOURCE, "capture"]["undecided"] == 0
    assert f"l2c matches {FLOW} --system {TARGET}" in small.run("status", FLOW)
    names = [small.shop.record(UNIT, key)["name"] for key in undecided]
    hidden, shown = small.run("matches", FLOW), small.run("matches", "show", FLOW, TARGET, undecided[0], "--reveal")
    assert all(key in hidden for key in undecided)
    assert not any(name in hidden or name in json.dumps(matches(small), ensure_ascii=False) for name in names)
    assert names[0] in shown
    assert names[0] not in small.run("matches", "show", FLOW, TARGET, undecided[0])
    assert matches(small, "--reveal")[0]["data"]["name"] in names
    assert "more are not listed" in small.run("matches", FLOW, "--limit", "1")


@pytest.mark.fault("D13")
def test_decisions_are_settled_by_the_next_runs(small: World, clock: Clock):
    """Of two units that may be one customer: the first is it, the second a customer of its own, which S/4HANA gets."""
    cases: dict[int, list[dict[str, Any]]] = {}
    for one in truth_of(small):
        if one["case"] is not None:
            cases.setdefault(one["case"], []).append(one)
    first, second = next(units for units in cases.values() if len(units) == 2)
    twin = next(units[0] for units in cases.values() if len(units[0]["candidates"]) == 2)
    numbers = partner_numbers(small)
    [customer], (chosen, other) = first["candidates"], twin["candidates"]
    before = created(small)
    small.run("matches", "accept", FLOW, TARGET, first["unit"], numbers[customer])
    rounds(small, clock)
    assert small.shop.record(UNIT, first["unit"])["l2cPartnerNumber"] == numbers[customer]
    assert small.shop.record(UNIT, second["unit"])["l2cPartnerNumber"] is None, "nobody has decided that one"
    assert second["unit"] in {one["key"] for one in matches(small)}
    assert created(small) == before
    small.run("matches", "reject", FLOW, TARGET, second["unit"])
    small.run("matches", "accept", FLOW, TARGET, twin["unit"], numbers[chosen])
    rounds(small, clock, 3)
    partners, units = created(small)
    [partner] = set(partners) - set(before[0])
    assert small.shop.record(UNIT, second["unit"])["l2cPartnerNumber"] == partner
    assert small.shop.record(UNIT, twin["unit"])["l2cPartnerNumber"] == numbers[chosen]
    [unit] = set(units) - set(before[1])
    assert small.shop.record(UNIT, unit)["l2cPartnerNumber"] == numbers[other], (
        "who waited for the decision has its own"
    )
    assert {first["unit"], second["unit"], twin["unit"]}.isdisjoint(one["key"] for one in matches(small))
    assert all(not counts.get("written") for counts in rounds(small, clock, 1))


def test_between_a_decision_and_its_capture_nothing_is_doubled(small: World, clock: Clock):
    match = next(one for one in matches(small) if len(one["records"]) == 1)
    record, before = match["records"][0]["record"], created(small)
    small.run("matches", "accept", FLOW, TARGET, match["key"], f"#{record}")
    with small.hub(clock=clock) as hub:
        hub.distribute(FLOW, TARGET)
        hub.distribute(FLOW, SOURCE)
    assert created(small) == before
    rounds(small, clock)
    assert created(small) == before
    assert small.shop.record(UNIT, match["key"])["l2cPartnerNumber"] == match["records"][0]["keys"][SOURCE]


def test_decisions_that_cannot_be_are_refused(small: World):
    pair = next(
        (one, other)
        for one in matches(small)
        for other in matches(small)
        if one["key"] < other["key"] and one["records"] == other["records"]
    )
    record = pair[0]["records"][0]["record"]
    accept = ("matches", "accept", FLOW, TARGET)
    assert "has no undecided match 'nobody'" in small.run(*accept, "nobody", f"#{record}", expect=2)
    assert "there is no record '#999999'" in small.run(*accept, pair[0]["key"], "#999999", expect=2)
    stranger = next(one for one in json.loads(small.run("keys", FLOW, "--json")) if one["record"] != record)
    said = small.run(*accept, pair[0]["key"], f"#{stranger['record']}", expect=2)
    assert f"may be #{record}, not #{stranger['record']}" in said
    small.run(*accept, pair[0]["key"], f"#{record}")
    assert "was accepted as" in small.run(*accept, pair[1]["key"], f"#{record}", expect=2)
    assert "was accepted already" in small.run(*accept, pair[0]["key"], f"#{record}", expect=2)
    small.run("capture", FLOW, TARGET)
    said = small.run(*accept, pair[1]["key"], f"#{record}", expect=2)
    assert f"#{record} has the key '{pair[0]['key']}' in '{TARGET}' already" in said


def write_keys(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_keys_known_from_elsewhere_link_without_any_rule(
    start_world: StartWorld, sqlite_url: str, clock: Clock, tmp_path: Path
):
    world = start(start_world, sqlite_url, 60, 200, CASES)
    flow = world.home / "config/flows" / f"{FLOW}.yaml"
    text = flow.read_text(encoding="utf-8")
    begin, end = text.index("match:"), text.index("owners:")
    flow.write_text(text[:begin] + text[end:], encoding="utf-8")
    truth, numbers = truth_of(world), partner_numbers(world)
    pairs: dict[str, str] = {}
    for one in truth:  # of the ambiguous ones somebody knew, too
        pairs.setdefault(numbers[one["customer"] or one["candidates"][0]], one["unit"])
    known = list(pairs.items())
    file = write_keys(tmp_path / "keys.csv", [(SOURCE, TARGET), *known])
    with world.hub(clock=clock) as hub:
        hub.capture(FLOW, SOURCE)
    assert f"to link: {len(known)} in {TARGET}" in world.run("keys", "import", FLOW, str(file))
    assert json.loads(world.run("keys", FLOW, "--system", TARGET, "--json")) == []
    assert f"linked: {len(known)} in {TARGET}" in world.run("keys", "import", FLOW, str(file), "--yes")
    rounds(world, clock)
    units = dict(world.shop.records(UNIT))
    assert {units[unit]["l2cPartnerNumber"]: unit for _, unit in known} == dict(known)
    partners, made = created(world)
    strange = {one["unit"] for one in truth} - {unit for _, unit in known}
    assert len(partners) == len(strange), "without rules, what no key links is a record of its own"
    assert {units[key]["l2cPartnerNumber"] for key in made}.isdisjoint(dict(known))
    shown = list(csv.reader(io.StringIO(world.run("keys", "export", FLOW))))
    assert shown[0] == [SOURCE, TARGET]
    assert set(known) <= {tuple(row) for row in shown}
    again = write_keys(tmp_path / "again.csv", [tuple(row) for row in shown])
    assert "to link: nothing" in world.run("keys", "import", FLOW, str(again))


def test_a_file_of_keys_is_checked_as_a_whole_before_anything_is_linked(small: World, tmp_path: Path):
    linked = [
        row for row in csv.reader(io.StringIO(small.run("keys", "export", FLOW))) if all(row) and row[0] != SOURCE
    ]
    match = matches(small)[0]
    free = match["records"][0]["keys"][SOURCE]
    rows = [
        (SOURCE, TARGET),
        (free, match["key"]),  # this one is right
        (free, "nobody"),  # a record twice
        (linked[0][0], linked[1][1]),  # two records
        (linked[2][0], "other"),  # has a key
        ("4711", "nothing"),  # nobody knows them
        (linked[3][0], linked[3][1], "more"),
    ]
    file = write_keys(tmp_path / "keys.csv", rows)
    before = small.run("keys", "export", FLOW)
    assert f"{file}:7: 3 values, but the head names 2 systems" in small.run(
        "keys", "import", FLOW, str(file), "--yes", expect=2
    )
    write_keys(file, rows[:-1])
    said = small.run("keys", "import", FLOW, str(file), "--yes", expect=2).splitlines()
    assert [line.split(": ")[0] for line in said] == [f"{file}:{number}" for number in (3, 4, 5, 6)]
    write_keys(file, [(SOURCE, TARGET), (free, "not-there")])
    assert f"{file}:2: '{TARGET}' has no 'not-there'" in small.run("keys", "import", FLOW, str(file), expect=2)
    write_keys(file, [(SOURCE, "comerce"), (free, match["key"])])
    assert "did you mean 'commerce'?" in small.run("keys", "import", FLOW, str(file), expect=2)
    assert small.run("keys", "export", FLOW) == before
    write_keys(file, rows[:2])
    assert "linked: 1 in commerce" in small.run("keys", "import", FLOW, str(file), "--yes")
    assert match["key"] not in {one["key"] for one in matches(small)}


def test_a_key_is_linked_by_hand_and_moved_to_another_record(small: World, clock: Clock):
    one = next(match for match in matches(small) if len(match["records"]) == 2)
    left, right = one["records"]
    link, move = ("keys", "link", FLOW, TARGET), ("keys", "move", FLOW, TARGET)
    assert "'commerce' has no 'nobody'" in small.run(*link, "nobody", f"#{left['record']}", expect=2)
    assert "is not linked" in small.run(*move, one["key"], f"#{left['record']}", expect=2)
    before = created(small)
    small.run(*link, one["key"], left["keys"][SOURCE])
    assert "is a key of" in small.run(*link, one["key"], f"#{right['record']}", expect=2)
    small.run(*move, one["key"], f"#{right['record']}")
    rounds(small, clock, 3)
    assert small.shop.record(UNIT, one["key"])["l2cPartnerNumber"] == right["keys"][SOURCE]
    partners, units = created(small)
    assert partners == before[0]
    [unit] = set(units) - set(before[1])
    assert small.shop.record(UNIT, unit)["l2cPartnerNumber"] == left["keys"][SOURCE]
    assert "already" in small.run(*move, one["key"], f"#{left['record']}", expect=2)


def test_keys_that_were_linked_crosswise_are_swapped(small: World, clock: Clock):
    units = [unit for _, unit in small.shop.records(UNIT) if unit["l2cPartnerNumber"]]
    one, other = units[0], next(unit for unit in units[1:] if unit["name"] != units[0]["name"])
    swap, before = ("keys", "swap", FLOW, TARGET), created(small)
    assert "is not linked" in small.run(*swap, one["uid"], "nobody", expect=2)
    assert "of one record" in small.run(*swap, one["uid"], one["uid"], expect=2)
    small.run(*swap, one["uid"], other["uid"])
    rounds(small, clock, 3)
    assert created(small) == before
    crossed = [small.shop.record(UNIT, unit["uid"])["l2cPartnerNumber"] for unit in (one, other)]
    assert crossed == [other["l2cPartnerNumber"], one["l2cPartnerNumber"]]
    small.run(*swap, other["uid"], one["uid"])
    rounds(small, clock, 3)
    assert created(small) == before
    back = [small.shop.record(UNIT, unit["uid"]) for unit in (one, other)]
    for was, now in zip((one, other), back, strict=True):
        names = ("name", "l2cPartnerNumber", "l2cCustomerNumber", "vatID", "l2cEmail")
        assert {name: now[name] for name in names} == {name: was[name] for name in names}
    assert rounds(small, clock, 1)[2].get("written", 0) == 0


def test_a_record_whose_only_key_is_moved_becomes_a_part_of_the_other_one(small: World, clock: Clock):
    match = next(match for match in matches(small) if len(match["records"]) == 2)
    (record, other), before = match["records"], created(small)
    small.run("matches", "reject", FLOW, TARGET, match["key"])
    with small.hub(clock=clock) as hub:
        hub.capture(FLOW, TARGET)
        born = hub.keys(FLOW, system=TARGET, key=match["key"])[0].record
    assert born != record["record"]
    small.run("keys", "move", FLOW, TARGET, match["key"], f"#{record['record']}")
    assert f"#{born} was merged into #{record['record']}" in small.run(
        "keys", "move", FLOW, TARGET, match["key"], f"#{born}", expect=2
    )
    rounds(small, clock, 3)
    partners, units = created(small)
    assert partners == before[0], "no partner for the unit"
    [unit] = set(units) - set(before[1])
    assert small.shop.record(UNIT, unit)["l2cPartnerNumber"] == other["keys"][SOURCE], (
        "and no second unit for the partner"
    )
    assert small.shop.record(UNIT, match["key"])["l2cPartnerNumber"] == record["keys"][SOURCE]
