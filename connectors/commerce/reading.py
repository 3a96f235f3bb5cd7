"""Reading records: all of them, those that changed, those of given keys."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.commerce.cursors import Cursor, Place, resume_at
from connectors.commerce.entities import KEY, Service
from connectors.commerce.feeds import LARGEST_PAGE, Feed, batches
from connectors.commerce.keys import attributes, key_of
from connectors.commerce.merging import merged
from l2c.contract import Page, Record
from l2c.http import RawPage, ServerPaging, chunks, decode, literal, query_path, records, select_expand, unwrap, walk

MOST_CONDITIONS = 50  # joined by `or`: parsers nest one level for each


def pages(
    service: Service,
    since: Cursor | None,
    until: Cursor | None,
    *,
    overlap_s: int,
    size: int,
    fields: Collection[str],
) -> Iterator[Page]:
    """Pages of records in change order; a delta also of those of which only an element of a list changed."""
    entity = service.entity
    feed = Feed(service, entity.set, entity.stamp, entity.order, tuple(_expand(service, fields)))
    last = until.place.stamp if until else None
    elements = service.elements
    if elements is None or not _uses(elements.name, fields):
        yield from _plain(feed, since, last, overlap_s=overlap_s, size=size)
    elif since is None:
        yield from _whole(feed, last, size=size)
    else:
        beside = Feed(service, elements.set, entity.stamp, elements.order, (elements.owner,))

        def make(raws: Sequence[msgspec.Raw]) -> Iterator[Record]:
            return _records(service, raws)

        def fetch(keys: Sequence[str]) -> Iterator[Record]:
            return fetched(service, keys, fields)

        yield from merged(feed, beside, since, last, overlap_s=overlap_s, size=size, make=make, fetch=fetch)


def _plain(feed: Feed, since: Cursor | None, until: int | None, *, overlap_s: int, size: int) -> Iterator[Page]:
    reached = since.place if since else None
    start = resume_at(since, overlap_s) if since else None
    for batch in batches(feed, start, until=until, size=size, asked_before=since.asked if since else None):
        reached = batch.last or reached
        cursor = str(Cursor(reached, batch.asked)) if reached else None
        yield Page(_records(feed.service, batch.page.records), cursor)


def _whole(feed: Feed, until: int | None, *, size: int) -> Iterator[Page]:
    """Everything; what changes in lists meanwhile is for the delta that resumes at any of these cursors."""
    reached, beside = None, None
    for batch in batches(feed, None, until=until, size=size):
        reached = batch.last or reached
        beside = beside or Cursor(Place(batch.asked, ""), batch.asked)
        cursor = str(Cursor(reached, batch.asked, beside)) if reached else None
        yield Page(_records(feed.service, batch.page.records), cursor)


def _uses(name: str, fields: Collection[str]) -> bool:
    return not fields or any(path == name or path.startswith(f"{name}.") for path in fields)


def _expand(service: Service, fields: Collection[str]) -> Sequence[str]:
    """What to expand for these paths; the Integration API documents no `$select`, all own fields come anyway."""
    if not fields:
        return service.entity.expand
    navigations = {path for path in fields if path in service.type.navigations}
    return select_expand(fields, navigations=navigations)[1]


def _records(service: Service, raws: Sequence[msgspec.Raw]) -> Iterator[Record]:
    entity = service.entity

    def finish(data: dict[str, Any], etag: str | None, key: str) -> Record:
        stamp = data.get(entity.stamp)
        moment = datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None
        if entity.key == KEY:
            key = data[KEY] = key_of(service, data)
        return Record(key, data, moment, etag)

    return records(raws, service.shape, [entity.key], finish=finish)


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
        for record in _records(service, page.records):
            if record.key in missing:
                del missing[record.key]
                yield record
    for key in missing:
        yield Record(key, {}, deleted=True)


def shown(service: Service, keys: Sequence[str], expand: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """What the shop holds of these keys, with these lists expanded."""
    found = [unwrap(decode(raw), service.shape) for page in by_key(service, keys, expand) for raw in page.records]
    return {key_of(service, data): data for data in found}
