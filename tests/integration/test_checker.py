"""The checker itself: it finds what is planted."""

from tests.integration.checker import check, created_twice
from tests.integration.conftest import StartWorld


def test_the_checker_finds_what_is_lost_doubled_wrong_or_stray(start_world: StartWorld, sqlite_url: str):
    world = start_world(sqlite_url, partners=30)
    world.load()
    assert check(world.s4, world.shop).differences == []
    units = [key for key, unit in world.shop.records("B2BUnit") if unit["active"] and unit["addresses"]]
    lost, doubled, renamed, moved, closed, *_ = units
    world.shop.delete("B2BUnit", lost)
    world.shop.create("B2BUnit", {"uid": "twin", "name": "twin", "l2cCustomerNumber": doubled})
    world.shop.create("B2BUnit", {"uid": "stray", "name": "stray"})
    world.shop.change("B2BUnit", renamed, name="Somebody else")
    world.shop.change("B2BUnit", closed, active=False)
    place = world.shop.record("B2BUnit", moved)["addresses"][0]
    world.shop.change("Address", f"false/{place['publicKey']}", town="Elsewhere")

    found = check(world.s4, world.shop)
    assert found.lost == [f"customer {lost} is not in the shop"]
    assert found.doubled == [f"customer {doubled} stands 2 times"]
    assert found.stray == ["unit None has no customer"]
    told = "\n".join(found.wrong)
    assert f"customer {renamed}: name" in told
    assert f"customer {closed}: may order" in told
    assert f"customer {moved}: addresses" in told


def test_a_thing_created_twice_is_found_in_the_log_unless_it_was_deleted_in_between():
    def entry(action: str, key: str = "1") -> dict[str, str]:
        return {"entity": "B2BUnit", "key": key, "action": action}

    assert created_twice([entry("created"), entry("updated"), entry("created", "2")]) == []
    assert created_twice([entry("created"), entry("deleted"), entry("created")]) == []
    assert created_twice([entry("created"), entry("created")]) == ["B2BUnit 1 was created twice"]
