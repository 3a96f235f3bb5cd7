"""An OData v2 service's `$metadata`: sets, keys, fields, navigations, read through pyodata's metadata model.

Only the model is taken from pyodata, never its entity layer: that one turns nulls into values. What it does not tell
(`s:Alias` of a key) is read with lxml from the same document.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from l2c.contract import FieldSchema
from l2c.errors import ProtocolError
from l2c.http.xml import parse_xml

_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way from one entity type to another; `many` when it leads to a list."""

    target: str
    many: bool


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type.

    `days` names its fields shown as days (`sap:display-format="Date"`); `attributes` holds the raw attributes of each
    property and navigation by local name (`Alias`, `IsUnique`, `IsLanguageDependent`, `IsAutoCreate` …).
    """

    name: str
    keys: tuple[str, ...]
    fields: Mapping[str, FieldSchema]
    navigations: Mapping[str, Navigation]
    days: frozenset[str] = frozenset()
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Entity sets of a service by name, its entity types by name, and the sets whose records cannot be deleted."""

    sets: Mapping[str, EntityType]
    types: Mapping[str, EntityType]
    undeletable: frozenset[str] = frozenset()

    def target(self, entity: EntityType, navigation: str) -> EntityType | None:
        """The type a navigation leads to."""
        found = entity.navigations.get(navigation)
        return self.types.get(found.target) if found else None


def parse_metadata(xml: bytes, *, where: str = "$metadata", system: str = "") -> Metadata:
    """Read a metadata document; ProtocolError when it is none. Document types and entities are refused."""
    from lxml import etree
    from pyodata.exceptions import PyODataException
    from pyodata.v2.model import Config, MetadataBuilder

    root = parse_xml(xml, where=where, system=system)
    # v4 vocabulary annotations say nothing v2 needs; pyodata warns about each of the thousands an S/4 service has
    etree.strip_elements(root, "{*}Annotations", with_tail=False)
    try:
        schema = MetadataBuilder(etree.tostring(root), config=Config(retain_null=True)).build()
    except (PyODataException, RuntimeError, KeyError, ValueError) as error:
        raise ProtocolError(
            f"{where}: not an OData v2 metadata document ({type(error).__name__})", system=system
        ) from None
    extras = {node.get("Name"): node for node in root.iter("{*}EntityType")}
    types = {item.name: _entity_type(item, extras.get(item.name)) for item in schema.entity_types}
    sets = {item.name: types[item.entity_type.name] for item in schema.entity_sets}
    return Metadata(sets, types, frozenset(item.name for item in schema.entity_sets if not item.deletable))


def _entity_type(item: Any, node: Any) -> EntityType:
    return EntityType(
        name=item.name,
        keys=tuple(part.name for part in item.key_proprties),
        fields={part.name: _field(part) for part in item.proprties()},
        navigations={
            part.name: Navigation(part.to_role.entity_type_name, part.to_role.multiplicity == "*")
            for part in item.nav_proprties
        },
        days=frozenset(part.name for part in item.proprties() if part.typ.name == "Edm.DateTime" and part.date),
        attributes=_attributes(node),
    )


def _attributes(node: Any) -> dict[str, dict[str, str]]:
    if node is None:
        return {}
    return {
        found.get("Name"): {name.rpartition("}")[2]: value for name, value in found.attrib.items()}
        for kind in ("{*}Property", "{*}NavigationProperty")
        for found in node.iter(kind)
    }


def _field(part: Any) -> FieldSchema:
    length = part.max_length if isinstance(part.max_length, int) and part.max_length >= 0 else None
    is_decimal = part.typ.name == "Edm.Decimal"
    return FieldSchema(
        type=part.typ.name,
        length=length,
        precision=part.precision if is_decimal else None,
        scale=part.scale if is_decimal else None,
        nullable=bool(part.nullable),
        creatable=bool(part.creatable),
        updatable=bool(part.updatable),
        filterable=bool(part.filterable),
        label=part.label or "",
    )


def field_paths(metadata: Metadata, entity: EntityType, *, depth: int = _DEEPEST) -> dict[str, FieldSchema]:
    """Dotted paths of an entity's fields and, `depth` navigations deep, of what hangs on it.

    A navigation itself is listed with its target as type; a path never returns to a type it came through.
    """
    return dict(_walk(metadata, entity, "", (entity.name,), depth))


def _walk(
    metadata: Metadata, entity: EntityType, prefix: str, through: tuple[str, ...], depth: int
) -> Iterator[tuple[str, FieldSchema]]:
    for name, schema in entity.fields.items():
        yield prefix + name, schema
    if depth == 0:
        return
    for name, navigation in entity.navigations.items():
        target = metadata.types.get(navigation.target)
        if target is None or target.name in through:
            continue
        yield prefix + name, FieldSchema(type=target.name, many=navigation.many)
        yield from _walk(metadata, target, f"{prefix}{name}.", (*through, target.name), depth - 1)
