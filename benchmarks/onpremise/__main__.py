"""`python -m benchmarks.onpremise [PARTNERS]`: partners written by messages that are confirmed later, if at all.

Companies register in the simulated shop and change their phone numbers; S/4HANA takes them by replication messages. Its
confirmations are lost, late, doubled, out of order or never come, some messages are overtaken by another sender's, some are
refused. A checker that reads the two systems alone counts. Writes `build/reports/onpremise.json`.
"""

import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.onpremise.play import Played, Story
from benchmarks.onpremise.systems import installation
from benchmarks.reporting import write_report

PARTNERS, BASE = 500, 20
BEFELL = (
    "confirm_lost",
    "confirm_late",
    "confirm_doubled",
    "confirm_out_of_order",
    "confirm_never",
    "partners_overtaken",
)


def figures(played: Played, count: int) -> dict[str, Any]:
    """The report's figures."""
    found, befell = played.found, played.befell
    return {
        "partners": count,
        "confirmed": befell["confirmations_sent"],
        "lost": befell["confirm_lost"],
        "late": befell["confirm_late"],
        "doubled": befell["confirm_doubled"],
        "out_of_order": befell["confirm_out_of_order"],
        "overtaken": befell["partners_overtaken"],
        "never": befell["confirm_never"],
        "refused": played.refused,
        "held": played.held,
        "in_doubt_settled": played.in_doubt_settled,
        "lost_partners": len(found.lost),
        "doubled_partners": len(found.doubled),
        "wrong": len(mistakes(played, count)),
        "states": dict(played.states),
        "messages": dict(played.messages),
        "requests": befell["requests_processed"],
        "repeated": befell["requests_repeated"],
    }


def mistakes(played: Played, count: int) -> list[str]:
    """What is not as it must be, in words."""
    wrong = [*played.found.mistakes, *played.wrong]
    if (played.found.partners, played.found.created) != (count, count):
        wrong.append(f"{count} partners, {played.found.partners} stand, {played.found.created} were created")
    open_states = {name: n for name, n in played.states.items() if name not in ("written", "unchanged")}
    if open_states or sum(played.states.values()) != count:
        wrong.append(f"states {dict(played.states)}")
    wrong += [f"nothing befell: {name}" for name in BEFELL if not played.befell[name]]
    if not played.in_doubt_settled or not played.held or not played.refused:
        wrong.append(f"{played.in_doubt_settled} in doubt, {played.held} held, {played.refused} refused: too few")
    return wrong


def main(count: int = PARTNERS) -> int:
    """Play, write the report; 0 when every partner stands once and as it must."""
    started, folder = datetime.now(UTC), Path(tempfile.mkdtemp(prefix="l2c-onpremise-"))
    with installation(folder, partners=BASE) as place:
        played = Story(place, count).play()
    wrong = mistakes(played, count)
    found = figures(played, count)
    write_report("onpremise", found, started=started, seconds=played.seconds, ok=not wrong)
    print(json.dumps(found, indent=2))
    for line in wrong[:20]:
        print(f"wrong: {line}")
    if wrong:
        print(f"{len(wrong)} things are wrong; the state is kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
