"""The metadata document of an integration object, in the order and with the annotations of the real one."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from sandbox.commerce.model import IntegrationObject, Item, Use
from sandbox.commerce.typesystem import MANY, Kind

NAMESPACE = "HybrisCommerceOData"
HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" Version="1.0">'
    '<edmx:DataServices xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" m:DataServiceVersion="2.0">'
    '<Schema xmlns="http://schemas.microsoft.com/ado/2008/09/edm" xmlns:s="http://schemas.sap.com/commerce"'
    f' Namespace="{NAMESPACE}" s:schema-version="1">'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
LOCALIZED = "Localized___"
"""Prefix of the engineered type that holds the localized attributes of an item."""


def document(obj: IntegrationObject) -> bytes:
    """The EDMX document."""
    parts = [HEAD]
    parts += [_entity_type(item, obj) for item in obj.items.values()]
    parts += [_localized_type(item) for item in obj.items.values() if item.localized]
    parts += [association.type_element() for association in _associations(obj)]
    parts.append(f'<EntityContainer Name="Container"{_flag("m:IsDefaultEntityContainer", True)}>')
    parts += [_entity_set(f"{item.entity_set}", item.type) for item in obj.items.values()]
    parts += [
        _entity_set(f"{LOCALIZED}{item.entity_set}", LOCALIZED + item.type)
        for item in obj.items.values()
        if item.localized
    ]
    parts += [association.set_element() for association in _associations(obj)]
    return "".join([*parts, "</EntityContainer>", TAIL]).encode()


def _entity_type(item: Item, obj: IntegrationObject) -> str:
    alias = "|".join(obj.alias(item))
    parts = [f'<EntityType Name="{item.type}"><Key><PropertyRef Name="integrationKey"/></Key>']
    parts += [_property(use) for use in item.uses.values() if use.kind not in (Kind.REFERENCE, *MANY)]
    parts.append(f'<Property Name="integrationKey" Type="Edm.String" Nullable="false" s:Alias={quoteattr(alias)}/>')
    parts += [_navigation(item.type, use) for use in item.uses.values() if use.kind in (Kind.REFERENCE, *MANY)]
    if item.localized:
        parts.append(
            f'<NavigationProperty Name="localizedAttributes" Relationship="{NAMESPACE}.FK_{item.type}_localizedAttributes"'
            f' FromRole="{item.type}" ToRole="{LOCALIZED}{item.type}" Nullable="true"/>'
        )
    return "".join([*parts, "</EntityType>"])


def _property(use: Use) -> str:
    localized = use.kind is Kind.LOCALIZED
    kind = "Edm.String" if localized else use.kind.value
    flags = _flag("s:IsUnique", use.unique) + _flag("s:IsLanguageDependent", localized)
    return f'<Property Name="{use.name}" Type="{kind}" Nullable="{str(use.attribute.optional).lower()}"{flags}/>'


def _navigation(kind: str, use: Use) -> str:
    flags = _flag("s:IsUnique", use.unique) + _flag("s:IsAutoCreate", use.auto_create)
    flags += _flag("s:IsPartOf", use.kind is Kind.CHILDREN)
    return (
        f'<NavigationProperty Name="{use.name}" Relationship="{NAMESPACE}.FK_{kind}_{use.name}" FromRole="{kind}"'
        f' ToRole="{use.target}" Nullable="{str(use.attribute.optional).lower()}"{flags}/>'
    )


def _localized_type(item: Item) -> str:
    fields = "".join(_property(use) for use in item.localized)
    return (
        f'<EntityType Name="{LOCALIZED}{item.type}"><Key><PropertyRef Name="language"/></Key>{fields}'
        '<Property Name="language" Type="Edm.String" Nullable="false"/></EntityType>'
    )


@dataclass(frozen=True, slots=True)
class _Association:
    """A navigation property as an association: attribute, both types, both multiplicities, both entity sets."""

    name: str
    source: str
    target: str
    here: str
    there: str
    source_set: str
    target_set: str

    def type_element(self) -> str:
        return (
            f'<Association Name="FK_{self.source}_{self.name}">'
            f'<End Type="{NAMESPACE}.{self.source}" Multiplicity="{self.here}" Role="{self.source}"/>'
            f'<End Type="{NAMESPACE}.{self.target}" Multiplicity="{self.there}" Role="{self.target}"/></Association>'
        )

    def set_element(self) -> str:
        return (
            f'<AssociationSet Name="{self.source}_{self.target_set}" Association="{NAMESPACE}.FK_{self.source}_{self.name}">'
            f'<End EntitySet="{self.source_set}" Role="{self.source}"/>'
            f'<End EntitySet="{self.target_set}" Role="{self.target}"/></AssociationSet>'
        )


def _associations(obj: IntegrationObject) -> list[_Association]:
    found = []
    for item in obj.items.values():
        for use in item.uses.values():
            if use.kind in (Kind.REFERENCE, *MANY):
                many = "*" if use.kind in MANY else "0..1"
                target = obj.items[use.target]
                found.append(
                    _Association(use.name, item.type, target.type, "0..1", many, item.entity_set, target.entity_set)
                )
    for item in obj.items.values():
        if item.localized:
            kind, target_set = LOCALIZED + item.type, LOCALIZED + item.entity_set
            found.append(_Association("localizedAttributes", item.type, kind, "1", "*", item.entity_set, target_set))
    return found


def _entity_set(name: str, kind: str) -> str:
    return f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{kind}"/>'


def _flag(name: str, on: bool) -> str:
    return f' {name}="true"' if on else ""
