"""Reads OData v2 metadata on its own, with nothing of the hub's, and compares fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from lxml import etree

SAP = "{http://www.sap.com/Protocols/SAPData}"


@dataclass(frozen=True, slots=True)
class Property:
    """What one property is; lengths and digits are None where the document states none."""

    type: str
    nullable: bool
    creatable: bool
    updatable: bool
    length: int | None
    precision: int | None
    scale: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """Entity types with their properties and where their navigations lead; sets with their type."""

    properties: Mapping[str, Mapping[str, Property]]
    navigations: Mapping[str, Mapping[str, str]]
    sets: Mapping[str, str]

    def at(self, entity_set: str, path: str) -> Property | str | None:
        """The property at a dotted path from a set, the type a navigation leads to, or None where there is neither."""
        kind = self.sets[entity_set]
        *steps, last = path.split(".")
        for step in steps:
            if step not in self.navigations[kind]:
                return None
            kind = self.navigations[kind][step]
        return self.properties[kind].get(last) or self.navigations[kind].get(last)


def read(text: bytes) -> Document:
    """The entity types of a metadata document; types are named without their namespace."""
    root = etree.fromstring(text)
    ends = {
        (association.get("Name"), end.get("Role")): _local(end.get("Type"))
        for association in root.iter("{*}Association")
        for end in association.iterfind("{*}End")
    }
    kinds = list(root.iter("{*}EntityType"))
    return Document(
        {kind.get("Name"): {one.get("Name"): _property(one) for one in kind.iterfind("{*}Property")} for kind in kinds},
        {
            kind.get("Name"): {
                one.get("Name"): ends[(_local(one.get("Relationship")), one.get("ToRole"))]
                for one in kind.iterfind("{*}NavigationProperty")
            }
            for kind in kinds
        },
        {one.get("Name"): _local(one.get("EntityType")) for one in root.iter("{*}EntitySet")},
    )


def _property(node) -> Property:
    def number(name: str) -> int | None:
        return int(node.get(name)) if node.get(name) else None

    return Property(
        node.get("Type"),
        node.get("Nullable", "true") == "true",
        node.get(f"{SAP}creatable", "true") == "true",
        node.get(f"{SAP}updatable", "true") == "true",
        number("MaxLength"),
        number("Precision"),
        number("Scale"),
    )


def _local(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def differences(ours: Document, real: Document, paths: Iterable[str], ours_set: str, real_set: str) -> list[str]:
    """What of these paths of our set is not in the real document, or is something else there; one line each."""
    found = []
    for path in paths:
        mine, theirs = ours.at(ours_set, path), real.at(real_set, path)
        if theirs is None:
            found.append(f"{real_set}.{path} does not exist")
        elif mine is None:
            found.append(f"{ours_set}.{path} is not served")
        elif isinstance(mine, Property) and isinstance(theirs, Property):
            found += [f"{real_set}.{path}: {line}" for line in unequal(mine, theirs)]
        elif mine != theirs:
            found.append(f"{real_set}.{path} is {theirs}, served as {mine}")
    return found


def unequal(ours: Property, real: Property) -> list[str]:
    """The facets in which two properties differ; a length the real document does not state is no difference."""
    stated = [one.name for one in fields(Property)]
    if real.length is None:
        stated.remove("length")
    return [
        f"{name} is {getattr(real, name)}, served as {getattr(ours, name)}"
        for name in stated
        if getattr(ours, name) != getattr(real, name)
    ]


def changed(text: bytes, kind: str, name: str, attribute: str, value: str) -> bytes:
    """The document with one attribute of one property changed."""
    root = etree.fromstring(text)
    (found,) = [
        one
        for item in root.iter("{*}EntityType")
        if item.get("Name") == kind
        for one in item.iterfind("{*}Property")
        if one.get("Name") == name
    ]
    found.set(attribute, value)
    return etree.tostring(root)
