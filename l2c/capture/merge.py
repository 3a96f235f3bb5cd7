"""The rule of edits: what a system shows against what it showed last.

An edit is a difference to the system's last view, over the fields it shows. An edit of a field the system owns changes the
head; one of a field it does not own is foreign: the owner's value has to go back. Elements of a list are told apart by
their key and merged one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from l2c.capture.owners import ANYBODY, EACH, NEWEST, Owners

Fields = Mapping[str, Any]
_EMPTY: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True, slots=True)
class Sight:
    """One record as a system shows it now, and what is known of it.

    `view` None: the system never showed it. `doubts`: what a write whose outcome is not known may have brought there. `edits`:
    for a field owned by `newest`, when its value was made, and in which system. `births`: elements by list path and key that
    were born elsewhere than the record.
    """

    head: Fields
    view: Fields | None
    shown: Fields
    at: int = 0
    origin: str = ""
    doubts: Sequence[Fields] = ()
    edits: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    births: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class Merged:
    """The new head; whether the system holds something it does not own; edits and births of elements to remember."""

    head: dict[str, Any]
    foreign: bool = False
    edits: list[str] = field(default_factory=list)
    born: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Level:
    """One nesting of a record: its path in the entity, its place in the record, and to whom its element belongs."""

    path: str = ""
    place: str = ""
    within: str = ""
    inherited: str = ANYBODY

    def below(self, name: str) -> "_Level":
        return _Level(_join(self.path, name), _join(self.place, name), self.within, self.inherited)


class Merger:
    """Merges what one system shows; `list_by` names the key of each list whose elements have one."""

    def __init__(self, system: str, owners: Owners, list_by: Mapping[str, str]) -> None:
        self.owners = owners
        self._system = system
        self._list_by = list_by

    def merge(self, sight: Sight) -> Merged:
        """The new head after what the system shows; nothing given is changed."""
        merged = Merged({})
        merged.head = _Merge(self._system, self.owners, self._list_by, sight, merged).fields(
            sight.head, sight.view, sight.shown, sight.doubts, _Level()
        )
        return merged


@dataclass(frozen=True, slots=True)
class _Merge:
    system: str
    owners: Owners
    list_by: Mapping[str, str]
    sight: Sight
    merged: Merged

    def fields(
        self, head: Fields, view: Fields | None, shown: Fields, doubts: Sequence[Fields], level: _Level
    ) -> dict[str, Any]:
        new: dict[str, Any] = {}
        for name, value in shown.items():
            inner = level.below(name)
            before = view[name] if view is not None and name in view else None
            known = view is not None and name in view
            maybe = [doubt[name] for doubt in doubts if name in doubt]
            if inner.path in self.list_by and _keyed(self.list_by[inner.path], value, before, head.get(name), *maybe):
                elements = self._list(
                    head.get(name) or [], (before or []) if known else None, value or [], maybe, inner
                )
                if not elements:  # no list, an empty one: keep how the head said it
                    elements = head[name] if name in head and not head[name] else (value if not value else [])
                new[name] = elements
            elif (known and before == value) or value in maybe:
                new[name] = head.get(name, value)
            else:
                new[name] = self._edited(head, name, value, inner)
        for name, value in head.items():
            if name not in new:
                new[name] = value
        return new

    def _edited(self, head: Fields, name: str, value: Any, level: _Level) -> Any:
        """The value an edited field has from now on."""
        if name not in head or head[name] == value:
            return value
        if self._counts(level, head[name]):
            return value
        self.merged.foreign = True
        return head[name]

    def _counts(self, level: _Level, present: Any) -> bool:
        owner = self._owner(level)
        if owner == NEWEST:
            return self._newest(level.place, present)
        return owner in (ANYBODY, self.system, EACH)

    def _newest(self, place: str, present: Any) -> bool:
        """Whether this edit is younger than the one that stands; at a first meeting only what is empty is filled."""
        if self.sight.view is None:
            return present in _EMPTY
        at, by = self.sight.edits.get(place, (-1, ""))
        wins = by == self.system or self.sight.at > at
        if self.sight.at == at:
            wins = wins or self.owners.rest(self.sight.head) == self.system
        if wins:
            self.merged.edits.append(place)
        return wins

    def _owner(self, level: _Level) -> str:
        return self.owners.of(level.path, self.sight.head, within=level.within, inherited=level.inherited)

    def _list(
        self,
        head: Sequence[Fields],
        view: Sequence[Fields] | None,
        shown: Sequence[Fields],
        doubts: Sequence[Any],
        level: _Level,
    ) -> list[Any]:
        by = self.list_by[level.path]
        rule = self._owner(level)
        if rule in (ANYBODY, self.system) and view == head and not self.owners.below(level.path):
            return list(shown)
        now, before = _by_key(shown, by), _by_key(view or [], by)
        maybe = [_by_key(doubt or [], by) for doubt in doubts]
        there = _by_key(head, by)
        new: list[Any] = []
        for key, element in there.items():
            if key in now:
                inner = self._element(level, key, rule)
                known = before.get(key) if view is not None else None
                found = [one[key] for one in maybe if key in one]
                new.append(self.fields(element, known, now[key], found, inner))
            elif key in before and self._removes(level, key, rule):
                continue
            else:
                new.append(element)
        for key, element in now.items():
            if key not in there and self._appears(
                level, key, element, rule, before, maybe, head if view is None else ()
            ):
                new.append(element)
        return new

    def _element(self, level: _Level, key: str, rule: str) -> _Level:
        owner = self._born_in(level.path, key) if rule == EACH else rule
        return _Level(level.path, f"{level.place}/{key}", level.path, owner)

    def _born_in(self, path: str, key: str) -> str:
        return self.sight.births.get((path, key), self.sight.origin)

    def _removes(self, level: _Level, key: str, rule: str) -> bool:
        """Whether an element this system no longer shows goes with it."""
        owner = self._born_in(level.path, key) if rule == EACH else rule
        if owner in (ANYBODY, NEWEST, self.system):
            return True
        self.merged.foreign = True
        return False

    def _appears(
        self,
        level: _Level,
        key: str,
        element: Fields,
        rule: str,
        before: Mapping[str, Fields],
        maybe: Sequence[Mapping[str, Fields]],
        met: Sequence[Fields],
    ) -> bool:
        """Whether an element the head does not have is a new one."""
        if key in before or any(key in one for one in maybe):
            # its owner took it away and this system does not know yet, whatever was done to it here
            self.merged.foreign = self.merged.foreign or before.get(key) != element
            return False
        if rule == EACH:
            if any(self._same(level, element, other) for other in met):
                return False  # at a first meeting: the same element under another key
            if self.system != self.sight.origin:
                self.merged.born.append((level.path, key))
            return True
        if rule in (ANYBODY, NEWEST, self.system):
            return True
        self.merged.foreign = True
        return False

    def _same(self, level: _Level, shown: Fields, other: Fields) -> bool:
        """Whether two elements say the same, but for their keys and what the newest edit decides."""
        by, told = self.list_by[level.path], 0
        for name, value in shown.items():
            path = _join(level.path, name)
            if name == by or isinstance(value, list) or self.owners.of(path, self.sight.head) == NEWEST:
                continue
            if (value or None) != (other.get(name) or None):
                return False
            told += value not in _EMPTY
        return told > 1


def _keyed(by: str, *lists: Any) -> bool:
    """Whether every list tells its elements apart by that key."""
    for found in lists:
        if found is None:
            continue
        if not isinstance(found, list):
            return False
        keys = [element.get(by) for element in found if isinstance(element, dict)]
        if len(keys) != len(found) or None in keys or len(set(keys)) != len(keys):
            return False
    return True


def _by_key(elements: Sequence[Fields], by: str) -> dict[str, Fields]:
    return {element[by]: element for element in elements}


def _join(above: str, name: str) -> str:
    return f"{above}.{name}" if above else name
