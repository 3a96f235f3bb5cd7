"""`$batch` of the simulated shop: order, atomic changesets, limits, faults inside."""

import json
import time
from email.parser import BytesParser

import pytest

from .commerce_shop import JSON, address, refused, started, unit


@pytest.fixture(scope="module")
def shop():
    with started() as running:
        yield running


@pytest.fixture
def eventually():
    """Ask again until the answer is yes, at most two seconds."""

    def ask(question):
        end = time.monotonic() + 2
        while not question():
            assert time.monotonic() < end
            time.sleep(0.02)

    return ask


def operation(payload, method="POST", target="B2BUnits", content_id=None, accept="application/json"):
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    head += [f"Content-ID: {content_id}"] if content_id else []
    inner = [f"{method} {target} HTTP/1.1", "Content-Type: application/json"] + (
        [f"Accept: {accept}"] if accept else []
    )
    body = "" if payload is None else json.dumps(payload)
    return "\r\n".join([*head, "", *inner, "", body])


def multipart(boundary, parts):
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def changeset(*operations):
    return "Content-Type: multipart/mixed; boundary=cs\r\n\r\n" + multipart("cs", operations)


def send(shop, *parts, boundary="b1", newline="\r\n", **headers):
    body = multipart(boundary, parts).replace("\r\n", newline).encode()
    headers = {
        "Content-Type": f"multipart/mixed; boundary={boundary}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return shop.call("POST", "$batch", data=body, headers=headers)


def parse(answer):
    """Statuses, bodies and content ids, a list for each changeset."""
    assert answer.status_code == 202, answer.text
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.content)
    return [
        [_http(inner) for inner in part.get_payload()] if part.is_multipart() else _http(part)
        for part in message.get_payload()
    ]


def _http(part):
    head, _, body = part.get_payload(decode=False).replace("\r\n", "\n").partition("\n\n")
    return int(head.split()[1]), json.loads(body) if body.strip() else None, part["Content-Id"]


def statuses(answer):
    return [[inner[0] for inner in part] if isinstance(part, list) else part[0] for part in parse(answer)]


def test_a_batch_answers_202_and_201_for_each_part_in_order(shop):
    parts = [changeset(operation(unit(f"B{number}"), content_id=f"c{number}")) for number in range(5)]
    found = parse(send(shop, *parts))
    assert [part[0][0] for part in found] == [201] * 5
    assert [part[0][1]["d"]["uid"] for part in found] == [f"B{number}" for number in range(5)]
    assert [part[0][2] for part in found] == [f"c{number}" for number in range(5)]


def test_a_bad_changeset_leaves_the_others_committed(shop):
    bad = changeset(operation(unit("B11", address("B11a", "XX")), content_id="bad"))
    good = [changeset(operation(unit(uid))) for uid in ("B10", "B12")]
    found = parse(send(shop, good[0], bad, good[1]))
    status, content, content_id = found[1]
    assert (status, content["error"]["code"], content_id) == (400, "missing_nav_property", "bad")
    assert [found[0][0][0], found[2][0][0]] == [201, 201]
    assert shop.get("B2BUnits('B10')").ok
    assert shop.get("B2BUnits('B12')").ok
    refused(shop.get("B2BUnits('B11')"), 404, "not_found")


def test_a_changeset_is_all_or_nothing_and_answers_its_first_error_alone(shop):
    last = shop.last()
    mixed = changeset(operation(unit("B20")), operation({"name": "no key"}), operation(unit("B21")))
    found = parse(send(shop, mixed))
    assert len(found) == 1
    assert (found[0][0], found[0][1]["error"]["code"]) == (400, "missing_key")
    refused(shop.get("B2BUnits('B20')"), 404, "not_found")
    refused(shop.get("B2BUnits('B21')"), 404, "not_found")
    assert shop.log(last) == []


def test_the_operations_of_one_changeset_commit_together(shop):
    last = shop.last()
    upsert = operation(unit("B30", address("B30a")))
    change = operation({"name": "changed"}, "PATCH", "B2BUnits('B30')")
    assert statuses(send(shop, changeset(upsert, change, operation(unit("B31"))))) == [[201, 200, 201]]
    assert shop.record("B2BUnit", "B30")["name"] == "changed"
    assert {entry["key"] for entry in shop.log(last)} == {"B30", "B31", "false/B30a"}


def test_addresses_of_operations_may_be_relative_absolute_or_full(shop):
    path = "/odata2webservices/L2CB2BUnit/B2BUnits"
    targets = ("B2BUnits", path, f"{shop.url}{path}")
    parts = [changeset(operation(unit(f"B4{n}"), target=target)) for n, target in enumerate(targets)]
    assert statuses(send(shop, *parts)) == [[201]] * 3


def test_reads_stand_outside_changesets_and_deletes_inside(shop):
    shop.post("B2BUnits", unit("B50"))
    read = operation(None, "GET", "B2BUnits('B50')?$expand=addresses")
    delete = changeset(operation(None, "DELETE", "B2BUnits('B50')"))
    found = parse(send(shop, read, delete, read))
    assert found[0][1]["d"]["uid"] == "B50"
    assert found[1][0][:2] == (200, None)
    assert found[2][0] == 404


def test_two_hundred_parts_pass_and_two_hundred_and_one_are_refused_as_a_whole(shop):
    last = shop.last()
    parts = [changeset(operation(unit(f"L{number}"))) for number in range(201)]
    refused(send(shop, *parts), 400, "batch_limit_exceeded")
    assert shop.log(last) == []
    assert statuses(send(shop, *parts[:200])) == [[201]] * 200


def test_the_limit_counts_changesets_not_their_operations(shop):
    operations = [operation(unit(f"M{number}")) for number in range(250)]
    assert statuses(send(shop, changeset(*operations))) == [[201] * 250]


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_both_line_ends_and_quoted_boundaries_are_understood(shop, newline):
    body = multipart("b 1", [changeset(operation(unit("B60")))]).replace("\r\n", newline).encode()
    answer = shop.call("POST", "$batch", data=body, headers={"Content-Type": 'multipart/mixed; boundary="b 1"'})
    assert statuses(answer) == [[201]]


def test_a_boundary_that_begins_like_another_is_not_mistaken_for_it(shop):
    inner = multipart("b1_inner", [operation(unit("B61"))])
    part = f"Content-Type: multipart/mixed; boundary=b1_inner\r\n\r\n{inner}"
    assert statuses(send(shop, part)) == [[201]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no multipart",
        multipart("b1", [operation(unit("B70"))]).encode(),
        multipart("b1", [changeset(operation(None, "GET"))]).encode(),
        multipart("b1", [changeset()]).encode(),
        multipart("b1", [changeset(operation(unit("B70")))]).encode()[:-6],
    ],
)
def test_a_batch_that_is_none_is_refused_as_a_whole(shop, body):
    answer = shop.call("POST", "$batch", data=body, headers={"Content-Type": "multipart/mixed; boundary=b1"})
    refused(answer, 400, "odata_error")
    refused(shop.get("B2BUnits('B70')"), 404, "not_found")


def test_a_part_takes_the_accept_of_the_batch_when_it_has_none(shop):
    part = changeset(operation(unit("B80"), accept=None))
    assert parse(send(shop, part, Accept="application/json"))[0][0][1]["d"]["uid"] == "B80"
    assert b"application/atom+xml" in send(shop, part, Accept="multipart/mixed").content


def test_language_headers_belong_to_their_part(shop):
    german = operation({"uid": "B81", "locName": "Deutsch"}).replace("Accept:", "Content-Language: de\r\nAccept:")
    send(shop, changeset(german), changeset(operation({"uid": "B81", "locName": "English"})))
    assert shop.record("B2BUnit", "B81")["locName"] == {"de": "Deutsch", "en": "English"}


def test_an_answer_lost_after_the_commit_is_missing_among_the_parts(shop):
    shop.fault(kind="after_commit", match={"inner": True, "method": "POST", "body": "B91"})
    parts = [changeset(operation(unit(uid), content_id=uid)) for uid in ("B90", "B91", "B92")]
    found = parse(send(shop, *parts))
    assert [part[0][2] for part in found] == ["B90", "B92"]
    assert shop.get("B2BUnits('B91')").ok


def test_a_status_fault_inside_a_large_changeset_rolls_it_back(shop):
    shop.fault(kind="status", status=503, match={"inner": True, "body": "B96"})
    found = parse(send(shop, changeset(operation(unit("B95")), operation(unit("B96")))))
    assert found[0][0] == 503
    refused(shop.get("B2BUnits('B95')"), 404, "not_found")


def test_a_late_commit_inside_a_changeset_comes_after_the_answer(shop, eventually):
    shop.fault(kind="late_commit", seconds=0.1, match={"inner": True, "body": "B98"})
    found = parse(send(shop, changeset(operation(unit("B97"))), changeset(operation(unit("B98")))))
    assert len(found) == 1
    refused(shop.get("B2BUnits('B98')"), 404, "not_found")
    eventually(lambda: shop.get("B2BUnits('B98')", headers=JSON).ok)
