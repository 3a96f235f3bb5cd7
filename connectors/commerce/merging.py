"""A delta of records and of one of their lists, in one order of change.

Saving an address moves its own stamp and not that of its unit. So a delta reads both feeds, and where an address comes up its
record is fetched and given out with the address's stamp. Everything stays in change order; a cursor holds a place in each.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec

from connectors.commerce.cursors import Cursor, Place, moment_of, ms_of, resume_at
from connectors.commerce.feeds import Feed, batches, place_of
from connectors.commerce.keys import key_of
from l2c.contract import Page, Record
from l2c.http import decode

Make = Callable[[Sequence[msgspec.Raw]], Iterator[Record]]
Fetch = Callable[[Sequence[str]], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed: where it stands, and when its page was asked for (`turn`: which request of the read that was).

    `key` is that of the record, or of the record an element belongs to ('' for one that belongs to something else); `raw` is the
    record as the shop shows it, None for an element.
    """

    place: Place
    asked: int
    turn: int
    key: str
    raw: msgspec.Raw | None


@dataclass(slots=True)
class _Turns:
    """Counts the requests of one read."""

    last: int = 0

    def next(self) -> int:
        self.last += 1
        return self.last


@dataclass(slots=True)
class _Side:
    """One feed of a merged read: how far it was consumed, and when its last page was asked for."""

    feed: Feed
    place: Place
    asked: int
    key: Callable[[Mapping[str, Any]], str]
    whole: bool
    newest: int = field(default=0)

    def items(self, turns: _Turns, start: Place, until: int | None, size: int) -> Iterator[Item]:
        """The entries of the feed, page by page."""
        for batch in batches(self.feed, start, until=until, size=size, asked_before=self.asked):
            turn, self.newest = turns.next(), batch.asked
            for raw in batch.page.records:
                data = decode(raw)
                yield Item(place_of(self.feed, data), batch.asked, turn, self.key(data), raw if self.whole else None)

    def consumed(self, item: Item) -> None:
        """Note an entry that was taken."""
        self.place, self.asked = item.place, item.asked

    def ended(self) -> None:
        """Note that there is nothing more."""
        self.asked = self.newest


def merged(
    feed: Feed,
    beside: Feed,
    since: Cursor,
    until: int | None,
    *,
    overlap_s: int,
    size: int,
    make: Make,
    fetch: Fetch,
) -> Iterator[Page]:
    """Pages of at most `size` records; the last may be empty and says when both feeds were read to their end.

    `make` turns what the shop shows into records, `fetch` reads those of given keys.
    """
    service = feed.service
    owner = beside.expand[0]
    then = since.elements or Cursor(Place(since.asked, ""), since.asked)
    mine = _Side(feed, since.place, since.asked, lambda data: key_of(service, data), whole=True)
    theirs = _Side(beside, then.place, then.asked, lambda data: _owner_key(feed, data.get(owner)), whole=False)
    turns = _Turns()
    both = heapq.merge(
        # elements first: a record shown by a later request shows them, too
        theirs.items(turns, resume_at(then, overlap_s), until, size),
        mine.items(turns, resume_at(since, overlap_s), until, size),
        key=lambda item: item.place.stamp,
    )
    while True:
        chunk = list(islice(both, size))
        for item in chunk:
            (mine if item.raw is not None else theirs).consumed(item)
        if len(chunk) < size:
            mine.ended()
            theirs.ended()
        cursor = Cursor(mine.place, mine.asked, Cursor(theirs.place, theirs.asked))
        yield Page(_records(chunk, make, fetch), str(cursor))
        if len(chunk) < size:
            return


def _owner_key(feed: Feed, owner: Any) -> str:
    return key_of(feed.service, owner) if isinstance(owner, Mapping) else ""


def _records(chunk: Sequence[Item], make: Make, fetch: Fetch) -> Iterator[Record]:
    shown = {item.key: item.turn for item in chunk if item.raw is not None}
    touched: dict[str, Item] = {}
    for item in chunk:
        if item.raw is None and item.key and shown.get(item.key, -1) < item.turn:
            touched[item.key] = item  # the newest of its elements here
    found = {record.key: record for record in fetch(list(touched))} if touched else {}
    for item in chunk:
        if item.raw is not None:
            yield from make([item.raw])
        elif touched.get(item.key) is item:
            record = found[item.key]
            own = ms_of(record.changed_at) if record.changed_at else 0
            # saved later itself, it comes up by its own stamp; gone, a sweep says so
            if not record.deleted and own <= item.place.stamp:
                yield replace(record, changed_at=moment_of(item.place.stamp))
