"""`$batch`: reads and changesets, all-or-nothing, parts that get lost."""

import json
import re

import pytest

PARTNER = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Batch"}
BAD = {"BusinessPartnerCategory": "9"}


def count(s4) -> int:
    return int(s4.get("A_BusinessPartner/$count").text)


def test_reads_and_changesets_are_answered_in_order(s4, operation, multipart, statuses):
    body = multipart(
        operation("GET", "A_BusinessPartner('1000000')?$select=BusinessPartner"),
        [operation("POST", "A_BusinessPartner", PARTNER)],
        operation("GET", "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner('nobody')"),
        operation("GET", f"{s4.root}/A_BusinessPartner/$count"),
    )
    answer = s4.batch(body)
    assert answer.status_code == 202
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")
    assert statuses(answer) == [200, 201, 404, 200]


def test_every_line_of_the_answer_ends_with_crlf(s4, operation, multipart):
    answer = s4.batch(multipart([operation("POST", "A_BusinessPartner", PARTNER, content_id="7")]))
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    boundary = answer.headers["Content-Type"].partition("boundary=")[2]
    assert answer.content.startswith(f"--{boundary}\r\nContent-Type: multipart/mixed; boundary=".encode())
    assert answer.content.endswith(f"--{boundary}--\r\n".encode())
    assert b"content-id: 7\r\n" in answer.content
    length = int(re.search(rb"Content-Type: application/http\r\nContent-Length: (\d+)", answer.content)[1])
    start = answer.content.index(b"HTTP/1.1 201")
    assert json.loads(answer.content[start : start + length].partition(b"\r\n\r\n")[2])["d"]["BusinessPartner"]


def test_a_changeset_happens_as_a_whole_or_not_at_all(s4, s4_process, operation, multipart, statuses):
    before, after = count(s4), s4_process.log_end()
    good, bad = operation("POST", "A_BusinessPartner", PARTNER), operation("POST", "A_BusinessPartner", BAD)
    answer = s4.batch(multipart([good, good, bad], [good]))
    assert statuses(answer) == [400, 201]
    assert "Business partner category '9' is not defined" in answer.text
    assert count(s4) == before + 1
    assert len(s4_process.log(after)) == 1


@pytest.mark.parametrize("outcome", [f"{number:03b}" for number in range(8)])
def test_one_failed_changeset_stops_none_of_the_others(s4, operation, multipart, statuses, outcome):
    parts = [[operation("POST", "A_BusinessPartner", PARTNER if flag == "1" else BAD)] for flag in outcome]
    assert statuses(s4.batch(multipart(*parts))) == [201 if flag == "1" else 400 for flag in outcome]


def test_content_ids_are_echoed_and_refer_to_what_was_created(s4, operation, multipart, statuses):
    answer = s4.batch(
        multipart(
            [
                operation("POST", "A_BusinessPartner", PARTNER, content_id="new"),
                operation("POST", "$new/to_BusinessPartnerAddress", {"Country": "DE"}, content_id="address"),
            ]
        )
    )
    assert statuses(answer) == [201, 201]
    assert re.findall(r"content-id: (\w+)", answer.text) == ["new", "address"]
    number, owner = re.findall(r'"BusinessPartner":"(\d+)"', answer.text)
    assert number == owner


def test_a_patch_in_a_changeset_needs_its_etag(s4, operation, multipart, statuses):
    change = {"SearchTerm1": "BATCH"}
    parts = [
        [operation("PATCH", "A_BusinessPartner('1000010')", change, If_Match=tag) if tag else
         operation("PATCH", "A_BusinessPartner('1000010')", change)]
        for tag in (None, "W/\"'old'\"", "*")
    ]  # fmt: skip
    assert statuses(s4.batch(multipart(*parts))) == [428, 412, 204]


def test_a_write_outside_and_a_read_inside_a_changeset_are_refused(s4, operation, multipart, statuses):
    write, read = operation("POST", "A_BusinessPartner", PARTNER), operation("GET", "A_BusinessPartner('1000000')")
    assert statuses(s4.batch(multipart(write, [read]))) == [400, 400]


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body.replace("\r\n", "\n"),
        lambda body: body.replace("--batch_1--\r\n", ""),
        lambda body: body.replace("application/http", "text/plain"),
        lambda body: body.replace(" HTTP/1.1", ""),
        lambda body: body.replace("--batch_1", "--batch_2"),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(s4, operation, multipart, damage):
    before = count(s4)
    good = [operation("POST", "A_BusinessPartner", PARTNER)]
    answer = s4.batch(damage(multipart(good, operation("GET", "A_BusinessPartner('1000000')"))))
    assert (answer.status_code, answer.json()["error"]["message"]["lang"]) == (400, "en")
    assert count(s4) == before


def test_a_batch_needs_login_and_token(s4, operation, multipart):
    body = multipart(operation("GET", "A_BusinessPartner('1000000')"))
    s4.session.headers["X-CSRF-Token"] = "no"
    assert s4.batch(body).status_code == 403
    s4.session.auth = None
    assert s4.batch(body).status_code == 401


def test_limits_of_parts_and_changes_are_kept(s4, s4_process, operation, multipart, statuses):
    s4_process.tell("/settings", max_batch_parts=2, max_changes=1)
    one = operation("POST", "A_BusinessPartner", PARTNER)
    assert s4.batch(multipart([one], [one], [one])).status_code == 400
    answer = s4.batch(multipart([one, one], [one]))
    assert statuses(answer) == [400, 201]
    assert "changeset restrictions" in answer.text


def test_one_part_of_a_batch_fails_by_a_fault(s4, s4_process, operation, multipart, statuses):
    s4_process.fault("status", "POST", "A_BusinessPartner", inner=True, status=503)
    one = [operation("POST", "A_BusinessPartner", PARTNER)]
    assert statuses(s4.batch(multipart(one, one))) == [503, 201]
    s4_process.fault("lock", "POST", inner=True)
    assert "currently being processed by user MILLER" in s4.batch(multipart(one)).text


def test_one_part_is_lost_before_after_or_late(s4, s4_process, operation, multipart, statuses, wait_for):
    one = [operation("POST", "A_BusinessPartner", PARTNER)]
    for kind, written in (("before_commit", 1), ("after_commit", 2), ("late_commit", 1)):
        before = count(s4)
        s4_process.fault(kind, "POST", inner=True, seconds=0.2)
        assert statuses(s4.batch(multipart(one, one))) == [201]
        assert count(s4) == before + written
        wait_for(lambda: s4_process.ask("/stats")["late_pending"] == 0)
    assert count(s4) == before + 2


def test_a_fault_on_one_operation_meets_its_whole_changeset(s4, s4_process, operation, multipart, statuses):
    before = count(s4)
    s4_process.tell("/faults", match={"inner": True, "body": "Poison"}, kind="before_commit")
    poison = operation("POST", "A_BusinessPartner", {**PARTNER, "OrganizationBPName1": "Poison"})
    answer = s4.batch(multipart([operation("POST", "A_BusinessPartner", PARTNER), poison]))
    assert statuses(answer) == []
    assert count(s4) == before


def test_a_whole_batch_is_lost_after_it_was_done(s4, s4_process, operation, multipart):
    before = count(s4)
    s4_process.fault("after_commit", "POST", r"\$batch")
    with pytest.raises(OSError, match=r".*"):
        s4.batch(
            multipart([operation("POST", "A_BusinessPartner", PARTNER)], [operation("POST", "A_BusinessPartner", BAD)])
        )
    assert count(s4) == before + 1


def test_the_parts_of_a_batch_are_counted_and_named_in_the_log(s4, s4_process, operation, multipart):
    after = s4_process.log_end()
    one = operation("POST", "A_BusinessPartner", PARTNER)
    s4.call(
        "POST", "$batch", data=multipart([one], [one, one]).encode(),
        headers={"Content-Type": "multipart/mixed; boundary=batch_1", "X-Request-Id": "b"},
    )  # fmt: skip
    assert [entry["request_id"] for entry in s4_process.log(after)] == ["b.1.1", "b.2.1", "b.2.2"]
    assert s4_process.ask("/stats")["requests"]["inner POST A_BusinessPartner 201"] >= 3


def test_a_read_inside_a_batch_may_name_thousands_of_keys(s4, operation, multipart, statuses):
    terms = "%20or%20".join(f"BusinessPartner%20eq%20'{number}'" for number in range(1000000, 1003000))
    answer = s4.batch(multipart(operation("GET", f"A_BusinessPartner?$select=BusinessPartner&$filter={terms}")))
    assert statuses(answer) == [200]
    assert '"BusinessPartner":"1000119"' in answer.text
