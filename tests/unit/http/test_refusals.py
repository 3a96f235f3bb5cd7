"""What SAP's refusals say, and which outcome they are."""

import json

import pytest

from l2c.contract import Status
from l2c.http import is_lock, refusal, sap_error


def error(code, text, *details):
    inner = {"errordetails": [{"code": c, "message": m, "severity": s} for c, m, s in details]}
    body = {"error": {"code": code, "message": {"lang": "en", "value": text}, "innererror": inner}}
    return json.dumps(body).encode()


def test_all_business_errors_of_an_answer_are_told():
    body = error(
        "R1/102",
        "Enter a value",
        ("R1/102", "Enter a value", "error"),
        ("AM/212", "Country 'XX' is not defined", "error"),
        ("AM/216", "Enter a region", "warning"),
    )
    assert sap_error(body) == ("R1/102", "Enter a value; AM/212: Country 'XX' is not defined")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", ("", "")),
        (b"<html>", ("", "")),
        (b"{broken", ("", "")),
        (b"[]", ("", "")),
        (b'{"d": {}}', ("", "")),
        (b'{"error": null}', ("", "")),
        (b'{"error": {"code": "c", "message": "plain"}}', ("c", "plain")),
        (b'{"error": {"code": null, "message": {"value": "t"}}}', ("", "t")),
        (b'{"error": {"code": "c", "message": "m", "details": [{"code": "d", "message": "n"}]}}', ("c", "m; d: n")),
        (b'{"error": {"code": "c", "message": {"value": 5}}}', ("c", "")),
        (
            b'\n {"error": {"code": "c", "message": "m", "innererror": {"errordetails": {"errordetail": []}}}}',
            ("c", "m"),
        ),
    ],
)
def test_error_bodies_of_every_form_are_read(body, wanted):
    assert sap_error(body) == wanted


@pytest.mark.parametrize(
    ("status", "text", "wanted"),
    [
        (400, "Country 'XX' is not defined", Status.REJECTED),
        (404, "Resource not found", Status.REJECTED),
        (409, "Duplicate", Status.REJECTED),
        (422, "No", Status.REJECTED),
        (412, "Precondition failed", Status.CONFLICT),
        (428, "If-Match is missing", Status.CONFLICT),
        (423, "Locked", Status.FAILED),
        (429, "Slow down", Status.FAILED),
        (400, "Business partner 17 is currently being processed by user MILLER", Status.FAILED),
        (409, "Order 5 is locked by MILLER", Status.FAILED),
        (400, "Geschäftspartner 17 wird gerade von Benutzer MILLER bearbeitet", Status.FAILED),
        (500, "Dump", Status.UNKNOWN),
        (502, "", Status.UNKNOWN),
        (504, "", Status.UNKNOWN),
        (408, "", Status.UNKNOWN),
    ],
)
def test_a_refusal_becomes_an_outcome(status, text, wanted):
    outcome = refusal(status, error("X/1", text))
    assert outcome.status is wanted
    assert outcome.code == "X/1"
    assert outcome.message == (text or f"HTTP status {status}")


def test_a_503_that_names_a_wait_was_not_done():
    assert refusal(503, b"", retry_after=5).status is Status.FAILED
    assert refusal(503, b"", retry_after=5).retry_after == 5
    assert refusal(503, b"").status is Status.UNKNOWN


def test_words_about_locks_are_told_from_others():
    assert is_lock("Vertrag ist gesperrt durch MEIER")
    assert not is_lock("Customer 5 is blocked for sales area 1010")


def test_the_fields_an_answer_names_are_told_without_those_of_warnings():
    details = [
        {"message": "Enter a value", "target": "OrganizationBPName1"},
        {"message": "Not defined", "target": "to_BusinessPartnerAddress/Country"},
        {"message": "Enter a region", "target": "Region", "severity": "warning"},
        {"message": "Odd", "target": "a 'name' of somebody"},
        {"message": "Odd", "target": 7},
    ]
    body = json.dumps({"error": {"code": "R1/102", "message": "Enter", "innererror": {"errordetails": details}}})
    outcome = refusal(400, body.encode())
    assert outcome.fields == ("OrganizationBPName1", "to_BusinessPartnerAddress/Country")
    assert refusal(400, b"no JSON").fields == ()
    assert refusal(400, b"[]").fields == ()
