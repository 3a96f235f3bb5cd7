"""Checks of what a connector does when the system fails or refuses."""

import traceback
from collections.abc import Callable, Iterator, Sequence

from l2c.contract.conformance.reading import pages
from l2c.contract.conformance.rig import Broken, Fault, Operation, Trial
from l2c.contract.conformance.writing import write
from l2c.contract.connector import Connector
from l2c.contract.records import Outcome, Status
from l2c.errors import AuthError, HubError, TransientError

UNDECIDED = frozenset({Status.FAILED, Status.UNKNOWN})


def timeout_is_transient(trial: Trial) -> None:
    """A system that does not answer in time is a TransientError on read, and an undecided outcome on write."""
    _read_is_transient(trial, Fault.TIMEOUT)
    outcomes, _ = _write_under(trial, Fault.TIMEOUT)
    # the system may act yet: only a key makes it harmless to call that a failure
    allowed = UNDECIDED if trial.schema.safe_by == "key" else {Status.UNKNOWN}
    if isinstance(outcomes, TransientError):
        raise Broken("a write without an answer raises as if nothing was sent")
    for outcome in outcomes:
        if outcome.status not in allowed:
            raise Broken(f"a write without an answer ends as {outcome.status}")


def server_error_is_transient(trial: Trial) -> None:
    """A 5xx is a TransientError on read, never a refusal on write."""
    _read_is_transient(trial, Fault.SERVER_ERROR)
    _write_is_undecided(trial, Fault.SERVER_ERROR)


def busy_is_transient(trial: Trial) -> None:
    """A 429 is transient for read and write, and carries the wait the system asked for."""
    error = _read_is_transient(trial, Fault.BUSY)
    written = _write_is_undecided(trial, Fault.BUSY)
    waits = [written.retry_after] if isinstance(written, TransientError) else [one.retry_after for one in written]
    if None in (error.retry_after, *waits):
        raise Broken("the wait the system asked for is not in retry_after")


def _read_is_transient(trial: Trial, fault: Fault) -> TransientError:
    trial.rig.fault(fault, Operation.READ)
    try:
        error = _error_of(lambda: list(pages(trial)))
    finally:
        trial.rig.heal()
    if not isinstance(error, TransientError):
        raise Broken(f"{fault} while reading ends as {type(error).__name__ if error else 'a success'}")
    return error


def _write_is_undecided(trial: Trial, fault: Fault) -> Sequence[Outcome] | TransientError:
    written, created = _write_under(trial, fault)
    for outcome in () if isinstance(written, TransientError) else written:
        if outcome.status not in UNDECIDED:
            raise Broken(f"{fault} while writing ends as {outcome.status}")
    if created:
        raise Broken(f"{fault} while writing, and yet {created} records were created")
    return written


def _write_under(trial: Trial, fault: Fault) -> tuple[Sequence[Outcome] | TransientError, int]:
    """What sending two creates under a fault gives, and how many records it made."""
    rig = trial.rig
    prepared = trial.connector.prepare(rig.entity, [rig.new(f"{fault} 1"), rig.new(f"{fault} 2")])
    before = len(rig.native_keys())
    written: Sequence[Outcome] | TransientError
    rig.fault(fault, Operation.WRITE)
    try:
        written = trial.connector.send(prepared)
    except TransientError as error:
        written = error
    except HubError as error:
        raise Broken(f"{fault} while writing ends as {type(error).__name__}: {error}") from error
    finally:
        rig.heal()
    return written, len(rig.native_keys()) - before


def bad_credentials_are_an_auth_error(trial: Trial) -> None:
    """Credentials the system refuses are an AuthError on read and write; `check` says so and raises nothing."""
    with_bad = trial.kind(trial.rig.system(good_credentials=False), trial.rig.settings())
    try:
        for name, call in _attempts(with_bad, trial).items():
            error = _error_of(call)
            if not isinstance(error, AuthError):
                raise Broken(f"{name} with bad credentials ends as {type(error).__name__ if error else 'a success'}")
        try:
            health = with_bad.check()
        except HubError as error:
            raise Broken(f"check raises {type(error).__name__} instead of saying so") from error
        if health.ok:
            raise Broken("check says ok with bad credentials")
    finally:
        with_bad.close()


def keeps_secrets(trial: Trial) -> None:
    """No error, nor what caused it, no outcome, no request shown and no health message holds a secret."""
    for where, text in _texts(trial):
        if any(secret in text for secret in trial.rig.secrets):
            raise Broken(f"a secret stands in {where}")


def _texts(trial: Trial) -> Iterator[tuple[str, str]]:
    rig, connector = trial.rig, trial.connector
    with_bad = trial.kind(rig.system(good_credentials=False), rig.settings())
    try:
        for name, call in _attempts(with_bad, trial).items():
            yield f"what {name} says with bad credentials", _said(call)
        yield "the health message with bad credentials", _said(with_bad.check)
        yield "the connector's repr", repr(with_bad)
    finally:
        with_bad.close()
    yield "the health message", _said(connector.check)
    yield "the prepared requests", repr(connector.prepare(rig.entity, [rig.new("secrets"), rig.bad()]))
    yield "the outcome of a bad record", _said(lambda: write(connector, rig.entity, [rig.bad()]))
    for fault in (Fault.SERVER_ERROR, Fault.BUSY):
        for operation in Operation:
            attempt = _attempts(connector, trial)[operation]
            rig.fault(fault, operation)
            try:
                said = _said(attempt)
            finally:
                rig.heal()
            yield f"what a {operation} that ends in {fault} says", said


def _attempts(connector: Connector, trial: Trial) -> dict[str, Callable[[], object]]:
    rig = trial.rig
    return {
        "read": lambda: next(iter(connector.read(rig.entity, since=None, page_size=rig.page_size, fields=rig.fields))),
        "write": lambda: write(connector, rig.entity, [rig.new("bad credentials")]),
    }


def _error_of(call: Callable[[], object]) -> HubError | None:
    try:
        call()
    except HubError as error:
        return error
    return None


def _said(call: Callable[[], object]) -> str:
    try:
        return repr(call())
    except HubError as error:
        return "".join(traceback.format_exception(error)) + repr(vars(error))
