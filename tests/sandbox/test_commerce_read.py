"""How the simulated shop answers reads: paging, filters, order, expansion, keys."""

import re
from urllib.parse import quote

import pytest

from .commerce_shop import JSON, address, refused, started, unit


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        for number in range(25):
            home = address(f"A{number}", "DE" if number % 2 else "AT", town=f"Town {number}")
            running.post("B2BUnits", unit(f"U{number:02d}", home, active=number % 5 != 0, l2cSegment="KEY"))
        yield running


def keys(found):
    return [entity["integrationKey"] for entity in found]


def test_a_page_holds_ten_items_by_default_and_names_the_next(shop):
    content = shop.get("B2BUnits").json()["d"]
    assert len(content["results"]) == 10
    assert content["__next"].endswith("B2BUnits?$skiptoken=10")


def test_following_the_next_links_yields_every_item_once(shop):
    found, url = [], f"{shop.url}/odata2webservices/L2CB2BUnit/B2BUnits?$top=7&$orderby=uid"
    while url:
        content = shop.session.get(url, timeout=10).json()["d"]
        found += keys(content["results"])
        url = content.get("__next")
    assert found == [f"U{number:02d}" for number in range(25)]


def test_top_is_a_page_size_and_silently_capped(shop):
    assert shop.settings()["page_max"] == 1000
    shop.settings(page_max=5)
    try:
        content = shop.get("B2BUnits?$top=5000").json()["d"]
        assert len(content["results"]) == 5
        assert "$top=5000" in content["__next"]
        assert "$skiptoken=5" in content["__next"]
    finally:
        shop.settings(page_max=1000)


def test_the_last_page_has_no_next_link_even_when_it_is_full(shop):
    assert "__next" in shop.get("B2BUnits?$top=5&$skip=19").json()["d"]
    assert "__next" not in shop.get("B2BUnits?$top=5&$skip=20").json()["d"]
    assert "__next" not in shop.get("B2BUnits?$top=5&$skip=22").json()["d"]


def test_the_next_link_keeps_filter_and_expansion_as_they_were_encoded(shop):
    wanted = "$filter=l2cSegment%20eq%20%27KEY%27&$expand=addresses&$top=3&$skip=3"
    url = shop.get(f"B2BUnits?{wanted}").json()["d"]["__next"]
    assert url.endswith("$filter=l2cSegment%20eq%20%27KEY%27&$expand=addresses&$top=3&$skiptoken=6")


@pytest.mark.parametrize("query", ["$top=-1", "$top=x", "$skip=-2", "$inlinecount=some"])
def test_a_paging_option_that_is_none_is_refused(shop, query):
    refused(shop.get(f"B2BUnits?{query}"), 400, "odata_error")


def test_inlinecount_is_a_string_and_counts_all_pages(shop):
    assert shop.get("B2BUnits?$top=2&$inlinecount=allpages").json()["d"]["__count"] == "25"
    assert "__count" not in shop.get("B2BUnits?$top=2&$inlinecount=none").json()["d"]


def test_count_is_a_plain_number(shop):
    answer = shop.get("B2BUnits/$count?$filter=active eq false")
    assert (answer.status_code, answer.text) == (200, "5")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("uid eq 'U03'", 1),
        ("uid ne 'U03'", 24),
        ("uid gt 'U03' and uid lt 'U06'", 2),
        ("uid ge 'U03' and uid le 'U06'", 4),
        ("uid eq 'U03' or uid eq 'U04' and active eq false", 1),
        ("(uid eq 'U03' or uid eq 'U05') and active eq false", 1),
        ("active eq true", 20),
        ("vatID eq null", 25),
        ("vatID ne null", 0),
        ("vatID ne 'x'", 0),
        ("uid eq 'it''s'", 0),
        ("modifiedtime gt DateTime'2020-01-01T00:00:00'", 25),
        ("modifiedtime gt datetime'2020-01-01T00:00:00.123'", 25),
        ("modifiedtime lt DateTime'2020-01-01T00:00:00'", 0),
    ],
)
def test_logical_operators_filter(shop, condition, expected):
    assert len(shop.results(f"B2BUnits?$top=100&$filter={quote(condition)}")) == expected


def test_a_filter_may_go_one_step_through_a_reference(shop):
    assert len(shop.results("Addresses?$top=100&$filter=country/isocode eq 'DE'")) == 12
    assert len(shop.results("Addresses?$top=100&$filter=country/integrationKey ne 'DE'")) == 13
    assert len(shop.results("Addresses?$top=100&$filter=owner/uid eq 'U07'")) == 1
    assert len(shop.results("Regions?$top=100&$filter=country/isocode eq 'AT'")) == 9
    shop.post("B2BUnits", unit("U07", address("A7", "DE", "DE-BY")))
    assert keys(shop.results("Addresses?$filter=region/integrationKey eq 'DE%7CDE-BY'")) == ["false|A7"]
    assert shop.results("Addresses?$filter=region/integrationKey eq 'AT%7CDE-BY'") == []


@pytest.mark.parametrize(
    ("entity_set", "condition", "code"),
    [
        ("Addresses", "region/country/isocode eq 'DE'", "filter_not_supported"),
        ("B2BUnits", "addresses/town eq 'Town 1'", "odata_error"),
        ("B2BUnits", "substringof('U',uid)", "operator_not_supported"),
        ("B2BUnits", "startswith(uid,'U') eq true", "operator_not_supported"),
        ("B2BUnits", "not (uid eq 'U01')", "operator_not_supported"),
        ("B2BUnits", "uid add 'x' eq 'y'", "operator_not_supported"),
        ("B2BUnits", "integrationKey eq 'U01'", "integration_key_not_supported"),
        ("B2BUnits", "uid eq 4711", "odata_error"),
        ("B2BUnits", "active eq 'true'", "odata_error"),
        ("B2BUnits", "modifiedtime gt '2020-01-01T00:00:00'", "odata_error"),
        ("B2BUnits", "modifiedtime gt DateTime'2020-01-01'", "odata_error"),
        ("B2BUnits", "customer eq 'x'", "odata_error"),
        ("B2BUnits", "uid eq 'U01' and", "odata_error"),
        ("B2BUnits", "(uid eq 'U01'", "odata_error"),
        ("B2BUnits", "uid eq 'U01' uid", "odata_error"),
    ],
)
def test_a_filter_beyond_that_is_refused_with_its_code(shop, entity_set, condition, code):
    refused(shop.get(f"{entity_set}?$filter={quote(condition)}"), 400, code)


def test_order_is_by_own_attributes(shop):
    assert keys(shop.results("B2BUnits?$top=2&$orderby=uid desc")) == ["U24", "U23"]
    assert keys(shop.results("B2BUnits?$top=2&$orderby=active, uid desc")) == ["U20", "U15"]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("integrationKey", "order_by_integration_key_not_supported"),
        ("country/isocode", "order_by_nested_attribute_not_supported"),
        ("nothing", "odata_error"),
        ("town up", "odata_error"),
    ],
)
def test_another_order_is_refused_with_its_code(shop, order, code):
    refused(shop.get(f"Addresses?$orderby={order}"), 400, code)


def test_without_expand_navigation_is_deferred(shop):
    entity = shop.entity("B2BUnits('U01')")
    uri = entity["__metadata"]["uri"]
    assert uri.endswith("/odata2webservices/L2CB2BUnit/B2BUnits('U01')")
    assert entity["__metadata"]["type"] == "HybrisCommerceOData.B2BUnit"
    assert entity["addresses"] == {"__deferred": {"uri": f"{uri}/addresses"}}
    assert shop.session.get(f"{uri}/addresses", timeout=10).json()["d"]["results"][0]["town"] == "Town 1"


def test_expand_takes_several_paths_of_several_levels(shop):
    entity = shop.entity("B2BUnits('U01')?$expand=groups,addresses/country,addresses/region/country")
    (home,) = entity["addresses"]["results"]
    assert home["country"]["isocode"] == "DE"
    assert home["region"] is None
    assert entity["groups"] == {"results": []}
    assert "__deferred" in entity["userPriceGroup"]
    assert "__deferred" in home["owner"]


def test_an_unknown_path_of_an_expansion_is_refused(shop):
    refused(shop.get("B2BUnits?$expand=addresses/city"), 400, "odata_error")


def test_dates_are_milliseconds_in_the_old_json_form(shop):
    assert re.fullmatch(r"/Date\(\d{13}\)/", shop.entity("B2BUnits('U01')")["modifiedtime"])


def test_a_navigation_property_and_an_attribute_have_addresses_of_their_own(shop):
    assert shop.entity("B2BUnits('U01')/name") == {"name": "Unit U01"}
    assert shop.entity("Addresses('false%7CA1')/country")["isocode"] == "DE"
    assert "not find property" in refused(shop.get("B2BUnits('U01')/city"), 404, "not_found")
    refused(shop.get("Addresses('false%7CA1')/region"), 404, "not_found")


def test_an_unknown_key_is_404_and_a_key_of_another_form_is_400(shop):
    refused(shop.get("B2BUnits('nobody')"), 404, "not_found")
    refused(shop.get("Addresses('A1')"), 400, "invalid_key")
    refused(shop.get("B2BUnits('U01%7CU02')"), 400, "invalid_key")


def test_swapped_segments_of_a_key_find_nothing(shop):
    assert shop.entity("Addresses('false%7CA1')")["publicKey"] == "A1"
    refused(shop.get("Addresses('A1%7Cfalse')"), 404, "not_found")


def test_a_pipe_inside_a_value_is_encoded_in_the_key_and_again_in_the_address(shop):
    shop.post("B2BUnits", unit("P|1", address("4711|9")))
    entity = shop.results("B2BUnits?$filter=uid eq 'P%7C1'&$expand=addresses")[0]
    assert (entity["uid"], entity["integrationKey"]) == ("P|1", "P%7C1")
    assert entity["__metadata"]["uri"].endswith("B2BUnits('P%257C1')")
    assert shop.entity("B2BUnits('P%257C1')")["uid"] == "P|1"
    home = entity["addresses"]["results"][0]
    assert home["integrationKey"] == "false|4711%7C9"
    assert home["__metadata"]["uri"].endswith("Addresses('false%7C4711%257C9')")
    shop.control("POST", "/delete", {"entity": "B2BUnit", "key": "P|1"})


@pytest.mark.parametrize("uid", ["A/B", "O'Neil", "50%", "a b", "Müller & Söhne", "山田", "x'('y", "#?&="])
def test_keys_with_special_characters_survive_the_round_trip(shop, uid):
    assert shop.post("B2BUnits", unit(uid)).status_code == 201
    uri = f"B2BUnits('{quote(uid.replace(chr(39), chr(39) * 2), safe='')}')"
    entity = shop.entity(uri)
    assert entity["uid"] == entity["integrationKey"] == uid
    assert shop.session.get(entity["__metadata"]["uri"], timeout=10).json()["d"]["uid"] == uid
    assert shop.call("DELETE", uri).status_code == 200


def test_who_does_not_ask_for_json_gets_atom(shop):
    answer = shop.get("B2BUnits?$top=1", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert "<d:uid>U00</d:uid>" in answer.text
    assert shop.get("B2BUnits?$top=1&$format=json", headers={"Accept": "*/*"}).json()["d"]["results"]


def test_an_unknown_integration_object_or_set_is_404(shop):
    refused(shop.get("/odata2webservices/L2CProduct/Products"), 404, "not_found")
    refused(shop.get("Customers"), 404, "not_found")


def test_both_integration_objects_show_the_same_units(shop):
    entity = shop.entity("/odata2webservices/InboundB2BUnit/B2BUnits('U01')?$expand=addresses")
    assert entity["uid"] == "U01"
    assert "l2cCustomerNumber" not in entity
    assert "modifiedtime" not in entity
    assert "owner" not in entity["addresses"]["results"][0]


def test_countries_and_regions_are_there_from_the_start(shop):
    assert int(shop.get("Countries/$count").text) == 249
    for key in ("DE%7CDE-BY", "US%7CUS-CA", "CH%7CCH-ZH", "AT%7CAT-9", "JP%7CJP-13"):
        assert shop.get(f"Regions('{key}')", headers=JSON).status_code == 200, key
