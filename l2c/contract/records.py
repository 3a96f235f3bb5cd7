"""What passes between hub and connectors: frozen, slotted values without behaviour."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One instance of a native entity.

    `data` holds native field names as the system shows them: nested objects as dict, lists as list (no `results`,
    `__metadata` or `__deferred` wrappers); numbers with a fraction as Decimal or text, never float; dates as ISO text
    (`2026-01-31`, `2026-01-31T10:00:00Z`, `10:00:00`). An absent field is absent, an empty one is None or ''.
    `changed_at` is the system's own change stamp (UTC). A deleted record carries its key and no data.
    """

    key: str
    data: dict[str, Any]
    changed_at: datetime | None = None
    etag: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one answer, decoded one at a time while iterated (once), and where to resume when all are settled.

    `cursor` None means: nothing to resume at, keep the cursor as it was. `announced` is the system's own count, if asked.
    """

    records: Iterable[Record]
    cursor: str | None
    announced: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A write wanted of a target.

    `record.key` is the native key, or '' for a create whose number the target gives. `record.data` holds only the fields to
    write: a field absent is kept, None clears. `before` is what the target held of these fields as far as the hub knows
    (list elements in `before` and not in `record` are to be removed); None when nothing is known.
    `record.deleted` asks to delete the native record. `mark` is what `find` will look for after a lost answer. `answered` is
    the token of an earlier write of this record that was confirmed: what is sent again under its number might not be heard.
    """

    record: Record
    before: Mapping[str, Any] | None = None
    etag: str | None = None
    mark: str | None = None
    answered: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it will be sent; `path` is relative to the service, `headers` holds If-Match and the like, no secrets."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change and exactly the requests that will carry it; `outcome` is set instead when nothing need or can be sent."""

    change: Change
    requests: Sequence[Request]
    outcome: "Outcome | None" = None


class Status(StrEnum):
    """How a write ended."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    ACCEPTED = "accepted"  # one-way: confirmed later
    REJECTED = "rejected"  # this record cannot pass: data
    CONFLICT = "conflict"  # the target moved since it was read
    FAILED = "failed"  # did not act, may be tried again
    UNKNOWN = "unknown"  # may have acted: look it up before sending again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change.

    `child_keys` maps a path and list key of ours (`addresses/1`) to the native key the target gave. `code` and `message` are
    the system's own words, verbatim; `fields` are the native fields it names beside them. `retry_after` is in seconds. `token`
    names an accepted write until it is confirmed.
    """

    status: Status
    native_key: str | None = None
    etag: str | None = None
    child_keys: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    token: str | None = None
    fields: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action on one native record."""

    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One native field: `type` is the system's own name (`Edm.String`); lengths in UTF-16 units as OData counts."""

    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    creatable: bool = True
    updatable: bool = True
    filterable: bool = True
    many: bool = False  # a list of nested objects
    label: str = ""


@dataclass(frozen=True, slots=True)
class EntitySchema:
    """A native entity as its system describes it.

    `fields` maps dotted paths (`to_BusinessPartnerAddress.CityName`) to their schema, lists included.
    `delta`: stamp | day | keys | none · `safe_by`: key | lookup | none · `batch`: most records one `send` should
    carry · `max_processing_s`: how long a request whose answer was lost may still be at work · `parent`: of a child set,
    the field that holds its parent's key · `evidence`: `contract`, or `inferred` where no public contract shows it.
    """

    key: str
    fields: Mapping[str, FieldSchema]
    delta: str = "none"
    safe_by: str = "none"
    batch: int = 1
    max_processing_s: float = 60.0
    parent: str | None = None
    evidence: str = "contract"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a system answers and accepts the credentials; `clock_skew_s` is its clock minus ours."""

    ok: bool
    message: str
    latency_ms: float = 0.0
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What a system sent to the hub's inbox, as received; `headers` in lower case, without credentials."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """What a message says.

    `message_id`: its own number, by which a repetition is known (None: it has none). `keys`: (native entity, native key) to
    fetch. `confirmed`: outcomes of writes accepted earlier, by token.
    """

    message_id: str | None = None
    keys: Sequence[tuple[str, str]] = ()
    confirmed: Mapping[str, Outcome] = field(default_factory=dict)
