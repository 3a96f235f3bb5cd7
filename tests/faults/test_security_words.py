"""Words of other systems and libraries are shown without mail addresses, phone numbers, quoted names and key values."""

import logging

import pytest

from l2c.http.discreet import discreet, hidden, without_keys


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("E-mail zz.canary@kanarie.example is used", "E-mail ••• is used"),
        ("user=zz.canary%40kanarie.example&x", "user=•••&x"),
        ("Name 'Anna Meier' is taken", "Name '•••' is taken"),
        ("Name \"Anna Meier\", „Meier“, «Meier»", "Name '•••', '•••', '•••'"),
        ("call +49 89 5550 or 089 555-012 or +498955501234", "call ••• or ••• or •••"),
        ("Property 'FirstName' not found in 'A_BusinessPartner'", "Property 'FirstName' not found in 'A_BusinessPartner'"),
        ("R1/042: partner 1000042 is being processed by user MEYER", "R1/042: partner 1000042 is being processed by user MEYER"),
        ("at 2026-03-02 08:00:00 (line 12, column 5)", "at 2026-03-02 08:00:00 (line 12, column 5)"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_tells_of_a_person_is_masked_and_what_helps_stays(text, shown):
    assert discreet(text) == shown


def test_values_of_a_record_and_their_words_are_hidden_wherever_a_system_quotes_them():
    text = "Name Meier-Lüdenscheidt, anna; MEIER; Meierhof; field Name1 too long (max 40)"
    assert (
        hidden(text, ["Anna", "Meier-Lüdenscheidt", "x", "Meier"])
        == "Name •••, •••; •••; Meierhof; field Name1 too long (max 40)"
    )
    assert hidden("a (b", ["(b)", "a (b"]) == "•••"


def test_the_log_of_the_http_library_shows_no_query_and_no_key(caplog):
    record = logging.LogRecord(
        "urllib3.connectionpool", logging.DEBUG, "x", 1, '%s://%s:%s "%s %s %s" %s %s',
        ("http", "erp", 80, "GET", "/a/Customers('zz.canary@kanarie.example')?$filter=Name eq 'Meier'", "HTTP/1.1", 200, 5), None,
    )  # fmt: skip
    assert without_keys(record)
    assert record.getMessage() == 'http://erp:80 "GET /a/Customers(…) HTTP/1.1" 200 5'
