"""Ending well when asked to (SIGTERM): the page or block in hand is settled first, if that does not take too long."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from l2c.errors import TransientError
from l2c.state.results import Progress

STOPPED = "stopped as asked (SIGTERM), the records in hand are settled; the next run goes on from there"
PATIENCE_S = 8.0  # schedulers and service managers kill some ten seconds after they asked


@contextmanager
def settling_first(progress: Progress | None, patience_s: float = PATIENCE_S) -> Iterator[Progress]:
    """Within: SIGTERM ends this process after the next page or block, which is when the progress given back is told.

    Raises TransientError (code `stopped`) there. One that takes longer than `patience_s` is left as a kill would leave it: the
    next run clears it up. Where no page or block follows, the signal is passed on at the end: whoever asked is not forgotten.
    Outside the main thread nothing is changed.
    """
    asked, answered = threading.Event(), threading.Event()

    def tell(counts: Mapping[str, int]) -> None:
        if progress is not None:
            progress(counts)
        if asked.is_set():
            answered.set()
            raise TransientError(STOPPED, code="stopped")

    if threading.current_thread() is not threading.main_thread():
        yield tell
        return
    before: Any = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(patience_s, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True

    def on_signal(number: int, _: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            timer.start()
            return
        answered.set()
        signal.signal(signal.SIGTERM, before)  # asked twice, or out of patience: as it would have ended without us
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield tell
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)
        if asked.is_set() and not answered.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
