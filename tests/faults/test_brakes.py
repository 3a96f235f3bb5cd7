"""Deletes and blocks by the hundred, and one mistake that meets everything, stop a run before they do harm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from connectors.s4hana.connector import S4HanaConnector
from l2c.contract import Page, Record
from l2c.errors import Braked
from l2c.hub import Hub
from l2c.state import cursors
from l2c.state.results import Cell, RunSummary
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

PARTNER = "A_BusinessPartner"


@dataclass
class Desk:
    """Customers of S/4HANA that are units of the shop."""

    world: World
    clock: Clock = field(default_factory=lambda: Clock(datetime.now(UTC)))
    tombstones: list[str] = field(default_factory=list)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        with self.world.hub(clock=self.clock) as hub:
            yield hub

    def rule(self, **keys: object) -> None:
        """Change the flow's own settings."""
        path = self.world.home / "config/flows" / f"{FLOW}.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}, sort_keys=False))

    def load(self) -> list[str]:
        """First load; the numbers of the units."""
        self.capture()
        self.distribute()
        return self.numbers()

    def numbers(self) -> list[str]:
        return sorted(row["l2cPartnerNumber"] for _, row in self.world.shop.records("B2BUnit") if row["active"])

    def capture(self, **options: Any) -> RunSummary:
        self.clock.forward(minutes=10)
        with self.hub() as hub:
            return hub.capture(FLOW, SOURCE, **options)

    def distribute(self, **options: Any) -> RunSummary:
        with self.hub() as hub:
            return hub.distribute(FLOW, TARGET, **options)

    def cell(self, kind: str) -> Cell:
        with self.hub() as hub:
            [found] = [one for one in hub.status(FLOW) if one.kind == kind]
        return found

    def lives(self, number: str) -> bool:
        """Whether the hub still takes it for a customer."""
        with self.hub() as hub:
            view = hub.show(FLOW, number)
        assert view is not None
        return not view.deleted


@pytest.fixture
def desk(start_world: StartWorld, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(start_world(sqlite_url, partners=40))
    read = S4HanaConnector.read

    def with_tombstones(connector: S4HanaConnector, entity: str, **options: Any) -> Iterator[Page]:
        yield Page([Record(key, {}, deleted=True) for key in made.tombstones], None)
        yield from read(connector, entity, **options)

    monkeypatch.setattr(S4HanaConnector, "read", with_tombstones)
    made.rule(brake={"share": 10, "at_least": 3}, error_budget={"share": 20, "at_least": 3, "most": 50})
    return made


# three ways in which a record goes


def archive(desk: Desk, number: str) -> str:
    """By a flag the source sets."""
    desk.world.s4.tell("archive", key=number)
    return "capture"


def lose_role(desk: Desk, number: str) -> str:
    """By no longer passing: the source shows it, and it is no customer."""
    for role in ("FLCU00", "FLCU01"):
        desk.world.s4.delete("A_BusinessPartnerRole", f"{number}/{role}")
    desk.world.s4.change(PARTNER, number, SearchTerm1="GONE")
    return "capture"


def vanish(desk: Desk, number: str) -> str:
    """By not being there any more, which a sweep notices."""
    desk.world.s4.delete(PARTNER, number)
    return "sweep"


def tombstone(desk: Desk, number: str) -> str:
    """By a tombstone among the changes, as delta links show them."""
    desk.world.s4.delete(PARTNER, number)
    desk.tombstones.append(number)
    return "capture"


def message(desk: Desk, number: str) -> str:
    """By a message that names it."""
    desk.world.s4.delete(PARTNER, number)
    with desk.hub() as hub, hub._store.writing() as conn:
        cursors.put_inbox(conn, FLOW, SOURCE, [number], "webhook", hub._store.now())
    return "capture"


FLAGS, ABSENCES = (archive, lose_role), (vanish, tombstone, message)
WAYS = [*FLAGS, *ABSENCES]


@pytest.mark.parametrize("goes", WAYS)
def test_few_that_go_are_blocked_in_the_shop(desk: Desk, goes):
    numbers = desk.load()
    [kind] = {goes(desk, number) for number in numbers[:2]}
    desk.capture(kind=kind)
    desk.distribute()
    assert desk.numbers() == numbers[2:]


@pytest.mark.fault("F4")
@pytest.mark.parametrize("goes", WAYS)
def test_many_that_go_stop_the_run_before_the_first_one(desk: Desk, goes):
    numbers = desk.load()
    doomed = numbers[:8]
    [kind] = {goes(desk, number) for number in doomed}
    before = desk.world.shop.last_commit()
    if goes in ABSENCES:
        with pytest.raises(Braked, match=r"s4hana: 8 of \d+ records .* none was.*--allow-deletes 8") as caught:
            desk.capture(kind=kind)
        assert all(desk.lives(number) for number in doomed)
        with pytest.raises(Braked):
            desk.capture(kind=kind)
        last = desk.cell("capture").last
        assert last is not None
        assert last.status == "braked"
        words = str(caught.value).rpartition("l2c ")[2].split()
        desk.world.run(*words)
    else:
        desk.capture()
    with pytest.raises(Braked, match=r"commerce: 8 of \d+ records .* --allow-deletes 8"):
        desk.distribute()
    cell = desk.cell("distribute")
    assert cell.last is not None
    assert (cell.last.status, cell.behind > 0) == ("braked", True)
    assert desk.world.shop.log(after=before) == [], "nothing was sent"
    with pytest.raises(Braked):
        desk.distribute(allow_deletes=7)
    assert desk.distribute(allow_deletes=8).counts["written"] == 8
    assert desk.numbers() == numbers[8:]
    with desk.hub() as hub:
        noted = [entry.detail for entry in hub.audit(limit=20).newest if entry.what == "allow-deletes"]
    assert any("may delete or block 8 records" in text for text in noted)
    assert desk.distribute().status == "nothing"


def test_the_brake_counts_all_that_leave_in_a_run_not_those_of_one_block(desk: Desk):
    desk.rule(distribute={TARGET: {"block": 3, "page_size": 3}})
    numbers = desk.load()
    for number in numbers[::4][:8]:  # far apart
        archive(desk, number)
    for number in numbers[1::4]:
        desk.world.s4.change(PARTNER, number, SearchTerm1="KIEL")
    desk.capture()
    before = desk.world.shop.last_commit()
    with pytest.raises(Braked, match="commerce: 8 of"):
        desk.distribute()
    assert [entry for entry in desk.world.shop.log(after=before) if entry.get("set", {}).get("active") is False] == []
    assert desk.numbers() == numbers


def test_what_another_system_owns_and_has_is_given_back_without_a_brake(start_world: StartWorld, sqlite_url: str):
    desk = Desk(start_world(sqlite_url, partners=12, two_way=True))
    desk.rule(brake={"share": 10, "at_least": 1})
    for _ in range(2):
        desk.capture()
        with desk.hub() as hub:
            hub.capture(FLOW, TARGET)
            hub.distribute(FLOW, TARGET)
            hub.distribute(FLOW, SOURCE)
    numbers = desk.numbers()
    for uid, _ in list(desk.world.shop.records("B2BUnit")):
        desk.world.shop.delete("B2BUnit", uid)
    assert desk.numbers() == []
    desk.clock.forward(minutes=10)
    with desk.hub() as hub:
        hub.capture(FLOW, TARGET, kind="sweep")
        hub.distribute(FLOW, TARGET)
    assert desk.numbers() == numbers
