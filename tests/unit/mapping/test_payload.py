"""Canonical bytes."""

from decimal import Decimal

import pytest

from l2c.errors import RecordRejected
from l2c.mapping import decode, digest, encode


def test_equal_records_are_equal_bytes_whatever_the_order_of_their_keys():
    assert encode({"b": 1, "a": {"d": None, "c": "ß"}}) == encode({"a": {"c": "ß", "d": None}, "b": 1})
    assert encode({"a": {"c": "ß"}}) == '{"a":{"c":"ß"}}'.encode()


def test_decimals_are_plain_text():
    assert encode({"a": Decimal("1E+3"), "b": Decimal("10.50")}) == b'{"a":"1000","b":"10.50"}'


def test_there_and_back_is_the_same():
    record = {"a": None, "b": [{"c": True}], "d": "𠮷\u2028", "e": 10**15}
    assert decode(encode(record)) == record


def test_the_digest_has_sixteen_bytes_and_tells_records_apart():
    assert len(digest(b"a")) == 16
    assert digest(b"a") != digest(b"b")


@pytest.mark.parametrize("value", ["\ud800", object(), {1: 2}])
def test_what_cannot_be_written_is_rejected(value):
    with pytest.raises(RecordRejected, match="cannot be written as JSON"):
        encode({"a": value})
