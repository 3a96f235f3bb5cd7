"""Partners taken by SOAP: how requests are received, and what becomes of what is in them."""

import uuid

import pytest
import requests

from .replication import ENVELOPES, LOGIN, PATH, Sender, address, envelope, firm, fresh, named, partner, telephone

BILLION = '<!DOCTYPE a [<!ENTITY b "c">]>'


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


# receiving


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_request_is_taken_with_202_and_nothing_to_read(sap, version):
    answer = sap.post(envelope(partner(firm()), version=version), version)
    assert (answer.status_code, answer.content) == (202, b"")


def test_nobody_without_login_gets_in(onpremise):
    answer = requests.post(onpremise.url + PATH, envelope(partner(firm())), timeout=20)
    assert answer.status_code == 401
    assert requests.get(onpremise.url + PATH + "?wsdl", timeout=20).status_code == 401
    other = requests.get(onpremise.url + PATH + "?wsdl&sap-client=200", auth=LOGIN, timeout=20)
    assert other.status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<a", "not well-formed"),
        (b"", "not well-formed"),
        (BILLION.encode() + b"<a>&b;</a>", "a document type is not allowed"),
        (b"<a/>", "no SOAP envelope"),
        (f'<s:Envelope xmlns:s="{ENVELOPES["1.1"]}"><s:Body/></s:Envelope>'.encode(), "must hold one element"),
        (f'<s:Envelope xmlns:s="{ENVELOPES["1.1"]}"><s:Body><x/></s:Body></s:Envelope>'.encode(), "no operation takes"),
        (envelope(partner(firm()), header=""), "MessageHeader/ID is missing"),
        (envelope(), "BusinessPartnerSUITEReplicateRequestMessage is missing"),
        (envelope(partner("<UUID>4711</UUID>")), "has not the form of 'uuid'"),
        (envelope(partner(firm(), actionCode="07")), "has not the form of 'action'"),
        (envelope(partner(firm("x" * 41))), "is longer than 40 characters"),
    ],
)
def test_what_is_no_such_message_is_a_fault_at_once(sap, body, words):
    answer = sap.post(body)
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "<faultcode>soap:Client</faultcode>" in answer.text
    assert words in answer.text


def test_a_fault_of_version_1_2_is_a_400_of_its_own_shape(sap):
    answer = sap.post(envelope(partner(firm()), header="", version="1.2"), "1.2")
    assert (answer.status_code, "<soap:Value>soap:Sender</soap:Value>" in answer.text) == (400, True)
    mixed = sap.post(envelope(partner(firm()), version="1.2"), "1.1")
    assert "travels as application/soap+xml" in mixed.text


def test_other_methods_are_refused_but_a_look_whether_it_is_there(sap, onpremise):
    assert sap.session.head(onpremise.url + PATH, timeout=20).status_code == 200
    assert sap.session.get(onpremise.url + PATH, timeout=20).status_code == 405


def test_the_cloud_has_no_such_address(start):
    process = start("s4hana", "--partners", "1")
    assert requests.get(process.url + PATH, auth=LOGIN, timeout=20).status_code == 404


def test_elements_the_sandbox_does_not_know_are_left_out_and_counted(sap, onpremise):
    assert sap.one(firm() + "<IndustrySector><IndustrySectorCode>1</IndustrySectorCode></IndustrySector>").result == "3"
    assert any(name.endswith("BusinessPartner/IndustrySector") for name in onpremise.ask("/stats")["events"])


# creating


def test_a_new_partner_is_found_by_its_id_and_by_its_mark(sap):
    key, mark = fresh(), f"SHOP-{uuid.uuid4().hex[:8]}"
    done = sap.told(named(firm("Neu AG", ExternalID=mark), key))[0]
    assert (done.result, done.severity, done.keys["UUID"], done.keys["ReceiverUUID"]) == ("3", "1", key, key)
    by_id = sap.rows("A_BusinessPartner", filter=f"BusinessPartnerUUID eq guid'{key}'")
    by_mark = sap.rows("A_BusinessPartner", filter=f"BusinessPartnerIDByExtSystem eq '{mark}'")
    assert [row["BusinessPartner"] for row in by_id] == [row["BusinessPartner"] for row in by_mark] == [done.number]
    assert (by_id[0]["BusinessPartnerName"], by_id[0]["LastChangedByUser"]) == ("Neu AG", "HUB_USER")


def test_a_number_is_confirmed_with_its_zeros_and_the_log_names_request_and_mark(sap, onpremise):
    after = onpremise.log_end()
    key = sap.send(partner(firm(ExternalID="SHOP-1")))
    sap.wait()
    entry = onpremise.log(after, entity="A_BusinessPartner")[0]
    assert (entry["request_id"], entry["origin"], entry["mark"]) == (key, "api", "SHOP-1")
    assert f"<ReceiverInternalID>{entry['key'].zfill(10)}</ReceiverInternalID>" in sap.kept(key)[0]["body"]


def test_a_customer_comes_with_everything_that_belongs_to_it(sap):
    content = (
        "<CategoryCode>2</CategoryCode><Customer>"
        "<SaleSalesAndDistributionBlocks><OrderBlockingReasonCode>01</OrderBlockingReasonCode>"
        "</SaleSalesAndDistributionBlocks>"
        "<AccountingInformation><CompanyID>1010</CompanyID>"
        "<GeneralLedgerAccountReference><ID>12100000</ID></GeneralLedgerAccountReference></AccountingInformation>"
        "<SalesArrangement><SalesOrganisationID>1010</SalesOrganisationID>"
        "<DistributionChannelCode>10</DistributionChannelCode><DivisionCode>00</DivisionCode>"
        "<CurrencyCode>EUR</CurrencyCode></SalesArrangement>"
        "<TaxClassification><TaxCountryCode>DE</TaxCountryCode><TaxTypeCode>TTX1</TaxTypeCode>"
        "<TaxGroupCode>1</TaxGroupCode></TaxClassification></Customer>"
        + address(
            "Bonn",
            telephone("0228 1"),
            telephone("0170 1", mobile=True),
            inner="<Email><URI>info@muster.example</URI></Email>",
            UUID=fresh(),
            ExternalAddressID="a1",
        )
        + firm().replace("<CategoryCode>2</CategoryCode>", "")
        + "<Role><RoleCode>FLCU00</RoleCode></Role>"
        "<Identification><PartyIdentifierTypeCode>ZSHOP</PartyIdentifierTypeCode>"
        "<BusinessPartnerID>unit|7</BusinessPartnerID></Identification>"
        "<TaxNumber><CountryCode>DE</CountryCode><TaxIdentificationNumberTypeCode>0</TaxIdentificationNumberTypeCode>"
        '<PartyTaxID schemeID="DE0">DE123456789</PartyTaxID>'
        '<LONG_PartyTaxID schemeID="DE0">DE123456789</LONG_PartyTaxID></TaxNumber>'
    )
    number = sap.one(content).number
    expand = (
        "to_Customer/to_CustomerCompany,to_Customer/to_CustomerSalesArea/to_SalesAreaTax,to_BusinessPartnerRole,"
        "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber,to_BuPaIdentification,"
        "to_BusinessPartnerAddress/to_MobilePhoneNumber,to_BusinessPartnerTax"
    )
    row = sap.rows("A_BusinessPartner", filter=f"BusinessPartner eq '{number}'", expand=expand)[0]
    assert [r["BusinessPartnerRole"] for r in row["to_BusinessPartnerRole"]["results"]] == ["FLCU00", "FLCU01"]
    assert row["to_Customer"]["OrderIsBlockedForCustomer"] == "01"
    assert row["to_Customer"]["to_CustomerCompany"]["results"][0]["ReconciliationAccount"] == "12100000"
    area = row["to_Customer"]["to_CustomerSalesArea"]["results"][0]
    assert area["to_SalesAreaTax"]["results"][0]["CustomerTaxClassification"] == "1"
    home = row["to_BusinessPartnerAddress"]["results"][0]
    assert (home["AddressIDByExternalSystem"], home["CityName"]) == ("a1", "Bonn")
    assert home["to_EmailAddress"]["results"][0]["EmailAddress"] == "info@muster.example"
    assert home["to_PhoneNumber"]["results"][0]["InternationalPhoneNumber"] == "+492281"
    assert home["to_MobilePhoneNumber"]["results"][0]["PhoneNumber"] == "0170 1"
    tax = row["to_BusinessPartnerTax"]["results"][0]
    assert (tax["BPTaxType"], tax["BPTaxNumber"]) == ("DE0", "DE123456789")
    assert row["to_BuPaIdentification"]["results"][0]["BPIdentificationNumber"] == "unit|7"


def test_a_grouping_with_numbers_from_outside_takes_the_senders_number(sap):
    content = "<InternalID>EXT-7</InternalID>" + firm(NumberRangeIntervalBusinessPartnerGroupCode="BPAB")
    assert sap.one(content).number == "EXT-7"


def test_without_any_key_the_same_partner_is_made_twice(sap):
    first, second = (sap.one(firm("Doppelt AG")).number for _ in range(2))
    assert first != second


def test_the_number_of_a_sender_is_remembered(sap):
    content = "<InternalID>0000004711</InternalID>" + firm("Merk AG")
    first, second = sap.one(content), sap.one(content)
    assert first.number == second.number
    assert (first.notes, second.notes) == (
        [f"Business partner {first.number} was created"],
        [f"Business partner {first.number} was changed"],
    )


def test_several_partners_succeed_and_fail_each_by_itself(sap, onpremise):
    after = onpremise.log_end()
    done = sap.told(partner(firm("Gut AG"), "a"), partner(firm(""), "b"), partner(firm("Auch Gut AG"), "c"))
    assert [(one.reference, one.result, one.severity) for one in done] == [
        ("a", "3", "1"),
        ("b", "5", "3"),
        ("c", "3", "1"),
    ]
    assert done[1].items == [
        {"TypeID": "102(R1)", "SeverityCode": "3", "Note": "Enter a value for 'OrganizationBPName1'"}
    ]
    assert len(onpremise.log(after, entity="A_BusinessPartner")) == 2


def test_a_warning_is_confirmed_with_the_success(sap):
    done = sap.one(
        "<CategoryCode>2</CategoryCode>"
        + address("Boston").replace("DE", "US")
        + firm().replace("<CategoryCode>2</CategoryCode>", "")
    )
    assert (done.result, done.severity) == ("3", "2")
    assert done.notes[1] == "Enter a region for country/region 'US'"


# overtaking and repeating


def test_an_overtaken_change_is_dropped_and_said_so(sap):
    key = fresh()
    number = sap.told(named(firm("Eins"), key, changeOrdinalNumberValue="5"))[0].number
    sap.told(named(firm("Zwei"), key, changeOrdinalNumberValue="7"))
    late = sap.told(named(firm("Drei"), key, changeOrdinalNumberValue="6"))[0]
    assert (late.result, late.severity, late.number) == ("5", "2", number)
    assert (late.items[0]["CategoryCode"], late.notes) == (
        "CON.LRC",
        [f"Change 6 of business partner {number} was overtaken by change 7 and is not processed"],
    )
    assert sap.record("A_BusinessPartner", number)["OrganizationBPName1"] == "Zwei"
    same = sap.told(named(firm("Vier"), key, changeOrdinalNumberValue="7"))[0]
    assert (same.result, sap.record("A_BusinessPartner", number)["OrganizationBPName1"]) == ("3", "Vier")


def test_a_message_id_is_processed_once(sap, onpremise):
    after = onpremise.log_end()
    key = sap.send(partner(firm("Einmal AG")))
    for _ in range(2):
        sap.send(partner(firm("Zweimal AG")), key=key)
    sap.wait()
    sap.send(partner(firm("Zweimal AG")), key=key)
    assert len(onpremise.log(after, entity="A_BusinessPartner")) == 1
    assert onpremise.ask("/stats")["events"]["requests_repeated"] >= 3
    assert len(sap.kept(key)) == 1


def test_a_request_taken_before_the_process_died_is_processed_by_the_next_one(start, tmp_path):
    options = ("s4hana", "--profile", "onpremise", "--partners", "5", "--data", str(tmp_path))
    first = start(*options)
    first.tell("/settings", soap_delay_s=1)
    key = Sender(first).send(partner(firm("Bleibt AG", ExternalID="STAY")))
    first.popen.kill()
    first.popen.wait(timeout=10)
    second = Sender(start(*options))
    second.wait()
    assert len(second.kept(key)) == 1
    assert len(second.rows("A_BusinessPartner", filter="BusinessPartnerIDByExtSystem eq 'STAY'")) == 1


def test_the_sandboxs_faults_meet_its_soap_address_too(sap, onpremise):
    onpremise.fault("after_commit", "POST", "businesspartnersuitebulkreplic")
    mark, body = f"LOST-{uuid.uuid4().hex[:8]}", envelope(partner(firm()))
    with pytest.raises(requests.ConnectionError):
        sap.post(body.replace(b"<Common>", f"<ExternalID>{mark}</ExternalID><Common>".encode()))
    sap.wait()
    assert len(sap.rows("A_BusinessPartner", filter=f"BusinessPartnerIDByExtSystem eq '{mark}'")) == 1
