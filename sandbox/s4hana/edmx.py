"""The metadata and service documents, rendered from the model."""

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from sandbox.s4hana.model import MOMENTS, SERVICE, Entity, Model, Navigation, Property

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"'
    ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    ' xmlns:sap="http://www.sap.com/Protocols/SAPData">'
    '<edmx:DataServices m:DataServiceVersion="2.0">'
    '<Schema Namespace="{service}" xml:lang="en" sap:schema-version="1"'
    ' xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
)


def render(model: Model, service: str = SERVICE) -> bytes:
    """The `$metadata` document."""
    parts = [HEAD.format(service=service), *(_type(entity) for entity in model.values())]
    links = [(entity, navigation) for entity in model.values() for navigation in entity.navigations.values()]
    parts += [_association(entity, navigation) for entity, navigation in links]
    parts.append(f'<EntityContainer Name="{service}_Entities" m:IsDefaultEntityContainer="true">')
    parts += [_set(entity) for entity in model.values()]
    parts += [_association_set(entity, navigation) for entity, navigation in links]
    parts.append("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>")
    return "".join(parts).encode()


def service_document(model: Model) -> dict[str, object]:
    """The list of entity sets, as JSON shows it."""
    return {"d": {"EntitySets": list(model)}}


def _type(entity: Entity) -> str:
    keys = "".join(f'<PropertyRef Name="{p.name}"/>' for p in entity.key)
    properties = "".join(_property(p) for p in entity.properties.values())
    navigations = "".join(
        f'<NavigationProperty Name="{n.name}" Relationship="{entity.service}.{_name(entity, n)}" FromRole="From" ToRole="To"/>'
        for n in entity.navigations.values()
    )
    return f'<EntityType Name="{entity.name}Type"><Key>{keys}</Key>{properties}{navigations}</EntityType>'


def _property(p: Property) -> str:
    facets = dict(_facets(p))
    text = "".join(f" {name}={quoteattr(value)}" for name, value in facets.items())
    return f'<Property Name="{p.name}" Type="Edm.{p.type}"{text}/>'


def _facets(p: Property) -> Iterator[tuple[str, str]]:
    if not p.nullable:
        yield "Nullable", "false"
    if p.length is not None:
        yield "MaxLength", str(p.length)
    if p.type in MOMENTS:
        yield "Precision", str(p.precision or 0)
    elif p.precision is not None:
        yield "Precision", str(p.precision)
        yield "Scale", str(p.scale)
    if p.type == "DateTime":
        yield "sap:display-format", "Date"
    if p.upper:
        yield "sap:display-format", "UpperCase"
    if p.digits:
        yield "sap:display-format", "NonNegative"
    if p.fixed:
        yield "ConcurrencyMode", "Fixed"
    if not p.creatable:
        yield "sap:creatable", "false"
    if not p.updatable:
        yield "sap:updatable", "false"


def _set(entity: Entity) -> str:
    flags = "" if entity.creatable else ' sap:creatable="false"'
    flags += "" if entity.updatable else ' sap:updatable="false"'
    flags += "" if entity.deletable else ' sap:deletable="false"'
    return f'<EntitySet Name="{entity.name}" EntityType="{entity.type_name}"{flags} sap:content-version="1"/>'


def _name(entity: Entity, navigation: Navigation) -> str:
    return f"assoc_{entity.name}_{navigation.name}"


def _association(entity: Entity, navigation: Navigation) -> str:
    many = "*" if navigation.many else "0..1"
    return (
        f'<Association Name="{_name(entity, navigation)}" sap:content-version="1">'
        f'<End Type="{entity.type_name}" Multiplicity="1" Role="From"/>'
        f'<End Type="{entity.service}.{navigation.target}Type" Multiplicity="{many}" Role="To"/></Association>'
    )


def _association_set(entity: Entity, navigation: Navigation) -> str:
    name = _name(entity, navigation)
    return (
        f'<AssociationSet Name="{name}_set" Association="{entity.service}.{name}" sap:content-version="1">'
        f'<End EntitySet="{entity.name}" Role="From"/><End EntitySet="{navigation.target}" Role="To"/></AssociationSet>'
    )
