"""Schedules: people, faults, crashes, redrives and clocks in any order; each must come to rest and hold every invariant.

I1 the sums of every run meet and nobody is lost; I2 a plain delta read afterwards still brings everything; I3 nobody stands
twice; I4 no text goes back to an older one; I5 two runs after the faults both systems are what the owners say; I6 nothing
said holds a secret or personal data; I7 a third run writes nothing.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from benchmarks.rig.truth import check, register
from benchmarks.rig.world import SOURCE, TARGET
from benchmarks.rig_model.owners import Users
from benchmarks.rig_model.resting import mistakes
from benchmarks.rig_model.watching import Watch
from benchmarks.rig_model.worker import Told
from benchmarks.rig_model.world import HALF_HOUR_S, World, Worlds
from l2c.faultpoints import POINTS

STAMPED = ("rename_in_s4", "block_in_s4", "rename_in_shop", "block_in_shop")
"""Edits that move the stamp of the record they belong to: a delta read shows them."""
BELOW = ("call_in_s4", "call_in_shop", "move_in_s4", "move_in_shop", "add_in_s4", "add_in_shop")
REMOVALS = ("remove_in_s4", "remove_in_shop")
WRITES: tuple[dict[str, Any], ...] = (
    {"kind": "after_commit"},
    {"kind": "before_commit"},
    {"kind": "late_commit", "seconds": 0.2},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "lock"},
)
FAULTS: tuple[dict[str, Any], ...] = (
    *({**fault, "match": {"method": method, "inner": True}} for fault in WRITES for method in ("POST", "PATCH")),
    *({**fault, "match": {"method": "POST", "path": "/A_"}} for fault in WRITES),
    *({**fault, "match": {"method": "POST", "path": r"\$batch"}} for fault in WRITES[:4]),
    {"kind": "cut", "bytes": 700, "match": {"method": "POST", "path": r"\$batch"}},
    {"kind": "status", "status": 503, "match": {"method": "GET"}},
    {"kind": "cut", "bytes": 300, "match": {"method": "GET"}},
)
SYSTEMS = st.sampled_from((SOURCE, TARGET))
OF_RUNS = ("plan", "lease", "partition", "release", "close")
OF_READING = (*OF_RUNS, "page", "fetched", "sweep")
OF_WRITING = (*OF_RUNS, "sending", "intend", "settle", "recover", "lookup", "present", "send", "readback")
DEATHS = st.sampled_from(
    tuple(
        (name, point)
        for name, parts in (("distribute", OF_WRITING), ("capture", OF_READING))
        for point in POINTS
        if point.partition(".")[0] in parts
    )
)


class Schedules(RuleBasedStateMachine):
    """One schedule; `worlds` is set by whoever plays them."""

    worlds: Worlds

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.worlds.take()
        self.watch = Watch(self.world)
        self.unread = {SOURCE, TARGET}
        self.stamped = {SOURCE: True, TARGET: True}
        self.found: list[str] = []

    @property
    def users(self) -> Users:
        """Who edits."""
        return self.world.users

    # People

    @rule(who=st.integers(0, 5), act=st.sampled_from(STAMPED + BELOW + REMOVALS))
    def edit(self, who: int, act: str) -> None:
        """Somebody changes something at a screen of one system."""
        self.users.look()
        one = self.world.histories[who % len(self.world.histories)]
        getattr(self.users, act)(one, self.world.round)
        self.unread = {SOURCE, TARGET}
        if act not in STAMPED:
            self.stamped[SOURCE if act.endswith("_s4") else TARGET] = False

    @rule(kind=st.sampled_from(("company", "consumer")))
    def register(self, kind: str) -> None:
        """Somebody registers at the shop."""
        self.world.registered.append(register(self.world.shop, len(self.world.registered), kind))

    # The hub

    @rule(system=SYSTEMS, kind=st.sampled_from(("", "sweep")))
    def capture(self, system: str, kind: str) -> None:
        """One system is read, changes only or all of it."""
        self._captured(system, kind, self.world.do("capture", system, kind=kind))

    @rule(system=SYSTEMS)
    def distribute(self, system: str) -> None:
        """One system is written."""
        self._account(self.world.do("distribute", system))

    @rule(minutes=st.sampled_from((1, 15, 45)))
    def run(self, minutes: int) -> None:
        """Both are read and written; time passes."""
        for system in (SOURCE, TARGET):
            self.capture(system, "sweep")
        for system in (TARGET, SOURCE):
            self.distribute(system)
        self.world.forward(minutes * 60)

    @rule()
    def redrive(self) -> None:
        """Somebody has all dead letters tried again."""
        self._account(self.world.do("redrive"))

    # What goes wrong

    @rule(system=SYSTEMS, fault=st.sampled_from(FAULTS), times=st.integers(1, 2))
    def fault(self, system: str, fault: dict[str, Any], times: int) -> None:
        """The next such request meets it."""
        control = self.world.s4 if system == SOURCE else self.world.shop
        control.tell("faults", **fault, times=times)

    @rule(system=SYSTEMS, death=DEATHS, turn=st.integers(1, 2))
    def crash(self, system: str, death: tuple[str, str], turn: int) -> None:
        """A worker dies at that point, if it comes to it."""
        name, point = death
        told = self.world.do(name, system, kind="sweep" if name == "capture" else "", crash=f"{point}:{turn}")
        if name == "capture":
            self._captured(system, "sweep", told)
        else:
            self._account(told)

    @rule(minutes=st.sampled_from((1, 12, 61)))
    def time_passes(self, minutes: int) -> None:
        """On every clock."""
        self.world.forward(minutes * 60)

    @precondition(lambda self: not self.world.skew_s)
    @rule(minutes=st.sampled_from((-9, 4, 9)))
    def clock_jumps(self, minutes: int) -> None:
        """The hub's clock alone; until the end nothing is older than anything else."""
        self.world.skew_s = minutes * 60.0

    # What must hold

    def _captured(self, system: str, kind: str, told: Told) -> None:
        self._account(told)
        if told.ended == "done" and kind == "sweep" and not self.world.skew_s:
            self.unread.discard(system)
            if not self.unread:
                self.world.round += 1
                self.unread = {SOURCE, TARGET}

    def _account(self, told: Told) -> None:
        if not told.sums_met:
            self.found.append(f"I1: the sums do not meet: {dict(told.counts)}")
        self.found += self.watch.look()

    def teardown(self) -> None:
        """The faults end: two runs, a quiet one, and all invariants."""
        try:
            self._rest()
        except BaseException:
            self.worlds.drop()
            raise
        if self.found:
            self.worlds.drop()
            raise AssertionError("\n".join(self.found[:8]))

    def _rest(self) -> None:
        world = self.world
        world.heal()
        world.forward(2 * HALF_HOUR_S)
        world.do("redrive")
        for number in (1, 2):
            for system in (SOURCE, TARGET):
                kind = "" if number == 1 and self.stamped[system] else "sweep"
                self._must("capture", system, kind=kind)
            for system in (TARGET, SOURCE):
                self._must("distribute", system)
            world.forward(HALF_HOUR_S)
        world.round += 1
        letters = world.do("letters").value
        self.found += [f"I1: dead letter {one}" for one in letters]
        self.found += [f"I5: {text}" for text in mistakes(world, world.histories, world.users)]
        standing = check(world.s4, world.shop, world.registered, today=world.today)
        self.found += [f"I1: {text}" for text in standing.lost]
        self.found += [f"I3: {text}" for text in standing.doubled]
        self.found += [f"I5: {text}" for text in standing.wrong]
        self._quiet()
        self.found += [f"I6: said '{word}'" for word in world.spoken()]

    def _quiet(self) -> None:
        """A third run: not a single commit of the hub in either system."""
        world = self.world
        before = [len(one.log()) for one in (world.s4, world.shop)]
        for told in world.everything():
            self._account(told)
        after = [len(one.log()) for one in (world.s4, world.shop)]
        if before != after:
            entries = [entry for one, n in zip((world.s4, world.shop), before, strict=True) for entry in one.log()[n:]]
            self.found.append(f"I7: a quiet run wrote {[(e['entity'], e['key'], e['action']) for e in entries][:5]}")

    def _must(self, name: str, system: str, *, kind: str = "") -> None:
        told = self.world.do(name, system, kind=kind)
        if told.ended != "done":
            self.found.append(f"I5: {name} {system} after the faults: {told.ended} {told.words}")
        self._account(told)
