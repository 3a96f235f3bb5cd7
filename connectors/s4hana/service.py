"""What reading and writing share: the session with one S/4HANA, its metadata, and how fields become addresses."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.s4hana.cursor import changed_at
from connectors.s4hana.entities import FORBIDDEN, PARTNER, STAMP, Entity, Lookup, joined
from connectors.s4hana.filters import one_of
from connectors.s4hana.settings import Settings
from l2c.contract import EntitySchema, FieldSchema, Record, System
from l2c.errors import ConfigError, ProtocolError
from l2c.http import (
    HttpSession,
    Metadata,
    RawPage,
    ServerPaging,
    Shape,
    any_of,
    chunks,
    decode,
    encode_query,
    field_paths,
    iso_day,
    literal,
    parse_metadata,
    query_path,
    records,
    select_expand,
    shape_of,
    walk,
)

KEYS_ROOM = 1500  # characters of an address left for filters and key lists beside `$select`


@dataclass(frozen=True, slots=True)
class Columns:
    """`$select` and `$expand` of a read, and the shape its records have; without paths everything flat."""

    select: tuple[str, ...]
    expand: tuple[str, ...]
    paths: tuple[str, ...]


class Service:
    """API_BUSINESS_PARTNER of one system."""

    def __init__(self, session: HttpSession, settings: Settings, system: System) -> None:
        self.session = session
        self.settings = settings
        self.system = system
        self._lock = threading.Lock()
        self._metadata: Metadata | None = None
        self._schemas: dict[str, EntitySchema] = {}
        self._shapes: dict[tuple[str, Columns], Shape] = {}

    def metadata(self) -> Metadata:
        """The service's metadata, read once for each connector."""
        with self._lock:
            if self._metadata is None:
                answer = self.session.get("$metadata", headers={"Accept": "application/xml"})
                self._metadata = parse_metadata(answer.body, where=answer.where, system=self.system.name)
            return self._metadata

    def schema(self, entity: Entity) -> EntitySchema:
        """The entity as the service describes it, without bank and card data."""
        found = self._schemas.get(entity.name)
        if found is None:
            found = self._schemas[entity.name] = self._describe(entity)
        return found

    def _describe(self, entity: Entity) -> EntitySchema:
        metadata = self.metadata()
        kind = metadata.sets.get(entity.name)
        if kind is None:
            text = f"the service offers no entity set '{entity.name}'"
            raise ProtocolError(f"{self.system.name}: {text}", system=self.system.name, entity=entity.name)
        fields = {
            path: schema
            for path, schema in field_paths(metadata, kind).items()
            if FORBIDDEN.isdisjoint(path.split("."))
        }
        if entity.adds_parent:
            label = "Added by the connector: the record this one belongs to"
            fields[str(entity.parent)] = FieldSchema(
                "Edm.String", creatable=False, updatable=False, filterable=False, label=label
            )
        is_partner = entity.name == PARTNER
        return EntitySchema(
            key="/".join(entity.keys),
            fields=fields,
            delta="stamp" if is_partner else "none",
            safe_by="lookup" if is_partner else "none",
            batch=self.settings.batch,
            max_processing_s=self.settings.max_processing_s,
            parent=entity.parent,
        )

    def columns(self, entity: Entity, fields: Collection[str]) -> Columns:
        """What to ask for; ConfigError for a path to bank or card data."""
        for path in fields:
            if not FORBIDDEN.isdisjoint(path.split(".")):
                text = f"system '{self.system.name}': '{entity.name}.{path}' is never read: bank and card data"
                raise ConfigError(text, system=self.system.name, entity=entity.name)
        added = {entity.parent} if entity.adds_parent else set()
        wanted = [path for path in dict.fromkeys(fields) if path not in added]
        always = [*entity.keys, *(STAMP if entity.name == PARTNER else ())]
        navigations = {path for path in wanted if path.rpartition(".")[2].startswith("to_")}
        select, expand = select_expand(wanted, always=always, navigations=navigations)
        if len(encode_query(",".join(select))) > self.settings.max_url - KEYS_ROOM:
            select = []
        paths = (*always, *wanted) if wanted else ()
        return Columns(tuple(select), tuple(expand), paths)

    def literals(self, entity: Entity, values: Sequence[str]) -> list[str]:
        """The values of a key as they stand in filters."""
        fields = self.metadata().sets[entity.name].fields
        return [literal(value, fields[name].type) for name, value in zip(entity.keys, values, strict=True)]

    def last_key(self, entity: Entity, page: RawPage) -> tuple[str, ...] | None:
        """The key of the last record of a page."""
        if not page.records:
            return None
        data, days = decode(page.records[-1]), self.metadata().sets[entity.name].days
        return tuple(iso_day(data[name]) if name in days else str(data[name]) for name in entity.keys)

    def shape(self, entity: Entity, columns: Columns) -> Shape:
        """How the records of these columns are decoded."""
        found = self._shapes.get((entity.name, columns))
        if found is None:
            metadata = self.metadata()
            paths = columns.paths if columns.select else None
            depth = max((path.count("/") + 1 for path in columns.expand), default=0) + 1
            found = shape_of(metadata, metadata.sets[entity.name], paths=paths, depth=depth)
            self._shapes[entity.name, columns] = found
        return found

    def decoded(self, entity: Entity, columns: Columns, page: RawPage) -> Iterator[Record]:
        """The records of a page, one at a time, with change stamp or partner's number; empty without metadata."""
        if not page.records:
            return iter(())
        shape = self.shape(entity, columns)
        return records(page.records, shape, entity.keys, finish=self._finish(entity, page))

    def _finish(self, entity: Entity, page: RawPage) -> Callable[[dict[str, Any], str | None, str], Record] | None:
        zone = self.system.time_zone
        if entity.name == PARTNER:
            return lambda data, etag, key: Record(key, data, changed_at(data, zone), etag)
        if entity.joined:
            return lambda data, etag, key: Record(key, {**data, str(entity.parent): joined(entity, data)}, None, etag)
        if entity.lookup is None:
            return None
        field, parent, known = entity.lookup.field, str(entity.parent), self._parents(entity.lookup, page)

        def finish(data: dict[str, Any], etag: str | None, key: str) -> Record:
            data[parent] = known.get(data[field])
            return Record(key, data, None, etag)

        return finish

    def _parents(self, lookup: Lookup, page: RawPage) -> dict[str, str]:
        """The partner number for each value of the lookup's field in a page, asked for in few requests."""
        values = {str(decode(raw)[lookup.field]) for raw in page.records}
        options = {"$select": [lookup.field, "BusinessPartner"]}
        found: dict[str, str] = {}
        for answer in self.by_values(
            lookup.entity, [lookup.field], {value: (value,) for value in sorted(values)}, options
        ):
            for raw in answer.records:
                data = decode(raw)
                found[data[lookup.field]] = data["BusinessPartner"]
        return found

    def by_values(
        self, entity_set: str, keys: Sequence[str], values: Mapping[str, Sequence[str]], options: Mapping[str, object]
    ) -> Iterator[RawPage]:
        """The pages of every record whose fields `keys` have one of these value lists; addresses are kept short."""
        bare = query_path(entity_set, {"$filter": "x", **options})
        room = max(self.settings.max_url - len(self.session.address(bare)), 500)
        conditions = one_of(keys, values)
        for chunk in chunks(list(values), conditions, longest=room):
            text = any_of([conditions[key] for key in chunk])
            path = query_path(entity_set, {"$filter": text, **options})
            for _, page in walk(self.session, ServerPaging(self.session, path)):
                yield page
