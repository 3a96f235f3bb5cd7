"""One partner as the node of a replication message."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.s4hana.entities import CUSTOMER as CUSTOMER_NAVIGATION
from connectors.s4hana.entities import MARK, alpha
from connectors.s4hana.marks import mark_text
from connectors.s4hana.replication.fields import BIRTH, BY_CATEGORY, COMMON, CUSTOMER, GENDERS, To
from connectors.s4hana.replication.lists import COMPLETE, CUSTOMER_LISTS, PARTNER_LISTS, SALES_AREAS, SALES_TAXES
from connectors.s4hana.replication.nodes import NAMESPACE, SAVE, Draft, Element, Node, compared, match_of, node, put
from l2c.contract import Change


@dataclass(frozen=True, slots=True)
class Made:
    """A partner's node (None: nothing differs), mistakes as (native path, words), and what moved in the target."""

    content: Node | None
    mistakes: tuple[tuple[str, str], ...] = ()
    moved: tuple[str, ...] = ()


def created(change: Change, *, sender: str, grouping: str | None) -> Made:
    """A partner that is not there yet.

    It carries a number of its own, derived from the change's mark: sent again, under whatever message, it is the same
    partner. Without mark and external number only a repetition of the very same message is.
    """
    data = dict(change.record.data)
    if change.mark is not None:
        data[MARK] = mark_text(change.mark)
    if grouping is not None and not data.get("BusinessPartnerGrouping"):
        data["BusinessPartnerGrouping"] = grouping
    external = str(data.get(MARK) or "")
    own = uuid.uuid5(NAMESPACE, f"{sender}/{external}") if external else uuid.uuid4()
    draft = Draft(str(own))
    category = str(data.get("BusinessPartnerCategory") or "")
    if category not in BY_CATEGORY:
        draft.mistakes.append(("BusinessPartnerCategory", "'1', '2' or '3' is needed to create a partner"))
    content = {"UUID": str(own), **_number(data), **node(BIRTH, _only(data, BIRTH), {}, draft)}
    if external:
        content["ExternalID"] = external
    content.update(_body(data, {}, None, category, draft))
    return Made({"actionCode": SAVE, **content}, tuple(draft.mistakes))


def changed(change: Change, target: Element, *, complete: frozenset[str]) -> Made:
    """What differs from the partner as it is; `complete` names the native lists that are sent whole."""
    key = change.record.key
    draft = Draft(str(target.get("BusinessPartnerUUID") or key), complete)
    category = str(target.get("BusinessPartnerCategory") or change.record.data.get("BusinessPartnerCategory") or "")
    for name in BIRTH:
        wanted = change.record.data.get(name)
        if wanted and target.get(name) and str(wanted) != str(target[name]):
            draft.mistakes.append((name, "is given at birth and cannot be changed"))
    body = _body(change.record.data, target, change.before, category, draft)
    mistakes, moved = tuple(draft.mistakes), tuple(draft.moved)
    if not body:
        return Made(None, mistakes, moved)
    number = alpha(key)
    numbers: Node = {"InternalID": number, "ReceiverInternalID": number}
    if target.get("BusinessPartnerUUID"):
        numbers = {**numbers, "UUID": target["BusinessPartnerUUID"], "ReceiverUUID": target["BusinessPartnerUUID"]}
    external = change.record.data.get(MARK) or target.get(MARK)
    if external:
        numbers["ExternalID"] = str(external)
    born = node(BIRTH, {}, _only(target, BIRTH), draft)
    return Made({"actionCode": SAVE, **numbers, **born, **body}, mistakes, moved)


def _number(data: Element) -> Node:
    """The number of a partner whose grouping takes numbers from outside."""
    return {"InternalID": alpha(str(data["BusinessPartner"]))} if data.get("BusinessPartner") else {}


def _only(data: Element, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in fields}


def _body(data: Element, present: Element, before: Element | None, category: str, draft: Draft) -> Node:
    """The nodes below a partner that differ, with the indicators of complete lists."""
    made: Node = {}
    common = _common(data, present, category, draft)
    if common is not None:
        made["Common"] = [common]
    for spec in PARTNER_LISTS:
        if spec.navigation in data:
            elements = compared(spec, data, present, before, draft)
            if elements or (spec.navigation in draft.complete and present.get(spec.navigation)):
                put(made, spec.path, elements)
                made.update(_complete(spec.navigation, draft))
    if data.get(CUSTOMER_NAVIGATION):
        customer = _customer(data, present, before, draft)
        if customer:
            made["Customer"] = customer
    return made


def _complete(navigation: str, draft: Draft) -> Node:
    return {COMPLETE[navigation]: True} if navigation in draft.complete else {}


def _common(data: Element, present: Element, category: str, draft: Draft) -> Node | None:
    fields = {**COMMON, **BY_CATEGORY.get(category, {})}
    wanted = {name: value for name, value in data.items() if name not in BIRTH}
    if category == "1":
        fields = {**fields, "gender": To("Person.GenderCode")}
        wanted, present = _with_gender({**present, **wanted}, wanted), _with_gender(present, present)
    made = node(fields, wanted, present, draft)
    if made == node(fields, {}, present, draft):
        return None
    return {"actionCode": SAVE, **made}


def _with_gender(shown: Element, data: Element) -> dict[str, Any]:
    found = {name: value for name, value in data.items() if name not in GENDERS}
    if any(name in data for name in GENDERS):
        found["gender"] = next((code for name, code in GENDERS.items() if shown.get(name)), None)
    return found


def _customer(data: Element, present: Element, before: Element | None, draft: Draft) -> Node:
    wanted: Element = data[CUSTOMER_NAVIGATION] or {}
    there: Element = present.get(CUSTOMER_NAVIGATION) or {}
    known: Element = (before or {}).get(CUSTOMER_NAVIGATION) or {}
    where = f"{CUSTOMER_NAVIGATION}."
    made = node(CUSTOMER, wanted, there, draft, where)
    lists: Node = {}
    for spec in CUSTOMER_LISTS:
        if spec.navigation in wanted:
            elements = compared(spec, wanted, there, known, draft, where=where)
            if elements:
                lists = {**lists, spec.path: elements, **_complete(spec.navigation, draft)}
    taxes = _taxes(wanted, there, draft, where)
    if taxes:
        lists[SALES_TAXES.path] = taxes
    # a partner without customer becomes one by the node alone
    if there and not lists and made == node(CUSTOMER, {}, there, draft):
        return {}
    number = there.get("Customer") or present.get("Customer")
    numbers = {"InternalID": alpha(str(number)), "ReceiverInternalID": alpha(str(number))} if number else {}
    return {**numbers, **made, **lists}


def _taxes(wanted: Element, there: Element, draft: Draft, where: str) -> list[Node]:
    """The tax classifications of all sales areas: the message has one list for the customer."""
    found: dict[tuple[str, str], Node] = {}
    areas = there.get(SALES_AREAS.navigation) or ()
    for index, area in enumerate(wanted.get(SALES_AREAS.navigation) or ()):
        match = match_of(SALES_AREAS, area, areas, set())
        present = {} if match is None else areas[match]
        place = f"{where}{SALES_AREAS.navigation}[{index}]."
        for made in compared(SALES_TAXES, area, present, None, draft, where=place):
            found[made.get("TaxCountryCode", ""), made.get("TaxTypeCode", "")] = made
    return list(found.values())
