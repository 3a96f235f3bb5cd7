"""Reading: in change order, by keyset, so that what is changed meanwhile cannot push a record out of sight.

The shop's own `__next` counts rows (`$skiptoken=200`): a record changed during a read moves to the end, every later one
moves up by one, and the first of the next page is never shown. So each page asks for what lies behind the last record.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connectors.commerce.entities import KEY, Service
from connectors.commerce.keys import attributes, key_of
from l2c.contract import Page, Record
from l2c.errors import ConfigError, ProtocolError
from l2c.http import (
    Answer,
    KeysetPaging,
    RawPage,
    ServerPaging,
    chunks,
    decode,
    literal,
    query_path,
    records,
    select_expand,
    server_time,
    unwrap,
    walk,
)

LARGEST_PAGE = 1000
MOST_CONDITIONS = 50  # joined by `or`: parsers nest one level for each
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = re.compile(r"/Date\((-?\d+)")


class Place(NamedTuple):
    """A place in change order: stamp in milliseconds, and the key behind which to go on ('' for all of that stamp)."""

    stamp: int
    key: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a read came, and the shop's clock when it asked; text of a cursor is a JSON list of the three."""

    place: Place
    asked: int

    def __str__(self) -> str:
        """The text `read` gives out and takes."""
        return json.dumps([*self.place, self.asked], separators=(",", ":"))


def cursor_of(text: str, where: str) -> Cursor:
    """A cursor from its text; ConfigError when it is none of ours."""
    try:
        stamp, key, asked = json.loads(text)
        return Cursor(Place(int(stamp), str(key)), int(asked))
    except (ValueError, TypeError):
        raise ConfigError(f"{where}: '{text}' is no cursor of a Commerce system; read from the start") from None


def resume_at(cursor: Cursor, overlap_s: int) -> Place:
    """Where the next read starts: behind the last record, or `overlap_s` before the last read if that is earlier.

    What the shop had stamped that long before the read is visible by then; later stamps may still come in between.
    """
    settled = cursor.asked - overlap_s * 1000
    return cursor.place if cursor.place.stamp < settled else Place(settled, "")


def pages(
    service: Service,
    since: Cursor | None,
    until: Cursor | None,
    *,
    overlap_s: int,
    size: int,
    fields: Collection[str],
) -> Iterator[Page]:
    """Pages of records in change order, one request each."""
    start = resume_at(since, overlap_s) if since else None
    expand = _expand(service, fields)
    paging = KeysetPaging[Place](
        service.session,
        address=lambda place: _address(service, place, until.place.stamp if until else None, size, expand),
        position=lambda record: _place(service, record),
        size=min(size, LARGEST_PAGE),
        start=start,
    )
    reached = since.place if since else None
    for answer, page in walk(service.session, paging):
        if page.records and paging.last is not None:
            reached = paging.last
        cursor = Cursor(reached, _asked(service, answer)) if reached else None
        yield Page(_records(service, page), str(cursor) if cursor else None)


def _asked(service: Service, answer: Answer) -> int:
    return _ms(server_time(answer) or service.session.system.clock())


def _place(service: Service, record: Any) -> Place:
    entity = service.entity
    found = _TICKS.match(str(record.get(entity.stamp)))
    if not found:
        text = f"'{entity.object}' shows a record without '{entity.stamp}': the change order cannot be read"
        raise ProtocolError(text, system=service.session.system.name, entity=entity.name)
    return Place(int(found.group(1)), str(record[entity.order]))


def _address(service: Service, place: Place | None, until: int | None, size: int, expand: Sequence[str]) -> str:
    entity = service.entity
    options = {
        "$filter": _condition(service, place, until),
        "$orderby": f"{entity.stamp},{entity.order}",
        "$top": min(size, LARGEST_PAGE),
        "$expand": list(expand),
    }
    return query_path(entity.set, options)


def _condition(service: Service, place: Place | None, until: int | None) -> str:
    """The filter of a page, without brackets: `and` binds closer than `or` in OData and in SQL alike."""
    stamp, key = service.entity.stamp, service.entity.order
    bound = f"{stamp} le {_instant(until)}" if until is not None else ""
    if place is None:
        return bound
    if not place.key:
        return " and ".join(filter(None, (f"{stamp} ge {_instant(place.stamp)}", bound)))
    same = f"{stamp} eq {_instant(place.stamp)} and {key} gt {literal(place.key)}"
    later = " and ".join(filter(None, (f"{stamp} gt {_instant(place.stamp)}", bound)))
    return f"{later} or {same}"


def _instant(ms: int) -> str:
    return f"DateTime'{(_EPOCH + timedelta(milliseconds=ms)).replace(tzinfo=None).isoformat(timespec='milliseconds')}'"


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _expand(service: Service, fields: Collection[str]) -> Sequence[str]:
    """What to expand for these paths; the Integration API documents no `$select`, all own fields come anyway."""
    if not fields:
        return service.entity.expand
    navigations = {path for path in fields if path in service.type.navigations}
    return select_expand(fields, navigations=navigations)[1]


def _records(service: Service, page: RawPage) -> Iterator[Record]:
    entity = service.entity

    def finish(data: dict[str, Any], etag: str | None, key: str) -> Record:
        stamp = data.get(entity.stamp)
        moment = datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None
        if entity.key == KEY:
            key = data[KEY] = key_of(service, data)
        return Record(key, data, moment, etag)

    return records(page.records, service.shape, [entity.key], finish=finish)


def by_key(service: Service, keys: Sequence[str], expand: Sequence[str]) -> Iterator[RawPage]:
    """Raw pages with the records of these keys that are there, and perhaps others: an empty key attribute is not asked for."""
    entity = service.entity
    conditions = {key: condition for key in keys if (condition := _is(service, key))}
    for chunk in chunks(list(conditions), conditions, most=MOST_CONDITIONS):
        options = {
            "$filter": " or ".join(conditions[key] for key in chunk),
            "$top": LARGEST_PAGE,
            "$expand": list(expand),
        }
        paging = ServerPaging(service.session, query_path(entity.set, options))
        for _, page in walk(service.session, paging):
            yield page


def _is(service: Service, key: str) -> str:
    """The filter of one record, '' for a key no record of this shop can have."""
    found = attributes(service, key)
    return " and ".join(f"{'/'.join(path)} eq {literal(value)}" for path, value in found.items() if value)


def fetched(service: Service, keys: Sequence[str], fields: Collection[str]) -> Iterator[Record]:
    """The records of these keys; those that are not there come last, as deleted."""
    missing = dict.fromkeys(keys)
    for page in by_key(service, keys, _expand(service, fields)):
        for record in _records(service, page):
            if record.key in missing:
                del missing[record.key]
                yield record
    for key in missing:
        yield Record(key, {}, deleted=True)


def shown(service: Service, keys: Sequence[str], expand: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """What the shop holds of these keys, with these lists expanded."""
    found = [unwrap(decode(raw), service.shape) for page in by_key(service, keys, expand) for raw in page.records]
    return {key_of(service, data): data for data in found}
