"""Random edits on both sides at once: every history comes to rest where the owners say, and nothing is lost.

Each partner has a history of its own: at random moments (before the systems are read, or between reading and writing) users
of S/4HANA and of the shop change names, blocks, phones and addresses. A model that knows nothing of the hub says what must
stand on both sides at the end.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.rig_model.owners import History, Users
from benchmarks.rig_model.resting import begin, mistakes
from l2c.distribute.present import Present
from l2c.state import distributions
from tests.conftest import Clock
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

HISTORIES = 500
NOTHING = {TARGET: 0, SOURCE: 0}
ROUNDS = 4
QUIET = 3  # rounds after the last edit: two to come to rest, one to show that nothing is written any more


def play(world: World, histories: list[History], seed: int) -> tuple[Users, list[dict[str, int]]]:
    """Rounds with edits, then quiet ones; what each round wrote."""
    users = Users(world, seed)
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    pass_time(world, clock)
    written = []
    for round_ in range(ROUNDS + QUIET):
        busy = round_ < ROUNDS

        def moment(share: float, read_in: int, busy: bool = busy) -> None:
            if busy:
                users.look()
                for one in histories:
                    if users.random.random() < share:
                        users.act(one, read_in)

        moment(0.6, round_)
        with world.hub(clock=clock) as hub:
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system, kind="sweep")
            moment(0.3, round_ + 1)
            counts = {}
            for system in (TARGET, SOURCE):
                done = hub.distribute(FLOW, system)
                assert done.sums_met
                counts[system] = done.counts.get("written", 0)
            written.append(counts)
        pass_time(world, clock)
    return users, written


def pass_time(world: World, clock: Clock) -> None:
    """Half an hour, on every clock: edits are compared by the time their system says."""
    clock.forward(minutes=30)
    for system in (world.s4, world.shop):
        system.tell("clock", offset_s=(clock.moment - datetime.now(UTC)).total_seconds())


@pytest.fixture
def world(start_world: StartWorld, sqlite_url: str) -> World:
    """Both systems in step."""
    world = start_world(sqlite_url, partners=HISTORIES + 250, two_way=True)
    clock = Clock(datetime.now(UTC))
    for _ in range(2):
        with world.hub(clock=clock) as hub:
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system)
            for system in (TARGET, SOURCE):
                hub.distribute(FLOW, system)
        pass_time(world, clock)
    return world


@pytest.mark.fault("F5", "F6")
@pytest.mark.slow
def test_every_history_comes_to_rest_where_the_owners_say(world: World):
    seed = random.randrange(10**6)
    histories = begin(world)[:HISTORIES]
    assert len(histories) == HISTORIES
    users, written = play(world, histories, seed)
    print(f"seed {seed}: {HISTORIES} histories, {users.count} values typed; written by round: {written}")
    with world.hub() as hub:
        assert [letter.message for letter in hub.dead_letters(FLOW)] == []
    found = mistakes(world, histories, users)
    assert not found, f"seed {seed}: {len(found)} mistakes, such as {found[:5]}"
    assert written[-1] == NOTHING, f"seed {seed}: not quiet two rounds after the last edit"


@pytest.mark.fault("F6")
@pytest.mark.slow
@pytest.mark.parametrize("rule", ["an edit by a non-owner goes back", "what moved is captured first"])
def test_without_one_of_the_rules_histories_go_wrong(world: World, rule: str, monkeypatch: pytest.MonkeyPatch):
    if rule.startswith("an edit"):
        monkeypatch.setattr(distributions, "give_back", lambda *_: None)
    else:
        monkeypatch.setattr(Present, "_moved", lambda *_: False)
    histories = begin(world)[:HISTORIES]
    users, written = play(world, histories, seed=11)
    assert mistakes(world, histories, users) or written[-1] != NOTHING
