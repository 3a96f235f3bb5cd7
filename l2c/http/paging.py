"""Paging as small strategy objects: follow the server's links, or ask for what comes after the last key."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from l2c.errors import ProtocolError
from l2c.http.answers import Answer
from l2c.http.pages import RawPage, decode, split_page
from l2c.http.session import HttpSession

P = TypeVar("P")


class Paging(Protocol):
    """Which address comes first, and which comes after a page; one object per read."""

    def first(self) -> str:
        """The path of the first page."""
        ...

    def following(self, answer: Answer, page: RawPage) -> str | None:
        """The path of the next page; None after the last."""
        ...


def walk(session: HttpSession, paging: Paging) -> Iterator[tuple[Answer, RawPage]]:
    """Every page in turn, one request for each `next`."""
    path: str | None = paging.first()
    while path is not None:
        answer = session.get_json(path)
        page = split_page(answer)
        path = paging.following(answer, page)
        yield answer, page


def next_address(session: HttpSession, answer: Answer, link: str) -> str:
    """The full address of a `__next` link: resolved against the request (RFC 3986), inside border and service only."""
    target = urljoin(answer.url, link)
    session.border.check(target, what="the next link", where=answer.where)
    service = urlsplit(session.base).path.rstrip("/") + "/"
    if not urlsplit(target).path.startswith(service):
        text = f"{answer.where}: the next link leaves the service '{service}': not followed"
        raise ProtocolError(text, system=session.system.name)
    return target


@dataclass(slots=True)
class ServerPaging:
    """Follows `__next` as the server gives it; a link seen before ends the read with an error."""

    session: HttpSession
    path: str
    _seen: set[str] = field(default_factory=set, init=False)

    def first(self) -> str:
        """The path given."""
        return self.path

    def following(self, answer: Answer, page: RawPage) -> str | None:
        """The server's link, checked."""
        if page.next is None:
            return None
        target = next_address(self.session, answer, page.next)
        if target in self._seen or target == answer.url:
            raise ProtocolError(
                f"{answer.where}: the source repeats page '{len(self._seen)}': stopped", system=answer.system
            )
        self._seen.add(target)
        return target


@dataclass(slots=True)
class KeysetPaging(Generic[P]):
    """Asks for what lies behind the last record's position; nothing is lost while records are added or changed.

    `address(position)` is the path of the page behind a position (None: from the start) of at most `size` records;
    `position(record)` reads it from a decoded record. A server may give fewer records than asked (a cap): as long as it
    says that more exist (`__next`, or a count above what came), the read goes on.
    """

    session: HttpSession
    address: Callable[[P | None], str]
    position: Callable[[Mapping[str, Any]], P]
    size: int
    start: P | None = None
    last: P | None = field(default=None, init=False)
    _full: int = field(default=0, init=False)

    def first(self) -> str:
        """The page behind `start`."""
        self.last = self.start
        self._full = self.size
        return self.address(self.start)

    def following(self, answer: Answer, page: RawPage) -> str | None:
        """The page behind this one's last record; None when this one was short."""
        if page.next is not None:
            next_address(self.session, answer, page.next)
        if not page.records:
            return None
        reached = self.position(decode(page.records[-1]))
        if reached == self.last:
            raise ProtocolError(f"{answer.where}: the source repeats page after page: stopped", system=answer.system)
        self.last = reached
        count = len(page.records)
        if page.count is not None and page.count > count:
            self._full = min(self._full, count)
        return self.address(reached) if page.next is not None or count >= self._full else None
