"""A record that is too large for its flow is set aside with its size; its neighbours travel."""

import pytest

from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE

MOST = 6_000


@pytest.mark.fault("R17")
def test_a_record_that_is_too_large_is_a_dead_letter_until_the_flow_allows_it(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=6)
    key = next(key for key, row in world.s4.records("A_BusinessPartner") if row["BusinessPartnerCategory"] == "2")
    for number in range(30):
        place = {"BusinessPartner": key, "CityName": f"Lagerplatz {number}", "Country": "DE", "PostalCode": "89073"}
        world.s4.create("A_BusinessPartnerAddress", {**place, "StreetName": "Am langen Speicher"})
    file = world.home / "config" / "flows" / f"{FLOW}.yaml"
    text = file.read_text()
    file.write_text(text.replace("  s4hana:\n", f"  s4hana:\n    max_record: {MOST}\n", 1))
    assert f"max_record: {MOST}" in file.read_text()
    with world.hub() as hub:
        counts = hub.capture(FLOW, SOURCE).counts
        [letter] = hub.dead_letters(FLOW, SOURCE)
    assert counts["journaled"] == counts["read"] - 1
    assert (letter.key, letter.code) == (key, "too_large")
    assert f"{MOST:,} are allowed" in letter.message
    assert "capture.s4hana.max_record in config/flows/business_partner.yaml, then redrive" in letter.message
    file.write_text(text)
    with world.hub() as hub:
        assert hub.redrive(FLOW, SOURCE) == 1
        assert hub.capture(FLOW, SOURCE).counts["journaled"] == 1
        assert list(hub.dead_letters(FLOW, SOURCE)) == []
