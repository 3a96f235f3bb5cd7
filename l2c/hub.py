"""The façade that CLI, DAGs and pages call: it wires the parts, it decides nothing."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Self

from l2c import overview
from l2c.capture import WHOLE, Capture, Progress, Watch, finish_sweep
from l2c.config import Finding, FlowConfig, Project, env_connection
from l2c.contract import Connection, EntitySchema, Health, Record, utc_now
from l2c.distribute import Distribution
from l2c.errors import ConfigError, HubError, SumsDiffer
from l2c.mapping import check_flow
from l2c.overview import CAPTURE, DISTRIBUTE, SWEEP, WATCH
from l2c.state import audit, cursors, deadletters, distributions, keys, leases, retention, runs, sweeps, versions
from l2c.state.results import Cell, DeadLetter, KeyRow, Plan, RecordView, ResendPlan, RunSummary
from l2c.state.store import Store, default_url
from l2c.wiring import Wiring

DEFAULT_LEASE_S = 360.0


class Hub:
    """One process's access to the hub: its configuration, its state, its systems."""

    def __init__(self, wiring: Wiring, *, lease_s: float = DEFAULT_LEASE_S) -> None:
        self._wiring = wiring
        self._store = wiring.store
        self._lease_s = lease_s
        self.project = wiring.project

    @classmethod
    def open(
        cls,
        *,
        env: Mapping[str, str] | None = None,
        connections: Callable[[str], Connection] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Open what L2C_HOME, L2C_OVERLAY, L2C_DATABASE_URL, L2C_LEASE_S and L2C_CONNECTION_… name."""
        values = os.environ if env is None else env
        project = Project.from_env(values)
        store = Store.open(values.get("L2C_DATABASE_URL") or default_url(project.home), clock=clock)
        reach = connections or (lambda name: env_connection(name, values))
        return cls(Wiring(project, store, reach, clock), lease_s=_seconds(values.get("L2C_LEASE_S")))

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
        return self._wiring.connector(system).check()

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
        return [finding for name in names for finding in check_flow(self.project, name, schemas)]

    # Runs: plan, run, settle

    def plan(self, kind: str, entity: str, system: str, *, watch: str | None = None) -> Plan:
        """Open a run; `Plan.run` is None when nothing is new or due, or another process is at it already."""
        flow = self._flow(entity, system, kind)
        now = self._store.now()
        version = ""
        if kind == DISTRIBUTE:
            names = [mapper.name for mapper in self._wiring.in_force(entity, system)]
            with self._store.reading() as conn:
                place = int(cursors.get_cursor(conn, entity, system, DISTRIBUTE) or 0)
                if not distributions.count_behind(conn, entity, place) and not distributions.any_due(
                    conn, entity, system, now, names
                ):
                    return Plan(None, ())
        elif kind == WATCH:
            watch = _watched(flow, system, watch)
            with self._store.reading() as conn:
                if cursors.get_cursor(conn, entity, system, CAPTURE) is None:
                    return Plan(None, ())  # before the first load there is nothing to compare with
        else:
            version = self._wiring.reader(entity, system).version
        with self._store.writing() as conn:
            if leases.held(conn, _lease_name(entity, kind, system, WHOLE), now):
                return Plan(None, ())
            run = runs.open_run(conn, entity, kind, system, partitions=[WHOLE], now=now, watch=watch, mapping=version)
        return Plan(run, (WHOLE,))

    def run(self, run: int, partition: str = WHOLE, *, progress: Progress | None = None) -> dict[str, int]:
        """Work through one partition of a planned run; may be called again after it was killed or failed."""
        row = self._run_row(run)
        entity, kind, system = row["entity"], row["kind"], row["system"]
        flow = self._flow(entity, system, kind)
        try:
            with self._leased(_lease_name(entity, kind, system, partition)) as lease:
                if kind == DISTRIBUTE:
                    Distribution(self._store, lease, self._wiring.distribute_job(flow, system, run=run), progress).run()
                elif kind == WATCH:
                    Watch(
                        self._store, lease, self._wiring.watch_job(flow, system, row["watch"], run=run), progress
                    ).run()
                else:
                    self._read(flow, row, lease, partition, progress)
                with self._store.writing() as conn:
                    leases.prove(conn, lease, self._store.now())
                    runs.finish_partition(conn, run, partition)
        except HubError as error:
            with self._store.writing() as conn:
                runs.note(conn, run, str(error))
            raise
        return runs.counts(self._run_row(run))

    def settle(self, run: int) -> RunSummary:
        """Check the run's sums and close it; raises SumsDiffer when they do not meet."""
        row = self._run_row(run)
        met = overview.sums_met(row["kind"], runs.counts(row))
        unfinished = row["open_partitions"] != "[]"
        message = "" if met and not unfinished else _why(row, met=met)
        with self._store.writing() as conn:
            runs.close_run(conn, run, "failed" if message else "done", self._store.now(), message)
            if row["kind"] == SWEEP:
                sweeps.forget(conn, run)
                cursors.drop_cursors(conn, row["entity"], row["system"], SWEEP)
        if message:
            raise SumsDiffer(message, system=row["system"], entity=row["entity"])
        return overview.summary(self._run_row(run))

    def capture(
        self,
        entity: str,
        system: str,
        *,
        kind: str = CAPTURE,
        watch: str | None = None,
        progress: Progress | None = None,
    ) -> RunSummary:
        """A whole capture, sweep or watch in this process."""
        return self._whole(kind, entity, system, watch, progress)

    def distribute(self, entity: str, system: str, *, progress: Progress | None = None) -> RunSummary:
        """A whole distribution in this process."""
        return self._whole(DISTRIBUTE, entity, system, None, progress)

    # What stands where

    def status(self, entity: str | None = None) -> list[Cell]:
        """How each flow stands in each of its systems."""
        cells: list[Cell] = []
        for name in [entity] if entity is not None else self.project.flow_names:
            flow = self.project.flow(name)
            with self._store.reading() as conn:
                cells += [
                    overview.capture_cell(conn, flow, system, self._wiring.reader(name, system))
                    for system in flow.active_capture()
                ]
                cells += [
                    overview.distribute_cell(conn, flow, system, self._wiring.writers(name, system))
                    for system in flow.active_distribute()
                ]
        return cells

    def dead_letters(
        self, entity: str | None = None, system: str | None = None, *, limit: int | None = 100
    ) -> list[DeadLetter]:
        """Records set aside, newest first."""
        with self._store.reading() as conn:
            return deadletters.select_open(conn, entity, system, limit=limit)

    def redrive(self, entity: str | None = None, system: str | None = None, *, key: str | None = None) -> int:
        """Make dead letters due again: their source is fetched and mapped anew; returns how many."""
        now = self._store.now()
        with self._store.writing() as conn:
            letters = deadletters.select_open(conn, entity, system, key=key, limit=None)
            for letter in letters:
                if letter.direction == CAPTURE:
                    cursors.put_inbox(conn, letter.entity, letter.system, [letter.key], "redrive", now)
                elif letter.record is not None:
                    distributions.make_due(
                        conn, letter.entity, letter.system, now, records=[letter.record], mapping=letter.mapping
                    )
                    for row in keys.list_keys(conn, letter.entity, record=letter.record, limit=None):
                        if row.path == "" and self._captures(letter.entity, row.system):
                            cursors.put_inbox(conn, letter.entity, row.system, [row.native_key], "redrive", now)
            deadletters.mark_redriven(conn, [letter.id for letter in letters])
            if letters:
                audit.note(
                    conn, now, "redrive", entity or "", system or "", f"{len(letters)} dead letters, key {key or 'any'}"
                )
        return len(letters)

    def resend(self, entity: str, system: str, *, yes: bool = False) -> list[ResendPlan]:
        """What the newest write mappings would send again; `yes` puts them in force and makes every head due."""
        self._flow(entity, system, DISTRIBUTE)
        newest = self._wiring.writers(entity, system)
        self._wiring.in_force(entity, system)
        now = self._store.now()
        plans: list[ResendPlan] = []
        with self._store.writing() as conn:
            stored = versions.in_force(conn, entity, system)
            for mapper in newest:
                pending = overview.count_pending(conn, entity, system, mapper)
                changed = stored[mapper.name] != mapper.version
                plans.append(ResendPlan(mapper.name, stored[mapper.name], mapper.version, pending, yes and changed))
                if yes and changed:
                    self._wiring.remember(conn, [mapper])
                    versions.put_in_force(conn, entity, system, [(mapper.name, mapper.version)], now)
                    distributions.make_due(conn, entity, system, now, mapping=mapper.name)
                    audit.note(
                        conn, now, "resend", entity, system, f"{mapper.name} {mapper.version}: {pending} records due"
                    )
        return plans

    def keys(
        self, entity: str, *, system: str | None = None, key: str | None = None, limit: int | None = 100
    ) -> list[KeyRow]:
        """Key mappings of that entity."""
        self.project.flow(entity)
        with self._store.reading() as conn:
            return keys.list_keys(conn, entity, system=system, key=key, limit=limit)

    def show(self, entity: str, key: str, *, reveal: bool = False) -> RecordView | None:
        """One record by any native key, or by the hub's number (`#12`); personal fields are masked unless revealed."""
        config = self.project.entity(self.project.flow(entity).flow)
        with self._store.reading() as conn:
            number = overview.find_record(conn, entity, key)
            return overview.record_view(conn, config, number, reveal=reveal) if number is not None else None

    def purge(self, older_than: timedelta) -> dict[str, int]:
        """Delete superseded journal entries and runs older than that; heads, keys and what targets hold stay."""
        before = self._store.now() - int(older_than.total_seconds() * 1000)
        with self._store.writing() as conn:
            return retention.purge(conn, before)

    # Inside

    def _whole(self, kind: str, entity: str, system: str, watch: str | None, progress: Progress | None) -> RunSummary:
        plan = self.plan(kind, entity, system, watch=watch)
        if plan.run is None:
            now = self._wiring.clock()
            return RunSummary(
                0, entity, kind, system, "nothing", {}, sums_met=True, started=now, ended=now, watch=watch
            )
        try:
            for partition in plan.partitions:
                self.run(plan.run, partition, progress=progress)
        except HubError as error:
            with self._store.writing() as conn:
                runs.close_run(conn, plan.run, "failed", self._store.now(), str(error))
            raise
        return self.settle(plan.run)

    def _read(
        self,
        flow: FlowConfig,
        row: Mapping[str, Any] | Any,
        lease: leases.Lease,
        partition: str,
        progress: Progress | None,
    ) -> None:
        entity, kind, system, run = row["entity"], row["kind"], row["system"], row["id"]
        with self._store.reading() as conn:
            first_load = cursors.get_cursor(conn, entity, system, CAPTURE) is None
            baselines = {
                source: sweeps.has_baseline(conn, entity, system, source)
                for source in flow.active_capture()[system].watch
            }
        if first_load and kind == CAPTURE:
            for source in (name for name, there in baselines.items() if not there):
                Watch(self._store, lease, self._wiring.watch_job(flow, system, source, run=0, baseline=True)).run()
        job = self._wiring.capture_job(flow, system, run=run, kind=kind, partition=partition)
        with self._store.writing() as conn:
            self._wiring.remember(conn, [job.mapper])
        capture = Capture(self._store, lease, job, progress)
        capture.run(inbox=kind == CAPTURE)
        if kind == SWEEP:
            finish_sweep(self._store, lease, job, begun=row["started"])
            capture.drain_inbox()
        if first_load or kind == SWEEP:
            with self._store.writing() as conn:
                leases.prove(conn, lease, self._store.now())
                versions.put_in_force(conn, entity, system, [(job.mapper.name, job.mapper.version)], self._store.now())

    def _flow(self, entity: str, system: str, kind: str) -> FlowConfig:
        flow = self.project.flow(entity)
        part, active = (
            ("distribute", flow.active_distribute()) if kind == DISTRIBUTE else ("capture", flow.active_capture())
        )
        if system not in active:
            self._wiring.system(system)
            known = ", ".join(sorted(active)) or "none"
            raise ConfigError(
                f"config/flows/{entity}.yaml: '{part}' does not name system '{system}'; it names: {known}"
            )
        return flow

    def _captures(self, entity: str, system: str) -> bool:
        return system in self.project.flow(entity).active_capture()

    def _run_row(self, run: int) -> Any:
        with self._store.reading() as conn:
            row = runs.get(conn, run)
        if row is None:
            raise ConfigError(f"there is no run {run} in the state store; plan one first")
        return row

    @contextmanager
    def _leased(self, name: str) -> Iterator[leases.Lease]:
        lease = leases.acquire(self._store, name, self._lease_s)
        try:
            yield lease
        finally:
            leases.release(self._store, lease)


def _lease_name(entity: str, kind: str, system: str, partition: str) -> str:
    return f"{entity}.{kind}.{system}" + ("" if partition == WHOLE else f".{partition}")


def _watched(flow: FlowConfig, system: str, watch: str | None) -> str:
    sources = flow.active_capture()[system].watch
    if watch is None and len(sources) == 1:
        return next(iter(sources))
    if watch is None or watch not in sources:
        known = ", ".join(sorted(sources)) or "none"
        raise ConfigError(
            f"config/flows/{flow.flow}.yaml: capture.{system}.watch does not name '{watch or ''}'; it names: {known}"
        )
    return watch


def _why(row: Any, *, met: bool) -> str:
    name = f"{row['entity']}.{row['kind']}.{row['system']} run {row['id']}"
    if not met:
        return f"{name}: the sums do not meet: {row['counts']}; the systems lost nothing: run a sweep, and keep this run's log"
    return f"{name}: partitions {row['open_partitions']} were not finished; the next run goes on from their last page"


def _seconds(text: str | None) -> float:
    if not text:
        return DEFAULT_LEASE_S
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise ConfigError(f"L2C_LEASE_S: '{text}' is not a number of seconds above 0")
    return value
