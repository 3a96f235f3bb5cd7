"""Undecided first meetings: which records met in a second system may be ones the hub knows, and what somebody decides."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from l2c import overview
from l2c.config import EntityConfig, near_miss
from l2c.errors import ConfigError
from l2c.mapping import decode
from l2c.state import audit, cursors, journal, linking, meetings
from l2c.state.meetings import ACCEPTED, AMBIGUOUS, REJECTED, Candidate
from l2c.state.results import Match, Possible
from l2c.state.store import from_ms
from l2c.wiring import Wiring

PAGE = 200


def undecided(
    wiring: Wiring, entity: str, system: str | None = None, *, limit: int | None = 100, reveal: bool = False
) -> list[Match]:
    """The first `limit` undecided matches by system and key; values of personal fields are masked unless revealed."""
    config = wiring.project.entity(wiring.project.flow(entity).flow)
    found: list[Match] = []
    with wiring.store.reading() as conn:
        for name in _systems(wiring, entity, system):
            for page in _pages(conn, entity, name, limit and limit - len(found)):
                found += _told(conn, config, name, page, reveal=reveal)
            if limit is not None and len(found) >= limit:
                break
    return found


def undecided_one(wiring: Wiring, entity: str, system: str, key: str, *, reveal: bool = False) -> Match:
    """One undecided match; ConfigError when there is none of that key."""
    config = wiring.project.entity(wiring.project.flow(entity).flow)
    _systems(wiring, entity, system)
    with wiring.store.reading() as conn:
        return _told(conn, config, system, [_candidate(conn, entity, system, key)], reveal=reveal)[0]


def accept(wiring: Wiring, entity: str, system: str, key: str, record: str) -> int:
    """Decide that it is this record (`#12` or a native key), which the next capture settles; the record's number.

    Raises ConfigError when it cannot be: no such match or record, none of those it may be, or one that has a key there.
    """
    _systems(wiring, entity, system)
    now = wiring.store.now()
    with wiring.store.writing() as conn:
        journal.lock(conn, entity)
        candidate = _candidate(conn, entity, system, key)
        number = overview.living_record(conn, entity, record)
        _may_be(conn, entity, system, candidate, number)
        meetings.decide(conn, entity, system, key, ACCEPTED, [number])
        _follow(conn, entity, system, candidate, now)
        audit.note(conn, now, "accept match", entity, system, f"{key} is #{number}, by {candidate.rule}")
    return number


def reject(wiring: Wiring, entity: str, system: str, key: str) -> None:
    """Decide that it is a record of its own, which the next capture settles; ConfigError when there is no such match."""
    _systems(wiring, entity, system)
    now = wiring.store.now()
    with wiring.store.writing() as conn:
        journal.lock(conn, entity)
        candidate = _candidate(conn, entity, system, key)
        meetings.decide(conn, entity, system, key, REJECTED, [])
        _follow(conn, entity, system, candidate, now)
        numbers = ", ".join(f"#{number}" for number in candidate.records)
        audit.note(conn, now, "reject match", entity, system, f"{key} is none of {numbers}")


def _follow(conn: Connection, entity: str, system: str, candidate: Candidate, now: int) -> None:
    """The next capture looks again at it and at those that may be the same records; the records need not wait for it."""
    shared = set(candidate.records)
    open_ones = meetings.hits_in(conn, entity, system, AMBIGUOUS)
    others = [name for name, _, records in open_ones if shared.intersection(records)]
    cursors.put_inbox(conn, entity, system, [candidate.native_key, *others], "match decided", now)
    linking.wake_undecided(conn, entity, system, candidate.records, now)


def _may_be(conn: Connection, entity: str, system: str, candidate: Candidate, number: int) -> None:
    key, said = candidate.native_key, ", ".join(f"#{one}" for one in candidate.records)
    if number not in candidate.records:
        raise ConfigError(
            f"{entity}: '{key}' of '{system}' may be {said}, not #{number}; "
            f"to link them all the same: l2c keys link {entity} {system} {key} '#{number}'"
        )
    if have := linking.keys_of(conn, entity, [number]).get(number, {}).get(system):
        raise ConfigError(
            f"{entity}: #{number} has the key '{have}' in '{system}' already; "
            f"if that is wrong: l2c keys move {entity} {system} {have} RECORD"
        )
    for other, _, records in meetings.hits_in(conn, entity, system, ACCEPTED):
        if number in records:
            raise ConfigError(f"{entity}: '{other}' of '{system}' was accepted as #{number} already")


def _candidate(conn: Connection, entity: str, system: str, key: str) -> Candidate:
    found = meetings.candidates_of(conn, entity, system, [key]).get(key)
    if found is None or found.state != AMBIGUOUS:
        decided = f"; it was {found.state} already" if found is not None and found.state in (ACCEPTED, REJECTED) else ""
        names = [name for name, _, _ in meetings.hits_in(conn, entity, system, AMBIGUOUS)]
        raise ConfigError(
            f"{entity}: '{system}' has no undecided match '{key}'{decided or near_miss(key, names)}; "
            f"'l2c matches {entity}' lists them"
        )
    return found


def _systems(wiring: Wiring, entity: str, system: str | None) -> list[str]:
    """The systems in which records of that entity can be met."""
    names = list(wiring.project.flow(entity).active_capture())
    if system is None:
        return names
    if system not in names:
        wiring.system(system)
        raise ConfigError(
            f"config/flows/{entity}.yaml: 'capture' does not name system '{system}'; it names: {', '.join(names)}"
        )
    return [system]


def _pages(conn: Connection, entity: str, system: str, limit: int | None) -> Iterator[list[Candidate]]:
    after, left = "", limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = meetings.candidates_in(conn, entity, system, AMBIGUOUS, after, size)
        if not page:
            return
        yield page
        after = page[-1].native_key
        left = left and left - len(page)


def _told(
    conn: Connection, config: EntityConfig, system: str, page: Sequence[Candidate], *, reveal: bool
) -> list[Match]:
    entity, numbers = config.entity, sorted({number for one in page for number in one.records})
    heads = {head.record: decode(head.payload) for head in journal.heads_of(conn, entity, numbers)}
    names = linking.keys_of(conn, entity, numbers)

    def shown(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return data if reveal else overview.masked(data, config.fields)

    matches = []
    for one in page:
        data = decode(one.payload)
        possible = tuple(
            Possible(number, names.get(number, {}), shown(heads[number]), _differences(data, heads[number]))
            for number in one.records
            if number in heads
        )
        matches.append(Match(entity, system, one.native_key, one.rule, from_ms(one.since), shown(data), possible))
    return matches


def _differences(shown: Mapping[str, Any], head: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields the system shows that say something else of the record."""
    return tuple(name for name, value in shown.items() if (value or None) != (head.get(name) or None))
