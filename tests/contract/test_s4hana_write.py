"""The S/4HANA connector creating and changing partners in the simulated system."""

import dataclasses
import itertools
import json

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Change, Connection, Prepared, Record, Status, System
from l2c.errors import AuthError, ConfigError, TransientError

PARTNER = "A_BusinessPartner"
FIELDS = (
    "OrganizationBPName1",
    "OrganizationBPName2",
    "BusinessPartnerIsBlocked",
    "to_BusinessPartnerRole.BusinessPartnerRole",
    "to_BusinessPartnerTax.BPTaxType",
    "to_BusinessPartnerTax.BPTaxNumber",
    "to_BusinessPartnerAddress.AddressID",
    "to_BusinessPartnerAddress.CityName",
    "to_BusinessPartnerAddress.Country",
    "to_BusinessPartnerAddress.to_EmailAddress.OrdinalNumber",
    "to_BusinessPartnerAddress.to_EmailAddress.Person",
    "to_BusinessPartnerAddress.to_EmailAddress.EmailAddress",
    "to_BusinessPartnerAddress.to_PhoneNumber.PhoneNumber",
    "to_Customer.Customer",
    "to_Customer.OrderIsBlockedForCustomer",
    "to_Customer.to_CustomerSalesArea.SalesOrganization",
    "to_Customer.to_CustomerSalesArea.DistributionChannel",
    "to_Customer.to_CustomerSalesArea.Division",
    "to_Customer.to_CustomerSalesArea.Currency",
    "to_Customer.to_CustomerSalesArea.DeletionIndicator",
)
AREA = {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00", "Currency": "EUR"}


@pytest.fixture
def sandbox(start_sandbox):
    return start_sandbox("s4hana", partners=0)


@pytest.fixture
def connector_for(sandbox):
    made = []

    def build(*, secret="sandbox-s4-secret", **settings):
        system = System("erp", Connection(sandbox.url, "HUB_USER", SecretStr(secret)))
        options = {"partner_grouping": "BP02", "deadline_s": 5, **settings}
        made.append(S4HanaConnector(system, Settings(**options)))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def connector(connector_for):
    return connector_for()


numbers = itertools.count(1)


def organization(name="Müller & Söhne", *, country="DE", **more):
    return {
        "BusinessPartnerCategory": "2",
        "OrganizationBPName1": name,
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU01"}],
        "to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}],
        "to_BusinessPartnerAddress": [
            {
                "CityName": "Köln",
                "Country": country,
                "to_EmailAddress": [{"EmailAddress": "info@example.com"}],
                "to_PhoneNumber": [{"PhoneNumber": "0221 1"}],
            }
        ],
        "to_Customer": {"to_CustomerSalesArea": [AREA]},
        **more,
    }


def create(name="Müller & Söhne", **options):
    return Change(Record("", organization(name, **options)), mark=f"mark-{next(numbers)}")


def write(connector, *changes):
    prepared = connector.prepare(PARTNER, changes)
    assert len(prepared) == len(changes)
    outcomes = connector.send(prepared)
    assert len(outcomes) == len(changes)
    return outcomes


def shown(connector, key, fields=FIELDS):
    (record,) = connector.fetch(PARTNER, [key], fields=fields)
    return record


@pytest.fixture
def partner(connector):
    """A partner as the hub last read it."""
    (outcome,) = write(connector, create())
    return shown(connector, outcome.native_key)


def edit(partner, etag=True, known=True, **fields):
    data = json.loads(json.dumps(fields))
    return Change(
        Record(partner.key, data), before=partner.data if known else None, etag=partner.etag if etag else None
    )


# creates


def test_a_partner_is_created_with_everything_below_it(connector, sandbox):
    change = create()
    (outcome,) = write(connector, change)
    assert outcome.status is Status.CREATED
    record = shown(connector, outcome.native_key)
    assert record.etag == outcome.etag
    assert record.data["OrganizationBPName1"] == "Müller & Söhne"
    (address,) = record.data["to_BusinessPartnerAddress"]
    assert outcome.child_keys == {"to_BusinessPartnerAddress/0": address["AddressID"]}
    assert address["to_EmailAddress"][0]["EmailAddress"] == "info@example.com"
    assert record.data["to_Customer"]["to_CustomerSalesArea"][0]["Currency"] == "EUR"
    stored = sandbox.control("GET", f"/record?entity={PARTNER}&key={outcome.native_key}")
    assert stored["BusinessPartnerIDByExtSystem"] == change.mark.upper()
    assert stored["BusinessPartnerGrouping"] == "BP02"


@pytest.mark.fault("T11")
def test_many_partners_go_into_one_batch_and_a_bad_one_leaves_the_good_ones_alone(connector, sandbox):
    changes = [create(country="ZZ" if number in {2, 5} else "DE") for number in range(7)]
    outcomes = write(connector, *changes)
    bad = [outcome for outcome in outcomes if outcome.status is Status.REJECTED]
    assert [outcome.status for outcome in outcomes].count(Status.CREATED) == 5
    assert [number for number, outcome in enumerate(outcomes) if outcome.status is Status.REJECTED] == [2, 5]
    assert {(outcome.code, outcome.message) for outcome in bad} == {("AM/212", "Country/region 'ZZ' is not defined")}
    requests = sandbox.control("GET", "/stats")["requests"]
    assert requests["POST $batch 202"] == 1
    keys = [outcome.native_key for outcome in outcomes if outcome.native_key]
    assert [entry["key"] for entry in sandbox.control("GET", f"/log?entity={PARTNER}")["entries"]] == keys


@pytest.mark.fault("T5")
def test_batches_are_cut_to_size_and_halved_where_the_system_takes_fewer(connector_for, sandbox):
    sandbox.control("POST", "/settings", {"max_batch_parts": 3})
    outcomes = write(connector_for(batch=8), *(create() for _ in range(10)))
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert len({outcome.native_key for outcome in outcomes}) == 10
    assert len(sandbox.control("GET", f"/log?entity={PARTNER}")["entries"]) == 10


def test_every_mistake_of_a_record_is_told_before_anything_is_sent(connector, sandbox):
    data = organization("x" * 41, Customer="1", Foo="bar", BirthDate="tomorrow")
    data["to_BusinessPartnerAddress"][0]["CityName"] = "😀" * 21
    prepared = connector.prepare(PARTNER, [Change(Record("", data))])
    assert (prepared[0].outcome.status, prepared[0].requests) == (Status.REJECTED, ())
    assert prepared[0].outcome.message == (
        "OrganizationBPName1: 41 characters, the system takes 40; Customer: the system sets this field itself; "
        "Foo: the system has no such field; BirthDate: the value is no Edm.DateTime; "
        "to_BusinessPartnerAddress[0].CityName: 42 characters, the system takes 40"
    )
    assert connector.send(prepared) == [prepared[0].outcome]
    assert "POST" not in str(sandbox.control("GET", "/stats")["requests"])


def test_saps_words_come_back_verbatim_with_all_details(connector):
    data = organization()
    data["to_BusinessPartnerAddress"][0]["Country"] = "ZZ"
    data["to_BusinessPartnerRole"].append({"BusinessPartnerRole": "NONE"})
    (outcome,) = write(connector, Change(Record("", data)))
    assert outcome.status is Status.REJECTED
    assert "Country/region 'ZZ' is not defined" in outcome.message
    assert "Role 'NONE' does not exist" in outcome.message


def test_send_sends_exactly_what_was_prepared(connector, sandbox):
    prepared = connector.prepare(PARTNER, [create(), create()])
    assert "POST" not in str(sandbox.control("GET", "/stats")["requests"])
    assert [request.path for item in prepared for request in item.requests] == [PARTNER, PARTNER]
    assert {outcome.status for outcome in connector.send(prepared)} == {Status.CREATED}


# answers that do not come


@pytest.mark.fault("T1")
@pytest.mark.parametrize("count", [1, 3])
def test_a_lost_answer_is_unknown_and_the_mark_finds_what_it_created(connector, sandbox, count):
    sandbox.control("POST", "/faults", {"kind": "after_commit", "match": {"method": "POST"}})
    changes = [create() for _ in range(count)]
    outcomes = write(connector, *changes)
    assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}
    found = connector.find(PARTNER, [change.mark for change in changes])
    assert all(len(found[change.mark]) == 1 for change in changes)
    assert len(sandbox.control("GET", f"/log?entity={PARTNER}")["entries"]) == count


@pytest.mark.fault("T4")
def test_a_part_the_answer_lacks_is_unknown_and_no_other(connector, sandbox):
    changes = [create(f"Name {number}") for number in range(4)]
    match = {"inner": True, "body": "Name 2"}
    sandbox.control("POST", "/faults", {"kind": "after_commit", "match": match})
    outcomes = write(connector, *changes)
    statuses = [outcome.status for outcome in outcomes]
    assert statuses == [Status.CREATED, Status.CREATED, Status.UNKNOWN, Status.CREATED]
    assert len(connector.find(PARTNER, [changes[2].mark])[changes[2].mark]) == 1


def test_a_batch_answer_cut_anywhere_leaves_the_rest_unknown(connector, sandbox):
    for size in (1, 200, 900, 2500):
        sandbox.control("POST", "/faults", {"kind": "cut", "bytes": size, "match": {"path": "batch"}})
        outcomes = write(connector, *(create() for _ in range(3)))
        for outcome in outcomes:
            assert outcome.status in {Status.CREATED, Status.UNKNOWN}
        assert outcomes[-1].status is Status.UNKNOWN


@pytest.mark.fault("T1")
def test_nothing_is_sent_twice_whatever_the_answer(connector, sandbox):
    for kind, options in (
        ("after_commit", {}),
        ("status", {"status": 500}),
        ("status", {"status": 504}),
        ("html_login", {}),
        ("cut", {"bytes": 10, "length": True}),
    ):
        before = len(sandbox.control("GET", f"/log?entity={PARTNER}")["entries"])
        sandbox.control("POST", "/faults", {"kind": kind, "match": {"method": "POST"}, **options})
        outcomes = write(connector, create(), create())
        assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}, kind
        after = len(sandbox.control("GET", f"/log?entity={PARTNER}")["entries"])
        assert after - before in {0, 2}


def test_when_nothing_was_sent_it_raises(connector_for, sandbox):
    prepared = connector_for().prepare(PARTNER, [create()])
    with pytest.raises(AuthError):
        connector_for(secret="wrong").send(prepared)
    refused = {"kind": "status", "status": 429, "headers": {"Retry-After": "99"}, "match": {"method": "POST"}}
    sandbox.control("POST", "/faults", refused)
    with pytest.raises(TransientError) as caught:
        connector_for().send(prepared)
    assert caught.value.retry_after == 99
    sandbox.stop()
    with pytest.raises(TransientError):
        connector_for().send(prepared)


def test_once_something_was_sent_the_rest_fails_and_nothing_raises(connector_for, sandbox):
    refused = {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "99"},
        "match": {"path": "batch", "skip": 1},
        "times": None,
    }
    sandbox.control("POST", "/faults", refused)
    outcomes = write(connector_for(batch=2), *(create() for _ in range(5)))
    assert [outcome.status for outcome in outcomes] == [Status.CREATED] * 2 + [Status.FAILED] * 3
    assert {outcome.retry_after for outcome in outcomes[2:]} == {99}


@pytest.mark.fault("T8")
def test_a_locked_partner_is_to_be_tried_again(connector, sandbox, partner):
    sandbox.control("POST", "/faults", {"kind": "lock", "match": {"method": "PATCH"}})
    (outcome,) = write(connector, edit(partner, OrganizationBPName1="New"))
    assert outcome.status is Status.FAILED
    assert "is currently being processed by" in outcome.message
    (again,) = write(connector, edit(partner, OrganizationBPName1="New"))
    assert again.status is Status.UPDATED


@pytest.mark.fault("T6")
def test_a_token_that_expires_costs_no_record(connector_for, sandbox):
    sandbox.control("POST", "/settings", {"csrf_max_uses": 2})
    connector = connector_for(batch=1)
    outcomes = write(connector, *(create() for _ in range(7)))
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}


# finding


def test_marks_are_found_whatever_their_case_and_length(connector):
    marks = ["short", "Mixed-Case", "x" * 21, "ein sehr langer Schlüssel|mit/Zeichen " * 3]
    changes = [dataclasses.replace(create(), mark=mark) for mark in marks]
    keys = [outcome.native_key for outcome in write(connector, *changes)]
    found = connector.find(PARTNER, [*marks, "never-written"])
    assert [found[mark] for mark in marks] == [(key,) for key in keys]
    assert found["never-written"] == ()


def test_two_partners_with_one_mark_are_both_told(connector):
    change = create()
    keys = [outcome.native_key for outcome in write(connector, change, change)]
    assert sorted(connector.find(PARTNER, [change.mark])[change.mark]) == sorted(keys)


def test_only_partners_carry_marks_and_are_written(connector):
    with pytest.raises(ConfigError, match="carries no marks"):
        connector.find("A_Customer", ["x"])
    with pytest.raises(ConfigError, match="is not written by itself; write 'A_BusinessPartner'"):
        connector.prepare("A_Customer", [])


# changes


def test_only_what_differs_is_sent(connector, partner):
    change = edit(partner, OrganizationBPName1="New", OrganizationBPName2="", BusinessPartnerIsBlocked=False)
    (prepared,) = connector.prepare(PARTNER, [change])
    (request,) = prepared.requests
    assert (request.method, request.path) == ("PATCH", f"A_BusinessPartner('{partner.key}')")
    assert json.loads(request.body) == {"OrganizationBPName1": "New"}
    assert request.headers == {"If-Match": partner.etag}
    (outcome,) = connector.send([prepared])
    assert (outcome.status, outcome.native_key) == (Status.UPDATED, partner.key)
    assert shown(connector, partner.key).data["OrganizationBPName1"] == "New"


def test_flat_changes_of_a_known_state_read_nothing(connector, sandbox, partner):
    sandbox.control("DELETE", "/stats")
    connector.prepare(PARTNER, [edit(partner, OrganizationBPName1="New")])
    assert sandbox.control("GET", "/stats")["requests"] == {}


@pytest.mark.parametrize("etag", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_what_is_there_already_is_unchanged(connector, sandbox, partner, etag, known):
    change = Change(Record(partner.key, partner.data), partner.data if known else None, partner.etag if etag else None)
    (outcome,) = write(connector, change)
    assert (outcome.status, outcome.native_key) == (Status.UNCHANGED, partner.key)
    assert not [entry for entry in sandbox.control("GET", "/log")["entries"] if entry["action"] != "created"]


@pytest.mark.fault("T15")
def test_none_clears_text_and_flags(connector, partner):
    write(connector, edit(partner, OrganizationBPName2="Line 2", BusinessPartnerIsBlocked=True))
    partner = shown(connector, partner.key)
    assert partner.data["OrganizationBPName2"] == "Line 2"
    write(connector, edit(partner, OrganizationBPName2=None, BusinessPartnerIsBlocked=None))
    after = shown(connector, partner.key).data
    assert (after["OrganizationBPName2"], after["BusinessPartnerIsBlocked"]) == ("", False)
    assert after["OrganizationBPName1"] == "Müller & Söhne"


@pytest.mark.fault("T7")
@pytest.mark.parametrize(("etag", "known"), [(True, True), (True, False), (False, True)])
def test_a_partner_that_moved_is_a_conflict_and_keeps_the_others_edit(connector, sandbox, partner, etag, known):
    other = {"entity": PARTNER, "key": partner.key, "set": {"OrganizationBPName1": "By a user"}}
    sandbox.control("POST", "/change", other)
    (outcome,) = write(connector, edit(partner, etag, known, OrganizationBPName1="By the hub"))
    assert outcome.status is Status.CONFLICT
    assert shown(connector, partner.key).data["OrganizationBPName1"] == "By a user"


@pytest.mark.fault("T7")
def test_a_partner_that_moves_between_prepare_and_send_is_a_conflict(connector, sandbox, partner):
    prepared = connector.prepare(PARTNER, [edit(partner, etag=False, known=False, OrganizationBPName1="By the hub")])
    sandbox.control("POST", "/change", {"entity": PARTNER, "key": partner.key, "set": {"SearchTerm1": "X"}})
    (outcome,) = connector.send(prepared)
    assert outcome.status is Status.CONFLICT


def test_a_partner_that_is_gone_is_a_conflict(connector, sandbox, partner):
    prepared = connector.prepare(PARTNER, [edit(partner, OrganizationBPName1="New")])
    sandbox.control("POST", "/delete", {"entity": PARTNER, "key": partner.key})
    assert connector.send(prepared)[0].status is Status.CONFLICT
    (outcome,) = write(connector, edit(partner, etag=False, OrganizationBPName1="New"))
    assert (outcome.status, outcome.code) == (Status.CONFLICT, "not_found")


def test_a_partner_is_not_deleted(connector, partner):
    (outcome,) = write(connector, Change(Record(partner.key, {}, deleted=True)))
    assert (outcome.status, outcome.code) == (Status.REJECTED, "not_deletable")


def addresses(record):
    return json.loads(json.dumps(record.data["to_BusinessPartnerAddress"]))


def test_addresses_are_added_changed_and_removed_one_by_one(connector, sandbox, partner):
    first = addresses(partner)
    (outcome,) = write(
        connector,
        edit(
            partner,
            to_BusinessPartnerAddress=[
                *first,
                {"CityName": "Wien", "Country": "AT"},
                {"CityName": "Bern", "Country": "CH"},
            ],
        ),
    )
    assert outcome.status is Status.UPDATED
    partner = shown(connector, partner.key)
    by_city = {address["CityName"]: address["AddressID"] for address in addresses(partner)}
    assert outcome.child_keys == {
        "to_BusinessPartnerAddress/1": by_city["Wien"],
        "to_BusinessPartnerAddress/2": by_city["Bern"],
    }
    kept = [address for address in addresses(partner) if address["CityName"] != "Köln"]
    kept[0]["CityName"] = "Graz"
    (prepared,) = connector.prepare(PARTNER, [edit(partner, to_BusinessPartnerAddress=kept)])
    assert [request.method for request in prepared.requests] == ["DELETE", "PATCH"]
    assert connector.send([prepared])[0].status is Status.UPDATED
    assert {address["CityName"] for address in addresses(shown(connector, partner.key))} == {"Graz", "Bern"}


def test_what_others_added_meanwhile_stays(connector, sandbox, partner):
    created = {"BusinessPartner": partner.key, "CityName": "Paris", "Country": "FR"}
    sandbox.control("POST", "/create", {"entity": "A_BusinessPartnerAddress", "set": created})
    (outcome,) = write(connector, edit(partner, to_BusinessPartnerAddress=[]))
    assert outcome.status is Status.UPDATED
    assert [address["CityName"] for address in addresses(shown(connector, partner.key))] == ["Paris"]


def test_nothing_is_removed_where_nothing_is_known(connector, partner):
    (outcome,) = write(connector, edit(partner, known=False, to_BusinessPartnerAddress=[]))
    assert outcome.status is Status.UNCHANGED


def test_an_address_someone_removed_is_a_conflict(connector, sandbox, partner):
    wanted = addresses(partner)
    wanted[0]["CityName"] = "Graz"
    key = f"{partner.key}/{wanted[0]['AddressID']}"
    sandbox.control("POST", "/delete", {"entity": "A_BusinessPartnerAddress", "key": key})
    (outcome,) = write(connector, edit(partner, to_BusinessPartnerAddress=wanted))
    assert outcome.status is Status.CONFLICT
    assert "does not exist any more" in outcome.message


def test_a_new_email_takes_the_place_of_the_old_one(connector, partner):
    wanted = addresses(partner)
    wanted[0]["to_EmailAddress"] = [{"EmailAddress": "new@example.com"}]
    (prepared,) = connector.prepare(PARTNER, [edit(partner, to_BusinessPartnerAddress=wanted)])
    assert [request.method for request in prepared.requests] == ["PATCH"]
    assert connector.send([prepared])[0].status is Status.UPDATED
    after = addresses(shown(connector, partner.key))[0]["to_EmailAddress"]
    assert [(email["OrdinalNumber"], email["EmailAddress"]) for email in after] == [("1", "new@example.com")]


def test_emails_and_phones_are_added_and_removed(connector, partner):
    wanted = addresses(partner)
    wanted[0]["to_EmailAddress"].append({"EmailAddress": "second@example.com"})
    wanted[0]["to_PhoneNumber"] = []
    (outcome,) = write(connector, edit(partner, to_BusinessPartnerAddress=wanted))
    assert outcome.status is Status.UPDATED
    after = addresses(shown(connector, partner.key))[0]
    assert {email["EmailAddress"] for email in after["to_EmailAddress"]} == {"info@example.com", "second@example.com"}
    assert after["to_PhoneNumber"] == []


def test_roles_and_tax_numbers_are_matched_by_what_they_are(connector, partner):
    roles = [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}, {"BusinessPartnerRole": "FLVN00"}]
    taxes = [{"BPTaxType": "DE0", "BPTaxNumber": "DE999999999"}, {"BPTaxType": "DE1", "BPTaxNumber": "12/345/67890"}]
    (outcome,) = write(connector, edit(partner, to_BusinessPartnerRole=roles, to_BusinessPartnerTax=taxes))
    assert outcome.status is Status.UPDATED
    after = shown(connector, partner.key)
    assert {role["BusinessPartnerRole"] for role in after.data["to_BusinessPartnerRole"]} == {
        "FLCU00",
        "FLCU01",
        "FLVN00",
    }
    numbers = {tax["BPTaxType"]: tax["BPTaxNumber"] for tax in after.data["to_BusinessPartnerTax"]}
    assert numbers == {"DE0": "DE999999999", "DE1": "12/345/67890"}
    (outcome,) = write(connector, edit(after, to_BusinessPartnerTax=taxes[:1]))
    assert outcome.status is Status.UPDATED
    assert len(shown(connector, partner.key).data["to_BusinessPartnerTax"]) == 1


def test_a_role_cannot_be_taken_away(connector, partner):
    (outcome,) = write(connector, edit(partner, to_BusinessPartnerRole=[{"BusinessPartnerRole": "FLCU00"}]))
    assert outcome.status is Status.REJECTED
    assert "'FLCU01' cannot be removed through this API" in outcome.message


def test_customer_and_sales_areas_are_changed_and_a_removed_area_is_flagged(connector, partner):
    areas = [{**AREA, "Currency": "CHF"}, {**AREA, "DistributionChannel": "20"}]
    wanted = {"OrderIsBlockedForCustomer": "01", "to_CustomerSalesArea": areas}
    (outcome,) = write(connector, edit(partner, to_Customer=wanted))
    assert outcome.status is Status.UPDATED
    after = shown(connector, partner.key)
    assert after.data["to_Customer"]["OrderIsBlockedForCustomer"] == "01"
    found = {
        area["DistributionChannel"]: area["Currency"] for area in after.data["to_Customer"]["to_CustomerSalesArea"]
    }
    assert found == {"10": "CHF", "20": "EUR"}
    (outcome,) = write(connector, edit(after, to_Customer={"to_CustomerSalesArea": areas[:1]}))
    assert outcome.status is Status.UPDATED
    flags = {
        area["DistributionChannel"]: area["DeletionIndicator"]
        for area in shown(connector, partner.key).data["to_Customer"]["to_CustomerSalesArea"]
    }
    assert flags == {"10": False, "20": True}


def test_a_partner_without_a_customer_says_what_to_do_first(connector):
    (created,) = write(
        connector, Change(Record("", {"BusinessPartnerCategory": "2", "OrganizationBPName1": "No customer"}))
    )
    change = Change(Record(created.native_key, {"to_Customer": {"OrderIsBlockedForCustomer": "01"}}))
    (outcome,) = write(connector, change)
    assert outcome.status is Status.REJECTED
    assert outcome.message == "to_Customer: the partner is no customer: give it a customer role first"


@pytest.mark.fault("T13")
def test_a_change_of_a_partner_and_its_children_happens_as_a_whole_or_not_at_all(connector, partner):
    wanted = addresses(partner)
    wanted[0]["Country"] = "ZZ"
    (outcome,) = write(connector, edit(partner, OrganizationBPName1="New", to_BusinessPartnerAddress=wanted))
    assert outcome.status is Status.REJECTED
    assert shown(connector, partner.key).data == partner.data


def test_changes_and_creates_go_together_and_each_has_its_outcome(connector, partner):
    outcomes = write(
        connector,
        create("A"),
        edit(partner, OrganizationBPName1="B"),
        Change(Record(partner.key, {}, deleted=True)),
        create("C", country="ZZ"),
        edit(partner, etag=False, known=False, OrganizationBPName1="Müller & Söhne"),
    )
    assert [outcome.status for outcome in outcomes] == [
        Status.CREATED,
        Status.UPDATED,
        Status.REJECTED,
        Status.REJECTED,
        Status.UNCHANGED,
    ]


def test_a_key_with_every_odd_character_reaches_its_record(connector, sandbox):
    for key in ("A/B", "O'NEIL", "ÄÖ ß", "A|B", "50%", "A+B&C=D", "#?;"):
        data = {"BusinessPartner": key, "BusinessPartnerGrouping": "BPEE", "BusinessPartnerCategory": "2"}
        sandbox.control("POST", "/create", {"entity": PARTNER, "set": {**data, "OrganizationBPName1": "Old"}})
        (outcome,) = write(connector, Change(Record(key, {"OrganizationBPName1": "New"})))
        assert (key, outcome.status) == (key, Status.UPDATED)
        assert shown(connector, key).data["OrganizationBPName1"] == "New"


def test_nothing_to_send_is_nothing_sent(connector, sandbox):
    assert connector.prepare(PARTNER, []) == []
    assert connector.send([]) == []
    assert isinstance(connector.prepare(PARTNER, [create()])[0], Prepared)
    assert "POST" not in str(sandbox.control("GET", "/stats")["requests"])
