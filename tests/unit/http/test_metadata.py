"""Metadata documents: fields, flags, navigations, keys; and documents that are none."""

import logging

import pytest

from l2c.errors import ProtocolError
from l2c.http import field_paths, parse_metadata, shape_of

DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
 xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xmlns:sap="http://www.sap.com/Protocols/SAPData">
<edmx:DataServices m:DataServiceVersion="2.0">
<Schema Namespace="N" xmlns="http://schemas.microsoft.com/ado/2008/09/edm" xmlns:s="http://schemas.sap.com/commerce">
<EntityType Name="Thing"><Key><PropertyRef Name="Key"/></Key>
<Property Name="Key" Type="Edm.String" Nullable="false" MaxLength="10" s:Alias="Thing_a|Thing_b"/>
<Property Name="Day" Type="Edm.DateTime" Precision="0" sap:display-format="Date" sap:label="A day" sap:creatable="false"/>
<Property Name="When" Type="Edm.DateTimeOffset" sap:filterable="false" sap:updatable="false"/>
<Property Name="At" Type="Edm.Time"/>
<Property Name="Amount" Type="Edm.Decimal" Precision="16" Scale="3"/>
<Property Name="Long" Type="Edm.String" MaxLength="Max"/>
<NavigationProperty Name="to_Parts" Relationship="N.A" FromRole="F" ToRole="T" s:IsAutoCreate="true"/>
</EntityType>
<EntityType Name="Part"><Key><PropertyRef Name="Key"/><PropertyRef Name="No"/></Key>
<Property Name="Key" Type="Edm.String" Nullable="false"/><Property Name="No" Type="Edm.Int32" Nullable="false"/>
<Property Name="From" Type="Edm.DateTime"/>
<NavigationProperty Name="to_Thing" Relationship="N.A" FromRole="T" ToRole="F"/>
</EntityType>
<Association Name="A"><End Type="N.Thing" Multiplicity="1" Role="F"/><End Type="N.Part" Multiplicity="*" Role="T"/>
</Association>
<EntityContainer Name="C" m:IsDefaultEntityContainer="true">
<EntitySet Name="Things" EntityType="N.Thing" sap:deletable="false"/><EntitySet Name="Parts" EntityType="N.Part"/>
<AssociationSet Name="AS" Association="N.A"><End EntitySet="Things" Role="F"/><End EntitySet="Parts" Role="T"/>
</AssociationSet></EntityContainer>
<Annotations Target="N.Thing" xmlns="http://docs.oasis-open.org/odata/ns/edm"><Annotation Term="UI.Odd"/></Annotations>
</Schema></edmx:DataServices></edmx:Edmx>"""


@pytest.fixture(scope="module")
def metadata():
    return parse_metadata(DOCUMENT.encode())


def test_fields_are_described(metadata):
    thing = metadata.sets["Things"]
    assert thing.keys == ("Key",)
    assert (thing.fields["Key"].length, thing.fields["Key"].nullable) == (10, False)
    day = thing.fields["Day"]
    assert (day.type, day.creatable, day.updatable, day.label) == ("Edm.DateTime", False, True, "A day")
    assert (thing.fields["When"].filterable, thing.fields["When"].updatable) == (False, False)
    assert (thing.fields["Amount"].precision, thing.fields["Amount"].scale) == (16, 3)
    assert (thing.fields["Long"].length, thing.fields["Day"].precision) == (None, None)


def test_what_pyodata_does_not_tell_is_there_too(metadata):
    thing = metadata.sets["Things"]
    assert thing.days == {"Day"}
    assert thing.attributes["Key"]["Alias"] == "Thing_a|Thing_b"
    assert thing.attributes["to_Parts"]["IsAutoCreate"] == "true"
    assert metadata.undeletable == {"Things"}
    assert metadata.sets["Parts"].keys == ("Key", "No")


def test_paths_go_down_the_navigations_and_never_back(metadata):
    paths = field_paths(metadata, metadata.sets["Things"])
    assert paths["to_Parts"].many
    assert "to_Parts.From" in paths
    assert "to_Parts.to_Thing" not in paths
    assert set(field_paths(metadata, metadata.sets["Things"], depth=0)) == set(metadata.sets["Things"].fields)


def test_the_shape_converts_what_is_selected(metadata):
    thing = metadata.sets["Things"]
    assert [name for name, _ in shape_of(metadata, thing).conversions] == ["Day", "When", "At"]
    narrow = shape_of(metadata, thing, paths=["Day", "to_Parts.From"])
    assert [name for name, _ in narrow.conversions] == ["Day"]
    assert [name for name, _ in dict(narrow.navigations)["to_Parts"].conversions] == ["From"]


@pytest.mark.fault("S3")
def test_annotations_of_other_vocabularies_are_passed_over_in_silence(caplog):
    with caplog.at_level(logging.DEBUG):
        parse_metadata(DOCUMENT.encode())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.fault("S4")
@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html/>",
        b"not xml",
        b"<edmx:Edmx/>",
        DOCUMENT[:500].encode(),
        DOCUMENT.replace("ado/2008/09/edm", "ado/odd").encode(),
        ENTITY + DOCUMENT.partition("?>")[2].replace("A day", "&e;").encode(),
        BOMB + DOCUMENT.partition("?>")[2].replace("A day", "&b;").encode(),
        DOCUMENT.replace('EntityType="N.Part"', 'EntityType="N.Nothing"').encode(),
    ],
)
def test_a_document_that_is_no_metadata_is_a_protocol_error(document):
    with pytest.raises(ProtocolError, match=r"^here: "):
        parse_metadata(document, where="here")
