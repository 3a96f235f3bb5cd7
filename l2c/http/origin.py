"""Which addresses a session may talk to: its own origin and the hosts the system's configuration lists."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from l2c.errors import ConfigError, ProtocolError

_PORTS = {"http": 80, "https": 443}


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
    """The origin of an absolute http(s) address; ValueError for anything else, and for one with a user in it."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an absolute http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address may not hold a user")
    return Origin(parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme])


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
