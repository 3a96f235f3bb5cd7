"""What is said of a write a target does not take: the field, the target's own words, and the rule the field comes from."""

import re
from collections.abc import Iterator

from l2c.config.model import place_of
from l2c.contract import Outcome, Status
from l2c.distribute.deciding import Write
from l2c.distribute.job import DistributeJob
from l2c.mapping import Mapper

_NAMED = re.compile(r"(?<!\w)['\[]([A-Za-z_][\w./]{0,80})['\]](?!\w)", re.ASCII)  # how systems set a field apart


def words(job: DistributeJob, write: Write, outcome: Outcome | None) -> str:
    """What became of a write, in one line."""
    if outcome is None:
        return "not settled: the run stopped before; the next one tries it again"
    name = write.change.record.key or f"record {write.head.record}"
    where = f"{job.target} {write.mapper.native} {name}"
    said = outcome.message or outcome.status.value
    if outcome.status is not Status.REJECTED:  # a matter of the moment, not of a rule
        return f"{where}: {said}"
    rules = dict(_rules(write.mapper, [*outcome.fields, *_NAMED.findall(said)]))
    fields = ", ".join(rules)
    places = ", ".join(dict.fromkeys(rules.values())) or head_of(write.mapper)
    return f"{where}: {fields}: {said} [{places}]" if fields else f"{where}: {said} [{places}]"


def head_of(mapper: Mapper) -> str:
    """Where a mapping says what it writes, `file:line`."""
    return place_of(mapper.sources.block, ("to",)).short


def key_of(mapper: Mapper) -> tuple[str, str]:
    """The native key field of a mapping and where its rule stands, `file:line`."""
    path = mapper.config.key or ""
    return path, next((leaf.mark.short for leaf in mapper.leaves if leaf.path == path), head_of(mapper))


def lookup_of(mapper: Mapper) -> tuple[str, str]:
    """The native field that carries the marks of creates and where the mapping says so, `file:line`."""
    field = mapper.safe_by.lookup.strip("'") if mapper.safe_by is not None else "mark"
    return field, place_of(mapper.sources.block, ("safe_by",)).short


def _rules(mapper: Mapper, names: list[str]) -> Iterator[tuple[str, str]]:
    """The target paths these names mean, with the place of the first rule that makes each."""
    for name in dict.fromkeys(names):
        steps = name.replace("/", ".").strip(".").split(".")
        for leaf in mapper.leaves:
            path = leaf.path.split(".")
            at = next((n for n in range(len(path)) if path[n : n + len(steps)] == steps), None)
            if at is not None:
                yield ".".join(path[: at + len(steps)]), leaf.mark.short
                break
