"""Texts that change when their case is folded, and texts that try to be more than text."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connectors.commerce import CommerceConnector, CommerceSettings
from l2c.contract import Change, Connection, Record, Status, System
from l2c.mapping import decode, encode
from l2c.state.recognition import Rule, values_of
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import Sandbox, started

NASTY = (
    "Anna\r\nBcc: all@corp.test",
    "x\r\n\r\n--batch_1--\r\n",
    "a\r\nDELETE B2BUnits('U1') HTTP/1.1\r\n\r\n",
    "HTTP/1.1 500 no",
    '"},{"uid":"other',
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
)


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as sandbox:
        yield sandbox


@pytest.fixture
def connector(shop: Sandbox) -> Iterator[CommerceConnector]:
    made = CommerceConnector(System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET))), CommerceSettings())
    yield made
    made.close()


@pytest.mark.fault("D7")
@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("Müller", "MÜLLER"), ("ΣΟΦΟΣ", "σοφος"), ("Öhler & Söhne", "öhler  söhne")],
)
def test_case_is_folded_to_compare_and_never_to_store(one: str, other: str):
    rule = Rule(("name",))
    assert values_of({"name": one}, [rule]) == values_of({"name": other}, [rule])
    assert decode(encode({"name": one})) == {"name": one}
    assert encode({"name": one}) != encode({"name": other}), "another spelling is an edit"


@pytest.mark.fault("D7")
def test_letters_that_are_others_in_turkish_stay_apart():
    rule = Rule(("name",))
    assert values_of({"name": "ılgaz"}, [rule]) != values_of({"name": "ilgaz"}, [rule])


@pytest.mark.fault("D11", "D12")
def test_no_text_breaks_out_of_the_request_that_carries_it(shop: Sandbox, connector: CommerceConnector):
    """Names and keys, among neighbours in one batch; then each is asked for by its key."""
    connector.describe("B2BUnit")
    units = {f"U{number}": text for number, text in enumerate(NASTY)} | dict.fromkeys(NASTY, "sound")
    changes = [Change(Record(key, {"uid": key, "name": name})) for key, name in units.items()]
    outcomes = connector.send(connector.prepare("B2BUnit", changes))
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert {row["uid"]: row["name"] for row in shop.records("B2BUnit").values()} == units
    found = {record.key: record for record in connector.fetch("B2BUnit", list(units))}
    assert {key: record.data["name"] for key, record in found.items()} == units
    assert connector.find("B2BUnit", list(NASTY)) == {text: [text] for text in NASTY}
