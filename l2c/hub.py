"""The façade that CLI, DAGs and pages call: it wires the parts, it decides nothing."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from l2c import inbox, links, matches, overview, repair
from l2c.adopt import adopt
from l2c.capture import WHOLE
from l2c.config import Finding, Project, env_connection
from l2c.contract import Connection, EntitySchema, Health, Record, utc_now
from l2c.mapping import check_flow
from l2c.reconcile import Reconciled, reconcile
from l2c.runner import Runner
from l2c.state import audit, decisions, keys, leases, messages, retention
from l2c.state.audit import AuditReport
from l2c.state.messages import MessageRow
from l2c.state.results import (
    CAPTURE,
    DISTRIBUTE,
    Adopted,
    Cell,
    DeadLetter,
    Decision,
    KeyImport,
    KeyRow,
    Match,
    Plan,
    Progress,
    RecordView,
    ResendPlan,
    RunSummary,
    SystemState,
)
from l2c.state.store import Store, default_url
from l2c.wiring import Wiring


class Hub:
    """One process's access to the hub: its configuration, its state, its systems."""

    def __init__(self, wiring: Wiring, *, lease_s: float = leases.DEFAULT_S) -> None:
        self._wiring = wiring
        self._store = wiring.store
        self._runner = Runner(wiring, lease_s)
        self.project = wiring.project

    @classmethod
    def open(
        cls,
        *,
        env: Mapping[str, str] | None = None,
        connections: Callable[[str], Connection] | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        """Open what L2C_HOME, L2C_OVERLAY, L2C_DATABASE_URL, L2C_LEASE_S and L2C_CONNECTION_… name."""
        values = os.environ if env is None else env
        project = Project.from_env(values)
        store = Store.open(values.get("L2C_DATABASE_URL") or default_url(project.home), clock=clock)
        reach = connections or (lambda name: env_connection(name, values))
        return cls(Wiring(project, store, reach, clock, sleep), lease_s=leases.length_of(values.get("L2C_LEASE_S")))

    def close(self) -> None:
        """Give back connections to systems and state store."""
        self._wiring.close()
        self._store.close()

    def __enter__(self) -> Self:
        """The hub itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # Systems

    def check(self, system: str) -> Health:
        """Whether the system answers and accepts the credentials."""
        return self._wiring.gate(system).examine(self._wiring.connector(system).check)

    def systems(self) -> list[SystemState]:
        """How every system stands: whether requests go out to it, and if not, why and until when."""
        return overview.systems(self.project, self._store)

    def reopen(self, system: str, reason: str = "") -> bool:
        """Let requests go out to a system again; False when they do already."""
        return repair.reopen(self._wiring, system, reason)

    def describe(self, system: str, entity: str) -> EntitySchema:
        """A native entity as its system describes it."""
        return self._wiring.schema(system, entity)

    def read(self, system: str, entity: str, *, since: str | None = None, limit: int | None = None) -> Iterator[Record]:
        """Native records as they come; nothing is stored."""
        pages = self._wiring.connector(system).read(entity, since=since, page_size=min(limit or 200, 200))
        count = 0
        for page in pages:
            for record in page.records:
                if limit is not None and count >= limit:
                    return
                count += 1
                yield record

    def lint(self, flow: str | None = None, *, live: bool = True) -> list[Finding]:
        """What is wrong with flows and mappings, checked against the live schemas too unless told otherwise."""
        names = [flow] if flow is not None else self.project.flow_names
        schemas = self._wiring.schema if live else None
        found = [finding for name in names for finding in check_flow(self.project, name, schemas)]
        return list(dict.fromkeys(found))  # a mistake of a file several flows use is told once

    # Runs: plan, run, settle

    def plan(self, kind: str, entity: str, system: str, *, watch: str | None = None) -> Plan:
        """Open a run; `Plan.run` is None when nothing is new or due, or another process is at it already."""
        return self._runner.plan(kind, entity, system, watch=watch)

    def run(self, run: int, partition: str = WHOLE, *, progress: Progress | None = None) -> dict[str, int]:
        """Work through one partition of a planned run; may be called again after it was killed or failed."""
        return self._runner.run(run, partition, progress=progress)

    def settle(self, run: int) -> RunSummary:
        """Check the run's sums and close it; raises SumsDiffer when they do not meet."""
        return self._runner.settle(run)

    def capture(
        self,
        entity: str,
        system: str,
        *,
        kind: str = CAPTURE,
        watch: str | None = None,
        allow_deletes: int = 0,
        progress: Progress | None = None,
    ) -> RunSummary:
        """A whole capture, sweep or watch in this process; `allow_deletes`: so many are right this once."""
        return self._runner.whole(kind, entity, system, watch, progress, allowed=allow_deletes)

    def distribute(
        self, entity: str, system: str, *, allow_deletes: int = 0, progress: Progress | None = None
    ) -> RunSummary:
        """A whole distribution in this process; `allow_deletes`: so many deletes and blocks are right this once."""
        return self._runner.whole(DISTRIBUTE, entity, system, None, progress, allowed=allow_deletes)

    def woken(self, done: RunSummary) -> list[str]:
        """The entities whose distributions have work that may have waited for this run.

        Those that refer to its entity; and this entity itself, unless what it journaled has told its distributions already.
        """
        names = [other for other in self._wiring.referrers(done.entity) if self._runner.waits(other)]
        written = done.counts.get("written", 0) > 0
        own = written if done.kind == DISTRIBUTE else not done.counts.get("journaled")
        besides = done.system if done.kind == DISTRIBUTE else None
        if own and self._runner.waits(done.entity, besides=besides):
            names.append(done.entity)
        return names

    def held(self, entity: str, system: str) -> list[tuple[str, str]]:
        """Entity and system of the first loads that are still to come and may have waited for a load of this one."""
        flow = self.project.flow(entity)
        others = [(flow, other) for other in flow.active_capture() if other != system and flow.first == system]
        others += [(self.project.flow(other), system) for other in self._wiring.referrers(entity)]
        return [
            (one.flow, other)
            for one, other in others
            if other in one.active_capture() and not self._wiring.loaded(one, other)
        ]

    def asked(self, system: str) -> frozenset[str]:
        """The entities for which messages of that system, worked off by plan or run, gave a capture something to do."""
        return self._runner.asked(system)

    def run_summary(self, run: int) -> RunSummary:
        """One run as it stands, settled or not."""
        return self._runner.summary(run)

    # What systems send

    def receive(self, system: str, headers: Mapping[str, str], body: bytes, *, signature: str | None = None) -> int:
        """Commit a message as received, without credentials (`signature` names the header of its signature); its number."""
        return inbox.receive(self._store, self._wiring, system, headers, body, signature=signature)

    def work_off(self, system: str) -> frozenset[str]:
        """Understand what that system sent; the entities whose capture now has keys to fetch."""
        return inbox.work_off(self._store, self._wiring, system)

    def messages(
        self, system: str | None = None, *, state: str | None = None, limit: int | None = 100
    ) -> list[MessageRow]:
        """Messages received, newest first; state is new, done or failed."""
        with self._store.reading() as conn:
            return messages.listed(conn, system, state, limit=limit)

    def now(self) -> datetime:
        """The hub's current time."""
        return self._wiring.clock()

    def open_messages(self) -> Mapping[str, Mapping[str, int]]:
        """By system, how many messages are `new` and how many `failed`."""
        with self._store.reading() as conn:
            return messages.counts(conn)

    def redrive_messages(self, system: str | None = None) -> int:
        """Let failed messages be understood once more, by the next capture of their system; how many."""
        with self._store.writing() as conn:
            return messages.again(conn, system)

    # What stands where

    def status(self, entity: str | None = None) -> list[Cell]:
        """How each flow stands in each of its systems."""
        cells: list[Cell] = []
        kept_back = overview.kept_back(self.project, self._store)
        for name in [entity] if entity is not None else self.project.flow_names:
            flow = self.project.flow(name)
            with self._store.reading() as conn:
                cells += [
                    overview.capture_cell(conn, flow, system, self._wiring.readers(name, system))
                    for system in flow.active_capture()
                ]
                cells += [
                    overview.distribute_cell(conn, flow, system, self._wiring.writers(name, system))
                    for system in flow.active_distribute()
                ]
        return [replace(cell, breaker=kept_back.get(cell.system, "")) for cell in cells]

    def dead_letters(
        self, entity: str | None = None, system: str | None = None, *, limit: int | None = 100, reveal: bool = False
    ) -> list[DeadLetter]:
        """Records set aside, newest first; personal data in a system's own words is masked unless revealed."""
        with self._store.reading() as conn:
            return overview.letters(conn, self.project, (entity, system), limit=limit, reveal=reveal)

    def redrive(self, entity: str | None = None, system: str | None = None, *, key: str | None = None) -> int:
        """Make dead letters due again: their source is fetched and mapped anew; returns how many."""
        return repair.redrive(self._wiring, entity, system, key=key)

    def decisions(
        self, entity: str | None = None, system: str | None = None, *, limit: int | None = 100
    ) -> list[Decision]:
        """Lost creates only somebody can tell about, the oldest first."""
        with self._store.reading() as conn:
            return decisions.listed(conn, entity, system, limit=limit)

    def decide(
        self, entity: str, system: str, key: str, *, sent: bool, native_key: str | None = None, reason: str
    ) -> int:
        """Say whether a lost create arrived, and as which native record; the record's number."""
        return repair.decide(self._wiring, entity, system, key, sent=sent, native_key=native_key, reason=reason)

    def resend(self, entity: str, system: str, *, yes: bool = False) -> list[ResendPlan]:
        """What the newest write mappings would send again; `yes` puts them in force and makes every head due."""
        return repair.resend(self._wiring, entity, system, yes=yes)

    def adopt(self, entity: str, system: str, *, progress: Progress | None = None) -> Adopted:
        """Link what was created in `system` since the copy was taken that the state store was restored from."""
        return adopt(self._wiring, self._runner, entity, system, progress)

    def keys(
        self, entity: str, *, system: str | None = None, key: str | None = None, limit: int | None = 100
    ) -> list[KeyRow]:
        """Key mappings of that entity."""
        self.project.flow(entity)
        with self._store.reading() as conn:
            return keys.list_keys(conn, entity, system=system, key=key, limit=limit)

    def import_keys(self, entity: str, path: Path, *, yes: bool = False) -> KeyImport:
        """Check a CSV file of keys as a whole; `yes` links what it says. ConfigError has every mistake, `file:line` in front."""
        return links.import_keys(self._wiring, entity, path, yes=yes)

    def export_keys(self, entity: str, systems: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
        """The head (systems), then the native keys of every record, a row each; reads as it goes."""
        return links.export_keys(self._wiring, entity, systems)

    def link_key(self, entity: str, system: str, key: str, record: str) -> int:
        """Link a native key to the record (`#12` or any native key) that has none in that system; its number."""
        return links.link(self._wiring, entity, system, key, record)

    def move_key(self, entity: str, system: str, key: str, record: str) -> int:
        """Give a native key to another record (`#12` or any native key); its number."""
        return links.move(self._wiring, entity, system, key, record)

    def swap_keys(self, entity: str, system: str, key: str, other: str) -> tuple[int, int]:
        """Exchange two native keys that were linked crosswise; the records they belong to now."""
        return links.swap(self._wiring, entity, system, key, other)

    def matches(
        self, entity: str, system: str | None = None, *, limit: int | None = 100, reveal: bool = False
    ) -> list[Match]:
        """Records met for the first time whose match is not decided; personal fields are masked unless revealed."""
        return matches.undecided(self._wiring, entity, system, limit=limit, reveal=reveal)

    def match(self, entity: str, system: str, key: str, *, reveal: bool = False) -> Match:
        """One undecided match."""
        return matches.undecided_one(self._wiring, entity, system, key, reveal=reveal)

    def accept_match(self, entity: str, system: str, key: str, record: str) -> int:
        """Decide that it is this record (`#12` or any native key), from the next capture on; its number."""
        return matches.accept(self._wiring, entity, system, key, record)

    def reject_match(self, entity: str, system: str, key: str) -> None:
        """Decide that it is a record of its own, from the next capture on."""
        matches.reject(self._wiring, entity, system, key)

    def show(self, entity: str, key: str, *, reveal: bool = False) -> RecordView | None:
        """One record by any native key, or by the hub's number (`#12`); personal fields are masked unless revealed."""
        config = self.project.entity(self.project.flow(entity).flow)
        with self._store.reading() as conn:
            number = overview.find_record(conn, entity, key)
            return overview.record_view(conn, config, number, reveal=reveal) if number is not None else None

    def reconcile(
        self,
        entity: str,
        *,
        system: str | None = None,
        limit: int = 100,
        show: Collection[str] = (),
        progress: Progress | None = None,
    ) -> Reconciled:
        """What the systems really hold, read live and compared through the mappings; writes to no system."""
        return reconcile(self._wiring, entity, system=system, limit=limit, show=show, progress=progress)

    def audit(self, *, limit: int = 0, head: str = "") -> AuditReport:
        """Whether the audit log is whole, and its newest entries; `head` is a hash that must still be in it."""
        with self._store.reading() as conn:
            return audit.verify(conn, head=head, limit=limit)

    def purge(self, older_than: timedelta) -> dict[str, int]:
        """Delete superseded journal entries and runs older than that; heads, keys and what targets hold stay."""
        before = self._store.now() - int(older_than.total_seconds() * 1000)
        with self._store.writing() as conn:
            return retention.purge(conn, before)
