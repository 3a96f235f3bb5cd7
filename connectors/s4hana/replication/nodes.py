"""Fields as nodes of a message: what a partner shows, overlaid with what is wanted; lists compared element by element.

A node that is sent is sent whole, so that it means the same to a receiver that takes it as the present state and to one
that takes field by field. Nodes in which nothing differs are left out.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.s4hana.entities import alpha
from connectors.s4hana.replication.fields import SILENT, Fields, Kind
from connectors.s4hana.replication.lists import ListNode

Element = Mapping[str, Any]
Node = dict[str, Any]
SAVE, REMOVE = "04", "05"  # 04 saves whether it is there or not, 05 removes and does not mind if it is gone
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
NAMESPACE = uuid.UUID("c1f6a1f4-6f0e-4a5e-9a6c-6d2f1f6f0b1d")  # of the numbers derived here; never changes


@dataclass(slots=True)
class Draft:
    """What is found out while a message is made: the partner it is about, mistakes, and what moved in the target."""

    partner: str
    complete: frozenset[str] = frozenset()
    mistakes: list[tuple[str, str]] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)


def node(fields: Fields, wanted: Element, present: Element, draft: Draft, where: str = "") -> Node:
    """The node of these fields; a wanted field no element carries is a mistake, unless it is empty."""
    for name, value in wanted.items():
        if name not in fields and name not in SILENT and not name.startswith("to_") and value not in (None, "", False):
            draft.mistakes.append((where + name, "the replication message does not carry this field"))
    made: Node = {}
    for name, to in fields.items():
        if name not in wanted and name not in present:
            continue
        value = _text(wanted.get(name, present.get(name)), to.kind)
        if value is None and to.kind is Kind.NAME and present.get(name):
            value = ""  # cleared
        if value is not None:
            put(made, to.path, value)
            if to.also:
                put(made, to.also, value)
    return _whole(made)


def _text(value: Any, kind: Kind) -> Any:
    if kind is Kind.FLAG:
        return bool(value)
    if value in (None, ""):
        return None
    return str(value)[:10] if kind is Kind.DAY else str(value)


def put(made: Node, path: str, value: Any) -> None:
    """Set a value below nested nodes."""
    *above, last = path.split(".")
    for name in above:
        made = made.setdefault(name, {})
    made[last] = value


def _whole(made: Node) -> Node:
    """A validity needs both days; terms of delivery without their code say nothing."""
    period = made.get("ValidityPeriod")
    if period:
        made["ValidityPeriod"] = {"StartDate": FIRST_DAY, "EndDate": LAST_DAY, **period}
    terms = made.get("DeliveryTerms", {})
    if "Incoterms" in terms and "ClassificationCode" not in terms["Incoterms"]:
        del terms["Incoterms"]
    return made


def compared(
    spec: ListNode, data: Element, present: Element, before: Element | None, draft: Draft, *, where: str = ""
) -> list[Node]:
    """The elements of a list that differ, with their action; only elements `before` knows are removed."""
    wanted: Sequence[Element] = data.get(spec.navigation) or ()
    there: Sequence[Element] = present.get(spec.navigation) or ()
    known: Sequence[Element] = (before or {}).get(spec.navigation) or ()
    found: list[Node] = []
    taken: dict[int, int] = {}
    for index, element in enumerate(wanted):
        place = f"{where}{spec.navigation}[{index}]."
        match = match_of(spec, element, there, set(taken.values()))
        if match is not None:
            taken[index] = match
            before_it = next((one for one in known if match_of(spec, one, [there[match]], set()) == 0), None)
            made = _element(spec, _edited(spec, element, before_it), there[match], before_it, draft, place)
            if made is not None and spec.usage and _value(spec, made) != _value(spec, _shown(spec, there[match])):
                found.append({"actionCode": REMOVE, **_shown(spec, there[match])})
        else:
            if spec.given:
                _refuse_gone(spec, element, known, draft, place)
            made = _element(spec, element, {}, None, draft, place)
        if made is not None:
            found.append(made)
    new = [element for index, element in enumerate(wanted) if index not in taken]
    # where a receiver knows no usages, the first one is the default
    found.sort(key=lambda made: bool(spec.usage) and spec.usage not in made)
    return found + _gone(spec, there, set(taken.values()), known, new)


def _refuse_gone(spec: ListNode, element: Element, known: Sequence[Element], draft: Draft, where: str) -> None:
    """An element that names a number, or that was there when last seen, is not created again: the target moved."""
    number = element.get(spec.given[0])
    if number or any(match_of(spec, element, [one], set()) == 0 for one in known):
        name = spec.given[0] if number else spec.natural[0]
        draft.moved.append(f"{where}{name} '{element[name]}' does not exist any more")


def _element(
    spec: ListNode, wanted: Element, present: Element, before: Element | None, draft: Draft, where: str
) -> Node | None:
    """One element to save; None when nothing in it or below it differs."""
    made = spec.finish(node(spec.fields, wanted, present, draft, where))
    below: dict[str, list[Node]] = {}
    for lower in spec.below:
        if lower.navigation in wanted:
            below.setdefault(lower.path, []).extend(compared(lower, wanted, present, before, draft, where=where))
    same = bool(present) and made == _shown(spec, present)
    if same and not any(below.values()) and spec.navigation not in draft.complete:
        return None
    for path, elements in below.items():
        if elements:
            put(made, path, elements)
    return {"actionCode": SAVE, **_identity(spec, wanted, present, draft), **made}


def _gone(
    spec: ListNode, there: Sequence[Element], kept: set[int], known: Sequence[Element], new: Sequence[Element]
) -> list[Node]:
    """The elements to remove: known before and not wanted, or replaced by a new one that names their number."""
    numbers = {str(element["OrdinalNumber"]) for element in new if element.get("OrdinalNumber")}
    found: list[Node] = []
    for index, element in enumerate(there):
        replaced = str(element.get("OrdinalNumber") or "") in numbers
        if index in kept or not (replaced or any(match_of(spec, one, [element], set()) == 0 for one in known)):
            continue
        if not spec.flag:
            found.append(
                {"actionCode": REMOVE, **_identity(spec, element, element, Draft("")), **_shown(spec, element)}
            )
        elif not element.get(spec.flag):
            found.append({"actionCode": SAVE, **_shown(spec, {**element, spec.flag: True})})
    return found


def _shown(spec: ListNode, present: Element) -> Node:
    """An element as it is."""
    return spec.finish(node(spec.fields, {}, present, Draft("")))


def _value(spec: ListNode, made: Node) -> Node:
    """What an element without a key is known by: with another value it is another one."""
    return {name: value for name, value in made.items() if name not in {spec.usage, "actionCode"}}


def _identity(spec: ListNode, wanted: Element, present: Element, draft: Draft) -> Node:
    """What keeps an address one address however often it is sent: the receiver's number, or one derived here."""
    if not spec.given:
        return {}
    known = present.get("AddressUUID")
    if known:
        return {"ReceiverUUID": str(known), "UUID": str(known)}
    name = _said(spec, wanted)
    if not name:
        plain = {part: value for part, value in sorted(wanted.items()) if not part.startswith("to_")}
        name = repr(plain)
    return {"UUID": str(uuid.uuid5(NAMESPACE, f"{draft.partner}/{spec.navigation}/{name}"))}


def match_of(spec: ListNode, element: Element, there: Sequence[Element], taken: set[int]) -> int | None:
    """Which present element this one is: by the number the receiver gave it where it names one, else by what it says.

    An element born in the receiver has, for want of a foreign number, its own as what it says.
    """
    free = [index for index in range(len(there)) if index not in taken]
    if any(element.get(name) for name in spec.given):
        return next((at for at in free if all(_same_number(element, there[at], name) for name in spec.given)), None)
    said = _said(spec, element)
    if not said:
        return None
    found = next((at for at in free if _said(spec, there[at]) == said), None)
    if found is None and spec.given:
        numbers = [str(one.get(spec.given[0]) or "") for one in there]
        found = next((at for at in free if not _said(spec, there[at]) and alpha(numbers[at]) == alpha(said)), None)
    return found


def _same_number(element: Element, other: Element, name: str) -> bool:
    return alpha(str(element.get(name) or "")) == alpha(str(other.get(name) or ""))


def _said(spec: ListNode, element: Element) -> str:
    """What tells an element apart that names no number: a telephone number and its extension may stand in one field."""
    return "-".join(str(element[name]) for name in spec.natural if element.get(name)).casefold()


def _edited(spec: ListNode, element: Element, known: Element | None) -> Element:
    """What is written of an element that is there: neither what it was recognised by, nor what is as it was last seen."""
    kept = spec.natural if not any(element.get(name) for name in spec.given) else ()
    seen = {} if known is None else known
    return {
        name: value
        for name, value in element.items()
        if name not in kept and (name.startswith("to_") or name not in seen or value != seen[name])
    }
