"""How much harm one run may do before it stops: deletes it would make, failures it would set aside."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from l2c.errors import Braked, TooManyFailures

_VARYING = re.compile(r"'[^']*'|\d+")


@dataclass(frozen=True, slots=True)
class Brake:
    """Deletes and blocks a run may make: `share` per cent of the records there are, `at_least`, or what somebody `allowed`."""

    share: int = 10
    at_least: int = 20
    allowed: int = 0

    @property
    def free(self) -> int:
        """So many are always right: nobody needs to count what there is."""
        return max(self.at_least, self.allowed)

    def most(self, there: int) -> int:
        """How many are right where there are so many records."""
        return max(self.free, there * self.share // 100)


@dataclass(frozen=True, slots=True)
class Budget:
    """Equal failures a run may set aside: `most`, and above `at_least` no more than `share` per cent of what it handled."""

    share: int = 20
    at_least: int = 20
    most: int = 50


def braked(command: str, entity: str, system: str, count: int, brake: Brake, there: int) -> Braked:
    """What a run says that would delete or block too much; `command` is how it is run again."""
    where = f"; its flow allows {brake.most(there):,} (brake in config/flows/{entity}.yaml)"
    return Braked(
        f"{system}: {count:,} of {there:,} records of {entity} would be deleted or blocked in this run{where}; none was. "
        f"If that is right: l2c {command} --allow-deletes {count}",
        system=system,
        entity=entity,
        code="braked",
    )


class Failures:
    """The failures of one run so far, by reason; `handled` counts the records they are a share of."""

    def __init__(self, entity: str, system: str, budget: Budget) -> None:
        self.handled = 0
        self._entity = entity
        self._system = system
        self._budget = budget
        self._count: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], str] = {}

    def add(self, failed: Iterable[tuple[str, str]]) -> None:
        """Count failures: code and message of each."""
        for code, message in failed:
            reason = code, _VARYING.sub("…", message)
            self._count[reason] += 1
            self._first.setdefault(reason, message)

    def check(self, *, besides: int = 0) -> None:
        """Raise TooManyFailures when one reason meets too many of the records handled and of those `besides`."""
        error = self.error(besides=besides)
        if error is not None:
            raise error

    def error(self, *, besides: int = 0) -> TooManyFailures | None:
        """What is raised when one reason meets too many; None while none does."""
        if not self._count:
            return None
        [(reason, count)] = self._count.most_common(1)
        budget, handled = self._budget, self.handled + besides
        if count <= budget.most and (count <= budget.at_least or count * 100 <= budget.share * handled):
            return None
        return TooManyFailures(
            f"{self._system}: {count:,} of {handled:,} records of {self._entity} fail with '{self._first[reason]}': stopped. "
            f"Nothing is lost: repair it, and the next run goes on here (error_budget in config/flows/{self._entity}.yaml)",
            system=self._system,
            entity=self._entity,
            code=reason[0],
        )
