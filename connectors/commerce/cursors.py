"""Places in change order, and the cursors that hold them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from l2c.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """A place in change order: stamp in milliseconds, and the key behind which to go on ('' for all of that stamp)."""

    stamp: int
    key: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a read came, and the shop's clock when it asked; `elements`: the same of the list that is read beside the records.

    Text of a cursor is a JSON list: stamp, key and clock, then those of the list where there is one.
    """

    place: Place
    asked: int
    elements: "Cursor | None" = None

    def __str__(self) -> str:
        """The text `read` gives out and takes."""
        return json.dumps(self._values(), separators=(",", ":"))

    def _values(self) -> list[int | str]:
        below = self.elements._values() if self.elements else []  # noqa: SLF001 - of its own kind
        return [*self.place, self.asked, *below]


def cursor_of(text: str, where: str) -> Cursor:
    """A cursor from its text; ConfigError when it is none of ours."""
    try:
        stamp, key, asked, *rest = json.loads(text)
        elements = None
        if rest:
            second, other, then = rest
            elements = Cursor(Place(int(second), str(other)), int(then))
        return Cursor(Place(int(stamp), str(key)), int(asked), elements)
    except (ValueError, TypeError):
        raise ConfigError(f"{where}: '{text}' is no cursor of a Commerce system; read from the start") from None


def resume_at(cursor: Cursor, overlap_s: int) -> Place:
    """Where the next read starts: behind the last record, or `overlap_s` before the last read if that is earlier.

    What the shop had stamped that long before the read is visible by then; later stamps may still come in between.
    """
    settled = cursor.asked - overlap_s * 1000
    return cursor.place if cursor.place.stamp < settled else Place(settled, "")


def moment_of(ms: int) -> datetime:
    """The moment so many milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def ms_of(moment: datetime) -> int:
    """The milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
