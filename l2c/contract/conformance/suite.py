"""Runs the checks over one connector on its rig."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points

from pydantic import BaseModel

from l2c.contract.conformance import describing, failing, reading, writing
from l2c.contract.conformance.rig import Broken, NotApplicable, Rig, Trial
from l2c.contract.connector import Connector, System
from l2c.errors import ConfigError

GROUP = "l2c.connectors"


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"  # fails, for a reason the rig gives
    SKIPPED = "skipped"  # says nothing about this connector


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the contract: its name, and what tries it (its docstring says the promise)."""

    name: str
    run: Callable[[Trial], None]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended; `message` says what was seen, or why the check was waived or skipped."""

    check: str
    verdict: Verdict
    message: str = ""


CHECKS: tuple[Check, ...] = (
    Check("check.says_ok", describing.health),
    Check("describe.knows_every_field", describing.knows_every_field),
    Check("describe.names_the_near_miss", describing.names_the_near_miss),
    Check("read.terminates", reading.terminates),
    Check("read.never_repeats_a_page", reading.never_repeats_a_page),
    Check("read.shows_every_record", reading.shows_every_record),
    Check("read.in_change_order", reading.in_change_order),
    Check("read.resumes_anywhere", reading.resumes_anywhere),
    Check("read.sees_changes_made_meanwhile", reading.sees_changes_made_meanwhile),
    Check("read.partitions_cover", reading.partitions_cover),
    Check("read.plain_values", reading.plain_values),
    Check("fetch.says_what_is_gone", reading.fetch_says_what_is_gone),
    Check("prepare.sends_nothing", writing.prepare_sends_nothing),
    Check("send.one_outcome_a_change", writing.one_outcome_a_change),
    Check("send.writes_the_change", writing.writes_the_change),
    Check("send.rejects_a_bad_record_alone", writing.rejects_a_bad_record_alone),
    Check("send.twice_is_once", writing.twice_is_once),
    Check("send.lost_answer_is_looked_up", writing.lost_answer_is_looked_up),
    Check("send.moved_target_is_a_conflict", writing.moved_target_is_a_conflict),
    Check("fail.timeout_is_transient", failing.timeout_is_transient),
    Check("fail.busy_is_transient", failing.busy_is_transient),
    Check("fail.server_error_is_transient", failing.server_error_is_transient),
    Check("fail.bad_credentials_are_an_auth_error", failing.bad_credentials_are_an_auth_error),
    Check("fail.keeps_secrets", failing.keeps_secrets),
)


def registered() -> Mapping[str, type[Connector]]:
    """Every installed connector by kind, loaded from the entry point group `l2c.connectors`."""
    return {point.name: point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def run(
    kind: Callable[[System, BaseModel], Connector], rig: Rig, checks: Sequence[Check] = CHECKS
) -> Sequence[CheckResult]:
    """One result a check, in order; the rig's records are changed on the way.

    A waived check is run all the same: a waiver whose check passes is a failure, so that no waiver outlives its reason.
    """
    _refuse_empty_waivers(rig)
    connector = kind(rig.system(), rig.settings())
    try:
        if len(rig.native_keys()) < 4 * rig.page_size:
            raise ConfigError(f"conformance: the rig holds {len(rig.native_keys())} records, fewer than four pages")
        trial = Trial(kind, rig, connector, connector.describe(rig.entity))
        return [_judge(check, trial) for check in checks]
    finally:
        connector.close()


def _refuse_empty_waivers(rig: Rig) -> None:
    known = {check.name for check in CHECKS}
    mistakes = [f"conformance: waiver for unknown check '{name}'" for name in rig.waivers if name not in known]
    mistakes += [
        f"conformance: waiver for '{name}' gives no reason" for name, why in rig.waivers.items() if not why.strip()
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _judge(check: Check, trial: Trial) -> CheckResult:
    reason = trial.rig.waivers.get(check.name)
    seen = _breach(check, trial)
    if isinstance(seen, NotApplicable):
        return CheckResult(check.name, Verdict.SKIPPED, str(seen))
    if reason is None:
        return CheckResult(check.name, Verdict.FAILED, _text(seen)) if seen else CheckResult(check.name, Verdict.PASSED)
    if seen is None:
        return CheckResult(check.name, Verdict.FAILED, f"waived ({reason}) and yet it passes: take the waiver away")
    return CheckResult(check.name, Verdict.WAIVED, f"{reason}; seen: {_text(seen)}")


def _breach(check: Check, trial: Trial) -> Exception | None:
    try:
        check.run(trial)
    except Exception as error:  # noqa: BLE001 - whatever a connector raises where it should not is the finding
        return error
    finally:
        trial.rig.heal()
    return None


def _text(error: Exception | None) -> str:
    return str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
