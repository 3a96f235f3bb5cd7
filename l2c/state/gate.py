"""The gate of one system: circuit breaker, waits it asked for and its rate, kept in the state store for all processes."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from l2c.contract import Health
from l2c.errors import AuthError, Postponed
from l2c.state import breakers
from l2c.state.breakers import CLOSED, LOCKED, OPEN, Breaker
from l2c.state.store import Store, from_ms

LOOK_MS = 2_000  # how old what this process knows of the others may be
REFUSALS = 2  # logins refused in a row that lock the gate: a third might lock the user
AWAY = frozenset({408, 500, 502, 503, 504})
ASKS = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Rules:
    """When a gate opens and for how long, and how many requests a second pass (None: any number)."""

    failures: int = 10
    first_ms: int = 60_000
    longest_ms: int = 900_000
    rate: float | None = None
    longest_wait_s: float = 300.0


class SystemGate:
    """One process's side of it; in the normal case a request costs it no more than a look at the clock."""

    def __init__(self, store: Store, system: str, rules: Rules, sleep: Callable[[float], None]) -> None:
        self.longest_wait_s = rules.longest_wait_s
        self._store = store
        self._system = system
        self._rules = rules
        self._sleep = sleep
        self._lock = threading.RLock()
        self._known = Breaker(system)
        self._looked: int | None = None
        self._trying = False
        self._waited = 0.0
        self._turns: deque[int] = deque()

    @property
    def shut(self) -> bool:
        """Whether nothing goes out, as far as this process knows."""
        return self._known.state != CLOSED

    def begin(self, check: Callable[[], Health]) -> None:
        """Before a run. Of a system that is away one process, its time come, tries by `check` whether it is back.

        Raises Postponed while it is not, and AuthError while its login waits for somebody to repair it.
        """
        self._waited = 0.0
        self._look(self._store.now())
        known, now = self._known, self._store.now()
        if known.state == OPEN and known.until is not None and known.until <= now:
            self._try_again(known, now, check)
        elif known.state == CLOSED and known.not_before is not None:
            wait = (known.not_before - now) / 1000
            if wait > self._rules.longest_wait_s:
                raise self._postponed("it asked to wait", known.not_before, now)
        self._pass()

    def examine(self, check: Callable[[], Health]) -> Health:
        """Check the system because somebody asks: what fails is not counted, and one that is back is let in again at once."""
        self._look(self._store.now())
        self._trying = True
        try:
            health = check()
        finally:
            self._trying = False
        if health.ok and self._known.state == OPEN:
            with self._store.writing() as conn:
                breakers.close(conn, self._system)
            self._look(self._store.now())
        return health

    def enter(self) -> None:
        """Wait for the turn of a request, or raise what keeps it back."""
        now = self._store.now()
        if self._looked is None or not self._looked <= now < self._looked + LOOK_MS:
            self._look(now)
        self._pass()
        known = self._known
        if known.not_before is not None and known.not_before > now:
            self.pause((known.not_before - now) / 1000)
        if self._rules.rate is not None:
            self._take_turn(self._rules.rate)

    def answered(self, status: int, *, write: bool, wait_s: float | None) -> None:
        """Count what the status means."""
        if status in ASKS and wait_s is not None:
            self._asked(wait_s)
        elif status in AWAY:
            self.failed(f"it answers {status}", write=write)
        elif status not in (401, 429):
            known = self._known
            if known.refused or (known.failed_writes if write else known.failed_reads):
                with self._lock, self._store.writing() as conn:
                    self._known = breakers.answered(conn, self._system, write=write)

    def failed(self, reason: str, *, write: bool) -> None:
        """One more request without a usable answer; too many in a row open the gate."""
        if self._trying:  # what the try finds is told by its end
            return
        with self._lock, self._store.writing() as conn:
            known = breakers.count_failure(conn, self._system, write=write)
            count, now = max(known.failed_reads, known.failed_writes), self._store.now()
            if known.state == CLOSED and count >= self._rules.failures:
                first = self._rules.first_ms
                said = f"{count} requests in a row failed, the last since {reason}"
                breakers.open_until(conn, self._system, now + first, first, said, now)
            self._known = breakers.look(conn, self._system)

    def refused(self) -> None:
        """One more login refused; the second in a row locks the gate."""
        with self._lock, self._store.writing() as conn:
            known = breakers.count_refusal(conn, self._system)
            if known.state != LOCKED and known.refused >= REFUSALS:
                breakers.lock(conn, self._system, f"its login was refused {known.refused} times", self._store.now())
            self._known = breakers.look(conn, self._system)

    def pause(self, seconds: float) -> None:
        """Sleep, unless this run has waited for this system as long as a run may."""
        with self._lock:
            self._waited += seconds
            waited = self._waited
        if waited > self._rules.longest_wait_s:
            now = self._store.now()
            until = max(self._known.not_before or 0, now + int(seconds * 1000))
            raise self._postponed(f"this run has waited {waited - seconds:.0f} seconds for it", until, now)
        self._sleep(seconds)

    def _look(self, now: int) -> None:
        with self._store.reading() as conn:
            self._known = breakers.look(conn, self._system)
        self._looked = now

    def _pass(self) -> None:
        """Raise what keeps requests back."""
        known = self._known
        if known.state == LOCKED:
            raise AuthError(
                f"{self._system}: {known.reason}: stopped, so that its user is not locked; correct the connection, "
                f"then: l2c systems reopen {self._system}",
                system=self._system,
                code="locked",
            )
        if known.state == OPEN and not self._trying:
            raise self._postponed(known.reason, known.until or 0, self._store.now())

    def _try_again(self, known: Breaker, now: int, check: Callable[[], Health]) -> None:
        wait = min(max(known.wait, self._rules.first_ms) * 2, self._rules.longest_ms)
        with self._store.writing() as conn:
            mine = breakers.claim_try(conn, self._system, known, now + wait)
        if not mine:
            self._look(now)
            return
        self._trying = True
        try:
            health = check()
        finally:
            self._trying = False
        with self._store.writing() as conn:
            if health.ok:
                breakers.close(conn, self._system)
            else:
                now = self._store.now()
                breakers.open_until(conn, self._system, now + wait, wait, health.message, now)
        self._look(self._store.now())

    def _asked(self, seconds: float) -> None:
        """All processes wait as long as the system asked one of them to."""
        now = self._store.now()
        until = now + int(seconds * 1000)
        with self._lock, self._store.writing() as conn:
            breakers.wait_until(conn, self._system, until)
            self._known = breakers.look(conn, self._system)
        if seconds > self._rules.longest_wait_s:
            raise self._postponed(f"it asked to wait {seconds:.0f} seconds", until, now)

    def _take_turn(self, rate: float) -> None:
        """Wait for the next turn; turns are taken from the store a quarter of a second ahead."""
        interval = int(1_000_000 / rate)
        with self._lock:
            now = self._store.now() * 1000
            while self._turns and self._turns[0] < now - 250_000:  # too late for it: the turns of others come now
                self._turns.popleft()
            if not self._turns:
                count = max(1, int(rate / 4))
                with self._store.writing() as conn:
                    first = breakers.take_turns(conn, self._system, now, interval, count)
                self._turns.extend(range(first, first + count * interval, interval))
            wait = self._turns.popleft() - now
        if wait > 0:
            self._sleep(wait / 1_000_000)

    def _postponed(self, reason: str, until: int, now: int) -> Postponed:
        return Postponed(
            f"{self._system}: postponed until {from_ms(until):%Y-%m-%d %H:%M:%S} UTC: {reason}; nothing is lost",
            system=self._system,
            code="postponed",
            retry_after=max((until - now) / 1000, 0.0),
        )
