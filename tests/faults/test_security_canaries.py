"""Planted secrets and personal data stand in nothing the hub shows, whatever it does and whatever goes wrong."""

import base64
import json
import subprocess
from collections.abc import Iterator

import pytest

from l2c.errors import HubError
from tests import canaries
from tests.canaries import found_in
from tests.integration.control import Control
from tests.integration.installation import System
from tests.integration.people import CONTACT, Both
from tests.integration.world import COMMAND, FLOW, SOURCE, TARGET, World, make_world

S4_PASSWORD, SHOP_SECRET = "cnry-s4-pw-81f3", "cnry-shop-pw-52e7"
MAIL, PHONE = "zz.canary@kanarie.example", "089 999777555"
PARTNER = "A_BusinessPartner"


class Screen:
    """Everything the command said, on both streams."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[str] = []

    def run(self, *words: str, **changes: str) -> str:
        done = subprocess.run(
            [str(COMMAND), *words],
            env={**self.world.env, **changes},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode in {0, 1, 2, 3}, done.stderr
        assert "--debug" in words or "Traceback" not in done.stderr, done.stderr
        self.said.append(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}")
        return self.said[-1]

    def leaks(self) -> list[str]:
        return [f"{word!r} in: {said[:400]}" for said in self.said for word in found_in(said)]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    """Two systems with secrets of their own, and in S/4HANA a company, a consumer and a contact made of canaries."""
    folder = tmp_path_factory.mktemp("canaries")
    s4 = System("s4hana", folder / "s4", ("--partners", "5", "--password", S4_PASSWORD))
    shop = System("commerce", folder / "shop", ("--client-secret", SHOP_SECRET))
    try:
        for system in (s4, shop):
            system.start()
        made = make_world(folder, Control(s4.url), Control(shop.url), f"sqlite:///{folder / 'state.db'}", two_way=True)
        connections = {
            "L2C_CONNECTION_S4HANA": {"url": s4.url, "user": "HUB_USER", "secret": S4_PASSWORD},
            "L2C_CONNECTION_COMMERCE": {"url": shop.url, "user": "l2c-hub", "secret": SHOP_SECRET},
        }
        made.env = {**made.env, **{name: json.dumps(value) for name, value in connections.items()}}
        yield made
    finally:
        for system in (s4, shop):
            system.stop()


@pytest.fixture
def screen(world: World) -> Iterator[Screen]:
    """A screen that shows nothing yet; afterwards the systems are sound."""
    yield Screen(world)
    world.s4.heal()
    world.shop.heal()


def planted(world: World) -> tuple[str, str]:
    """A company and a consumer with a contact between them; the numbers of both."""
    people = Both(world)
    company = people.company("Zzcanary Vogelfutter GmbH", SearchTerm1="Zzcanary")
    consumer = people.consumer("Zzcanaryvor", "Zzcanarynach", MAIL)
    people.relationship(company, people.person("Zzcanaryella", "Zzcanarymann"), MAIL, PhoneNumber=PHONE)
    return company, consumer


def rounds(screen: Screen, *before: str) -> None:
    for flow in (FLOW, CONTACT):
        for verb in ("capture", "distribute"):
            screen.run(*before, verb, flow)


def test_everything_the_command_shows_of_a_good_day_is_clean(world: World, screen: Screen):
    company, consumer = planted(world)
    screen.run("check")
    screen.run("lint")
    rounds(screen)
    for words in (
        ("status",), ("show", FLOW, company), ("show", FLOW, consumer, "--json"), ("read", SOURCE, PARTNER, "--limit", "50"),
        ("reconcile", FLOW, "--show", "equal", "--json"), ("matches", FLOW), ("audit", "list"), ("--debug", "capture", FLOW),
    ):  # fmt: skip
        screen.run(*words)
    assert screen.leaks() == []
    shown = screen.run("show", FLOW, company, "--reveal")
    assert "Zzcanary Vogelfutter" in shown, "the canaries are there, for who asks for them"
    assert found_in(shown)


REFUSAL = {
    "error": {
        "code": "CX/042",
        "message": {"lang": "en", "value": f"Name 'Zzcanary Vogelfutter GmbH' of {MAIL} (phone {PHONE}) is taken"},
    }
}


def test_a_refusal_that_quotes_the_record_shows_the_code_and_no_person(world: World, screen: Screen):
    planted(world)
    world.shop.fault("status", method="POST", status=400, body=json.dumps(REFUSAL), times=None, inner=True)
    rounds(screen)
    listed = screen.run("dead-letters")
    assert "CX/042" in listed
    screen.run("dead-letters", "--json")
    screen.run("status")
    assert screen.leaks() == []
    with world.hub() as hub:
        letters = hub.dead_letters()
    assert letters
    assert [letter.key for letter in letters if found_in(letter.message)] == []
    world.shop.heal()
    screen.run("redrive")
    rounds(screen)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 403, "body": json.dumps(REFUSAL)}),
        ("html_login", {}),
        ("foreign_next", {"url": f"http://localhost:1/x?name=Zzcanary&sap-password={S4_PASSWORD}"}),
    ],
)
def test_faults_of_the_source_quote_nobody(world: World, screen: Screen, kind, options):
    world.s4.fault(kind, method="GET", path="A_BusinessPartner[?]", times=None, **options)
    screen.run("capture", FLOW, SOURCE, "--debug")
    screen.run("read", SOURCE, PARTNER)
    screen.run("status")
    assert screen.leaks() == []


def test_refused_credentials_are_not_repeated_to_who_reads_the_message(world: World, screen: Screen):
    for name, system in (("S4HANA", SOURCE), ("COMMERCE", TARGET)):
        variable = f"L2C_CONNECTION_{name}"
        good = json.loads(world.env[variable])
        for wrong in (
            {**good, "secret": f"{good['secret']}x"},
            {**good, "url": good["url"].replace("//", f"//u:{good['secret']}@")},
        ):
            screen.run("--debug", "check", system, **{variable: json.dumps(wrong)})
        screen.run("--debug", "check", system, **{variable: json.dumps(good)[:-2]})
    screen.run("--debug", "systems", "reopen", SOURCE)
    screen.run("--debug", "systems", "reopen", TARGET)
    assert [leak for leak in screen.leaks() if "@" not in leak.partition(" in: ")[0]] == []


def test_no_secret_is_kept_in_the_state_store_or_in_any_file(world: World):
    places = [
        path
        for path in world.home.parent.rglob("*")
        if path.is_file() and path.relative_to(world.home.parent).parts[0] not in ("s4", "shop")
    ]
    assert any(path.suffix == ".db" for path in places)
    found = [(path.name, word) for path in places for word in canaries.SECRETS if word.encode() in path.read_bytes()]
    assert found == []


def test_the_canaries_sing(request: pytest.FixtureRequest):
    """The search itself finds what it should: plain, in Base64, in an error, on a screen."""
    basic = base64.b64encode(f"HUB_USER:{S4_PASSWORD}".encode()).decode()
    assert found_in(f"Authorization: Basic {basic}") != []
    assert found_in(f"mail to {MAIL}") == ["zz.canary@", MAIL]
    assert found_in("nothing to see at 4711") == []
    watching = request.config.stash[canaries.KEY]
    hits = list(watching.hits)
    try:
        HubError(f"shop: the user {MAIL}")
        subprocess.Popen(["/bin/echo", S4_PASSWORD], stdout=subprocess.PIPE, text=True).communicate()
        told = [hit for hit in watching.hits if hit not in hits]
        assert len(told) == 2, "in the error; echo is not the command"
    finally:
        watching.hits[:] = hits
