"""Both systems in step with the model, used by one schedule after the other for as long as nothing goes wrong."""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.registrations.systems import Control
from benchmarks.rig.truth import Registered
from benchmarks.rig.world import SOURCE, TARGET, Sizes, started
from benchmarks.rig_model.owners import History, Users
from benchmarks.rig_model.resting import begin
from benchmarks.rig_model.worker import Step, Told, Worker

PARTNERS = 16
QUIET_S = 600.0
HALF_HOUR_S = 1800.0
SECRETS = ("sandbox-s4-secret", "SFVCX1VTRVI6c2FuZGJveC1zNC1zZWNyZXQ", "Authorization:", "Bearer ")
PERSONAL = re.compile(r"(?i)anmelder\d{6}|[\w.+-]{2,}@[\w-]+\.(?:example|com|de|net|org)\b|030 \d{7}")
AGED = 120  # schedules after which a world has grown too large


class World:
    """The installation, who works for it, and what people did so far."""

    def __init__(self, seed: int, prepare: Callable[[], None] | None = None) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rig-model-")))
        sizes = Sizes(page=8, writes=5, block=8)
        self.rig = self._stack.enter_context(
            started(folder, partners=PARTNERS, sizes=sizes, processing_s=QUIET_S, seed=seed % 1000)
        )
        self.s4: Control = self.rig.s4
        self.shop: Control = self.rig.shop
        self.log = folder / "worker.log"
        self.log.touch()
        self._read = 0
        self.said: list[str] = []
        self.offset_s = 3600.0
        self.skew_s = 0.0
        self.round = 0
        self.schedules = 0
        self.registered: list[Registered] = []
        self.worker = Worker(self.rig.env, self.log, prepare)
        self._stack.callback(self.worker.close)
        try:
            self._load()
        except BaseException:
            self.close()
            raise
        self.histories: list[History] = begin(self)
        self.users = Users(self, seed)

    @property
    def today(self) -> str:
        """The day by the systems' clocks."""
        return (datetime.now(UTC) + timedelta(seconds=self.offset_s)).date().isoformat()

    @property
    def aged(self) -> bool:
        """Whether a fresh one is due."""
        return self.schedules >= AGED or len(self.registered) > AGED

    def _load(self) -> None:
        for _ in range(3):
            self.forward(HALF_HOUR_S)
            for told in self.everything():
                if told.ended != "done":
                    raise RuntimeError(f"the first load ended otherwise: {told}\n{self.log.read_text()[-2000:]}")

    def do(self, name: str, system: str = "", *, kind: str = "", crash: str = "") -> Told:
        """One step of the hub; what it said is kept."""
        told = self.worker.do(Step(name, system, kind, self.offset_s + self.skew_s, crash))
        if told.words:
            self.said.append(told.words)
        return told

    def everything(self) -> Iterator[Told]:
        """A run: both systems read whole, both written."""
        for system in (SOURCE, TARGET):
            yield self.do("capture", system, kind="sweep")
        for system in (TARGET, SOURCE):
            yield self.do("distribute", system)

    def forward(self, seconds: float) -> None:
        """Time passes on every clock; a request still at work does not take longer than it may."""
        self.settle_late()
        self.offset_s += seconds
        for system in (self.s4, self.shop):
            system.tell("clock", offset_s=self.offset_s)

    def settle_late(self) -> None:
        """Wait for commits that are still to come."""
        for system in (self.s4, self.shop):
            deadline = time.monotonic() + 20
            while system.ask("stats")["late_pending"] and time.monotonic() < deadline:
                time.sleep(0.02)

    def heal(self) -> None:
        """The faults end, all clocks agree again."""
        for system in (self.s4, self.shop):
            system.disarm()
        self.skew_s = 0.0

    def spoken(self) -> list[str]:
        """Secrets and personal data in what the hub said since the last look."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        new, self._read = text[self._read :] + "\n".join(self.said), len(text)
        self.said = []
        return [word for word in SECRETS if word in new] + PERSONAL.findall(new)

    def close(self) -> None:
        """End everything."""
        self._stack.close()


class Worlds:
    """Hands out the world in use, a new one after a mistake."""

    def __init__(self, seed: int, prepare: Callable[[], None] | None = None) -> None:
        self._seed = seed
        self._prepare = prepare
        self._world: World | None = None
        self.made = 0
        self.deaths = 0
        self.schedules = 0

    def take(self) -> World:
        """A world in step."""
        if self._world is not None and self._world.aged:
            self.drop()
        if self._world is None:
            self.made += 1
            self._world = World(self._seed + self.made, self._prepare)
        self._world.schedules += 1
        self.schedules += 1
        return self._world

    def drop(self) -> None:
        """End the world in use."""
        if self._world is not None:
            self.deaths += self._world.worker.deaths
            self._world.close()
            self._world = None
