"""One entity set in change order, by keyset, so that what is changed meanwhile cannot push a record out of sight.

The shop's own `__next` counts rows (`$skiptoken=200`): a record changed during a read moves to the end, every later one
moves up by one, and the first of the next page is never shown. So each page asks for what lies behind the last record.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.commerce.cursors import Place, moment_of, ms_of
from connectors.commerce.entities import Service
from l2c.errors import ProtocolError
from l2c.http import KeysetPaging, RawPage, literal, query_path, source_time, walk

LARGEST_PAGE = 1000
_DAY = 24 * 3_600_000
_LONGER = 60_000  # milliseconds a read goes on into what changes after its beginning
_PATIENCE = 300_000  # how long it does so all the same: what lies ahead may be a wrong clock's
_BACK = 2_000  # clocks are told in whole seconds
_log = logging.getLogger(__name__)
_TICKS = re.compile(r"/Date\((-?\d+)")


@dataclass(frozen=True, slots=True)
class Feed:
    """An entity set with its change stamp, the attribute that tells records of one stamp apart, and what to expand."""

    service: Service
    set: str
    stamp: str
    order: str
    expand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a feed: its records, the place of the last one, and the shop's clock when it was asked for."""

    page: RawPage
    last: Place | None
    asked: int


def batches(
    feed: Feed, start: Place | None, *, until: int | None, size: int, asked_before: int | None = None
) -> Iterator[Batch]:
    """Pages behind a place, one request each; `until` is the last stamp in milliseconds.

    `asked_before`: the shop's clock at the read that led to the place. Where it has been set back since, the place may lie
    behind what was changed then: the read goes on a day before the shop's clock instead.
    """
    session = feed.service.session
    most = min(size, LARGEST_PAGE)
    paging = KeysetPaging[Place](
        session,
        address=lambda place: _address(feed, place, until, most),
        position=lambda record: place_of(feed, record),
        size=most,
        start=start,
    )
    begun: int | None = None
    for answer, page in walk(session, paging):
        asked = ms_of(source_time(answer, session.system.clock()))
        if begun is None and asked_before is not None and asked < asked_before - _BACK:
            yield from batches(feed, Place(asked - _DAY, ""), until=until, size=size)
            return
        begun = asked if begun is None else begun
        last = paging.last if page.records else None
        _tell_ahead(feed, last, asked)
        yield Batch(page, last, asked)
        if last and last.stamp > begun + _LONGER and asked > begun + _PATIENCE:
            return  # the rest is the next read's


def _tell_ahead(feed: Feed, last: Place | None, asked: int) -> None:
    """Warn of a record whose stamp lies more than a day ahead of the shop's clock."""
    if last and last.stamp > asked + _DAY:
        _log.warning(
            "%s: records have a change stamp more than a day ahead of the system's clock, such as '%s' (%s): they are read, the "
            "cursor does not follow them, every delta shows them again; correct the stamps there",
            feed.service.session.system.name,
            last.key,
            moment_of(last.stamp).date(),
        )


def place_of(feed: Feed, record: Mapping[str, Any]) -> Place:
    """The place of a record as it stands in the answer."""
    found = _TICKS.match(str(record.get(feed.stamp)))
    if not found:
        entity = feed.service.entity
        text = (
            f"'{entity.object}' shows a record of '{feed.set}' without '{feed.stamp}': the change order cannot be read"
        )
        raise ProtocolError(text, system=feed.service.session.system.name, entity=entity.name)
    return Place(int(found.group(1)), str(record[feed.order]))


def _address(feed: Feed, place: Place | None, until: int | None, size: int) -> str:
    options = {
        "$filter": _condition(feed, place, until),
        "$orderby": f"{feed.stamp},{feed.order}",
        "$top": size,
        "$expand": list(feed.expand),
    }
    return query_path(feed.set, options)


def _condition(feed: Feed, place: Place | None, until: int | None) -> str:
    """The filter of a page, without brackets: `and` binds closer than `or` in OData and in SQL alike."""
    stamp, key = feed.stamp, feed.order
    bound = f"{stamp} le {_instant(until)}" if until is not None else ""
    if place is None:
        return bound
    if not place.key:
        return " and ".join(filter(None, (f"{stamp} ge {_instant(place.stamp)}", bound)))
    same = f"{stamp} eq {_instant(place.stamp)} and {key} gt {literal(place.key)}"
    later = " and ".join(filter(None, (f"{stamp} gt {_instant(place.stamp)}", bound)))
    return f"{later} or {same}"


def _instant(ms: int) -> str:
    return f"DateTime'{moment_of(ms).replace(tzinfo=None).isoformat(timespec='milliseconds')}'"
