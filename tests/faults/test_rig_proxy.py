"""The proxy of the fault rig does to connections what its toxics say, and the hub loses and doubles nothing behind it."""

import http.client
import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.rig.proxy import KINDS, Proxy, Toxic, proxied
from l2c.errors import HubError
from tests.integration.checker import check, customers_of
from tests.integration.conftest import StartWorld
from tests.integration.world import FLOW, SOURCE, TARGET, World

LENGTH = 4_000


@pytest.fixture
def proxy(start_sandbox) -> Iterator[Proxy]:
    with proxied(start_sandbox("s4hana", partners=3).url) as made:
        yield made


def answer(proxy: Proxy, *, timeout: float = 2.0) -> tuple[bytes, float]:
    """What the control address answers through the proxy, and how long that took."""
    begun = time.monotonic()
    with urllib.request.urlopen(f"{proxy.url}/_control/records?entity=A_BusinessPartner", timeout=timeout) as response:
        return response.read(), time.monotonic() - begun


def test_without_a_toxic_everything_passes(proxy: Proxy):
    body, _ = answer(proxy)
    assert len(body.splitlines()) == 3
    assert not proxy.met


@pytest.mark.parametrize(
    "toxic",
    [Toxic("latency", seconds=0.3), Toxic("bandwidth", rate=12_000), Toxic("slicer", size=200, seconds=0.01)],
    ids=lambda toxic: toxic.kind,
)
def test_slow_connections_pass_everything_late(proxy: Proxy, toxic: Toxic):
    whole, _ = answer(proxy)
    proxy.set(toxic)
    body, took = answer(proxy, timeout=10)
    assert body == whole
    assert took > 0.2
    assert proxy.met[toxic.kind] == 1


@pytest.mark.parametrize("kind", ["limit_data", "half_close"])
def test_an_answer_is_cut_at_the_given_byte(proxy: Proxy, kind: str):
    proxy.set(Toxic(kind, after=1_000))
    with pytest.raises(http.client.IncompleteRead) as raised:
        answer(proxy)
    assert 0 < len(raised.value.partial) < 1_000


def test_a_reset_is_a_reset(proxy: Proxy):
    proxy.set(Toxic("reset", after=0))
    with pytest.raises(ConnectionResetError):
        answer(proxy)


def test_a_black_hole_answers_nothing_and_closes_nothing(proxy: Proxy):
    proxy.set(Toxic("black_hole", after=0))
    with pytest.raises(TimeoutError):
        answer(proxy, timeout=0.3)


def test_refused_connections_are_taken_again_afterwards(proxy: Proxy):
    proxy.set(Toxic("refuse"))
    with pytest.raises(urllib.error.URLError, match="refused"):
        answer(proxy)
    proxy.set(None)
    assert answer(proxy)[0]


def test_a_toxic_for_some_connections_leaves_the_others_alone(proxy: Proxy):
    proxy.set(Toxic("reset", times=2))
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            answer(proxy)
    assert answer(proxy)[0]


def test_an_unknown_toxic_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown toxic 'acid'; known: latency"):
        Toxic("acid")


@pytest.fixture
def behind(start_world: StartWorld, sqlite_url: str) -> Iterator[tuple[World, Proxy]]:
    """The shop behind a proxy; requests have two seconds."""
    world = start_world(sqlite_url, partners=40)
    with proxied(world.shop.url) as proxy:
        connection = {**json.loads(world.env["L2C_CONNECTION_COMMERCE"]), "url": proxy.url}
        systems = world.home / "config" / "systems.yaml"
        limits = "settings:\n      deadline_s: 2\n      silence_s: 0.7\n      attempts: 2\n      b2b_unit_object:"
        systems.write_text(systems.read_text().replace("settings:\n      b2b_unit_object:", limits))
        world.env = {**world.env, "L2C_CONNECTION_COMMERCE": json.dumps(connection)}
        yield world, proxy


@pytest.mark.fault("N1")
def test_eight_toxics_on_the_way_to_the_shop_lose_and_double_nothing(behind: tuple[World, Proxy]):
    world, proxy = behind
    partners = [row["BusinessPartner"] for row in customers_of(world.s4).values()]
    with world.hub() as hub:
        for number, kind in enumerate(KINDS):
            for after in (0, 1_500):  # within the sign-in or the header, within an answer
                world.s4.change("A_BusinessPartner", partners[number], OrganizationBPName1=f"{kind} {after}")
                proxy.set(Toxic(kind, after=after, times=3, seconds=0.02))
                hub.capture(FLOW, SOURCE)
                for _ in range(2):
                    try:
                        hub.distribute(FLOW, TARGET)
                    except HubError as error:
                        assert TARGET in str(error)  # noqa: PT017
        proxy.set(None)
        hub.reopen(TARGET)
        for key in partners:
            hub.redrive(FLOW, TARGET, key=key)
    assert all(proxy.met[kind] for kind in KINDS), proxy.met
    wait_until_written(world)
    found = check(world.s4, world.shop)
    assert found.customers > 10
    assert found.differences == []


def wait_until_written(world: World) -> None:
    """Runs until nothing is due: what was tried again waits some seconds."""
    for minutes in (0, 20, 40, 60):
        with world.hub(clock=lambda minutes=minutes: datetime.now(UTC) + timedelta(minutes=minutes)) as hub:
            hub.distribute(FLOW, TARGET)
