"""What one capture works on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from l2c.capture.merge import Merger
from l2c.contract import Connector
from l2c.errors import RecordRejected
from l2c.mapping import Env, Mapper
from l2c.state.limits import Brake, Budget
from l2c.state.recognition import Rule

WHOLE = "all"  # the only partition of a run that is not split


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One partition of one capture, of one read mapping.

    `merger` knows whose edits of a canonical field count. `shared`: the flow has further sources, so that what this system
    shows is merged with what others said. `written`: this system is a target of the flow too. `rules`: how records met here
    for the first time are recognised. `first_load`: nothing of this system was ever read. `references`: of each field that refers
    to other records, to which; `referrers`: of each entity that refers to this one, the systems it is captured from.
    """

    entity: str
    system: str
    run: int
    kind: str
    partition: str
    connector: Connector
    mapper: Mapper
    env: Env
    merger: Merger
    page_size: int = 200
    max_record: int = 1_000_000  # bytes
    shared: bool = False
    written: bool = False
    rules: tuple[Rule, ...] = ()
    first_load: bool = False
    references: Mapping[str, str] = field(default_factory=dict)
    referrers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    brake: Brake = field(default_factory=Brake)
    budget: Budget = field(default_factory=Budget)


@dataclass(slots=True)
class Shown:
    """One record as the system showed it, mapped; `payload` is None for one that is gone, filtered or rejected.

    The mapped values themselves are not kept: a page of them would not fit into the processor's caches.
    """

    key: str
    changed_at: int | None = None
    etag: str | None = None
    payload: bytes | None = None
    hash: bytes = b""
    other_keys: Mapping[str, str] | None = None
    values: Mapping[str, Sequence[bytes]] | None = None  # what the record can be recognised by
    merged_into: str | None = None
    read_at: int | None = None  # of a candidate: when it was read
    error: RecordRejected | None = None
