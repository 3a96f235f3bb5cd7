"""Writing: one changeset a record in a `$batch`; POST creates or updates by key, DELETE removes.

POST adds to a list and never takes an element away, nor does it clear a reference; PATCH, which replaces whole lists, also
elements that are not ours, is not allowed in a batch. So an element that is to go gets its own DELETE in the record's
changeset, by the integrationKey the shop shows for it, and one whose reference is to be cleared is made anew.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from connectors.commerce.entities import KEY, ChildList, Service, Temporal, value_at
from connectors.commerce.keys import attributes, key_of, values_of, with_attributes
from connectors.commerce.reading import shown
from l2c.contract import Change, Outcome, Prepared, Request, Status
from l2c.errors import AuthError, HubError, ProtocolError, TransientError
from l2c.http import Answer, AnswerLost, Part, entity_path, read_batch, refusal, sap_error, to_json, write_batch

_encode = msgspec.json.Encoder().encode
_NO_HEADERS: Mapping[str, str] = {}


def prepared(service: Service, changes: Sequence[Change]) -> list[Prepared]:
    """The requests of each change, in order; reads the shop only for changes that take something away."""
    plans = [_plan(service, change) for change in changes]
    emptied = [plan.key for plan in plans if plan.gone]
    deleted = [change.record.key for change in changes if change.record.deleted]
    there: Mapping[str, Mapping[str, Any]] = {}
    if emptied or deleted:
        expand = [child.name for child in service.children] if emptied else []
        there = shown(service, list(dict.fromkeys(emptied + deleted)), expand)
    return [_prepared(service, change, plan, there) for change, plan in zip(changes, plans, strict=True)]


def _prepared(service: Service, change: Change, plan: "_Plan", there: Mapping[str, Mapping[str, Any]]) -> Prepared:
    if change.record.deleted:
        return _deletion(service, change, there)
    outcome = _refused(service, change, plan.key)
    if outcome is not None:
        return Prepared(change, (), outcome)
    post = Request("POST", service.entity.set, _body(service, plan), _NO_HEADERS)
    if not plan.gone:
        return Prepared(change, (post,))
    return Prepared(change, (*_removals(plan.gone, there.get(plan.key, {})), post))


class _Plan(NamedTuple):
    """What a change means: the record's key, the data to post, and the list elements to remove before that."""

    key: str
    data: Mapping[str, Any]
    gone: Mapping[ChildList, Sequence[Mapping[str, Any]]]


_NOTHING: Mapping[ChildList, Sequence[Mapping[str, Any]]] = {}


def _plan(service: Service, change: Change) -> _Plan:
    """A list the change does not name is kept; an element whose reference is cleared is removed and posted whole."""
    key, data = _key(service, change), change.record.data
    if not change.before or change.record.deleted:
        return _Plan(key, data, _NOTHING)
    gone: dict[ChildList, list[Mapping[str, Any]]] = {}
    for child in service.children:
        before = change.before.get(child.name)
        if not before or child.name not in data:
            continue
        wanted = list(data[child.name] or ())
        places = {_identity(child, element): place for place, element in enumerate(wanted)}
        anew = False
        for element in before:
            place = _place(child, element, places)
            if place is not None and not _clears(child.references, element, wanted[place]):
                continue
            gone.setdefault(child, []).append(element)
            if place is not None:
                anew = True
                wanted[place] = {**element, **wanted[place]}
        if anew:
            data = {**data, child.name: wanted}
    return _Plan(key, data, gone)


def _clears(references: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(before.get(name) is not None and name in after and after[name] is None for name in references)


def _key(service: Service, change: Change) -> str:
    return change.record.key or key_of(service, change.record.data)


def _body(service: Service, plan: _Plan) -> bytes:
    """The JSON of a record. Its key in the body decides what is written, and the key mapping's key wins."""
    name, data = service.entity.key, plan.data
    if name == KEY:
        data = with_attributes({one: value for one, value in data.items() if one != KEY}, attributes(service, plan.key))
    elif data.get(name) != plan.key:
        data = {**data, name: plan.key}
    return _encode(_rewritten(data, service.temporal) if service.temporal else data)


def _rewritten(data: Mapping[str, Any], temporal: Temporal) -> dict[str, Any]:
    made = dict(data)
    for name, kind in temporal.fields.items():
        if name in made:
            made[name] = to_json(made[name], kind)
    for name, below in temporal.below.items():
        value = made.get(name)
        if isinstance(value, list):
            made[name] = [_rewritten(element, below) for element in value]
        elif isinstance(value, Mapping):
            made[name] = _rewritten(value, below)
    return made


def _identity(child: ChildList, element: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(value_at(element, path) for path in child.key)


def _place(child: ChildList, element: Mapping[str, Any], places: Mapping[tuple[Any, ...], int]) -> int | None:
    """Where an element stands in the new list, by its key; a key attribute only one of the two names does not count."""
    identity = _identity(child, element)
    if identity in places:
        return places[identity]
    return next((place for other, place in places.items() if _same(identity, other)), None)


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    known = [(left, right) for left, right in zip(one, other, strict=True) if left is not None and right is not None]
    # a flag alone tells nothing apart
    return any(isinstance(left, str) for left, _ in known) and all(left == right for left, right in known)


def _refused(service: Service, change: Change, key: str) -> Outcome | None:
    """A change this API cannot express."""
    if not key:
        text = f"'{service.entity.key}' is empty: the shop knows a {service.entity.name} by nothing else"
        return Outcome(Status.REJECTED, code="missing_key", message=text)
    misfit = _misfit(service, change, key)
    if misfit:
        return Outcome(Status.REJECTED, code="invalid_key", message=misfit)
    before, data = change.before, change.record.data
    if not before:
        return None
    for name in service.links.intersection(before, data):
        if any(element not in (data[name] or ()) for element in before[name] or ()):
            text = f"'{name}': the Integration API cannot take an element out of this list in a batch"
            return Outcome(Status.REJECTED, code="cannot_remove", message=text)
    for name in service.references.intersection(before, data):
        if _clears((name,), before, data):
            text = f"'{name}': the Integration API cannot clear a reference"
            return Outcome(Status.REJECTED, code="cannot_clear", message=text)
    return None


def _misfit(service: Service, change: Change, key: str) -> str:
    """What is wrong with a key of several attributes; '' if nothing is."""
    if service.entity.key != KEY:
        return ""
    order = "|".join(".".join(path) for path in service.key)
    if not attributes(service, key):
        return f"the key of this {service.entity.name} does not have the segments of the shop's key: {order}"
    own = key_of(service, change.record.data)
    if own not in ("", key) and sorted(values_of(own)) == sorted(values_of(key)):
        return f"the key of this {service.entity.name} has its segments in another order than the shop's: {order}"
    return ""


def _removals(gone: Mapping[ChildList, Sequence[Mapping[str, Any]]], there: Mapping[str, Any]) -> Iterator[Request]:
    """One DELETE for each element that is to go and still there."""
    for child, elements in gone.items():
        for element in elements:
            identity = _identity(child, element)
            for candidate in there.get(child.name) or ():
                if _same(identity, _identity(child, candidate)):
                    yield _delete(child.set, candidate)


def _deletion(service: Service, change: Change, there: Mapping[str, Mapping[str, Any]]) -> Prepared:
    found = there.get(change.record.key)
    if found is None:
        return Prepared(change, (), Outcome(Status.DELETED, change.record.key, message="was not there"))
    return Prepared(change, (_delete(service.entity.set, found),))


def _delete(entity_set: str, shown_as: Mapping[str, Any]) -> Request:
    path = entity_path(entity_set, {"integrationKey": shown_as["integrationKey"]})
    return Request("DELETE", path, None, _NO_HEADERS)


def sent(service: Service, ready: Sequence[Prepared], size: int) -> list[Outcome]:
    """One outcome for each change with requests, in order; raises only while nothing was sent."""
    outcomes: list[Outcome] = []
    for start in range(0, len(ready), size):
        chunk = ready[start : start + size]
        try:
            outcomes += _send_batch(service, chunk)
        except AnswerLost as error:
            outcomes += [Outcome(Status.UNKNOWN, code=error.code, message=error.message)] * len(chunk)
        except HubError as error:
            if not outcomes:
                raise
            wait = error.retry_after if isinstance(error, TransientError) else None
            rest = Outcome(Status.FAILED, code=error.code, message=f"not sent: {error.message}", retry_after=wait)
            return outcomes + [rest] * (len(ready) - len(outcomes))
    return outcomes


def _send_batch(service: Service, ready: Sequence[Prepared]) -> list[Outcome]:
    kind, body = write_batch([one.requests for one in ready])
    headers = {"Content-Type": kind, "Accept": "multipart/mixed"}
    answer = service.session.request("POST", "$batch", body=body, headers=headers)
    if answer.status not in {200, 202}:
        raise _not_taken(service, answer)
    parts = read_batch(answer.headers.get("content-type", ""), answer.body, [len(one.requests) for one in ready])
    if parts and all(found and found[0].status in {401, 403} for found in parts):
        code, text = sap_error(parts[0][0].body) if parts[0] else ("", "")
        raise AuthError(f"{answer.where}: every record refused: {text}", system=answer.system, code=code)
    return [_outcome(service, one, found) for one, found in zip(ready, parts, strict=True)]


def _not_taken(service: Service, answer: Answer) -> ProtocolError:
    code, text = sap_error(answer.body)
    where = f"{answer.where}: the whole batch was refused with {answer.status}"
    return ProtocolError(f"{where}: {code} {text}", system=answer.system, entity=service.entity.name, code=code)


def _outcome(service: Service, one: Prepared, parts: Sequence[Part] | None) -> Outcome:
    """The shop answers 201 to every POST: what the hub knew nothing of before counts as created."""
    change = one.change
    key = _key(service, change)
    if parts is None:
        return Outcome(Status.UNKNOWN, key, code="no_answer", message="the batch's answer has no part for this record")
    last = parts[-1]
    if last.status < 300:
        if change.record.deleted:
            return Outcome(Status.DELETED, key)
        return Outcome(Status.CREATED if change.before is None else Status.UPDATED, key)
    found = refusal(last.status, last.body)
    if last.status == 404 and change.record.deleted:
        return Outcome(Status.DELETED, key, code=found.code, message=found.message)
    if last.status == 404 and len(one.requests) > 1:
        # an element to be removed went in between; the changeset was rolled back
        return replace(found, status=Status.CONFLICT, native_key=key)
    if found.status is Status.UNKNOWN:
        return replace(found, status=Status.FAILED)  # a repeated upsert is harmless
    return found
