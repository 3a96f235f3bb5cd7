"""Several processes at one flow, processes stopped and asked to end, clocks that jump."""

import signal
import time

import pytest

from l2c.errors import LeaseLost
from l2c.state import distributions, leases, sending
from l2c.state.store import Store
from tests.conftest import Clock
from tests.faults.races import race, stop_holders
from tests.integration.checker import check
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

pytestmark = pytest.mark.slow

WRITES = {"method": "POST", "path": "[$]batch", "times": 1000}
SMALL_BLOCKS = """\
flow: business_partner
distribute:
  commerce: {page_size: 5, block: 5}
"""


@pytest.mark.fault("C1")
def test_of_four_processes_that_ask_at_the_same_moment_exactly_one_wins(database_url: str):
    rounds = 200 if database_url.startswith("sqlite") else 50
    figures = race(database_url, processes=4, rounds=rounds)
    assert figures.one_winner == rounds
    assert figures.fair, "a later winner has the higher fencing number"


@pytest.mark.fault("C1")
def test_a_holder_stopped_for_longer_than_its_lease_is_refused_when_it_wakes_up(database_url: str):
    figures = stop_holders(database_url, times=2)
    assert (figures.refused, figures.writes_of_refused) == (2, 0)


@pytest.mark.fault("C1")
def test_a_worker_that_wakes_up_after_another_took_over_stops_and_nothing_is_lost(
    start_world: StartWorld, sqlite_url: str
):
    world = start_world(sqlite_url, partners=40, overlay=SMALL_BLOCKS)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
    world.env = {**world.env, "L2C_LEASE_S": "1"}
    world.shop.fault("delay", seconds=1.5, **WRITES)
    first = world.start("distribute", FLOW, TARGET)
    wait_for(lambda: batches(world) > 0)
    time.sleep(0.6)  # it waits for its next answer: stopped within a transaction it would keep SQLite's lock
    first.send_signal(signal.SIGSTOP)
    world.shop.heal()
    time.sleep(1.2)
    world.run("distribute", FLOW, TARGET)
    first.send_signal(signal.SIGCONT)
    told, _ = first.communicate(timeout=60)
    assert first.returncode == 3, told
    assert "was taken over by another process; this one stops without writing" in told
    assert check(world.s4, world.shop).differences == []


def batches(world: World) -> int:
    return sum(number for name, number in world.shop.requests().items() if name.startswith("POST $batch"))


def wait_for(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.fault("C3")
def test_a_worker_that_is_asked_to_end_settles_the_block_in_hand(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=40, overlay=SMALL_BLOCKS)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
    world.shop.fault("delay", seconds=0.3, **WRITES)
    worker = world.start("distribute", FLOW, TARGET)
    wait_for(lambda: batches(world) > 1)
    worker.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    told, _ = worker.communicate(timeout=60)
    assert time.monotonic() - begun < 10
    assert worker.returncode == 3, told
    assert "stopped as asked (SIGTERM), the records in hand are settled; the next run goes on from there" in told
    world.shop.heal()
    with world.hub() as hub:
        with hub._store.reading() as conn:
            assert sending.noted(conn, FLOW, TARGET) == [], "no write is left whose outcome is not settled"
            done = distributions.count_by_status(conn, FLOW, TARGET)
        assert 0 < done["written"] < 40
        assert hub.distribute(FLOW, TARGET).status == "done"
    assert check(world.s4, world.shop).differences == []


@pytest.mark.fault("C4")
def test_a_clock_that_jumps_ahead_costs_the_lease_and_one_set_back_does_not(store: Store, clock: Clock):
    held = leases.acquire(store, FLOW, 60)
    clock.forward(hours=-3)
    with pytest.raises(LeaseLost, match="already running"):
        leases.acquire(store, FLOW, 60)
    with store.writing() as conn:
        leases.prove(conn, held, store.now())
    clock.forward(seconds=61)  # the proof was by the new time: nobody waits three hours for a holder that is gone
    taken = leases.acquire(store, FLOW, 60)
    clock.forward(days=2)
    after = leases.acquire(store, FLOW, 60)
    assert held.fence < taken.fence < after.fence
    for late in (held, taken):
        with pytest.raises(LeaseLost, match="taken over"), store.writing() as conn:
            leases.prove(conn, late, store.now())
    with store.writing() as conn:
        leases.prove(conn, after, store.now())
