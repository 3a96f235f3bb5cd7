"""A shop that sends webhooks as SAP Commerce does, to the inbox over real HTTP, with each kind of login."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dags.served import served

ROOT = Path(__file__).parents[2]
FLOW = """\
flow: contact
capture:
  commerce: {schedule: "*/5 * * * *"}
"""
SYSTEMS = """\
systems:
  commerce: {kind: commerce, connection: commerce, inbox: {connection: shop_login}}
  signing: {kind: commerce, connection: commerce, inbox: {connection: shop_login, hmac_header: X-L2C-Signature}}
"""
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def shop(start_sandbox, monkeypatch, tmp_path) -> Any:
    """The simulated shop, and a project that captures its contact persons."""
    sandbox = start_sandbox("commerce")
    home = tmp_path / "home"
    shutil.copytree(ROOT / "mappings", home / "mappings")
    (home / "config" / "flows").mkdir(parents=True)
    (home / "config" / "flows" / "contact.yaml").write_text(FLOW)
    (home / "config" / "systems.yaml").write_text(SYSTEMS)
    token = {"token_url": f"{sandbox.url}/authorizationserver/oauth/token"}
    reach = {
        "conn_type": "sap_commerce",
        "host": sandbox.url,
        "login": "l2c-hub",
        "password": "sandbox",
        "extra": token,
    }
    sends = {"conn_type": "generic", "login": "shop", "password": "a long password", "extra": {"hmac_secret": "a key"}}
    monkeypatch.setenv("AIRFLOW_CONN_COMMERCE", json.dumps(reach))
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_LOGIN", json.dumps(sends))
    monkeypatch.setenv("L2C_HOME", str(home))
    monkeypatch.delenv("L2C_OVERLAY", raising=False)
    monkeypatch.setenv("L2C_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    return sandbox


@pytest.fixture
def url(shop, airflow_database) -> Iterator[str]:
    from l2c.airflow.page import build_app

    with served(build_app()) as address:
        yield f"{address}/inbox"


def register(shop: Any, url: str, **destination: str) -> None:
    """A company with its contact person registers while webhooks of contacts go to the destination."""
    hook = {"object": "L2CB2BCustomer", "url": url, **destination}
    shop.control("POST", "/settings", {"webhooks": [hook]})
    contact = {"email": "eva@huber.example", "first_name": "Eva", "last_name": "Huber"}
    address = {"streetname": "Hauptstraße", "postalcode": "80331", "town": "München", "country": "DE"}
    shop.control("POST", "/register", {"kind": "company", "name": "Huber GmbH", "address": address, "contact": contact})
    deadline = time.monotonic() + 20
    while shop.control("GET", "/webhooks")["pending"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def settled() -> list[Any]:
    from l2c.airflow.runtime import open_hub

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with open_hub() as hub:
            rows = hub.messages()
        if rows and all(row.state != "new" for row in rows):
            return rows
        time.sleep(0.05)
    raise AssertionError("nothing arrived, or nothing was worked off")


@pytest.mark.parametrize("kind", ["basic", "token", "signature"])
def test_a_registration_is_told_and_its_contact_waits_for_the_capture(shop, url: str, kind: str) -> None:
    from l2c.airflow.runtime import open_hub

    system = "signing" if kind == "signature" else "commerce"
    destination = {
        "basic": {"user": "shop", "password": "a long password"},
        "token": {"token_url": f"{url}/token", "client_id": "shop", "client_secret": "a long password"},
        "signature": {"secret": "a key"},
    }[kind]
    register(shop, f"{url}/{system}", **destination)
    rows = settled()
    if system == "signing":  # no flow captures a system of that name
        assert {row.detail for row in rows} == {"no flow that loads reads B2BCustomer from 'signing'"}
        return
    assert {(row.system, row.state, row.detail) for row in rows} == {("commerce", "done", "contact: 1 to fetch")}
    assert all(row.message_id for row in rows)
    with open_hub() as hub:
        assert hub.status("contact")[0].inbox == 1


def test_a_shop_with_the_wrong_password_is_kept_out(shop, url: str) -> None:
    from l2c.airflow.runtime import open_hub

    register(shop, f"{url}/commerce", user="shop", password="guessed")
    with open_hub() as hub:
        assert hub.messages() == []
