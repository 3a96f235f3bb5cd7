"""The lists below a partner, compared element by element: what is added, changed, removed, each as a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.s4hana.bodies import Mistakes, body_bytes, deep, differing, flat, same
from connectors.s4hana.entities import CUSTOMER, CUSTOMER_LISTS, ChildList, alpha
from l2c.contract import Request
from l2c.http import EntityType, Metadata, entity_path

Element = Mapping[str, Any]


@dataclass(slots=True)
class Draft:
    """The requests of one change while they are found, by kind; mistakes; and what moved in the target meanwhile."""

    removed: list[Request] = field(default_factory=list)
    patched: list[Request] = field(default_factory=list)
    added: list[Request] = field(default_factory=list)
    mistakes: Mistakes = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def requests(self) -> tuple[Request, ...]:
        """In the order in which they can be done."""
        return (*self.removed, *self.patched, *self.added)


class Below:
    """Compares the lists below a partner and drafts the requests that make them equal."""

    def __init__(self, metadata: Metadata, draft: Draft) -> None:
        self._metadata = metadata
        self._draft = draft

    def customer(self, data: Element, present: Element, before: Element | None) -> None:
        """The customer of a partner: it cannot be created by itself, only changed."""
        wanted, there = data[CUSTOMER] or {}, present.get(CUSTOMER)
        if not wanted:
            return
        if not there:
            self._draft.mistakes.append((CUSTOMER, "the partner is no customer: give it a customer role first"))
            return
        kind = self._metadata.sets["A_Customer"]
        path = entity_path("A_Customer", {"Customer": there["Customer"]})
        self._patch(kind, path, wanted, there, f"{CUSTOMER}.")
        known = before.get(CUSTOMER) if before else None
        for child in CUSTOMER_LISTS:
            if child.navigation in wanted:
                self.compare(child, path, wanted, there, known)

    def compare(
        self, child: ChildList, path: str, data: Element, present: Element, before: Element | None, *, prefix: str = ""
    ) -> None:
        """Draft what makes the list `child` of `present` equal to the one of `data`.

        Only elements that `before` shows are removed: what others added meanwhile stays.
        """
        wanted: Sequence[Element] = data[child.navigation] or ()
        there: Sequence[Element] = present.get(child.navigation) or ()
        known: Sequence[Element] = (before or {}).get(child.navigation) or ()
        matches = self._matches(child, wanted, there, known)
        for index, element in enumerate(wanted):
            where = f"{prefix}{child.navigation}[{index}]."
            match = matches.get(index)
            if match is None:
                self._add(child, path, element, known, where)
            else:
                self._update(child, element, there[match], _known(child, there[match], known), where)
        for gone in _shown(child, known, there) - set(matches.values()):
            self._remove(child, there[gone], f"{prefix}{child.navigation}.")

    @staticmethod
    def _matches(
        child: ChildList, wanted: Sequence[Element], there: Sequence[Element], known: Sequence[Element]
    ) -> dict[int, int]:
        """Which present element each wanted one is; with `replace`, a new one takes the place of one to be removed."""
        matches: dict[int, int] = {}
        for index, element in enumerate(wanted):
            match = _match(child, element, there, set(matches.values()))
            if match is not None:
                matches[index] = match
        if child.replace:
            free = sorted(_shown(child, known, there) - set(matches.values()))
            new = [
                index for index, element in enumerate(wanted) if index not in matches and not _number(child, element)
            ]
            matches.update(zip(new, free, strict=False))
        return matches

    def _add(self, child: ChildList, path: str, element: Element, known: Sequence[Element], where: str) -> None:
        if child.natural and _number(child, element):
            self._draft.moved.append(f"{where}{child.keys[-1]} '{_number(child, element)}' does not exist any more")
            return
        said = _said(child, element) if child.numbered else ""
        if said and any(_said(child, other) == said for other in known):
            self._draft.moved.append(f"{where}{child.natural[0]} '{element[child.natural[0]]}' does not exist any more")
            return
        body = deep(self._metadata, self._metadata.sets[child.entity], element, self._draft.mistakes, where)
        self._draft.added.append(Request("POST", f"{path}/{child.navigation}", body_bytes(body)))

    def _update(self, child: ChildList, element: Element, present: Element, known: Element | None, where: str) -> None:
        kind = self._metadata.sets[child.entity]
        path = self._path(child, present)
        self._patch(kind, path, _edited(child, element, present, known, kind), present, where)
        for lower in child.below:
            if lower.navigation in element:
                self.compare(lower, path, element, present, known, prefix=where)

    def _patch(self, kind: EntityType, path: str, wanted: Element, present: Element, where: str) -> None:
        changed = differing(kind, wanted, present)
        body = flat(kind, changed, self._draft.mistakes, prefix=where, creating=False)
        if body:
            self._draft.patched.append(Request("PATCH", path, body_bytes(body)))

    def _remove(self, child: ChildList, present: Element, where: str) -> None:
        path = self._path(child, present)
        if child.flag is not None:
            if not present.get(child.flag):
                self._draft.patched.append(Request("PATCH", path, body_bytes({child.flag: True})))
        elif child.entity in self._metadata.undeletable:
            named = "/".join(str(present.get(key) or "") for key in child.keys)
            self._draft.mistakes.append((where + child.keys[0], f"'{named}' cannot be removed through this API"))
        else:
            self._draft.removed.append(Request("DELETE", path))

    def _path(self, child: ChildList, present: Element) -> str:
        kind = self._metadata.sets[child.entity]
        types = {name: schema.type for name, schema in kind.fields.items()}
        return entity_path(child.entity, {name: present[name] for name in kind.keys}, types)


def _number(child: ChildList, element: Element) -> str:
    """The number the system gave an element, where the element names it."""
    return str(element.get(child.keys[-1]) or "")


def _shown(child: ChildList, known: Sequence[Element], there: Sequence[Element]) -> set[int]:
    """The present elements that `before` knows."""
    found: set[int] = set()
    for element in known:
        match = _match(child, element, there, found)
        if match is not None:
            found.add(match)
    return found


def _match(child: ChildList, element: Element, there: Sequence[Element], taken: set[int]) -> int | None:
    """Which present element this one is: by its key where it names one, else by what it says."""
    free = [index for index in range(len(there)) if index not in taken]
    if _number(child, element) or not child.natural:
        named = [key for key in child.keys if element.get(key)] or child.keys
        return next((at for at in free if all(_same_key(element, there[at], name) for name in named)), None)
    said = _said(child, element)
    if not said:
        return None
    found = next((at for at in free if _is_number(child, said, there[at])), None) if child.numbered else None
    return found if found is not None else next((at for at in free if _said(child, there[at]) == said), None)


def _same_key(element: Element, other: Element, name: str) -> bool:
    return alpha(str(element.get(name) or "")) == alpha(str(other.get(name) or ""))


def _said(child: ChildList, element: Element) -> str:
    """What tells an element apart that names no key: a number and its extension may stand in one field or in two."""
    return "-".join(str(element[name]) for name in child.natural if element.get(name)).casefold()


def _is_number(child: ChildList, said: str, other: Element) -> bool:
    """Whether an element is called by the number the system gave it."""
    return alpha(said) == alpha(str(other.get(child.keys[-1]) or ""))


def _edited(child: ChildList, element: Element, present: Element, known: Element | None, kind: EntityType) -> Element:
    """The fields to compare with the target's: without those that say what it shows already.

    A field that is as the hub last saw it is left alone, even where the target tells the same differently (a region's code).
    What an element was recognised by is not written onto it: the number of an address, a telephone number in two fields.
    """
    recognised = not _number(child, element) and _match(child, element, [present], set()) == 0
    return {
        name: value
        for name, value in element.items()
        if (not recognised if name in child.natural else not _left_alone(name, value, known, kind))
    }


def _left_alone(name: str, value: Any, known: Element | None, kind: EntityType) -> bool:
    return known is not None and name in known and name in kind.fields and same(value, known[name], kind.fields[name])


def _known(child: ChildList, present: Element, known: Sequence[Element]) -> Element | None:
    """What `before` says of a present element."""
    return next((element for element in known if _match(child, element, [present], set()) == 0), None)
