"""The conformance suite passes a correct connector and finds each deliberate fault with the one check meant for it."""

from dataclasses import replace

import pytest

from l2c.contract.conformance import CHECKS, CheckResult, Verdict, run
from l2c.errors import ConfigError
from tests.contract.faulty.connectors import Faulty, SwallowsAConflict, all_faulty
from tests.contract.faulty.memory import MemoryConnector, MemoryRig


def failed(results: list[CheckResult] | tuple[CheckResult, ...]) -> list[str]:
    return [result.check for result in results if result.verdict is Verdict.FAILED]


def test_a_correct_connector_passes_every_check():
    results = run(MemoryConnector, MemoryRig())
    assert [result for result in results if result.verdict is not Verdict.PASSED] == []
    assert [result.check for result in results] == [check.name for check in CHECKS]


@pytest.mark.parametrize("kind", all_faulty(), ids=lambda kind: kind.__name__)
def test_a_faulty_connector_fails_exactly_the_check_meant_for_its_fault(kind: type[Faulty]):
    results = run(kind, MemoryRig())
    assert failed(results) == [kind.fails], [result for result in results if result.verdict is Verdict.FAILED]


def test_every_check_is_failed_by_some_faulty_connector():
    assert {kind.fails for kind in all_faulty()} == {check.name for check in CHECKS}


def test_a_waived_check_carries_its_reason_and_what_was_seen():
    check = SwallowsAConflict.fails
    results = run(SwallowsAConflict, MemoryRig(waivers={check: "the system knows no ETag"}))
    waived = [result for result in results if result.verdict is Verdict.WAIVED]
    assert failed(results) == []
    assert [result.check for result in waived] == [check]
    assert "the system knows no ETag" in waived[0].message
    assert "the outcome is updated" in waived[0].message


def test_a_waiver_that_is_no_longer_needed_is_a_failure():
    check = SwallowsAConflict.fails
    assert failed(run(MemoryConnector, MemoryRig(waivers={check: "the system knows no ETag"}))) == [check]


@pytest.mark.parametrize("waivers", [{"read.terminates": " "}, {"read.ends": "a reason"}])
def test_a_waiver_without_reason_or_for_no_check_is_refused(waivers):
    with pytest.raises(ConfigError, match="conformance: waiver for"):
        run(MemoryConnector, MemoryRig(waivers=waivers))


def test_a_rig_with_too_few_records_is_refused():
    with pytest.raises(ConfigError, match="fewer than four pages"):
        run(MemoryConnector, MemoryRig(page_size=10))


def test_a_check_that_does_not_apply_says_why():
    class Plain(MemoryConnector):
        def describe(self, entity):
            return replace(super().describe(entity), delta="none", safe_by="none")

    skipped = {result.check: result.message for result in run(Plain, MemoryRig()) if result.verdict is Verdict.SKIPPED}
    assert skipped["read.resumes_anywhere"] == "delta is 'none'"
    assert skipped["send.twice_is_once"] == "safe_by is 'none'"
