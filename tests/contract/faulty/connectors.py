"""Connectors with one deliberate fault each; every class names the one check that must find it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from l2c.contract import Change, EntitySchema, Health, Outcome, Page, Prepared, Record, Status
from l2c.contract.conformance import Fault, Operation
from l2c.errors import AuthError, ProtocolError, TransientError
from tests.contract.faulty.memory import MemoryConnector


class Faulty(MemoryConnector):
    """A connector with one fault."""

    fails: ClassVar[str] = ""


class SaysItIsIll(Faulty):
    fails = "check.says_ok"

    def check(self) -> Health:
        return replace(super().check(), ok=False)


class ForgetsAField(Faulty):
    fails = "describe.knows_every_field"

    def describe(self, entity: str) -> EntitySchema:
        schema = super().describe(entity)
        return replace(schema, fields={path: one for path, one in schema.fields.items() if path != "limits.amount"})


class NamesNoNearMiss(Faulty):
    fails = "describe.names_the_near_miss"

    def unknown(self, entity: str) -> str:
        return f"unknown entity '{entity}'"


class NeverEnds(Faulty):
    fails = "read.terminates"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        cursor = None
        for page in super().read(entity, **options):
            yield page
            cursor = page.cursor
        while True:
            yield Page((), cursor)


class RepeatsAPage(Faulty):
    fails = "read.never_repeats_a_page"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        for number, page in enumerate(super().read(entity, **options)):
            yield page
            if number == 1:
                yield page


class LosesARecordAtThePageBorder(Faulty):
    fails = "read.shows_every_record"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        whole = options["since"] is None and options.get("partition") is None
        for number, page in enumerate(super().read(entity, **options)):
            records = list(page.records)
            yield replace(page, records=records[:-1] if whole and number == 0 else records)


class ReversesEachPage(Faulty):
    fails = "read.in_change_order"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        for page in super().read(entity, **options):
            yield replace(page, records=list(page.records)[::-1])


class ResumesOneTooFar(Faulty):
    fails = "read.resumes_anywhere"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        for page in super().read(entity, **options):
            following = self.store.after(json.loads(page.cursor or "0"))
            yield replace(page, cursor=json.dumps(following[0][0])) if following else page


class TakesTheEndOfReadingForItsCursor(Faulty):
    fails = "read.sees_changes_made_meanwhile"

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        # a snapshot of the keys, then 'now' as cursor of the last page: what changed in between is never read
        pages = list(super().read(entity, **options))
        yield from pages[:-1]
        yield replace(pages[-1], cursor=json.dumps(self.store.tick))


class PutsARecordInTwoPartitions(Faulty):
    fails = "read.partitions_cover"

    def partitions(self, entity: str, n: int) -> Sequence[str]:
        return [*super().partitions(entity, n), "9 again"]

    def read(self, entity: str, **options: Any) -> Iterator[Page]:
        partition = options.get("partition")
        return super().read(entity, **{**options, "partition": partition[0] if partition else None})


class YieldsFloats(Faulty):
    fails = "read.plain_values"

    def record(self, stamp: int, key: str, data: dict[str, Any]) -> Record:
        return super().record(stamp, key, {**data, "limits": [{"amount": 10.5}]})


class SaysNothingOfWhatIsGone(Faulty):
    fails = "fetch.says_what_is_gone"

    def fetch(self, entity: str, keys: Sequence[str], **options: Any) -> Iterator[Record]:
        return (record for record in super().fetch(entity, keys, **options) if not record.deleted)


class ReservesNumbersWhilePreparing(Faulty):
    fails = "prepare.sends_nothing"

    def prepare(self, entity: str, changes: Sequence[Change]) -> Sequence[Prepared]:
        prepared = super().prepare(entity, changes)
        self.reserved = {one.mark: self.store.create({}) for one in changes if not one.record.key}
        return prepared

    def apply(self, change: Change) -> Outcome:
        key = self.reserved.get(change.mark)
        if key is None or not change.record.data.get("name"):
            return super().apply(change)
        self.store.put(key, {**change.record.data, "mark": change.mark})
        return Outcome(Status.CREATED, key)


class DropsAnOutcome(Faulty):
    fails = "send.one_outcome_a_change"

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        outcomes = super().send(prepared)
        return outcomes[:-1] if len(outcomes) > 1 else outcomes


class ShufflesOutcomes(Faulty):
    fails = "send.one_outcome_a_change"

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        return super().send(prepared)[::-1]


class WritesNothing(Faulty):
    fails = "send.writes_the_change"

    def apply(self, change: Change) -> Outcome:
        if change.record.key and change.etag == str(self.store.rows[change.record.key][0]):
            return Outcome(Status.UPDATED, change.record.key)
        return super().apply(change)


class RaisesInsteadOfRejecting(Faulty):
    fails = "send.rejects_a_bad_record_alone"

    def refuse(self, change: Change) -> Outcome:
        raise ProtocolError("a customer needs a name")


class CallsARejectedRecordCreated(Faulty):
    fails = "send.rejects_a_bad_record_alone"

    def refuse(self, change: Change) -> Outcome:
        return Outcome(Status.CREATED, "C0001")


class CreatesTwice(Faulty):
    fails = "send.twice_is_once"

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        if len(prepared) > 1:
            super().send(prepared)
        return super().send(prepared)


class TakesALostAnswerForAFailure(Faulty):
    fails = "send.lost_answer_is_looked_up"

    def lost(self, change: Change) -> Outcome:
        cut = self.store.fault == (Fault.LOST, Operation.WRITE)
        return Outcome(Status.FAILED if cut else Status.UNKNOWN)


class SwallowsAConflict(Faulty):
    fails = "send.moved_target_is_a_conflict"

    def apply(self, change: Change) -> Outcome:
        return super().apply(replace(change, etag=None))


class TakesATimeoutForNonsense(Faulty):
    fails = "fail.timeout_is_transient"

    def away(self, fault: Fault, operation: Operation) -> Exception:
        return ProtocolError("no answer") if fault is Fault.TIMEOUT else super().away(fault, operation)


class TakesATimeoutForAFailure(Faulty):
    fails = "fail.timeout_is_transient"

    def lost(self, change: Change) -> Outcome:
        late = self.store.fault == (Fault.TIMEOUT, Operation.WRITE)
        return Outcome(Status.FAILED if late else Status.UNKNOWN)


class HidesTheWait(Faulty):
    fails = "fail.busy_is_transient"

    def away(self, fault: Fault, operation: Operation) -> Exception:
        return TransientError("busy")


class BlamesTheRecordForAServerError(Faulty):
    fails = "fail.server_error_is_transient"

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        if self.store.fault == (Fault.SERVER_ERROR, Operation.WRITE):
            return [Outcome(Status.REJECTED, code="500") for _ in prepared]
        return super().send(prepared)


class SaysOkWithBadCredentials(Faulty):
    fails = "fail.bad_credentials_are_an_auth_error"

    def check(self) -> Health:
        return Health(ok=True, message="well")


class LeaksASecret(Faulty):
    fails = "fail.keeps_secrets"

    def refused(self) -> AuthError:
        return AuthError(f"the system refused '{self.secret}'")


class LeaksASecretInTheCause(Faulty):
    fails = "fail.keeps_secrets"

    def refused(self) -> AuthError:
        error = AuthError("credentials refused")
        error.__cause__ = ValueError(f"secret={self.secret}")
        return error


class FindsTheFirstRecord(Faulty):
    fails = "send.lost_answer_is_looked_up"

    def find(self, entity: str, marks: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {mark: ["C0001"] for mark in marks}


def all_faulty() -> Sequence[type[Faulty]]:
    """Every connector of this module that has a fault."""
    return Faulty.__subclasses__()
