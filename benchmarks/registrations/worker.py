"""A worker process of the rig: reads one system and writes the other, over and over, until it is ended.

`python -m benchmarks.registrations.worker SYSTEM_TO_READ SYSTEM_TO_WRITE`, with the hub's environment.
"""

import signal
import sys
import time
from types import FrameType

from benchmarks.home import ENTITY
from l2c.errors import HubError
from l2c.hub import Hub

PAUSE_S = 0.05
STOPPED = "stopped"  # the code of the error with which a run ends that was asked to


class Ending:
    """Whether the process was asked to end; it finishes what it is doing first."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def main(read: str, write: str) -> None:
    """Work; what goes wrong is said and tried again, as a scheduler would."""
    ending = Ending()
    with Hub.open() as hub:
        while not ending.asked:
            for work, system in ((hub.capture, read), (hub.distribute, write)):
                try:
                    work(ENTITY, system)
                except HubError as error:
                    print(f"{work.__name__} {system}: {error}", flush=True)
                    if error.code == STOPPED:  # asked within a run, which told it in our place
                        return
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
