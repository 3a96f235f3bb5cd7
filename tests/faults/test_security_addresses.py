"""Which addresses a system may lead the hub to: its own origin and the hosts listed, however the address is written."""

import pytest
from pydantic import SecretStr

from l2c.config import load_text
from l2c.config.model import parse
from l2c.config.systems import SystemsFile
from l2c.contract import Connection, System
from l2c.errors import ConfigError, ProtocolError
from l2c.http import HttpSession
from l2c.http.origin import border_of, origin_of

HOME = "https://erp.example"

FOREIGN = """
https://other.example/a
https://erp.example.other.example/a
https://xerp.example/a
https://erp.example@other.example/a
https://erp.example:443@other.example/a
https://user:secret@erp.example/a
https://@erp.example/a
https://erp.example%2eother.example/a
https://erp.example%00.other.example/a
https://other.example\\@erp.example/a
https://erp.example\\.other.example/a
https:\\\\erp.example\\a
https://erp.example:443:80/a
https://erp.example:/a
https://erp.example:0/a
https://erp.example:65536/a
https://erp.example:4 43/a
https://erp.example:٤٤٣/a
https://erp.example:8443/a
http://erp.example/a
https:///erp.example/a
https:/erp.example/a
https:erp.example/a
https://
https://.../a
https://erp..example/a
https://erp .example/a
https://erp.example\t.other.example/a
https://ⓔrp.example/a
https://erp。example/a
https://еrp.example/a
https://127.0.0.1/a
https://127.1/a
https://2130706433/a
https://0x7f000001/a
https://0x7f.0.0.1/a
https://0177.0.0.1/a
https://127.0.0.1./a
https://127.0.0.256/a
https://１２７.0.0.1/a
https://[::1]/a
https://[::ffff:127.0.0.1]/a
https://[::ffff:7f00:1]/a
https://[fe80::1%25eth0]/a
https://[2002:7f00:1::]/a
https://[erp.example]/a
https://169.254.169.254/latest/meta-data
file:///etc/passwd
file://erp.example/etc/passwd
ftp://erp.example/a
gopher://erp.example/a
javascript:alert(1)
data:text/plain,a
jar:https://erp.example!/a
ldap://erp.example/a
""".strip("\n").split("\n")

OWN = [
    "https://erp.example",
    "https://erp.example/a",
    "https://ERP.example/a",
    "https://erp.example./a",
    "https://erp.example:443/a",
    "https://erp.example?a=https://other.example",
    "https://erp.example#@other.example",
    "HTTPS://erp.example/a?user@host",
]


@pytest.mark.parametrize("address", FOREIGN)
def test_an_address_that_leads_elsewhere_is_refused(address):
    border = border_of("s4", HOME)
    with pytest.raises(ProtocolError, match=r"s4: the address (is|points to) .*not followed"):
        border.check(address)


def test_there_are_at_least_forty_forms():
    assert len(set(FOREIGN)) >= 40


@pytest.mark.parametrize("address", OWN)
def test_the_own_address_is_known_in_every_form(address):
    border_of("s4", HOME).check(address, same_origin=True)


@pytest.mark.fault("D12")
@pytest.mark.parametrize("line", ["\r\nHost: other.example", "\x00", "\x1f", "\n"])
def test_an_address_with_control_characters_is_refused(line):
    with pytest.raises(ValueError, match="control character"):
        origin_of(f"https://erp.example/a{line}")


def test_a_listed_host_is_let_in_by_name_and_port_only():
    border = border_of("s4", HOME, allow_hosts=("Files.example", "idp.example:8443"))
    border.check("https://files.example/a")
    border.check("https://idp.example:8443/token")
    for address in ("https://files.example:8443/a", "https://idp.example/token", "https://sub.files.example/a"):
        with pytest.raises(ProtocolError, match="not followed"):
            border.check(address)
    with pytest.raises(ProtocolError, match="not followed"):
        border.check("https://files.example/a", same_origin=True)


def test_a_listed_host_without_tls_is_refused_unless_the_connection_allows_it():
    border = border_of("s4", HOME, allow_hosts=("files.example",))
    with pytest.raises(ProtocolError, match="without TLS: not followed"):
        border.check("http://files.example/a")
    border_of("s4", HOME, allow_hosts=("files.example",), plain=True).check("http://files.example/a")


@pytest.mark.parametrize(
    "host", ["*", "*.example", "https://erp.example", "erp.example/path", "u@erp.example", "", " a"]
)
def test_what_is_no_host_cannot_be_listed(host):
    text = f"systems:\n  s4:\n    kind: s4hana\n    connection: s4\n    allow_hosts: ['{host}']\n"
    with pytest.raises(ConfigError, match=rf"systems.yaml:5:\d+: '{host.replace('*', '[*]')}' is no host; write"):
        parse(SystemsFile, load_text(text, name="config/systems.yaml"))


@pytest.mark.parametrize("url", ["http://erp.example", "http://127.1", "http://2130706433", "http://localhost.example"])
def test_only_this_machine_is_spoken_to_without_tls(url):
    with pytest.raises(ConfigError, match="system 's4': the connection's address"):
        HttpSession(System("s4", Connection(url, "user", SecretStr("canary-secret-url"))))
    for own in ("http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"):
        HttpSession(System("s4", Connection(own))).close()
