"""Repairs: dead letters made due again, new mapping versions put in force."""

from typing import Any

from sqlalchemy import Connection

from l2c import overview
from l2c.config import FlowConfig
from l2c.errors import ConfigError
from l2c.state import (
    audit,
    breakers,
    cursors,
    deadletters,
    decisions,
    distributions,
    intents,
    journal,
    keys,
    linking,
    meetings,
    versions,
)
from l2c.state.distributions import Settled
from l2c.state.results import CAPTURE, DISTRIBUTE, ResendPlan
from l2c.state.sending import UNSURE
from l2c.state.store import from_ms
from l2c.wiring import Wiring


def redrive(wiring: Wiring, entity: str | None = None, system: str | None = None, *, key: str | None = None) -> int:
    """Make dead letters due again: their source is fetched and mapped anew; returns how many."""
    now = wiring.store.now()
    with wiring.store.writing("redrive") as conn:
        letters = deadletters.select_open(conn, entity, system, key=key, limit=None)
        for letter in letters:
            if letter.direction == CAPTURE:
                cursors.put_inbox(conn, letter.entity, letter.system, [letter.key], "redrive", now)
            elif letter.record is not None:
                distributions.make_due(
                    conn, letter.entity, letter.system, now, records=[letter.record], mapping=letter.mapping
                )
                for row in keys.list_keys(conn, letter.entity, record=letter.record, limit=None):
                    if row.path == "" and row.system in wiring.project.flow(letter.entity).active_capture():
                        if letter.code == "damaged":  # what is shown must count as new
                            journal.drop_views(conn, letter.entity, row.system, [letter.record])
                        cursors.put_inbox(conn, letter.entity, row.system, [row.native_key], "redrive", now)
        deadletters.mark_redriven(conn, [letter.id for letter in letters])
        if letters:
            audit.note(
                conn, now, "redrive", entity or "", system or "", f"{len(letters)} dead letters, key {key or 'any'}"
            )
    return len(letters)


def resend(wiring: Wiring, entity: str, system: str, *, yes: bool = False) -> list[ResendPlan]:
    """What the newest write mappings would send again; `yes` puts them in force and makes every head due."""
    wiring.flow(entity, system, DISTRIBUTE)
    newest = wiring.writers(entity, system)
    wiring.in_force(entity, system)
    now = wiring.store.now()
    plans: list[ResendPlan] = []
    with wiring.store.writing("resend") as conn:
        stored = versions.in_force(conn, entity, system)
        for mapper in newest:
            pending = overview.count_pending(conn, entity, system, mapper)
            changed = stored[mapper.name] != mapper.version
            plans.append(ResendPlan(mapper.name, stored[mapper.name], mapper.version, pending, yes and changed))
            if yes and changed:
                wiring.remember(conn, [mapper])
                versions.put_in_force(conn, entity, system, [(mapper.name, mapper.version)], now)
                distributions.make_due(conn, entity, system, now, mapping=mapper.name)
                audit.note(
                    conn, now, "resend", entity, system, f"{mapper.name} {mapper.version}: {pending} records due"
                )
    return plans


def reopen(wiring: Wiring, system: str, reason: str = "") -> bool:
    """Let requests go out to a system again; False when they do already."""
    wiring.system(system)
    with wiring.store.writing() as conn:
        known = breakers.look(conn, system)
        opened = breakers.close(conn, system)
        if opened:
            detail = f"was {known.state}: {known.reason}" + (f"; {reason}" if reason else "")
            audit.note(conn, wiring.store.now(), "reopen", "", system, detail)
    return opened


def decide(
    wiring: Wiring, entity: str, system: str, key: str, *, sent: bool, native_key: str | None = None, reason: str
) -> int:
    """Say whether a lost create arrived, and as which native record; the record goes on with the next run. Its number.

    ConfigError where nothing is to be decided, the request may still be at work, or the native key is missing or wrong.
    """
    flow = wiring.flow(entity, system, DISTRIBUTE)
    where = f"{entity} '{key}' in {system}"
    if not reason.strip():
        raise ConfigError(f"{where}: say how you know, by --reason: it is kept in the audit log")
    with wiring.store.reading() as conn:
        numbers = linking.numbers_of(conn, entity, key)
        asked = [one for number in numbers for one in decisions.open_of(conn, entity, system, number)]
    if len({one.record for one in asked}) != 1:
        raise ConfigError(f"{where}: there is no lost create to decide; 'l2c decide' lists those there are")
    number, now = asked[0].record, wiring.store.now()
    if sent:
        native_key = _arrived_as(wiring, entity, system, asked[0], native_key)
    elif any(one.code == decisions.TWO_HITS for one in asked):
        raise ConfigError(f"{where}: it was sent, there are two of it; say which it is: sent --as KEY")
    elif late := [one.look_after for one in asked if one.look_after > now]:
        raise ConfigError(
            f"{where}: its request may be at work until {from_ms(max(late)):%Y-%m-%d %H:%M:%S} UTC; look then"
        )
    with wiring.store.writing() as conn:
        _decided(conn, flow, system, asked, native_key if sent else None, now)
        said = f"sent as '{native_key}'" if sent else "not sent"
        audit.note(conn, now, "decide", entity, system, f"#{number}: {said}; {reason.strip()}")
    return number


def _arrived_as(wiring: Wiring, entity: str, system: str, asked: decisions.Open, given: str | None) -> str:
    """The native key a create arrived as: one that is there, and no other record's."""
    with wiring.store.reading() as conn:
        linked = keys.key_of(conn, entity, system, "", asked.record)
        key = given or linked
        owner = keys.find_record(conn, entity, system, "", key) if key else None
    if key is None:
        raise ConfigError(f"{entity} #{asked.record}: say which record of '{system}' it became: sent --as KEY")
    if owner not in (None, asked.record) or linked not in (None, key):
        has = (
            f"'{key}' belongs to record #{owner}" if owner not in (None, asked.record) else f"it is '{linked}' already"
        )
        raise ConfigError(f"{entity} #{asked.record}: {has} in '{system}'; 'l2c keys {entity}' shows who has which")
    [native] = [mapper.native for mapper in wiring.writers(entity, system) if mapper.name == asked.mapping]
    found = [one.key for one in wiring.connector(system).fetch(native, [key]) if not one.deleted]
    if key not in found:
        raise ConfigError(f"{entity} #{asked.record}: '{system}' has no {native} '{key}'; look again")
    return key


def _decided(
    conn: Connection, flow: FlowConfig, system: str, asked: list[decisions.Open], native_key: str | None, now: int
) -> None:
    entity, number = flow.flow, asked[0].record
    places = [(one.record, one.mapping) for one in asked]
    stored = distributions.stored(conn, entity, system, [number])
    again: dict[str, Any] = {"code": "decided", "message": "somebody told whether it arrived", "due_at": now}
    if native_key is not None:
        again["hash"] = UNSURE  # the target may hold an older state of it
        distributions.link(conn, entity, system, [("", native_key, number)], now)
        if system in flow.active_capture():
            meetings.forget_candidates(conn, entity, system, [native_key])
            cursors.put_inbox(conn, entity, system, [native_key], "decided", now)
    states = [
        Settled.after(was, was.place, seq=was.seq, version=was.version, status="retrying", **again)
        for was in map(stored.__getitem__, places)
    ]
    distributions.settle(conn, entity, system, states, now)
    intents.forget_intents(conn, entity, system, places)
    deadletters.resolve_records(conn, entity, system, [number])
