"""Checks of `prepare`, `send` and `find`: every change has its outcome, and nothing is written twice or over another."""

from collections.abc import Sequence

from l2c.contract.conformance.rig import Broken, Fault, NotApplicable, Operation, Trial
from l2c.contract.connector import Connector
from l2c.contract.records import Change, Outcome, Status
from l2c.errors import HubError

LANDED = frozenset({Status.CREATED, Status.UPDATED, Status.UNCHANGED, Status.ACCEPTED})


def write(connector: Connector, entity: str, changes: Sequence[Change]) -> Sequence[Outcome]:
    """Prepare and send these changes."""
    return connector.send(connector.prepare(entity, changes))


def prepare_sends_nothing(trial: Trial) -> None:
    """Preparing a create and an edit leaves the system as it was, and gives one Prepared a change, in order."""
    rig = trial.rig
    before = set(rig.native_keys())
    key = min(before)
    label = rig.label_of(key)
    record = next(iter(trial.connector.fetch(rig.entity, [key], fields=rig.fields)))
    changes = [rig.new("prepared only"), rig.edit(record, "prepared edit")]
    prepared = trial.connector.prepare(rig.entity, changes)
    if [one.change for one in prepared] != changes:
        raise Broken(f"{len(prepared)} prepared for {len(changes)} changes, or in another order")
    if set(rig.native_keys()) != before or rig.label_of(key) != label:
        raise Broken("prepare changed the system")


def one_outcome_a_change(trial: Trial) -> None:
    """Good changes give one outcome each, in order, with the native key of the record that was written."""
    rig = trial.rig
    labels = [f"in order {number}" for number in range(3)]
    outcomes = write(trial.connector, rig.entity, [rig.new(label) for label in labels])
    if len(outcomes) != len(labels):
        raise Broken(f"{len(outcomes)} outcomes for {len(labels)} changes")
    for outcome, label in zip(outcomes, labels, strict=True):
        if outcome.status not in LANDED:
            raise Broken(f"a good change ended as {outcome.status}: {outcome.code} {outcome.message}")
        if outcome.native_key is None or rig.label_of(outcome.native_key) != label:
            raise Broken(f"the outcome of '{label}' names native key '{outcome.native_key}', which is not that record")


def writes_the_change(trial: Trial) -> None:
    """A change of an existing record shows in the system, and in no other record."""
    rig = trial.rig
    key, other = sorted(rig.native_keys())[:2]
    untouched = rig.label_of(other)
    record = next(iter(trial.connector.fetch(rig.entity, [key], fields=rig.fields)))
    outcomes = write(trial.connector, rig.entity, [rig.edit(record, "written by the check")])
    if outcomes and outcomes[0].status not in {Status.UPDATED, Status.ACCEPTED}:
        raise Broken(f"the change of '{key}' ended as {outcomes[0].status}: {outcomes[0].code} {outcomes[0].message}")
    if rig.label_of(key) != "written by the check" or rig.label_of(other) != untouched:
        raise Broken(f"the change of '{key}' is said to be written and is not what the system shows")


def rejects_a_bad_record_alone(trial: Trial) -> None:
    """A record the system refuses is `rejected` in its own words, and the good ones around it land."""
    rig = trial.rig
    before = len(rig.native_keys())
    changes = [rig.new("before the bad one"), rig.bad(), rig.new("after the bad one")]
    try:
        outcomes = write(trial.connector, rig.entity, changes)
    except HubError as error:
        raise Broken(f"a bad record raises {type(error).__name__}: {error}") from error
    for place, outcome in enumerate(outcomes[:3]):
        if place == 1:
            if outcome.status is not Status.REJECTED or not (outcome.code or outcome.message):
                raise Broken(f"the bad record ended as {outcome.status} with code '{outcome.code}'")
        elif outcome.status not in LANDED:
            raise Broken(f"a good record beside a bad one ended as {outcome.status}: {outcome.code} {outcome.message}")
    if len(rig.native_keys()) < before + 2:
        raise Broken("a good record beside a bad one did not land")


def twice_is_once(trial: Trial) -> None:
    """Sending the same creates again adds nothing: by their key, or because their marks are found first."""
    rig, connector = trial.rig, trial.connector
    if trial.schema.safe_by == "none":
        raise NotApplicable("safe_by is 'none'")
    before = len(rig.native_keys())
    changes = [rig.new(f"twice {number}") for number in range(2)]
    write(connector, rig.entity, changes)
    again = changes
    if trial.schema.safe_by == "lookup":
        marks = [change.mark or "" for change in changes]
        found = connector.find(rig.entity, marks)
        for mark in marks:
            if len(found.get(mark, ())) != 1:
                raise Broken(f"mark '{mark}' was written once and is found {len(found.get(mark, ()))} times")
        again = [change for change in changes if not found.get(change.mark or "")]
    if again:
        write(connector, rig.entity, again)
    if len(rig.native_keys()) != before + len(changes):
        raise Broken(f"{len(changes)} creates made {len(rig.native_keys()) - before} records")


def lost_answer_is_looked_up(trial: Trial) -> None:
    """When the system acted and its answer got lost, the outcome is `unknown` and `find` names the record."""
    rig, connector = trial.rig, trial.connector
    if trial.schema.safe_by == "none":
        raise NotApplicable("safe_by is 'none'")
    change = rig.new("lost answer")
    before = len(rig.native_keys())
    prepared = connector.prepare(rig.entity, [change])
    rig.fault(Fault.LOST, Operation.WRITE)
    try:
        outcomes = connector.send(prepared)
    except HubError as error:
        raise Broken(f"the system acted, and send raises {type(error).__name__} as if nothing was sent") from error
    finally:
        rig.heal()
    # a write that may be repeated safely may have been repeated already
    allowed = {Status.UNKNOWN} if trial.schema.safe_by == "lookup" else {Status.UNKNOWN, Status.CREATED, Status.UPDATED}
    for outcome in outcomes[:1]:
        if outcome.status not in allowed:
            raise Broken(f"the answer got lost and the outcome is {outcome.status}")
    mark = change.mark or change.record.key
    keys = list(connector.find(rig.entity, [mark]).get(mark, ()))
    if len(keys) != 1 or rig.label_of(keys[0]) != "lost answer" or len(rig.native_keys()) != before + 1:
        raise Broken(
            f"find names {keys} for mark '{mark}' after {len(rig.native_keys()) - before} records were created"
        )


def moved_target_is_a_conflict(trial: Trial) -> None:
    """A record somebody changed since it was read, before or after `prepare`, is a conflict and stays theirs."""
    rig, connector = trial.rig, trial.connector
    for moment in ("before prepare", "after prepare"):
        key = max(rig.native_keys())
        record = next(iter(connector.fetch(rig.entity, [key], fields=rig.fields)))
        change = rig.edit(record, "too late")
        if moment == "before prepare":
            rig.touch(key)
        prepared = connector.prepare(rig.entity, [change])
        if moment == "after prepare":
            rig.touch(key)
        theirs = rig.label_of(key)
        for outcome in connector.send(prepared)[:1]:
            if outcome.status is not Status.CONFLICT:
                raise Broken(f"the record was changed {moment} and the outcome is {outcome.status}")
        if rig.label_of(key) != theirs:
            raise Broken(f"the record was changed {moment} and that change is lost")
