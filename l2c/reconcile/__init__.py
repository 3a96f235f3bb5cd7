"""Reconcile: what the systems really hold, read from all sides, compared through the mappings.

Every record ends in exactly one class: in each system, and as a whole. Nothing is written anywhere; a difference on first
sight is looked at twice, so that what is in motion is not reported.
"""

from l2c.reconcile.results import CLASSES, WRONG, Finding, Reconciled
from l2c.reconcile.work import reconcile

__all__ = ["CLASSES", "WRONG", "Finding", "Reconciled", "reconcile"]
