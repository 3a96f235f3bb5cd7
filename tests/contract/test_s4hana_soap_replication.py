"""Partners written to the simulated on-premise S/4HANA by messages: what it holds, and what it confirms."""

import time

import pytest

from l2c.contract import Change, Record, Status
from l2c.errors import AuthError
from tests.contract.replicated import ADDRESS, AREA, PARTNER, Hub, connectors, organization, person

COMMUNICATION = ("to_EmailAddress.EmailAddress", "to_FaxNumber.FaxNumber", "to_URLAddress.WebsiteURL")
PHONES = ("PhoneNumber", "PhoneNumberExtension", "DestinationLocationCountry")
FIELDS = (
    *(
        "OrganizationBPName1",
        "OrganizationBPName2",
        "FirstName",
        "LastName",
        "SearchTerm1",
        "BirthDate",
        "FormOfAddress",
    ),
    *("CorrespondenceLanguage", "BusinessPartnerIsBlocked", "IsFemale", "AcademicTitle", "BusinessPartnerCategory"),
    "BusinessPartnerGrouping",
    "to_BusinessPartnerRole.BusinessPartnerRole",
    *(f"to_BusinessPartnerTax.{name}" for name in ("BPTaxType", "BPTaxNumber", "BPTaxLongNumber")),
    *(f"to_BusinessPartnerAddress.{name}" for name in ADDRESS if not name.startswith("to_")),
    *(f"to_BusinessPartnerAddress.{name}" for name in COMMUNICATION),
    *(f"to_BusinessPartnerAddress.to_PhoneNumber.{name}" for name in PHONES),
    *(f"to_BusinessPartnerAddress.to_MobilePhoneNumber.{name}" for name in PHONES),
    "to_Customer.OrderIsBlockedForCustomer",
    *(f"to_Customer.to_CustomerSalesArea.{name}" for name in AREA if not name.startswith("to_")),
    "to_Customer.to_CustomerSalesArea.DeletionIndicator",
    "to_Customer.to_CustomerSalesArea.to_SalesAreaTax.CustomerTaxClassification",
    *(f"to_Customer.to_CustomerCompany.{name}" for name in ("CompanyCode", "ReconciliationAccount")),
)


@pytest.fixture
def hub():
    made = Hub()
    yield made
    made.close()


@pytest.fixture
def sandbox(start_sandbox, hub):
    made = start_sandbox("s4hana", partners=0, profile="onpremise")
    made.control("POST", "/settings", {"soap_delay_s": 0.02, "confirm_url": hub.url})
    return made


@pytest.fixture
def connector_for(sandbox):
    with connectors(sandbox.url) as build:
        yield build


@pytest.fixture
def connector(connector_for):
    return connector_for()


def write(connector, *changes):
    prepared = connector.prepare(PARTNER, changes)
    outcomes = connector.send(prepared)
    assert len(outcomes) == len(changes)
    return prepared, outcomes


def wait_for(look, what, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s for {what}")


def confirmed(connector, hub, *tokens):
    """The outcomes of these tokens once all of them are confirmed; the last one told counts."""

    def look():
        found = {}
        for message in list(hub.messages):
            found.update(connector.receive(message).confirmed)
        return found if set(tokens) <= found.keys() else None

    return wait_for(look, "confirmations")


def written(connector, hub, change):
    """The outcome of one change once it is confirmed."""
    _, (accepted,) = write(connector, change)
    assert accepted.status is Status.ACCEPTED, accepted
    return confirmed(connector, hub, accepted.token)[accepted.token]


def shown(connector, key):
    (record,) = connector.fetch(PARTNER, [key], fields=FIELDS)
    assert not record.deleted
    return record


def state(connector, key):
    """What a partner shows, without numbers and stamps of its own, lists in any order."""
    data = shown(connector, key).data
    return _plain({name: value for name, value in data.items() if not name.startswith("LastChange")})


def _plain(value):
    if isinstance(value, dict):
        own = {"BusinessPartner", "AddressID", "Customer", "ValidityStartDate"}
        return {
            name: _plain(one) for name, one in value.items() if name not in own and one not in (None, "", [], False)
        }
    return sorted((_plain(one) for one in value), key=repr) if isinstance(value, list) else value


def partners(sandbox):
    return sandbox.control("GET", f"/records?entity={PARTNER}&limit=10000")


# the same as by OData


EDITS = {
    "name": lambda: ({"OrganizationBPName1": "Neu"}, {"OrganizationBPName1": organization()["OrganizationBPName1"]}),
    "cleared": lambda: ({"OrganizationBPName2": None}, {"OrganizationBPName2": "Werkzeuge"}),
    "blocked": lambda: ({"BusinessPartnerIsBlocked": True}, {"BusinessPartnerIsBlocked": False}),
    "city": lambda: _addresses([{**ADDRESS, "CityName": "Bonn", "PostalCode": "53111"}]),
    "added": lambda: _addresses([ADDRESS, {"AddressIDByExternalSystem": "A-2", "Country": "AT", "CityName": "Wien"}]),
    "numbers": lambda: _addresses(
        [{**ADDRESS, "to_EmailAddress": [{"EmailAddress": "n@example.com"}], "to_FaxNumber": []}]
    ),
    "phone": lambda: _addresses(
        [{**ADDRESS, "to_PhoneNumber": [{**ADDRESS["to_PhoneNumber"][0], "PhoneNumber": "0221 99"}]}]
    ),
    "tax": lambda: (
        {"to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE987654321"}]},
        {"to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}]},
    ),
    "no tax": lambda: ({"to_BusinessPartnerTax": []}, {"to_BusinessPartnerTax": [{"BPTaxType": "DE0"}]}),
    "order block": lambda: ({"to_Customer": {"OrderIsBlockedForCustomer": "01"}}, {}),
    "area": lambda: (
        {"to_Customer": {"to_CustomerSalesArea": [{**AREA, "CustomerPaymentTerms": "0002"}]}},
        {"to_Customer": {"to_CustomerSalesArea": [AREA]}},
    ),
    "no area": lambda: (
        {"to_Customer": {"to_CustomerSalesArea": []}},
        {"to_Customer": {"to_CustomerSalesArea": [AREA]}},
    ),
}


def _addresses(wanted):
    return {"to_BusinessPartnerAddress": wanted}, {"to_BusinessPartnerAddress": [ADDRESS]}


@pytest.mark.parametrize("absent", ["keep", "clear"])
def test_what_is_written_by_messages_is_what_odata_writes(sandbox, connector, connector_for, hub, absent):
    """For a receiver that keeps what a node does not say, and for one that clears it."""
    sandbox.control("POST", "/settings", {"soap_absent": absent})
    odata = connector_for(write_by="odata")
    for number, data in enumerate((organization(), person())):
        (_, (by_odata,)) = write(odata, Change(Record("", data), mark=f"odata-{absent}-{number}"))
        by_soap = written(connector, hub, Change(Record("", data), mark=f"soap-{absent}-{number}"))
        assert (by_odata.status, by_soap.status) == (Status.CREATED, Status.CREATED), (by_odata, by_soap)
        assert state(connector, by_soap.native_key) == state(connector, by_odata.native_key)
    for name, made in EDITS.items():
        keys = []
        data, before = made()
        for way in (odata, connector):
            (_, (outcome,)) = write(odata, Change(Record("", organization()), mark=f"{name}-{absent}-{len(keys)}"))
            assert outcome.status is Status.CREATED, outcome
            change = Change(Record(outcome.native_key, data), before=before)
            done = write(way, change)[1][0] if way is odata else written(way, hub, change)
            assert done.status is Status.UPDATED, (name, done)
            keys.append(outcome.native_key)
        assert state(connector, keys[1]) == state(connector, keys[0]), name


# single effect


def test_the_same_message_twice_makes_one_partner_and_one_number(sandbox, connector, hub):
    prepared, (first,) = write(connector, Change(Record("", organization()), mark="twice"))
    (again,) = connector.send(prepared)
    assert first.token == again.token
    outcome = confirmed(connector, hub, first.token)[first.token]
    assert connector.find(PARTNER, ["twice"]) == {"twice": (outcome.native_key,)}
    assert len(partners(sandbox)) == 1


def test_a_create_under_another_message_is_the_same_partner(sandbox, connector_for, hub):
    """Its number comes from its mark: what is prepared again after the time limit finds the partner."""
    connector = connector_for(max_processing_s=0)
    change = Change(Record("", organization()), mark="again")
    first = written(connector, hub, change)
    second = written(connector, hub, change)
    assert first.native_key == second.native_key
    assert len(partners(sandbox)) == 1


def test_a_lost_answer_is_looked_up_by_its_mark(sandbox, connector, hub):
    fault = {"match": {"method": "POST", "path": "businesspartnersuitebulkreplic"}, "kind": "after_commit", "times": 1}
    sandbox.control("POST", "/faults", fault)
    _, (outcome,) = write(connector, Change(Record("", organization()), mark="lost"))
    assert outcome.status is Status.UNKNOWN
    (key,) = wait_for(lambda: connector.find(PARTNER, ["lost"])["lost"], "the partner")
    assert confirmed(connector, hub, outcome.token)[outcome.token].native_key == key


def test_a_change_that_was_overtaken_does_not_undo_the_newer_one(sandbox, connector, hub):
    made = written(connector, hub, Change(Record("", organization()), mark="overtaken"))
    older = connector.prepare(PARTNER, [Change(Record(made.native_key, {"OrganizationBPName1": "older"}))])
    newer = connector.prepare(PARTNER, [Change(Record(made.native_key, {"OrganizationBPName1": "newer"}))])
    (late,) = connector.send(newer)
    confirmed(connector, hub, late.token)
    (early,) = connector.send(older)
    outcome = confirmed(connector, hub, early.token)[early.token]
    assert (outcome.status, outcome.native_key) == (Status.CONFLICT, made.native_key)
    assert "overtaken" in outcome.message
    assert shown(connector, made.native_key).data["OrganizationBPName1"] == "newer"


# what comes back


def test_a_refusal_is_confirmed_in_saps_words_and_holds_back_no_neighbour(sandbox, connector, hub):
    bad = organization(to_BusinessPartnerAddress=[{"Country": "ZZ", "CityName": "Nowhere"}])
    changes = [Change(Record("", data), mark=f"n{n}") for n, data in enumerate((organization(), bad, organization()))]
    _, outcomes = write(connector, *changes)
    tokens = [outcome.token for outcome in outcomes]
    found = confirmed(connector, hub, *tokens)
    assert [found[token].status for token in tokens] == [Status.CREATED, Status.REJECTED, Status.CREATED]
    assert "ZZ" in found[tokens[1]].message
    assert found[tokens[1]].code
    assert len(partners(sandbox)) == 2


def test_confirmations_lost_doubled_and_out_of_order_leave_no_partner_doubled_or_lost(sandbox, connector_for, hub):
    faults = {"confirm_lost": 0.2, "confirm_doubled": 0.3, "confirm_out_of_order": 0.3, "confirm_seed": 7}
    sandbox.control("POST", "/settings", {**faults, "soap_jitter_s": 0.1})
    connector = connector_for(replication_batch=2)
    changes = [Change(Record("", organization()), mark=f"many-{number}") for number in range(60)]
    prepared, outcomes = write(connector, *changes)
    tokens = {outcome.token: change.mark for outcome, change in zip(outcomes, changes, strict=True)}
    wait_for(lambda: len(partners(sandbox)) == 60, "60 partners")
    time.sleep(1.5)
    found = {}
    for message in list(hub.messages):
        found.update(connector.receive(message).confirmed)
    silent = [mark for token, mark in tokens.items() if token not in found]
    assert silent, "no confirmation was lost: the test shows nothing"
    looked_up = connector.find(PARTNER, silent)
    keys = {tokens[token]: outcome.native_key for token, outcome in found.items()}
    assert all(outcome.status is Status.CREATED for outcome in found.values())
    assert not keys.keys() & looked_up.keys()
    keys.update({mark: only for mark, (only,) in looked_up.items()})
    assert sorted(keys.values()) == sorted(line["key"] for line in partners(sandbox))
    again = connector.send(prepared[:5])
    assert [outcome.token for outcome in again] == [outcome.token for outcome in outcomes[:5]]
    assert len(partners(sandbox)) == 60


def test_partners_s4hana_replicates_by_itself_are_keys_to_fetch(sandbox, connector, hub):
    made = [written(connector, hub, Change(Record("", organization()), mark=f"own-{n}")).native_key for n in range(2)]
    hub.messages.clear()
    sent = sandbox.control("POST", "/replicate", {"keys": made, "url": hub.url})
    (message,) = hub.messages
    received = connector.receive(message)
    assert list(received.keys) == [(PARTNER, key) for key in made]
    assert (received.message_id, received.confirmed) == (sent["id"], {})
    assert {record.key for record in connector.fetch(PARTNER, made, fields=["OrganizationBPName1"])} == set(made)


def test_wrong_credentials_are_an_auth_error(connector_for):
    connector = connector_for(secret="wrong-secret")
    prepared = connector.prepare(PARTNER, [Change(Record("", organization()), mark="none")])
    with pytest.raises(AuthError) as caught:
        connector.send(prepared)
    assert "wrong-secret" not in str(caught.value)
