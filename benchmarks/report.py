"""Ratios, limits, the table on the screen and `build/reports/bench.json`."""

import statistics
from datetime import datetime
from typing import Any

from benchmarks.home import BATCH, PAGE
from benchmarks.reporting import write_report

LIMITS = {
    "mapping_vs_hand": 1.2,
    "capture_vs_floor": 1.8,
    "distribute_vs_floor": 1.2,
    "both_vs_floor": 3.0,
    "memory_100k_vs_10k_capture": 1.2,
    "memory_100k_vs_10k_distribute": 1.2,
}
SERVER_SHARE = 0.15
"""The server must not be what limits a run: its CPU by the wall time of the work."""

Round = dict[str, dict[str, Any]]
PAIRS = {
    "mapping_vs_hand": (("mapped_read", "mapped_write"), ("hand_read", "hand_write")),
    "mapping_read_vs_hand": (("mapped_read",), ("hand_read",)),
    "mapping_write_vs_hand": (("mapped_write",), ("hand_write",)),
    "capture_vs_floor": (("capture",), ("floor",)),
    "distribute_vs_floor": (("distribute",), ("floor",)),
    "both_vs_floor": (("both",), ("floor",)),
}
"""Each ratio: the runs above the line and those below it."""


def figures(rounds: list[Round], peaks: dict[str, dict[int, int]], *, records: int) -> tuple[dict[str, Any], list[str]]:
    """The figures of the report and what misses its limit, in words."""
    ratios: dict[str, dict[str, float]] = {}
    for name, (above, below) in PAIRS.items():
        for unit, ending in (("cpu", ""), ("wall", "_wall")):
            ratios[name + ending] = _spread(
                [sum(r[k][unit] for k in above) / sum(r[k][unit] for k in below) for r in rounds]
            )
    for step, by_size in peaks.items():
        small, large = sorted(by_size)
        ratios[f"memory_100k_vs_10k_{step}"] = _spread([by_size[large] / by_size[small]])
    shares = {kind: _server_share(rounds, kind) for kind in ("floor", "capture", "distribute", "both")}
    found = {
        "n": records,
        "page": PAGE,
        "batch": BATCH,
        "rounds": len(rounds),
        "server_share": max(shares.values()),
        "server_shares": shares,
        "ratios": ratios,
        "cpu_us_per_record": _per_record(rounds, "cpu"),
        "wall_us_per_record": _per_record(rounds, "wall"),
        "peak_mib": {
            f"{step}_{size}": round(kib / 1024, 1) for step, sizes in peaks.items() for size, kib in sizes.items()
        },
        "limits": LIMITS,
    }
    missed = [
        f"{name} {ratios[name]['median']} > {most}" for name, most in LIMITS.items() if ratios[name]["median"] > most
    ]
    if found["server_share"] > SERVER_SHARE:
        missed.append(f"server_share {found['server_share']} > {SERVER_SHARE}")
    return found, missed


def show(found: dict[str, Any], missed: list[str]) -> None:
    """The table a person reads."""
    print(f"\n{found['n']} records, page {PAGE}, batch {BATCH}, one writer, SQLite; median of {found['rounds']} rounds")
    print(f"{'ratio':32} {'CPU':>6} {'min':>6} {'max':>6} {'limit':>6} {'wall':>6}")
    for name, value in found["ratios"].items():
        if name.endswith("_wall"):
            continue
        wall = found["ratios"].get(f"{name}_wall", {}).get("median", "")
        line = f"{name:32} {value['median']:6} {value['min']:6} {value['max']:6} {LIMITS.get(name, ''):>6} {wall:>6}"
        print(line)
    print(f"{'CPU, us a record':32} " + ", ".join(f"{k} {v}" for k, v in found["cpu_us_per_record"].items()))
    print(f"{'peak memory, MiB':32} " + ", ".join(f"{k} {v}" for k, v in found["peak_mib"].items()))
    print(f"{'server CPU by wall':32} {found['server_share']} (at most {SERVER_SHARE})")
    print("\n".join(f"missed: {text}" for text in missed) if missed else "every limit is kept")


def write(found: dict[str, Any], missed: list[str], *, started: datetime, seconds: float) -> None:
    """`build/reports/bench.json`."""
    write_report("bench", found, started=started, seconds=seconds, ok=not missed)


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def _server_share(rounds: list[Round], kind: str) -> float:
    return round(sum(r[kind]["server_cpu"] for r in rounds) / sum(r[kind]["wall"] for r in rounds), 3)


def _per_record(rounds: list[Round], unit: str) -> dict[str, float]:
    return {
        kind: round(statistics.median(r[kind][unit] / r[kind]["records"] * 1e6 for r in rounds), 2)
        for kind in rounds[0]
    }
