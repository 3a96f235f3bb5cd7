"""Before a write: what a target that is captured too holds now.

One that no longer shows what was last seen of it is captured first. Of the others only what differs is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from l2c.contract import Record
from l2c.distribute.deciding import Known, Write
from l2c.distribute.job import DistributeJob
from l2c.errors import RecordRejected
from l2c.mapping import Env, Mapper, decode, digest, encode
from l2c.state.distributions import OPEN, Settled
from l2c.state.journal import View
from l2c.state.store import from_ms

EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(slots=True)
class Looked:
    """Writes to send, states of records without one, keys to fetch, and keys of records that were found there."""

    writes: list[Write] = field(default_factory=list)
    states: list[Settled] = field(default_factory=list)
    fetch: list[str] = field(default_factory=list)
    found: list[tuple[str, int]] = field(default_factory=list)


class Present:
    """Looks at the records of one target."""

    def __init__(self, job: DistributeJob, known: Known, now: int) -> None:
        self._job = job
        self._known = known
        self._now = now
        self._today = from_ms(now).astimezone(job.time_zone).date()
        self._readers = {reader.native: reader for reader in job.readers}

    def look(self, writes: Sequence[Write]) -> Looked:
        """Sort writes by what the target shows of their records now."""
        looked = Looked()
        there = self._fetched([write for write in writes if self._concerns(write)])
        for write in writes:
            if self._concerns(write):
                self._compare(write, there.get((write.mapper.native, write.change.record.key)), looked)
            else:
                looked.writes.append(write)
        return looked

    def _concerns(self, write: Write) -> bool:
        record = write.change.record
        return bool(record.key) and not record.deleted and write.mapper.native in self._readers

    def _fetched(self, updates: Sequence[Write]) -> dict[tuple[str, str], Record]:
        found: dict[tuple[str, str], Record] = {}
        for native, reader in self._readers.items():
            group = [write for write in updates if write.mapper.native == native]
            if not group:
                continue
            fields = reader.fields.union(*(write.mapper.targets for write in group))
            wanted = [write.change.record.key for write in group]
            for record in self._job.connector.fetch(native, wanted, fields=fields):
                found[native, record.key] = record
        return found

    def _compare(self, write: Write, there: Record | None, looked: Looked) -> None:
        key, number = write.change.record.key, write.head.record
        view = self._known.views.get(number)
        if there is not None and there.deleted and write.leaves:
            looked.states.append(write.settled("filtered"))
            return
        if there is not None and there.deleted and view is None:
            # a create whose key is ours to give, or a record its target lost
            looked.writes.append(replace(write, change=replace(write.change, before=None)))
            return
        if there is None or there.deleted or view is None or self._moved(write.mapper.native, there, view):
            self._capture_first(write, looked)
            return
        before = self._before(write, view)
        data = {
            name: value
            for name, value in write.change.record.data.items()
            if name != write.mapper.config.key and not same(value, there.data.get(name), before.get(name))
        }
        if data:
            looked.writes.append(
                replace(write, change=replace(write.change, record=Record(key, data), before=before, etag=there.etag))
            )
        else:
            looked.states.append(write.settled("unchanged", hash=write.hash, written_seq=write.head.seq))

    def _before(self, write: Write, view: View) -> dict[str, Any]:
        """What the mapping makes of what the target shows: only that is the hub's to change or to take away."""
        if write.mapper.children == "add":
            return {}
        head = decode(write.head.payload)
        shown = decode(view.payload) if view.payload is not None else head
        env = Env(settings=self._job.settings, today=self._today, resolve=self._job.resolve)
        # a target met just now may lack what the mapping asks for, such as the number that makes a key at birth
        filled = {name: value for name, value in shown.items() if value not in (None, "")}
        for told in (shown, filled):
            try:
                return write.mapper.map(overlaid(head, told, self._job.list_by), env).data
            except RecordRejected:
                continue
        return {}  # it cannot be mapped: nothing is known to be ours

    def _capture_first(self, write: Write, looked: Looked) -> None:
        key, number = write.change.record.key, write.head.record
        text = f"'{self._job.target}' shows something the hub has not seen yet; it is read before it is written"
        doubtful = write.previous is not None and write.previous.status in OPEN
        status = "in_doubt" if doubtful else "retrying"  # what it shows may be what was written
        looked.states.append(write.settled(status, code="moved", message=text, due_at=self._now + 1))
        looked.fetch.append(key)
        if number not in self._known.native_keys:
            looked.found.append((key, number))

    def _moved(self, native: str, there: Record, view: View) -> bool:
        """Whether a record shows something else than its view; one that cannot be mapped does, which its capture will tell."""
        shown = canonical(self._readers[native], there.data, self._job)
        return shown is None or digest(encode(shown)) != view.hash


def canonical(reader: Mapper, data: Mapping[str, Any], job: DistributeJob) -> dict[str, Any] | None:
    """What a native record of the target says; None when it cannot be mapped."""
    try:
        return reader.map(data, job.read_env).data
    except RecordRejected:
        return None


def overlaid(head: Mapping[str, Any], shown: Mapping[str, Any], list_by: Mapping[str, str]) -> dict[str, Any]:
    """A record as a target shows it, with what it does not show as the head says."""
    made = {**head, **shown}
    for path, by in list_by.items():
        elements = shown.get(path)
        if isinstance(elements, list):
            there = {element.get(by): element for element in head.get(path) or ()}
            made[path] = [{**there.get(element.get(by), {}), **element} for element in elements]
    return made


def same(wanted: Any, present: Any, before: Any = None) -> bool:
    """Whether a target that shows `present` holds what is wanted; what it shows besides does not count.

    Of lists every element counts, in any order; further ones may stand beside them unless `before`, what is the hub's of
    them, names more than is wanted.
    """
    if wanted in EMPTY and (present in EMPTY or before in EMPTY):
        return True
    if isinstance(wanted, Mapping):
        inner = before if isinstance(before, Mapping) else {}
        return isinstance(present, Mapping) and all(
            same(value, present.get(name), inner.get(name)) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        there, ours = present or [], before or []
        return len(ours) <= len(wanted) and all(any(_found(element, other) for other in there) for element in wanted)
    return wanted == present or (wanted is not None and present is not None and _text(wanted) == _text(present))


def _found(wanted: Any, present: Any) -> bool:
    """Whether an element of a list is the one wanted, with all that is wanted of it."""
    return same(wanted, present, present)


def _text(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)
