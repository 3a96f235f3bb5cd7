"""What every connector must pass: a library of checks for any connector and any system that can be rigged.

`run(kind, rig)` tries each promise of the contract and returns one result a check; `registered()` finds the installed
connectors. A rig is a running system with strings to pull: see `Rig`.
"""

from l2c.contract.conformance.rig import Broken, Fault, NotApplicable, Operation, Rig, Trial
from l2c.contract.conformance.suite import CHECKS, Check, CheckResult, Verdict, registered, run

__all__ = [
    "CHECKS",
    "Broken",
    "Check",
    "CheckResult",
    "Fault",
    "NotApplicable",
    "Operation",
    "Rig",
    "Trial",
    "Verdict",
    "registered",
    "run",
]
