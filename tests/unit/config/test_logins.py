"""Logins of those who send to the hub, and where systems.yaml says so."""

import pytest

from l2c.config import Project, env_login
from l2c.errors import ConfigError

NAME = "L2C_CONNECTION_SHOP_INBOX"


@pytest.mark.parametrize(
    "text",
    [
        '{"user": "shop", "secret": "geheim", "hmac_secret": "key"}',
        '{"login": "shop", "password": "geheim", "extra": {"hmac_secret": "key"}}',
        "https://shop:geheim@inbox.example.com?hmac_secret=key",
    ],
)
def test_a_login_needs_no_address(text: str) -> None:
    login = env_login("shop_inbox", {NAME: text})
    assert login.user == "shop"
    assert login.secret is not None
    assert login.hmac_secret is not None
    assert (login.secret.get_secret_value(), login.hmac_secret.get_secret_value()) == ("geheim", "key")
    assert "geheim" not in repr(login)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"set {NAME} to JSON with user and secret"),
        ("{", "is not JSON"),
        ('{"user": "shop", "secret": "geheim", "secret": "x"}', "'secret' is given twice; leave one out"),
        ('{"user": "shop"}', "user and secret belong together"),
        ('{"secret": "geheim"}', "user and secret belong together"),
        ("{}", "nobody could send with it"),
    ],
)
def test_a_login_that_proves_nothing_is_told_by_its_variable(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        env_login("shop_inbox", {NAME: text})
    assert said in str(raised.value)
    assert NAME in str(raised.value)
    assert "geheim" not in str(raised.value)


def systems(tmp_path, name: str, inbox: str) -> Project:
    folder = tmp_path / "config"
    folder.mkdir()
    text = f"systems:\n  {name}:\n    kind: commerce\n    connection: shop\n    inbox: {inbox}\n"
    (folder / "systems.yaml").write_text(text)
    return Project(tmp_path)


def test_a_system_names_where_its_login_is_kept(tmp_path) -> None:
    project = systems(tmp_path, "shop", "{connection: shop_inbox, hmac_header: X-Sig}")
    inbox = project.system("shop").inbox
    assert inbox is not None
    assert (inbox.connection, inbox.hmac_header) == ("shop_inbox", "X-Sig")


@pytest.mark.parametrize(
    ("name", "inbox", "said"),
    [
        ("shop", "{connection: shop_inbox, hmac_header: 'X Sig'}", "'X Sig' is not the name of a header"),
        ("shop", "{connection: shop_inbox, secret: geheim}", "unknown key 'secret'"),
        ("token", "{connection: shop_inbox}", "a system with an inbox cannot be named 'token'"),
    ],
)
def test_an_inbox_that_cannot_be_is_told(tmp_path, name: str, inbox: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        systems(tmp_path, name, inbox).system(name)
