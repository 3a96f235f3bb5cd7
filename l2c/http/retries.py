"""The only retry loop in the project: tenacity over classified outcomes, seconds long."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from l2c.errors import Postponed, TransientError
from l2c.http.faults import AnswerLost

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long one call is tried again inside the process; longer waits belong to the scheduler.

    A wait the system asks for is honoured up to `longest_asked_s`; a longer one ends the call at once with its `retry_after`.
    A request that may have acted is never repeated.
    """

    attempts: int = 3
    first_wait_s: float = 0.3
    max_wait_s: float = 5.0
    longest_asked_s: float = 5.0
    sleep: Callable[[float], None] = time.sleep

    def run(self, call: Callable[[], T]) -> T:
        """What `call` returns, or its last error."""
        return Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            retry=retry_if_exception(self._again),
            sleep=self.sleep,
            reraise=True,
        )(call)

    def _again(self, error: BaseException) -> bool:
        if not isinstance(error, TransientError) or isinstance(error, (AnswerLost, Postponed)):
            return False
        return error.retry_after is None or error.retry_after <= self.longest_asked_s

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None:
            return asked
        longest: float = min(self.first_wait_s * 2 ** (state.attempt_number - 1), self.max_wait_s)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  (jitter, not a secret)
