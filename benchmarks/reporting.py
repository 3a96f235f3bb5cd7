"""The report each benchmark and rig leaves behind."""

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchmarks.home import ROOT


def write_report(name: str, figures: Mapping[str, Any], *, started: datetime, seconds: float, ok: bool) -> None:
    """`build/reports/<name>.json`, with the commit it was measured at."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    report = {
        "name": name,
        "commit": commit.stdout.strip(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "ok": ok,
        "figures": figures,
    }
    place = ROOT / "build" / "reports" / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
