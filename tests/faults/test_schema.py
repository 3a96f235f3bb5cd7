"""Metadata of the source that drifted away from the mapping: nothing is read before somebody has said what is meant."""

import re
import urllib.request
from base64 import b64encode

import pytest

from l2c.errors import ConfigError, HubError
from tests.faults.test_brakes import PARTNER, Desk, desk
from tests.integration.world import FLOW, SOURCE

__all__ = ["desk"]
TYPE = re.compile(r'<EntityType Name="A_BusinessPartnerType".*?</EntityType>', re.DOTALL)
NAME = "OrganizationBPName1"


def metadata(desk: Desk) -> str:
    """The simulated system's own document."""
    login = b64encode(b"HUB_USER:sandbox-s4-secret").decode()
    request = urllib.request.Request(
        f"{desk.world.s4.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/$metadata",
        headers={"Authorization": f"Basic {login}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def drifted(document: str, kind: str) -> str:
    """The document with one property of partners gone, renamed, of another kind, shorter, or with one more."""
    partner = TYPE.search(document)
    assert partner is not None
    found = re.search(rf'<Property Name="{NAME}"[^>]*?(/>|>.*?</Property>)', partner[0], re.DOTALL)
    assert found is not None
    changed = {
        "gone": "",
        "renamed": found[0].replace(NAME, "OrganizationName1"),
        "retyped": found[0].replace("Edm.String", "Edm.Boolean"),
        "more": found[0] + found[0].replace(NAME, "SomethingNew"),
    }[kind]
    return document.replace(partner[0], partner[0].replace(found[0], changed))


def show(desk: Desk, document: str) -> None:
    desk.world.s4.heal()
    desk.world.s4.fault("status", path="metadata", status=200, body=document, times=None)


@pytest.mark.fault("S1", "S3", "S4")
def test_a_field_that_went_stops_the_run_before_it_reads_and_a_new_one_does_not(desk: Desk):
    desk.load()
    document = metadata(desk)
    number = desk.numbers()[0]
    desk.world.s4.change(PARTNER, number, **{NAME: "Neu GmbH"})
    read = desk.world.s4.requests()["GET A_BusinessPartner 200"]
    for kind, told in (("gone", NAME), ("renamed", "unknown name"), ("retyped", "found boolean")):
        show(desk, drifted(document, kind))
        with pytest.raises(ConfigError, match=rf"business_partner\.read\.yaml:\d+.*{told}") as caught:
            desk.capture()
        assert "Neu GmbH" not in str(caught.value), kind
    for broken in ("", "<html><title>Wartung</title></html>", document[: len(document) // 2]):
        show(desk, broken)
        with pytest.raises(HubError):
            desk.capture()
    assert desk.world.s4.requests()["GET A_BusinessPartner 200"] == read, "nothing was read"
    show(desk, drifted(document, "more"))
    assert desk.capture().counts["journaled"] == 1, "the change of meanwhile"
    desk.world.s4.heal()
    with desk.hub() as hub:
        assert hub.dead_letters(FLOW) == []
        assert hub.status(FLOW)[0].system == SOURCE
