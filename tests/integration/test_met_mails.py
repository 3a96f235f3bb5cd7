"""E-mail addresses at a first meeting: what one side does not show is not taken from the other."""

import pytest

from tests.integration.conftest import StartWorld
from tests.integration.people import COMPANY, Both
from tests.integration.world import FLOW, SOURCE, TARGET

OWN_MAIL = "A_BPAddressIndependentEmail"
VAT = [{"BPTaxType": "DE0", "BPTaxNumber": COMPANY["vatID"]}]


@pytest.mark.parametrize(
    ("first", "loaded"),
    [
        pytest.param(SOURCE, False, id="at the first load"),
        pytest.param(TARGET, True, id="later, when the unit is known first"),
    ],
)
def test_a_partner_with_mails_at_its_addresses_only_leaves_the_unit_its_own(
    start_world: StartWorld, sqlite_url: str, first: str, loaded: bool
):
    both = Both(start_world(sqlite_url, partners=2, two_way=True))
    if loaded:
        both.settle()
    company = both.company(to_BusinessPartnerTax=VAT)
    unit = both.register("company", **COMPANY)["uid"]
    for system in (first, *{SOURCE, TARGET} - {first}):
        with both.hub() as hub:
            hub.capture(FLOW, system)
        both.clock.forward(minutes=2)
    both.settle()
    assert both.unit(company)["uid"] == unit
    assert both.unit(company)["l2cEmail"] == COMPANY["l2cEmail"]
    mails = [row["EmailAddress"] for _, row in both.world.s4.records(OWN_MAIL) if row["BusinessPartner"] == company]
    assert mails == [COMPANY["l2cEmail"]]
    both.round(kind="sweep")
    both.settle()
    assert both.unit(company)["l2cEmail"] == COMPANY["l2cEmail"]
