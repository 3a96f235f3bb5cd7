"""Checks of `describe` and `check`."""

from collections.abc import Callable, Iterator
from typing import Any

from l2c.contract.conformance.reading import pages
from l2c.contract.conformance.rig import Broken, Trial
from l2c.errors import ConfigError

DELTAS = frozenset({"stamp", "day", "keys", "none"})
SAFE_BY = frozenset({"key", "lookup", "none"})


def health(trial: Trial) -> None:
    """`check` says ok for a system that answers and accepts the credentials."""
    found = trial.connector.check()
    if not found.ok:
        raise Broken(f"the system is well, and check says: {found.message}")


def knows_every_field(trial: Trial) -> None:
    """The schema holds every path a read yields, its own key, and values the contract knows."""
    schema = trial.schema
    if schema.delta not in DELTAS or schema.safe_by not in SAFE_BY or schema.batch < 1:
        raise Broken(
            f"delta '{schema.delta}', safe_by '{schema.safe_by}', batch {schema.batch} are not in the contract"
        )
    if schema.key not in schema.fields:
        raise Broken(f"the key '{schema.key}' is not among the fields")
    unknown: set[str] = set()
    for records, _ in pages(trial):
        for record in records:
            unknown.update(path for path in _paths(record.data) if path not in schema.fields)
    if unknown:
        raise Broken(f"read yields fields describe does not know: {', '.join(sorted(unknown)[:8])}")


def _paths(data: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in data.items():
        path = above + name
        yield path
        for inner in value if isinstance(value, list) else (value,):
            if isinstance(inner, dict):
                yield from _paths(inner, path + ".")


def names_the_near_miss(trial: Trial) -> None:
    """An entity spelt wrongly is a ConfigError that names the right one, in describe, read, fetch and prepare."""
    rig = trial.rig
    wrong = rig.entity[:-1] + "qx"
    calls: dict[str, Callable[[], object]] = {
        "describe": lambda: trial.connector.describe(wrong),
        "read": lambda: next(iter(trial.connector.read(wrong, since=None, page_size=1))),
        "fetch": lambda: next(iter(trial.connector.fetch(wrong, [rig.missing]))),
        "prepare": lambda: trial.connector.prepare(wrong, [rig.new("near miss")]),
    }
    for name, call in calls.items():
        try:
            call()
        except ConfigError as error:
            if rig.entity not in str(error):
                raise Broken(f"{name} of '{wrong}' does not name '{rig.entity}': {error}") from error
        else:
            raise Broken(f"{name} of '{wrong}' is no ConfigError")
