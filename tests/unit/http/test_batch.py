"""`$batch`: what is written byte for byte, and answers of every shape, order and damage."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2c.contract import Request
from l2c.http import read_batch, write_batch

TYPE = "multipart/mixed; boundary=B"


def http(status, body=b"{}", number=None, length=True):
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Type: application/json"]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    if number is not None:
        lines.append(f"Content-ID: {number}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def single(content):
    return b"--B\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + content + b"\r\n"


def changeset(*contents, boundary=b"C"):
    head = b"--B\r\nContent-Type: multipart/mixed; boundary=%b\r\nContent-Length: 1\r\n\r\n" % boundary
    parts = b"".join(b"--" + boundary + b"\r\nContent-Type: application/http\r\n\r\n" + c + b"\r\n" for c in contents)
    return head + parts + b"--" + boundary + b"--\r\n\r\n"


def batch(*parts):
    return b"".join(parts) + b"--B--\r\n"


def statuses(found):
    return [None if parts is None else [part.status for part in parts] for parts in found]


def test_every_record_is_a_changeset_and_every_line_ends_with_crlf():
    requests = [
        [Request("POST", "Things", b'{"A":1}')],
        [Request("PATCH", "Things('1')", b"{}", {"If-Match": 'W/"1"'}), Request("DELETE", "Parts('2')")],
    ]
    content_type, body = write_batch(requests)
    assert content_type == "multipart/mixed; boundary=batch_l2c"
    assert body == (
        b"--batch_l2c\r\nContent-Type: multipart/mixed; boundary=changeset_l2c_0\r\n\r\n"
        b"--changeset_l2c_0\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
        b"POST Things HTTP/1.1\r\nContent-ID: 1\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        b'Content-Length: 7\r\n\r\n{"A":1}\r\n'
        b"--changeset_l2c_0--\r\n\r\n"
        b"--batch_l2c\r\nContent-Type: multipart/mixed; boundary=changeset_l2c_1\r\n\r\n"
        b"--changeset_l2c_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\n"
        b"PATCH Things('1') HTTP/1.1\r\nContent-ID: 2\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        b'Content-Length: 2\r\nIf-Match: W/"1"\r\n\r\n{}\r\n'
        b"--changeset_l2c_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 3\r\n\r\n"
        b"DELETE Parts('2') HTTP/1.1\r\nContent-ID: 3\r\nAccept: application/json\r\n\r\n\r\n"
        b"--changeset_l2c_1--\r\n\r\n"
        b"--batch_l2c--\r\n"
    )


def test_good_and_bad_records_are_told_apart_by_order():
    body = batch(changeset(http(201, b'{"d":1}')), single(http(400, b'{"error":{}}')), changeset(http(204, b"")))
    found = read_batch(TYPE, body, [1, 1, 1])
    assert statuses(found) == [[201], [400], [204]]
    assert found[0][0].body == b'{"d":1}'
    assert found[0][0].headers["content-type"] == "application/json"


@pytest.mark.fault("T4")
@pytest.mark.parametrize("count", range(1, 7))
def test_every_pattern_of_good_and_bad_is_read(count):
    for pattern in product((True, False), repeat=count):
        parts = [changeset(http(201)) if good else single(http(400)) for good in pattern]
        assert statuses(read_batch(TYPE, batch(*parts), [1] * count)) == [[201] if good else [400] for good in pattern]


@pytest.mark.fault("T4")
def test_parts_in_another_order_are_matched_by_content_id():
    body = batch(single(http(400, number=3)), changeset(http(201, number=1)), changeset(http(204, b"", number=2)))
    assert statuses(read_batch(TYPE, body, [1, 1, 1])) == [[201], [204], [400]]


@pytest.mark.fault("T4")
def test_a_missing_part_among_named_ones_is_the_unknown_one():
    body = batch(changeset(http(201, number=1)), changeset(http(201, number=3)))
    assert statuses(read_batch(TYPE, body, [1, 1, 1])) == [[201], None, [201]]


def test_where_a_part_is_missing_one_without_a_name_could_be_anybodys():
    assert statuses(read_batch(TYPE, batch(changeset(http(201))), [1, 1, 1])) == [None, None, None]


def test_a_refusal_without_a_name_is_never_taken_for_that_of_a_record_whose_part_is_missing():
    named = [changeset(http(201, number=1)), single(http(429)), changeset(http(201, number=4)), single(http(400))]
    assert statuses(read_batch(TYPE, batch(*named), [1] * 5)) == [[201], None, None, [201], [400]]
    assert statuses(read_batch(TYPE, batch(*named[:3]), [1] * 5)) == [[201], None, None, [201], None]


def test_among_named_parts_in_another_order_one_without_a_name_tells_nothing():
    body = batch(changeset(http(201, number=3)), single(http(400)), changeset(http(201, number=1)))
    assert statuses(read_batch(TYPE, body, [1, 1, 1])) == [[201], None, [201]]


def test_a_changeset_of_several_requests_has_all_answers_or_one_refusal():
    body = batch(
        changeset(http(204, b""), http(201)),
        single(http(412)),
        changeset(http(204, b"")),
        changeset(http(400)),
    )
    assert statuses(read_batch(TYPE, body, [2, 2, 2, 2])) == [[204, 201], [412], None, [400]]


def test_a_content_id_that_was_never_sent_tells_nothing():
    assert statuses(read_batch(TYPE, batch(changeset(http(201, number=9))), [1])) == [None]


def test_a_record_answered_twice_keeps_the_first_answer():
    body = batch(changeset(http(201, number=1)), single(http(400, number=1)))
    assert statuses(read_batch(TYPE, body, [1, 1])) == [[201], None]


@pytest.mark.fault("D12")
def test_bodies_may_hold_line_breaks_boundaries_and_status_lines():
    nasty = b'{"t": "--B HTTP/1.1 500 --C-- \xc3\xbc"}\r\n\r\n{}'
    found = read_batch(TYPE, batch(changeset(http(201, nasty)), changeset(http(201, nasty, length=False))), [1, 1])
    assert [parts[0].body for parts in found] == [nasty, nasty]


def test_bare_line_feeds_are_read_too():
    body = batch(changeset(http(201, b'{"d":1}')), single(http(400))).replace(b"\r\n", b"\n")
    assert statuses(read_batch(TYPE, body, [1, 1])) == [[201], [400]]


def test_a_quoted_boundary_and_headers_of_any_case_are_read():
    body = batch(changeset(http(201))).replace(b"Content-Type: multipart", b"CONTENT-TYPE:multipart")
    assert statuses(read_batch('multipart/mixed;charset=utf-8; Boundary="B"', body, [1])) == [[201]]


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/mixed", "multipart/mixed; boundary=X"])
def test_an_answer_without_its_boundary_tells_nothing(content_type):
    assert read_batch(content_type, batch(changeset(http(201))), [1]) == [None]


@pytest.mark.fault("T4")
def test_an_answer_cut_anywhere_never_tells_more_than_arrived():
    bodies = [b'{"d":{"K":"%d"}}' % number for number in range(4)]
    whole = batch(*(changeset(http(201, body, number)) for number, body in enumerate(bodies, start=1)))
    for end in range(len(whole)):
        found = read_batch(TYPE, whole[:end], [1] * 4)
        known = [parts is not None for parts in found]
        assert known == sorted(known, reverse=True)
        assert all(parts is None or parts[0].body == body for parts, body in zip(found, bodies, strict=True))
    assert all(read_batch(TYPE, whole, [1] * 4))


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 200))
def test_no_damage_raises(junk, start, length):
    whole = batch(changeset(http(201, number=1)), single(http(400, number=2)))
    damaged = whole[:start] + junk + whole[start + length :]
    assert len(read_batch(TYPE, damaged, [1, 1])) == 2


def test_a_part_shows_no_payload_in_its_repr():
    (parts,) = read_batch(TYPE, batch(changeset(http(201, b'{"n":"Meier"}'))), [1])
    assert "Meier" not in repr(parts)
