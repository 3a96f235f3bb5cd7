"""Sending contact persons: first the persons that are new, then everything else, with the numbers SAP gave them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.s4hana.contact_writer import THE_PERSON, ContactPrepared
from connectors.s4hana.contacts import FLAT
from connectors.s4hana.entities import PARTNER, joined
from connectors.s4hana.sender import Sender, not_sent
from connectors.s4hana.service import Service
from l2c.contract import Change, Outcome, Prepared, Record, Request, Status
from l2c.errors import AuthError, ProtocolError, TransientError


class ContactSender:
    """Sends what the writer of contacts prepared."""

    def __init__(self, service: Service) -> None:
        self._persons = Sender(service)
        self._contacts = Sender(service, contact_key)

    def send(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """One outcome for each, in order; raises only when nothing at all was sent."""
        outcomes = [item.outcome for item in prepared]
        new = [index for index, item in enumerate(prepared) if outcomes[index] is None and _makes_person(item)]
        born = self._persons.send([Prepared(prepared[index].change, prepared[index].requests[:1]) for index in new])
        numbers: dict[int, str] = {}
        for index, outcome in zip(new, born, strict=True):
            if outcome.status is Status.CREATED and outcome.native_key:
                numbers[index] = outcome.native_key
            else:
                outcomes[index] = outcome
        rest = [index for index, outcome in enumerate(outcomes) if outcome is None]
        second = [_second(prepared[index], numbers.get(index)) for index in rest]
        for index, outcome in zip(rest, self._rest(second, begun=bool(new)), strict=True):
            outcomes[index] = _ended(prepared[index], outcome)
        return [outcome for outcome in outcomes if outcome is not None]

    def _rest(self, prepared: Sequence[Prepared], *, begun: bool) -> list[Outcome]:
        """What is sent behind the persons; once those are on their way nothing may raise."""
        try:
            return self._contacts.send(prepared)
        except (TransientError, AuthError, ProtocolError) as error:
            if not begun:
                raise
            return [not_sent(error)] * len(prepared)


def contact_key(data: Mapping[str, Any]) -> str | None:
    """The key of a created relationship, by the answer that shows it."""
    return joined(FLAT, data) if all(data.get(name) for name in FLAT.joined) else None


def _makes_person(item: Prepared) -> bool:
    return bool(item.requests) and item.requests[0].method == "POST" and item.requests[0].path == PARTNER


def _second(item: Prepared, number: str | None) -> Prepared:
    """What is left to send of a record, its key known where it was found instead of created."""
    if number is not None:
        return Prepared(item.change, [_filled(request, number) for request in item.requests[1:]])
    if isinstance(item, ContactPrepared) and item.key:
        return Prepared(Change(Record(item.key, item.change.record.data)), item.requests)
    return item


def _filled(request: Request, number: str) -> Request:
    """A request with the number of the person that was created before it."""
    body = request.body.replace(f'"{THE_PERSON}"'.encode(), f'"{number}"'.encode()) if request.body else None
    return replace(request, body=body)


def _ended(item: Prepared, outcome: Outcome) -> Outcome:
    """A relationship that was deleted is not merely updated."""
    if item.change.record.deleted and outcome.status is Status.UPDATED:
        return replace(outcome, status=Status.DELETED, etag=None)
    return outcome
