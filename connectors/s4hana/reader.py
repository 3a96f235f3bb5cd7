"""Reading: first loads and full reads by key, deltas by change stamp, partitions, single keys.

Every page but those of the server's own links is asked for by keyset, so that nothing is lost or doubled while the system
is worked in. The server's links (`__next`) are followed in a first load of profile `cloud` only: such a link may be an
offset inside, and an offset over a changing list skips records.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from connectors.s4hana.cursor import (
    SET_BACK,
    Cursor,
    Local,
    Partition,
    Position,
    Seen,
    highest_local,
    is_beyond,
    moment,
    moment_text,
    newest,
    parse_cursor,
    parse_partition,
    start_of,
    tell_ahead,
)
from connectors.s4hana.entities import PARTNER, Entity, alpha
from connectors.s4hana.filters import (
    STAMP_ORDER,
    behind_key,
    behind_stamp,
    changed_from,
    changed_until,
    created_unstamped,
    key_range,
)
from connectors.s4hana.service import Columns, Service
from l2c.contract import Page, Record
from l2c.errors import ProtocolError
from l2c.http import (
    Answer,
    RawPage,
    all_of,
    any_of,
    decode,
    join_key,
    next_address,
    query_path,
    server_time,
    source_time,
    split_key,
    split_page,
)

_BORN = ("CreationDate", "CreationTime")
_positions = msgspec.json.Decoder(Position)


@dataclass(slots=True)
class Asked:
    """One read as asked for; `size` shrinks when the server turns out to give fewer records than asked.

    `counting`: ask for the number of records with the first page of each query. Only a count proves that a short page is
    the last one and not a cap of the server's own; without it the read goes on to an empty page.
    """

    entity: Entity
    columns: Columns
    size: int
    range: Partition
    until: datetime | None
    counting: bool = True
    counted: bool = False
    got: int = 0
    seen: set[str] = field(default_factory=set)

    def path(self, conditions: Sequence[str], order: Sequence[str]) -> str:
        """The address of a page."""
        self.got = 0
        found = [*conditions, *key_range(self.range.above, self.range.to)]
        options: dict[str, object] = {
            "$filter": all_of(found) if found else "",
            "$orderby": order,
            "$top": self.size,
            "$select": list(self.columns.select),
            "$expand": list(self.columns.expand),
        }
        if self.counting and not self.counted:
            options["$inlinecount"] = "allpages"
        return query_path(self.entity.name, options)

    def is_last(self, answer: Answer, page: RawPage, last: str) -> bool:
        """Whether nothing follows this page; ProtocolError when it ends where an earlier one did."""
        count = len(page.records)
        self.got += count
        if page.count is not None and not self.counted:
            self.counted = True
            if page.next is None and page.count > count:
                # fewer than asked although more exist: the cap
                self.size = min(self.size, max(count, 1))
        if count == 0:
            return True
        if last in self.seen:
            raise ProtocolError(f"{answer.where}: the source repeats a page: stopped", system=answer.system)
        self.seen.add(last)
        return self.counted and page.next is None and self.got < self.size


class Reader:
    """Reads the entities of one service."""

    def __init__(self, service: Service, *, follow: bool) -> None:
        self._service = service
        self._follow = follow
        self._system = service.system
        self._settings = service.settings

    def pages(
        self,
        entity: Entity,
        *,
        since: str | None,
        until: str | None,
        partition: str | None,
        page_size: int,
        fields: Collection[str],
    ) -> Iterator[Page]:
        """Pages as the contract wants them; the last one carries the cursor of the whole read."""
        cursor = parse_cursor(since, system=self._system.name)
        end = parse_cursor(until, system=self._system.name)
        asked = Asked(
            entity=entity,
            columns=self._columns(entity, fields),
            size=min(page_size, self._settings.max_page_size),
            range=parse_partition(partition, system=self._system.name),
            until=moment(end.upto) if end and end.upto else None,
            counting=self._settings.count,
        )
        if cursor is None or cursor.phase == "load" or entity.name != PARTNER or cursor.upto is None:
            resumed = cursor if cursor and cursor.phase == "load" else Cursor(upto=asked.range.upto, phase="load")
            return self._load(asked, resumed)
        if cursor.phase == "":
            cursor = Cursor(since=cursor.upto, phase="all", seen=cursor.seen, told=cursor.told)
        return self._delta(asked, cursor)

    def _columns(self, entity: Entity, fields: Collection[str]) -> Columns:
        """What to ask for: a partner without a change stamp stands where it was created, so that is asked for too."""
        born = _BORN if fields and entity.name == PARTNER and self._settings.read_unstamped else ()
        return self._service.columns(entity, (*fields, *born))

    def _load(self, asked: Asked, cursor: Cursor) -> Iterator[Page]:
        """Everything, in key order; what changes meanwhile is changed after `upto` and comes with the next delta."""
        keys = asked.entity.keys
        session = self._service.session
        link: str | None = None
        while True:
            behind = [behind_key(keys, self._service.literals(asked.entity, cursor.key))] if cursor.key else []
            answer = session.get_json(link or asked.path(behind, keys))
            page = split_page(answer)
            following = next_address(session, answer, page.next) if page.next is not None else None
            upto = cursor.upto or self._now(answer)
            if following == answer.url:
                raise ProtocolError(f"{answer.where}: the source repeats a page: stopped", system=answer.system)
            last = self._service.last_key(asked.entity, page)
            seen = self._seen(asked, cursor, answer, page)
            cursor = Cursor(upto=upto, phase="load", key=last or cursor.key, seen=seen)
            finished = asked.is_last(answer, page, join_key(last) if last else "")
            done = self._finished(asked.entity, cursor) if finished else cursor
            yield Page(self._service.decoded(asked.entity, asked.columns, page), done.text(), page.count)
            if finished:
                return
            link = following if self._follow else None

    @staticmethod
    def _finished(entity: Entity, cursor: Cursor) -> Cursor:
        return Cursor(upto=cursor.upto, seen=cursor.seen) if entity.name == PARTNER else Cursor()

    def _seen(self, asked: Asked, cursor: Cursor, answer: Answer, page: RawPage) -> Seen | None:
        """The newest stamp known behind a page; a partition knows none, so that all of them end with one cursor."""
        if asked.entity.name != PARTNER or asked.range.above is not None or asked.range.to is not None:
            return cursor.seen
        shown, at, zone = list(map(_positions.decode, page.records)), self._answered(answer), self._system.time_zone
        tell_ahead(shown, at, zone, system=self._system.name)
        return newest(cursor.seen, (found.local for found in shown), at, zone)

    def _now(self, answer: Answer) -> str:
        """The system's clock when the request began: its answer is stamped at the end, what it shows is older."""
        return moment_text(source_time(answer, self._system.clock()) - timedelta(seconds=answer.took_s))

    def _answered(self, answer: Answer) -> datetime:
        """The system's clock when the answer was ready, or a little later: it tells whole seconds."""
        told = server_time(answer)
        return told + timedelta(seconds=answer.took_s + 2) if told else self._system.clock()

    def _upto(self, asked: Asked, answer: Answer) -> str:
        now = self._now(answer)
        return now if asked.until is None else min(now, moment_text(asked.until))

    def _delta(self, asked: Asked, cursor: Cursor) -> Iterator[Page]:
        """What changed since the read before this one, in stamp order; then what was created and never changed."""
        while cursor.phase:
            answer = self._service.session.get_json(self._delta_path(asked, cursor))
            page = split_page(answer)
            if page.next is not None:
                next_address(self._service.session, answer, page.next)
            upto = cursor.upto or self._upto(asked, answer)
            if cursor.upto is None and self._went_back(cursor, upto):
                # the system's clock was set back, some time since the last read: its new stamps may lie before the cursor
                cursor = Cursor(since=moment_text(moment(upto) - SET_BACK), phase="all", seen=cursor.seen)
                asked.counted = False
                continue
            cursor = self._advanced(asked, cursor, upto, answer, page)
            yield Page(self._service.decoded(asked.entity, asked.columns, page), cursor.text(), page.count)

    @staticmethod
    def _went_back(cursor: Cursor, upto: str) -> bool:
        return cursor.since is not None and moment(upto) < moment(cursor.since) - timedelta(seconds=2)

    def _start(self, cursor: Cursor) -> Local:
        return cursor.start or start_of(cursor, timedelta(seconds=self._settings.overlap_s), self._system.time_zone)

    def _delta_path(self, asked: Asked, cursor: Cursor) -> str:
        """The address of the page behind a position of a delta."""
        start = self._start(cursor)
        stamped = behind_stamp(cursor.stamp) if cursor.stamp else changed_from(start)
        if asked.until is not None:
            stamped = all_of([stamped, changed_until(highest_local(asked.until, self._system.time_zone))])
        bare = created_unstamped(start, cursor.bare)
        if cursor.phase == "unstamped":
            return asked.path([bare], ["BusinessPartner"])
        both = cursor.phase == "all" and self._settings.read_unstamped
        return asked.path([any_of([stamped, bare]) if both else stamped], STAMP_ORDER)

    def _advanced(self, asked: Asked, cursor: Cursor, upto: str, answer: Answer, page: RawPage) -> Cursor:
        """Where the delta stands behind a page; a partner without a stamp never moves the stamp's position.

        The first page asks for partners with and without a stamp at once, so that a run with nothing new is one request.
        When it is full, both go on by themselves: servers differ in whether empty stamps sort first or last.
        """
        stamp, bare, last = cursor.stamp, cursor.bare, ""
        for found in map(_positions.decode, page.records if cursor.phase == "all" else page.records[-1:]):
            last = found.key
            if found.stamp is None:
                bare = found.key
            else:
                stamp = found.stamp
                last = f"{stamp.day} {stamp.time} {stamp.key}"
        short = asked.is_last(answer, page, last)
        beyond = is_beyond(stamp, moment(upto), self._answered(answer), self._system.time_zone)
        seen = self._seen(asked, cursor, answer, page)
        if not short and (cursor.phase == "unstamped" or not beyond):
            phase = cursor.phase if cursor.phase == "unstamped" else "stamped"
        elif cursor.phase == "unstamped" or not self._settings.read_unstamped or (short and cursor.phase == "all"):
            return Cursor(upto=upto, seen=seen)
        else:
            phase = "unstamped"
            asked.counted = False
        start = self._start(cursor)
        return Cursor(upto=upto, since=cursor.since, phase=phase, stamp=stamp, bare=bare, start=start, seen=seen)

    def fetch(self, entity: Entity, keys: Sequence[str], fields: Collection[str]) -> Iterator[Record]:
        """The records of these keys in few requests; a key without a record comes as deleted."""
        columns = self._service.columns(entity, fields)
        values = {key: split_key(key, len(entity.keys)) for key in dict.fromkeys(keys)}
        options = {"$select": list(columns.select), "$expand": list(columns.expand)}
        missing = {_internal(parts): key for key, parts in values.items()}
        for page in self._service.by_values(entity.name, entity.keys, values, options):
            for record in self._service.decoded(entity, columns, page):
                missing.pop(_internal([str(record.data[name]) for name in entity.keys]), None)
                yield record
        for key in missing.values():
            yield Record(key, {}, deleted=True)

    def partitions(self, entity: Entity, n: int) -> list[str]:
        """About `n` key ranges of equal size; offsets are used only to find the borders, never to read."""
        if entity.name != PARTNER or n < 2:
            return [Partition().text()]
        options: dict[str, object] = {"$select": "BusinessPartner", "$orderby": "BusinessPartner", "$top": 1}
        first = self._service.session.get_json(query_path(PARTNER, {**options, "$inlinecount": "allpages"}))
        page = split_page(first)
        total = page.count or 0
        borders: list[str] = []
        for offset in sorted({total * part // n for part in range(1, n)} - {0}):
            found = split_page(self._service.session.get_json(query_path(PARTNER, {**options, "$skip": offset - 1})))
            borders.extend(decode(raw)["BusinessPartner"] for raw in found.records)
        edges: list[str | None] = [None, *dict.fromkeys(borders), None]
        upto = self._now(first)
        return [Partition(upto, above, to).text() for above, to in pairwise(edges)]


def _internal(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(alpha(value) for value in values)
