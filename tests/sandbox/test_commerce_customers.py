"""Contact persons and consumers of the simulated shop, as the integration objects show them."""

import json
import time

import pytest

from .commerce_shop import address, refused, started, unit

CONTACTS = "/odata2webservices/L2CB2BCustomer/B2BCustomers"
STANDARD = "/odata2webservices/InboundB2BCustomer/B2BCustomers"
CONSUMERS = "/odata2webservices/L2CCustomer/Customers"


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        for uid in ("U1", "U2"):
            assert running.post("B2BUnits", unit(uid)).status_code == 201
        yield running


def contact(uid, customer_id=None, unit="U1", **more):
    made = {"uid": uid, "email": uid, "name": "Eva Muster", "defaultB2BUnit": {"uid": unit}, **more}
    return made | ({"customerID": customer_id} if customer_id else {})


def consumer(uid, *addresses, **more):
    return {"uid": uid, "name": "Jan Muster", "addresses": list(addresses), **more}


def key(*parts):
    return "('" + "%7C".join(parts).replace("@", "%40") + "')"


def test_a_contact_is_created_with_its_unit_language_title_and_groups(shop):
    payload = contact(
        "eva@a.example",
        "0001",
        title={"code": "dr"},
        sessionLanguage={"isocode": "de"},
        groups=[{"uid": "b2bcustomergroup"}],
        l2cPhone="+49 30 1",
        l2cFunction="0003",
        sapBusinessPartnerID="17",
    )
    answer = shop.post(CONTACTS, payload)
    assert answer.status_code == 201, answer.text
    assert answer.json()["d"]["integrationKey"] == "0001|eva@a.example"
    found = shop.entity(
        CONTACTS + key("0001", "eva@a.example") + "?$expand=defaultB2BUnit,title,sessionLanguage,groups"
    )
    assert (found["defaultB2BUnit"]["uid"], found["title"]["code"]) == ("U1", "dr")
    assert (found["sessionLanguage"]["isocode"], found["l2cPhone"], found["loginDisabled"]) == ("de", "+49 30 1", False)
    assert [group["uid"] for group in found["groups"]["results"]] == ["b2bcustomergroup"]
    assert found["modifiedtime"].startswith("/Date(")
    stored = shop.record("B2BCustomer", "0001/eva@a.example")
    assert (stored["defaultB2BUnit"], stored["groups"]) == ("U1", ["b2bcustomergroup"])


def test_the_standard_object_shows_the_same_contact_without_what_the_hub_adds(shop):
    shop.post(CONTACTS, contact("std@a.example", "0002", l2cMobile="1"))
    found = shop.entity(STANDARD + key("0002", "std@a.example"))
    assert found["email"] == "std@a.example"
    assert not {"modifiedtime", "l2cMobile"} & set(found)
    refused(shop.post(STANDARD, contact("std@a.example", "0002", l2cMobile="2")), 400, "invalid_property")


def test_a_contact_of_an_unknown_unit_is_refused_and_nothing_is_stored(shop):
    text = refused(shop.post(CONTACTS, contact("lost@a.example", "0003", "nobody")), 400, "missing_nav_property")
    assert "defaultB2BUnit" in text
    refused(shop.get(CONTACTS + key("0003", "lost@a.example")), 404, "not_found")


@pytest.mark.parametrize(("missing", "code"), [("uid", "missing_key"), ("email", "missing_property")])
def test_a_contact_needs_uid_and_email(shop, missing, code):
    payload = contact("bare@a.example", "0004")
    del payload[missing]
    refused(shop.post(CONTACTS, payload), 400, code)


def test_an_unknown_title_language_or_group_is_refused(shop):
    for more in ({"title": {"code": "king"}}, {"sessionLanguage": {"isocode": "xx"}}, {"groups": [{"uid": "none"}]}):
        refused(shop.post(CONTACTS, contact("ref@a.example", "0005", **more)), 400, "missing_nav_property")


def test_a_contact_without_a_customer_id_has_an_empty_segment_in_its_key(shop):
    answer = shop.post(CONTACTS, contact("noid@a.example"))
    assert answer.json()["d"]["integrationKey"] == "|noid@a.example"
    assert shop.entity(CONTACTS + key("", "noid@a.example"))["customerID"] is None
    assert shop.post(CONTACTS, contact("noid@a.example", name="again")).status_code == 201
    assert shop.record("B2BCustomer", "/noid@a.example")["name"] == "again"


def test_a_changed_customer_id_is_a_second_contact(shop):
    shop.post(CONTACTS, contact("two@a.example", "0006"))
    shop.post(CONTACTS, contact("two@a.example", "0007"))
    found = shop.results(CONTACTS + "?$filter=uid eq 'two@a.example'&$orderby=customerID")
    assert [entity["customerID"] for entity in found] == ["0006", "0007"]
    refused(shop.patch(CONTACTS + key("0006", "two@a.example"), {"customerID": "0008"}), 400, "invalid_key")


def test_a_contact_moves_to_another_unit(shop):
    shop.post(CONTACTS, contact("move@a.example", "0009"))
    shop.post(CONTACTS, contact("move@a.example", "0009", "U2"))
    assert shop.record("B2BCustomer", "0009/move@a.example")["defaultB2BUnit"] == "U2"
    found = shop.results(CONTACTS + "?$filter=defaultB2BUnit/uid eq 'U2'")
    assert [entity["uid"] for entity in found] == ["move@a.example"]


def test_addresses_of_a_contact_are_its_own_and_have_the_key_of_the_standard_object(shop):
    home = {"publicKey": "k1", "firstname": "Eva", "dateOfBirth": "/Date(86400000)/", "contactAddress": True}
    shop.post(CONTACTS, contact("addr@a.example", "0010", addresses=[home, {"publicKey": "k2"}]))
    path = CONTACTS + key("0010", "addr@a.example")
    (first, second) = shop.entity(path + "?$expand=addresses")["addresses"]["results"]
    assert (first["integrationKey"], first["firstname"], first["dateOfBirth"]) == ("k1", "Eva", "/Date(86400000)/")
    assert (second["integrationKey"], second["duplicate"], second["dateOfBirth"]) == ("k2", False, None)
    before = shop.entity(path)["modifiedtime"]
    assert shop.patch("/odata2webservices/L2CB2BCustomer/Addresses('k1')", {"lastname": "M"}).status_code == 200
    assert shop.entity(path)["modifiedtime"] == before
    assert shop.patch(path, {"addresses": [{"publicKey": "k2"}]}).status_code == 200
    refused(shop.get("/odata2webservices/L2CB2BCustomer/Addresses('k1')"), 404, "not_found")


def test_a_date_that_is_none_is_refused(shop):
    payload = contact("date@a.example", "0011", addresses=[{"publicKey": "k3", "dateOfBirth": "yesterday"}])
    refused(shop.post(CONTACTS, payload), 400, "odata_error")


def test_a_consumer_is_created_with_addresses_and_changed_by_its_uid(shop):
    home = address("c1", "AT", "AT-9", town="Wien", firstname="Jan", title={"code": "mr"})
    answer = shop.post(CONSUMERS, consumer("jan@b.example", home, customerID="cid-1", l2cFirstName="Jan"))
    assert answer.status_code == 201, answer.text
    shop.post(CONSUMERS, {"uid": "jan@b.example", "l2cCustomerNumber": "900", "l2cPartnerNumber": "901"})
    found = shop.entity(CONSUMERS + key("jan@b.example") + "?$expand=addresses/region,addresses/owner,addresses/title")
    assert (found["customerID"], found["l2cCustomerNumber"], found["l2cPartnerNumber"]) == ("cid-1", "900", "901")
    (shown,) = found["addresses"]["results"]
    assert (shown["owner"]["uid"], shown["region"]["isocode"], shown["title"]["code"]) == (
        "jan@b.example",
        "AT-9",
        "mr",
    )
    entry = shop.log(entity="Customer")[-1]
    assert (entry["key"], entry["action"], entry["mark"]) == ("jan@b.example", "updated", "900")


def test_addresses_of_units_and_consumers_do_not_mix(shop):
    shop.post("B2BUnits", unit("U3", address("mine")))
    shop.post(CONSUMERS, consumer("mix@b.example", address("hers")))
    assert [home["publicKey"] for home in shop.record("B2BUnit", "U3")["addresses"]] == ["mine"]
    assert shop.record("Customer", "mix@b.example")["addresses"][0]["owner"] == "mix@b.example"
    shown = shop.entity("Addresses('false%7Chers')?$expand=owner")
    assert shown["owner"] is None


def test_a_new_address_names_its_owner(shop):
    shop.post(CONSUMERS, consumer("own@b.example"))
    new = address("own1", owner={"uid": "own@b.example"})
    assert shop.post("/odata2webservices/L2CCustomer/Addresses", new).status_code == 201
    assert [home["publicKey"] for home in shop.record("Customer", "own@b.example")["addresses"]] == ["own1"]


@pytest.mark.parametrize("kind", ["contact", "consumer"])
def test_delete_answers_200_and_takes_the_addresses_along(shop, kind):
    if kind == "contact":
        shop.post(CONTACTS, contact("gone@c.example", "0012", addresses=[{"publicKey": "g1"}]))
        path, home = CONTACTS + key("0012", "gone@c.example"), "/odata2webservices/L2CB2BCustomer/Addresses('g1')"
    else:
        shop.post(CONSUMERS, consumer("gone@c.example", address("g2")))
        path, home = CONSUMERS + key("gone@c.example"), "/odata2webservices/L2CCustomer/Addresses('false%7Cg2')"
    assert shop.get(home).status_code == 200
    answer = shop.call("DELETE", path)
    assert (answer.status_code, answer.content) == (200, b"")
    refused(shop.get(home), 404, "not_found")
    refused(shop.call("DELETE", path), 404, "invalid_key")


def test_a_unit_deleted_through_another_object_takes_its_addresses_along_and_leaves_its_contacts(shop):
    shop.post("B2BUnits", unit("U4", address("U4a")))
    shop.post(CONTACTS, contact("orphan@a.example", "0013", "U4"))
    assert shop.call("DELETE", "/odata2webservices/L2CB2BCustomer/B2BUnits('U4')").status_code == 200
    refused(shop.get("Addresses('false%7CU4a')"), 404, "not_found")
    found = shop.entity(CONTACTS + key("0013", "orphan@a.example") + "?$expand=defaultB2BUnit")
    assert found["defaultB2BUnit"] is None


@pytest.mark.parametrize("kind", ["contact", "consumer"])
def test_changes_are_read_in_their_order_by_keyset(shop, kind):
    path = CONTACTS if kind == "contact" else CONSUMERS
    uids = [f"page{number}@d.example" for number in range(5)]
    shop.control("POST", "/clock", {"offset_s": 3600 if kind == "contact" else 7200})
    for uid in uids:
        shop.post(path, contact(uid, "p") if kind == "contact" else consumer(uid))
        time.sleep(0.002)
    start = shop.results(f"{path}?$filter=uid eq '{uids[0]}'")[0]["modifiedtime"]
    seen, stamp, last = [], int(start[6:-2]), ""
    while True:
        moment = f"DateTime'{_instant(stamp)}'"
        rule = f"modifiedtime gt {moment} or modifiedtime eq {moment} and uid gt '{last}'"
        page = shop.results(f"{path}?$filter={rule}&$orderby=modifiedtime,uid&$top=2")
        if not page:
            break
        seen += [entity["uid"] for entity in page]
        stamp, last = int(page[-1]["modifiedtime"][6:-2]), page[-1]["uid"]
    assert seen == uids


def _instant(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}"


def test_a_batch_of_contacts_keeps_the_good_ones(shop):
    good, bad = contact("batch@a.example", "0014"), contact("batch2@a.example", "0015", "nobody")
    operation = (
        "--b\r\nContent-Type: multipart/mixed; boundary=c{n}\r\n\r\n--c{n}\r\nContent-Type: application/http\r\n\r\n"
        "POST B2BCustomers HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n--c{n}--\r\n"
    )
    bodies = [json.dumps(payload) for payload in (good, bad)]
    text = "".join(operation.format(n=n, body=body) for n, body in enumerate(bodies)) + "--b--\r\n"
    answer = shop.call(
        "POST",
        "/odata2webservices/L2CB2BCustomer/$batch",
        data=text,
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    assert answer.status_code == 202
    assert ("201 Created" in answer.text, "missing_nav_property" in answer.text) == (True, True)
    assert shop.record("B2BCustomer", "0014/batch@a.example")["name"] == "Eva Muster"


def test_records_of_contacts_come_in_key_order_with_an_empty_customer_id_first(shop):
    for customer_id, uid in ((None, "r1@e.example"), ("zz1", "r2@e.example"), ("zz0", "r3@e.example")):
        shop.post(CONTACTS, contact(uid, customer_id))
    text = shop.session.get(f"{shop.control_url}/records?entity=B2BCustomer&limit=1000", timeout=10).text
    keys = [line.split('"')[3] for line in text.splitlines() if "@e.example" in line]
    assert keys == ["/r1@e.example", "zz0/r3@e.example", "zz1/r2@e.example"]
    after = shop.session.get(
        f"{shop.control_url}/records?entity=B2BCustomer&after=zz0/r3@e.example&limit=1", timeout=10
    )
    assert '"zz1/r2@e.example"' in after.text


def test_a_public_key_with_a_pipe_is_found_by_the_key_the_log_names(shop):
    shop.post("B2BUnits", unit("U5", address("900|20001", town="Ulm")))
    name = shop.log(entity="Address")[-1]["key"]
    assert shop.record("Address", name)["town"] == "Ulm"
