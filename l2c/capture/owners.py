"""Who owns which field: rules by path, the nearest one above a field counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NEWEST, EACH, ANY_FIELD = "newest", "each", "*"
ANYBODY = ""  # owner of a field no rule speaks of


@dataclass(frozen=True, slots=True)
class Owner:
    """One line of a rule: a system, `newest` or `each`, if the condition on the record holds."""

    system: str
    when: Callable[[Mapping[str, Any]], bool] | None = None


class Owners:
    """The rules of one flow."""

    def __init__(self, rules: Mapping[str, Sequence[Owner]]) -> None:
        self._rules = {path: tuple(owners) for path, owners in rules.items() if path != ANY_FIELD}
        self._rest = tuple(rules.get(ANY_FIELD, ()))

    def of(self, path: str, record: Mapping[str, Any], *, within: str = "", inherited: str = ANYBODY) -> str:
        """The owner of a field; inside an element that belongs to `inherited` only rules below `within` count before it."""
        at = path
        while at and at != within:
            found = _first(self._rules.get(at, ()), record)
            if found is not None:
                return found
            at = at.rpartition(".")[0]
        return inherited if within else self.rest(record)

    def rest(self, record: Mapping[str, Any]) -> str:
        """The owner of whatever has no rule of its own, and of the record as a whole."""
        return _first(self._rest, record) or ANYBODY

    def below(self, path: str) -> bool:
        """Whether some field below this path has a rule of its own."""
        return any(rule.startswith(f"{path}.") for rule in self._rules)


def _first(owners: Sequence[Owner], record: Mapping[str, Any]) -> str | None:
    return next((one.system for one in owners if one.when is None or one.when(record)), None)
