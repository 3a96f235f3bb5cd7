"""The storm: records travel both ways while both systems misbehave and workers are killed; afterwards everything is counted."""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.registrations.systems import Control
from benchmarks.rig.crashing import until_quiet
from benchmarks.rig.killing import Killer, Struck
from benchmarks.rig.truth import Found, Registered, check, register
from benchmarks.rig.working import serve
from benchmarks.rig.world import FLOW, FLOWS, Rig, Sizes, ended, fork, started
from l2c.hub import Hub

LATE_S = 0.5  # how late late commits come: well within the quiet period
PROCESSING_S, LEASE_S = 4.0, 5.0
ROUNDS = 60
KINDS = ("after_commit", "late_commit", "status 503", "status 429", "lock")
TAKEN = "key_taken"  # the code of a record whose key another one has
LEAST = 0.01  # of all writes each of these must have met
WRITE = re.compile(r"(inner )?(POST|PUT|PATCH|MERGE|DELETE) (?!\$batch|unknown|.*oauth|.*token)")


@dataclass(frozen=True)
class Plan:
    """How much is done: partners there are, users' edits in S/4HANA, registrations in the shop, workers killed."""

    partners: int
    edits: int
    registrations: int
    process: int
    forked: int
    loaded: bool = False
    """Whether both systems are in step before anybody is killed: a small storm would else be over before the first write."""

    @property
    def writes_prove_something(self) -> bool:
        """Whether there are so many that the share of each fault is near what was asked for."""
        return self.partners > 10_000


@dataclass
class Stormed:
    """What was done, what fired, what stands."""

    found: Found = field(default_factory=Found)
    struck: Struck = field(default_factory=Struck)
    faults: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    unexplained: int = 0
    mistakes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Stormed") -> None:
        """What another one did besides."""
        self.found.add(other.found)
        self.struck.add(other.struck)
        self.faults = dict(Counter(self.faults) + Counter(other.faults))
        self.writes += other.writes
        self.unexplained += other.unexplained
        self.mistakes += other.mistakes
        self.seconds = {name: max(self.seconds.get(name, 0.0), took) for name, took in other.seconds.items()}

    @property
    def shares(self) -> dict[str, float]:
        """Of all writes, how many met each kind of fault."""
        return {name: round(number / max(1, self.writes), 4) for name, number in sorted(self.faults.items())}


def arm(system: Control, chance: random.Random, share: float = 0.016) -> None:
    """Faults for writes, those in a `$batch` and lone ones, for whole batches, and for reads."""

    def fault(kind: str, probability: float, match: dict[str, Any], **content: Any) -> None:
        seed = chance.randrange(10**6)
        system.tell("faults", match=match, kind=kind, probability=probability, times=None, seed=seed, **content)

    each: list[tuple[str, dict[str, Any]]] = [
        ("after_commit", {}),
        ("late_commit", {"seconds": LATE_S}),
        ("status", {"status": 503}),
        ("status", {"status": 429, "headers": {"Retry-After": "1"}}),
        ("lock", {}),
    ]
    for kind, content in each:
        for method in ("POST", "PATCH"):
            fault(kind, share, {"method": method, "inner": True}, **content)
            fault(kind, share, {"method": method, "path": "/A_"}, **content)
    batch = {"method": "POST", "path": r"\$batch"}
    fault("before_commit", 0.005, batch)
    fault("after_commit", 0.005, batch)
    fault("late_commit", 0.005, batch, seconds=LATE_S)
    fault("status", 0.004, batch, status=503)
    fault("status", 0.003, {"method": "GET"}, status=503)
    fault("cut", 0.002, {"method": "GET"}, bytes=200)


def fired(system: Control) -> Counter[str]:
    """The faults that met writes so far, by kind."""
    found: Counter[str] = Counter()
    for one in system.ask("faults")["faults"]:
        name = f"{one['kind']} {one['status']}" if one["status"] else one["kind"]
        if one["match"].get("method") != "GET":
            found[name] += one["fired"]
    return found


def written(system: Control) -> int:
    """Writes that reached the system, with or without an effect; a `$batch` counts by what is in it."""
    return sum(number for kind, number in system.ask("stats")["requests"].items() if WRITE.match(kind))


class People:
    """Users of S/4HANA and visitors of the shop; `act` does as much as belongs to that part of the whole."""

    def __init__(self, rig: Rig, plan: Plan, chance: random.Random) -> None:
        self._rig = rig
        self._plan = plan
        self._chance = chance
        rows = rig.s4.records("A_BusinessPartner")
        self._partners = [key for key, row in rows if row["BusinessPartnerCategory"] == "2"]
        self.edits = 0
        self.registered: list[Registered] = []
        self._companies: list[str] = []

    def act(self, progress: float, *, at_most: int = 25) -> bool:
        """Do what is due, a little at a time; whether there is nothing left to do at this point."""
        for _ in range(at_most):
            if self.edits < self._plan.edits * progress:
                self._edit()
            elif len(self.registered) < self._plan.registrations * progress:
                self._register()
            else:
                return True
        return False

    def _edit(self) -> None:
        self.edits += 1
        key = self._chance.choice(self._partners)
        self._rig.s4.change("A_BusinessPartner", key, OrganizationBPName2=f"Abteilung {self.edits}")

    def _register(self) -> None:
        number, kind = len(self.registered), self._chance.random()
        if kind < 0.3 and self._companies:
            unit = self._chance.choice(self._companies[-50:])
            self.registered.append(register(self._rig.shop, number, "contact", unit=unit))
        elif kind < 0.5:
            self.registered.append(register(self._rig.shop, number, "consumer"))
        else:
            self.registered.append(register(self._rig.shop, number, "company"))
            self._companies.append(self.registered[-1].uid)


def storm(folder: Path, plan: Plan, seed: int, *, sizes: Sizes = Sizes()) -> Stormed:  # noqa: B008  # frozen
    """The whole storm in that folder."""
    chance = random.Random(seed)
    timing = {"processing_s": PROCESSING_S, "lease_s": LEASE_S}
    with started(folder, partners=plan.partners, sizes=sizes, seed=seed % 1000, **timing) as rig:
        done, begun = Stormed(), time.monotonic()
        if plan.loaded:
            rest(rig)
        for system in (rig.s4, rig.shop):
            arm(system, chance)
        people = People(rig, plan, chance)
        killer = Killer(rig, chance, process=plan.process, forked=plan.forked, serve=serve)
        done.struck = killer.struck
        try:
            for _ in _until_killed(killer, people):
                pass
        finally:
            killer.end()
        while not people.act(1.0):
            pass
        done.seconds["kills"] = round(time.monotonic() - begun, 1)
        for system in (rig.s4, rig.shop):
            done.faults = dict(Counter(done.faults) + fired(system))
            done.writes += written(system)
        settle(rig, done, people.registered)
    return done


def _until_killed(killer: Killer, people: People) -> Iterator[float]:
    told = time.monotonic()
    while killer.progress < 1:
        killer.look()
        people.act(killer.progress)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            kills = dict(killer.struck.kills)
            print(f"killed {kills}, {people.edits} edits, {len(people.registered)} registered", flush=True)
        time.sleep(0.002)
        yield killer.progress


def settle(rig: Rig, done: Stormed, registered: Iterable[Registered]) -> None:
    """The faults end, the hub comes to rest, both systems are compared."""
    begun = time.monotonic()
    for system in (rig.s4, rig.shop):
        system.disarm()
        while system.ask("stats")["late_pending"]:
            time.sleep(0.1)
    told = rest(rig)
    done.seconds["rest"] = round(time.monotonic() - begun, 1)
    done.unexplained += told["unexplained"]
    done.mistakes += [*told["mistakes"], *done.struck.ended_badly]
    begun = time.monotonic()
    done.found = check(rig.s4, rig.shop, registered)
    done.mistakes += done.found.mistakes
    if told["taken"] != len(done.found.taken):
        text = f"{told['taken']} dead letters for a key that is taken, {len(done.found.taken)} persons share an address"
        done.mistakes.append(text)
    if len(done.found.held) > told["undecided"]:
        done.mistakes.append(f"{done.found.held} are held by nobody's list: {told['undecided']} matches to decide")
    done.seconds["check"] = round(time.monotonic() - begun, 1)


def rest(rig: Rig) -> dict[str, Any]:
    """In a process of its own: rounds until nothing is left to do, then what the hub says of both systems."""
    place = rig.folder / "rest.json"

    def work() -> int:
        with Hub.open(env=rig.env) as hub:
            rounds = until_quiet(hub, at_most=ROUNDS)
            told = {flow: hub.reconcile(flow) for flow in FLOWS}
            letters = hub.dead_letters(limit=None)
            undecided = sum(len(hub.matches(flow, limit=None)) for flow in FLOWS)
        dead = [f"dead letter: {one.message}" for one in letters if one.code != TAKEN]
        mistakes = dead if rounds is not None else [f"not quiet after {ROUNDS} rounds", *dead]
        mistakes += [f"reconcile {f}: {dict(t.records)}: {t.findings[:2]}" for f, t in told.items() if not t.ok]
        unexplained = sum(one.records["unexplained"] for one in told.values())
        place.write_text(
            json.dumps(
                {
                    "unexplained": unexplained,
                    "rounds": rounds,
                    "mistakes": mistakes,
                    "taken": len(letters) - len(dead),
                    "undecided": undecided,
                }
            )
        )
        return 0

    if code := ended(fork(work, rig.folder / "rest.log", rig.env), 3600):
        raise SystemExit(f"the hub did not come to rest ({code}), see {rig.folder / 'rest.log'}")
    found: dict[str, Any] = json.loads(place.read_text())
    return found


__all__ = ["FLOW", "KINDS", "LEAST", "People", "Plan", "Stormed", "arm", "fired", "rest", "settle", "storm", "written"]
