"""How the simulated shop takes writes: upsert, partial update, collections, refusals, stamps."""

import time

import pytest

from .commerce_shop import address, refused, started, unit


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        yield running


def stamp(shop, path):
    return int(shop.entity(path)["modifiedtime"][6:-2])


def towns(shop, uid):
    return {home["publicKey"]: home["town"] for home in shop.record("B2BUnit", uid)["addresses"]}


def test_post_creates_and_answers_201_also_for_an_existing_key(shop):
    first = shop.post("B2BUnits", unit("W1", l2cCustomerNumber="100"))
    again = shop.post("B2BUnits", {"uid": "W1", "name": "renamed"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"].endswith("B2BUnits('W1')")
    entity = shop.entity("B2BUnits('W1')")
    assert (entity["name"], entity["l2cCustomerNumber"]) == ("renamed", "100")


def test_the_integration_key_in_a_post_is_ignored(shop):
    assert shop.post("B2BUnits", {"uid": "W2", "integrationKey": "other"}).json()["d"]["integrationKey"] == "W2"


def test_a_new_unit_is_active_unless_it_says_otherwise(shop):
    shop.post("B2BUnits", {"uid": "W3"})
    assert shop.entity("B2BUnits('W3')")["active"] is True
    shop.post("B2BUnits", {"uid": "W3", "active": False})
    assert shop.entity("B2BUnits('W3')")["active"] is False


def test_null_clears_a_simple_attribute_and_silence_keeps_it(shop):
    shop.post("B2BUnits", {"uid": "W4", "vatID": "DE1", "l2cSegment": "KEY"})
    shop.post("B2BUnits", {"uid": "W4", "vatID": None})
    entity = shop.entity("B2BUnits('W4')")
    assert (entity["vatID"], entity["l2cSegment"]) == (None, "KEY")


def test_post_adds_to_addresses_and_updates_those_it_names(shop):
    shop.post("B2BUnits", unit("W5", address("W5a", town="Köln"), address("W5b", town="Bonn")))
    shop.post("B2BUnits", unit("W5", address("W5b", town="Berlin"), address("W5c", town="Kiel")))
    assert towns(shop, "W5") == {"W5a": "Köln", "W5b": "Berlin", "W5c": "Kiel"}
    shop.post("B2BUnits", unit("W5"))
    assert len(towns(shop, "W5")) == 3


def test_patch_replaces_addresses_and_deletes_the_others(shop):
    shop.post("B2BUnits", unit("W6", address("W6a", town="Köln"), address("W6b", town="Bonn")))
    last = shop.last()
    answer = shop.patch("B2BUnits('W6')", {"addresses": [address("W6b", town="Trier")]})
    assert answer.status_code == 200
    assert towns(shop, "W6") == {"W6b": "Trier"}
    refused(shop.get("Addresses('false%7CW6a')"), 404, "not_found")
    actions = {(entry["key"], entry["action"]) for entry in shop.log(last)}
    assert actions == {("false/W6a", "deleted"), ("false/W6b", "updated")}


def test_patch_keeps_collections_it_does_not_name_or_names_null(shop):
    shop.post("B2BUnits", unit("W7", address("W7a")))
    shop.patch("B2BUnits('W7')", {"name": "x"})
    shop.patch("B2BUnits('W7')", {"addresses": None})
    assert list(towns(shop, "W7")) == ["W7a"]
    shop.patch("B2BUnits('W7')", {"addresses": []})
    assert towns(shop, "W7") == {}


def test_the_key_in_a_patch_must_be_that_of_the_path(shop):
    shop.post("B2BUnits", unit("W8"))
    assert shop.patch("B2BUnits('W8')", {"uid": "W8", "name": "fine"}).status_code == 200
    assert "does not match" in refused(shop.patch("B2BUnits('W8')", {"uid": "W9"}), 400, "invalid_key")
    refused(shop.patch("B2BUnits('nobody')", {"name": "x"}), 404, "not_found")


def test_patch_and_delete_need_a_key_and_post_must_have_none(shop):
    refused(shop.patch("B2BUnits", {"name": "x"}), 405, "method_not_allowed")
    refused(shop.call("DELETE", "B2BUnits"), 405, "method_not_allowed")
    refused(shop.post("B2BUnits('W1')", {"uid": "W1"}), 405, "method_not_allowed")
    refused(shop.call("PUT", "B2BUnits('W1')", json={"uid": "W1"}), 405, "method_not_allowed")


def test_delete_answers_200_without_a_body_and_takes_the_addresses_along(shop):
    shop.post("B2BUnits", unit("W10", address("W10a")))
    answer = shop.call("DELETE", "B2BUnits('W10')")
    assert (answer.status_code, answer.content) == (200, b"")
    refused(shop.get("Addresses('false%7CW10a')"), 404, "not_found")
    refused(shop.call("DELETE", "B2BUnits('W10')"), 404, "invalid_key")


def test_one_address_can_be_changed_and_deleted_by_itself(shop):
    shop.post("B2BUnits", unit("W11", address("W11a"), address("W11b")))
    assert shop.patch("Addresses('false%7CW11a')", {"town": "Ulm"}).status_code == 200
    assert shop.call("DELETE", "Addresses('false%7CW11b')").status_code == 200
    assert towns(shop, "W11") == {"W11a": "Ulm"}


def test_an_address_needs_an_owner_unless_it_stands_inside_one(shop):
    refused(shop.post("Addresses", address("W12a")), 400, "missing_nav_property")
    refused(shop.post("/odata2webservices/InboundB2BUnit/Addresses", address("W12a")), 400, "invalid_attribute_value")
    shop.post("B2BUnits", unit("W12"))
    assert shop.post("Addresses", address("W12a", owner={"uid": "W12"}, town="Jena")).status_code == 201
    assert towns(shop, "W12") == {"W12a": "Jena"}


def test_an_address_without_its_duplicate_flag_is_another_key_and_doubles(shop):
    """The key is `duplicate|publicKey`: a missing flag is an empty segment, a stored one is false."""
    shop.post("B2BUnits", unit("W13", address("W13a")))
    bare = {"publicKey": "W13a", "country": {"isocode": "DE"}}
    shop.post("B2BUnits", unit("W13", bare))
    assert len(shop.record("B2BUnit", "W13")["addresses"]) == 2


def test_country_and_region_are_nested_by_their_own_keys(shop):
    shop.post("B2BUnits", unit("W14", address("W14a", "US", "US-CA")))
    (home,) = shop.record("B2BUnit", "W14")["addresses"]
    assert (home["country"], home["region"]) == ("US", "US-CA")
    shop.post("B2BUnits", unit("W14", address("W14a", "DE", "DE-BY")))
    (home,) = shop.record("B2BUnit", "W14")["addresses"]
    assert (home["country"], home["region"]) == ("DE", "DE-BY")


def test_an_unknown_country_is_refused_and_nothing_is_stored(shop):
    answer = shop.post("B2BUnits", unit("W15", address("W15a"), address("W15b", "XX")))
    assert "[country] in [Address]" in refused(answer, 400, "missing_nav_property")
    refused(shop.get("B2BUnits('W15')"), 404, "not_found")
    refused(shop.get("Addresses('false%7CW15a')"), 404, "not_found")


def test_a_region_needs_its_country_and_must_exist_in_it(shop):
    bare = address("W16a") | {"region": {"isocode": "DE-BY"}}
    assert "NavigationProperty [country]" in refused(shop.post("B2BUnits", unit("W16", bare)), 400, "missing_key")
    wrong = address("W16a") | {"region": {"isocode": "DE-BY", "country": {"isocode": "AT"}}}
    refused(shop.post("B2BUnits", unit("W16", wrong)), 400, "missing_nav_property")


def test_a_null_reference_leaves_the_reference_as_it_is(shop):
    shop.post("B2BUnits", unit("W17", address("W17a", "DE", "DE-BY")))
    shop.patch("Addresses('false%7CW17a')", {"region": None})
    assert shop.record("Address", "false/W17a")["region"] == "DE-BY"


def test_an_unknown_group_is_refused_and_a_known_one_is_added(shop):
    refused(shop.post("B2BUnits", unit("W18", groups=[{"uid": "nobody"}])), 400, "missing_nav_property")
    shop.post("B2BUnits", unit("W18", groups=[{"uid": "b2bgroup"}]))
    shop.post("B2BUnits", unit("W18", groups=[{"uid": "l2cunits"}]))
    assert shop.record("B2BUnit", "W18")["groups"] == ["b2bgroup", "l2cunits"]
    shop.patch("B2BUnits('W18')", {"groups": [{"uid": "l2cunits"}]})
    assert shop.record("B2BUnit", "W18")["groups"] == ["l2cunits"]


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        ({"name": "x"}, 400, "missing_key"),
        ({"uid": None}, 400, "missing_key"),
        ({"uid": "W19", "city": "x"}, 400, "invalid_property"),
        ({"uid": "W19", "addresses": [{"publicKey": "W19", "city": "x"}]}, 400, "invalid_property"),
        ({"uid": "W19", "active": "true"}, 400, "odata_error"),
        ({"uid": "W19", "name": 5}, 400, "odata_error"),
        ({"uid": "W19", "name": ["x"]}, 400, "odata_error"),
        ({"uid": "W19", "addresses": {"publicKey": "W19"}}, 400, "odata_error"),
        ({"uid": "W19", "addresses": ["W19"]}, 400, "odata_error"),
        ({"uid": "W19", "name": "x" * 256}, 400, "invalid_attribute_value"),
        ({"uid": "W19", "localizedAttributes": [{"language": "xx", "locName": "x"}]}, 400, "invalid_language"),
        ([{"uid": "W19"}], 400, "odata_error"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_its_code(shop, payload, status, code):
    refused(shop.post("B2BUnits", payload), status, code)
    refused(shop.get("B2BUnits('W19')"), 404, "not_found")


def test_an_attribute_of_the_other_integration_object_is_unknown_here(shop):
    path = "/odata2webservices/InboundB2BUnit/B2BUnits"
    assert "[vatID]" in refused(shop.post(path, {"uid": "W20", "vatID": "DE1"}), 400, "invalid_property")


def test_a_body_that_is_no_json_or_says_so_is_refused(shop):
    broken = shop.call("POST", "B2BUnits", data=b'{"uid": ', headers={"Content-Type": "application/json"})
    refused(broken, 400, "odata_error")
    refused(
        shop.call("POST", "B2BUnits", data=b"uid=1", headers={"Content-Type": "text/csv"}),
        415,
        "unsupported_media_type",
    )


def test_countries_and_regions_cannot_be_written(shop):
    assert "create privileges" in refused(shop.post("Countries", {"isocode": "XX"}), 403, "forbidden")
    assert "remove privileges" in refused(shop.call("DELETE", "Regions('DE%7CDE-BY')"), 403, "forbidden")


def test_a_hook_that_does_not_exist_is_refused(shop):
    answer = shop.post("B2BUnits", unit("W21"), headers={"Pre-Persist-Hook": "myHook"})
    assert "PrePersistHook [myHook]" in refused(answer, 400, "hook_not_found")


def test_saving_an_address_does_not_move_the_stamp_of_its_unit(shop):
    shop.post("B2BUnits", unit("W22", address("W22a", town="Köln")))
    before, home = stamp(shop, "B2BUnits('W22')"), stamp(shop, "Addresses('false%7CW22a')")
    shop.post("B2BUnits", unit("W22", address("W22a", town="Bonn")))
    assert stamp(shop, "B2BUnits('W22')") == before
    assert stamp(shop, "Addresses('false%7CW22a')") > home


def test_a_save_that_changes_nothing_moves_no_stamp_and_is_no_commit(shop):
    payload = unit("W23", address("W23a", "DE", "DE-BY", town="Köln"), groups=[{"uid": "b2bgroup"}])
    shop.post("B2BUnits", payload)
    before, last = stamp(shop, "B2BUnits('W23')"), shop.last()
    assert shop.post("B2BUnits", payload).status_code == 201
    assert shop.patch("B2BUnits('W23')", payload).status_code == 200
    assert stamp(shop, "B2BUnits('W23')") == before
    assert shop.log(last) == []


def test_a_save_that_changes_the_unit_moves_its_stamp_by_the_shops_clock(shop):
    shop.post("B2BUnits", unit("W24"))
    shop.control("POST", "/clock", {"offset_s": 3600})
    try:
        shop.post("B2BUnits", {"uid": "W24", "name": "later"})
    finally:
        shop.control("POST", "/clock", {"offset_s": 0})
    assert stamp(shop, "B2BUnits('W24')") > (time.time() + 3000) * 1000


def test_the_stamp_cannot_be_written(shop):
    assert shop.post("B2BUnits", unit("W25", modifiedtime="/Date(0)/")).status_code == 201
    assert stamp(shop, "B2BUnits('W25')") > 0


def test_localized_names_go_by_content_language_and_list(shop):
    shop.post("B2BUnits", {"uid": "W26", "locName": "English"})
    shop.post("B2BUnits", {"uid": "W26", "locName": "Deutsch"}, headers={"Content-Language": "de"})
    shop.post(
        "B2BUnits", {"uid": "W26", "locName": "no", "localizedAttributes": [{"language": "en", "locName": "yes"}]}
    )
    assert shop.record("B2BUnit", "W26")["locName"] == {"de": "Deutsch", "en": "yes"}
    assert shop.get("B2BUnits('W26')", headers={"Accept-Language": "de"}).json()["d"]["locName"] == "Deutsch"
    listed = shop.results("B2BUnits('W26')/localizedAttributes")
    assert [(entry["language"], entry["locName"]) for entry in listed] == [("de", "Deutsch"), ("en", "yes")]


def test_only_a_patch_removes_localized_names(shop):
    shop.post("B2BUnits", {"uid": "W27", "locName": "English"})
    shop.post("B2BUnits", {"uid": "W27", "locName": "Deutsch"}, headers={"Content-Language": "de"})
    shop.post("B2BUnits", {"uid": "W27", "localizedAttributes": []})
    assert len(shop.record("B2BUnit", "W27")["locName"]) == 2
    shop.patch("B2BUnits('W27')", {"localizedAttributes": []}, headers={"Content-Language": "de"})
    assert shop.record("B2BUnit", "W27")["locName"] == {"en": "English"}
    shop.patch("B2BUnits('W27')", {"localizedAttributes": [{"language": "fr", "locName": "Français"}]})
    assert shop.record("B2BUnit", "W27")["locName"] == {"fr": "Français"}
    shop.patch("B2BUnits('W27')", {"locName": None})
    assert shop.record("B2BUnit", "W27")["locName"] == {}


def test_an_unknown_language_of_a_header_aborts_the_write(shop):
    for header in ("Content-Language", "Accept-Language"):
        answer = shop.post("B2BUnits", unit("W28"), headers={header: "tlh"})
        assert "[tlh]" in refused(answer, 400, "invalid_language")
    refused(shop.get("B2BUnits('W28')"), 404, "not_found")


def test_no_etag_is_given_and_if_match_is_not_looked_at(shop):
    answer = shop.post("B2BUnits", unit("W29"))
    assert "ETag" not in answer.headers
    assert "etag" not in answer.json()["d"]["__metadata"]
    assert shop.patch("B2BUnits('W29')", {"name": "x"}, headers={"If-Match": "stale"}).status_code == 200


def test_an_address_named_under_a_second_unit_moves_there(shop):
    shop.post("B2BUnits", unit("W30", address("W30a")))
    shop.post("B2BUnits", unit("W31", address("W30a")))
    assert towns(shop, "W30") == {}
    assert list(towns(shop, "W31")) == ["W30a"]
