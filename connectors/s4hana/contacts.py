"""Contact persons: a relationship of a company and a person, read together with the person.

A record is one relationship, whatever its dates: of several periods the last one counts, since the end of a period is part of
SAP's key and moves when a contact ends. The fields of the relationship stand as the service shows them; those of the person,
a partner of its own, under `Person`. A relationship has no change stamp: a delta finds persons whose own stamp moved, and
`watch` the rest.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from connectors.s4hana.cursor import moment_text, parse_cursor
from connectors.s4hana.entities import CONTACT, CONTACT_KEY, ENTITIES, FORBIDDEN, PARTNER, alpha
from connectors.s4hana.reader import Reader
from connectors.s4hana.service import Service
from l2c.contract import EntitySchema, FieldSchema, Page, Record
from l2c.errors import ConfigError
from l2c.http import field_paths, split_key

PERSON = "Person"
OWN_MOBILE = "to_AddressIndependentMobile"
FLAT = ENTITIES[CONTACT]
END = "ValidityEndDate"
COMPANY, NUMBER = "BusinessPartnerCompany", "BusinessPartnerPerson"
_KIND = "BusinessPartnerCategory"
_IS_PERSON = "1"


class ContactCursor(msgspec.Struct, frozen=True, omit_defaults=True, rename={"changed": "c", "load": "l"}):
    """Where a read of contacts stands: the cursor of changed persons, and of a load that is not finished its own."""

    changed: str
    load: str | None = None

    def text(self) -> str:
        """The opaque text the hub keeps."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields asked for: those of the relationship and below it, and those of the person."""

    relationship: tuple[str, ...]
    person: tuple[str, ...]


class Contacts:
    """Reads contact persons of one service."""

    def __init__(self, service: Service, reader: Reader) -> None:
        self._service = service
        self._reader = reader

    def schema(self) -> EntitySchema:
        """A relationship as the service describes it, with the fields of a partner under `Person`."""
        flat = self._service.schema(FLAT)
        metadata = self._service.metadata()
        person: dict[str, FieldSchema] = {
            PERSON: replace(flat.fields["to_ContactRelationship"], label="The person, a partner of its own"),
        }
        person |= {
            f"{PERSON}.{path}": schema
            for path, schema in field_paths(metadata, metadata.sets[PARTNER], depth=0).items()
            if path not in FORBIDDEN and not path.startswith("to_")
        }
        mobile = metadata.target(metadata.sets[PARTNER], OWN_MOBILE)
        if mobile is not None:
            person[f"{PERSON}.{OWN_MOBILE}"] = FieldSchema(mobile.name, many=True)
            person |= {
                f"{PERSON}.{OWN_MOBILE}.{path}": schema
                for path, schema in field_paths(metadata, mobile, depth=0).items()
            }
        return replace(flat, key=CONTACT_KEY, fields={**flat.fields, **person}, delta="stamp", safe_by="lookup")

    def pages(self, *, since: str | None, until: str | None, page_size: int, fields: Collection[str]) -> Iterator[Page]:
        """Pages of contacts: all in key order, or those of persons that changed."""
        cursor = self._cursor(since)
        wanted = wanted_of(fields)
        if cursor is None or cursor.load is not None:
            return self._load(cursor, page_size, wanted)
        return self._delta(cursor, until, page_size, wanted)

    def _cursor(self, text: str | None) -> ContactCursor | None:
        if text is None or not text.startswith("{"):
            return ContactCursor(text) if text else None
        try:
            return msgspec.json.decode(text, type=ContactCursor)
        except (msgspec.DecodeError, msgspec.ValidationError):
            name = self._service.system.name
            raise ConfigError(f"system '{name}': '{text}' is no cursor of {CONTACT}", system=name) from None

    def _load(self, cursor: ContactCursor | None, page_size: int, wanted: Wanted) -> Iterator[Page]:
        changed, begun = (cursor.changed, cursor.load) if cursor else (self._beginning(), None)
        for page in self._reader.pages(
            FLAT, since=begun, until=None, partition=None, page_size=page_size, fields=wanted.relationship
        ):
            inner = parse_cursor(page.cursor, system=self._service.system.name)
            finished = inner is None or inner.phase == ""
            here = ContactCursor(changed, None if finished else page.cursor)
            yield Page(self.composed(page.records, wanted), here.text(), page.announced)

    def _beginning(self) -> str:
        """A cursor for persons that change from now on, by the system's own clock."""
        pages = self._reader.pages(
            ENTITIES[PARTNER], since=None, until=None, partition=None, page_size=1, fields=("BusinessPartner",)
        )
        begun = parse_cursor(next(pages).cursor, system=self._service.system.name)
        return begun.upto if begun and begun.upto else moment_text(self._service.system.clock())

    def _delta(self, cursor: ContactCursor, until: str | None, page_size: int, wanted: Wanted) -> Iterator[Page]:
        fields = ("BusinessPartner", _KIND)
        for page in self._reader.pages(
            ENTITIES[PARTNER],
            since=cursor.changed,
            until=until,
            partition=None,
            page_size=page_size,
            fields=fields,
        ):
            persons = [record.key for record in page.records if record.data.get(_KIND) == _IS_PERSON]
            found = self.of_persons(persons, wanted) if persons else ()
            yield Page(iter(found), ContactCursor(page.cursor or cursor.changed).text())

    def of_persons(self, persons: Sequence[str], wanted: Wanted) -> list[Record]:
        """The contacts of these persons, in their order."""
        place = {alpha(key): number for number, key in enumerate(persons)}
        found = self._flat([NUMBER], {key: (key,) for key in persons}, wanted)
        records = list(self.composed(found, wanted))
        return sorted(records, key=lambda record: place[alpha(str(record.data[NUMBER]))])

    def fetch(self, keys: Sequence[str], fields: Collection[str]) -> Iterator[Record]:
        """The contacts of these keys; one that is gone comes as deleted."""
        wanted = wanted_of(fields)
        values = {key: split_key(key, len(FLAT.joined)) for key in dict.fromkeys(keys)}
        missing = {tuple(map(alpha, parts)): key for key, parts in values.items()}
        for record in self.composed(self._flat(FLAT.joined, values, wanted), wanted):
            missing.pop(tuple(alpha(str(record.data[name])) for name in FLAT.joined), None)
            yield record
        for key in missing.values():
            yield Record(key, {}, deleted=True)

    def _flat(self, keys: Sequence[str], values: Mapping[str, Sequence[str]], wanted: Wanted) -> Iterator[Record]:
        columns = self._service.columns(FLAT, wanted.relationship)
        options = {"$select": list(columns.select), "$expand": list(columns.expand)}
        for page in self._service.by_values(CONTACT, keys, values, options):
            yield from self._service.decoded(FLAT, columns, page)

    def composed(self, relationships: Iterable[Record], wanted: Wanted) -> Iterator[Record]:
        """Relationships with their persons, the last period of each."""
        last: dict[str, Record] = {}
        for record in relationships:
            key = str(record.data[CONTACT_KEY])
            if key not in last or str(record.data[END]) >= str(last[key].data[END]):
                last[key] = record
        persons = {alpha(one.key): one for one in self.persons([str(r.data[NUMBER]) for r in last.values()], wanted)}
        for key, record in last.items():
            person = persons.get(alpha(str(record.data[NUMBER])))
            if not wanted.person:
                yield Record(key, record.data)
            elif person is None:
                yield Record(key, {**record.data, PERSON: None})
            else:
                yield Record(key, {**record.data, PERSON: person.data}, person.changed_at, person.etag)

    def persons(self, numbers: Sequence[str], wanted: Wanted) -> list[Record]:
        """The persons of these numbers that exist, as far as their fields are wanted."""
        if not wanted.person or not numbers:
            return []
        found = self._reader.fetch(ENTITIES[PARTNER], list(dict.fromkeys(numbers)), wanted.person)
        return [record for record in found if not record.deleted]


def wanted_of(fields: Collection[str]) -> Wanted:
    """The paths of a mapping, apart; without any, everything flat of the relationship alone."""
    start = f"{PERSON}."
    person = tuple(path.removeprefix(start) for path in fields if path.startswith(start))
    relationship = tuple(path for path in fields if not path.startswith(start) and path != PERSON)
    return Wanted((*FLAT.keys, *relationship) if fields else (), person)
