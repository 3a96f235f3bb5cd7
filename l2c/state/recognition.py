"""What a canonical record is recognised by: hashes of the values its flow's match rules name."""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from l2c.state.linking import chunks
from l2c.state.tables import key_mapping

Values = dict[str, tuple[bytes, ...]]  # by rule
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by which a record met in a second system is recognised: fields that are equal."""

    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its values are stored under."""
        return ",".join(self.fields)


def values_of(data: Mapping[str, Any], rules: Sequence[Rule]) -> Values:
    """By rule, what a canonical record can be recognised by: one hash for each combination of its values."""
    found: Values = {}
    for rule in rules:
        texts = [sorted(set(_plain_texts(data, path))) for path in rule.fields]
        if all(texts):
            found[rule.name] = tuple(_hash(combination) for combination in product(*texts))
    return found


def referring(rules: Iterable[Rule], references: Mapping[str, str]) -> tuple[Rule, ...]:
    """The rules that name a reference to another record; `references`: of each such field to which."""
    return tuple(rule for rule in rules if not references.keys().isdisjoint(rule.fields))


def values_before(
    conn: Connection, data: Mapping[_K, Mapping[str, Any]], rules: Sequence[Rule], references: Mapping[str, str]
) -> dict[_K, Values]:
    """What records captured before these references were known are recognised by, where they are the same as these.

    Then a reference was `system:native key`; now it is `#12`. One native key of each system may have stood there.
    """
    mine = referring(rules, references)
    names: dict[tuple[str, str], list[str]] = {}  # of each field and number
    for path in {path for rule in mine for path in rule.fields if path in references}:
        numbers = {text for one in data.values() for text in _texts(one, path.split(".")) if text.startswith("#")}
        for number, name in _names(conn, references[path], numbers):
            names.setdefault((path, number), []).append(name)
    found: dict[_K, Values] = {}
    for key, one in data.items() if names else ():
        for rule in mine:
            if values := _combined(one, rule, names):
                found.setdefault(key, {})[rule.name] = values
    return found


def _combined(data: Mapping[str, Any], rule: Rule, names: Mapping[tuple[str, str], Sequence[str]]) -> tuple[bytes, ...]:
    texts: list[set[str]] = []
    for path in rule.fields:
        present = set(_texts(data, path.split(".")))
        more = {name for text in present for name in names.get((path, text), ())}
        texts.append({plain for text in present | more if (plain := _plain(text))})
    if not all(texts):
        return ()
    today = set(values_of(data, [rule]).get(rule.name, ()))
    return tuple(value for one in product(*map(sorted, texts)) if (value := _hash(one)) not in today)


def _names(conn: Connection, reference: str, numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of each number (`#12`) of the records referred to: what it was called by those who did not know it."""
    entity, _, path = reference.partition("/")
    k = key_mapping.c
    for part in chunks(sorted(int(number[1:]) for number in numbers if number[1:].isdigit())):
        query = select(k.record, k.system, k.native_key).where(k.entity == entity, k.path == path, k.record.in_(part))
        for record, system, key in conn.execute(query):
            yield f"#{record}", f"{system}:{key}"


def _plain_texts(data: Mapping[str, Any], path: str) -> Iterator[str]:
    """The values at a path in the form they are compared in."""
    return (plain for text in _texts(data, path.split(".")) if (plain := _plain(text)))


def _texts(data: Any, path: Sequence[str]) -> Iterator[str]:
    """The values at a path, of every element of a list."""
    if isinstance(data, list):
        for element in data:
            yield from _texts(element, path)
    elif path:
        if isinstance(data, Mapping):
            yield from _texts(data.get(path[0]), path[1:])
    elif data is not None:
        yield str(data)


def _plain(text: str) -> str:
    """Without case, blanks and signs; numbers without leading zeros."""
    kept = "".join(char for char in text.casefold() if char.isalnum())
    return kept.lstrip("0") if kept.isdigit() else kept


def _hash(combination: Sequence[str]) -> bytes:
    return blake2b(json.dumps(combination).encode(), digest_size=16).digest()
