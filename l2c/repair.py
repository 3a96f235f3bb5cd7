"""Repairs: dead letters made due again, new mapping versions put in force."""

from l2c import overview
from l2c.state import audit, breakers, cursors, deadletters, distributions, keys, versions
from l2c.state.results import CAPTURE, DISTRIBUTE, ResendPlan
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
