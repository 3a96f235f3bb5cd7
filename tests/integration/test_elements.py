"""`for_each` at the head of a mapping: one record for each element, read from S/4HANA and written to the shop."""

import signal
from dataclasses import replace

import pytest

from l2c.errors import ConfigError
from tests.integration.conftest import StartWorld
from tests.integration.world import ADDRESSES, World

PARTNERS = 12
SITE = {
    "mappings/canonical/site.yaml": """
entity: site
fields:
  number: {type: text, length: 10}
  partner: {type: text, length: 10}
  city: {type: text, length: 40}
""",
    "mappings/s4hana/site.read.yaml": """
mapping: s4hana.site.read
from: s4hana/A_BusinessPartner
to: canonical/site
for_each: to_BusinessPartnerAddress
key: AddressID
fields: {number: AddressID, partner: parent.BusinessPartner, city: CityName}
""",
    "mappings/commerce/site.write.yaml": """
mapping: commerce.site.write
from: canonical/site
to: commerce/B2BUnit
when: not empty(number)
leave: block
blocked: {active: false}
key: uid
fields:
  uid: join('-', 'site', partner, number)
  name: {expr: city, default: "-"}
  active: {value: true}
""",
    "config/flows/site.yaml": """
flow: site
capture: {s4hana: {schedule: "*/15 * * * *", sweep: "0 2 * * *", watch: {A_BusinessPartnerAddress: "5 * * * *"}}}
distribute: {commerce: {}}
""",
}


def lay_out(world: World, files: dict[str, str]) -> None:
    """Files of an entity more beside the project's own."""
    for name, text in files.items():
        (world.home / name).write_text(text, encoding="utf-8")


def units(world: World, prefix: str) -> dict[str, str]:
    """Key and name of the active units whose keys begin so."""
    found = world.shop.records("B2BUnit")
    return {key: data["name"] for key, data in found if key.startswith(prefix) and data["active"]}


def addresses(world: World) -> dict[str, dict]:
    return dict(world.s4.records(ADDRESSES))


@pytest.fixture
def world(start_world: StartWorld, sqlite_url: str) -> World:
    """Both systems and an empty store."""
    return start_world(sqlite_url, partners=PARTNERS)


def sites(world: World) -> dict[str, str]:
    """The units there are to be for the addresses of S/4HANA."""
    return {f"site-{one['BusinessPartner']}-{one['AddressID']}": one["CityName"] for one in addresses(world).values()}


def test_each_address_of_a_partner_is_a_record_that_travels_alone(world: World):
    lay_out(world, SITE)
    with world.hub() as hub:
        captured = hub.capture("site", "s4hana")
        written = hub.distribute("site", "commerce")
        assert captured.sums_met
        assert written.sums_met
        there = sites(world)
        assert captured.counts["born"] == written.counts["written"] == len(there) > PARTNERS
        assert units(world, "site-") == there

        key, one = next(iter(addresses(world).items()))
        world.s4.change(ADDRESSES, key, CityName="Elsewhere")
        hub.capture("site", "s4hana", kind="watch", watch=ADDRESSES)
        changed = hub.capture("site", "s4hana")
        assert changed.counts["journaled"] == 1, "the other addresses of the partner are as they were"
        hub.distribute("site", "commerce")
        assert units(world, "site-") == sites(world)
        assert units(world, f"site-{one['BusinessPartner']}-{one['AddressID']}").popitem()[1] == "Elsewhere"


def test_an_address_that_is_gone_ends_its_record_and_no_other(world: World):
    lay_out(world, SITE)
    with world.hub() as hub:
        hub.capture("site", "s4hana")
        hub.distribute("site", "commerce")
        world.s4.delete(ADDRESSES, next(iter(addresses(world))))
        swept = hub.capture("site", "s4hana", kind="sweep")
        assert swept.sums_met
        assert swept.counts["deleted"] == 1
        assert hub.distribute("site", "commerce").counts["written"] == 1
        assert units(world, "site-") == sites(world)
        assert hub.capture("site", "s4hana", kind="sweep").counts.get("journaled", 0) == 0


PLACE = {
    "mappings/canonical/place.yaml": """
entity: place
fields:
  number: {type: text, length: 10}
  blocked: {type: boolean}
  addresses:
    list_by: number
    fields: {number: {type: text, length: 10}, city: {type: text, length: 40}, country: {type: country}}
""",
    "mappings/s4hana/place.read.yaml": """
mapping: s4hana.place.read
from: s4hana/A_BusinessPartner
to: canonical/place
key: BusinessPartner
fields:
  number: BusinessPartner
  blocked: BusinessPartnerIsBlocked
  addresses: {for_each: to_BusinessPartnerAddress, fields: {number: AddressID, city: CityName, country: Country}}
""",
    "mappings/commerce/place.write.yaml": """
mapping: commerce.place.write
from: canonical/place
to: commerce/B2BUnit
for_each: addresses
when: not parent.blocked and city != 'Nowhere'
leave: block
blocked: {active: false}
key: uid
fields:
  uid: join('-', 'place', parent.number, number)
  name: {expr: city, required: true}
  active: {value: true}
""",
    "config/flows/place.yaml": """
flow: place
capture: {s4hana: {schedule: "*/15 * * * *", sweep: "0 2 * * *"}}
distribute: {commerce: {}}
""",
}


def places(world: World) -> dict[str, str]:
    """The units there are to be for the addresses of partners that are not blocked."""
    blocked = {key for key, one in world.s4.records("A_BusinessPartner") if one["BusinessPartnerIsBlocked"]}
    return {
        f"place-{one['BusinessPartner']}-{one['AddressID']}": one["CityName"]
        for one in addresses(world).values()
        if one["BusinessPartner"] not in blocked and one["CityName"] != "Nowhere"
    }


def travel(world: World) -> dict[str, int]:
    """A full compare and a distribution; the counts of the latter."""
    with world.hub() as hub:
        assert hub.capture("place", "s4hana", kind="sweep").sums_met
        done = hub.distribute("place", "commerce")
        assert done.sums_met or done.status == "nothing"
    return dict(done.counts)


def two_of_one(world: World) -> tuple[str, str]:
    """The keys of two addresses of a partner that is not blocked."""
    own: dict[str, list[str]] = {}
    shown = places(world)
    for key, one in addresses(world).items():
        if f"place-{one['BusinessPartner']}-{one['AddressID']}" in shown:
            own.setdefault(one["BusinessPartner"], []).append(key)
    first, second, *_ = next(keys for keys in own.values() if len(keys) > 1)
    return first, second


def test_each_element_of_a_record_is_a_native_record_written_and_settled_alone(world: World):
    lay_out(world, PLACE)
    with world.hub() as hub:
        hub.capture("place", "s4hana")
        hub.distribute("place", "commerce")
    assert units(world, "place-") == places(world)

    before = world.shop.last_commit()
    first, second = two_of_one(world)
    world.s4.change(ADDRESSES, first, CityName="Elsewhere")
    assert travel(world)["written"] == 1
    assert [entry["key"] for entry in world.shop.log(after=before, entity="B2BUnit")] == [
        f"place-{first.replace('/', '-')}"
    ]
    assert units(world, "place-") == places(world)

    before = world.shop.last_commit()
    world.s4.delete(ADDRESSES, first)
    world.s4.change(ADDRESSES, second, CityName="Nowhere")
    assert travel(world)["written"] == 1
    assert units(world, "place-") == places(world)
    assert len(world.shop.log(after=before, entity="B2BUnit")) == 2, "one is gone, one does not pass any more"

    world.s4.change(ADDRESSES, second, CityName="Back")
    travel(world)
    assert units(world, "place-") == places(world)
    before = world.shop.last_commit()
    travel(world)
    assert world.shop.last_commit() == before


def test_an_element_that_is_refused_holds_back_none_of_its_record_and_comes_after_its_repair(world: World):
    lay_out(world, PLACE)
    first, second = two_of_one(world)
    world.s4.change(ADDRESSES, first, CityName="")
    with world.hub() as hub:
        hub.capture("place", "s4hana")
        done = hub.distribute("place", "commerce")
        assert done.sums_met
        assert done.counts["dead_letter"] == 1
        [letter] = hub.dead_letters("place")
        assert "name: empty, but required" in letter.message
    shown = units(world, "place-")
    assert f"place-{second.replace('/', '-')}" in shown
    assert f"place-{first.replace('/', '-')}" not in shown
    world.s4.change(ADDRESSES, first, CityName="Repaired")
    travel(world)
    assert units(world, "place-") == places(world)
    with world.hub() as hub:
        assert [one for one in hub.dead_letters("place") if one.state == "open"] == []


def test_what_a_killed_worker_has_written_is_known_again_and_leaves_with_its_element(world: World):
    lay_out(world, PLACE)
    with world.hub() as hub:
        hub.capture("place", "s4hana")
    first, _ = two_of_one(world)
    dying = replace(world, env={**world.env, "L2C_CRASH_AT": "send.after"}, processes=[])
    worker = dying.start("distribute", "place", "commerce")
    worker.communicate(timeout=120)
    assert worker.returncode == -signal.SIGKILL
    assert units(world, "place-") == places(world), "everything has arrived, nothing of it is settled"
    world.s4.delete(ADDRESSES, first)
    travel(world)
    assert units(world, "place-") == places(world)
    assert travel(world).get("written", 0) == 0


def test_two_elements_that_give_one_key_are_not_written_over_each_other(world: World):
    same = PLACE["mappings/commerce/place.write.yaml"].replace("parent.number, number)", "parent.number)")
    lay_out(world, PLACE | {"mappings/commerce/place.write.yaml": same})
    with world.hub() as hub:
        hub.capture("place", "s4hana")
        done = hub.distribute("place", "commerce")
        assert done.sums_met
        letters = hub.dead_letters("place")
    assert len(units(world, "place-")) + len(letters) == len(places(world))
    assert letters
    assert all(
        "let 'key' tell the elements apart [mappings/commerce/place.write.yaml]" in one.message for one in letters
    )


def test_a_flow_that_writes_what_it_reads_and_a_comparison_refuse_such_a_mapping(world: World):
    lay_out(world, PLACE)
    with world.hub() as hub:
        hub.capture("place", "s4hana")
        hub.distribute("place", "commerce")
        with pytest.raises(ConfigError, match="makes a record of each 'addresses'; they are mapped one by one"):
            hub.reconcile("place", system="commerce")
    both = PLACE["config/flows/place.yaml"].replace("capture: {", "capture: {commerce: {schedule: '0 1 * * *'}, ")
    read = (
        "mapping: commerce.place.read\nfrom: commerce/B2BUnit\nto: canonical/place\nkey: uid\nfields: {number: uid}\n"
    )
    lay_out(world, {"config/flows/place.yaml": both, "mappings/commerce/place.read.yaml": read})
    with world.hub() as hub:
        hub.capture("place", "commerce")
        world.s4.change(ADDRESSES, two_of_one(world)[0], CityName="Elsewhere")
        hub.capture("place", "s4hana", kind="sweep")
        with pytest.raises(ConfigError, match="needs a one-way flow, but this one reads and writes 'commerce'"):
            hub.distribute("place", "commerce")
        assert any("needs a one-way flow" in one.text for one in hub.lint("place"))
