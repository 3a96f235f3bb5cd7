"""The connector's own table of entities against SAP's metadata, and its settings against its pages."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from connectors.s4hana import S4HanaConnector, Settings
from connectors.s4hana.entities import CUSTOMER_LISTS, ENTITIES, FORBIDDEN, PARTNER_LISTS, alpha
from connectors.s4hana.marks import mark_text
from l2c.contract import Connection, System
from l2c.errors import ConfigError
from l2c.http import parse_metadata

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "contracts" / "s4hana" / "API_BUSINESS_PARTNER.edmx"
PAGE = ROOT / "docs" / "reference" / "connectors" / "s4hana.md"


@pytest.fixture(scope="module")
def metadata():
    if not REAL.exists():
        pytest.skip("SAP's metadata document is not here: ../shared/contracts/s4hana/API_BUSINESS_PARTNER.edmx")
    return parse_metadata(REAL.read_bytes())


def test_every_entity_has_the_key_sap_gives_it(metadata):
    for entity in ENTITIES.values():
        kind = metadata.sets[entity.name]
        assert kind.keys == entity.keys
        if entity.lookup:
            assert entity.lookup.field in kind.fields
            assert {entity.lookup.field, "BusinessPartner"} <= metadata.sets[entity.lookup.entity].fields.keys()
            assert entity.parent not in kind.fields
        elif entity.joined:
            assert set(entity.joined) <= set(kind.keys)
            assert entity.parent not in kind.fields
        elif entity.parent:
            assert entity.parent in kind.fields


def lists(children, owner):
    for child in children:
        yield owner, child
        yield from lists(child.below, child.entity)


def test_every_list_leads_where_it_says_and_is_keyed_as_sap_keys_it(metadata):
    checked = 0
    for owner, child in [*lists(PARTNER_LISTS, "A_BusinessPartner"), *lists(CUSTOMER_LISTS, "A_Customer")]:
        kind = metadata.sets[child.entity]
        assert metadata.target(metadata.sets[owner], child.navigation) == kind
        assert [key for key in kind.keys if key in child.keys] == list(child.keys)
        assert {*child.natural, *([child.flag] if child.flag else [])} <= kind.fields.keys()
        assert child.flag is None or child.entity in metadata.undeletable
        checked += 1
    assert checked >= 8


def test_what_is_never_read_exists(metadata):
    partner = metadata.sets["A_BusinessPartner"]
    assert {name for name in FORBIDDEN if name.startswith("to_")} <= partner.navigations.keys()
    assert {name for name in FORBIDDEN if name.startswith("A_")} <= metadata.sets.keys()


def test_stamps_and_mark_are_as_the_connector_takes_them(metadata):
    fields = metadata.sets["A_BusinessPartner"].fields
    assert (fields["LastChangeDate"].type, fields["LastChangeTime"].type) == ("Edm.DateTime", "Edm.Time")
    assert (fields["CreationDate"].type, fields["CreationTime"].type) == ("Edm.DateTime", "Edm.Time")
    mark = fields["BusinessPartnerIDByExtSystem"]
    assert (mark.length, mark.creatable, mark.filterable) == (20, True, True)
    assert "LastChangeDate" in metadata.sets["A_BusinessPartner"].days


@pytest.mark.parametrize(
    ("value", "wanted"), [("17", "0000000017"), ("0000000017", "0000000017"), ("A17", "A17"), ("", ""), ("٣", "٣")]
)
def test_numbers_are_compared_in_their_internal_form(value, wanted):
    assert alpha(value) == (wanted if value else alpha(""))


def test_marks_fit_the_field_and_stay_apart():
    marks = [f"{'x' * 30}{number}" for number in range(1000)]
    assert {len(mark_text(mark)) for mark in marks} == {20}
    assert len({mark_text(mark) for mark in marks}) == 1000
    assert mark_text("abc") == "ABC"


@pytest.mark.parametrize(
    "wrong", [{"client": "1"}, {"sales_area": "1010"}, {"batch": 0}, {"unknown": 1}, {"language": "english"}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_an_unknown_profile_names_the_near_miss():
    with pytest.raises(ConfigError, match=r"unknown profile 'clowd' .*; did you mean 'cloud'"):
        S4HanaConnector(System("erp", Connection("https://erp.example"), profile="clowd"), Settings())


@pytest.mark.parametrize(
    ("url", "path", "base"),
    [
        ("https://erp.example", None, "https://erp.example/sap/opu/odata/sap/API_BUSINESS_PARTNER"),
        ("https://erp.example/", "/proxy/API_BUSINESS_PARTNER", "https://erp.example/proxy/API_BUSINESS_PARTNER"),
        ("https://erp.example/x/API_BUSINESS_PARTNER", None, "https://erp.example/x/API_BUSINESS_PARTNER"),
    ],
)
def test_the_service_is_found_below_the_host(url, path, base):
    settings = Settings(service_path=path) if path else Settings()
    connector = S4HanaConnector(System("erp", Connection(url)), settings)
    assert connector._session.base == base
    connector.close()


def test_every_setting_and_entity_stands_on_the_connectors_page():
    text = PAGE.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description
        line = next((line for line in text.splitlines() if line.startswith(f"| `{name}` ")), "")
        assert field.description in line, name
        if field.default not in (None, PydanticUndefined):
            assert f"`{field.default}`" in line, name
    for name in ENTITIES:
        assert f"`{name}`" in text
