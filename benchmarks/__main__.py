"""`make bench`: interleaved rounds, a process for every run, medians; writes `build/reports/bench.json`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.home import PAGE, ROOT, environment, make_home
from benchmarks.prepare import prepared

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
RECORDS = 20_000
MAPPED = 60_000  # mapping alone is quick: longer runs vary less
SMALL, LARGE = 10_000, 100_000
COPIES = ("floor", "capture", "distribute", "both")
MAPPINGS = ("hand_read", "mapped_read", "hand_write", "mapped_write")


class Bench:
    """The replay server, the hub's folder, and one child process after the other."""

    def __init__(self, recording: Path, work: Path) -> None:
        self.recording = recording
        self.work = work
        self.home = make_home(work / "home")
        command = [sys.executable, "-m", "benchmarks.replay", str(recording)]
        self.server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        line = self.server.stdout.readline() if self.server.stdout else b""
        if not line:
            raise SystemExit("the replay server did not start")
        self.port = json.loads(line)["port"]

    def close(self) -> None:
        """End the server."""
        self.server.terminate()
        self.server.wait(timeout=20)
        if self.server.stdout:
            self.server.stdout.close()

    def run(self, kind: str, records: int, database: Path | None = None) -> dict[str, Any]:
        """One child; the server's share and the counts checked on both sides go with its figures."""
        self._ask(f"begin?pages={-(-records // PAGE)}")
        database = database or self.fresh("state")
        command = [sys.executable, "-m", "benchmarks.jobs", kind, str(self.port), str(records), str(self.recording)]
        child = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(self.home, database, self.port),
            stdout=subprocess.PIPE,
            check=False,
            timeout=600,
        )
        if child.returncode:
            raise SystemExit(f"the run '{kind}' of {records} records failed")
        found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
        served = self._ask("stats")
        found.update(kind=kind, records=records, server_cpu=served["cpu"], served=served)
        _check(found)
        return found

    def fresh(self, name: str) -> Path:
        """A place for a state store, empty."""
        for left in self.work.glob(f"{name}.db*"):
            left.unlink()
        return self.work / f"{name}.db"

    def copy_of(self, database: Path) -> Path:
        """A state store to be used up."""
        place = self.fresh("used")
        shutil.copyfile(database, place)
        return place

    def _ask(self, path: str) -> dict[str, Any]:
        import requests

        found: dict[str, Any] = requests.get(f"http://127.0.0.1:{self.port}/_bench/{path}", timeout=60).json()
        if found["unknown"]:
            raise SystemExit(f"the recording has no answer for {found['unknown']}")
        return found


def _check(run: dict[str, Any]) -> None:
    """Every record must have been read and written, by the child's own counts and by the server's."""
    kind, records, counts, served = run["kind"], run["records"], run["counts"], run["served"]
    wanted: dict[str, int] = {}
    if kind in ("floor", "capture", "both"):
        wanted["read"] = records
    if kind in ("capture", "both"):
        wanted["journaled"] = records
    if kind in ("floor", "distribute", "both"):
        wanted["written"] = records
        if served["rows"] != records:
            raise SystemExit(f"'{kind}': the server got {served['rows']} records instead of {records}")
    if kind in MAPPINGS:
        wanted["mapped"] = records
    for name, number in wanted.items():
        if counts.get(name) != number:
            raise SystemExit(f"'{kind}': {name} {counts.get(name)} instead of {number}: {counts}")


def rounds(bench: Bench, say: Any) -> list[dict[str, dict[str, Any]]]:
    """Every case once a round, in an order that moves on from round to round."""
    captured = bench.fresh("captured")
    bench.run("capture", RECORDS, captured)
    cases = [*COPIES, *MAPPINGS]
    results = []
    for number in range(ROUNDS):
        shift = number % len(cases)
        found: dict[str, dict[str, Any]] = {}
        for kind in cases[shift:] + cases[:shift]:
            database = bench.copy_of(captured) if kind == "distribute" else None
            found[kind] = bench.run(kind, MAPPED if kind in MAPPINGS else RECORDS, database)
        results.append(found)
        say(f"round {number + 1} of {ROUNDS}: " + ", ".join(f"{k} {found[k]['cpu']:.2f} s" for k in cases))
    return results


def memory(bench: Bench) -> dict[str, dict[int, int]]:
    """Peak memory of capture and distribution of 10,000 and of 100,000 records, KiB."""
    found: dict[str, dict[int, int]] = {"capture": {}, "distribute": {}}
    for records in (SMALL, LARGE):
        database = bench.fresh("memory")
        found["capture"][records] = bench.run("capture", records, database)["rss_kib"]
        found["distribute"][records] = bench.run("distribute", records, database)["rss_kib"]
    return found


def main() -> int:
    """Measure, print the table, write the report; 0 when every limit is kept."""
    started, begun = datetime.now(UTC), time.monotonic()
    recording = prepared(RECORDS)
    with tempfile.TemporaryDirectory(prefix="l2c-bench-") as work:
        bench = Bench(recording, Path(work))
        try:
            measured = rounds(bench, print)
            peaks = memory(bench)
        finally:
            bench.close()
    figures, missed = report.figures(measured, peaks, records=RECORDS)
    report.show(figures, missed)
    report.write(figures, missed, started=started, seconds=time.monotonic() - begun)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
