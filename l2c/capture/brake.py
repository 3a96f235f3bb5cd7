"""The brake of a capture: records that are gone are held until all of a run are known, and counted before the first is ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from l2c.capture.job import CaptureJob, Shown
from l2c.capture.settlement import PageSettlement
from l2c.state import cursors, journal, keys
from l2c.state.limits import braked
from l2c.state.results import SWEEP
from l2c.state.store import Store


@dataclass(frozen=True, slots=True)
class Held:
    """Records fetched at one time that the system does not have any more, with the entries that asked for them."""

    job: CaptureJob
    shown: Sequence[Shown]
    read_at: int
    entries: Sequence[cursors.InboxEntry]


def gone(shown: Sequence[Shown]) -> list[Shown]:
    """Those that are not there any more, or do not pass."""
    return [one for one in shown if one.payload is None and one.error is None]


def check(store: Store, held: Sequence[Held]) -> None:
    """Raise Braked when ending the records held would end too many of those the system has."""
    if not held or sum(len(one.shown) for one in held) <= held[0].job.brake.free:
        return
    job = held[0].job
    with store.reading() as conn:
        count = 0
        for one in held:
            known = journal.known(conn, job.entity, job.system, [shown.key for shown in one.shown])
            living = [found for found in known.values() if not found.deleted]
            # what this system may not end goes back to it instead
            kept = PageSettlement(conn, one.job, one.read_at, one.read_at, resolve_dead=False).kept(living)
            count += len(living) - len(kept)
        if count <= job.brake.free:
            return
        there = keys.count_records(conn, job.entity, job.system)
    if count > job.brake.most(there):
        command = f"capture {job.entity} {job.system}" + (" --sweep" if job.kind == SWEEP else "")
        raise braked(command, job.entity, job.system, count, job.brake, there)
