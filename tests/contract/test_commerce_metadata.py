"""What the Commerce connector takes from an integration object's metadata."""

from decimal import Decimal
from pathlib import Path

import msgspec

from connectors.commerce import CommerceSettings
from connectors.commerce.entities import Entity, service_of
from connectors.commerce.writing import prepared
from l2c.contract import Change, Connection, Record, System
from l2c.http import HttpSession, parse_metadata

PRODUCT = Entity("Product", "L2CProduct", "Products", key="code", stamp="modifiedtime")


def document(alias: str) -> bytes:
    """A product with a version, a catalog behind it, a list of its own and values that need another form in JSON."""
    return f"""<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" Version="1.0"><edmx:DataServices
 xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" m:DataServiceVersion="2.0">
<Schema xmlns="http://schemas.microsoft.com/ado/2008/09/edm" xmlns:s="http://schemas.sap.com/commerce" Namespace="H">
<EntityType Name="Product"><Key><PropertyRef Name="integrationKey"/></Key>
<Property Name="code" Type="Edm.String" Nullable="false" s:IsUnique="true"/>
<Property Name="online" Type="Edm.DateTime"/><Property Name="sold" Type="Edm.Int64"/><Property Name="price" Type="Edm.Decimal"/>
<Property Name="modifiedtime" Type="Edm.DateTime"/>
<Property Name="integrationKey" Type="Edm.String" Nullable="false" s:Alias="Product_code"/>
<NavigationProperty Name="rows" Relationship="H.FK_rows" FromRole="Product" ToRole="Row" s:IsPartOf="true"/></EntityType>
<EntityType Name="Row"><Key><PropertyRef Name="integrationKey"/></Key>
<Property Name="code" Type="Edm.String" s:IsUnique="true"/><Property Name="from" Type="Edm.DateTime"/>
<Property Name="integrationKey" Type="Edm.String" Nullable="false" s:Alias="{alias}"/>
<NavigationProperty Name="version" Relationship="H.FK_version" FromRole="Row" ToRole="Version" s:IsUnique="true"/></EntityType>
<EntityType Name="Version"><Key><PropertyRef Name="integrationKey"/></Key>
<Property Name="name" Type="Edm.String" s:IsUnique="true"/><Property Name="note" Type="Edm.String"/>
<Property Name="integrationKey" Type="Edm.String" Nullable="false" s:Alias="Version_name"/></EntityType>
<Association Name="FK_rows"><End Type="H.Product" Multiplicity="0..1" Role="Product"/>
<End Type="H.Row" Multiplicity="*" Role="Row"/></Association>
<Association Name="FK_version"><End Type="H.Row" Multiplicity="0..1" Role="Row"/>
<End Type="H.Version" Multiplicity="0..1" Role="Version"/></Association>
<EntityContainer Name="Container" m:IsDefaultEntityContainer="true"><EntitySet Name="Products" EntityType="H.Product"/>
<EntitySet Name="Rows" EntityType="H.Row"/><EntitySet Name="Versions" EntityType="H.Version"/>
<AssociationSet Name="a" Association="H.FK_rows"><End EntitySet="Products" Role="Product"/><End EntitySet="Rows" Role="Row"/>
</AssociationSet><AssociationSet Name="b" Association="H.FK_version"><End EntitySet="Rows" Role="Row"/>
<End EntitySet="Versions" Role="Version"/></AssociationSet></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>""".encode()


def service(alias: str = "Row_code|Version_name"):
    session = HttpSession(System("shop", Connection("http://127.0.0.1:1")))
    return service_of(PRODUCT, session, parse_metadata(document(alias)))


def test_key_attributes_are_found_through_references_in_the_order_of_the_alias():
    assert service("Row_code|Version_name").children[0].key == (("code",), ("version", "name"))
    assert service("Version_name|Row_code").children[0].key == (("version", "name"), ("code",))
    assert service().children[0].set == "Rows"


def test_values_take_the_form_of_a_body():
    rows = [{"code": "r", "from": "2026-01-31T10:00:00Z", "version": {"name": "v"}}]
    data = {"code": "p", "online": "2026-01-31", "sold": 5, "price": Decimal("1.50"), "rows": rows}
    body = prepared(service(), [Change(Record("p", data))])[0].requests[0].body
    assert msgspec.json.decode(body or b"") == {
        "code": "p",
        "online": "/Date(1769817600000)/",
        "sold": "5",
        "price": "1.50",
        "rows": [{"code": "r", "from": "/Date(1769853600000)/", "version": {"name": "v"}}],
    }
    assert rows[0]["from"] == "2026-01-31T10:00:00Z", "the record itself is not changed"


def test_an_entity_without_such_values_is_encoded_as_it_is():
    plain = document("Row_code").replace(b"Edm.DateTime", b"Edm.String").replace(b"Edm.Int64", b"Edm.String")
    session = HttpSession(System("shop", Connection("http://127.0.0.1:1")))
    assert service_of(PRODUCT, session, parse_metadata(plain)).temporal is None


def test_the_reference_page_shows_every_setting_as_it_is():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "connectors" / "commerce.md").read_text("utf-8")
    rows = [
        f"| `{name}` | `{one.default}` | {one.description} |" for name, one in CommerceSettings.model_fields.items()
    ]
    assert [row for row in rows if row not in page] == []
