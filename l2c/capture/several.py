"""Where a read mapping makes a record of each element: the elements of native records, each under a key of its own.

An element's key in the hub is `<key of the native record>#<its own key>`: whoever asks for one fetches the whole record.
What belongs to one native record is kept in the key mapping under the path `#<its key>`: elements that are gone are known by it.
"""

from collections.abc import Iterable, Sequence

from l2c.capture.job import CaptureJob, Shown
from l2c.contract import Record
from l2c.errors import RecordRejected
from l2c.mapping import Mapped
from l2c.state import keys
from l2c.state.store import Store, to_ms

MARK = "#"


def fetched_key(job: CaptureJob, key: str) -> str:
    """The key of the native record that holds what the hub knows under `key`."""
    return (key.rpartition(MARK)[0] or key) if job.mapper.lists else key


def elements(store: Store, job: CaptureJob, records: Iterable[Record], wanted: Sequence[str] = ()) -> list["Part"]:
    """Every element of these records, and those the hub knows, or are `wanted`, and that are not there any more."""
    read = list(records)
    with store.reading() as conn:
        known = keys.keys_under(conn, job.entity, job.system, [MARK + record.key for record in read])
    found: list[Part] = []
    for record in read:
        before = {*known.get(MARK + record.key, ()), *(k for k in wanted if fetched_key(job, k) == record.key != k)}
        found += _parts(job, record, before)
    return found


class Part:
    """One element: its native record, its key in the hub, and what it was mapped to; neither result nor error: it is gone."""

    __slots__ = ("error", "key", "mapped", "record")

    def __init__(
        self, record: Record, key: str, mapped: Mapped | None = None, error: RecordRejected | None = None
    ) -> None:
        self.record = record
        self.key = key
        self.mapped = mapped
        self.error = error

    def shown(self) -> Shown:
        """It as the system shows it, without its payload."""
        stamp = to_ms(self.record.changed_at) if self.record.changed_at is not None else None
        return Shown(self.key, stamp, self.record.etag, error=self.error)


def _parts(job: CaptureJob, record: Record, before: set[str]) -> list[Part]:
    there: list[Part] = []
    certain = True
    if not record.deleted:
        try:
            for number, one in enumerate(job.mapper.each(record.data, job.env), 1):
                error = one.error if one.error is not None or MARK not in one.name else _marked(job, record)
                certain = certain and error is None
                name = f"?{number}" if error is not None and (not one.name or MARK in one.name) else one.name
                there.append(Part(record, f"{record.key}{MARK}{name}", one.mapped, error))
        except RecordRejected as error:
            return [Part(record, f"{record.key}{MARK}", error=error)]
    twice = {part.key for part in there if sum(other.key == part.key for other in there) > 1}
    for part in there:
        if part.key in twice:
            part.error, certain = _twice(job, part), False
    # of an element that could not be mapped the key is not certain: nothing is taken for gone beside it
    gone = sorted(before - {part.key for part in there}) if certain else []
    there += [Part(record, key) for key in gone]
    return there or [Part(record, record.key)]


def _marked(job: CaptureJob, record: Record) -> RecordRejected:
    text = f"'key' of an element must not hold '{MARK}' [{job.mapper.file}]"
    return RecordRejected([("", text)], system=job.system, entity=job.entity, key=record.key)


def _twice(job: CaptureJob, part: Part) -> RecordRejected:
    text = f"two elements of the record have this key; let 'key' tell them apart [{job.mapper.file}]"
    return RecordRejected([("", text)], system=job.system, entity=job.entity, key=part.key)
