"""What one capture works on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l2c.contract import Connector
from l2c.errors import RecordRejected
from l2c.mapping import Env, Mapper

WHOLE = "all"  # the only partition of a run that is not split


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One partition of one capture; `owned` tells whether this system's edits of a canonical field count."""

    entity: str
    system: str
    run: int
    kind: str
    partition: str
    connector: Connector
    mapper: Mapper
    env: Env
    owned: Callable[[str], bool]
    page_size: int = 200


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
    error: RecordRejected | None = None
