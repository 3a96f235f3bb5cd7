"""A state store restored from an older copy: what was created since is found again, by the systems' own records."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from l2c.errors import LeaseLost, TransientError
from l2c.state import leases
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

pytestmark = pytest.mark.slow

QUIET_S = 600
NAMES = ("Orgelbau Seifert", "Segelmacherei Thode", "Glockengießerei Perner")


class Restored:
    """Both systems in step, a copy of the store, and what happens after the copy was taken."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.clock = world, Clock(datetime.now(UTC))
        self.store, self.copy = folder / "state.db", folder / "copy.db"
        self.rounds(2)
        self.partners, self.units = self.keys("A_BusinessPartner"), self.keys("B2BUnit")

    def keys(self, entity: str) -> set[str]:
        system = self.world.shop if entity == "B2BUnit" else self.world.s4
        return set(dict(system.records(entity)))

    def new(self) -> tuple[list[str], list[str]]:
        """The partners and the units that came since."""
        return sorted(self.keys("A_BusinessPartner") - self.partners), sorted(self.keys("B2BUnit") - self.units)

    def rounds(self, count: int) -> None:
        for _ in range(count):
            with self.world.hub(clock=self.clock) as hub:
                for system in (SOURCE, TARGET):
                    hub.capture(FLOW, system)
                for system in (TARGET, SOURCE):
                    hub.distribute(FLOW, system)
            self.clock.forward(minutes=2)

    def register(self, name: str) -> str:
        """A company registers that nothing but its mark could tell from another: it has no VAT number."""
        address = {"streetname": "Pfeifenweg", "postalcode": "89073", "town": "Ulm", "country": "DE"}
        return str(self.world.shop.tell("register", kind="company", name=name, address=address)["uid"])

    def save(self) -> None:
        _copied(self.store, self.copy)

    def restore(self) -> None:
        for leftover in ("-wal", "-shm"):
            self.store.with_name(self.store.name + leftover).unlink(missing_ok=True)
        _copied(self.copy, self.store)

    def create_partners_only(self) -> None:
        """Captured from the shop and created in S/4HANA; the shop has not heard of their numbers."""
        with self.world.hub(clock=self.clock) as hub:
            hub.capture(FLOW, TARGET)
            hub.distribute(FLOW, SOURCE)


def _copied(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


@pytest.fixture
def restored(start_world: StartWorld, sqlite_url: str, tmp_path: Path) -> Restored:
    return Restored(start_world(sqlite_url, partners=6, two_way=True), tmp_path)


@pytest.mark.fault("X4")
def test_partners_created_since_the_copy_are_adopted_and_none_is_created_twice(restored: Restored):
    known = restored.register(NAMES[0])
    with restored.world.hub(clock=restored.clock) as hub:
        hub.capture(FLOW, TARGET)  # the copy knows this one, but not its create
    restored.save()
    uids = [known, *(restored.register(name) for name in NAMES[1:])]
    restored.create_partners_only()
    created, _ = restored.new()
    assert len(created) == len(NAMES)
    restored.restore()
    with restored.world.hub(clock=restored.clock) as hub:
        found = hub.adopt(FLOW, SOURCE)
    assert (found.linked, found.doubled) == (len(NAMES), 0)
    restored.clock.forward(seconds=QUIET_S + 1)
    restored.rounds(3)
    assert restored.new()[0] == created
    knows = {key: row["l2cPartnerNumber"] for key, row in restored.world.shop.records("B2BUnit") if key in uids}
    assert sorted(knows.values()) == created
    with restored.world.hub(clock=restored.clock) as hub:
        assert hub.dead_letters(FLOW) == []
        assert hub.reconcile(FLOW).ok


@pytest.mark.fault("X4")
def test_without_adopting_the_same_store_creates_them_twice(restored: Restored):
    """The test above can fail: a restored store that is simply set to work doubles what it does not know."""
    restored.register(NAMES[0])
    with restored.world.hub(clock=restored.clock) as hub:
        hub.capture(FLOW, TARGET)
    restored.save()
    restored.create_partners_only()
    restored.restore()
    restored.create_partners_only()
    assert len(restored.new()[0]) == 2


@pytest.mark.fault("X4")
def test_units_created_since_the_copy_are_adopted_by_their_key(restored: Restored):
    restored.save()
    restored.register(NAMES[0])
    restored.rounds(2)  # this one went all the way: partner, number, unit
    before = restored.new()
    restored.restore()
    with restored.world.hub(clock=restored.clock) as hub:
        hub.adopt(FLOW, TARGET)
        hub.adopt(FLOW, SOURCE)
    restored.clock.forward(seconds=QUIET_S + 1)
    restored.rounds(2)
    assert restored.new() == before
    with restored.world.hub(clock=restored.clock) as hub:
        assert hub.dead_letters(FLOW) == []
        assert hub.matches(FLOW) == []
        assert hub.reconcile(FLOW).ok


@pytest.mark.fault("X4")
def test_a_worker_of_before_the_restore_is_refused_and_adopting_waits_for_workers(restored: Restored):
    with restored.world.hub(clock=restored.clock) as hub:
        store = hub._store
        restored.save()
        old = leases.acquire(store, f"{FLOW}.distribute.{SOURCE}", 300)
        with pytest.raises(TransientError, match="pause the DAGs of 'business_partner', then adopt"):
            hub.adopt(FLOW, SOURCE)
        leases.release(store, old)
        later = leases.acquire(store, old.name, 300)
    restored.restore()
    with restored.world.hub(clock=restored.clock) as hub:
        hub.adopt(FLOW, SOURCE)
        for _ in range(3):  # as many holders as would give out its number again
            leases.release(hub._store, leases.acquire(hub._store, old.name, 300))
        with pytest.raises(LeaseLost, match="taken over"), hub._store.writing() as conn:
            leases.prove(conn, later, hub._store.now())
        newest = hub.audit(limit=1).newest
    assert [(one.what, one.entity, one.system) for one in newest] == [("adopt", FLOW, SOURCE)]
