"""A shop that knew its customers before the hub did: whatever rule recognises a unit, it ends like every other."""

from collections import Counter

from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET

PARTNERS = 120


def test_a_unit_recognised_by_its_vat_number_shows_each_address_once(
    start_world: StartWorld, database_url: str
) -> None:
    prefilled = {"partners": PARTNERS, "prefill": 30, "second_rule": 10, "ambiguous": 0}
    world = start_world(database_url, partners=PARTNERS, two_way=True, shop_options=prefilled)
    for _ in range(2):
        with world.hub() as hub:
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system)
            for system in (TARGET, SOURCE):
                hub.distribute(FLOW, system)
    rules = {one["unit"]: one["rule"] for one in world.shop.ask("truth")["units"]}
    assert Counter(rules.values()) == {"customer_number": 20, "vat": 10}
    for uid, unit in world.shop.records("B2BUnit"):
        places = Counter((one["streetname"], one["streetnumber"], one["town"]) for one in unit["addresses"])
        assert [place for place, count in places.items() if count > 1] == [], (uid, rules.get(uid))
    assert all(unit["l2cPartnerNumber"] for uid, unit in world.shop.records("B2BUnit") if uid in rules)
