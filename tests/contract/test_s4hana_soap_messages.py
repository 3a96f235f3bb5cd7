"""The replication messages made of changes: their numbers, what is in them, what is refused before anything is sent."""

import re
from dataclasses import replace

import pytest
from lxml import etree

from connectors.s4hana.replication.messages import Ordinals
from l2c.contract import Change, Connection, Record, Status, System
from tests.contract.replicated import (
    ADDRESS,
    AREA,
    PARTNER,
    body_of,
    connectors,
    edit,
    organization,
    outcome_of,
    partner_of,
    partner_there,
)
from tests.contract.rigs.sandbox import started


@pytest.fixture(scope="module")
def erp(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("erp"))
    with started("s4hana", "--partners", "0", "--profile", "onpremise", "--data", folder, service="^/sap/") as found:
        yield found


@pytest.fixture
def connector_for(erp):
    with connectors(erp.url) as build:
        yield build


@pytest.fixture
def connector(connector_for):
    return connector_for()


@pytest.fixture
def key(connector_for):
    return partner_there(connector_for)


# single


def test_a_message_carries_its_own_number_and_the_envelope_another(connector):
    root = etree.fromstring(body_of(connector, Change(Record("", organization()), mark="own-number")))
    bulk, own = (header.findtext("ID") for header in root.iter("MessageHeader"))
    assert bulk != own
    assert re.fullmatch(r"[0-9A-F]{32}", own)
    message = root.find(".//BusinessPartnerSUITEReplicateRequestMessage/MessageHeader")
    assert message.findtext("UUID").replace("-", "").upper() == own
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.findtext("CreationDateTime"))
    assert message.findtext("SenderBusinessSystemID") == "L2CHUB"


def test_the_same_create_prepared_again_has_the_same_number_and_a_later_place(connector_for, clock):
    first = body_of(connector_for(clock=clock), Change(Record("", organization()), mark="same"))
    clock.forward(seconds=1)
    again = body_of(connector_for(clock=clock), Change(Record("", organization()), mark="same"))
    assert _message_id(first) == _message_id(again)
    assert _ordinal(first) < _ordinal(again)
    assert partner_of(first).findtext("UUID") == partner_of(again).findtext("UUID")


def _message_id(body):
    return etree.fromstring(body).findtext(".//BusinessPartnerSUITEReplicateRequestMessage/MessageHeader/ID")


def _ordinal(body):
    return int(partner_of(body).get("changeOrdinalNumberValue"))


def test_another_content_another_mark_and_another_state_have_other_numbers(connector, key):
    bodies = [
        body_of(connector, Change(Record("", organization()), mark="one")),
        body_of(connector, Change(Record("", organization()), mark="two")),
        body_of(connector, Change(Record("", organization(SearchTerm1="OTHER")), mark="one")),
        body_of(connector, edit(key, {"OrganizationBPName1": "A"})),
        body_of(connector, edit(key, {"OrganizationBPName1": "B"})),
    ]
    assert len({_message_id(body) for body in bodies}) == len(bodies)


def test_a_change_that_was_answered_is_sent_again_under_another_number(connector):
    change = Change(Record("", organization()), mark="answered")
    first = body_of(connector, change)
    again = body_of(connector, replace(change, answered=_message_id(first)))
    assert _message_id(again) not in ("", None, _message_id(first))
    assert partner_of(again).findtext("UUID") == partner_of(first).findtext("UUID"), "it is the same partner"


def test_two_creates_without_mark_are_two_partners_even_with_the_same_content(connector):
    first, second = (partner_of(body_of(connector, Change(Record("", organization())))) for _ in range(2))
    assert first.findtext("UUID") != second.findtext("UUID")


def test_a_create_is_known_by_the_number_derived_from_its_mark(connector):
    partner = partner_of(body_of(connector, Change(Record("", organization()), mark="mark-of-a-create")))
    assert partner.get("actionCode") == "04"
    assert partner.findtext("ExternalID") == "MARK-OF-A-CREATE"
    assert partner.findtext("Common/LegacyBusinessPartnerID") == "MARK-OF-A-CREATE"
    assert partner.findtext("UUID")
    assert partner.find("InternalID") is None
    assert partner.findtext("NumberRangeIntervalBusinessPartnerGroupCode") == "BP02"


def test_a_change_names_the_partner_by_every_number_it_has(connector, key):
    partner = partner_of(body_of(connector, edit(key, {"OrganizationBPName1": "A"})))
    assert partner.get("actionCode") == "04"
    assert partner.findtext("ReceiverInternalID") == partner.findtext("InternalID") == key.zfill(10)
    assert partner.findtext("ReceiverUUID") == partner.findtext("UUID")
    assert partner.findtext("ExternalID").startswith("MADE-")


def test_every_address_is_known_by_a_number(connector, key):
    added = {"to_BusinessPartnerAddress": [ADDRESS, {"Country": "AT", "CityName": "Wien"}]}
    first, again = (partner_of(body_of(connector, edit(key, added))) for _ in range(2))
    (address,) = first.iterfind("AddressInformation")
    assert address.get("actionCode") == "04"
    assert address.findtext("UUID") == again.findtext("AddressInformation/UUID")
    assert address.findtext("Address/PostalAddress/CityName") == "Wien"


def test_places_in_order_grow_though_the_clock_stands_still(clock):
    ordinals = Ordinals(System("erp", Connection("https://erp.example"), clock=clock))
    given = [ordinals.next() for _ in range(3)]
    assert given == sorted(set(given))
    assert given[0] == int(clock().timestamp() * 1000)


# what is in them


def test_only_what_differs_is_sent_and_each_node_whole(connector, key):
    partner = partner_of(
        body_of(connector, edit(key, {"OrganizationBPName1": "Neu", "to_BusinessPartnerAddress": [ADDRESS]}))
    )
    assert [child.tag for child in partner if child.tag in {"Common", "AddressInformation", "Role", "TaxNumber"}] == [
        "Common"
    ]
    assert partner.findtext("Common/Organisation/Name/FirstLineName") == "Neu"
    assert partner.findtext("Common/Organisation/Name/SecondLineName") == "Werkzeuge"
    assert partner.findtext("Common/KeyWordsText") == "MUELLER"


def test_a_change_that_changes_nothing_is_not_sent(connector, key):
    outcome = outcome_of(
        connector, edit(key, {"OrganizationBPName2": "Werkzeuge", "to_BusinessPartnerAddress": [ADDRESS]})
    )
    assert (outcome.status, outcome.native_key) == (Status.UNCHANGED, key)


def test_no_list_says_it_is_complete_unless_asked(connector, connector_for, key):
    change = edit(
        key, {"to_BusinessPartnerAddress": [{**ADDRESS, "CityName": "Bonn"}]}, {"to_BusinessPartnerAddress": [ADDRESS]}
    )
    assert b"CompleteTransmissionIndicator" not in body_of(connector, change)
    asked = partner_of(body_of(connector_for(replication_complete=("to_BusinessPartnerAddress",)), change))
    assert asked.get("addressInformationListCompleteTransmissionIndicator") == "true"
    assert asked.get("roleListCompleteTransmissionIndicator") is None


def test_what_was_known_and_is_gone_is_removed_and_nothing_else(connector, key):
    before = {"to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE123456789"}]}
    partner = partner_of(body_of(connector, edit(key, {"to_BusinessPartnerTax": []}, before)))
    (tax,) = partner.iterfind("TaxNumber")
    assert (tax.get("actionCode"), tax.findtext("CountryCode"), tax.findtext("TaxIdentificationNumberTypeCode")) == (
        "05",
        "DE",
        "0",
    )
    assert outcome_of(connector, edit(key, {"to_BusinessPartnerTax": []}, {})).status is Status.UNCHANGED


def test_a_sales_area_that_is_gone_is_flagged(connector, key):
    areas = {"to_CustomerSalesArea": [AREA]}
    partner = partner_of(
        body_of(connector, edit(key, {"to_Customer": {"to_CustomerSalesArea": []}}, {"to_Customer": areas}))
    )
    (area,) = partner.iterfind("Customer/SalesArrangement")
    assert (area.get("actionCode"), area.findtext("DeletedIndicator")) == ("04", "true")


def test_a_number_of_another_value_replaces_the_one_before(connector, key):
    changed = {**ADDRESS, "to_EmailAddress": [{"EmailAddress": "new@example.com"}]}
    change = edit(key, {"to_BusinessPartnerAddress": [changed]}, {"to_BusinessPartnerAddress": [ADDRESS]})
    emails = partner_of(body_of(connector, change)).iterfind("AddressInformation/Address/Email")
    actions = {(email.get("actionCode"), email.findtext("URI")) for email in emails}
    assert actions == {("04", "new@example.com"), ("05", "info@example.com"), ("05", "b@example.com")}


def test_a_number_in_one_text_is_the_one_in_two_fields(connector, key):
    one_text = {**ADDRESS, "CityName": "Bonn", "to_PhoneNumber": [{"PhoneNumber": "0221 1-12"}]}
    change = edit(key, {"to_BusinessPartnerAddress": [one_text]}, {"to_BusinessPartnerAddress": [ADDRESS]})
    assert partner_of(body_of(connector, change)).find(".//Telephone") is None


def test_the_default_number_says_so_by_its_usage_and_comes_first(connector):
    second = {
        **ADDRESS,
        "to_EmailAddress": [
            {"EmailAddress": "a@example.com"},
            {"EmailAddress": "d@example.com", "IsDefaultEmailAddress": True},
        ],
    }
    partner = partner_of(
        body_of(connector, Change(Record("", organization(to_BusinessPartnerAddress=[second])), mark="default"))
    )
    emails = partner.findall(".//Email")
    assert [email.findtext("URI") for email in emails] == ["d@example.com", "a@example.com"]
    assert [email.findtext("EmailUsage/Usage/Code") for email in emails] == ["AD_DEFAULT", None]


def test_an_address_born_in_s4hana_keeps_its_own_number_out_of_the_foreign_one(connector, connector_for):
    writer = connector_for(write_by="odata")
    plain = {name: value for name, value in ADDRESS.items() if name != "AddressIDByExternalSystem"}
    change = Change(Record("", organization(to_BusinessPartnerAddress=[plain])), mark="born-here")
    (outcome,) = writer.send(writer.prepare(PARTNER, [change]))
    (record,) = writer.fetch(PARTNER, [outcome.native_key], fields=["to_BusinessPartnerAddress.AddressID"])
    number = record.data["to_BusinessPartnerAddress"][0]["AddressID"]
    wanted = {"to_BusinessPartnerAddress": [{"AddressIDByExternalSystem": number, "CityName": "Bonn"}]}
    (address,) = partner_of(body_of(connector, edit(record.key, wanted))).iterfind("AddressInformation")
    assert address.find("ReceiverUUID") is not None
    assert address.find("ExternalAddressID") is None
    assert address.findtext("Address/PostalAddress/CityName") == "Bonn"


# refused before anything is sent


def test_a_field_no_element_carries_is_named(connector):
    outcome = outcome_of(connector, Change(Record("", organization(TradingPartner="X1", NoSuchField=1)), mark="named"))
    assert outcome.status is Status.REJECTED
    assert "TradingPartner: the replication message does not carry this field" in outcome.message
    assert "NoSuchField" in outcome.message


def test_a_value_that_does_not_fit_is_named_by_its_element_and_not_shown(connector):
    outcome = outcome_of(
        connector, Change(Record("", organization(OrganizationBPName1="x" * 41, SearchTerm1="y" * 21)), mark="long")
    )
    assert outcome.status is Status.REJECTED
    assert "Common/Organisation/Name/FirstLineName: too long" in outcome.message
    assert "Common/KeyWordsText: too long" in outcome.message
    assert "xxx" not in outcome.message


def test_a_partner_without_category_is_not_created(connector):
    outcome = outcome_of(connector, Change(Record("", {"OrganizationBPName1": "A"}), mark="none"))
    assert (outcome.status, "BusinessPartnerCategory" in outcome.message) == (Status.REJECTED, True)


def test_a_partner_is_not_deleted(connector, key):
    assert outcome_of(connector, Change(Record(key, {}, deleted=True))).code == "not_deletable"


def test_a_partner_that_is_not_there_is_a_conflict(connector):
    assert outcome_of(connector, edit("9999999999", {"OrganizationBPName1": "A"})).status is Status.CONFLICT


def test_a_partner_that_moved_since_it_was_read_is_a_conflict(connector, key):
    by_etag = Change(Record(key, {"OrganizationBPName1": "A"}), before={}, etag="W/\"'20200101000000.00000000001'\"")
    by_value = edit(key, {"OrganizationBPName1": "A"}, {"OrganizationBPName1": "something else"})
    for change in (by_etag, by_value):
        outcome = outcome_of(connector, change)
        assert (outcome.status, outcome.code) == (Status.CONFLICT, "moved")


def test_an_address_that_is_gone_is_a_conflict(connector, key):
    gone = {"to_BusinessPartnerAddress": [{"AddressID": "99999", "CityName": "Bonn"}]}
    assert outcome_of(connector, edit(key, gone)).status is Status.CONFLICT
    was = {"to_BusinessPartnerAddress": [{"AddressIDByExternalSystem": "A-9", "Country": "DE", "CityName": "Bonn"}]}
    assert outcome_of(connector, edit(key, was, was)).status is Status.CONFLICT
