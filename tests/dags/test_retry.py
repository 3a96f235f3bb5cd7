"""The class of an error decides whether a task is tried again."""

from datetime import timedelta

import pytest

from l2c.errors import (
    AuthError,
    ConfigError,
    HubError,
    LeaseLost,
    ProtocolError,
    RecordRejected,
    SumsDiffer,
    TransientError,
)


def decide(error: BaseException):
    from l2c.airflow.retry import HubRetryPolicy

    return HubRetryPolicy().evaluate(error, try_number=1, max_tries=4)


def action(error: BaseException) -> str:
    return decide(error).action.value


@pytest.mark.parametrize(
    "error",
    [
        AuthError("s4hana refused the user"),
        ConfigError(["a.yaml:1:1: one", "a.yaml:2:1: two"]),
        ProtocolError("commerce answered HTML"),
        SumsDiffer("the sums do not meet"),
        LeaseLost("another process took over"),
        RecordRejected([("name", "is missing")]),
        HubError("anything else"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_waiting_does_not_mend_fails_at_once_and_says_why(error: HubError) -> None:
    decision = decide(error)
    assert decision.action.value == "fail"
    assert decision.reason == error.message


def test_a_busy_system_is_tried_again_after_the_wait_it_asked_for() -> None:
    decision = decide(TransientError("commerce is busy", retry_after=42.0))
    assert decision.action.value == "retry"
    assert decision.retry_delay == timedelta(seconds=42)
    assert decision.reason == "commerce is busy"


def test_without_a_wished_wait_the_tasks_own_delay_counts() -> None:
    decision = decide(TransientError("connection refused"))
    assert (decision.action.value, decision.retry_delay) == ("retry", None)


def test_an_error_that_is_not_the_hubs_follows_the_tasks_plain_settings() -> None:
    assert action(OSError("disk full")) == "default"


def test_every_error_of_the_tree_but_transient_is_final() -> None:
    def tree(kind: type[HubError]):
        yield kind
        for one in kind.__subclasses__():
            yield from tree(one)

    def made(kind: type[HubError]) -> HubError:
        error = kind.__new__(kind)  # their constructors differ
        error.__dict__.update(message="", retry_after=None)
        return error

    again = {kind for kind in tree(HubError) if action(made(kind)) != "fail"}
    assert again == set(tree(TransientError))


def test_the_policy_survives_the_way_to_the_scheduler() -> None:
    from airflow.sdk import ExceptionRetryPolicy

    from l2c.airflow.retry import HubRetryPolicy

    back = ExceptionRetryPolicy.deserialize(HubRetryPolicy().serialize())
    assert [back.evaluate(error, 1, 4).action.value for error in (TransientError("x"), AuthError("x"))] == [
        "retry",
        "fail",
    ]
