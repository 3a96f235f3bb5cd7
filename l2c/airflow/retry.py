"""Which failures of a task are worth another try: decided by the class of the error, never by its text."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from l2c.errors import HubError, TransientError


class HubRetryPolicy(ExceptionRetryPolicy):  # type: ignore[misc]  # airflow ships no types for mypy to follow
    """TransientError is tried again, after the wait the system asked for; every other HubError fails at once.

    Anything else (a killed worker, a lost database) follows the task's plain retry settings.
    """

    def __init__(self) -> None:
        super().__init__(
            rules=[
                RetryRule(exception=TransientError, action=RetryAction.RETRY),
                RetryRule(exception=HubError, action=RetryAction.FAIL),
            ]
        )

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """The decision, with the error's own message as its reason."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        if not isinstance(exception, HubError):
            return decision
        wait = exception.retry_after if isinstance(exception, TransientError) else None
        delay = timedelta(seconds=wait) if wait else None
        return RetryDecision(action=decision.action, retry_delay=delay, reason=exception.message)
