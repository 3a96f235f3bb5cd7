"""The entities this connector serves, and what the shop's metadata says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.commerce.settings import CommerceSettings
from l2c.contract import EntitySchema
from l2c.http import EntityType, HttpSession, Metadata, Shape, field_paths, shape_of


@dataclass(frozen=True, slots=True)
class Entity:
    """One native entity: the integration object and entity set that serve it, its key and its change stamp.

    `key` is the attribute that is a record's key, or `KEY` where several attributes make it. `order` tells records of one stamp
    apart.
    """

    name: str
    object: str
    set: str
    key: str
    stamp: str
    expand: tuple[str, ...] = ()
    order: str = "uid"


KEY = "integrationKey"


def entities(settings: CommerceSettings) -> Mapping[str, Entity]:
    """Every entity by name; those whose integration object the settings leave empty are not offered."""
    places = ("addresses/country", "addresses/region")
    person = ("title", "sessionLanguage")
    found = (
        Entity("B2BUnit", settings.b2b_unit_object, "B2BUnits", key="uid", stamp="modifiedtime", expand=places),
        Entity(
            "B2BCustomer",
            settings.b2b_customer_object,
            "B2BCustomers",
            key=KEY,
            stamp="modifiedtime",
            expand=(*person, "defaultB2BUnit", "addresses"),
        ),
        Entity(
            "Customer",
            settings.customer_object,
            "Customers",
            key="uid",
            stamp="modifiedtime",
            expand=(*person, *places),
        ),
    )
    return {entity.name: entity for entity in found if entity.object}


@dataclass(frozen=True, slots=True)
class ChildList:
    """A list of nested elements that live and die with their record.

    `key`: paths of an element's key attributes; `references`: its fields that refer to one other item.
    """

    name: str
    set: str
    key: tuple[tuple[str, ...], ...]
    references: frozenset[str]


@dataclass(frozen=True, slots=True)
class Elements:
    """A list whose elements have a change stamp of their own and name their record, so that a delta can find them.

    `order` tells elements of one stamp apart, `owner` leads to the record.
    """

    name: str
    set: str
    order: str
    owner: str


@dataclass(frozen=True, slots=True)
class Temporal:
    """Where values need another form in a body than in our records: types by field, and below navigations."""

    fields: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, "Temporal"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """An entity with the session that speaks to its integration object and what its metadata says.

    `key`: paths of the attributes that make a record's integration key, in its order. `children`: lists that are part of a
    record; `links`: lists that only refer; `references`: fields that refer to one item; `elements`: the list a delta reads
    beside the records, if there is one.
    """

    entity: Entity
    session: HttpSession
    metadata: Metadata
    type: EntityType
    shape: Shape
    key: tuple[tuple[str, ...], ...]
    children: tuple[ChildList, ...]
    links: frozenset[str]
    references: frozenset[str]
    temporal: Temporal | None
    elements: Elements | None


_REWRITTEN = frozenset({"Edm.DateTime", "Edm.DateTimeOffset", "Edm.Time", "Edm.Int64"})


def service_of(entity: Entity, session: HttpSession, metadata: Metadata) -> Service:
    """What reading and writing this entity needs to know."""
    kind = metadata.sets[entity.set]
    lists = [name for name, navigation in kind.navigations.items() if navigation.many and name != "localizedAttributes"]
    children = tuple(
        ChildList(
            name, _set_of(metadata, kind.navigations[name].target), key_paths(metadata, target), _references(target)
        )
        for name in lists
        if _flag(kind, name, "IsPartOf") and (target := metadata.target(kind, name)) is not None
    )
    return Service(
        entity,
        session,
        metadata,
        kind,
        shape_of(metadata, kind),
        key_paths(metadata, kind),
        children,
        frozenset(lists) - {child.name for child in children},
        _references(kind),
        _temporal(entity, metadata, kind, (kind.name,)),
        _elements(entity, metadata, kind, children),
    )


def _elements(entity: Entity, metadata: Metadata, kind: EntityType, children: Sequence[ChildList]) -> Elements | None:
    for child in children:
        target = metadata.sets[child.set]
        back = [name for name, way in target.navigations.items() if way.target == kind.name and not way.many]
        order = [path[0] for path in child.key if len(path) == 1 and target.fields[path[0]].type == "Edm.String"]
        if entity.stamp in target.fields and back and order:
            return Elements(child.name, child.set, order[0], back[0])
    return None


def _references(kind: EntityType) -> frozenset[str]:
    return frozenset(name for name, navigation in kind.navigations.items() if not navigation.many)


def key_paths(metadata: Metadata, kind: EntityType) -> tuple[tuple[str, ...], ...]:
    """The attributes that make an element of this type unique, in the order of its integration key (`s:Alias`)."""
    found = dict(_segments(metadata, kind, ()))
    alias = kind.attributes.get("integrationKey", {}).get("Alias", "")
    return tuple(found[segment] for segment in alias.split("|") if segment in found)


def _segments(metadata: Metadata, kind: EntityType, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in kind.fields:
        if _flag(kind, name, "IsUnique"):
            yield f"{kind.name}_{name}", (*above, name)
    for name in kind.navigations:
        target = metadata.target(kind, name)
        if target is not None and _flag(kind, name, "IsUnique"):
            yield from _segments(metadata, target, (*above, name))


def _flag(kind: EntityType, name: str, flag: str) -> bool:
    return kind.attributes.get(name, {}).get(flag) == "true"


def _set_of(metadata: Metadata, kind: str) -> str:
    return next(name for name, item in metadata.sets.items() if item.name == kind)


def _temporal(entity: Entity, metadata: Metadata, kind: EntityType, through: tuple[str, ...]) -> Temporal | None:
    """None where no field of a write needs another form, so that bodies are encoded as they are."""
    own = {
        name: schema.type for name, schema in kind.fields.items() if schema.type in _REWRITTEN and name != entity.stamp
    }
    below: dict[str, Temporal] = {}
    for name in kind.navigations:
        target = metadata.target(kind, name)
        if target is None or target.name in through:
            continue
        found = _temporal(entity, metadata, target, (*through, target.name))
        if found is not None:
            below[name] = found
    return Temporal(own, below) if own or below else None


def schema_of(service: Service, settings: CommerceSettings) -> EntitySchema:
    """The entity's schema: paths of its own fields and, through navigations, of nested ones."""
    return EntitySchema(
        key=service.entity.key,
        fields=field_paths(service.metadata, service.type),
        delta="stamp",
        safe_by="key",
        batch=settings.batch_size,
        max_processing_s=settings.max_processing_s,
    )


def value_at(element: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path of nested objects; None where a step is absent."""
    value: Any = element
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
