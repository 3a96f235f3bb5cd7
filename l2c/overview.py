"""Read-only pictures of the state: the matrix of flows, one record in full."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping

from l2c.config import EntityConfig, FieldConfig, FlowConfig, Project
from l2c.errors import ConfigError, HubError
from l2c.http.discreet import MASK, discreet, hidden
from l2c.mapping import Mapper, decode
from l2c.state import (
    breakers,
    cursors,
    deadletters,
    decisions,
    distributions,
    journal,
    keys,
    linking,
    meetings,
    runs,
    versions,
)
from l2c.state.breakers import Breaker
from l2c.state.results import (
    CAPTURE,
    CAPTURE_STATES,
    DISTRIBUTE,
    DISTRIBUTE_STATES,
    SWEEP,
    WATCH,
    Cell,
    DeadLetter,
    RecordView,
    RunSummary,
    SystemState,
    TargetState,
)
from l2c.state.store import Store, from_ms


def sums_met(kind: str, counts: Mapping[str, int]) -> bool:
    """Whether the records a run handled are the sum of their end states."""
    if kind == WATCH:
        return True
    total, states = ("due", DISTRIBUTE_STATES) if kind == DISTRIBUTE else ("read", CAPTURE_STATES)
    return counts.get(total, 0) == sum(counts.get(state, 0) for state in states)


def summary(row: RowMapping) -> RunSummary:
    """A stored run with its sums checked."""
    return runs.summary(row, sums_met=sums_met(row["kind"], runs.counts(row)))


def systems(project: Project, store: Store) -> list[SystemState]:
    """How every system stands."""
    with store.reading() as conn:
        known = breakers.standing(conn)
    found = []
    for name, config in project.systems.items():
        one = known.get(name, Breaker(name))
        until = one.until if one.state != breakers.CLOSED else one.not_before
        waits = until is not None and (one.state != breakers.CLOSED or until > store.now())
        found.append(
            SystemState(
                system=name,
                state=one.state,
                rate=config.rate,
                since=from_ms(one.since) if one.since is not None else None,
                until=from_ms(until) if waits and until is not None else None,
                reason=one.reason or ("it asked to wait" if waits else ""),
            )
        )
    return found


def kept_back(project: Project, store: Store) -> dict[str, str]:
    """Why nothing goes out to systems now, where that is so, and what is to be done."""
    told: dict[str, str] = {}
    for one in systems(project, store):
        if one.state == breakers.LOCKED:
            told[one.system] = f"stopped: {one.reason}; correct the connection, then: l2c systems reopen {one.system}"
        elif one.until is not None:
            word = "tried again" if one.state == breakers.OPEN else "waits until"
            told[one.system] = f"away: {one.reason}; {word} {one.until:%Y-%m-%d %H:%M:%S} UTC"
    return told


def capture_cell(conn: Connection, flow: FlowConfig, system: str, readers: tuple[Mapper, ...]) -> Cell:
    """How reading that system stands; its last run is the newest capture or sweep, which of both the note tells."""
    entity = flow.flow
    capture, sweep = (runs.last(conn, entity, kind, system) for kind in (CAPTURE, SWEEP))
    swept = sweep is not None and (capture is None or sweep["id"] > capture["id"])
    last = sweep if swept else capture
    stored = versions.in_force(conn, entity, system)
    stale = any(stored.get(reader.name, reader.version) != reader.version for reader in readers)
    notes = ["the last run is a sweep"] if swept else []
    if swept and capture is not None and capture["status"] == "failed":
        notes.append("the capture before it failed")
    if stale:
        notes.append(f"read mapping changed: l2c capture {entity} {system} --sweep applies it to unchanged records")
    undecided = meetings.count_candidates(conn, entity, system).get(meetings.AMBIGUOUS, 0)
    if undecided:
        notes.append(f"undecided matches: l2c matches {entity} --system {system}")
    return Cell(
        entity=entity,
        system=system,
        kind=CAPTURE,
        last=summary(last) if last is not None else None,
        dead_letters=deadletters.count(conn, entity, system, CAPTURE),
        inbox=cursors.inbox_size(conn, entity, system),
        note="; ".join(notes),
        undecided=undecided,
    )


def distribute_cell(conn: Connection, flow: FlowConfig, system: str, newest: tuple[Mapper, ...]) -> Cell:
    """How writing that system stands."""
    entity = flow.flow
    last = runs.last(conn, entity, DISTRIBUTE, system)
    states = distributions.count_by_status(conn, entity, system)
    place = int(cursors.get_cursor(conn, entity, system, DISTRIBUTE) or 0)
    pending = sum(count_pending(conn, entity, system, mapper) for mapper in newest)
    asked = decisions.count(conn, entity, system)
    notes = [f"lost creates to decide: l2c decide {entity} {system}"] if asked else []
    if pending:
        text = f"write mapping changed: l2c resend {entity} {system} shows {pending} records, with --yes they are due again"
        notes.append(text)
    return Cell(
        entity=entity,
        system=system,
        kind=DISTRIBUTE,
        last=summary(last) if last is not None else None,
        waiting=states.get("waiting", 0),
        retrying=states.get("retrying", 0),
        in_doubt=states.get("in_doubt", 0),
        awaiting_confirmation=states.get("awaiting_confirmation", 0),
        to_decide=asked,
        dead_letters=deadletters.count(conn, entity, system, DISTRIBUTE),
        pending=pending,
        behind=distributions.count_behind(conn, entity, place),
        note="; ".join(notes),
    )


def count_pending(conn: Connection, entity: str, system: str, newest: Mapper) -> int:
    """Heads the target has under another version than the newest; 0 while the newest is in force."""
    stored = versions.in_force(conn, entity, system).get(newest.name)
    if stored is None or stored == newest.version:
        return 0
    return distributions.count_other_version(conn, entity, system, newest.name, newest.version)


def find_record(conn: Connection, entity: str, key: str) -> int | None:
    """The record of a native key in any system, else of the hub's own number (`#12`)."""
    for row in keys.list_keys(conn, entity, key=key, limit=1):
        return row.record
    number = key.removeprefix("#")
    if key.startswith("#") and number.isdigit() and journal.heads_of(conn, entity, [int(number)]):
        return int(number)
    return None


def living_record(conn: Connection, entity: str, name: str) -> int:
    """The living record of that name: `#12`, a native key, or `system:native key`.

    Raises ConfigError where there is none, or where the key means several.
    """
    found = sorted(linking.numbers_of(conn, entity, name))
    if not found:
        raise ConfigError(f"{entity}: there is no record '{name}'; 'l2c keys {entity}' lists them")
    if len(found) > 1:
        said = ", ".join(f"#{number}" for number in found)
        raise ConfigError(f"{entity}: '{name}' is the key of several records ({said}); name the one by its number")
    head = journal.heads_of(conn, entity, found)[0]
    if head.deleted or head.merged_into is not None:
        what = f"was merged into #{head.merged_into}" if head.merged_into is not None else "is deleted"
        raise ConfigError(f"{entity}: record #{found[0]} {what}")
    return found[0]


def record_view(conn: Connection, config: EntityConfig, number: int, *, reveal: bool) -> RecordView:
    """Everything about one record; personal fields are masked unless revealed."""
    head = journal.heads_of(conn, config.entity, [number])[0]
    data = decode(head.payload)
    personal = personal_values(data, config.fields)
    return RecordView(
        entity=config.entity,
        record=number,
        origin=head.origin,
        deleted=head.deleted,
        head_seq=head.seq,
        data=data if reveal else masked(data, config.fields),
        keys=tuple(
            key if reveal else replace(key, native_key=discreet(key.native_key))
            for key in keys.list_keys(conn, config.entity, record=number, limit=None)
        ),
        targets=tuple(
            TargetState(
                target=row["target"],
                mapping=row["mapping"],
                status=row["status"],
                seq=row["seq"],
                version=row["version"],
                attempts=row["attempts"],
                code=row["code"],
                message=row["message"] if reveal else hidden(discreet(row["message"]), personal),
                settled=from_ms(row["settled"]),
                due_at=from_ms(row["due_at"]) if row["due_at"] is not None else None,
            )
            for row in distributions.of_record(conn, config.entity, number)
        ),
        history=tuple(journal.history(conn, config.entity, number)),
    )


def letters(
    conn: Connection, project: Project, of: tuple[str | None, str | None], *, limit: int | None, reveal: bool
) -> list[DeadLetter]:
    """Dead letters of a flow and system, newest first; what tells of a person in a system's own words is masked unless revealed."""
    found = deadletters.select_open(conn, *of, limit=limit)
    return found if reveal else [_discreet(conn, project, letter) for letter in found]


def _discreet(conn: Connection, project: Project, letter: DeadLetter) -> DeadLetter:
    message = discreet(letter.message)
    heads = journal.heads_of(conn, letter.entity, [letter.record]) if letter.record is not None else []
    for head in heads:
        try:
            fields = project.entity(letter.entity).fields
        except HubError:  # its file is wrong just now: then every value counts as personal
            fields = {}
        message = hidden(message, personal_values(decode(head.payload), fields))
    return replace(letter, key=discreet(letter.key), message=message)


def personal_values(data: Mapping[str, Any], fields: Mapping[str, FieldConfig]) -> list[str]:
    """The texts of a record's personal fields."""
    found: list[str] = []
    for name, value in data.items():
        field = fields.get(name)
        inner = [one for one in (value if isinstance(value, list) else [value]) if one is not None]
        if field is not None and field.fields is not None:
            found += [text for one in inner for text in personal_values(one, field.fields)]
        elif field is None or field.personal:
            found += [str(one) for one in inner if isinstance(one, str)]
    return found


def masked(data: Mapping[str, Any], fields: Mapping[str, FieldConfig]) -> dict[str, Any]:
    """The record with the values of personal fields replaced."""
    return {name: _masked(value, fields.get(name)) for name, value in data.items()}


def _masked(value: Any, field: FieldConfig | None) -> Any:
    if value is None or value == []:
        return value
    if field is None or field.personal:
        return MASK
    if field.fields is not None:
        return [masked(one, field.fields) for one in value] if isinstance(value, list) else masked(value, field.fields)
    return value
