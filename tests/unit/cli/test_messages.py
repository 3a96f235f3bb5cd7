"""`l2c messages`: what systems sent, and what became of it."""

import json

import pytest

from l2c.hub import Hub
from tests.integration.world import World


@pytest.fixture
def told(start_world, sqlite_url) -> World:
    """A shop that has sent two messages: one the hub understood, one it could not."""
    world: World = start_world(sqlite_url, partners=5)
    with Hub.open(env=world.env) as hub:
        head = {"authorization": "Basic c2VjcmV0", "content-type": "application/json"}
        hub.receive("commerce", head, b"not JSON of Mrs Huber")
        hub.work_off("commerce")
        hub.receive("commerce", head, b"{}")
    return world


def test_messages_are_listed_newest_first_with_state_and_age_but_never_what_they_say(told: World) -> None:
    shown = told.run("messages", "commerce", "--json", expect=1)
    newest, oldest = json.loads(shown)
    assert (newest["state"], oldest["state"]) == ("new", "failed")
    assert 0 <= newest["age_s"] <= oldest["age_s"] < 600
    assert oldest["size"] == len(b"not JSON of Mrs Huber")
    text = told.run("messages", expect=1)
    assert "failed" in text
    assert oldest["detail"] in text
    assert not [word for word in ("Huber", "c2VjcmV0") if word in text + shown]


def test_messages_may_be_chosen_by_state_and_system(told: World) -> None:
    assert [one["state"] for one in json.loads(told.run("messages", "--state", "new", "--json"))] == ["new"]
    assert told.run("messages", "s4hana") == "no messages\n"
    assert "'open' is none of new, done, failed" in told.run("messages", "--state", "open", expect=2)
    assert "did you mean 'commerce'" in told.run("messages", "comerce", expect=2)
