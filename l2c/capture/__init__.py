"""Capture: system → journal. Reads pages, maps them, keeps only real changes, one transaction a page.

Every record read ends in exactly one state: journaled, unchanged, filtered, ambiguous, to_fetch_again or dead_letter.
The cursor moves in the transaction that settles its page, so a killed capture goes on where it was.
"""

from l2c.capture.job import WHOLE, CaptureJob
from l2c.capture.merge import Merged, Merger, Sight
from l2c.capture.owners import Owner, Owners
from l2c.capture.reading import Capture, finish_sweep, know_values
from l2c.capture.watch import Watch, WatchJob
from l2c.state.recognition import Rule

__all__ = [
    "WHOLE",
    "Capture",
    "CaptureJob",
    "Merged",
    "Merger",
    "Owner",
    "Owners",
    "Rule",
    "Sight",
    "Watch",
    "WatchJob",
    "finish_sweep",
    "know_values",
]
