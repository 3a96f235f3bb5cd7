"""`python -m benchmarks.reconcile [PARTNERS]`: plant differences between two systems that agree, and let `l2c reconcile` find them.

Writes `build/reports/reconcile.json`. Both systems are processes of their own, the first load goes through the hub; what is
planted is done behind its back.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.home import ENTITY, ROOT, S4_SECRET, S4_USER, SHOP_SECRET, SHOP_USER, SOURCE, TARGET, make_home
from benchmarks.plants import System, after, before, garden, judged, moving
from benchmarks.reporting import write_report
from benchmarks.systems import running

PARTNERS = 50_000
EACH = 5  # of every kind
SHOWN = ("dead_letter", "equal_but_owned")
MOST_MB = 300


@contextmanager
def sandbox(system: str, folder: Path, *options: str) -> Iterator[System]:
    """A simulated system as a process."""
    with running(system, folder, *options) as url:
        yield System(url)


def environment(home: Path, database: Path, s4: System, shop: System) -> dict[str, str]:
    connections = {
        "L2C_CONNECTION_S4HANA": {"url": s4.url, "user": S4_USER, "secret": S4_SECRET},
        "L2C_CONNECTION_COMMERCE": {"url": shop.url, "user": SHOP_USER, "secret": SHOP_SECRET},
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("L2C_")},
        "L2C_HOME": str(home),
        "L2C_DATABASE_URL": f"sqlite:///{database}",
        **{name: json.dumps(value) for name, value in connections.items()},
    }


def command(env: dict[str, str], *words: str, expect: tuple[int, ...] = (0,)) -> str:
    """Run `l2c` to its end; what it answered."""
    run = "import sys; from l2c.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", run, *words], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in expect:
        raise SystemExit(f"l2c {' '.join(words)} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def reconcile(env: dict[str, str]) -> dict[str, Any]:
    shown = [word for name in SHOWN for word in ("--show", name)]
    answer: dict[str, Any] = json.loads(
        command(env, "reconcile", ENTITY, "--json", "--limit", "10000", *shown, expect=(0, 1))
    )
    return answer


def play(work: Path, partners: int, each: int, say: Any = print) -> dict[str, Any]:
    """Load, compare, plant, compare again; the figures and what was not as it should be."""
    home, database = make_home(work / "home"), work / "state.db"
    with sandbox("s4hana", work / "s4", "--partners", str(partners)) as s4, sandbox("commerce", work / "shop") as shop:
        env = environment(home, database, s4, shop)
        _replicate(env)
        clean = reconcile(env)
        say(f"clean: {clean['records']}, {clean['seconds']} s, {clean['peak_rss_mb']} MB")
        place = garden(s4, shop, database, seed=7)
        before(place, each)
        _replicate(env)
        after(place, each)
        moving(place, each * 4)
        answer = reconcile(env)
    found, lost, false = judged(answer, place.planted, clean)
    say(f"planted: {answer['records']}, {answer['seconds']} s, {answer['peak_rss_mb']} MB")
    for line in [*(f"not found: {one}" for one in lost), *(f"false: {one}" for one in false)]:
        say(line)
    return {
        "partners": partners,
        "planted": len(place.planted),
        "kinds": len({one.kind for one in place.planted}),
        "found": sum(found.values()),
        "false": len(false),
        "false_before_planting": sum(one["verdict"] != "dead_letter" for one in clean["findings"]),
        "dead_letters_before": clean["records"]["dead_letter"],
        "in_motion": each * 4,
        "looked_twice": answer["looked_twice"],
        "read": answer["read"],
        "seconds": answer["seconds"],
        "peak_rss_mb": answer["peak_rss_mb"],
        "found_by_kind": found,
        "classes": answer["records"],
    }


def _replicate(env: dict[str, str]) -> None:
    command(env, "capture", ENTITY, SOURCE)
    command(env, "distribute", ENTITY, TARGET, expect=(0, 1))


def main() -> int:
    """Play, write the report; 0 when every planted difference was found and nothing else."""
    partners = int(sys.argv[1]) if len(sys.argv) > 1 else PARTNERS
    started, begun = datetime.now(UTC), time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="l2c-reconcile-"))
    try:
        figures = play(work, partners, EACH)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    all_found = figures["found"] == figures["planted"] and figures["kinds"] == 8
    ok = (
        all_found and not figures["false"] and not figures["false_before_planting"] and figures["peak_rss_mb"] < MOST_MB
    )
    write_report("reconcile", figures, started=started, seconds=time.monotonic() - begun, ok=ok)
    print(json.dumps(figures, indent=2))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
