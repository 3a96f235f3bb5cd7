"""Every installed connector passes the conformance suite on every rig of its kind."""

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest

from l2c.contract.conformance import CHECKS, CheckResult, Rig, Verdict, registered, run


def rigs_of(kind: str) -> Mapping[str, Any]:
    """The rigs of a kind by profile, from `tests/contract/rigs/<kind>.py`."""
    found: Mapping[str, Any] = importlib.import_module(f"tests.contract.rigs.{kind}").RIGS
    return found


SUBJECTS = [(kind, profile) for kind in registered() for profile in rigs_of(kind)]


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda subject: "-".join(filter(None, subject)))
def results(request) -> Mapping[str, CheckResult]:
    kind, profile = request.param
    rig: AbstractContextManager[Rig] = rigs_of(kind)[profile]()
    with rig as ready:
        return {result.check: result for result in run(registered()[kind], ready)}


@pytest.mark.parametrize("check", [check.name for check in CHECKS])
def test_a_registered_connector_keeps_the_promise(results, check):
    result = results[check]
    if result.verdict is Verdict.SKIPPED:
        pytest.skip(result.message)
    if result.verdict is Verdict.WAIVED:
        pytest.skip(f"waived: {result.message}")
    assert result.verdict is Verdict.PASSED, result.message
