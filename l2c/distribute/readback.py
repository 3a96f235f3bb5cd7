"""After a write: the view becomes what the target shows of the fields that were written.

So a target's own normalising is no edit. What somebody changed there between the look before the write and the one after it
stays out of the view: the next capture sees it as the edit it is. What the target adds by itself (a number) does so too.
"""

from collections.abc import Collection, Mapping, Sequence
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
        head, before = decode(write.head.payload), self._view(write)
        view = _Sight(write.mapper.fields, self._job.list_by).fields(before, after, head, "")
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

    def _view(self, write: Write) -> Mapping[str, Any] | None:
        """What the target showed before the write."""
        view = self._known.views.get(write.head.record)
        if view is None or write.change.before is None:
            return None
        return decode(view.payload if view.payload is not None else write.head.payload)


class _Sight:
    """Makes a view of what a target shows; `written` are the canonical paths its write mapping uses."""

    def __init__(self, written: Collection[str], list_by: Mapping[str, str]) -> None:
        self._list_by = list_by
        self._written = set(written)
        for path in written:
            while path := path.rpartition(".")[0]:
                self._written.add(path)

    def fields(
        self, before: Mapping[str, Any] | None, after: Mapping[str, Any], head: Mapping[str, Any], above: str
    ) -> dict[str, Any]:
        """The view of one record or element; `before` None: the target did not have it."""
        view: dict[str, Any] = {}
        for name, value in after.items():
            path = f"{above}.{name}" if above else name
            had = before is not None and name in before
            was = before[name] if before is not None and had else None
            if isinstance(value, list) and path in self._list_by:
                view[name] = self._elements(was or [], value, head.get(name) or [], path)
            elif had:
                kept = path not in self._written or head.get(name) == was
                view[name] = was if kept else value  # of what was not written, a difference is somebody's edit
            elif path in self._written and head.get(name) not in EMPTY:
                view[name] = value
        return view

    def _elements(
        self,
        before: Sequence[Mapping[str, Any]],
        after: Sequence[Mapping[str, Any]],
        head: Sequence[Mapping[str, Any]],
        path: str,
    ) -> list[Any]:
        """Elements the hub knows, as they are shown; one somebody added or removed meanwhile is as it was before."""
        by = self._list_by[path]
        wanted = {element.get(by): element for element in head}
        had = {element.get(by): element for element in before}
        there = {element.get(by) for element in after}
        made: list[Any] = []
        for element in after:
            key = element.get(by)
            if key in wanted or key in had:
                made.append({by: key, **self.fields(had.get(key), element, wanted.get(key, {}), path)})
        return made + [element for key, element in had.items() if key in wanted and key not in there]
