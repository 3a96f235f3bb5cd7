"""What a request does to a partner that is there: action codes, lists, fields."""

import pytest

from .replication import Sender, address, firm, fresh, named, telephone


@pytest.fixture(scope="module")
def onpremise(start):
    process = start("s4hana", "--profile", "onpremise", "--partners", "20")
    process.tell("/settings", soap_delay_s=0)
    return process


@pytest.fixture
def sap(onpremise):
    before = onpremise.ask("/settings")
    sender = Sender(onpremise)
    yield sender
    sender.session.close()
    onpremise.tell("/settings", **before)


# action codes


@pytest.mark.parametrize(
    ("action", "there", "result", "words"),
    [
        ("01", False, "3", "was created"),
        ("01", True, "5", "already exists"),
        ("02", False, "5", "does not exist"),
        ("02", True, "3", "was changed"),
        ("03", False, "5", "does not exist"),
        ("03", True, "3", "marked for archiving"),
        ("04", False, "3", "was created"),
        ("04", True, "3", "was changed"),
        ("05", False, "3", "was not changed"),
        ("05", True, "3", "marked for archiving"),
        ("06", False, "3", "was not changed"),
        ("06", True, "3", "was not changed"),
    ],
)
def test_an_action_code_says_what_may_be_there(sap, action, there, result, words):
    key = fresh()
    number = sap.told(named(firm("Alt AG"), key))[0].number if there else ""
    done = sap.told(named(firm("Neu AG"), key, actionCode=action))[0]
    assert (done.result, words in done.notes[0]) == (result, True)
    if there:
        record = sap.record("A_BusinessPartner", number)
        assert record["OrganizationBPName1"] == ("Neu AG" if words == "was changed" else "Alt AG")
        assert record["IsMarkedForArchiving"] is (words == "marked for archiving")


def test_the_receivers_own_number_counts_first_and_must_be_right(sap):
    number = sap.one(firm("Alt AG")).number
    content = firm("Neu AG").replace(
        "<CategoryCode>", f"<ReceiverInternalID>{number.zfill(10)}</ReceiverInternalID><CategoryCode>"
    )
    assert sap.one(content).number == number
    unknown = sap.one(content.replace(number, "9999999"))
    assert (unknown.result, unknown.notes) == ("5", ["Business partner '0009999999' does not exist"])
    other = fresh()
    sap.told(named(firm("Andere AG"), other))
    mixed = sap.told(named(content, other))[0]
    assert (mixed.result, "mean business partners" in mixed.notes[0]) == ("5", True)


# what an update keeps and takes away


def test_a_list_takes_nothing_away_unless_it_says_that_it_is_complete(sap):
    key, first, second = fresh(), fresh(), fresh()
    number = sap.told(named(firm() + "<Role><RoleCode>BUP002</RoleCode></Role>", key))[0].number
    both = "<CategoryCode>2</CategoryCode>" + address("Bonn", UUID=first) + address("Köln", UUID=second)
    sap.told(named(both, key))
    only = "<CategoryCode>2</CategoryCode>" + address("Bonn", UUID=first) + "<Role><RoleCode>FLVN00</RoleCode></Role>"

    def state() -> tuple[list[str], list[str]]:
        row = sap.rows(
            "A_BusinessPartner",
            filter=f"BusinessPartner eq '{number}'",
            expand="to_BusinessPartnerAddress,to_BusinessPartnerRole",
        )[0]
        towns = [a["CityName"] for a in row["to_BusinessPartnerAddress"]["results"]]
        return towns, [r["BusinessPartnerRole"] for r in row["to_BusinessPartnerRole"]["results"]]

    for flag in ("false", None):
        flags = {} if flag is None else dict.fromkeys(COMPLETE, flag)
        sap.told(named(only, key, **flags))
        assert state() == (["Bonn", "Köln"], ["BUP002", "FLVN00"])
    sap.told(named(only, key, **dict.fromkeys(COMPLETE, "true")))
    assert state() == (["Bonn"], ["FLVN00"])


COMPLETE = ("addressInformationListCompleteTransmissionIndicator", "roleListCompleteTransmissionIndicator")


def test_an_element_of_a_list_is_taken_away_by_its_action_code(sap):
    key = fresh()
    number = sap.told(named(firm() + "<Role><RoleCode>BUP002</RoleCode></Role>", key))[0].number
    gone = '<CategoryCode>2</CategoryCode><Role actionCode="{}"><RoleCode>BUP002</RoleCode></Role>'
    assert sap.told(named(gone.format("03"), key))[0].result == "3"
    assert sap.rows(f"A_BusinessPartner('{number}')/to_BusinessPartnerRole") == []
    assert sap.told(named(gone.format("05"), key))[0].result == "3"
    assert "does not exist" in sap.told(named(gone.format("03"), key))[0].notes[0]


def test_numbers_and_mail_keep_their_position_in_a_complete_list(sap):
    key, home = fresh(), fresh()
    content = "<CategoryCode>2</CategoryCode>" + address(
        "Bonn", telephone("1"), telephone("2"), inner="<Email><URI>a@x.example</URI></Email>", UUID=home
    )
    number = sap.told(named(content + firm()[len("<CategoryCode>2</CategoryCode>") :], key))[0].number
    identity = sap.rows("A_BusinessPartnerAddress", filter=f"BusinessPartner eq '{number}'")[0]["AddressID"]

    def phones() -> list[tuple[str, str, bool]]:
        rows = sap.rows("A_AddressPhoneNumber", filter=f"AddressID eq '{identity}'")
        return [(row["OrdinalNumber"], row["PhoneNumber"], row["IsDefaultPhoneNumber"]) for row in rows]

    assert phones() == [("1", "1", True), ("2", "2", False)]
    more = "<CategoryCode>2</CategoryCode>" + address("Bonn", telephone("3"), UUID=home)
    sap.told(named(more, key))
    assert phones() == [("1", "1", True), ("2", "2", False), ("3", "3", False)]
    whole = more.replace("<Address>", '<Address telephoneListCompleteTransmissionIndicator="true">')
    sap.told(named(whole.replace(telephone("3"), telephone("4") + telephone("2")), key))
    assert phones() == [("1", "4", True), ("2", "2", False)]
    assert [e["EmailAddress"] for e in sap.rows("A_AddressEmailAddress", filter=f"AddressID eq '{identity}'")] == [
        "a@x.example"
    ]


def test_a_field_that_is_not_sent_is_kept_and_an_empty_one_cleared(sap):
    key = fresh()
    common = "<Common>{}<Organisation><Name><FirstLineName>Muster</FirstLineName></Name></Organisation></Common>"
    head, search = "<CategoryCode>2</CategoryCode>", "<KeyWordsText>{}</KeyWordsText>"
    number = sap.told(named(head + common.format(search.format("FIND")), key))[0].number

    def found(content: str) -> str:
        sap.told(named(head + common.format(content), key))
        return sap.record("A_BusinessPartner", number)["SearchTerm1"]

    assert found("") == "FIND"
    assert found(search.format("")) == ""
    assert found(search.format("AGAIN")) == "AGAIN"
    sap.process.tell("/settings", soap_absent="clear")
    assert found("") == ""


def test_a_message_that_changes_nothing_writes_nothing(sap, onpremise):
    key, home = fresh(), fresh()
    head = "<CategoryCode>2</CategoryCode>"
    content = (
        head
        + address("Bonn", telephone("1"), UUID=home)
        + firm()[len(head) :]
        + "<Role><RoleCode>FLCU00</RoleCode></Role>"
    )
    number = sap.told(named(content, key))[0].number
    before, after = sap.record("A_BusinessPartner", number), onpremise.log_end()
    assert sap.told(named(content, key))[0].result == "3"
    assert (onpremise.log(after), sap.record("A_BusinessPartner", number)) == ([], before)


def test_a_partner_becomes_a_customer_later(sap):
    key = fresh()
    number = sap.told(named(firm(), key))[0].number
    area = (
        "<CategoryCode>2</CategoryCode><Customer><SalesArrangement><SalesOrganisationID>1010</SalesOrganisationID>"
        "<DistributionChannelCode>10</DistributionChannelCode><DivisionCode>00</DivisionCode></SalesArrangement></Customer>"
        "<Role><RoleCode>FLCU00</RoleCode></Role><Role><RoleCode>FLCU01</RoleCode></Role>"
    )
    done = sap.told(named(area, key))[0]
    assert (done.result, done.notes) == ("3", [f"Business partner {number} was changed"])
    assert sap.record("A_CustomerSalesArea", f"{number}/1010/10/00")["Customer"] == number
    assert sap.record("A_BusinessPartner", number)["Customer"] == number
