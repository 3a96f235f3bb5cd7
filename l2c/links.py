"""Key mappings changed by people: keys known from elsewhere, links made and corrected by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from l2c import overview
from l2c.config import FlowConfig
from l2c.errors import ConfigError, TransientError
from l2c.keyfile import Row, complain, read_rows, repeated
from l2c.state import audit, cursors, distributions, intents, journal, keys, leases, linking, meetings
from l2c.state.results import CAPTURE, DISTRIBUTE, SWEEP, KeyImport
from l2c.wiring import Wiring

PAGE = 200


@dataclass(slots=True)
class Links:
    """What a file asks for: (system, key, record, line) to link, keys linked already, and what is wrong with it."""

    new: list[tuple[str, str, int, int]] = field(default_factory=list)
    present: int = 0
    mistakes: list[tuple[int, str]] = field(default_factory=list)


def link(wiring: Wiring, entity: str, system: str, key: str, record: str) -> int:
    """Link a native key the hub does not know to a record that has none in that system; the record's number.

    Raises ConfigError when key or record do not exist or have a link, TransientError while that system is worked on.
    """
    flow = _flow(wiring, entity, system)
    with wiring.store.reading() as conn:
        number = overview.living_record(conn, entity, record)
    _must_exist(wiring, flow, system, key)
    now = wiring.store.now()
    with wiring.store.writing() as conn:
        journal.lock(conn, entity)
        _idle(conn, entity, [system], now)
        owner = keys.find_record(conn, entity, system, "", key)
        if owner is not None:
            raise ConfigError(
                f"{entity}: '{key}' of '{system}' is a key of #{owner} already; "
                f"to give it to another: l2c keys move {entity} {system} {key} '#{number}'"
            )
        _free(conn, entity, system, number)
        _store(conn, flow, [(system, key, number, 0)], now)
        audit.note(conn, now, "link key", entity, system, f"{key} is #{number}")
    return number


def move(wiring: Wiring, entity: str, system: str, key: str, record: str) -> int:
    """Give a native key to another record, with what hangs on it; the record's number.

    A record left without any key becomes a part of the other one. Raises as `link` does.
    """
    flow = _flow(wiring, entity, system)
    with wiring.store.reading() as conn:
        number = overview.living_record(conn, entity, record)
    now = wiring.store.now()
    with wiring.store.writing() as conn:
        journal.lock(conn, entity)
        _idle(conn, entity, [system], now)
        old = keys.find_record(conn, entity, system, "", key)
        if old is None:
            raise ConfigError(
                f"{entity}: '{key}' of '{system}' is not linked; to link it: l2c keys link {entity} {system} {key} '#{number}'"
            )
        if old == number:
            raise ConfigError(f"{entity}: '{key}' of '{system}' is a key of #{number} already")
        _free(conn, entity, system, number)
        _move(conn, flow, system, key, old, number, now)
        audit.note(conn, now, "move key", entity, system, f"{key} from #{old} to #{number}")
    return number


def swap(wiring: Wiring, entity: str, system: str, key: str, other: str) -> tuple[int, int]:
    """Exchange two native keys that were linked crosswise, with what hangs on them; the records they belong to now.

    Raises ConfigError when one of them is not linked or both are of one record, TransientError as `link` does.
    """
    flow = _flow(wiring, entity, system)
    now = wiring.store.now()
    with wiring.store.writing() as conn:
        journal.lock(conn, entity)
        _idle(conn, entity, [system], now)
        found = linking.records_of(conn, entity, system, [key, other])
        for name in (key, other):
            if name not in found:
                raise ConfigError(
                    f"{entity}: '{name}' of '{system}' is not linked; l2c keys list {entity} --system {system} shows what is"
                )
        first, second = found[key], found[other]
        if first == second:
            raise ConfigError(f"{entity}: '{key}' and '{other}' of '{system}' are keys of one record, #{first}")
        for number in (first, second):
            _settled_there(conn, entity, system, number)
        linking.swap_keys(conn, entity, system, first, second)
        journal.drop_views(conn, entity, system, [first, second])
        for name, number in ((key, second), (other, first)):
            linking.forget_written(conn, entity, system, number, now)
            distributions.link(conn, entity, system, [("", name, number)], now)
        distributions.make_due(conn, entity, system, now, records=[first, second])
        if system in flow.active_capture():
            cursors.put_inbox(conn, entity, system, [key, other], "keys swapped", now)
        audit.note(conn, now, "swap keys", entity, system, f"{key} is #{second}, {other} is #{first}")
    return second, first


def import_keys(wiring: Wiring, entity: str, path: Path, *, yes: bool = False) -> KeyImport:
    """Check a CSV file of keys as a whole and, with `yes`, link what it says.

    Its head names systems, each line the native keys of one record. Raises ConfigError with every mistake, `file:line` in front.
    """
    flow = wiring.project.flow(entity)
    rows = read_rows(path, _known(flow), wiring.project.disabled)
    with wiring.store.reading() as conn:
        asked = _asked(conn, flow, rows)
    if not asked.mistakes:
        asked.mistakes += _unknown(wiring, flow, asked.new)
    complain(path, asked.mistakes)
    by_system = {system: 0 for row in rows[:1] for system in row.keys}
    for system, *_ in asked.new:
        by_system[system] += 1
    if yes and asked.new:
        now = wiring.store.now()
        with wiring.store.writing() as conn:
            journal.lock(conn, entity)
            _idle(conn, entity, list(by_system), now)
            asked = _asked(conn, flow, rows)  # as it stands now
            complain(path, asked.mistakes)
            _store(conn, flow, asked.new, now)
            audit.note(conn, now, "import keys", entity, ",".join(by_system), f"{len(asked.new)} keys from {path.name}")
    return KeyImport(len(rows), by_system, asked.present, yes)


def export_keys(wiring: Wiring, entity: str, systems: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """The head (systems), then the native keys of every record: what `import_keys` reads."""
    flow = wiring.project.flow(entity)
    for system in systems:
        _flow(wiring, entity, system)
    names = tuple(dict.fromkeys(systems)) or _known(flow)
    yield names
    with wiring.store.reading() as conn:
        yield from linking.rows(conn, entity, names)


def _move(conn: Connection, flow: FlowConfig, system: str, key: str, old: int, number: int, now: int) -> None:
    entity = flow.flow
    alone = linking.move_key(conn, entity, system, key, old, number)
    journal.drop_views(conn, entity, system, [old, number])
    if alone:
        linking.forget_written(conn, entity, system, old, now)
    if not linking.has_keys(conn, entity, old):
        linking.merge_into(conn, entity, journal.heads_of(conn, entity, [old])[0], number, system=system, now=now)
    distributions.link(conn, entity, system, [("", key, number)], now)
    distributions.make_due(conn, entity, system, now, records=[number])
    if system in flow.active_capture():
        left = linking.keys_of(conn, entity, [old]).get(old, {}).get(system, key)
        cursors.put_inbox(conn, entity, system, [key, left], "key moved", now)


def _store(conn: Connection, flow: FlowConfig, links: Sequence[tuple[str, str, int, int]], now: int) -> None:
    """Link keys; matches they decide are none any more, and what is read and written follows with the next runs."""
    entity = flow.flow
    for system in dict.fromkeys(system for system, *_ in links):
        mine = [(key, number) for name, key, number, _ in links if name == system]
        distributions.link(conn, entity, system, [("", key, number) for key, number in mine], now)
        names, numbers = [key for key, _ in mine], [number for _, number in mine]
        meetings.forget_candidates(conn, entity, system, names)
        for part in linking.chunks(numbers):
            distributions.make_due(conn, entity, system, now, records=part)
        if system in flow.active_capture():
            given = set(numbers)
            open_ones = meetings.hits_in(conn, entity, system, meetings.AMBIGUOUS)
            others = [key for key, _, records in open_ones if given.intersection(records)]
            cursors.put_inbox(conn, entity, system, [*names, *others], "key linked", now)


def _free(conn: Connection, entity: str, system: str, number: int) -> None:
    """A record has one key in a system at most."""
    if have := linking.keys_of(conn, entity, [number]).get(number, {}).get(system):
        raise ConfigError(
            f"{entity}: #{number} has the key '{have}' in '{system}' already; move that one to its own record first, "
            "or exchange two that were linked crosswise: l2c keys swap"
        )
    _settled_there(conn, entity, system, number)


def _settled_there(conn: Connection, entity: str, system: str, number: int) -> None:
    """A create whose outcome is open may give the record a key of its own: that comes first."""
    if intents.intents_of(conn, entity, system, [number]):
        raise TransientError(
            f"{entity}: it is not known yet whether #{number} was created in '{system}', which may have given it a key; "
            f"run 'l2c distribute {entity} {system}', which looks it up after the quiet period, then try again",
            system=system,
        )


def _idle(conn: Connection, entity: str, systems: Sequence[str], now: int) -> None:
    for system in systems:
        for kind in (CAPTURE, SWEEP, DISTRIBUTE):
            if leases.held(conn, f"{entity}.{kind}.{system}", now):
                raise TransientError(
                    f"{entity}.{kind}.{system} is running; keys are changed when it is done", system=system
                )


def _flow(wiring: Wiring, entity: str, system: str) -> FlowConfig:
    flow = wiring.project.flow(entity)
    if system not in _known(flow):
        wiring.system(system)
        raise ConfigError(
            f"config/flows/{entity}.yaml does not name system '{system}'; it names: {', '.join(_known(flow))}"
        )
    return flow


def _known(flow: FlowConfig) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*flow.active_capture(), *flow.active_distribute()]))


def _must_exist(wiring: Wiring, flow: FlowConfig, system: str, key: str) -> None:
    for _, text in _unknown(wiring, flow, [(system, key, 0, 0)]):
        raise ConfigError(f"{flow.flow}: {text}")


def _unknown(wiring: Wiring, flow: FlowConfig, links: Sequence[tuple[str, str, int, int]]) -> list[tuple[int, str]]:
    """Keys their system does not have, asked live."""
    mistakes: list[tuple[int, str]] = []
    for system in dict.fromkeys(system for system, *_ in links):
        lines = {key: line for name, key, _, line in links if name == system}
        there = _there(wiring, flow, system, list(lines))
        mistakes += [(line, f"'{system}' has no '{key}'") for key, line in lines.items() if key not in there]
    return mistakes


def _there(wiring: Wiring, flow: FlowConfig, system: str, names: Sequence[str]) -> set[str]:
    captured = system in flow.active_capture()
    mappers = wiring.readers(flow.flow, system) if captured else wiring.writers(flow.flow, system)
    found: set[str] = set()
    for mapper in mappers:
        fields = mapper.fields if captured else mapper.targets
        for start in range(0, len(names), PAGE):
            wanted = [name for name in names[start : start + PAGE] if name not in found]
            if wanted:
                records = wiring.connector(system).fetch(mapper.native, wanted, fields=fields)
                found.update(record.key for record in records if not record.deleted)
    return found


def _asked(conn: Connection, flow: FlowConfig, rows: Sequence[Row]) -> Links:
    """What the rows ask for, against what is linked now."""
    entity, systems = flow.flow, list(rows[0].keys) if rows else []
    known = {
        system: linking.records_of(conn, entity, system, [row.keys[system] for row in rows if row.keys[system]])
        for system in systems
    }
    owners = [{known[s][k] for s, k in row.keys.items() if k and k in known[s]} for row in rows]
    numbers = sorted({number for found in owners for number in found})
    have = linking.keys_of(conn, entity, numbers)
    gone = linking.gone(conn, entity, numbers)
    asked, first = Links(), dict[tuple[str, str], int]()
    for row, found in zip(rows, owners, strict=True):
        mistakes = list(repeated(row, first))
        if not mistakes and len(found) != 1:
            mistakes.append(_whose(row, known))
        for number in found if not mistakes else ():
            if number in gone:
                mistakes.append(f"record #{number} is deleted or merged")
            if first.setdefault(("#", str(number)), row.line) != row.line:
                mistakes.append(f"record #{number} stands in line {first['#', str(number)]} already")
            for system, key in row.keys.items():
                if not key:
                    continue
                present = have[number].get(system)
                if key in known[system]:
                    asked.present += 1
                elif present is not None:
                    mistakes.append(f"#{number} has the key '{present}' in '{system}' already, not '{key}'")
                else:
                    asked.new.append((system, key, number, row.line))
        asked.mistakes += [(row.line, text) for text in mistakes]
    return asked


def _whose(row: Row, known: Mapping[str, Mapping[str, int]]) -> str:
    named = {f"{s}:{k}": known[s][k] for s, k in row.keys.items() if k and k in known[s]}
    if named:
        return "its keys belong to several records: " + ", ".join(f"{name} to #{n}" for name, n in named.items())
    return "the hub knows none of these keys; capture the first system before"
