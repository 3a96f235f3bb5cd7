"""After a write: the view becomes what the target shows of the fields that were written.

So a target's own normalising is no edit. What somebody changed there between the look before the write and the one after it
stays out of the view: the next capture sees it as the edit it is. What the target adds by itself (a number) does so too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from l2c.contract import Outcome, Record, Status
from l2c.distribute.deciding import Known, Write
from l2c.distribute.job import DistributeJob
from l2c.distribute.present import EMPTY, canonical
from l2c.errors import HubError
from l2c.mapping import Mapper, decode, digest, encode
from l2c.state.store import to_ms

DONE = (Status.CREATED, Status.UPDATED)
Done = tuple[Write, Outcome]


@dataclass(slots=True)
class Shown:
    """Views after writes, keys to fetch since the target shows more, and why some could not be read."""

    views: list[dict[str, Any]] = field(default_factory=list)
    fetch: list[str] = field(default_factory=list)
    error: HubError | None = None


class ReadBack:
    """Reads what was written to one target."""

    def __init__(self, job: DistributeJob, known: Known) -> None:
        self._job = job
        self._known = known

    def read(self, written: Sequence[tuple[Write, Outcome | None]], now: int) -> Shown:
        """The views of what was written; a failure is handed on, since the writes themselves are done."""
        shown = Shown()
        for reader in self._job.readers:
            group: dict[str, Done] = {
                outcome.native_key or write.change.record.key: (write, outcome)
                for write, outcome in written
                if outcome is not None and outcome.status in DONE and write.mapper.native == reader.native
            }
            if not group:
                continue
            try:
                for record in self._job.connector.fetch(reader.native, list(group), fields=reader.fields):
                    if record.key in group and not record.deleted:
                        self._note(reader, record, group[record.key][0], shown, now)
            except HubError as error:
                shown.error = error
                shown.fetch += group
        return shown

    def _note(self, reader: Mapper, record: Record, write: Write, shown: Shown, now: int) -> None:
        after = canonical(reader, record.data, self._job)
        if after is None:  # its capture will tell why
            shown.fetch.append(record.key)
            return
        head = decode(write.head.payload)
        before = self._view(write)
        expected = canonical(reader, _overlaid(write.change.before or {}, write.change.record.data), self._job)
        view = self._merged(before, after if expected is None else expected, after, head)
        payload = encode(view)
        hashed = digest(payload)
        shown.views.append(
            {
                "record": write.head.record,
                "hash": hashed,
                "payload": None if hashed == write.head.hash else payload,
                "etag": record.etag,
                "changed_at": to_ms(record.changed_at) if record.changed_at is not None else None,
                "read_at": now,
            }
        )
        if view != after:
            shown.fetch.append(record.key)

    def _view(self, write: Write) -> Mapping[str, Any]:
        """What the target showed before the write."""
        view = self._known.views.get(write.head.record)
        if view is None or write.change.before is None:
            return {}
        return decode(view.payload if view.payload is not None else write.head.payload)

    def _merged(
        self, before: Mapping[str, Any], expected: Mapping[str, Any], after: Mapping[str, Any], head: Mapping[str, Any]
    ) -> dict[str, Any]:
        view: dict[str, Any] = {}
        for name, value in after.items():
            by = self._job.list_by.get(name)
            if by is not None and isinstance(value, list):
                view[name] = _elements(by, before.get(name) or [], value, head.get(name) or [])
            elif name in before and expected.get(name) == before[name]:
                view[name] = before[name]  # not written: a difference is somebody's edit
            elif name in before or expected.get(name) not in EMPTY:
                view[name] = value
        return view


def _elements(
    by: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """Elements the hub knows, as they are shown; one that somebody added or removed meanwhile is as it was before."""
    wanted = {element.get(by) for element in head}
    known = wanted | {element.get(by) for element in before}
    there = {element.get(by) for element in after}
    kept = [element for element in after if element.get(by) in known]
    return kept + [element for element in before if element.get(by) in wanted and element.get(by) not in there]


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A native record after a write: nested objects are merged, lists replaced."""
    made = dict(below)
    for name, value in above.items():
        have = made.get(name)
        made[name] = _overlaid(have, value) if isinstance(have, Mapping) and isinstance(value, Mapping) else value
    return made
