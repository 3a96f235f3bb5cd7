"""Scripted faults: what each kind does to a request and what stays in the commit log."""

import time

import pytest
import requests

PARTNER = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Fault AG"}
LOST = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_before_commit_drops_the_connection_and_nothing_is_written(s4, s4_process):
    after = s4_process.log_end()
    s4_process.fault("before_commit", "POST", "A_BusinessPartner")
    with pytest.raises(LOST):
        s4.post("A_BusinessPartner", PARTNER)
    assert s4_process.log(after) == []
    assert s4.post("A_BusinessPartner", PARTNER).status_code == 201


def test_after_commit_writes_and_loses_the_answer(s4, s4_process):
    after = s4_process.log_end()
    s4_process.fault("after_commit", "POST", "A_BusinessPartner")
    with pytest.raises(LOST):
        s4.post("A_BusinessPartner", {**PARTNER, "BusinessPartnerIDByExtSystem": "MARK-1"})
    entry = s4_process.log(after)[0]
    assert (entry["entity"], entry["action"], entry["mark"]) == ("A_BusinessPartner", "created", "MARK-1")
    found = s4.rows("A_BusinessPartner", filter="BusinessPartnerIDByExtSystem eq 'MARK-1'")
    assert [row["BusinessPartner"] for row in found] == [entry["key"]]


def test_late_commit_closes_at_once_and_writes_later(s4, s4_process, wait_for):
    after = s4_process.log_end()
    s4_process.fault("late_commit", "POST", "A_BusinessPartner", seconds=0.3)
    began = time.monotonic()
    with pytest.raises(LOST):
        s4.post("A_BusinessPartner", PARTNER)
    assert time.monotonic() - began < 0.25
    assert s4_process.log(after) == []
    assert s4_process.ask("/stats")["late_pending"] == 1
    wait_for(lambda: s4_process.ask("/stats")["late_pending"] == 0)
    assert [entry["action"] for entry in s4_process.log(after, entity="A_BusinessPartner")] == ["created"]


def test_status_answers_in_the_systems_own_shape_with_headers(s4, s4_process):
    s4_process.fault("status", "GET", "A_BusinessPartner", status=429, headers={"Retry-After": "7"})
    answer = s4.get("A_BusinessPartner")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error"]["message"]["lang"] == "en"
    assert s4.get("A_BusinessPartner").status_code == 200


def test_delay_waits_and_then_answers(s4, s4_process):
    s4_process.fault("delay", "GET", seconds=0.2)
    began = time.monotonic()
    assert s4.get("A_BusinessPartner?$top=1").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_delayed_write_happens_although_its_client_is_gone(s4, s4_process, wait_for):
    after = s4_process.log_end()
    s4_process.fault("delay", "POST", "A_BusinessPartner", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        s4.post("A_BusinessPartner", PARTNER, timeout=0.1)
    assert s4_process.log(after) == []
    assert s4_process.ask("/stats")["late_pending"] == 1
    wait_for(lambda: s4_process.log(after, entity="A_BusinessPartner") != [])


def test_a_late_answer_comes_after_the_write(s4, s4_process):
    after = s4_process.log_end()
    s4_process.fault("late_answer", "POST", "A_BusinessPartner", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        s4.post("A_BusinessPartner", PARTNER, timeout=0.2)
    assert [entry["action"] for entry in s4_process.log(after, entity="A_BusinessPartner")] == ["created"]


def test_a_cut_body_without_length_looks_complete(s4, s4_process):
    s4_process.fault("cut", "GET", bytes=150)
    answer = s4.get("A_BusinessPartner?$top=1")
    assert (answer.status_code, len(answer.content)) == (200, 150)
    with pytest.raises(ValueError, match=r".*"):
        answer.json()


def test_a_cut_body_with_length_is_seen_by_the_client(s4, s4_process):
    s4_process.fault("cut", "GET", bytes=150, length=True)
    with pytest.raises(LOST):
        s4.get("A_BusinessPartner?$top=1")


def test_drip_sends_the_body_in_small_pieces(s4, s4_process):
    s4_process.fault("drip", "GET", bytes=800, seconds=0.05)
    began = time.monotonic()
    assert s4.record("A_BusinessPartner('1000000')")["BusinessPartner"] == "1000000"
    assert time.monotonic() - began > 0.15


def test_a_login_page_comes_as_a_successful_html_answer(s4, s4_process):
    s4_process.fault("html_login", "GET")
    answer = s4.get("A_BusinessPartner")
    assert answer.status_code == 200
    assert "Anmeldung" in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_foreign_next_link_points_to_another_host(s4, s4_process):
    s4_process.fault("foreign_next", "GET", url="http://127.0.0.9:1/steal")
    assert s4.get("A_BusinessPartner?$top=1").json()["d"]["__next"] == "http://127.0.0.9:1/steal"


def test_a_repeated_page_links_to_itself(s4, s4_process):
    s4_process.fault("repeat_page", "GET")
    answer = s4.get("A_BusinessPartner?$top=1&$orderby=BusinessPartner")
    assert answer.json()["d"]["__next"] == answer.url


def test_headers_are_added_or_replaced(s4, s4_process):
    s4_process.fault("headers", "GET", headers={"Date": "Mon, 01 Jan 2001 00:00:00 GMT", "X-Extra": "1"})
    answer = s4.get("A_BusinessPartner?$top=1")
    assert answer.headers["Date"] == "Mon, 01 Jan 2001 00:00:00 GMT"
    assert answer.headers["X-Extra"] == "1"


def test_a_locked_record_is_a_400_that_names_the_user(s4, s4_process):
    s4_process.fault("lock", "PATCH", "1000007")
    answer = s4.call("PATCH", "A_BusinessPartner('1000007')", json={"SearchTerm1": "X"}, headers={"If-Match": "*"})
    assert answer.status_code == 400
    text = answer.json()["error"]["innererror"]["errordetails"][0]["message"]
    assert text == "Business partner 1000007 is currently being processed by user MILLER"


def test_a_gzip_bomb_is_small_on_the_wire_only(s4, s4_process):
    s4_process.fault("gzip_bomb", "GET", bytes=1_000_000)
    answer = s4.get("A_BusinessPartner")
    assert int(answer.headers["Content-Length"]) < 5_000
    assert len(answer.content) > 1_000_000


def test_times_probability_skip_and_body_limit_a_fault(s4, s4_process):
    s4_process.fault("status", "GET", times=2, status=500)
    assert [s4.get("A_BusinessPartner?$top=1").status_code for _ in range(3)] == [500, 500, 200]
    s4_process.tell("/faults", match={"method": "GET", "skip": 1}, kind="status", status=502)
    assert [s4.get("A_BusinessPartner?$top=1").status_code for _ in range(3)] == [200, 502, 200]
    s4_process.tell("/faults", match={"method": "POST", "body": "Poison"}, kind="status", status=503)
    assert s4.post("A_BusinessPartner", PARTNER).status_code == 201
    assert s4.post("A_BusinessPartner", {**PARTNER, "OrganizationBPName1": "Poison"}).status_code == 503


def test_a_probability_is_drawn_from_the_faults_own_seed(s4, s4_process):
    def draw() -> list[int]:
        number = s4_process.fault("status", "GET", times=None, probability=0.5, seed=3, status=500)
        found = [s4.get("A_BusinessPartner?$top=1").status_code for _ in range(12)]
        requests.delete(f"{s4_process.control}/faults/{number}", timeout=20)
        return found

    first = draw()
    assert set(first) == {200, 500}
    assert draw() == first


def test_faults_are_listed_counted_and_removed(s4, s4_process):
    requests.delete(s4_process.control + "/stats", timeout=20)
    number = s4_process.fault("status", "GET", times=3, status=500)
    s4.get("A_BusinessPartner?$top=1")
    listed = s4_process.ask("/faults")["faults"]
    assert [(f["id"], f["left"], f["fired"]) for f in listed] == [(number, 2, 1)]
    assert s4_process.ask("/stats")["faults"] == {"status": 1}
    assert requests.delete(s4_process.control + "/faults", timeout=20).json() == {"removed": 1}
    assert s4_process.ask("/faults")["faults"] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"kind": "explode"}, "unknown kind 'explode'"),
        ({"kind": "delay", "secconds": 1}, "unknown key 'secconds'"),
        ({"kind": "delay", "match": {"path": "("}}, "no regular expression"),
    ],
)
def test_a_wrong_fault_is_refused_with_the_reason(s4_process, content, words):
    answer = requests.post(s4_process.control + "/faults", json=content, timeout=20)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
