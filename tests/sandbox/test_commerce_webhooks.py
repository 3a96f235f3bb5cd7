"""Webhooks of the simulated shop: what is told, how it is proved, and what is lost on the way."""

import base64
import hashlib
import hmac
import json
import time
from collections import Counter

import pytest

from .commerce_shop import address, started, unit
from .webhook_receiver import SAVED, listen, listening, quiet

CONTACTS = "/odata2webservices/L2CB2BCustomer/B2BCustomers"


@pytest.fixture(scope="module")
def running():
    with started() as shop:
        yield shop


@pytest.fixture
def shop(running):
    yield running
    running.settings(
        webhooks=[], webhook_lost=0, webhook_doubled=0, webhook_queue=10_000, webhook_timeout_s=5, webhook_encoded=False
    )
    quiet(running)


@pytest.fixture
def receiver():
    with listening() as made:
        yield made


def test_a_saved_unit_is_told_with_the_headers_of_a_cloud_event_and_its_body(shop, receiver):
    listen(shop, receiver)
    shop.post("B2BUnits", unit("H1", address("H1|a", "DE", "DE-BY", town="Ulm"), locName="Haus", l2cPartnerNumber="17"))
    quiet(shop)
    ((headers, body),) = receiver.taken
    assert headers["ce-type"] == "sap.cx.commerce.L2CB2BUnit.Created.v1"
    assert (headers["ce-specversion"], headers["ce-subject"]) == ("1.0", "H1")
    assert headers["ce-source"].startswith("/")
    assert len(headers["ce-id"]) == 36
    assert time.strptime(headers["ce-time"], "%Y-%m-%dT%H:%M:%SZ")
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert (told["uid"], told["integrationKey"], told["l2cPartnerNumber"]) == ("H1", "H1", "17")
    assert told["modifiedtime"].startswith("/Date(")
    assert told["localizedAttributes"] == [{"language": "en", "locName": "Haus"}]
    (home,) = told["addresses"]
    assert (home["town"], home["integrationKey"]) == ("Ulm", "false|H1%7Ca")
    assert home["region"]["country"]["isocode"] == "DE"
    assert home["owner"] == {"uid": "H1", "integrationKey": "H1"}


def test_users_registrations_and_the_api_are_told_alike_and_the_first_load_is_not(receiver):
    with started(None, "--prefill", "20", "--partners", "100") as shop:
        listen(shop, receiver, SAVED, {"object": "L2CB2BCustomer"}, {"object": "L2CCustomer"})
        shop.post("B2BUnits", unit("H2"))
        shop.post("B2BUnits", unit("H2", vatID="DE1"))
        shop.control("POST", "/change", {"entity": "B2BUnit", "key": "H2", "set": {"name": "x"}})
        person = {"email": "eva@h.example", "first_name": "Eva", "last_name": "H"}
        company = {"kind": "company", "name": "Neu GmbH", "contact": person}
        made = shop.control("POST", "/register", company)
        shop.control("POST", "/register", {"kind": "consumer", **person})
        quiet(shop)
        contact = made["contact"]["key"].replace("/", "|")
        assert Counter(receiver.subjects()) == {"H2": 3, made["key"]: 1, contact: 1, "eva@h.example": 1}
        kinds = Counter(headers["ce-type"] for headers, _ in receiver.taken)
        assert kinds["sap.cx.commerce.L2CB2BUnit.Updated.v1"] == 2
        assert kinds["sap.cx.commerce.L2CB2BCustomer.Created.v1"] == 1


def test_what_changes_only_an_address_or_nothing_is_not_told(shop, receiver):
    shop.post("B2BUnits", unit("H3", address("H3a")))
    listen(shop, receiver)
    shop.post("B2BUnits", unit("H3", address("H3a", town="Ulm")))
    shop.control("POST", "/change", {"entity": "Address", "key": "false/H3a", "set": {"town": "Bonn"}})
    shop.control("POST", "/create", {"entity": "Address", "set": {"owner": "H3", "country": "DE"}})
    shop.post("B2BUnits", unit("H3"))
    assert "raised" not in quiet(shop)
    assert receiver.taken == []


def test_a_refused_write_is_not_told(shop, receiver):
    listen(shop, receiver)
    assert shop.post("B2BUnits", unit("H4", address("H4a", "XX"))).status_code == 400
    assert "raised" not in quiet(shop)


def test_one_commit_tells_an_item_once(shop, receiver):
    listen(shop, receiver)
    operation = "Content-Type: application/http\r\n\r\nPOST B2BUnits HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
    parts = "".join(f"--c\r\n{operation}{json.dumps(unit('H5', name=name))}\r\n" for name in "ab")
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n"
    answer = shop.call("POST", "$batch", data=body, headers={"Content-Type": "multipart/mixed; boundary=b"})
    assert answer.text.count("201 Created") == 2
    quiet(shop)
    ((headers, body),) = receiver.taken
    assert headers["ce-type"].endswith("Created.v1")
    assert json.loads(body)["name"] == "b"


@pytest.mark.parametrize(
    ("event", "operations"), [("created", ["Created"]), ("updated", ["Updated"]), ("deleted", ["Deleted"])]
)
def test_a_webhook_may_ask_for_one_kind_of_event(shop, receiver, event, operations):
    listen(shop, receiver, {**SAVED, "event": event})
    shop.post("B2BUnits", unit(f"H6{event}"))
    quiet(shop)
    shop.post("B2BUnits", unit(f"H6{event}", vatID="DE1"))
    quiet(shop)
    shop.call("DELETE", f"B2BUnits('H6{event}')")
    quiet(shop)
    assert [headers["ce-type"].split(".")[4] for headers, _ in receiver.taken] == operations
    assert json.loads(receiver.taken[0][1])["integrationKey"] == f"H6{event}"


def test_a_deletion_is_not_told_to_those_who_ask_for_what_is_saved(shop, receiver):
    shop.post("B2BUnits", unit("H7"))
    listen(shop, receiver)
    shop.call("DELETE", "B2BUnits('H7')")
    assert "raised" not in quiet(shop)


def test_basic_login_is_sent(shop, receiver):
    listen(shop, receiver, {**SAVED, "user": "shop", "password": "pass:wörd"})
    shop.post("B2BUnits", unit("H8"))
    quiet(shop)
    scheme, _, value = receiver.taken[0][0]["authorization"].partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", "shop:pass:wörd")


@pytest.mark.parametrize("header", [None, "X-Hub-Signature"])
def test_the_body_is_signed(shop, receiver, header):
    listen(shop, receiver, {**SAVED, "secret": "k", **({"header": header} if header else {})})
    shop.post("B2BUnits", unit(f"H9{header}"))
    quiet(shop)
    ((headers, body),) = receiver.taken
    assert headers[(header or "x-l2c-signature").lower()] == hmac.new(b"k", body, hashlib.sha256).hexdigest()
    assert "authorization" not in headers


def test_a_token_is_fetched_once_and_sent_as_bearer(shop, receiver):
    oauth = {"token_url": receiver.url + "/token", "client_id": "id", "client_secret": "sec"}
    listen(shop, receiver, {**SAVED, **oauth})
    for number in range(5):
        shop.post("B2BUnits", unit(f"H10{number}"))
    quiet(shop)
    asked = [(headers, body) for headers, body in receiver.taken if headers["path"] == "/token"]
    assert len(asked) == 1
    assert asked[0][1] == b"grant_type=client_credentials"
    assert base64.b64decode(asked[0][0]["authorization"].partition(" ")[2]) == b"id:sec"
    told = [headers for headers, _ in receiver.taken if headers["path"] == "/in"]
    assert [headers["authorization"] for headers in told] == ["Bearer t-1"] * 5


def test_no_secret_is_shown_in_the_settings(shop, receiver):
    shown = listen(shop, receiver, {**SAVED, "user": "shop", "password": "hidden-1"}, {**SAVED, "secret": "hidden-2"})
    assert "hidden" not in json.dumps(shown)
    assert "hidden" not in json.dumps(shop.control("GET", "/settings"))
    assert [hook["login"] for hook in shown["webhooks"]] == ["basic", "signature"]


def test_a_refusal_is_final(shop, receiver):
    receiver.answers = [400]
    listen(shop, receiver)
    shop.post("B2BUnits", unit("H11"))
    counted = quiet(shop)
    time.sleep(0.3)
    assert len(receiver.taken) == 1
    assert (counted["refused"], counted.get("delivered")) == (1, None)


@pytest.mark.parametrize(("answers", "times", "last"), [([503], 2, "delivered"), ([503, 500, 503], 2, "failed")])
def test_a_server_error_is_tried_once_more_with_the_same_id(shop, receiver, answers, times, last):
    receiver.answers = answers
    listen(shop, receiver)
    shop.post("B2BUnits", unit(f"H12{last}"))
    counted = quiet(shop)
    time.sleep(0.3)
    assert len(receiver.taken) == times
    assert len({headers["ce-id"] for headers, _ in receiver.taken}) == 1
    assert (counted["retried"], counted[last]) == (1, 1)


def test_the_second_attempt_waits_and_shows_the_item_as_it_is_then(shop, receiver):
    receiver.answers = [500]
    listen(shop, receiver)
    shop.settings(webhook_retry_s=0.6)
    shop.post("B2BUnits", unit("H13"))
    time.sleep(0.2)
    shop.settings(webhooks=[])
    shop.post("B2BUnits", unit("H13", name="later"))
    assert len(receiver.taken) == 1
    time.sleep(0.8)
    assert json.loads(receiver.taken[1][1])["name"] == "later"


def test_a_timeout_is_final(shop, receiver):
    receiver.delay_s = 0.5
    listen(shop, receiver, webhook_timeout_s=0.1)
    shop.post("B2BUnits", unit("H14"))
    assert quiet(shop)["timed out"] == 1
    time.sleep(0.4)
    assert len(receiver.taken) == 1


def test_a_receiver_that_is_away_is_not_tried_again(shop, receiver):
    listen(shop, receiver)
    receiver.server_close()
    receiver.shutdown()
    shop.post("B2BUnits", unit("H15"))
    assert quiet(shop)["unreachable"] == 1


def test_what_does_not_fit_into_the_queue_is_dropped_and_ten_are_under_way_at_once(shop, receiver):
    receiver.delay_s = 0.5
    listen(shop, receiver, webhook_queue=3)
    for number in range(40):
        shop.post("B2BUnits", unit(f"H16-{number}"))
    counted = quiet(shop)
    assert counted["raised"] == 40
    assert counted["delivered"] + counted["overflowed"] == 40
    assert 10 <= counted["delivered"] <= 13 + 10
    assert shop.control("GET", "/stats")["events"]["webhook overflowed"] == counted["overflowed"]


def test_events_are_lost_and_doubled_by_the_same_draws_each_time(shop, receiver):
    seen = []
    for turn in range(2):
        receiver.taken.clear()
        listen(shop, receiver, webhook_lost=0.3, webhook_doubled=0.3, webhook_seed=5)
        for number in range(60):
            shop.post("B2BUnits", unit(f"H17-{turn}-{number}"))
        counted = quiet(shop)
        numbers = Counter(subject.rpartition("-")[2] for subject in receiver.subjects())
        seen.append(numbers)
        assert counted["lost"] + len(numbers) == 60
        assert sum(numbers.values()) == 60 - counted["lost"] + counted["doubled"]
        assert shop.control("GET", "/stats")["faults"] == {
            "webhook_lost": counted["lost"],
            "webhook_doubled": counted["doubled"],
        }
        assert len({headers["ce-id"] for headers, _ in receiver.taken}) == len(numbers)
    assert seen[0] == seen[1]
    assert 5 <= 60 - len(seen[0]) <= 35


@pytest.mark.parametrize(
    ("encoded", "subject"), [(False, "a%7Cb c|%C3%BC@h.example"), (True, "a%7Cb+c|%C3%BC%40h.example")]
)
def test_the_subject_is_the_integration_key_in_either_of_its_writings(shop, receiver, encoded, subject):
    shop.post("B2BUnits", unit("H18"))
    listen(shop, receiver, {"object": "L2CB2BCustomer"}, webhook_encoded=encoded)
    person = {
        "customerID": "a|b c",
        "uid": "ü@h.example",
        "email": f"{encoded}@h.example",
        "defaultB2BUnit": {"uid": "H18"},
    }
    assert shop.post(CONTACTS, person).status_code == 201
    quiet(shop)
    assert receiver.subjects() == [subject]


@pytest.mark.parametrize(
    "hook",
    [
        {"object": "Nothing", "url": "http://127.0.0.1/"},
        {"object": "L2CB2BUnit"},
        {"object": "L2CB2BUnit", "url": "ftp://127.0.0.1/"},
        {"object": "L2CB2BUnit", "url": "http://127.0.0.1/", "event": "sold"},
        {"object": "L2CB2BUnit", "url": "http://127.0.0.1/", "pasword": "x"},
    ],
)
def test_a_wrong_configuration_is_refused_by_name(shop, hook):
    answer = shop.session.post(f"{shop.control_url}/settings", json={"webhooks": [hook]}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("webhooks: ")


def test_a_thousand_events_are_told_within_seconds(shop, receiver):
    listen(shop, receiver, webhook_timeout_s=20)
    begin = time.monotonic()
    for number in range(1000):
        shop.control("POST", "/create", {"entity": "B2BUnit", "set": {"uid": f"H19-{number}"}})
    counted = quiet(shop)
    assert counted["delivered"] == 1000
    assert len(set(receiver.subjects())) == 1000
    assert time.monotonic() - begin < 20
