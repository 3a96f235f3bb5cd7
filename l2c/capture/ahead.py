"""Reading one page ahead."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from l2c.contract import Page


def prefetched(pages: Iterable[Page], now: Callable[[], int]) -> Iterator[tuple[Page, int]]:
    """Pages with the time each read began, one page read ahead in a thread while the one before is settled."""
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
        iterator = iter(pages)
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
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=60)
