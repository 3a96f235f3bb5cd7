"""Parts of a rig side by side, each in a process of its own: what they wait for (leases, quiet periods) costs time once."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")
FORK = multiprocessing.get_context("fork")


def beside(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each of them gives, in their order. One that fails ends this process when all others are through."""
    begun = []
    for work in works:
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_do, args=(work, theirs))
        process.start()
        theirs.close()
        begun.append((ours, process))
    given: list[T] = []
    failed = 0
    for end, process in begun:
        try:
            given.append(end.recv())
        except EOFError:
            failed += 1
        process.join()
    if failed:
        raise SystemExit(f"{failed} of {len(begun)} parts of the rig ended without a result")
    return given


def _do(work: Callable[[], Any], end: Connection) -> None:
    end.send(work())
