"""Where a read resumes: the connector's own text, and the bounds in the system's local time that follow from it.

A partner's change stamp is a day and a time of day in the system's time zone. A finished read remembers when it began, by
the system's own clock; the next one reaches back `overlap_s` behind that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec

from l2c.errors import ConfigError


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A position in stamp order: day, time of day, key."""

    day: str
    time: str
    key: str


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, rename={"upto": "u", "since": "f", "phase": "p"}):
    """Where a read stands.

    `phase`: `` finished; `load` by key behind `key`; of a delta `all` (nothing read yet), `stamped` behind `stamp`,
    `unstamped` behind `bare` (partners without a stamp, by key). `upto`: the system's clock when the read began.
    `since`: the `upto` of the read before this delta.
    """

    upto: str | None = None
    since: str | None = None
    phase: str = ""
    key: tuple[str, ...] | None = None
    stamp: Stamp | None = None
    bare: str | None = None

    def text(self) -> str:
        """The opaque text the hub keeps."""
        return msgspec.json.encode(self).decode()


class Partition(msgspec.Struct, frozen=True, omit_defaults=True, rename={"upto": "u"}):
    """A range of keys, `above` excluded and `to` included, of a load that began at `upto`."""

    upto: str | None = None
    above: str | None = None
    to: str | None = None

    def text(self) -> str:
        """The opaque text the hub keeps."""
        return msgspec.json.encode(self).decode()


def parse_cursor(text: str | None, *, system: str) -> Cursor | None:
    """The cursor of a text: one of ours, or a moment as ISO text (`2026-01-31`, `2026-01-31T10:00:00Z`)."""
    if text is None:
        return None
    try:
        if text.startswith("{"):
            return msgspec.json.decode(text, type=Cursor)
        return Cursor(upto=moment_text(moment(text)))
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        raise ConfigError(f"system '{system}': '{text}' is neither a cursor nor a moment", system=system) from None


def parse_partition(text: str | None, *, system: str) -> Partition:
    """The range of a text; None is everything."""
    try:
        return msgspec.json.decode(text, type=Partition) if text else Partition()
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise ConfigError(f"system '{system}': '{text}' is no partition", system=system) from None


def moment(text: str) -> datetime:
    """ISO text as a moment in UTC; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def moment_text(found: datetime) -> str:
    """A moment as ISO text in UTC, whole seconds."""
    return found.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


@dataclass(frozen=True, slots=True)
class Local:
    """A day and time of day in the system's own time."""

    day: str
    time: str


def lowest_local(since: datetime, zone: tzinfo) -> Local:
    """The smallest local time any moment from `since` on can have: where clocks go back, an hour is told twice."""
    offsets = [_offset(since, zone), _offset(since + timedelta(hours=2), zone)]
    return _local(since, min(offsets))


def highest_local(upto: datetime, zone: tzinfo) -> Local:
    """The largest local time any moment until `upto` can have."""
    offsets = [_offset(upto, zone), _offset(upto - timedelta(hours=2), zone)]
    return _local(upto, max(offsets))


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _local(at: datetime, offset: timedelta) -> Local:
    found = at.astimezone(UTC) + offset
    return Local(found.date().isoformat(), found.time().replace(microsecond=0).isoformat())


def changed_at(data: dict[str, Any], zone: tzinfo) -> datetime | None:
    """A partner's change stamp as a moment in UTC; None when it has none or it cannot be read."""
    day, time = data.get("LastChangeDate"), data.get("LastChangeTime")
    if not day:
        return None
    try:
        if zone is UTC:
            return datetime.fromisoformat(f"{day}T{time or '00:00:00'}+00:00")
        return datetime.fromisoformat(f"{day}T{time or '00:00:00'}").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
