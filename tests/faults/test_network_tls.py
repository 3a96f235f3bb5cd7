"""Certificates are always checked: a bad one is told apart, and not a byte of the request leaves."""

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from l2c.config.systems import SystemConfig
from l2c.contract import Connection, System
from l2c.errors import ConfigError, ProtocolError, TransientError
from l2c.http import BasicAuth, HttpSession, Limits, Retries

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificate(
    subject: str, issuer: str, issuer_key, *, start=-1, end=1, host="127.0.0.1", ca=False
) -> x509.Certificate:
    """Valid from `start` to `end` days from now."""
    try:
        names = [x509.IPAddress(ipaddress.ip_address(host))]
    except ValueError:
        names = [x509.DNSName(host)]
    made = x509.CertificateBuilder(name(issuer), name(subject), KEY.public_key(), x509.random_serial_number())
    made = made.not_valid_before(NOW + timedelta(days=start)).not_valid_after(NOW + timedelta(days=end))
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return made.sign(issuer_key, hashes.SHA256())


@dataclass
class Server:
    """Speaks TLS with one certificate; `got` is what came through."""

    certificate: Path
    got: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self.got.append(secured.recv(4096))
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            except ssl.SSLError:
                continue
            except OSError:
                if self._listener.fileno() == -1:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


BAD = {
    "expired": ({"start": -3, "end": -1}, "the certificate has expired; nothing was sent"),
    "not yet valid": ({"start": 1, "end": 3}, "the certificate is not valid yet; is the clock right?; nothing was sent"),
    "another address": ({"host": "127.0.0.2"}, "the certificate is for another IP address; nothing was sent"),
    "of an unknown authority": ({"stranger": True}, "the certificate is not trusted; a private CA goes into 'ca_file'"),
    "signed by itself": ({"own": True}, "the certificate is not trusted; a private CA goes into 'ca_file'"),
}  # fmt: skip


@pytest.fixture
def serve(tmp_path) -> Iterator:
    """Starts a server and gives it with the file of the authority it should be trusted by."""
    running = []

    def start(*, stranger: bool = False, own: bool = False, **options) -> tuple[Server, Path]:
        authority = certificate("authority", "authority", KEY, ca=True)
        trusted = tmp_path / "ca.pem"
        trusted.write_bytes(pem(authority))
        signer = ec.generate_private_key(ec.SECP256R1()) if stranger else KEY
        leaf = certificate("leaf" if own else "system", "leaf" if own else "authority", signer, **options)
        private = KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        place = tmp_path / "server.pem"
        place.write_bytes(pem(leaf) + private)
        running.append(Server(place))
        return running[-1], trusted

    yield start
    for server in running:
        server.close()


def session_on(url: str, ca_file: Path | None) -> HttpSession:
    system = System("shop", Connection(url, "user", SecretStr("canary-tls-secret")), ca_file=ca_file)
    auth = BasicAuth("user", "canary-tls-secret")
    return HttpSession(system, auth=auth, limits=Limits(deadline_s=5, connect_s=5), retries=Retries(attempts=1))


@pytest.mark.fault("N6")
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_certificate_is_named_and_nothing_is_sent(serve, kind):
    options, told = BAD[kind]
    server, trusted = serve(**options)
    session = session_on(server.url, trusted)
    for method in ("GET", "POST"):
        with pytest.raises(ProtocolError, match=re.escape(told)):
            session.request(method, "/a", body=b"{}")
    session.close()
    assert server.got == []


@pytest.mark.fault("N6")
def test_a_good_certificate_of_a_private_authority_is_taken(serve):
    server, trusted = serve()
    session = session_on(server.url, trusted)
    assert session.get("/a").status == 200
    session.close()
    assert len(server.got) == 1
    without = session_on(server.url, None)
    with pytest.raises(ProtocolError, match="goes into 'ca_file'"):
        without.get("/a")
    without.close()


@pytest.mark.fault("N6")
def test_a_server_that_speaks_no_tls_is_told_apart_from_a_bad_certificate():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        session = session_on(f"https://127.0.0.1:{listener.getsockname()[1]}", None)
        with pytest.raises(TransientError, match="no TLS connection; nothing was sent"):
            session.get("/a")
        session.close()


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"no certificate", "holds no certificate")])
def test_a_ca_file_that_is_none_is_a_config_error(tmp_path, content, told):
    place = tmp_path / "ca.pem"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"system 'shop': 'ca_file' in config/systems.yaml: '.*ca.pem' {told}"):
        session_on("https://127.0.0.1:1", place)


@pytest.mark.fault("N6")
def test_nothing_switches_the_check_off():
    assert not {"verify", "verify_ssl", "insecure"} & SystemConfig.model_fields.keys()
    words = ("verify\\s*=\\s*[F]alse", "CERT[_]NONE", "_create_unverified_context", "disable_warnings")
    switches = re.compile("|".join((*words, r"check_hostname\s*=\s*False")))
    sources = [*(ROOT / "l2c").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    assert len(sources) > 100
    assert [str(path) for path in sources if switches.search(path.read_text(encoding="utf-8"))] == []
