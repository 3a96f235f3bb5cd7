"""Writing partners by replication messages: one-way, confirmed later by a message to the hub."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.s4hana.bodies import same
from connectors.s4hana.entities import CUSTOMER as CUSTOMER_NAVIGATION
from connectors.s4hana.entities import ENTITIES, MARK, PARTNER, alpha
from connectors.s4hana.reader import Reader
from connectors.s4hana.replication.fields import BIRTH, BY_CATEGORY, COMMON, CUSTOMER, GENDERS
from connectors.s4hana.replication.lists import CUSTOMER_LISTS, PARTNER_LISTS, SALES_AREAS, SALES_TAXES, ListNode
from connectors.s4hana.replication.messages import OPERATION, Messages, joined, token_in
from connectors.s4hana.replication.partner import Made, changed, created
from connectors.s4hana.service import Service
from l2c.contract import Change, Outcome, Prepared, Record, Request, Status
from l2c.errors import AuthError, HubError, ProtocolError, TransientError
from l2c.http import AnswerLost, HttpSession, MessageRefused


@dataclass(slots=True)
class _Sending:
    """The outcomes so far, and whether anything at all was sent: from then on nothing may raise."""

    outcomes: list[Outcome | None]
    begun: bool = False


class Replication:
    """Partners of one system, read by OData and written by messages."""

    def __init__(self, session: HttpSession, service: Service, reader: Reader) -> None:
        self._service = service
        self._reader = reader
        self._settings = service.settings
        self._session = session
        self._messages = Messages(session, service.settings, service.system)

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()

    def owns(self, prepared: Prepared) -> bool:
        """Whether these requests are messages made here."""
        return any(request.path == self._settings.replication_path for request in prepared.requests)

    def prepare(self, changes: Sequence[Change]) -> list[Prepared]:
        """One Prepared for each change, in order; reads the partners that are to be changed."""
        targets = self._targets(changes)
        return [self._one(change, targets.get(change.record.key)) for change in changes]

    def send(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """One outcome for each, in order: accepted with the message's number as token, or why not."""
        sending = _Sending([item.outcome for item in prepared])
        waiting = [index for index, outcome in enumerate(sending.outcomes) if outcome is None]
        size = self._settings.replication_batch
        for start in range(0, len(waiting), size):
            try:
                self._chunk(sending, prepared, waiting[start : start + size])
            except (TransientError, AuthError, ProtocolError) as error:
                if not sending.begun:
                    raise
                for index in waiting[start:]:
                    sending.outcomes[index] = sending.outcomes[index] or _not_sent(error)
                break
        return [
            outcome or Outcome(Status.UNKNOWN, code="no_outcome", message="nothing is known of this record")
            for outcome in sending.outcomes
        ]

    def _targets(self, changes: Sequence[Change]) -> dict[str, Record]:
        """The present state of the partners to be changed, by key as the change names it."""
        wanted = [change for change in changes if change.record.key and not change.record.deleted]
        if not wanted:
            return {}
        known = self._service.schema(ENTITIES[PARTNER]).fields
        paths = [path for path in _paths(wanted) if path in known]
        keys = list(dict.fromkeys(change.record.key for change in wanted))
        found = {alpha(record.key): record for record in self._reader.fetch(ENTITIES[PARTNER], keys, paths)}
        return {key: found[alpha(key)] for key in keys}

    def _one(self, change: Change, target: Record | None) -> Prepared:
        key = change.record.key
        if change.record.deleted:
            return _settled(change, Status.REJECTED, "not_deletable", "S/4HANA deletes no partner: block it instead")
        if target is None:
            grouping, sender = self._settings.partner_grouping, self._settings.business_system
            return self._message(change, created(change, sender=sender, grouping=grouping), None)
        if target.deleted:
            return _settled(change, Status.CONFLICT, "not_found", f"partner '{key}' does not exist")
        moved = self._moved(change, target)
        if moved:
            return _settled(change, Status.CONFLICT, "moved", f"partner '{key}' {moved}")
        made = changed(change, target.data, complete=frozenset(self._settings.replication_complete))
        return self._message(change, made, target)

    def _message(self, change: Change, made: Made, target: Record | None) -> Prepared:
        if made.mistakes:
            return _rejected(change, made.mistakes)
        if made.moved:
            text = f"partner '{change.record.key}': {'; '.join(made.moved)}"
            return _settled(change, Status.CONFLICT, "moved", text)
        if made.content is None:
            etag = target.etag if target else None
            return Prepared(change, (), Outcome(Status.UNCHANGED, change.record.key, etag))
        envelope = self._messages.single(change, made.content, target)
        if envelope.mistakes:
            return _rejected(change, envelope.mistakes)
        path = self._settings.replication_path
        return Prepared(change, (Request("POST", path, envelope.body, envelope.headers),))

    def _moved(self, change: Change, target: Record) -> str:
        """How the partner differs from what the change is based on; empty when it does not."""
        if change.etag and target.etag:
            return "" if change.etag == target.etag else "was changed since it was read"
        fields = self._service.metadata().sets[PARTNER].fields
        moved = [
            name
            for name, value in (change.before or {}).items()
            if name in fields and name in target.data and not same(value, target.data[name], fields[name])
        ]
        return f"no longer shows what was last read: {', '.join(moved)}" if moved else ""

    def _chunk(self, sending: _Sending, prepared: Sequence[Prepared], chunk: list[int]) -> None:
        """Send some messages in one envelope; one that is refused as a whole is halved: nothing of it was done."""
        requests = [prepared[index].requests[0] for index in chunk]
        tokens = [token_in(request.body or b"") for request in requests]
        body = joined([request.body or b"" for request in requests])
        outcome = Outcome(Status.ACCEPTED)
        try:
            self._messages.soap.post(OPERATION, requests[0].path, body, requests[0].headers)
        except AnswerLost as error:
            outcome = Outcome(Status.UNKNOWN, code=error.code, message=error.message, retry_after=error.retry_after)
        except MessageRefused as error:
            if len(chunk) > 1:
                middle = len(chunk) // 2
                self._chunk(sending, prepared, chunk[:middle])
                self._chunk(sending, prepared, chunk[middle:])
                return
            outcome = Outcome(Status.REJECTED, code=error.code, message=error.message)
        sending.begun = True
        for index, token in zip(chunk, tokens, strict=True):
            sending.outcomes[index] = _of(outcome, prepared[index].change.record.key or None, token)


def _of(outcome: Outcome, key: str | None, token: str) -> Outcome:
    """The outcome of one message of an envelope; a refused one waits for no confirmation."""
    waits = outcome.status in {Status.ACCEPTED, Status.UNKNOWN}
    return Outcome(
        outcome.status,
        key,
        code=outcome.code,
        message=outcome.message,
        retry_after=outcome.retry_after,
        token=token if waits else None,
    )


def _paths(changes: Sequence[Change]) -> list[str]:
    """The dotted paths of every field of the nodes these changes touch: a node is sent whole."""
    own = {"BusinessPartner", "BusinessPartnerUUID", "Customer", MARK, *BIRTH, *COMMON, *GENDERS}
    for fields in BY_CATEGORY.values():
        own.update(fields)
    paths = dict.fromkeys(sorted(own))
    touched = {name for change in changes for name in change.record.data}
    for spec in PARTNER_LISTS:
        if spec.navigation in touched:
            paths.update(dict.fromkeys(_below(spec, "")))
    if CUSTOMER_NAVIGATION in touched:
        prefix = f"{CUSTOMER_NAVIGATION}."
        paths.update(dict.fromkeys(f"{prefix}{name}" for name in ("Customer", *CUSTOMER)))
        inner = {name for change in changes for name in change.record.data.get(CUSTOMER_NAVIGATION) or {}}
        for spec in CUSTOMER_LISTS:
            if spec.navigation in inner:
                paths.update(dict.fromkeys(_below(spec, prefix)))
        if SALES_AREAS.navigation in inner:
            paths.update(dict.fromkeys(_below(SALES_TAXES, f"{prefix}{SALES_AREAS.navigation}.")))
    return list(paths)


def _below(spec: ListNode, prefix: str) -> list[str]:
    here = f"{prefix}{spec.navigation}."
    extra = ("AddressUUID", "OrdinalNumber", *spec.given)
    paths = [f"{here}{name}" for name in (*spec.fields, *extra)]
    for lower in spec.below:
        paths.extend(_below(lower, here))
    return paths


def _settled(change: Change, status: Status, code: str, message: str) -> Prepared:
    return Prepared(change, (), Outcome(status, change.record.key or None, code=code, message=message))


def _rejected(change: Change, mistakes: Sequence[tuple[str, str]]) -> Prepared:
    text = "; ".join(f"{path}: {what}" if path else what for path, what in mistakes)
    return _settled(change, Status.REJECTED, "invalid", text)


def _not_sent(error: HubError) -> Outcome:
    wait = error.retry_after if isinstance(error, TransientError) else None
    return Outcome(Status.FAILED, code=error.code or "not_sent", message=error.message, retry_after=wait)
