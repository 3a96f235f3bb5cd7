"""Named moments at which a process dies when a test asks for it; nothing happens unless the environment names one.

`L2C_CRASH_AT=settle.after_commit:3` kills this process, as `kill -9` does, the third time it comes to that point. Every
transaction that matters is named where it is opened, which makes two points: `<name>.before_commit` and `<name>.after_commit`.
"""

import os
import signal

VARIABLE = "L2C_CRASH_AT"

TRANSACTIONS = (
    "plan",  # a run is opened
    "lease",  # it is this process's
    "values",  # what known records can be recognised by
    "page",  # one page read is settled, its cursor moved
    "fetched",  # keys of the inbox are settled
    "linked",  # records met in a first load are linked
    "met",  # those that may be several are left to somebody
    "in_force",  # the mapping a first load or sweep read by
    "sweep",  # what a sweep has not seen is asked for
    "watch",  # changed children ask for their parents
    "vanished",  # so do those that are gone
    "sending",  # which writes are about to be sent
    "intend",  # creates that must not happen twice
    "settle",  # a block's outcomes, keys, views and cursor
    "recover",  # what a dead worker was sending
    "partition",  # a run's work is done
    "release",  # the lease is given back
    "close",  # the run's sums are told
    "message",  # a message is received
    "worked_off",  # its keys stand in the inbox, its confirmations are settled
    "redrive",  # dead letters are due again
    "resend",  # a mapping is put in force
)
MOMENTS = (
    "page.read",  # a page came, nothing of it is stored
    "fetch.read",  # so did the keys of the inbox
    "lookup.answered",  # lost creates were looked for in the target
    "present.read",  # what the target holds was read, before it is written
    "send.before",
    "send.after",  # the answers are here, nothing of them is stored
    "readback.read",  # what the target made of it was read
)
POINTS = tuple(f"{name}.{side}_commit" for name in TRANSACTIONS for side in ("before", "after")) + MOMENTS


def reach(point: str) -> None:
    """Die here if this point is armed and it is its turn."""
    armed = os.environ.get(VARIABLE)
    if armed:
        _hit(point, armed)


def _hit(point: str, armed: str) -> None:
    name, _, turn = armed.partition(":")
    if name != point:
        return
    left = int(turn or 1) - 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.environ[VARIABLE] = f"{name}:{left}"  # how many turns are left is counted where it was said
