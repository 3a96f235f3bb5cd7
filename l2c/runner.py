"""Runs in their three steps: plan, run, settle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import RowMapping

from l2c import inbox, overview
from l2c.capture import WHOLE, Capture, CaptureJob, Watch, finish_sweep, know_values
from l2c.config import FlowConfig
from l2c.distribute import Distribution
from l2c.errors import Braked, ConfigError, HubError, Postponed, SumsDiffer, TransientError
from l2c.mapping import Mapper
from l2c.state import audit, cursors, distributions, journal, leases, runs, sweeps, versions
from l2c.state.results import BRAKED, CAPTURE, DISTRIBUTE, POSTPONED, SWEEP, WATCH, Plan, Progress, RunSummary
from l2c.stopping import settling_first
from l2c.wiring import Wiring


class Runner:
    """Plans, works through and settles runs; each step may happen in another process."""

    def __init__(self, wiring: Wiring, lease_s: float) -> None:
        self._wiring = wiring
        self._store = wiring.store
        self._lease_s = lease_s
        self._asked: dict[str, set[str]] = {}

    def asked(self, system: str) -> frozenset[str]:
        """The entities for which messages of that system, worked off on the way, gave a capture something to do."""
        return frozenset(self._asked.get(system, ()))

    def plan(self, kind: str, entity: str, system: str, *, watch: str | None = None) -> Plan:
        """Open a run; `Plan.run` is None when nothing is new or due, or another process is at it already."""
        flow = self._wiring.flow(entity, system, kind)
        if kind in (CAPTURE, DISTRIBUTE):
            self._work_off(system)  # what a process that died has left of it
        now = self._store.now()
        readers: tuple[Mapper, ...] = ()
        if not self._may_begin(flow, kind, system):
            return Plan(None, ())
        if kind == DISTRIBUTE:
            if not self._has_work(entity, system):
                return Plan(None, ())
        elif kind == WATCH:
            watch = _watched(flow, system, watch)
            with self._store.reading() as conn:
                if cursors.get_cursor(conn, entity, system, CAPTURE) is None:
                    return Plan(None, ())  # before the first load there is nothing to compare with
        else:
            readers = self._wiring.readers(entity, system)
        with self._store.writing("plan") as conn:
            if leases.held(conn, _lease_name(entity, kind, system, WHOLE), now):
                return Plan(None, ())
            self._wiring.remember(conn, list(readers))
            version = ",".join(mapper.version for mapper in readers)
            run = runs.open_run(conn, entity, kind, system, partitions=[WHOLE], now=now, watch=watch, mapping=version)
        return Plan(run, (WHOLE,))

    def run(
        self, run: int, partition: str = WHOLE, *, allowed: int = 0, progress: Progress | None = None
    ) -> dict[str, int]:
        """Work through one partition of a planned run; may be called again after it was killed or failed."""
        row = self._run_row(run)
        flow = self._wiring.flow(row["entity"], row["system"], row["kind"])
        with settling_first(progress) as tell:
            try:
                self._work(flow, row, partition, tell, allowed)
            except HubError as error:
                self._stopped(row, error)
                raise
        return runs.counts(self._run_row(run))

    def _work(self, flow: FlowConfig, row: RowMapping, partition: str, tell: Progress, allowed: int) -> None:
        run, kind, system = row["id"], row["kind"], row["system"]
        with self._leased(_lease_name(row["entity"], kind, system, partition)) as lease:
            self._wiring.gate(system).begin(lambda: self._wiring.connector(system).check())
            if kind == DISTRIBUTE:
                job = self._wiring.distribute_job(flow, system, run=run, allowed=allowed)
                Distribution(self._store, lease, job, tell).run()
                self._work_off(system)  # what was confirmed before it was settled
            elif kind == WATCH:
                Watch(self._store, lease, self._wiring.watch_job(flow, system, row["watch"], run=run), tell).run()
            else:
                self._read(flow, row, lease, partition, tell, allowed)
            with self._store.writing("partition") as conn:
                leases.prove(conn, lease, self._store.now())
                runs.finish_partition(conn, run, partition)

    def settle(self, run: int) -> RunSummary:
        """Check the run's sums and close it; raises SumsDiffer when they do not meet."""
        row = self._run_row(run)
        if row["status"] == POSTPONED:
            return overview.summary(row)
        met = overview.sums_met(row["kind"], runs.counts(row))
        unfinished = row["open_partitions"] != "[]"
        message = "" if met and not unfinished else _why(row, met=met)
        with self._store.writing("close") as conn:
            failed = BRAKED if row["status"] == BRAKED else "failed"
            runs.close_run(conn, run, failed if message else "done", self._store.now(), message)
            if row["kind"] == SWEEP:
                sweeps.forget(conn, run)
                cursors.drop_cursors(conn, row["entity"], row["system"], SWEEP)
        if message:
            raise SumsDiffer(message, system=row["system"], entity=row["entity"])
        return self.summary(run)

    def summary(self, run: int) -> RunSummary:
        """One run as it stands."""
        return overview.summary(self._run_row(run))

    def whole(
        self,
        kind: str,
        entity: str,
        system: str,
        watch: str | None,
        progress: Progress | None,
        *,
        allowed: int = 0,
    ) -> RunSummary:
        """All three steps in this process; `allowed` deletes and blocks were confirmed by somebody, which is noted."""
        plan = self.plan(kind, entity, system, watch=watch)
        if plan.run is None:
            now = self._wiring.clock()
            return RunSummary(
                0, entity, kind, system, "nothing", {}, sums_met=True, started=now, ended=now, watch=watch
            )
        if allowed:
            with self._store.writing() as conn:
                text = f"run {plan.run} ({kind}) may delete or block {allowed} records"
                audit.note(conn, self._store.now(), "allow-deletes", entity, system, text)
        try:
            for partition in plan.partitions:
                self.run(plan.run, partition, allowed=allowed, progress=progress)
        except HubError as error:
            with self._store.writing() as conn:
                ending = self._ending(system, error) or "failed"
                runs.close_run(conn, plan.run, ending, self._store.now(), str(error))
            raise
        return self.settle(plan.run)

    def any_due(self, entity: str) -> bool:
        """Whether records of that entity wait for a distribution to some system."""
        return self.waits(entity)

    def waits(self, entity: str, *, besides: str | None = None) -> bool:
        """Whether a distribution of that entity, to another system than `besides`, has work and may begin."""
        flow = self._wiring.project.flow(entity)
        others = [system for system in flow.active_distribute() if system != besides]
        return any(
            not self._wiring.gate(system).shut
            and self._may_begin(flow, DISTRIBUTE, system)
            and self._has_work(entity, system)
            for system in others
        )

    def _has_work(self, entity: str, system: str) -> bool:
        now, names = self._store.now(), [mapper.kept_as for mapper in self._wiring.in_force(entity, system)]
        with self._store.reading() as conn:
            place = int(cursors.get_cursor(conn, entity, system, DISTRIBUTE) or 0)
            return journal.last_seq(conn, entity) > place or distributions.any_due(conn, entity, system, now, names)

    def _work_off(self, system: str) -> None:
        self._asked.setdefault(system, set()).update(inbox.work_off(self._store, self._wiring, system))

    def _read(
        self,
        flow: FlowConfig,
        row: RowMapping,
        lease: leases.Lease,
        partition: str,
        progress: Progress | None,
        allowed: int,
    ) -> None:
        entity, kind, system, run = row["entity"], row["kind"], row["system"], row["id"]
        jobs = self._wiring.capture_jobs(flow, system, run=run, kind=kind, partition=partition, allowed=allowed)
        jobs = [self._as_begun(job, row["mapping"].split(",")) for job in jobs]
        first_load = jobs[0].first_load
        if first_load and kind == CAPTURE:
            self._baselines(flow, system, lease)
        with self._store.writing() as conn:
            self._wiring.remember(conn, [job.mapper for job in jobs])
        if jobs[0].rules:
            know_values(self._store, lease, jobs[0])
        capture = Capture(self._store, lease, jobs, progress)
        capture.run(inbox=kind == CAPTURE)
        if kind == SWEEP:
            finish_sweep(self._store, lease, jobs[0], begun=row["started"])
            capture.drain_inbox()
        if first_load or kind == SWEEP:
            read = [(job.mapper.name, job.mapper.version) for job in jobs]
            with self._store.writing("in_force") as conn:
                leases.prove(conn, lease, self._store.now())
                versions.put_in_force(conn, entity, system, read, self._store.now())

    def _as_begun(self, job: CaptureJob, versions: Sequence[str]) -> CaptureJob:
        """The job with the mapping as it was when the run was planned, whatever became of its file since."""
        if job.mapper.version in versions:
            return job
        then = [found for found in map(self._wiring.version, filter(None, versions)) if found is not None]
        mapper = next((one for one in then if one.name == job.mapper.name), None)
        return (
            job
            if mapper is None
            else replace(job, mapper=mapper.with_schema(self._wiring.schema(job.system, mapper.native)))
        )

    def _may_begin(self, flow: FlowConfig, kind: str, system: str) -> bool:
        """Whether other systems have said first what they have to say.

        Nothing born elsewhere travels before the first load of the system named by `first`; nothing is written to a system
        that is captured too before its own first load: a record might be there already. What refers to other records is first
        loaded after those: else one company is two, and no contact of the one is recognised in the other.
        """
        captured = flow.active_capture()
        if len(captured) < 2:
            return True
        if system in captured and not self._wiring.loaded(flow, system):
            before = self._wiring.awaited(flow, system) if kind in (CAPTURE, SWEEP) else ()
            if kind == DISTRIBUTE or not all(self._wiring.loaded(other, system) for other in before):
                return False
        return flow.first in (None, system) or flow.first not in captured or self._wiring.loaded(flow, str(flow.first))

    def _baselines(self, flow: FlowConfig, system: str, lease: leases.Lease) -> None:
        """Before a first load reads everything: note the children, so that a later change shows."""
        for source in flow.active_capture()[system].watch:
            with self._store.reading() as conn:
                there = sweeps.has_baseline(conn, flow.flow, system, source)
            if not there:
                Watch(self._store, lease, self._wiring.watch_job(flow, system, source, run=0, baseline=True)).run()

    def _stopped(self, row: RowMapping, error: HubError) -> None:
        """Write down why a run stopped; one that is to wait, or for somebody to confirm, is over."""
        ending = self._ending(row["system"], error)
        with self._store.writing() as conn:
            if ending is None:
                runs.note(conn, row["id"], str(error))
                return
            runs.close_run(conn, row["id"], ending, self._store.now(), str(error))
            if row["kind"] == SWEEP:
                sweeps.forget(conn, row["id"])
                cursors.drop_cursors(conn, row["entity"], row["system"], SWEEP)

    def _ending(self, system: str, error: HubError) -> str | None:
        away = isinstance(error, TransientError) and self._wiring.gate(system).shut
        if isinstance(error, Postponed) or away:
            return POSTPONED
        return BRAKED if isinstance(error, Braked) else None

    def _run_row(self, run: int) -> RowMapping:
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


def _why(row: RowMapping, *, met: bool) -> str:
    name = f"{row['entity']}.{row['kind']}.{row['system']} run {row['id']}"
    if not met:
        return f"{name}: the sums do not meet: {row['counts']}; the systems lost nothing: run a sweep, and keep this run's log"
    cause = f"{row['message']}; " if row["message"] else ""
    return f"{name}: {cause}partitions {row['open_partitions']} were not finished; the next run goes on from their last page"
