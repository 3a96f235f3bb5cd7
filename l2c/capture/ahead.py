"""Reading one page ahead, where waiting for the system costs more than a second thread does."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from l2c.contract import Page

WORTH_S = 0.01  # a thread beside the one that maps costs a few milliseconds a page


def prefetched(pages: Iterable[Page], now: Callable[[], int]) -> Iterator[tuple[Page, int]]:
    """Pages with the time each read began; from the first one that had to be waited for on, read ahead in a thread."""
    iterator = iter(pages)
    while True:
        begun, wall, worked = now(), time.perf_counter(), time.thread_time()
        page = next(iterator, None)
        if page is None:
            return
        waited = (time.perf_counter() - wall) - (time.thread_time() - worked)
        if waited > WORTH_S:
            yield from _ahead((page, begun), iterator, now)
            return
        yield page, begun


def _ahead(first: tuple[Page, int], iterator: Iterator[Page], now: Callable[[], int]) -> Iterator[tuple[Page, int]]:
    """The page in hand and the rest, one read while the one before is settled."""
    ready: queue.Queue[tuple[Page, int] | BaseException | None] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: tuple[Page, int] | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            while True:
                begun = now()
                page = next(iterator, None)
                if page is None or not put((page, begun)):
                    break
            put(None)
        except BaseException as error:  # noqa: BLE001  handed to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield first
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=10)  # one that waits as it was asked to is left to its end: it reads only
