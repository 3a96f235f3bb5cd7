"""What stands between a connector and its system: whether a request may go out now, and what came of it."""

import time
from typing import Protocol


class Gate(Protocol):
    """Asked before and told after every HTTP request to one system; safe to use from several threads."""

    @property
    def longest_wait_s(self) -> float:
        """The longest wait a system may ask for that is waited for inside a run."""
        ...

    def enter(self) -> None:
        """Before a request: waits for its turn; Postponed or AuthError when none may go out now."""
        ...

    def answered(self, status: int, *, write: bool, wait_s: float | None) -> None:
        """The system answered; `wait_s` is what it asked to wait, if it did. Postponed when that is longer than a run waits."""
        ...

    def failed(self, reason: str, *, write: bool) -> None:
        """No (whole) answer came."""
        ...

    def refused(self) -> None:
        """The system refused the credentials, and there are no others."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait inside the run; Postponed when the run has waited long enough."""
        ...


class OpenGate:
    """Lets everything through: what a connector has that nobody guards."""

    longest_wait_s = 5.0

    def enter(self) -> None:
        """At once."""

    def answered(self, status: int, *, write: bool, wait_s: float | None) -> None:
        """Nothing comes of it."""

    def failed(self, reason: str, *, write: bool) -> None:
        """Nothing comes of it."""

    def refused(self) -> None:
        """Nothing comes of it."""

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
