"""Real worker processes killed at random moments: nothing lost, nothing doubled, by a checker that knows only the systems."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.integration.checker import check
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

KILLS = 20
PARTNERS = 400
CHANGED = 100  # partners a user changes when a worker has run out of work
OVERLAY = """\
flow: business_partner
capture:
  s4hana: {page_size: 3}
distribute:
  commerce: {page_size: 3, block: 12}
brake: {at_least: 400}
"""


@dataclass
class Killer:
    """Starts one command over and over and kills it in the middle of its work."""

    world: World
    random: random.Random
    words: tuple[str, ...]
    served: Callable[[], int]  # requests of the worker's own kind which the system has answered
    refill: Callable[[], None]  # makes new work when a worker has done all there was
    landed: int = 0
    missed: int = 0

    def run(self, kills: int, work: int) -> None:
        """`work` requests are there to be done: on average a kill comes after a `kills`-th of them."""
        while self.landed < kills and self.missed < kills:
            if self.kill_after(self.random.randint(0, 2 * work // kills)):
                self.landed += 1
            else:
                self.missed += 1
                self.refill()

    def kill_after(self, requests: int) -> bool:
        """Start a worker and kill it some requests and some milliseconds later; whether that was in the middle of its work."""
        begun = self.served()
        worker = self.world.start(*self.words)
        while self.served() - begun <= requests and worker.poll() is None:
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, 0.02))
        worker.send_signal(signal.SIGKILL)
        output, _ = worker.communicate(timeout=30)
        if worker.returncode == -signal.SIGKILL:
            return self.served() > begun
        assert worker.returncode == 0, output
        return False


def counted(control, kind: str) -> Callable[[], int]:
    return lambda: sum(number for name, number in control.requests().items() if name.startswith(kind))


@pytest.mark.fault("C2", "W11")
@pytest.mark.slow
def test_workers_killed_at_random_moments_lose_nothing_and_double_nothing(start_world: StartWorld, sqlite_url: str):
    seed = int(os.environ.get("L2C_RIG_SEED") or random.SystemRandom().randrange(10**6))
    print(f"L2C_RIG_SEED={seed}")
    chance = random.Random(seed)
    world = start_world(sqlite_url, overlay=OVERLAY, partners=PARTNERS)
    numbers = [key for key, _ in world.s4.records("A_BusinessPartner")]

    def users_at_work() -> None:
        for number in chance.sample(numbers, CHANGED):
            world.s4.change("A_BusinessPartner", number, BusinessPartnerIsBlocked=chance.random() < 0.3)

    def more_in_the_journal() -> None:
        users_at_work()
        world.run("capture", FLOW, SOURCE)

    reading = Killer(
        world, chance, ("capture", FLOW, SOURCE), counted(world.s4, "GET A_BusinessPartner "), users_at_work
    )
    reading.run(KILLS, PARTNERS // 3)
    world.run("capture", FLOW, SOURCE)
    writing = Killer(
        world, chance, ("distribute", FLOW, TARGET), counted(world.shop, "POST $batch"), more_in_the_journal
    )
    writing.run(KILLS, PARTNERS // 3)

    users_at_work()
    world.run("capture", FLOW, SOURCE)
    world.run("distribute", FLOW, TARGET)
    found = check(world.s4, world.shop)
    print(f"killed at work: {reading.landed} captures, {writing.landed} distributions; {found}")
    assert reading.landed == writing.landed == KILLS, "too few workers were killed in the middle of their work"
    assert found.customers > PARTNERS // 2
    assert found.commits > found.customers, "the shop's own log shows the writes"
    assert found.lost == []
    assert found.doubled == []
    assert found.wrong == []
    assert found.stray == []
    assert world.run("distribute", FLOW, TARGET)  # and there is nothing left to do
    assert found == check(world.s4, world.shop)
