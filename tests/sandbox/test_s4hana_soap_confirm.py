"""Confirmations on their way to the sender: where they go, and everything that can befall them."""

import base64
import time
import uuid

import pytest
import requests

from .replication import Sender, confirmed, envelope, firm, partner, receiver, until

LOGIN = {"confirm_user": "S4", "confirm_password": "secret"}


@pytest.fixture(scope="module")
def onpremise(start):
    process = start("s4hana", "--profile", "onpremise", "--partners", "5")
    process.tell("/settings", soap_delay_s=0)
    return process


@pytest.fixture
def hub():
    with receiver() as received:
        yield received


@pytest.fixture
def sap(onpremise, hub):
    before = onpremise.ask("/settings")
    onpremise.tell("/settings", confirm_url=hub.url, confirm_seed=1)
    requests.delete(onpremise.control + "/stats", timeout=20)
    sender = Sender(onpremise)
    yield sender
    sender.session.close()
    onpremise.tell("/settings", **before)


def state(sap, key: str) -> str:
    sap.wait()
    return sap.kept(key)[0]["state"]


def references(hub) -> list[str]:
    """The requests the received confirmations answer, in order."""
    return [confirmed(body)[0].request for body in hub.bodies()]


def stats(sap, kind: str) -> dict[str, int]:
    return sap.process.ask("/stats")[kind]


def test_a_confirmation_is_sent_with_login_action_and_references(sap, hub):
    sap.process.tell("/settings", **LOGIN)
    key = sap.send(partner(firm(), "inner"))
    until(lambda: len(hub.messages) == 1)
    headers, body = hub.messages[0]
    assert headers["authorization"] == "Basic " + base64.b64encode(b"S4:secret").decode()
    assert headers["content-type"] == "text/xml; charset=utf-8"
    assert headers["soapaction"].endswith(
        'ReplicateConfirmation_In/BusinessPartnerSUITEBulkReplicateConfirmation_InRequest"'
    )
    assert [(one.request, one.reference) for one in confirmed(body)] == [(key, "inner")]
    until(lambda: state(sap, key) == "sent")


def test_several_partners_of_a_request_are_confirmed_in_one_message(sap, hub):
    sap.send(partner(firm(), "a"), partner(firm(""), "b"))
    until(lambda: len(hub.messages) == 1)
    assert [(one.reference, one.result) for one in confirmed(hub.bodies()[0])] == [("a", "3"), ("b", "5")]


def test_the_request_is_processed_after_its_delay(sap, hub):
    sap.process.tell("/settings", soap_delay_s=0.6)
    begin = time.monotonic()
    sap.send(partner(firm()))
    assert sap.process.ask("/confirmations")["requests_waiting"] == 1
    until(lambda: len(hub.messages) == 1)
    assert time.monotonic() - begin >= 0.6


def test_a_lost_confirmation_comes_when_the_request_is_sent_again(sap, hub):
    sap.process.tell("/settings", confirm_lost=1)
    key = sap.send(partner(firm()))
    assert (state(sap, key), hub.messages) == ("lost", [])
    sap.send(partner(firm()), key=key)
    sap.process.tell("/settings", confirm_lost=0)
    assert stats(sap, "faults") == {"confirm_lost": 2}
    sap.send(partner(firm()), key=key)
    until(lambda: references(hub) == [key])


def test_a_doubled_confirmation_is_the_same_message_twice(sap, hub):
    sap.process.tell("/settings", confirm_doubled=1)
    sap.send(partner(firm()))
    until(lambda: len(hub.messages) == 2)
    assert hub.bodies()[0] == hub.bodies()[1]
    assert stats(sap, "faults") == {"confirm_doubled": 1}


def test_a_confirmation_out_of_order_is_passed_by_the_next_one(sap, hub):
    sap.process.tell("/settings", confirm_out_of_order=1)
    first = sap.send(partner(firm()))
    sap.wait()
    sap.process.tell("/settings", confirm_out_of_order=0)
    second = sap.send(partner(firm()))
    until(lambda: len(hub.messages) == 2)
    assert references(hub) == [second, first]
    assert stats(sap, "faults") == {"confirm_out_of_order": 1}


def test_one_that_nothing_passes_comes_after_a_while_all_the_same(sap, hub):
    sap.process.tell("/settings", confirm_out_of_order=1)
    key = sap.send(partner(firm()))
    until(lambda: references(hub) == [key])


def test_a_late_confirmation_waits(sap, hub):
    sap.process.tell("/settings", confirm_late_s=0.7)
    key = sap.send(partner(firm()))
    begin = time.monotonic()
    assert state(sap, key) == "waiting"
    until(lambda: len(hub.messages) == 1)
    assert time.monotonic() - begin >= 0.5
    assert stats(sap, "faults") == {"confirm_late": 1}


def test_partners_of_some_names_are_never_confirmed_but_can_be_looked_up(sap, hub):
    sap.process.tell("/settings", confirm_never="^Stumm")
    mark = f"MUTE-{uuid.uuid4().hex[:8]}"
    silent = sap.send(partner(firm("Stumm AG", ExternalID=mark)))
    sap.send(partner(firm("Stumm GmbH"), "a"), partner(firm("Laut GmbH"), "b"))
    sap.wait()
    until(lambda: len(hub.messages) == 1)
    assert [one.reference for one in confirmed(hub.bodies()[0])] == ["b"]
    assert sap.kept(silent) == []
    assert len(sap.rows("A_BusinessPartner", filter=f"BusinessPartnerIDByExtSystem eq '{mark}'")) == 1
    assert stats(sap, "faults") == {"confirm_never": 2}


def test_a_receiver_that_is_busy_gets_it_later(sap, hub):
    hub.statuses[:] = [503, 500]
    key = sap.send(partner(firm()))
    until(lambda: references(hub) == [key])
    assert stats(sap, "events")["confirmations_refused"] == 2
    until(lambda: sap.kept(key)[0]["sends"] == 1)


def test_without_an_address_confirmations_are_kept_until_somebody_wants_them(sap, hub):
    sap.process.tell("/settings", confirm_url="")
    key = sap.send(partner(firm()))
    assert state(sap, key) == "kept"
    sap.process.tell("/settings", confirm_url=hub.url)
    assert sap.process.tell("/confirmations", requests=[key, "unknown"]) == {"sent": 1}
    until(lambda: references(hub) == [key])


def test_what_a_process_did_not_send_any_more_the_next_one_sends(start, hub, tmp_path):
    options = ("s4hana", "--profile", "onpremise", "--partners", "5", "--data", str(tmp_path))
    first = start(*options)
    first.tell("/settings", soap_delay_s=0, confirm_url=hub.url, confirm_late_s=60)
    sender = Sender(first)
    key = sender.send(partner(firm()))
    assert state(sender, key) == "waiting"
    assert first.stop() == 0
    second = start(*options)
    second.tell("/settings", confirm_url=hub.url)
    until(lambda: references(hub) == [key])


def test_of_many_every_one_is_accounted_for(sap, hub):
    chances = {"confirm_lost": 0.1, "confirm_doubled": 0.1, "confirm_out_of_order": 0.1}
    sap.process.tell("/settings", soap_jitter_s=0.2, confirm_seed=5, **chances)
    keys = [sap.send(partner(firm(f"Viele {number}"))) for number in range(200)]
    sap.wait()

    def states() -> list[str]:
        entries = sap.process.ask("/confirmations", limit=100_000)["confirmations"]
        return [entry["state"] for entry in entries if entry["request"] in set(keys)]

    until(lambda: set(states()) == {"sent", "lost"})
    faults = stats(sap, "faults")
    assert states().count("lost") == faults["confirm_lost"]
    until(lambda: len(hub.messages) == 200 - faults["confirm_lost"] + faults["confirm_doubled"])
    assert len(set(references(hub))) == 200 - faults["confirm_lost"]
    assert all(5 <= faults[name] <= 40 for name in chances)
    assert references(hub) != [key for key in keys if key in set(references(hub))]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"confirm_lost": 1.5}, "must be from 0 to 1"),
        ({"confirm_never": "("}, "no regular expression"),
        ({"soap_delay_s": -1}, "must not be negative"),
        ({"soap_absent": "forget"}, "must be one of keep, clear"),
        ({"confirm_sometimes": 1}, "unknown setting 'confirm_sometimes'"),
    ],
)
def test_settings_that_cannot_be_are_refused(sap, settings, words):
    answer = requests.post(sap.process.control + "/settings", json=settings, timeout=20)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_a_partner_is_sent_to_another_system_as_it_is(sap, hub):
    sap.process.tell("/settings", confirm_url="")
    done = sap.one(firm("Wandert AG", ExternalID="GO-1"))
    answer = sap.process.tell("/replicate", keys=[done.number], url=hub.url, user="S4", password="secret")
    assert answer["status"] == 202
    headers, body = hub.messages[0]
    assert headers["authorization"].startswith("Basic ")
    assert body.decode() == answer["body"]
    for text in (
        f"<InternalID>{done.number.zfill(10)}</InternalID>",
        f"<UUID>{done.keys['ReceiverUUID']}</UUID>",
        "<ExternalID>GO-1</ExternalID>",
        "<FirstLineName>Wandert AG</FirstLineName>",
        'changeOrdinalNumberValue="1"',
        'roleListCompleteTransmissionIndicator="true"',
    ):
        assert text in answer["body"]
    again = sap.process.tell("/replicate", keys=[done.number], url=hub.url)
    assert 'changeOrdinalNumberValue="2"' in again["body"]
    assert answer["id"] != again["id"]


def test_only_partners_that_are_there_are_sent_and_only_to_an_address_that_answers(sap, hub):
    def refused(**content) -> tuple[int, str]:
        answer = requests.post(sap.process.control + "/replicate", json=content, timeout=20)
        return answer.status_code, answer.json()["error"]

    assert refused(keys=["nobody"], url=hub.url) == (404, "not found: A_BusinessPartner 'nobody'")
    assert refused(keys=["1000000"], url="ftp://x")[0] == 400
    assert "gave no answer" in refused(keys=["1000000"], url="http://127.0.0.1:9/")[1]
    assert hub.messages == []


def test_what_one_system_sends_another_one_takes_whole(sap, onpremise, start, hub):
    other = Sender(start("s4hana", "--profile", "onpremise", "--partners", "1", "--seed", "99"))
    other.process.tell("/settings", soap_delay_s=0)
    keys = [str(number) for number in range(1000000, 1000005)]
    body = onpremise.tell("/replicate", keys=keys, url=hub.url)["body"].encode()
    assert other.post(body).status_code == 202
    other.wait()
    entries = other.process.ask("/confirmations")["confirmations"]
    numbers = {one.keys["InternalID"].lstrip("0"): one.number for one in confirmed(entries[-1]["body"].encode())}
    expand = "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber,to_BusinessPartnerTax"
    for theirs, ours in numbers.items():
        first = sap.rows("A_BusinessPartner", filter=f"BusinessPartner eq '{theirs}'", expand=expand)[0]
        second = other.rows("A_BusinessPartner", filter=f"BusinessPartner eq '{ours}'", expand=expand)[0]
        assert told(first) == told(second)
    assert len(numbers) == 5


def told(row: dict) -> dict:
    """What a partner says, without keys, links, stamps and what the messages do not carry."""
    left = ("BusinessPartner", "AddressID", "Customer", "Supplier", "ETag", "Person", "PersonNumber", "CreatedByUser")
    out = {}
    for name, value in row.items():
        if isinstance(value, dict) and "results" in value:
            out[name] = [told(item) for item in value["results"]]
        elif not (name in left or name.startswith(("__", "to_", "Creation", "LastChange", "YY1", "IsNatural"))):
            out[name] = value
    return out


def test_an_envelope_the_sandbox_sends_is_one_it_takes(sap, hub):
    answer = sap.process.tell("/replicate", keys=["1000001"], url=hub.url)
    assert sap.post(answer["body"].encode()).status_code == 202
    assert sap.post(envelope(partner(firm()))).status_code == 202
