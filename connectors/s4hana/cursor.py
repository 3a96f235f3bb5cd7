"""Where a read resumes: the connector's own text, and the bounds in the system's local time that follow from it.

A partner's change stamp is a day and a time of day in the system's time zone. A finished read remembers when it began, by
the system's own clock, and the newest stamp it knows. The next one reaches back `overlap_s` behind the clock, and further
where the stamp cannot rule out that the configured time zone is wrong: a wrong zone must not make changes invisible.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec

from l2c.errors import ConfigError
from l2c.http import iso_day, iso_time

_APART = timedelta(hours=26)  # no two time zones are further apart (UTC-12 and UTC+14)
_LONGER = timedelta(seconds=60)  # how far a delta reads on into what changes after its beginning
_PATIENCE = timedelta(minutes=5)  # how long it reads on where a wrong zone would look the same
_NEXT = timedelta(seconds=1)  # stamps have whole seconds
_QUARTER = timedelta(minutes=15)  # time zones differ by whole quarters of an hour
_CLOCKS = timedelta(minutes=2)  # how far the clocks of one system may be apart: who stamps need not be who answers
SET_BACK = timedelta(
    days=1
)  # how far a read reaches back once the system's clock was set back: nobody tells when it was
_AHEAD = timedelta(days=1)  # a stamp further ahead of the system's clock is told
_log = logging.getLogger(__name__)


class Local(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A day and time of day in the system's own time."""

    day: str
    time: str

    def moved(self, by: timedelta) -> "Local":
        """The same clock, earlier or later."""
        found = self.naive + by
        return Local(found.date().isoformat(), found.time().replace(microsecond=0).isoformat())

    def since(self, earlier: "Local") -> timedelta:
        """The time from an earlier one on."""
        return self.naive - earlier.naive

    @property
    def naive(self) -> datetime:
        """As a datetime without a zone."""
        return datetime.fromisoformat(f"{self.day}T{self.time}")


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A stamp and a moment at which it stood in the system: local time was not behind the stamp then."""

    local: Local
    at: str


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A position in stamp order: day, time of day, key."""

    day: str
    time: str
    key: str

    @property
    def local(self) -> Local:
        """Without the key."""
        return Local(self.day, self.time)


class Position(msgspec.Struct):
    """The fields of a partner that tell where it stands, as the system shows them."""

    key: str = msgspec.field(name="BusinessPartner")
    day: str | None = msgspec.field(name="LastChangeDate", default=None)
    time: str | None = msgspec.field(name="LastChangeTime", default=None)
    born_day: str | None = msgspec.field(name="CreationDate", default=None)
    born_time: str | None = msgspec.field(name="CreationTime", default=None)

    @property
    def stamp(self) -> Stamp | None:
        """The position in stamp order; None without a change stamp."""
        return None if self.day is None else Stamp(iso_day(self.day), iso_time(self.time or "PT0S"), self.key)

    @property
    def local(self) -> Local | None:
        """When it was last changed, else created; None when neither is shown."""
        day, time = (self.born_day, self.born_time) if self.day is None else (self.day, self.time)
        return None if day is None else Local(iso_day(day), iso_time(time or "PT0S"))


_names = {"upto": "u", "since": "f", "phase": "p", "start": "l", "seen": "s"}


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True, rename=_names):
    """Where a read stands.

    `phase`: `` finished; `load` by key behind `key`; of a delta `all` (nothing read yet), `stamped` behind `stamp`,
    `unstamped` behind `bare` (partners without a stamp, by key). `upto`: the system's clock when the read began.
    `since`: the `upto` of the read before this delta; `start` the smallest stamp the delta asks for. `seen`: the newest stamp
    known; cursors of older versions have none. `told`: `since` is a moment somebody named, to be taken as it is.
    """

    upto: str | None = None
    since: str | None = None
    phase: str = ""
    key: tuple[str, ...] | None = None
    stamp: Stamp | None = None
    bare: str | None = None
    start: Local | None = None
    seen: Seen | None = None
    told: bool = False

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
        return Cursor(upto=moment_text(moment(text)), told=True)
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


def lowest_local(since: datetime, zone: tzinfo) -> Local:
    """The smallest local time any moment from `since` on can have: where clocks go back, an hour is told twice."""
    offsets = [_offset(since, zone), _offset(since + timedelta(hours=2), zone)]
    return _local(since, min(offsets))


def highest_local(upto: datetime, zone: tzinfo) -> Local:
    """The largest local time any moment until `upto` can have."""
    offsets = [_offset(upto, zone), _offset(upto - timedelta(hours=2), zone)]
    return _local(upto, max(offsets))


def start_of(cursor: Cursor, overlap: timedelta, zone: tzinfo) -> Local:
    """The smallest stamp a delta has to ask for; everything changed after `since` less `overlap` has it or a greater one.

    By the clock that is `since` in local time, if the configured zone is right. How far east of the system's it may lie is
    told by the newest stamp: local time was not behind it when it was seen, so the zone is wrong by no more than the
    stamp's age by the clock, and by whole quarters of an hour, as zones are. Nor is there need to ask for what lies ahead of
    the newest stamp only: so the zone may change its distance, and an idle system still shows nothing again.
    """
    clock = lowest_local(moment(str(cursor.since)) - overlap, zone)
    if cursor.told:
        return clock
    floor = clock.moved(-_APART)
    seen = cursor.seen
    if seen is None or seen.local < floor:
        return floor
    age = highest_local(moment(seen.at), zone).since(seen.local) + _CLOCKS
    return max(floor, min(clock.moved(-(age // _QUARTER * _QUARTER)), seen.local.moved(_NEXT)))


def newest(seen: Seen | None, shown: Iterable[Local | None], at: datetime, zone: tzinfo) -> Seen | None:
    """The newest stamp known after a page answered at `at`.

    A stamp ahead of the clock is left out: it is a wrong clock's, or the configured zone lies behind the system's and the
    clock's own bound is early enough.
    """
    ahead = highest_local(at, zone)
    best = seen.local if seen else ahead.moved(-2 * _APART)
    found = max(
        (local for local in shown if local and best < local <= ahead and local.time[:1].isdigit()), default=None
    )
    return seen if found is None else Seen(found, moment_text(at))


def tell_ahead(shown: Sequence[Position], at: datetime, zone: tzinfo, *, system: str) -> None:
    """Warn of the partners of a page answered at `at` whose stamp lies more than a day ahead of the system's clock."""
    bound = highest_local(at + _AHEAD, zone)
    ahead = [found for found in shown if found.day is not None and (found.local or bound) > bound]
    for found in ahead[:1]:
        _log.warning(
            "%s: %d records have a change stamp more than a day ahead of the system's clock, such as '%s' (%s): they are read, "
            "the cursor does not follow them, every delta shows them again; correct the stamps there",
            system,
            len(ahead),
            found.key,
            found.local.day if found.local else "",
        )


def is_beyond(stamp: Stamp | None, upto: datetime, now: datetime, zone: tzinfo) -> bool:
    """Whether a delta that began at `upto` may end at this stamp: the rest is the next one's, or a wrong clock's.

    A stamp a little ahead may also come from a zone configured too far west; what is behind it is read, but not for ever.
    """
    if stamp is None:
        return False
    local, end = stamp.local, highest_local(upto + _LONGER, zone)
    return local > end.moved(_APART) or (local > end and now - upto > _PATIENCE)


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
