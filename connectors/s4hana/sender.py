"""Sending prepared requests and reading what became of each record; exactly one outcome for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.s4hana.bodies import body_bytes, deep
from connectors.s4hana.entities import ADDRESSES
from connectors.s4hana.service import Service
from l2c.contract import Outcome, Prepared, Request, Status
from l2c.errors import AuthError, HubError, ProtocolError, TransientError
from l2c.http import (
    Answer,
    AnswerLost,
    Part,
    decode,
    etag_of,
    json_bytes,
    read_batch,
    refusal,
    retry_after,
    write_batch,
)

_OK = 300


@dataclass(slots=True)
class _Sending:
    """The outcomes so far, and whether anything at all was sent: from then on nothing may raise."""

    outcomes: list[Outcome | None]
    begun: bool = False


def partner_number(data: Mapping[str, Any]) -> str | None:
    """The key of a created partner, by the answer that shows it."""
    return str(data["BusinessPartner"]) if data.get("BusinessPartner") else None


class Sender:
    """Sends what a writer prepared; `key_of` finds the key of a created record in the answer that shows it."""

    def __init__(self, service: Service, key_of: Callable[[Mapping[str, Any]], str | None] = partner_number) -> None:
        self._service = service
        self._key_of = key_of

    def send(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """One outcome for each, in order; raises only when nothing at all was sent."""
        sending = _Sending([item.outcome for item in prepared])
        waiting = [index for index, outcome in enumerate(sending.outcomes) if outcome is None]
        size = self._service.settings.batch
        for start in range(0, len(waiting), size):
            chunk = waiting[start : start + size]
            try:
                self._chunk(sending, prepared, chunk)
            except (TransientError, AuthError, ProtocolError) as error:
                if not sending.begun:
                    raise
                for index in waiting[start:]:
                    sending.outcomes[index] = sending.outcomes[index] or not_sent(error)
                break
        return [outcome or _unknown("no_outcome", "nothing is known of this record") for outcome in sending.outcomes]

    def _chunk(self, sending: _Sending, prepared: Sequence[Prepared], chunk: list[int]) -> None:
        """Send some records in one request; a batch that is refused as a whole is halved."""
        if len(chunk) == 1 and len(prepared[chunk[0]].requests) == 1:
            found: list[tuple[Part, ...] | None] | Outcome = self._single(prepared[chunk[0]].requests[0])
        else:
            found = self._batch([prepared[index].requests for index in chunk])
        if isinstance(found, Outcome):
            if found.status is Status.REJECTED and len(chunk) > 1:
                # nothing of a refused batch was done
                middle = len(chunk) // 2
                self._chunk(sending, prepared, chunk[:middle])
                self._chunk(sending, prepared, chunk[middle:])
                return
            found_all: Sequence[Outcome] = [found] * len(chunk)
        else:
            found_all = [self._outcome(prepared[index], parts) for index, parts in zip(chunk, found, strict=True)]
        sending.begun = True
        for index, outcome in zip(chunk, found_all, strict=True):
            key = prepared[index].change.record.key or None
            sending.outcomes[index] = outcome if outcome.native_key else replace(outcome, native_key=key)

    def _single(self, request: Request) -> list[tuple[Part, ...] | None] | Outcome:
        headers = {"Accept": "application/json", **request.headers}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._service.session.request(request.method, request.path, body=request.body, headers=headers)
        except AnswerLost as error:
            return _unknown(error.code, error.message)
        wait = retry_after(answer, self._service.system.clock())
        lines = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "retry-after"]
        if wait is not None:
            lines.append(f"Retry-After: {wait}")
        return [(Part(answer.status, "\r\n".join(lines).encode("latin-1", "replace"), answer.body),)]

    def _batch(self, changesets: Sequence[Sequence[Request]]) -> list[tuple[Part, ...] | None] | Outcome:
        """The parts of each changeset, or one outcome that holds for all of them."""
        content_type, body = write_batch(changesets)
        headers = {"Content-Type": content_type, "Accept": "multipart/mixed"}
        try:
            answer = self._service.session.request("POST", "$batch", body=body, headers=headers)
        except AnswerLost as error:
            return _unknown(error.code, error.message)
        if answer.status >= _OK:
            return refusal(answer.status, answer.body)
        kind = answer.headers.get("content-type", "")
        if not kind.lower().startswith("multipart/"):
            return _unknown("no_batch_answer", f"{answer.where}: the answer is no batch answer ({_kind(answer)})")
        return read_batch(kind, answer.body, [len(requests) for requests in changesets])

    def _outcome(self, prepared: Prepared, parts: tuple[Part, ...] | None) -> Outcome:
        """What became of one record, by the parts of its changeset."""
        if parts is None:
            return _unknown("no_answer", "the batch's answer does not tell what became of this record")
        refused = next((part for part in parts if part.status >= _OK), None)
        key = prepared.change.record.key
        if refused is not None:
            outcome = refusal(refused.status, refused.body, retry_after=_seconds(refused))
            if refused.status == 404 and key:
                # it was there when it was read: someone removed it, or a part of it
                return replace(outcome, status=Status.CONFLICT, native_key=key)
            return outcome
        if not key:
            return self._created(prepared, parts[0])
        own = next(
            (part for part, request in zip(parts, prepared.requests, strict=True) if request.method == "PATCH"), None
        )
        return Outcome(
            Status.UPDATED,
            native_key=key,
            etag=own.headers.get("etag") if own else None,
            child_keys=self._added(prepared, parts),
        )

    def _created(self, prepared: Prepared, part: Part) -> Outcome:
        data = _entity(part)
        created = self._key_of(data) if data else None
        if data is None or created is None:
            return _unknown("no_key", "the record was created, but the answer does not name it")
        children: dict[str, str] = {}
        sent = prepared.change.record.data.get(ADDRESSES.navigation) or ()
        shown = data.get(ADDRESSES.navigation)
        elements = shown.get("results") if isinstance(shown, dict) else shown
        if isinstance(elements, list) and len(elements) == len(sent):
            children = _child_keys(range(len(elements)), elements)
        etag = etag_of(data) or part.headers.get("etag")
        return Outcome(Status.CREATED, created, etag, children)

    def _added(self, prepared: Prepared, parts: tuple[Part, ...]) -> dict[str, str]:
        """The numbers of addresses this change added, by their place in the list that was sent."""
        metadata = self._service.metadata()
        sent = prepared.change.record.data.get(ADDRESSES.navigation) or ()
        suffix = f"/{ADDRESSES.navigation}"
        answers = {
            request.body: _entity(part)
            for request, part in zip(prepared.requests, parts, strict=True)
            if request.method == "POST" and request.path.endswith(suffix)
        }
        if not answers:
            return {}
        kind = metadata.sets[ADDRESSES.entity]
        places = {body_bytes(deep(metadata, kind, element, [])): index for index, element in enumerate(sent)}
        pairs = [(places[body], data) for body, data in answers.items() if data and body in places]
        return _child_keys([index for index, _ in pairs], [data for _, data in pairs])


def _child_keys(places: Sequence[int], elements: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        f"{ADDRESSES.navigation}/{place}": str(element["AddressID"])
        for place, element in zip(places, elements, strict=True)
        if element.get("AddressID")
    }


def _entity(part: Part) -> dict[str, Any] | None:
    """The entity an answer to a POST shows; None when it shows none."""
    try:
        data = decode(part.body).get("d")
    except (msgspec.DecodeError, AttributeError):
        return None
    return data if isinstance(data, dict) else None


def _seconds(part: Part) -> float | None:
    try:
        return max(float(part.headers["retry-after"]), 0.0)
    except (KeyError, ValueError):
        return None


def _unknown(code: str, message: str) -> Outcome:
    return Outcome(Status.UNKNOWN, code=code, message=message)


def not_sent(error: HubError) -> Outcome:
    """The outcome of a record that was not sent because the system went away."""
    wait = error.retry_after if isinstance(error, TransientError) else None
    return Outcome(Status.FAILED, code=error.code or "not_sent", message=error.message, retry_after=wait)


def _kind(answer: Answer) -> str:
    try:
        json_bytes(answer)
    except HubError as error:
        return error.message.removeprefix(f"{answer.where}: ")
    return "JSON"
