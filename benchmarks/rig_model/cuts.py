"""Answers cut at every byte, and every combination of part outcomes of a `$batch`: nothing is settled by half an answer."""

import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from benchmarks.home import S4_SECRET, S4_USER
from benchmarks.registrations.systems import Control
from benchmarks.rig_model.front import Front, Recorded, front
from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Change, Connection, Outcome, Record, Status, System
from l2c.contract.gate import OpenGate
from l2c.errors import HubError

PARTNER = "A_BusinessPartner"
FIELDS = ("BusinessPartner", "OrganizationBPName1", "to_BusinessPartnerAddress.CityName")
PAGE_BYTES = 5000
KINDS = ("ok", "refused", "missing")
_INNER = re.compile(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n(.*?)\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Cut:
    """How many answers were cut, how many combinations of parts were played, and what was settled although it must not."""

    cuts: int = 0
    part_outcomes: int = 0
    partial: list[str] = field(default_factory=list)


class Hasty(OpenGate):
    """Tries again at once."""

    def pause(self, seconds: float) -> None:
        """No wait."""


@contextmanager
def connected(url: str) -> Iterator[S4HanaConnector]:
    """The connector, with that address for its system."""
    system = System("s4hana", Connection(url, S4_USER, SecretStr(S4_SECRET)), gate=Hasty())
    made = S4HanaConnector(system, Settings.model_validate({"partner_grouping": "BP02", "deadline_s": 10}))
    try:
        yield made
    finally:
        made.close()


# Pages


def cut_pages(s4: Control, result: Cut, *, every: int = 1, size: int = PAGE_BYTES) -> None:
    """A page of about that many bytes, cut behind every n-th byte, with and without its length told."""
    with (
        front(s4.url, f"GET /sap/opu/odata/sap/API_BUSINESS_PARTNER/{PARTNER}?") as before,
        connected(before.url) as s4c,
    ):
        whole = len(_read(s4c))
        page = before.last
        if page is None or whole < 2:
            raise RuntimeError("no page was recorded")
        before.armed = _resized(page, size)
        whole = len(_read(s4c))
        body = before.armed.body
        for keep_length, place in itertools.product((True, False), range(0, len(body), every)):
            before.keep_length, before.cut = keep_length, place
            result.cuts += 1
            got: list[Record] = []
            try:
                for one in s4c.read(PARTNER, since=None, page_size=200, fields=FIELDS):
                    got += one.records
                ended = True
            except HubError:
                ended = False
            complete = not keep_length and not body[place:].strip()
            if (got or ended) and not complete:
                result.partial.append(
                    f"a page cut after {place} of {len(body)} bytes gave {len(got)} of {whole} records"
                )


def _read(connector: S4HanaConnector) -> list[Record]:
    pages = connector.read(PARTNER, since=None, page_size=200, fields=FIELDS)
    return [record for page in pages for record in page.records]


def _resized(page: Recorded, size: int) -> Recorded:
    """The same page with blanks where JSON allows them, so that it has at least that size."""
    missing = max(0, size - len(page.body))
    return Recorded(page.status, page.kind, page.body.replace(b'{"d"', b"{" + b" " * missing + b'"d"', 1))


# Batches


def changes(names: Sequence[str], *, refused: Sequence[str] = ()) -> list[Change]:
    """Creates of organizations; those of `refused` have a country nobody knows."""
    return [
        Change(
            Record(
                "",
                {
                    "BusinessPartnerCategory": "2",
                    "OrganizationBPName1": name,
                    "to_BusinessPartnerAddress": [{"CityName": "Ulm", "Country": "ZZ" if name in refused else "DE"}],
                },
            ),
            mark=f"cut-{name}",
        )
        for name in names
    ]


def cut_batches(s4: Control, result: Cut, *, every: int = 1) -> None:
    """The answer to a batch of creates, one of them refused, cut behind every n-th byte."""
    names = ("Anfang", "Mitte", "Abgelehnt", "Ende")
    with front(s4.url, "/$batch") as before, connected(before.url) as s4c:
        prepared = s4c.prepare(PARTNER, changes(names, refused=("Abgelehnt",)))
        true = list(s4c.send(prepared))
        _expect(true, (Status.CREATED, Status.CREATED, Status.REJECTED, Status.CREATED))
        before.armed = before.last
        if before.armed is None:
            raise RuntimeError("no batch answer was recorded")
        body, ends = before.armed.body, part_ends(before.armed.body)
        if len(ends) != len(names):
            raise RuntimeError(f"{len(ends)} parts in the answer to {len(names)} creates")
        for keep_length, place in itertools.product((True, False), range(0, len(body), every)):
            before.keep_length, before.cut = keep_length, place
            result.cuts += 1
            outcomes = s4c.send(prepared)
            for index, outcome in enumerate(outcomes):
                proven = not keep_length and place >= ends[index]
                if outcome.status is not Status.UNKNOWN and not (proven and _same(outcome, true[index])):
                    result.partial.append(
                        f"a batch answer cut after {place} of {len(body)} bytes settled part {index}: {outcome.status}"
                    )


def _expect(outcomes: Sequence[Outcome], wanted: Sequence[Status]) -> None:
    found = tuple(outcome.status for outcome in outcomes)
    if found != tuple(wanted):
        raise RuntimeError(f"the simulated system answered {found}, expected {tuple(wanted)}")


def _same(one: Outcome, other: Outcome) -> bool:
    return (one.status, one.native_key, one.child_keys) == (other.status, other.native_key, other.child_keys)


def part_ends(body: bytes) -> list[int]:
    """Where the body of each answer inside a batch answer ends, by the lengths they tell."""
    ends = []
    for found in _INNER.finditer(body):
        length = _LENGTH.search(found[2])
        ends.append(found.end() + (int(length[1]) if length else 0))
    return ends


# Parts


def every_outcome(s4: Control, result: Cut, *, most: int = 6) -> None:
    """Batches of 1 to `most` creates in which each part is answered, refused or missing: every combination."""
    with front(s4.url, "/$batch") as before, connected(before.url) as s4c:
        for count in range(1, most + 1):
            names = [f"Teil {count}{number}" for number in range(count)] + [f"Falsch {count}"]
            before.armed = before.cut = None
            prepared = s4c.prepare(PARTNER, changes(names, refused=names[-1:]))
            true = list(s4c.send(prepared))
            _expect(true, [Status.CREATED] * count + [Status.REJECTED])
            recorded = before.last
            if recorded is None:
                raise RuntimeError("no batch answer was recorded")
            *parts, refused = split_parts(recorded)
            for kinds, named in itertools.product(itertools.product(KINDS, repeat=count), (True, False)):
                before.armed = _composed(recorded, [*parts, refused], [*kinds, "refused"], named=named)
                result.part_outcomes += 1
                result.partial += _judged(kinds, s4c.send(prepared), true, named=named)


def split_parts(recorded: Recorded) -> list[bytes]:
    """The parts of a batch answer between its outer boundaries."""
    boundary = b"--" + recorded.kind.partition("boundary=")[2].strip('"').encode()
    return [piece for piece in recorded.body.split(boundary)[1:-1] if piece.strip()]


def _composed(recorded: Recorded, parts: Sequence[bytes], kinds: Sequence[str], *, named: bool) -> Recorded:
    """An answer in which each part is as it is to be; `named`: a refusal repeats the Content-ID it stands for."""
    boundary = b"--" + recorded.kind.partition("boundary=")[2].strip('"').encode()
    chosen = []
    for number, (part, kind) in enumerate(zip(parts, kinds, strict=True), start=1):
        if kind == "ok":
            chosen.append(boundary + part)
        elif kind == "refused":
            name = b"\r\nContent-ID: %d" % number if named else b""
            chosen.append(boundary + name + parts[-1])
    return Recorded(recorded.status, recorded.kind, b"".join(chosen) + boundary + b"--\r\n")


def _judged(kinds: Sequence[str], outcomes: Sequence[Outcome], true: Sequence[Outcome], *, named: bool) -> list[str]:
    """Each part is what its answer says; a nameless refusal beside a missing part may be anybody's, so is not known."""
    found = []
    for number, kind in enumerate(kinds):
        outcome = outcomes[number]
        right = {
            "ok": _same(outcome, true[number]),
            "refused": outcome.status is Status.REJECTED,
            "missing": outcome.status is Status.UNKNOWN,
        }[kind]
        unsure = not named and kind == "refused" and "missing" in kinds and outcome.status is Status.UNKNOWN
        if not right and not unsure:
            found.append(f"parts {kinds}, named {named}: part {number} is {outcome.status} {outcome.native_key}")
    return found


__all__ = ["Cut", "Front", "cut_batches", "cut_pages", "every_outcome", "part_ends", "split_parts"]
