"""Which addresses a session may talk to: its own origin and the hosts the system's configuration lists."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from l2c.errors import ConfigError, ProtocolError

_PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:([a-z0-9._-]+)|\[([0-9a-f:.]+)\])(?::([0-9]{1,5}))?\Z", re.IGNORECASE | re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX = re.compile(r"0x[0-9a-f]*\Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if _PORTS[self.scheme] == self.port else f":{self.port}")


def origin_of(url: str) -> Origin:
    """The origin of an absolute http(s) address; ValueError for anything else, and for one that programs read differently.

    Refused besides: a user, control characters, a host that is not plain ASCII, an IP address in any but its usual form
    (`2130706433`, `0x7f.1`, `127.1`, `[::ffff:127.0.0.1]`), and a port that is no number.
    """
    found = _ABSOLUTE.match(url)
    if found is None:
        raise ValueError("not an absolute http or https address")
    scheme, authority = found[1].lower(), found[2]
    if "@" in authority:
        raise ValueError("an address may not hold a user")
    if _CONTROL.search(url):
        raise ValueError("an address may not hold a control character")
    named = _AUTHORITY.match(authority)
    if named is None:
        raise ValueError("not an address with a plain host name or IP address")
    port = int(named[3]) if named[3] else _PORTS[scheme]
    if not 0 < port < 65_536:
        raise ValueError("not an address with a usable port")
    return Origin(scheme, _address6(named[2]) if named[2] else _host(named[1]), port)


def _host(name: str) -> str:
    """A host name or IPv4 address in one form; ValueError where the last label says number and the whole is no IPv4 address."""
    host = name.lower().removesuffix(".")
    last = host.rpartition(".")[2]
    if not host or len(host) > 253 or not all(0 < len(label) < 64 for label in host.split(".")):
        raise ValueError("not an address with a plain host name or IP address")
    if last.isdigit() or _HEX.match(last):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("not an address with an IP address in its usual form") from None
    return host


def _address6(text: str) -> str:
    """An IPv6 address in its shortest form; ValueError for one that stands for an IPv4 address."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("not an address with an IP address in its usual form") from None
    if address.ipv4_mapped is not None or address.sixtofour is not None or address.teredo is not None:
        raise ValueError("not an address with an IP address in its usual form")
    return address.compressed


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself, by name or by address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Border:
    """The origins a session may reach, checked before any byte is sent: `home`, and `hosts` as `host` or `host:port`."""

    system: str
    home: Origin
    hosts: frozenset[str]
    plain: bool = False

    def _is_listed(self, origin: Origin) -> bool:
        usual = origin.port in {_PORTS[origin.scheme], self.home.port}
        return f"{origin.host}:{origin.port}" in self.hosts or (usual and origin.host in self.hosts)

    def check(self, url: str, *, same_origin: bool = False, what: str = "the address", where: str = "") -> None:
        """ProtocolError when `url` is outside; `same_origin` allows the session's own origin only.

        `what` the address is and `where` it was found go into the message (default: the system alone).
        """
        place = where or self.system
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise ProtocolError(f"{place}: {what} is {error}: not followed", system=self.system) from None
        if origin == self.home:
            return
        if same_origin or not self._is_listed(origin):
            text = f"{place}: {what} points to '{origin}', expected '{self.home}': not followed"
            raise ProtocolError(text if same_origin else f"{text}{self._advice(origin)}", system=self.system)
        if origin.scheme == "http" and not self.plain and not is_loopback(origin.host):
            raise ProtocolError(f"{place}: {what} points to '{origin}' without TLS: not followed", system=self.system)

    def _advice(self, origin: Origin) -> str:
        listed = origin.host if origin.port == _PORTS[origin.scheme] else f"{origin.host}:{origin.port}"
        return f"; if this host is the system's own, add '{listed}' to its 'allow_hosts' in config/systems.yaml"


def border_of(system: str, url: str, *, allow_hosts: tuple[str, ...] = (), plain: bool = False) -> Border:
    """The border around a configured address; ConfigError when the address itself cannot be used.

    `http` is for this machine only, unless `plain` (connection extra `allow_plain`) says otherwise.
    """
    try:
        home = origin_of(url)
    except ValueError as error:
        raise ConfigError(f"system '{system}': the connection's address is {error}", system=system) from None
    if home.scheme == "http" and not plain and not is_loopback(home.host):
        text = f"system '{system}': the connection's address has no TLS; use https, or set 'allow_plain' in its extras"
        raise ConfigError(text, system=system)
    return Border(system, home, frozenset(host.lower() for host in allow_hosts), plain)


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The address with each parameter it does not hold yet."""
    present = {part.partition("=")[0] for part in url.partition("?")[2].split("&")}
    missing = {name: value for name, value in query.items() if name not in present}
    if not missing:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(missing)}"
