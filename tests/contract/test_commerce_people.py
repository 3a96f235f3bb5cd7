"""Contact persons and consumers of the simulated shop: their keys, and what a write may not change."""

import pytest
from pydantic import SecretStr

from connectors.commerce import CommerceConnector, CommerceSettings
from l2c.contract import Change, Connection, Record, Status, System
from l2c.errors import ConfigError
from tests.contract.rigs.commerce import CLIENT, SECRET
from tests.contract.rigs.sandbox import Sandbox, started

MAIL = "anna@becker.example"


@pytest.fixture(scope="module")
def running():
    with started("commerce", "--client-secret", SECRET, service="^/odata2webservices/") as sandbox:
        sandbox.tell("create", entity="B2BUnit", set={"uid": "becker", "name": "Becker"})
        sandbox.tell("create", entity="B2BUnit", set={"uid": "weber", "name": "Weber"})
        yield sandbox


@pytest.fixture
def shop(running: Sandbox):
    """The shop with two units and nobody in it."""
    for entity in ("B2BCustomer", "Customer"):
        for key in running.records(entity):
            running.tell("delete", entity=entity, key=key)
    return running


@pytest.fixture
def connector(shop: Sandbox):
    made = connect(shop)
    yield made
    made.close()


def connect(shop: Sandbox, **settings) -> CommerceConnector:
    system = System("shop", Connection(shop.url, CLIENT, SecretStr(SECRET)))
    return CommerceConnector(system, CommerceSettings(**{"attempts": 1, **settings}))


def put(connector: CommerceConnector, *changes: Change, entity: str = "B2BCustomer"):
    return list(connector.send(connector.prepare(entity, changes)))


def contact(number: str | None = "9000042", mail: str = MAIL, **more):
    return {"customerID": number, "uid": mail, "email": mail, "name": "Anna Weber", **more}


def fetched(connector: CommerceConnector, key: str, entity: str = "B2BCustomer") -> Record:
    return next(iter(connector.fetch(entity, [key])))


def test_a_contact_person_is_known_by_customer_id_and_uid_in_the_order_of_the_metadata(shop, connector):
    outcome = put(connector, Change(Record("", contact(defaultB2BUnit={"uid": "becker"}))))[0]
    assert (outcome.status, outcome.native_key) == (Status.CREATED, f"9000042|{MAIL}")
    found = fetched(connector, f"9000042|{MAIL}")
    assert found.key == found.data["integrationKey"] == f"9000042|{MAIL}"
    assert found.data["defaultB2BUnit"] == {"uid": "becker", "integrationKey": "becker"}
    assert connector.find("B2BCustomer", [found.key, f"|{MAIL}"]) == {found.key: [found.key], f"|{MAIL}": []}
    schema = connector.describe("B2BCustomer")
    assert (schema.key, schema.delta, schema.safe_by) == ("integrationKey", "stamp", "key")


def test_a_contact_person_born_in_the_shop_keeps_both_parts_of_its_key(shop, connector):
    shop.tell("create", entity="B2BCustomer", set={**contact("5a1b"), "defaultB2BUnit": "becker"})
    mapped = {"integrationKey": f"9000042|new-{MAIL}", "sapBusinessPartnerID": "9000042"}
    change = Change(Record(f"5a1b|{MAIL}", {**contact("9000042", f"new-{MAIL}"), **mapped}))
    assert put(connector, change)[0].native_key == f"5a1b|{MAIL}"
    assert list(shop.records("B2BCustomer")) == [f"5a1b/{MAIL}"]
    found = fetched(connector, f"5a1b|{MAIL}").data
    assert (found["customerID"], found["uid"]) == ("5a1b", MAIL)
    assert (found["sapBusinessPartnerID"], found["email"]) == ("9000042", f"new-{MAIL}")


def test_only_the_fields_of_the_change_are_sent_with_the_key_attributes(connector):
    change = Change(Record(f"5a1b|{MAIL}", {"loginDisabled": True}))
    body = connector.prepare("B2BCustomer", [change])[0].requests[0].body
    assert body == b'{"loginDisabled":true,"customerID":"5a1b","uid":"' + MAIL.encode() + b'"}'


@pytest.mark.parametrize(
    ("number", "mail", "key"),
    [
        ("a|b", "c%d@becker.example", "a%7Cb|c%25d@becker.example"),
        ("50%", MAIL, f"50%25|{MAIL}"),
        (None, MAIL, f"|{MAIL}"),
        ("O'Neill", "o'neill+x@becker.example", "O'Neill|o'neill+x@becker.example"),
    ],
)
def test_any_text_can_be_part_of_a_key(shop, connector, number, mail, key):
    values = {name: value for name, value in contact(number, mail).items() if value is not None}
    shop.tell("create", entity="B2BCustomer", set={**values, "defaultB2BUnit": "becker"})
    read = [record for page in connector.read("B2BCustomer", since=None, page_size=5) for record in page.records]
    assert [record.key for record in read] == [key]
    assert fetched(connector, key).data["uid"] == mail
    change = Change(Record(key, {"name": "Anna Becker"}), before={"name": "Anna Weber"})
    assert put(connector, change)[0].status is Status.UPDATED
    assert fetched(connector, key).data["name"] == "Anna Becker"
    assert put(connector, Change(Record(key, {}, deleted=True)))[0].status is Status.DELETED
    assert shop.records("B2BCustomer") == {}


def test_a_key_that_differs_only_in_its_empty_part_is_another_record(shop, connector):
    shop.tell("create", entity="B2BCustomer", set={**contact("5a1b"), "defaultB2BUnit": "becker"})
    assert fetched(connector, f"|{MAIL}").deleted


@pytest.mark.parametrize("key", ["no bar", "a|b|c", ""])
def test_a_key_of_another_shape_names_nobody(connector, key):
    assert fetched(connector, key).deleted


def test_a_key_that_does_not_fit_the_metadata_is_rejected_and_its_neighbours_land(shop, connector):
    swapped = contact("1", integrationKey=f"{MAIL}|1")
    outcomes = put(
        connector,
        Change(Record(f"{MAIL}|1", swapped)),
        Change(Record("1", contact("1"))),
        Change(Record(f"1|{MAIL}", contact("1", integrationKey=f"1|{MAIL}"))),
    )
    assert [outcome.status for outcome in outcomes] == [Status.REJECTED, Status.REJECTED, Status.CREATED]
    assert outcomes[0].code == outcomes[1].code == "invalid_key"
    assert outcomes[0].message.endswith("in another order than the shop's: customerID|uid")
    assert list(shop.records("B2BCustomer")) == [f"1/{MAIL}"]


def test_an_address_of_a_contact_person_can_go(shop, connector):
    key = f"1|{MAIL}"
    old, kept = {"publicKey": "a", "phone1": "1"}, {"publicKey": "b", "phone1": "2"}
    put(connector, Change(Record(key, contact("1", addresses=[old, kept]))))
    change = Change(Record(key, {"addresses": [kept]}), before={"addresses": [old, kept]})
    assert put(connector, change)[0].status is Status.UPDATED
    assert [found["publicKey"] for found in fetched(connector, key).data["addresses"]] == ["b"]


def test_a_contact_person_can_change_to_another_unit(connector):
    key = f"1|{MAIL}"
    put(connector, Change(Record(key, contact("1", defaultB2BUnit={"uid": "becker"}))))
    change = Change(Record(key, {"defaultB2BUnit": {"uid": "weber"}}), before={"defaultB2BUnit": {"uid": "becker"}})
    assert put(connector, change)[0].status is Status.UPDATED
    assert fetched(connector, key).data["defaultB2BUnit"]["uid"] == "weber"


def test_a_unit_that_is_not_there_rejects_the_contact_person(connector):
    outcome = put(connector, Change(Record("", contact(defaultB2BUnit={"uid": "nobody"}))))[0]
    assert (outcome.status, outcome.code) == (Status.REJECTED, "missing_nav_property")


def test_consumers_and_contact_persons_are_not_mixed_up(shop, connector):
    shop.tell("register", kind="consumer", first_name="Anna", last_name="Weber", email="anna@mail.example")
    shop.tell("register", kind="contact", unit="becker", first_name="Ben", last_name="Weber", email=MAIL)
    for entity, mail in (("Customer", "anna@mail.example"), ("B2BCustomer", MAIL)):
        read = [record for page in connector.read(entity, since=None, page_size=5) for record in page.records]
        assert [record.data["uid"] for record in read] == [mail]


def test_a_customer_id_given_by_the_shop_stays(shop, connector):
    shop.tell("register", kind="consumer", first_name="Anna", last_name="Weber", email="anna@mail.example")
    given = shop.ask("record", entity="Customer", key="anna@mail.example")["customerID"]
    change = Change(Record("anna@mail.example", {"l2cPartnerNumber": "1000077", "l2cCustomerNumber": "17100077"}))
    assert put(connector, change, entity="Customer")[0].native_key == "anna@mail.example"
    found = shop.ask("record", entity="Customer", key="anna@mail.example")
    assert (found["customerID"], found["l2cPartnerNumber"]) == (given, "1000077")


def test_an_entity_without_object_is_not_offered(shop):
    connector = connect(shop, customer_object="")
    assert connector.check().message == "L2CB2BUnit, L2CB2BCustomer can be reached"
    with pytest.raises(ConfigError, match="unknown entity 'Customer'"):
        connector.describe("Customer")
