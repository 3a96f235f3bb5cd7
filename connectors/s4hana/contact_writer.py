"""Contact persons as requests: a person, then the relationship that names it; a change patches either by itself.

SAP gives the person its number, and the relationship names that number: the two requests of a create cannot be one changeset.
So the person carries the mark, and whatever of both is there already is found before anything is created.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.s4hana import mobiles
from connectors.s4hana.bodies import Mistakes, body_bytes, deep, differing, flat, same
from connectors.s4hana.contacts import COMPANY, END, NUMBER, OWN_MOBILE, PERSON, Contacts, wanted_of
from connectors.s4hana.entities import CONTACT, CONTACT_KEY, MARK, PARTNER, alpha
from connectors.s4hana.marks import mark_text, marked
from connectors.s4hana.service import Service
from l2c.contract import Change, Outcome, Prepared, Record, Request, Status
from l2c.http import EntityType, Metadata, entity_path

FUNCTION = "to_ContactRelationship"
FUNCTIONS = "A_BPContactToFuncAndDept"
THE_PERSON = "$person"  # stands for the number the first request of a create gives
FOREVER = "9999-12-31"
ROLE = "BUP001"
CATEGORY = "BUR001"  # has the contact person
# a number and its extension say one thing: where one changes, both are compared with what SAP shows
_PARTS = {"PhoneNumber": "PhoneNumberExtension", "FaxNumber": "FaxNumberExtension"}
_TOGETHER = {**_PARTS, **{part: whole for whole, part in _PARTS.items()}}

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What of a contact to create is there already: the persons that carry its mark, and their relationships."""

    persons: Sequence[Record] = ()
    contacts: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class ContactPrepared(Prepared):
    """A prepared change of a contact; `key` of one that was to be created and is there already: its requests change it."""

    key: str = ""


class ContactWriter:
    """Turns changes of contacts into requests."""

    def __init__(self, service: Service, contacts: Contacts) -> None:
        self._service = service
        self._contacts = contacts

    def prepare(self, changes: Sequence[Change]) -> list[ContactPrepared]:
        """One Prepared for each change, in order."""
        if not changes:
            return []
        metadata = self._service.metadata()
        keyed = [change.record.key for change in changes if change.record.key]
        paths = _paths(metadata, changes)
        targets = {record.key: record for record in self._contacts.fetch(keyed, paths)} if keyed else {}
        found = self._found([c.mark for c in changes if c.mark and not c.record.key], paths)
        return [self._one(metadata, change, targets, found) for change in changes]

    def find(self, marks: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The contacts of the persons that carry each mark; a person without a relationship is none yet."""
        found = self._found(marks, ())
        return {mark: tuple(one.key for one in found[mark].contacts) if mark in found else () for mark in marks}

    def _found(self, marks: Sequence[str], paths: Sequence[str]) -> dict[str, Found]:
        """What carries each mark."""
        numbers = marked(self._service, marks)
        every = [number for found in numbers.values() for number in found]
        if not every:
            return {}
        wanted = wanted_of(paths)
        persons = {alpha(one.key): one for one in self._contacts.persons(every, wanted)}
        contacts = self._contacts.of_persons(every, wanted)
        return {
            mark: Found(
                [persons[alpha(number)] for number in found if alpha(number) in persons],
                [one for one in contacts if alpha(str(one.data[NUMBER])) in {alpha(number) for number in found}],
            )
            for mark, found in numbers.items()
        }

    def _one(
        self, metadata: Metadata, change: Change, targets: Mapping[str, Record], found: Mapping[str, Found]
    ) -> ContactPrepared:
        key = change.record.key
        if not key:
            return self._create(metadata, change, found.get(change.mark or "", Found()))
        target = targets.get(key) or _same_key(targets, key)
        if target is None or target.deleted:
            status = Status.DELETED if change.record.deleted else Status.CONFLICT
            return _settled(change, status, "not_found", f"contact '{key}' does not exist")
        if change.record.deleted:
            return ContactPrepared(change, (Request("DELETE", _path(metadata, CONTACT, target.data)),))
        return self._change(metadata, change, target)

    # creating

    def _create(self, metadata: Metadata, change: Change, found: Found) -> ContactPrepared:
        data = change.record.data
        company = str(data.get(COMPANY) or "")
        mistakes: Mistakes = [] if company else [(COMPANY, "a contact needs a company")]
        if len(found.persons) > 1:
            text = f"the mark is carried by several partners: {', '.join(one.key for one in found.persons)}"
            return _settled(change, Status.REJECTED, "mark_not_unique", text)
        there = next((one for one in found.contacts if alpha(str(one.data[COMPANY])) == alpha(company)), None)
        if there is not None:
            return self._change(metadata, change, there)
        person = found.persons[0] if found.persons else None
        relationship = self._relationship(metadata, data, person.key if person else THE_PERSON, mistakes)
        if person is None:
            requests = [self._person(metadata, change, mistakes), relationship]
        else:
            requests = [relationship, *self._patched_person(metadata, data, person, None, mistakes)]
            requests += self._patched_mobile(metadata, data, person, None, mistakes)
        return _rejected(change, mistakes) if mistakes else ContactPrepared(change, tuple(requests))

    def _person(self, metadata: Metadata, change: Change, mistakes: Mistakes) -> Request:
        fixed = {"BusinessPartnerCategory": "1", "to_BusinessPartnerRole": [{"BusinessPartnerRole": ROLE}]}
        given = {**fixed, **(change.record.data.get(PERSON) or {})}
        body = deep(metadata, metadata.sets[PARTNER], given, mistakes, f"{PERSON}.")
        if change.mark is not None:
            body[MARK] = mark_text(change.mark)
        grouping = self._service.settings.partner_grouping
        if grouping is not None:
            body.setdefault("BusinessPartnerGrouping", grouping)
        return Request("POST", PARTNER, body_bytes(body))

    @staticmethod
    def _relationship(metadata: Metadata, data: Data, person: str, mistakes: Mistakes) -> Request:
        own = {name: value for name, value in data.items() if name not in (PERSON, CONTACT_KEY, NUMBER)}
        # never without: by itself this part cannot be created later
        own[FUNCTION] = {"RelationshipCategory": CATEGORY, **(data.get(FUNCTION) or {})}
        body = deep(metadata, metadata.sets[CONTACT], {END: FOREVER, **own}, mistakes)
        return Request("POST", CONTACT, body_bytes({**body, NUMBER: person}))

    # changing

    def _change(self, metadata: Metadata, change: Change, target: Record) -> ContactPrepared:
        data, before = change.record.data, change.before
        known = before if change.record.key else None
        if change.etag and target.etag and change.etag != target.etag:
            return _settled(change, Status.CONFLICT, "moved", f"contact '{target.key}' was changed since it was read")
        mistakes: Mistakes = []
        company = data.get(COMPANY)
        if company and alpha(str(company)) != alpha(str(target.data[COMPANY])):
            mistakes.append((COMPANY, "a contact cannot go to another company: end it and create a new one"))
        requests = [
            *self._patched_person(metadata, data, _person_of(target), known, mistakes),
            *self._patched(metadata, CONTACT, data, target.data, known, mistakes),
            *self._patched_function(metadata, data, target, known, mistakes),
            *self._patched_mobile(
                metadata,
                data,
                _person_of(target),
                known,
                mistakes,
                workplaces=target.data.get(mobiles.WORKPLACES) or (),
            ),
        ]
        if mistakes:
            return _rejected(change, mistakes)
        if not requests:
            return ContactPrepared(change, (), Outcome(Status.UNCHANGED, target.key, target.etag))
        return ContactPrepared(change, tuple(requests), key="" if change.record.key else target.key)

    @staticmethod
    def _patched_person(
        metadata: Metadata, data: Data, person: Record | None, known: Data | None, mistakes: Mistakes
    ) -> Iterable[Request]:
        wanted = data.get(PERSON) or {}
        if not wanted:
            return
        if person is None:
            mistakes.append((PERSON, "the person does not exist any more"))
            return
        before = (known or {}).get(PERSON)
        body = _body(metadata.sets[PARTNER], wanted, person.data, before, mistakes, prefix=f"{PERSON}.")
        if body:
            headers = {"If-Match": person.etag} if person.etag else {}
            path = entity_path(PARTNER, {"BusinessPartner": person.key})
            yield Request("PATCH", path, body_bytes(body), headers)

    @staticmethod
    def _patched_mobile(
        metadata: Metadata,
        data: Data,
        person: Record | None,
        known: Data | None,
        mistakes: Mistakes,
        *,
        workplaces: Sequence[Data] = (),
    ) -> Iterable[Request]:
        wanted = data.get(PERSON) or {}
        if OWN_MOBILE in wanted and person is not None:
            there = {"BusinessPartner": person.key, **person.data, mobiles.WORKPLACES: workplaces}
            yield from mobiles.requests(metadata, wanted, (known or {}).get(PERSON), there, mistakes)

    def _patched_function(
        self, metadata: Metadata, data: Data, target: Record, known: Data | None, mistakes: Mistakes
    ) -> Iterable[Request]:
        wanted, there = data.get(FUNCTION), target.data.get(FUNCTION)
        if wanted is None:  # everything in it is cleared
            wanted = dict.fromkeys((known or {}).get(FUNCTION) or ()) if FUNCTION in data else {}
        if not there and any(value not in (None, "") for value in wanted.values()):
            mistakes.append((FUNCTION, "SAP creates it along with the relationship only"))
        elif wanted and there:
            present = {**there, **{name: target.data[name] for name in metadata.sets[CONTACT].keys}}
            before = (known or {}).get(FUNCTION)
            yield from self._patched(metadata, FUNCTIONS, wanted, present, before, mistakes, prefix=f"{FUNCTION}.")

    @staticmethod
    def _patched(
        metadata: Metadata,
        entity: str,
        wanted: Data,
        there: Data,
        known: Data | None,
        mistakes: Mistakes,
        *,
        prefix: str = "",
    ) -> Iterable[Request]:
        kind = metadata.sets[entity]
        own = {name: value for name, value in wanted.items() if name not in (PERSON, CONTACT_KEY)}
        body = _body(kind, own, there, known, mistakes, prefix=prefix)
        if body:
            yield Request("PATCH", _path(metadata, entity, there), body_bytes(body))


def _body(
    kind: EntityType, wanted: Data, there: Data, known: Data | None, mistakes: Mistakes, *, prefix: str
) -> dict[str, Any]:
    """The fields to write: those that differ from the target's, less those that stand as the hub last saw them."""
    kept = {
        name
        for name, value in wanted.items()
        if known and name in known and same(value, known[name], kind.fields.get(name))
    }
    edited = {
        name: value
        for name, value in wanted.items()
        if name not in kept or (_TOGETHER.get(name) in wanted and _TOGETHER[name] not in kept)
    }
    return flat(kind, differing(kind, edited, there), mistakes, prefix=prefix, creating=False)


def _path(metadata: Metadata, entity: str, data: Data) -> str:
    kind = metadata.sets[entity]
    types = {name: schema.type for name, schema in kind.fields.items()}
    return entity_path(entity, {name: data[name] for name in kind.keys}, types)


def _paths(metadata: Metadata, changes: Sequence[Change]) -> list[str]:
    """The paths of everything the changes hold, and of what every record needs."""
    found: dict[str, None] = dict.fromkeys((f"{PERSON}.BusinessPartner", f"{FUNCTION}.RelationshipNumber"))
    kind = metadata.sets[CONTACT]
    for change in changes:
        for data in (change.record.data, change.before or {}):
            for name, value in data.items():
                nested = value if isinstance(value, Mapping) else None
                if nested is not None:
                    inner = metadata.sets[PARTNER if name == PERSON else FUNCTIONS]
                    found.update(dict.fromkeys(f"{name}.{field}" for field in nested if field in inner.fields))
                elif name in kind.fields:
                    found[name] = None
    if mobiles.concerned(changes):
        found.update(dict.fromkeys(mobiles.paths(metadata)))
    return list(found)


def _same_key(targets: Mapping[str, Record], key: str) -> Record | None:
    """The target of a key that is written with other zeros."""
    inner = [alpha(part) for part in key.split("/")]
    return next((one for name, one in targets.items() if [alpha(part) for part in name.split("/")] == inner), None)


def _person_of(contact: Record) -> Record | None:
    """The person of a contact, as a record of its own."""
    data = contact.data.get(PERSON)
    return Record(str(contact.data[NUMBER]), data, etag=contact.etag) if data else None


def _settled(change: Change, status: Status, code: str, message: str) -> ContactPrepared:
    return ContactPrepared(change, (), Outcome(status, change.record.key or None, code=code, message=message))


def _rejected(change: Change, mistakes: Mistakes) -> ContactPrepared:
    return _settled(change, Status.REJECTED, "invalid", "; ".join(f"{path}: {what}" for path, what in mistakes))
