"""A worker of the rig: reads one system and writes the other, both flows, over and over, until it is ended.

As a process of its own: `python -m benchmarks.rig.working WAY LIGHT`, with the hub's environment.
"""

import faulthandler
import mmap
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.rig.crashing import tried
from benchmarks.rig.world import FLOW, FLOWS, SOURCE, TARGET
from l2c.hub import Hub

WAYS = {"out": (SOURCE, TARGET), "in": (TARGET, SOURCE)}
PAUSE_S = 0.02
WATCHED_S = 2.0
AWAY, IDLE, WORKING = 0, 1, 2


class Light:
    """Two bytes shared by worker and killer: not there yet, idle, or at work; and how many steps it has begun."""

    def __init__(self, place: Path) -> None:
        place.touch()
        os.truncate(place, 2)
        with place.open("r+b") as file:
            self._byte = mmap.mmap(file.fileno(), 2)

    @property
    def state(self) -> int:
        """What the worker does."""
        return self._byte[0]

    @property
    def steps(self) -> int:
        """How many steps it has begun (from 255 on it is not counted)."""
        return self._byte[1]

    def show(self, state: int) -> None:
        """Tell it."""
        self._byte[0] = state

    @contextmanager
    def on(self) -> Iterator[None]:
        """While the block lasts, the worker is at work."""
        self._byte[1] = min(self._byte[1] + 1, 255)
        self.show(WORKING)
        try:
            yield
        finally:
            self.show(IDLE)


def end(_number: int, _frame: FrameType | None) -> None:
    """What SIGTERM does between two runs; within a run the hub settles first. Nothing has to be tidied up."""
    os._exit(0)


def serve(way: str, light: Path) -> NoReturn:
    """Work until told to end; what goes wrong is said and tried again, as a scheduler would."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # where it stands, should it not end when asked to
    signal.signal(signal.SIGTERM, end)
    shown, watched, first = Light(light), time.monotonic(), random.SystemRandom().randrange(4)
    read, write = WAYS[way]
    parent = os.getppid()
    with Hub.open(env=os.environ) as hub:
        while os.getppid() == parent:  # a rig that was killed leaves nobody behind
            for step in steps(hub, read, write, first=first):
                with shown.on():
                    tried(step)
            if read == SOURCE and time.monotonic() - watched > WATCHED_S:
                watched = time.monotonic()
                with shown.on():
                    tried(lambda: hub.capture(FLOW, SOURCE, kind="watch", watch="A_BusinessPartnerAddress"))
            time.sleep(PAUSE_S)
    sys.exit(0)


def steps(hub: Hub, read: str, write: str, *, first: int) -> Sequence[Callable[[], object]]:
    """One turn, begun at any of its steps: who lives for half a second only would else never come to write."""
    made: list[Callable[[], object]] = []
    for flow in FLOWS:
        made.append(lambda flow=flow: hub.capture(flow, read))
        made.append(lambda flow=flow: hub.distribute(flow, write))
    turn = first % len(made)
    return made[turn:] + made[:turn]


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], Path(sys.argv[2])))
